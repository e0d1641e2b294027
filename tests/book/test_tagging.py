"""Tags are added to a notebook's file, and nothing else in it changes, whoever wrote it."""

import itertools
import json
from pathlib import Path

import pytest

from stagebook.book.notebook import as_document
from stagebook.book.suggested import SuggestedCell, Suggestion
from stagebook.book.tagging import new_tags, tagged, tagged_text
from stagebook.errors import NotebookError

PATH = Path("notebook.ipynb")

# How the programs that write notebooks call `json.dumps`, and what they put around it.
WRITERS = {
    "Jupyter": ({"indent": 1, "sort_keys": True, "ensure_ascii": False, "separators": (",", ": ")}, "{}\n"),
    "Jupyter on Windows": ({"indent": 1, "sort_keys": True, "ensure_ascii": False}, "{}\n"),
    "VS Code": ({"indent": 1, "ensure_ascii": False}, "{}\n"),
    "Colab": ({"indent": 2, "ensure_ascii": False}, "{}"),
    "Kaggle": ({"separators": (",", ":"), "ensure_ascii": False}, "{}"),
    "a script": ({}, "{}"),
    "a formatter": ({"indent": 4, "sort_keys": True}, "{}\n\n"),
    "tabs": ({"indent": "\t"}, "{}\n"),
    "an editor with a mark": ({"indent": 1}, "\ufeff{}\n"),
}

METADATA = [
    {},
    {"tags": []},
    {"tags": ["hide-input"]},
    {"tags": ["a", "b"], "zoom": 1},
    {"collapsed": True},
    {"zoom": {"x": [1, 2]}, "collapsed": False},
    {"editable": 'é " ] } \\', "slideshow": {"slide_type": "skip"}},
    {"zoom": 1, "tags": ["a"], "collapsed": True},
]


def notebook(metadata):
    """A notebook whose code cells have these metadata, keys out of order, odd texts between."""
    cells = [{"cell_type": "markdown", "metadata": {}, "source": ['## "tags": [\n', "é {"], "id": "m"}]
    for number, one in enumerate(metadata):
        cells.append(
            {
                "source": ["x = '}'\n", "x"],
                "cell_type": "code",
                "execution_count": None,
                "metadata": one,
                "outputs": [{"output_type": "stream", "name": "stdout", "text": ["]}\n"]}],
                "id": f"c{number}",
            }
        )
    return {"metadata": {"a": []}, "nbformat_minor": 5, "nbformat": 4, "cells": cells}


def with_tag(cell, tag, metrics, *, in_order):
    """The cell as it should be, the new keys where its writer would have put them."""
    metadata = {**cell["metadata"], "tags": [*cell["metadata"].get("tags", []), tag]}
    if metrics:
        metadata["stagebook"] = {"metrics": list(metrics)}
    if in_order(cell["metadata"]):
        metadata = dict(sorted(metadata.items()))
    return {**cell, "metadata": metadata}


def is_sorted(members):
    return list(members) == sorted(members)


@pytest.mark.parametrize("writer", WRITERS)
def test_the_file_is_as_its_writer_would_have_written_it_with_the_tags(writer):
    options, around = WRITERS[writer]
    document = notebook(METADATA)
    if options.get("sort_keys"):
        document = json.loads(json.dumps(document, sort_keys=True))
    tags = {index: f"stage:s{index}" for index in range(1, len(METADATA) + 1)}
    metrics = {index: ("auc", "loss")[: index % 3] for index in tags}
    expected = {
        **document,
        "cells": [
            with_tag(cell, tags[index], metrics[index], in_order=is_sorted) if index in tags else cell
            for index, cell in enumerate(document["cells"])
        ],
    }
    before, after = (around.replace("{}", json.dumps(one, **options)) for one in (document, expected))
    if writer == "Jupyter on Windows":
        before, after = (one.replace("\n", "\r\n") for one in (before, after))
    assert tagged_text(before, tags, PATH, metrics=metrics) == after


def test_options_that_are_there_are_left_alone():
    text = json.dumps(notebook([{"stagebook": {"timeout": 9}}]))
    after = json.loads(tagged_text(text, {1: "stage:a"}, PATH, metrics={1: ("auc",)}))
    assert after["cells"][1]["metadata"] == {"stagebook": {"timeout": 9}, "tags": ["stage:a"]}


def test_jupyters_own_library_writes_the_same():
    import nbformat

    document = nbformat.from_dict(notebook(METADATA))
    text = nbformat.writes(document)
    for index, cell in enumerate(document.cells[1:], start=1):
        cell.metadata["tags"] = [*cell.metadata.get("tags", []), f"stage:s{index}"]
    tags = {index: f"stage:s{index}" for index in range(1, len(METADATA) + 1)}
    assert tagged_text(text, tags, PATH) == nbformat.writes(document)


ODD_LAYOUTS = {
    "metadata on one line": (
        '{"nbformat": 4, "cells": [\n  {\n    "metadata": {"a": 1},\n    "source": ""\n  }\n]}',
        '"metadata": {"a": 1, "tags": ["setup"]}',
    ),
    "tags on one line": (
        '{"nbformat": 4, "cells": [\n  {\n    "metadata": {\n      "tags": ["a"]\n    }\n  }\n]}',
        '"tags": ["a", "setup"]',
    ),
    "no metadata": ('{"nbformat":4,"cells":[{"cell_type":"code","source":""}]}', '"metadata":{"tags":["setup"]}'),
    "space in what is empty": (
        '{"nbformat": 4, "cells": [{"cell_type": "code", "metadata": { }, "source": ""}]}',
        '"metadata": {"tags": ["setup"]}',
    ),
}


@pytest.mark.parametrize(("text", "part"), ODD_LAYOUTS.values(), ids=ODD_LAYOUTS.keys())
def test_odd_layouts_stay_as_they_are(text, part):
    after = tagged_text(text, {0: "setup"}, PATH)
    assert part in after
    cell = json.loads(text)["cells"][0]
    wanted = {**cell.get("metadata", {}), "tags": [*cell.get("metadata", {}).get("tags", []), "setup"]}
    assert json.loads(after)["cells"][0] == {**cell, "metadata": wanted}


@pytest.mark.parametrize("metadata", [3, None, [1], {"tags": "setup"}, {"tags": None}])
def test_metadata_that_can_hold_no_tag_is_refused(metadata):
    text = json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "metadata": metadata, "source": ""}]})
    with pytest.raises(NotebookError, match=r"number 1 of its cells is damaged"):
        tagged_text(text, {0: "setup"}, PATH)


def test_an_older_format_is_refused():
    with pytest.raises(NotebookError, match=r"older nbformat. Save it again"):
        tagged_text('{"nbformat": 3, "worksheets": []}', {}, PATH)


def suggestion(*tags):
    """Cells with these tags: `+setup` is new, `setup` is there already."""
    cells = []
    for number, tag in enumerate(tags, start=1):
        role, _, stage = tag.lstrip("+").partition(":")
        cells.append(
            SuggestedCell(number, number, role or "exploration", stage or None, "", has_it=tag[:1] not in ("", "+"))
        )
    return Suggestion(tuple(cells))


def test_only_new_tags_of_the_chosen_cells_are_added():
    found = suggestion("+setup", "stage:a", "", "+stage:b")
    assert new_tags(found) == {1: "setup", 4: "stage:b"}
    assert new_tags(found, only=[2, 3, 4]) == {4: "stage:b"}


def test_the_document_that_is_given_stays_as_it_is():
    document = as_document(notebook([{"tags": ["a"]}]), PATH)
    before = json.dumps(document)
    after = tagged(document, suggestion("+stage:b"))
    assert json.dumps(document) == before
    changed = [(old, new) for old, new in itertools.zip_longest(document["cells"], after["cells"]) if old != new]
    assert [new["metadata"] for _, new in changed] == [{"tags": ["a", "stage:b"]}]
