"""`papermill --engine stagebook`."""

from __future__ import annotations

import json

from stagebook.verify.staged import own_store, unless_told
from stagebook.verify.target import Outcome
from stagebook.verify.work import TargetError, Work


class Papermill:
    """See the module."""

    says = "papermill --engine stagebook"
    asked = False
    by_name = False

    def lacks(self) -> str:
        """Nothing: Stagebook stands on it."""
        return ""

    def run(self, work: Work) -> Outcome:
        """See `Target`."""
        given = work.scratch / "parameters.yaml"
        given.write_text(json.dumps({**work.values, **work.secrets}), encoding="utf-8")  # JSON is YAML
        words = [str(work.notebook), str(work.scratch / "papermill.ipynb"), "--engine", "stagebook"]
        words += ["--parameters_file", str(given), "--no-progress-bar", "--cwd", str(work.folder)]
        try:
            work.python("-m", "papermill", *words)
        except TargetError as error:
            unless_told(work.store, error)
        return Outcome(store=own_store(work, "papermill"))


target = Papermill()
