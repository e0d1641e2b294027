"""What MLflow's own pages show of a run: its numbers, its stages, when what ran, the model that it registered."""

from __future__ import annotations

import pytest
from late_models import Registry
from recording import record_in_this_process

pytestmark = pytest.mark.timeout(600)
_PATIENCE = 60_000
"""Milliseconds until a page must show what it is to show."""


@pytest.fixture
def recorded(server, tmp_path, monkeypatch):
    """A run that is promoted, at a server."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    record_in_this_process(monkeypatch)
    registry = Registry(tmp_path)
    result = registry.command("run", str(registry.path), "--promote")
    assert result.exit_code == 0, result.output
    return registry


def test_run_stages_timeline_and_model_are_to_be_seen(recorded, server, browser):
    client = recorded.client
    version = client.get_model_version_by_alias("late", "champion")
    stage = client.get_run(version.run_id)
    experiment, parent = stage.info.experiment_id, stage.data.tags["mlflow.parentRunId"]
    [trace] = client.search_traces(locations=[experiment])
    pages = {
        f"runs/{parent}": ["Finished", "train", "evaluate", "auc", "depth", "duration_seconds"],
        f"runs/{parent}/artifacts": ["late.ipynb", "run.json", "late.html"],
        f"traces?selectedEvaluationId={trace.info.trace_id}": ["load", "prepare", "train", "cell 5"],
    }
    addresses = {f"{server.url}/#/experiments/{experiment}/{page}": told for page, told in pages.items()}
    addresses[f"{server.url}/#/models/late/versions/{version.version}"] = ["champion", "stagebook.data", "train"]
    for address, told in addresses.items():
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(address)
        for text in told:
            page.get_by_text(text).first.wait_for(state="attached", timeout=_PATIENCE)
        page.close()
