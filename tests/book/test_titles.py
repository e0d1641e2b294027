"""Headings, and the names of stages that are made of them."""

import pytest

from stagebook.book.cells import _NAME
from stagebook.book.headings import headings_in, outline, plain
from stagebook.book.titles import short_name

NAMES = {
    "Load": "load",
    "2. Train the model": "train_the_model",
    "2.1 Train the model": "train_the_model",
    "Step 3: Create a CNN to Classify Dog Breeds (from Scratch)": "create_cnn_classify_dog",
    "Prepare the Data for Machine Learning Algorithms": "prepare_data_machine_learning",
    "IV. Modelling": "modelling",
    "b) Split": "split",
    "Data cleaning: dropping columns": "data_cleaning",
    "Let's explore the data": "explore_the_data",
    "First, load the data": "load_the_data",
    "Model 1": "model_1",
    "3D plots": "plots",
    "Évaluation du modèle": "évaluation_du_modèle",
    "数据清洗": "数据清洗",
    "Donaudampfschifffahrtsgesellschaftskapitän": "donaudampfschifffahrtsgesellscha",
    "42": "",
    "🚀": "",
    "!?": "",
}


@pytest.mark.parametrize(("heading", "name"), NAMES.items())
def test_a_heading_gives_a_short_name(heading, name):
    assert short_name(heading) == name
    assert name == "" or _NAME.match(name)


HEADINGS = {
    "# Title\ntext\n## Part": [(1, "Title"), (2, "Part")],
    "##No space": [(2, "No space")],
    "## Closed ##": [(2, "Closed")],
    "Title\n=====\nPart\n----": [(1, "Title"), (2, "Part")],
    "<h2 id='a'>In <b>HTML</b></h2>": [(2, "In HTML")],
    "**Bold alone**": [(7, "Bold alone")],
    "Some **bold** words": [],
    "```\n# a comment\n```\n# After": [(1, "After")],
    "## [Linked](http://x) `code` *it*": [(2, "Linked code it")],
    "- item\n---": [],
    "####### seven": [],
    "##": [],
    "a | b\n--- | ---": [],
    "# " + "many words " * 12: [],
}


@pytest.mark.parametrize(("text", "found"), HEADINGS.items())
def test_headings_of_a_text_cell(text, found):
    assert [(heading.level, heading.text) for heading in headings_in(text)] == found


def test_each_cell_stands_under_the_headings_above_it():
    def cell(text, kind="markdown"):
        return {"cell_type": kind, "source": text, "metadata": {}}

    document = {"cells": [cell("x", "code"), cell("# A\n## B"), cell("x", "code"), cell("## C"), cell("x", "code")]}
    paths = [[heading.text for heading in path] for path in outline(document)]
    assert paths == [[], ["A", "B"], ["A", "B"], ["A", "C"], ["A", "C"]]


def test_the_title_and_a_table_of_contents_are_no_sections():
    def cell(text, kind="markdown"):
        return {"cell_type": kind, "source": text, "metadata": {}}

    contents = cell("## Load\n## Train\n## Judge")
    document = {
        "cells": [cell("# Churn"), contents, cell("## Load"), cell("x", "code"), cell("# More"), cell("x", "code")]
    }
    assert [[heading.text for heading in path] for path in outline(document)][3::2] == [["Load"], ["More"]]


def test_markup_is_no_word():
    assert plain("<a id='x'></a> ~~a~~ &amp; __b__ snake_case") == "a & b snake_case"
