"""A new sqlite store has MLflow's tables from one that was made before, and is as MLflow makes it."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from mlflow.store.db import utils

from stagebook.track import tables
from stagebook.track.place import client_for


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Where the tables are kept."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(tables, "user_cache_path", lambda *_, **__: tmp_path / "cache")
    return tmp_path / "cache"


def schema(file):
    with closing(sqlite3.connect(file)) as store:
        return sorted(store.execute("SELECT type, name, sql FROM sqlite_master").fetchall(), key=str)


def test_tables_are_made_once_and_copied(kept, tmp_path, monkeypatch):
    found = []
    for name in ("one", "two"):
        home = tmp_path / name
        home.mkdir()
        client = client_for(home)
        experiment = client.create_experiment("flights")
        client.create_run(experiment)
        found.append([one.name for one in client.search_experiments()])
        monkeypatch.setattr(utils, "_initialize_tables", None)
    assert found == [["flights", "Default"]] * 2
    (template,) = kept.iterdir()
    with closing(sqlite3.connect(template)) as store:
        assert store.execute("SELECT count(*) FROM experiments").fetchone() == (0,)
    assert schema(tmp_path / "one/mlflow.db") == schema(tmp_path / "two/mlflow.db") == schema(template)


def test_a_template_that_is_damaged_is_not_in_the_way(kept, tmp_path):
    kept.mkdir()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    client_for(tmp_path / "one")
    (template,) = kept.iterdir()
    template.write_bytes(template.read_bytes()[:5000])
    assert client_for(tmp_path / "two").create_experiment("flights")


def test_a_store_that_is_there_and_a_server_are_left_alone(kept, tmp_path):
    with tables.tables_at("http://127.0.0.1:9"), tables.tables_at("sqlite://"):
        pass
    (tmp_path / "mlflow.db").write_bytes(b"")
    with tables.tables_at(f"sqlite:///{tmp_path}/mlflow.db"):
        pass
    assert not kept.exists()
