"""Files are written where the notebook's owner says, within the server's root, and over nothing that was edited."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.notebooks_factory import written

CELLS = [("parameters", "depth: int = 3"), ("stage:a", "score = depth / 10\nprint('score', score)")]


@pytest.fixture
def story(server, tmp_path_factory):
    """The path of a notebook in a folder of its own, and the folder."""
    folder = server.root / tmp_path_factory.mktemp("export").name
    folder.mkdir()
    return f"{folder.name}/{written(folder, CELLS, 'story.ipynb').name}", folder


def asked(server, path, folder, **more):
    return server.ask("POST", "exporters/python/files", {"path": path, "folder": folder, **more})


def test_the_files_are_written_and_run(server, story):
    path, folder = story
    answer = asked(server, path, "made/here", options={"displays": "print"})
    assert answer.facts == {"folder": f"{folder.name}/made/here", "files": [{"path": "story.py", "state": "new"}]}
    command = [sys.executable, "made/here/story.py", "--depth", "7"]
    assert subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout == "score 0.7\n"


def test_an_edited_file_is_spared_until_that_is_asked_for(server, story):
    path, folder = story
    asked(server, path, "out")
    file = folder / "out/story.py"
    file.write_text("mine")
    refused = asked(server, path, "out")
    assert (refused.status, "story.py" in refused.facts["message"]) == (409, True)
    assert str(server.root) not in refused.facts["message"]
    assert file.read_text() == "mine"
    assert asked(server, path, "out", overwrite=True).facts["files"] == [{"path": "story.py", "state": "edited"}]
    assert file.read_text() != "mine"


@pytest.mark.parametrize("folder", ["../..", "/etc", "a/../../../out", "link", "link/in", ".hidden", "a\\..\\b"])
def test_a_folder_out_of_the_root_directory_is_refused(server, story, tmp_path, folder):
    path, place = story
    (place / "link").symlink_to(tmp_path)
    answer = asked(server, path, folder)
    assert answer.status == 403
    assert list(tmp_path.iterdir()) == []
    assert not (server.root.parent / "story.py").exists()


def test_a_link_in_the_folder_is_not_followed(server, story, tmp_path):
    path, place = story
    theirs = tmp_path / "theirs.txt"
    theirs.write_text("theirs")
    (place / "out").mkdir()
    (place / "out/story.py").symlink_to(theirs)
    answer = asked(server, path, "out", overwrite=True)
    assert (answer.status, theirs.read_text()) == (400, "theirs")


@pytest.mark.parametrize("folder", ["x" * 300, "story.ipynb", "story.ipynb/in", " "])
def test_what_can_be_no_folder_is_refused(server, story, folder):
    assert asked(server, story[0], folder).status == 400


def test_what_cannot_be_exported_is_told_with_its_place(server, story):
    _, folder = story
    written(folder, [("stage:a", "x = 1\nexec('y = 2')")], "odd.ipynb")
    answer = asked(server, f"{folder.name}/odd.ipynb", "out")
    assert answer.status == 400
    assert "Cell 1, line 2 cannot be exported: `exec`" in answer.facts["message"]
