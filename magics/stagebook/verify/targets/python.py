"""`export python`: the module's `main` is called, and what its functions return is looked at."""

from __future__ import annotations

from stagebook.export.functions import functions_of
from stagebook.verify.exported import ask, export, refuse_constants, with_metrics
from stagebook.verify.results import StageTold
from stagebook.verify.steps import mapped_metrics
from stagebook.verify.target import Outcome
from stagebook.verify.work import TargetError, Work


class Python:
    """See the module."""

    says = "export python, main() called"
    asked = False
    by_name = True

    def lacks(self) -> str:
        """Nothing."""
        return ""

    def run(self, work: Work) -> Outcome:
        """See `Target`."""
        folder = export(work, "python")
        functions = functions_of(work.pipeline, work.document, displays="drop")
        refuse_constants(work, functions)
        about = {
            one.name: {
                "stage": one.stage.name,
                "returns": one.returns,
                "mapped": one.stage.options.foreach is not None,
            }
            for one in functions.stages
        }
        path = next(folder.glob("*.py"))
        known = {one.name for one in functions.parameters}
        given = {name: value for name, value in {**work.values, **work.secrets}.items() if name in known}
        job = {
            "mapped": [name for stage in work.pipeline.stages for name in mapped_metrics(stage)],
            "path": str(path),
            "folder": str(work.folder),
            "functions": about,
            "main": functions.entry,
        }
        found = ask(work, "module", {**job, "given": given})
        told = with_metrics(work, found["stages"], found["metrics"])
        if found["failed"]:
            told[found["failed"]] = StageTold("failed", work.masked(found["error"]))
        elif found["error"] and not found["error"].startswith("RuntimeError: The gate of stage "):
            raise TargetError(work.masked(found["error"]))
        return Outcome(_with_skipped(work, told, ended=bool(found["error"])))


def _with_skipped(work: Work, told: dict[str, StageTold], *, ended: bool) -> dict[str, StageTold]:
    """The stages, with those before its end that were not called: skipped, or mapped over nothing."""
    order = sorted(work.pipeline.stages, key=lambda stage: stage.cells[0].number)
    called = [position for position, stage in enumerate(order) if stage.name in told]
    end = max(called, default=-1) + 1 if ended else len(order)
    for stage in order[:end]:
        told.setdefault(stage.name, StageTold("done" if stage.options.foreach is not None else "skipped"))
    return told


target = Python()
