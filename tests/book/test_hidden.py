"""Hidden state is linked as names are: who draws, sets or writes comes before whoever uses it, in notebook order."""

from __future__ import annotations

import pytest
from notebooks_factory import arrows, pipeline

from stagebook.book.hidden import called, in_folder
from stagebook.book.relinking import relink
from stagebook.model import Learned

THREE = [("stage:a", "1"), ("stage:b", "2"), ("stage:c", "3")]


def linked(**learned):
    made = relink(pipeline(THREE), {stage: Learned(frozenset(c), frozenset(u)) for stage, (c, u) in learned.items()})
    return {f"{edge.source} -> {edge.target}": ", ".join(edge.names) for edge in made.edges}


def test_stages_that_draw_are_ordered_from_the_code_alone():
    cells = [
        ("setup", "import numpy as np"),
        ("stage:a", "x = np.random.rand()"),
        ("stage:b", "print(1)"),
        ("stage:c", "y = np.random.rand()"),
        ("stage:d", "np.random.seed(0)\nz = np.random.rand()"),
        ("stage:e", "w = np.random.rand()"),
    ]
    assert arrows(cells) == {"a -> c": "state:numpy.random", "d -> e": "state:numpy.random"}


def test_a_setting_reaches_those_that_use_its_library():
    assert linked(a=({"setting:pandas"}, {"setting:pandas"}), c=((), {"setting:pandas"})) == {
        "a -> c": "setting:pandas"
    }


def test_each_that_draws_goes_on_from_the_one_before():
    drawn = ({"state:random"}, {"state:random"})
    assert linked(a=drawn, b=drawn, c=drawn) == {"a -> b": "state:random", "b -> c": "state:random"}


def test_who_reads_a_file_comes_after_its_writer_and_before_the_next():
    edges = linked(a=({"file:x"}, ()), b=((), {"file:x"}), c=({"file:x"}, ()))
    assert edges == {"a -> b": "file:x", "a -> c": "file:x", "b -> c": ""}


def test_a_listed_folder_stands_for_the_files_in_it():
    edges = linked(a=({"file:out/x", "file:out/deep/y", "file:z"}, ()), b=((), {"file:out/"}), c=({"file:out/w"}, ()))
    assert edges == {"a -> b": "file:out/x", "b -> c": ""}


def test_the_notebooks_own_folder_can_be_listed_too():
    assert in_folder("file:./", ["file:x", "file:out/y", "x"]) == ["file:x"]


def test_a_skipped_stage_leaves_hidden_state_as_it_was():
    drawn = Learned(frozenset({"state:random"}), frozenset({"state:random"}))
    made = relink(pipeline(THREE), dict.fromkeys("abc", drawn), skipped=frozenset({"b"}))
    assert made.inputs["c"] == {"state:random": "a"}
    assert made.inputs["b"] == {}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("df", "`df`"),
        ("file:a/b.csv", "file a/b.csv"),
        ("file:a/", "the list of files in a/"),
        ("state:numpy.random", "NumPy's global random state"),
        ("state:torch", "the global random state of torch"),
        ("setting:pandas", "the configuration of pandas"),
    ],
)
def test_names_are_called_as_people_call_them(name, words):
    assert called(name) == words
