"""Each part of a stage's fingerprint changes when it should, and does not when it should not."""

from __future__ import annotations

import sys

import pytest
from notebooks_factory import written

from stagebook.book.pipeline import load_pipeline
from stagebook.run.identity import candidate_files, fingerprint, stage_parts
from stagebook.run.imports import Imports

NOTEBOOK = [
    ("parameters", "depth = 3\nrate = 0.1\nwhere = 'data.csv'\nstart = 2 + 2"),
    ("setup", "import json\nimport helpers\nLIMIT = 5"),
    ("setup", "def used(x):\n    return inner(x) + LIMIT\ndef inner(x):\n    return x\ndef unused(x):\n    return x"),
    ("stage:load", "rows = used(depth)"),
    ("", "rows  # just looking"),
    ("stage:train", "model = rows * rate"),
]


@pytest.fixture
def parts_of(tmp_path):
    (tmp_path / "helpers.py").write_text("x = 1")

    def parts(cells=NOTEBOOK, /, stage="load", **parameters):
        imports = Imports(tmp_path, python=sys.executable)
        return stage_parts(load_pipeline(written(tmp_path, cells)), parameters, imports)[stage]

    return parts


def edited(number, source, *, tags=None):
    """The notebook with the cell of this number (from 1) rewritten."""
    cells = list(NOTEBOOK)
    cells[number - 1] = (tags or cells[number - 1][0], source)
    return cells


def changed(before, after):
    return {part for part in before.keys() | after.keys() if before.get(part) != after.get(part)}


SAME = {
    "a comment": edited(4, "# first\nrows = used(depth)  # all of them"),
    "layout": edited(4, "rows = (used(\n    depth,\n))\n\n"),
    "redundant parentheses": edited(4, "rows = (used(depth))"),
    "a comment in setup": edited(3, "# helpers\n" + NOTEBOOK[2][1]),
    "a setup function it does not use": edited(
        3, NOTEBOOK[2][1].replace("unused(x):\n    return x", "unused(x): pass")
    ),
    "a new setup function": edited(3, NOTEBOOK[2][1] + "\ndef new(): pass"),
    "a parameter it does not read": edited(1, "depth = 3\nrate = 0.9\nwhere = 'data.csv'\nstart = 4"),
    "a parameter's comment": edited(1, "depth = 3  # levels\nrate = 0.1\nwhere = 'data.csv'\nstart = 2 + 2"),
    "exploration": edited(5, "print(rows)"),
    "another stage": edited(6, "model = rows + rate"),
    "an import it does not use": edited(2, "import json, csv\nimport helpers\nLIMIT = 5"),
    "the magic in place of the tag": edited(4, "%%stage load\nrows = used(depth)", tags=" "),
    "a cell before it": [*NOTEBOOK[:3], ("", "1 + 1"), *NOTEBOOK[3:]],
    "no exploration": [*NOTEBOOK[:4], *NOTEBOOK[5:]],
}
DIFFERENT = {
    "its code": (edited(4, "rows = used(depth + 1)"), {"code"}),
    "1 in place of '1'": (edited(4, "rows = used(depth); kind = '1'"), {"code"}),
    "a setup function it uses": (edited(3, NOTEBOOK[2][1].replace("+ LIMIT", "- LIMIT")), {"setup"}),
    "what that function uses": (
        edited(3, NOTEBOOK[2][1].replace("inner(x):\n    return x", "inner(x): pass")),
        {"setup"},
    ),
    "a constant that function uses": (edited(2, "import json\nimport helpers\nLIMIT = 6"), {"setup"}),
    "a statement for its effect": (edited(2, NOTEBOOK[1][1] + "\njson.dumps(1)"), {"setup"}),
    "a parameter it reads": (edited(1, "depth = 4\nrate = 0.1\nwhere = 'data.csv'\nstart = 4"), {"parameter:depth"}),
    "that parameter's type": (edited(1, "depth = 3.0\nrate = 0.1\nwhere = ''\nstart = 4"), {"parameter:depth"}),
    "an import it uses": (edited(4, "rows = used(depth), helpers.x"), {"code", "setup", "module:helpers.py"}),
}


@pytest.mark.parametrize("cells", SAME.values(), ids=SAME)
def test_it_stays_the_same_after_a_change_of(cells, parts_of):
    assert changed(parts_of(NOTEBOOK), parts_of(cells)) == set()


@pytest.mark.parametrize(("cells", "parts"), DIFFERENT.values(), ids=DIFFERENT)
def test_it_changes_with(cells, parts, parts_of):
    assert changed(parts_of(NOTEBOOK), parts_of(cells)) == parts


def test_cells_of_a_stage_that_change_places_change_it(parts_of):
    two = [*NOTEBOOK[:3], ("stage:load", "rows = 1"), ("stage:load", "rows = 2"), NOTEBOOK[5]]
    swapped = [*two[:3], two[4], two[3], two[5]]
    assert changed(parts_of(two), parts_of(swapped)) == {"code"}


def test_one_cell_cut_in_two_is_another_stage_as_its_outputs_belong_to_other_cells(parts_of):
    whole = edited(4, "rows = used(depth)\nmore = 1")
    cut = [*NOTEBOOK[:3], ("stage:load", "rows = used(depth)"), ("stage:load", "more = 1"), *NOTEBOOK[4:]]
    assert changed(parts_of(whole), parts_of(cut)) == {"code"}


def test_a_parameter_given_for_the_run_counts_where_it_is_read(parts_of):
    assert changed(parts_of(), parts_of(depth=9)) == {"parameter:depth"}
    assert changed(parts_of(), parts_of(depth="3")) == {"parameter:depth"}
    assert changed(parts_of(), parts_of(rate=0.9)) == set()
    assert changed(parts_of(stage="train"), parts_of(stage="train", rate=0.9)) == {"parameter:rate"}


def test_a_parameter_given_as_its_default_changes_nothing(parts_of):
    assert changed(parts_of(), parts_of(depth=3)) == set()


def test_a_default_that_is_no_literal_counts_with_its_code(parts_of):
    cells = edited(4, "rows = start")
    assert "parameter:start" in parts_of(cells)
    other = [("parameters", NOTEBOOK[0][1].replace("2 + 2", "2 + 3")), *cells[1:]]
    assert changed(parts_of(cells), parts_of(other)) == {"parameter:start"}


def test_every_statement_that_makes_a_parameter_counts(parts_of):
    cells = [("parameters", "depth = 3\ndepth *= 2"), *NOTEBOOK[1:5]]
    first = parts_of(cells)
    assert parts_of([("parameters", "depth = 4\ndepth *= 2"), *cells[1:]]) != first
    assert parts_of([("parameters", "depth = 3\ndepth *= 4"), *cells[1:]]) != first
    assert parts_of([("parameters", "depth = 3\nif depth:\n    depth = 5"), *cells[1:]]) != first


def test_a_parameter_read_by_a_setup_function_counts_for_the_stage_that_calls_it(parts_of):
    cells = edited(3, "def used(x):\n    return x * rate")
    assert changed(parts_of(cells), parts_of(cells, rate=0.9)) == {"parameter:rate"}


def test_a_users_module_counts_with_its_content_where_it_is_used(parts_of, tmp_path):
    uses = edited(4, "rows = helpers.x + depth")
    before, other = parts_of(uses), parts_of(uses, stage="train")
    (tmp_path / "helpers.py").write_text("x = 2")
    assert changed(before, parts_of(uses)) == {"module:helpers.py"}
    assert changed(other, parts_of(uses, stage="train")) == set()


def test_an_installed_package_counts_with_its_version(parts_of):
    parts = parts_of(edited(4, "import numpy.linalg\nrows = used(depth)"))
    assert parts["package:numpy"].startswith(sys.modules["numpy"].__version__ if "numpy" in sys.modules else "2")


def test_python_counts_with_its_minor_version(parts_of):
    assert parts_of()["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"


def test_a_fingerprint_depends_on_every_part():
    parts = {"code": "1", "setup": "2", "input:rows": "x"}
    key = fingerprint(parts)
    assert key == fingerprint(dict(reversed(parts.items())))
    others = [
        fingerprint(parts | {"code": "2"}),
        fingerprint({"code": "1", "input:rows": "x"}),
        fingerprint(parts | {"input:rows": "z"}),
        fingerprint(parts | {"input:more": "x"}),
        fingerprint(parts | {"new": ""}),
    ]
    assert len({key, *others}) == 1 + len(others)


@pytest.fixture
def files_of(tmp_path):
    def files(source, options=None, /, **parameters):
        cells = [("parameters", "where = 'a.csv'\ndepth = 3"), ("stage:load", source, options or {})]
        pipeline = load_pipeline(written(tmp_path, cells))
        return candidate_files(pipeline.stage("load"), pipeline, parameters)

    for name in ("a.csv", "b.csv", "sub/c.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1")
    return files


def test_a_path_in_the_code_names_a_file(files_of):
    assert files_of("rows = open('a.csv').read(), open('sub/c.csv')") == ("a.csv", "sub/c.csv")


def test_a_path_in_a_parameter_that_is_read_names_a_file(files_of):
    assert files_of("rows = open(where).read()") == ("a.csv",)
    assert files_of("rows = open(where).read()", where="b.csv") == ("b.csv",)
    assert files_of("rows = depth", where="b.csv") == ()
    assert files_of("rows = depth", depth=7) == ()


def test_what_is_no_file_is_not_named(files_of, tmp_path):
    source = "rows = ['none.csv', '', 'sub', 'a.csv\\n', 'a\\0', 'x' * 5, 3, b'a.csv', '" + "long" * 500 + "']"
    assert files_of(source) == ()


def test_declared_reads_are_named_whether_they_are_there_or_not(files_of):
    assert files_of("rows = 1", {"reads": ["none.csv", "b.csv"]}) == ("b.csv", "none.csv")


def test_a_parameter_may_name_several_files(files_of):
    assert files_of("rows = where", where=["a.csv", "b.csv", 3]) == ("a.csv", "b.csv")
    assert files_of("rows = where", where={"train": "a.csv", "b.csv": 1, "n": None}) == ("a.csv",)
