"""`export kedro`, `kedro run`: what is in the project's catalog is looked at."""

from __future__ import annotations

import json
import os
from pathlib import Path

from stagebook.export.functions import functions_of
from stagebook.export.wiring import Wiring, wiring_of
from stagebook.verify.exported import ask, export, refuse_constants, with_metrics
from stagebook.verify.results import StageTold
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
        project = export(work, "kedro")
        functions = functions_of(work.pipeline, work.document, displays="drop")
        refuse_constants(work, functions)
        wiring = wiring_of(work.pipeline, functions)
        (project / "conf/local/parameters.yml").write_text(json.dumps(dict(work.values)), encoding="utf-8")
        error = ""
        try:
            work.python("-m", "kedro", "run", folder=project, variables={"PYTHONPATH": _path(work), "COLUMNS": "1000"})
        except TargetError as raised:
            error = str(raised)
        files = _files(project, wiring)
        package = next(project.glob("src/*/settings.py")).parent.name
        job = {
            "own": f"{package}.pipelines.{package}.nodes",
            "paths": [str(project / "src"), str(work.folder)],
            "files": files,
            "metrics": str(project / "data/08_reporting/metrics.json"),
        }
        found = ask(work, "pickles", job)
        if found["unread"] and not error:
            stage, why = next(iter(found["unread"].items()))
            raise TargetError(f"What `{stage}` has made cannot be read: {why}")
        told = with_metrics(work, found["stages"], found["metrics"])
        return Outcome(_with_failure(told, wiring, error) if error else told)


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


def _with_failure(told: dict[str, StageTold], wiring: Wiring, error: str) -> dict[str, StageTold]:
    """The stages, where the run has failed: in the first that has not made all, or, without output, did not."""
    made = [node for node in wiring.nodes if node.outputs or node.done]
    failed = next((node for node in made if node.function.stage.name not in told), None)
    if failed is None or "gate" in error:
        return told
    return {**told, failed.function.stage.name: StageTold("failed", error)}


target = Kedro()
