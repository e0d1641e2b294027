"""`stagebook export` and `%pipeline export`: what they list, write, and refuse."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from tests.notebooks_factory import written

from stagebook.cli import main

CELLS = [("parameters", "n = 2"), ("stage:a", "x = n\nx")]


@pytest.fixture
def book(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return written(tmp_path, CELLS, "story.ipynb")


def stagebook(*words):
    result = CliRunner().invoke(main, ["export", *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_exporters_are_listed_with_what_they_can_be_told():
    listed = " ".join(stagebook("--help").output.split())
    assert "python One file that needs neither Jupyter nor Stagebook" in listed
    assert "prefect flow.py with a task for each stage" in listed
    told = stagebook("python", "--help").output
    assert "--displays [drop|print]" in told
    assert "stagebook export python flights.ipynb" in told


def test_a_folder_that_is_called_like_a_module_is_refused(book):
    result = stagebook("python", book, "--out", book.parent / "story.py")
    assert result.exit_code == 2
    assert "--out takes a folder" in result.output
    assert not (book.parent / "story.py").exists()


def test_it_writes_to_a_folder_beside_the_notebook(book):
    result = stagebook("python", book)
    assert result.exit_code == 0
    assert result.output.splitlines()[0] == f"Wrote to {book.parent / 'story-python'}:"
    text = (book.parent / "story-python/story.py").read_text()
    assert result.output.splitlines()[1].split() == ["story.py", str(len(text)), "bytes", "new"]
    assert "def a(*, n):" in text


def test_or_to_another_with_options(book):
    assert stagebook("python", book.name, "--out", "made/here", "--displays", "print").exit_code == 0
    assert "print(x)" in (book.parent / "made/here/story.py").read_text()
    assert not (book.parent / "story-python").exists()


def test_dry_it_says_what_it_would_do(book):
    result = stagebook("python", book.name, "--dry-run")
    assert result.output.splitlines()[0] == "Would write to story-python:"
    assert [one.name for one in book.parent.iterdir()] == ["story.ipynb"]


def test_an_edited_file_is_spared_without_force(book):
    file = book.parent / "story-python/story.py"
    stagebook("python", book.name)
    file.write_text("mine")
    assert "edited since: --force writes over it" in stagebook("python", book.name, "--dry-run").output
    refused = stagebook("python", book.name)
    assert (refused.exit_code, file.read_text()) == (2, "mine")
    assert "story.py was not left as an export wrote it" in refused.stderr
    assert "written over" in stagebook("python", book.name, "--force").output
    assert file.read_text() != "mine"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("pyton", "story.ipynb"), "There is no exporter `pyton`. Did you mean `python`?"),
        (("python", "none.ipynb"), "There is no notebook at none.ipynb"),
        (("python", "story.ipynb", "--displays", "some"), "'some' is not one of 'drop', 'print'"),
        (("python", "story.ipynb", "--out", "story.ipynb"), "is a file"),
    ],
)
def test_what_cannot_be_is_refused(book, words, told):
    result = stagebook(*words)
    assert (result.exit_code, told in result.stderr) == (2, True), result.stderr
    assert [one.name for one in book.parent.iterdir()] == ["story.ipynb"]


def test_in_the_notebook_it_is_the_same_command(book, ipython, monkeypatch, capsys):
    monkeypatch.setenv("JPY_SESSION_NAME", str(book))
    ipython.run_line_magic("pipeline", "export python --out made")
    assert "story.py" in capsys.readouterr().out
    assert (book.parent / "made/story.py").exists()
    ipython.run_line_magic("pipeline", "export")
    assert "python" in capsys.readouterr().out
    ipython.run_line_magic("pipeline", "export pyton")
    assert "Did you mean `python`?" in capsys.readouterr().out
