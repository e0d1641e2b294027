"""The package of plug-ins in the docs is installed and used as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from tests.docs.markdown import ROOT, blocks
from tests.notebooks_factory import written

CELLS = [
    ("setup", "from my_package.points import Points"),
    ("stage:make", "points = Points([(1.0, 2.5)])"),
    ("stage:use", "print(type(points).__name__, points[0][1])"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A notebook, and beside it the package as its installer leaves it."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "my_package").mkdir()
    (folder / "my_package/__init__.py").touch()
    info = folder / "my_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    for block in blocks(ROOT / "docs/contributing/extending.md"):
        if block.language == "toml":
            points = re.sub(r'\[project\.entry-points\."(.*)"\]', r"[\1]", block.text).replace('"', "")
            (info / "entry_points.txt").write_text(points)
        else:
            (folder / re.match(r"# (\S+)\n", block.text)[1]).write_text(block.text)
    written(folder, CELLS)
    return folder


def said(folder, *words):
    paths = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_runner_runs_and_the_codec_stores(folder):
    told = said(folder, "-m", "stagebook", "run", "notebook.ipynb", "--on", "loud", "--no-track")
    assert [line for line in told.splitlines() if line.startswith("starting")] == ["starting make", "starting use"]
    kept = [path.read_bytes() for path in (folder / ".stagebook/blobs").rglob("*") if path.is_file()]
    assert kept.count(b"[[1.0, 2.5]]") == 1


def test_the_listener_hears_what_is_reused(folder):
    said(folder, "-m", "stagebook", "run", "notebook.ipynb", "--no-track")
    assert said(folder, "listen.py") == "make: reused\nuse: reused\n"


def test_the_exporter_writes(folder):
    said(folder, "-m", "stagebook", "export", "stages", "notebook.ipynb", "--name", "all.txt")
    assert (folder / "notebook-stages/all.txt").read_text() == "make\nuse"
