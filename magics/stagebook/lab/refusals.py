"""What a request can be told instead of an answer: a status and sentences for a person."""

from __future__ import annotations

from stagebook.errors import PipelineError, StagebookError
from stagebook.text import findings_list


class RefusedError(Exception):
    """The request gets no answer: a status from 400 on, and why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def refusal_of(error: StagebookError) -> RefusedError:
    """What is said of one of our errors."""
    findings = findings_list(error.findings) if isinstance(error, PipelineError) else ""
    return RefusedError(400, "\n".join(filter(None, [str(error), findings])))
