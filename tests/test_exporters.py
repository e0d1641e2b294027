"""An exporter is an entry point: found by its name, told what it knows, and kept within its folder."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from tests.notebooks_factory import notebook, pipeline

from stagebook import registry
from stagebook.errors import StagebookError
from stagebook.export.exporter import ExportOption, exported_files, exporters

CELLS = [("stage:a", "x = 1\nprint(x)")]


class Listing:
    title = "A list"
    says = "A file with the names of the stages."
    options = (
        ExportOption("name", default="stages.txt", help="The file's name."),
        ExportOption("kind", "choice", "plain", choices=("plain", "fancy")),
        ExportOption("most", "number"),
        ExportOption("bold", "switch", default=False),
    )

    def files(self, pipeline, document, options):
        assert document["nbformat"] == 4
        stages = [stage.name for stage in pipeline.stages]
        return {options["name"]: f"{options['kind']} {options['most']} {stages}".encode()}


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    point = SimpleNamespace(load=Listing)
    monkeypatch.setattr(registry, "_others", lambda kind: {"listing": point} if kind == "exporter" else {})


def files(**given):
    return exported_files("listing", pipeline(CELLS), notebook(CELLS), given)


def test_it_is_listed_with_its_options_and_makes_files():
    assert exporters()["listing"].title == "A list"
    assert files(most=3) == {"stages.txt": b"plain 3 ['a']"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"nmae": "x"}, "Did you mean `name`?"),
        ({"most": "three"}, "takes a number"),
        ({"most": True}, "takes a number"),
        ({"kind": "other"}, "takes one of plain, fancy"),
        ({"bold": 1}, "takes a switch"),
        ({"name": "../out.txt"}, "outside of the folder"),
        ({"name": "/etc/passwd"}, "outside of the folder"),
    ],
)
def test_what_it_cannot_be_told_is_refused(given, told):
    with pytest.raises(StagebookError, match=told):
        files(**given)


def test_what_goes_wrong_in_one_is_told_with_its_name(monkeypatch):
    monkeypatch.setattr(Listing, "files", lambda *_: 1 / 0)
    with pytest.raises(StagebookError, match=r"Exporter `listing` failed \(ZeroDivisionError: division by zero\)"):
        files()


def test_the_panel_is_shown_the_files_and_nothing_is_written(tmp_path, monkeypatch):
    from tests.notebooks_factory import written

    from stagebook.lab import exports

    monkeypatch.setattr(exports, "_MOST_TEXT", 20)
    path = written(tmp_path, CELLS)
    listed = next(one for one in exports.exporters_answer()["exporters"] if one["name"] == "listing")
    assert listed["options"][1] == {
        "name": "kind",
        "kind": "choice",
        "default": "plain",
        "help": "",
        "choices": ["plain", "fancy"],
    }
    assert exports.export_preview(path, "listing", {"most": 1}) == {
        "files": [{"path": "stages.txt", "text": "plain 1 ['a']", "size": 13}]
    }
    assert exports.export_preview(path, "listing", {"most": 10**9})["files"][0]["text"] is None
    assert [one.name for one in tmp_path.iterdir()] == ["notebook.ipynb"]
