"""`%drift REFERENCE CURRENT`: the command's comparison, of names of the notebook, too; a card comes back."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.errors import UsageError
from stagebook.live.here import the_shell

if TYPE_CHECKING:
    from stagebook.drift.result import Drift

REPORTS = Path("drift-reports")
"""Folder beside the notebook, where Jupyter shows files, for Evidently's reports."""
_NO_REPORT = "--no-report"


def drift_asked(line: str) -> Drift | None:
    """The comparison that the line asks for; None where it asks for help, which is printed.

    Raises:
        StagebookError: the line cannot be read, or its tables cannot be compared.
    """
    from stagebook.commands.drifting import compared

    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"`%drift {line}` cannot be read: {error}.") from error
    asked = _parsed([word for word in words if word != _NO_REPORT])
    if asked is None:
        return None
    reference, current = asked.pop("reference"), asked.pop("current")
    for name, usual in {"fail_on": "never", "form": "text", "out": None}.items():
        if asked.pop(name) != usual:
            raise UsageError(f"--{name.replace('_', '-').replace('form', 'format')} is for the command line.")
    if asked["report"] is None and _NO_REPORT not in words:
        asked["report"] = REPORTS / f"{_slug(reference)}-to-{_slug(current)}.html"
    found, _ = compared(reference, current, asked, values=the_shell().user_ns)
    return found


def _parsed(words: Sequence[str]) -> dict[str, Any] | None:
    import click

    from stagebook.commands.drifting import drift

    try:
        return dict(drift.make_context("%drift", list(words), help_option_names=["-h", "--help"]).params)
    except click.exceptions.Exit:  # its help has been printed
        return None
    except click.ClickException as error:
        raise UsageError(f"%drift: {error.format_message()}") from error


def _slug(text: str) -> str:
    return re.sub(r"[^\w.@-]+", "-", text).strip("-.")
