"""`stagebook run`, from an empty store."""

from __future__ import annotations

from stagebook.verify.staged import stagebook_run
from stagebook.verify.target import Outcome
from stagebook.verify.work import Work


class Local:
    """See the module."""

    says = "stagebook run"
    asked = False
    by_name = False

    def lacks(self) -> str:
        """Nothing."""
        return ""

    def run(self, work: Work) -> Outcome:
        """See `Target`."""
        return stagebook_run(work)


target = Local()
