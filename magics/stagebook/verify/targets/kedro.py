"""`export kedro`, `kedro run`: what is in the project's catalog is looked at."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from stagebook.export.functions import functions_of
from stagebook.export.wiring import Wiring, wiring_of
from stagebook.run.tabular import tables_of
from stagebook.verify.exported import ask, export, refuse_constants, with_metrics
from stagebook.verify.results import StageTold
from stagebook.verify.steps import mapped_metrics
from stagebook.verify.target import Outcome, lacking
from stagebook.verify.work import TargetError, Work


class Kedro:
    """See the module."""

    says = "export kedro, kedro run"
    asked = False
    by_name = True

    def lacks(self) -> str:
        """Kedro and its datasets."""
        return lacking(["kedro", "kedro_datasets"], "pip install 'stagebook[kedro]'")

    def run(self, work: Work) -> Outcome:
        """See `Target`."""
        project = export(work, "kedro", {"tables": ",".join(tables_of(work.pipeline))})
        functions = functions_of(work.pipeline, work.document, displays="drop")
        refuse_constants(work, functions)
        wiring = wiring_of(work.pipeline, functions)
        (project / "conf/local/parameters.yml").write_text(json.dumps(dict(work.values)), encoding="utf-8")
        error = output = ""
        try:
            work.python("-m", "kedro", "run", folder=project, variables={"PYTHONPATH": _path(work), "COLUMNS": "1000"})
        except TargetError as raised:
            error, output = str(raised), raised.output
        files = _files(project, wiring)
        package = next(project.glob("src/*/settings.py")).parent.name
        job = {
            "mapped": [name for stage in work.pipeline.stages for name in mapped_metrics(stage)],
            "own": f"{package}.pipelines.{package}.nodes",
            "paths": [str(project / "src"), str(work.folder)],
            "files": files,
            "metrics": str(project / "data/08_reporting/metrics.json"),
        }
        found = ask(work, "datasets", job)
        if found["unread"] and not error:
            stage, why = next(iter(found["unread"].items()))
            raise TargetError(f"What `{stage}` has made cannot be read: {why}")
        told = with_metrics(work, found["stages"], found["metrics"])
        return Outcome(with_failure(told, wiring, error, output) if error else told)


def _path(work: Work) -> str:
    return os.pathsep.join(filter(None, [str(work.folder), work.variables.get("PYTHONPATH", "")]))


def _files(project: Path, wiring: Wiring) -> dict[str, dict[str, str]]:
    """By stage, the files of the datasets that it has made; of one that has made only a part, nothing."""
    import yaml

    catalog = yaml.safe_load((project / "conf/base/catalog.yml").read_text(encoding="utf-8")) or {}
    found = {}
    for node in wiring.nodes:
        files = {one.name: project / catalog[one.dataset]["filepath"] for one in node.outputs}
        done = [project / catalog[node.done]["filepath"]] if node.done else []
        if all(file.exists() for file in [*files.values(), *done]):
            found[node.function.stage.name] = {name: str(file) for name, file in files.items()}
    return found


_FAILED = re.compile(r"Node (\S+): .* failed with error")
_COMPLETED = re.compile(r"Completed node: (\S+)")


def with_failure(told: dict[str, StageTold], wiring: Wiring, error: str, output: str) -> dict[str, StageTold]:
    """The stages, where the run has failed: in the node that Kedro names, or in the first that has not made all.

    Of a node that makes nothing, Kedro's output alone says whether it is done.
    """
    completed = set(_COMPLETED.findall(output))
    silent = {node.function.stage.name for node in wiring.nodes if not node.outputs and not node.done} - completed
    left = {name: one for name, one in told.items() if name not in silent}
    if "gate" in error:
        return left
    named = _FAILED.search(output)
    names = [node.function.stage.name for node in wiring.nodes]
    failed = named[1] if named and named[1] in names else next((name for name in names if name not in left), None)
    return left if failed is None else {**left, failed: StageTold("failed", error)}


target = Kedro()
