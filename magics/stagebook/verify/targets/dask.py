"""`stagebook run --on dask`, on workers of this machine."""

from __future__ import annotations

from stagebook.verify.staged import stagebook_run
from stagebook.verify.target import Outcome, lacking
from stagebook.verify.work import Work


class Dask:
    """See the module."""

    says = "stagebook run --on dask"
    asked = False
    by_name = False

    def lacks(self) -> str:
        """Dask."""
        return lacking(["distributed"], "pip install 'stagebook[dask]'")

    def run(self, work: Work) -> Outcome:
        """See `Target`."""
        return stagebook_run(work, "--on", "dask")


target = Dask()
