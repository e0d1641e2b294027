"""What is taken for a notebook, and what is said about anything else."""

import json
from pathlib import Path

import pytest
from tests.notebooks_factory import HERE, notebook

from stagebook.book.cells import read_cells
from stagebook.book.notebook import as_document, kernel_of, read_document, source_of
from stagebook.errors import NotebookError

BY_HAND_V3 = {
    "nbformat": 3,
    "nbformat_minor": 0,
    "metadata": {"name": "old"},
    "worksheets": [
        {
            "metadata": {},
            "cells": [
                {"cell_type": "heading", "level": 1, "metadata": {}, "source": ["Old"]},
                {
                    "cell_type": "code",
                    "collapsed": False,
                    "input": ["%%stage load\n", "x = 1"],
                    "language": "python",
                    "metadata": {"tags": []},
                    "outputs": [],
                    "prompt_number": 1,
                },
                {
                    "cell_type": "code",
                    "collapsed": False,
                    "input": "print(x)",
                    "language": "python",
                    "metadata": {"tags": ["stage:report"]},
                    "outputs": [{"output_type": "stream", "stream": "stdout", "text": ["1\n"]}],
                },
            ],
        }
    ],
}


def by_nbformat_v3():
    from nbformat import v3

    code = [
        v3.new_code_cell(input="%%stage load\nx = 1", prompt_number=1),
        v3.new_code_cell(input="print(x)", metadata={"tags": ["stage:report"]}),
    ]
    return json.loads(v3.writes_json(v3.new_notebook(worksheets=[v3.new_worksheet(cells=code)])))


def stages_of(path):
    read, findings = read_cells(read_document(path))
    assert not findings
    return [(one.cell.stage, one.cell.source) for one in read]


@pytest.mark.parametrize("document", [BY_HAND_V3, by_nbformat_v3()], ids=["by hand", "by nbformat"])
def test_notebook_of_format_3_reads_like_one_of_format_4(tmp_path, document):
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps(document))
    assert stages_of(path) == [("load", "%%stage load\nx = 1"), ("report", "print(x)")]


def test_notebook_of_format_3_is_left_as_it_was_on_disk(tmp_path):
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps(BY_HAND_V3))
    before = path.read_bytes()
    read_document(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("minor", range(6))
def test_every_minor_format_of_4_is_read(tmp_path, minor):
    import nbformat

    document = notebook([("stage:load", "x = 1")], minor=minor)
    nbformat.validate(document)
    path = tmp_path / "notebook.ipynb"
    path.write_text(json.dumps(document))
    assert stages_of(path) == [("load", "x = 1")]


def test_minor_format_of_the_future_is_read(tmp_path):
    path = tmp_path / "notebook.ipynb"
    path.write_text(json.dumps(notebook([("stage:load", "x = 1")]) | {"nbformat_minor": 99}))
    assert stages_of(path) == [("load", "x = 1")]


def test_byte_order_mark_does_not_matter(tmp_path):
    path = tmp_path / "notebook.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(notebook([("stage:load", "x = 1")])).encode())
    assert stages_of(path) == [("load", "x = 1")]


@pytest.mark.parametrize(
    ("cell", "source"),
    [
        ({"source": "a\nb"}, "a\nb"),
        ({"source": ["a\n", "b"]}, "a\nb"),
        ({"source": []}, ""),
        ({}, ""),
    ],
)
def test_source_is_text_or_a_list_of_lines(cell, source):
    assert source_of(cell) == source


@pytest.mark.parametrize(
    "metadata",
    [{}, {"tags": None}, {"tags": "stage:load"}, {"tags": {"stage:load": 1}}, {"tags": [1, None, ["setup"]]}, None],
)
def test_odd_metadata_makes_an_exploration_cell(metadata):
    cell = {"cell_type": "code", "metadata": metadata, "source": "x = 1"}
    read, findings = read_cells(as_document({"nbformat": 4, "cells": [cell]}, HERE))
    assert [(one.cell.role, one.cell.stage) for one in read] == [("exploration", None)]
    assert not findings


def test_cell_without_metadata_is_exploration():
    read, _ = read_cells(as_document({"nbformat": 4, "cells": [{"cell_type": "code", "source": "x = 1"}]}, HERE))
    assert [one.cell.role for one in read] == ["exploration"]


def test_cells_without_ids_are_named_by_their_position():
    cells = [{"cell_type": "markdown", "source": "# Title"}, {"cell_type": "code", "source": "x = 1"}]
    read, _ = read_cells({"cells": cells})
    assert [one.cell.id for one in read] == ["cell-1"]


def test_cells_are_numbered_as_jupyter_numbers_them():
    code = notebook([("", "a"), ("injected-parameters", "b"), ("", "c")])["cells"]
    cells = [{"cell_type": "markdown", "source": ""}, *code]
    read, _ = read_cells({"cells": cells})
    assert [(one.cell.index, one.cell.source) for one in read] == [(1, "a"), (3, "c")]
    assert [one.cell.number for one in read] == [1, 2]


@pytest.mark.parametrize(
    ("metadata", "kernel"),
    [
        ({"kernelspec": {"name": "conda-env"}}, "conda-env"),
        ({"kernelspec": {}}, "python3"),
        ({"kernelspec": None}, "python3"),
        ({"kernelspec": "python"}, "python3"),
        ({}, "python3"),
        (None, "python3"),
    ],
)
def test_kernel_is_the_one_asked_for_or_python3(metadata, kernel):
    assert kernel_of(as_document({"nbformat": 4, "metadata": metadata, "cells": []}, HERE)) == kernel


TEXTS = {
    "empty": ("", ["not a notebook", "empty"]),
    "blank": (" \n\n", ["not a notebook", "empty"]),
    "python": ("import os\n", ["not a notebook", "line 1, column 1"]),
    "truncated in a string": ('{"nbformat": 4, "cells": [{"cell_ty', ["truncated", "line 1", "copy"]),
    "truncated after a comma": ('{"nbformat": 4,\n', ["truncated"]),
    "truncated in a list": ('{"nbformat": 4, "cells": [', ["truncated"]),
    "merge conflict": ('{\n<<<<<<< HEAD\n"nbformat": 4}', ["line 2", "merge"]),
    "no nbformat": ('{"a": 1}', ["no `nbformat`"]),
    "list": ("[1, 2]", ["no `nbformat`"]),
    "number": ("3", ["no `nbformat`"]),
    "nbformat 2": ('{"nbformat": 2, "worksheets": []}', ["nbformat 2", "3 and 4", "Jupyter"]),
    "nbformat 5": ('{"nbformat": 5, "cells": []}', ["nbformat 5", "3 and 4"]),
    "nbformat as text": ('{"nbformat": "4", "cells": []}', ["nbformat", "3 and 4"]),
    "no cells": ('{"nbformat": 4}', ["`cells`", "damaged"]),
    "cells no list": ('{"nbformat": 4, "cells": {"a": 1}}', ["`cells`", "damaged"]),
    "cell no dict": ('{"nbformat": 4, "cells": ["x = 1"]}', ["`cells`", "damaged"]),
    "cell without a type": ('{"nbformat": 4, "cells": [{"source": "x"}]}', ["`cells`", "damaged"]),
    "source a number": ('{"nbformat": 4, "cells": [{"cell_type": "code", "source": 3}]}', ["damaged"]),
    "source a list of numbers": ('{"nbformat": 4, "cells": [{"cell_type": "code", "source": [3]}]}', ["damaged"]),
    "format 3 without worksheets": ('{"nbformat": 3}', ["damaged"]),
    "format 3 with odd worksheets": ('{"nbformat": 3, "worksheets": [1]}', ["damaged"]),
    "format 3 with odd cells": ('{"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code"}]}]}', ["damaged"]),
    "nested beyond measure": ("[" * 100_000, ["not a notebook"]),
}


@pytest.mark.parametrize(("text", "words"), TEXTS.values(), ids=TEXTS.keys())
def test_what_is_no_notebook_is_named_with_cause_and_remedy(tmp_path, text, words):
    path = tmp_path / "broken.ipynb"
    path.write_text(text)
    with pytest.raises(NotebookError) as error:
        read_document(path)
    for word in [str(path), *words]:
        assert word in str(error.value)


def test_bytes_that_are_no_text_are_no_notebook(tmp_path):
    path = tmp_path / "image.ipynb"
    path.write_bytes(b"\x89PNG\xff\xfe\x00")
    with pytest.raises(NotebookError, match=r"image\.ipynb is not a notebook: .*UTF-8"):
        read_document(path)


def test_missing_notebook_is_named_with_its_neighbours(tmp_path):
    (tmp_path / "flights.ipynb").write_text("{}")
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(NotebookError) as error:
        read_document(tmp_path / "flihgts.ipynb")
    assert "There is no notebook at" in str(error.value)
    assert "Did you mean `flights.ipynb`?" in str(error.value)
    assert "notes.txt" not in str(error.value)


def test_missing_notebook_unlike_its_neighbours_lists_them(tmp_path):
    for name in ("b.ipynb", "a.ipynb"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(NotebookError, match=r"`a\.ipynb`, `b\.ipynb`"):
        read_document(tmp_path / "flights.ipynb")


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(NotebookError, match=r"no folder .*nowhere"):
        read_document(tmp_path / "nowhere" / "flights.ipynb")


def test_folder_is_no_notebook_but_names_those_in_it(tmp_path):
    (tmp_path / "flights.ipynb").write_text("{}")
    with pytest.raises(NotebookError, match=r"is a folder.*`flights\.ipynb`"):
        read_document(tmp_path)


def test_file_in_the_place_of_a_folder_is_said(tmp_path):
    (tmp_path / "flights.ipynb").write_text("{}")
    with pytest.raises(NotebookError, match="cannot be read"):
        read_document(tmp_path / "flights.ipynb" / "inner.ipynb")


def test_null_byte_in_the_path_is_said():

    with pytest.raises(NotebookError, match="cannot be read"):
        read_document(Path("a\0b.ipynb"))
