"""A monitor as a flow: it trains again where requests have drifted, and the model that is better comes into use."""

from __future__ import annotations

import importlib.util
import json
from datetime import datetime, timezone

from notebooks_factory import written
from recording import record_in_this_process
from tests.asked import DAY, FIRST, TRAIN, ask

from stagebook.book.notebook import read_document
from stagebook.book.pipeline import load_pipeline
from stagebook.export.exporter import exported_files
from stagebook.run.api import run_notebook
from stagebook.track.place import client_for


def test_drift_trains_again_and_promotes(server, tmp_path, monkeypatch):
    from prefect.settings import PREFECT_API_URL, temporary_settings

    record_in_this_process(monkeypatch)
    week = tmp_path / "week"
    week.write_text("0")
    tag, load = TRAIN[2]
    load = load.replace("default_rng(seed)", "default_rng(int(open('week').read()))")
    path = written(tmp_path, [*TRAIN[:2], (tag, load), *TRAIN[3:]], "flights.ipynb")
    folder = tmp_path / "flights-prefect"
    folder.mkdir()
    for name, content in exported_files("prefect", load_pipeline(path), read_document(path), {}).items():
        (folder / name).write_bytes(content)
    home = tmp_path / ".stagebook"
    assert run_notebook(path).state == "done"
    client = client_for(home)
    client.set_registered_model_alias("flights", "champion", "1")
    today = (datetime.now(timezone.utc) - FIRST).days
    ask(home / "requests/flights", today - 2, seed=0)
    ask(home / "requests/flights", today - 1, seed=1, moved=2)
    week.write_text("1")  # there is more data by now

    spec = importlib.util.spec_from_file_location("flow_that_watches", folder / "flow.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with temporary_settings({PREFECT_API_URL: server.address}):
        said = module.watch_flights(window=f"{DAY.days}d", every="1d")
    told = list(said.values())
    assert told[0].startswith("no drift")
    assert told[1].startswith("drift")
    assert told[1].endswith("retraining: promoted")
    assert int(client.get_model_version_by_alias("flights", "champion").version) == 2
    watching = next(one for one in server.flow_runs() if one["parameters"].get("window"))
    rows = json.loads(server.artifacts(watching)["flights-windows"]["data"])
    assert [row["retraining"] for row in rows] == ["", "promoted"]
    tasks = server.task_runs(watching)
    assert {one["state_type"] for one in tasks.values()} == {"COMPLETED"}, "the flow below it is a task of it"
