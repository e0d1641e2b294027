"""Every exception Stagebook raises on purpose. Each message names the place, the cause and the remedy.

StagebookError              exit status 2: the request could not be carried out
├── NotebookError           the notebook cannot be read
├── PipelineError           it can be read, but is no pipeline that can run (holds the findings)
├── UsageError              an unknown or impossible name, parameter, option or folder
├── GateClosedError         exit status 3: a gate does not let a model version pass
├── KernelError             a kernel cannot be started or used
└── StoreError              the store cannot be read or written
    ├── CorruptBlobError    what is stored is not what was written
    └── UnsignedBlobError   what is stored is not from this user's runs, and could run anybody's code
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stagebook.model import Finding


class StagebookError(Exception):
    """Base of all: `str(error)` is fit to be shown to a person as it is."""

    exit_status = 2


class NotebookError(StagebookError):
    """The notebook cannot be read."""


class PipelineError(StagebookError):
    """The notebook holds no pipeline that can run; `findings` says why."""

    def __init__(self, message: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(message)
        self.findings = tuple(findings)


class UsageError(StagebookError):
    """What was asked for does not exist or cannot be."""


class GateClosedError(StagebookError):
    """A gate does not let a model version pass."""

    exit_status = 3


class KernelError(StagebookError):
    """A kernel cannot be started or used; `cause` is the name of the exception it reports, if it reports one."""

    def __init__(self, message: str, cause: str = "KernelError") -> None:
        super().__init__(message)
        self.cause = cause


class StoreError(StagebookError):
    """The store cannot be read or written."""


class CorruptBlobError(StoreError):
    """A stored artifact is missing or its content is not what its name says."""


class UnsignedBlobError(StoreError):
    """A stored artifact was not signed with this user's key: it is not loaded, since loading it could run any code."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`" Did you mean `x`?"`, or the list of what there is, or nothing where there is nothing."""
    import difflib

    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    if close:
        return f" Did you mean `{close[0]}`?"
    if names:
        return " There is: " + ", ".join(f"`{name}`" for name in names) + "."
    return ""
