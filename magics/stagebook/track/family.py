"""The runs in MLflow that stand for one run of ours: its own, and below it one for each stage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from stagebook.run.provenance import user

if TYPE_CHECKING:
    from mlflow import MlflowClient

RUN = "stagebook.run"
"""Tag of a run: our own id of it."""
STAGE = "stagebook.stage"
"""Tag of a stage's run: the stage's name."""
PARENT = "mlflow.parentRunId"


class Family:
    """Finds the runs, or makes those that are not there yet, so that none is there twice.

    Only one process may do that at a time; see `run.unrecorded.lock_of`.

    Args:
        client: for where runs are recorded.
        experiment: the experiment's id.
        notebook: the source notebook.
        run: our id of the run.
        name: what its run in MLflow is called.
        began: when it began (milliseconds since the epoch).
        within: MLflow's id of the run of the sweep that it belongs to, if it does.
        tags: more tags for it.
    """

    def __init__(
        self,
        client: MlflowClient,
        experiment: str,
        *,
        notebook: Path,
        run: str,
        name: str,
        began: int,
        within: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self._client = client
        self._experiment = experiment
        self._notebook = notebook
        own = {**run_tags(name, notebook), **(tags or {}), RUN: run}
        self.parent = find_or_make(
            client, experiment, (RUN, run), tags=own | ({PARENT: within} if within else {}), began=began
        )
        self._stages = self._known_stages()

    def stage(self, name: str, *, began: int) -> str:
        """MLflow's id of the run of a stage, which began then if it is not there yet (milliseconds)."""
        if name not in self._stages:
            tags = {**run_tags(name, self._notebook), PARENT: self.parent, STAGE: name}
            self._stages[name] = self._client.create_run(self._experiment, began, tags=tags).info.run_id
        return self._stages[name]

    def _known_stages(self) -> dict[str, str]:
        within = f"tags.`{PARENT}` = '{self.parent}'"
        found = self._client.search_runs([self._experiment], filter_string=within, max_results=5000)
        return {run.data.tags[STAGE]: run.info.run_id for run in found if STAGE in run.data.tags}


def find_or_make(
    client: MlflowClient, experiment: str, tag: tuple[str, str], *, tags: Mapping[str, str], began: int
) -> str:
    """MLflow's id of the run that has this tag, made with all of `tags` if there is none."""
    name, value = tag
    found = client.search_runs([experiment], filter_string=f"tags.`{name}` = '{value}'", max_results=1)
    if found:
        return str(found[0].info.run_id)
    return str(client.create_run(experiment, began, tags=dict(tags)).info.run_id)


def run_tags(name: str, notebook: Path) -> dict[str, str]:
    """The tags that every run of ours has."""
    return {
        "mlflow.runName": name,
        "mlflow.source.name": str(notebook),
        "mlflow.source.type": "NOTEBOOK",
        "mlflow.user": user() or "unknown",
        "stagebook.notebook": notebook.name,
    }
