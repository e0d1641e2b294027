"""Stagebook: notebook cells tagged as pipeline stages, run headlessly, cached, recorded, and exported.

`%load_ext stagebook` in a notebook, `stagebook --help` in a shell; `stagebook.run.api` has the functions behind both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__version__ = "0.1.0"

Secret: TypeAlias = str
"""Annotates a parameter whose value is never written or shown: `api_key: Secret = ""`."""


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Where Jupyter Server finds the panel's routes; they are loaded by a server only."""
    return [{"module": "stagebook.lab"}]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Make the magics known: what `%load_ext stagebook` calls."""
    from stagebook.magics import register

    register(shell)
