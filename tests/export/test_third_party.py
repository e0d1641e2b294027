"""An exporter of somebody's package, as docs/export.md has it, is a command: nothing of Stagebook names it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from notebooks_factory import written
from packages_factory import installed

PAGE = Path(__file__).resolve().parents[2] / "docs/export.md"


@pytest.fixture(scope="module")
def stagebook(tmp_path_factory):
    """The command, where the page's package is installed."""
    section = PAGE.read_text(encoding="utf-8").partition("## Adding an exporter")[2]
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]
    toml = re.search(r"```toml\n(.*?)```", section, re.DOTALL)[1]
    name, place = re.search(r"^(\w+) = \"([\w.:]+)\"$", toml, re.MULTILINE).groups()
    files = {"my_package/__init__.py": "", "my_package/stages.py": code}
    path = installed(tmp_path_factory.mktemp("packages"), files, "stagebook.exporter", {name: place})
    folder = tmp_path_factory.mktemp("notebook")
    written(folder, [("stage:load", "x = 1"), ("stage:train", "print(x)")])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([path, os.environ.get("PYTHONPATH", "")])}

    def call(*words):
        command = [sys.executable, "-m", "stagebook", "export", *words]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)

    call.folder = folder
    return call


def test_it_is_listed_and_says_what_it_can_be_told(stagebook):
    assert re.search(r"^  stages +A text file with the stages", stagebook("--help").stdout, re.MULTILINE)
    assert "--name TEXT" in stagebook("stages", "--help").stdout


def test_it_writes_and_what_was_edited_is_not_written_over(stagebook):
    done = stagebook("stages", "notebook.ipynb", "--name", "list.txt")
    file = stagebook.folder / "notebook-stages/list.txt"
    assert (done.returncode, file.read_text()) == (0, "load\ntrain")
    file.write_text("mine")
    again = stagebook("stages", "notebook.ipynb", "--name", "list.txt")
    assert again.returncode == 2
    assert "list.txt was not left as an export wrote it" in again.stderr
    assert file.read_text() == "mine"
