"""What must load quickly loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    *("mlflow", "evidently", "papermill", "pandas", "numpy", "pyarrow", "sklearn", "matplotlib", "rich"),
    *("nbformat", "nbclient", "jupyter_client", "cloudpickle", "fsspec", "graphlay"),
}


def loaded_by(code):
    """The top-level modules that are loaded after this code ran in a fresh Python."""
    script = f"{code}\nimport sys\nprint('LOADED', *{{name.split('.')[0] for name in sys.modules}})"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    return set(told.rsplit("LOADED", 1)[1].split())


def test_load_ext_loads_nothing_heavy():
    shell = "from IPython.core.interactiveshell import InteractiveShell\nshell = InteractiveShell.instance()\n"
    bare = loaded_by(shell)
    with_stagebook = loaded_by(f"{shell}shell.run_line_magic('load_ext', 'stagebook')")
    assert (with_stagebook - bare) & HEAVY == set()


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["serve", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(words):
    code = f"from stagebook.cli import main\ntry:\n    main({words})\nexcept SystemExit:\n    pass"
    assert loaded_by(code) & (HEAVY | {"IPython"}) == set()


def test_reading_a_notebook_loads_nothing_heavy(tmp_path):
    from notebooks_factory import written

    path = written(tmp_path, [("stage:a", "import pandas as pd\nx = pd.DataFrame()"), ("stage:b", "print(x)")])
    code = "from pathlib import Path\nfrom stagebook.book.pipeline import load_pipeline\n"
    code += f"load_pipeline(Path({str(path)!r}))"
    assert loaded_by(code) & (HEAVY | {"IPython"}) == set()
