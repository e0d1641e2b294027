"""Where one is: the running IPython, the notebook that it belongs to, and what its front end shows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from stagebook.errors import UsageError

_NAMED = "_stagebook_notebook"
"""Attribute of the shell that holds the notebook that somebody has named."""


def the_shell() -> Any:
    """The running IPython."""
    from IPython.core.getipython import get_ipython

    return get_ipython()


def this_notebook() -> Path:
    """The file of the notebook that this kernel belongs to: as it was named, or as Jupyter or VS Code name it.

    Raises:
        UsageError: the kernel does not know, or there is no such file any more.
    """
    shell = the_shell()
    told = [os.environ.get("JPY_SESSION_NAME"), shell.user_ns.get("__vsc_ipynb_file__")]
    candidates = [getattr(shell, _NAMED, None), *told]
    for candidate in candidates:
        if candidate and Path(candidate).suffix == ".ipynb" and Path(candidate).exists():
            return Path(candidate)
    remedy = "Name it, once for all: %pipeline notebook NOTEBOOK.ipynb"
    gone = next((Path(one) for one in candidates if one and Path(one).suffix == ".ipynb"), None)
    if gone is not None:
        raise UsageError(f"There is no {gone.name} in {gone.parent}: it was not saved yet, or moved. Save it. {remedy}")
    raise UsageError(f"This kernel does not say which notebook it belongs to. {remedy}")


def name_notebook(path: Path) -> None:
    """Have this kernel belong to this notebook.

    Raises:
        NotebookError: there is none.
    """
    from stagebook.book.notebook import read_document

    read_document(path)
    setattr(the_shell(), _NAMED, str(path.resolve()))
