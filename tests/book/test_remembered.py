"""A long notebook is analysed once, as long as nothing in it changes that the analysis looks at."""

from __future__ import annotations

import pickle

import pytest
from notebooks_factory import notebook, written

from stagebook.book import remembered
from stagebook.book.notebook import read_document
from stagebook.book.pipeline import examine, load_pipeline
from stagebook.book.remembered import examined
from stagebook.signing import signature

CELLS = [
    ("parameters", "depth: int = 3  # how deep\nkinds = {'a': (1, 2.5, b'x', None)}"),
    ("setup", "import math\n\ndef doubled(x):\n    return 2 * x"),
    ("stage:a", "%%stage a metrics=total retries=2\nitems = [doubled(depth)]\ntotal = math.log(depth)"),
    ("stage:b", "items.append(kinds)\nprint(items, total)\n!ls data.csv"),
    ("test:b", "assert items"),
    ("", "items"),
]


@pytest.fixture
def analysed(monkeypatch):
    """How often a notebook has been analysed; each is worth keeping."""
    calls = []

    def counted(document, path):
        calls.append(path)
        return examine(document, path)

    monkeypatch.setattr(remembered, "examine", counted)
    monkeypatch.setattr(remembered, "_WORTH", 0)
    return calls


@pytest.fixture
def path(tmp_path):
    (tmp_path / ".stagebook").mkdir()
    return written(tmp_path, CELLS)


def test_what_is_recalled_is_what_was_found(path, analysed):
    found = examined(read_document(path), path)
    assert examined(read_document(path), path) == found == examine(read_document(path), path)
    assert load_pipeline(path) == found[0]
    assert len(analysed) == 1


@pytest.mark.parametrize(
    "cells",
    [
        [("parameters", "depth: int = 4"), *CELLS[1:]],
        [*CELLS[:3], ("stage:b", "print(items, total)"), *CELLS[4:]],
        [*CELLS[:3], ("stage:c", CELLS[3][1]), *CELLS[4:]],
        [*CELLS[:3], (*CELLS[3], {"timeout": 5}), *CELLS[4:]],
        CELLS[:-1],
    ],
    ids=["a default", "a stage's code", "a tag", "an option", "an exploration cell"],
)
def test_what_has_changed_is_analysed_anew(path, analysed, cells):
    load_pipeline(path)
    written(path.parent, cells)
    assert examined(read_document(path), path) == examine(notebook(cells), path)
    assert len(analysed) == 2


def test_outputs_and_prose_do_not_count(path, analysed):
    load_pipeline(path)
    document = read_document(path)
    document["cells"][3]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "hello"}]
    document["cells"].append({"cell_type": "markdown", "metadata": {}, "source": "# End", "id": "end"})
    examined(document, path)
    assert len(analysed) == 1


def test_a_moved_notebook_knows_where_it_is(path, analysed, tmp_path):
    load_pipeline(path)
    moved = tmp_path.rename(tmp_path.with_name("elsewhere")) / path.name
    assert load_pipeline(moved).notebook == moved.resolve()
    assert len(analysed) == 1


def test_a_damaged_file_is_made_anew(path, analysed):
    load_pipeline(path)
    [kept] = (path.parent / ".stagebook/analysis").iterdir()
    kept.write_bytes(kept.read_bytes()[:-20])
    load_pipeline(path)
    load_pipeline(path)
    assert len(analysed) == 2


@pytest.mark.parametrize("is_ours", [False, True], ids=["not signed", "signed"])
def test_what_is_not_a_pipeline_of_ours_runs_no_code(path, analysed, tmp_path, is_ours):
    load_pipeline(path)
    [kept] = (path.parent / ".stagebook/analysis").iterdir()

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "evil"), "w"))

    signed, key = kept.read_bytes()[:32], kept.read_bytes()[32:64]
    content = key + pickle.dumps((Evil(), []))
    kept.write_bytes((signature(content) if is_ours else signed) + content)
    load_pipeline(path)
    assert len(analysed) == 2
    assert not (tmp_path / "evil").exists()


def test_what_was_signed_with_another_key_is_made_anew(path, analysed, tmp_path, monkeypatch):
    load_pipeline(path)
    monkeypatch.setenv("STAGEBOOK_KEY_FILE", str(tmp_path / "other"))
    assert load_pipeline(path) == load_pipeline(path)
    assert len(analysed) == 2


def test_reading_makes_no_folder(tmp_path, analysed):
    path = written(tmp_path, CELLS)
    load_pipeline(path)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_findings_are_recalled_with_it(path, analysed):
    cells = [("stage:a", "x = 1\ny = 2"), ("stage:b", "print(x)")]
    written(path.parent, cells)
    first = examined(read_document(path), path)[1]
    assert [found.code for found in first] == ["SB302"]
    assert examined(read_document(path), path)[1] == first
    assert len(analysed) == 1
