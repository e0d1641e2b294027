"""Fixes of findings: each mends what it says it does, and nothing else is the worse for it."""

from __future__ import annotations

import copy

import pytest
from tests.notebooks_factory import HERE, notebook

from stagebook.book.pipeline import examine
from stagebook.errors import PipelineError

CASES = [
    # what is wrong, and the titles of its fixes
    ([("", "import math"), ("stage:a", "x = math.pi\nprint(x)")], "SB202", ["Tag cell 1 `setup`", "Add cell 1 to `a`"]),
    ([("", "n = [1]"), ("stage:a", "x = len(n)\nprint(x)")], "SB202", ["Add cell 1 to `a`"]),
    ([("stage:a", "x = 1"), ("", "y = x + 1"), ("stage:b", "print(y)")], "SB202", ["Add cell 2 to `b`"]),
    ([("stage:a", "x = y"), ("", "y = x + 1"), ("stage:b", "print(x)")], "SB202", []),
    ([("", "y = z"), ("stage:a", "print(y)")], "SB202", []),
    ([("stage:a", "x = 1"), ("", "def f(): return x"), ("stage:b", "print(f())")], "SB202", ["Add cell 2 to `b`"]),
    ([("stage:a", "x = 1"), ("test:a", "assert x == one"), ("", "one = 1")], "SB202", ["Tag cell 3 `setup`"]),
    ([("stage:a", "rows = 1"), ("stage:b", "print('ü', rovs)")], "SB201", ["Change `rovs` to `rows`"]),
    ([("stage:a", "rows = 1"), ("", "%%stage b\nprint(rovs,\n  rovs)")], "SB201", ["Change `rovs` to `rows`"]),
    ([("stage:a", "rows = 1"), ("stage:b", "print(rovs)\n!echo {rovs}")], "SB201", []),
    ([("stage:a stage:b", "x = 1\nprint(x)")], "SB102", ["Keep tag `stage:a`", "Keep tag `stage:b`"]),
    ([("stage:a", "%%stage b\nx = 1\nprint(x)")], "SB102", ["Keep `%%stage b`"]),
    ([("stage:2nd", "x = 1"), ("stage:2nd", "print(x)")], "SB106", ["Rename it to `nd`"]),
    ([("stage:2", "x = 1\nprint(x)")], "SB106", []),
    ([("Stage:a", "y = 1"), ("stage:a", "print(1)")], "SB108", ["Change the tag to `stage:a`"]),
]


def edited(document, fix):
    """The document with a fix's edits."""
    document = copy.deepcopy(document)
    for edit in fix.edits:
        cell = document["cells"][edit.cell - 1]
        tags = [tag for tag in cell["metadata"].get("tags", []) if tag not in edit.remove]
        cell["metadata"]["tags"] = [*tags, *edit.add]
        cell["source"] = cell["source"] if edit.source is None else edit.source
    return document


def findings(document):
    try:
        return examine(document, HERE)[1]
    except PipelineError as error:
        return list(error.findings)


@pytest.mark.parametrize(("cells", "code", "titles"), CASES)
def test_a_fix_mends_its_finding_and_brings_no_other_error(cells, code, titles):
    document = notebook(cells)
    wrong = [found for found in findings(document) if found.code == code]
    assert [fix.title for fix in wrong[0].fixes] == titles
    errors = sum(found.severity == "error" for found in findings(document))
    for fix in wrong[0].fixes:
        after = findings(edited(document, fix))
        assert code not in {found.code for found in after}
        assert sum(found.severity == "error" for found in after) <= max(0, errors - (wrong[0].severity == "error"))


def test_a_stage_is_renamed_in_all_its_cells():
    document = notebook([("stage:2nd", "x = 1"), ("test:2nd", "assert x"), ("stage:2nd", "print(x)")])
    fix = next(found for found in findings(document) if found.code == "SB106").fixes[0]
    assert [(edit.cell, edit.add) for edit in fix.edits] == [(1, ("stage:nd",)), (2, ("test:nd",)), (3, ("stage:nd",))]
