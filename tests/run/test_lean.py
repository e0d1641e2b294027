"""What is left out of an import is there when it is used."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from stagebook.run.lean import import_papermill
papermill = import_papermill()
assert "pyarrow" not in sys.modules
import papermill.iorw as iorw
made = iorw.FileSelector("/data")
import pyarrow.fs
assert type(made) is pyarrow.fs.FileSelector and made.base_dir == "/data"
assert papermill.__name__ == "papermill" and callable(papermill.execute_notebook)
"""


def test_papermill_comes_without_pyarrow_and_finds_it_for_paths_of_hdfs():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
