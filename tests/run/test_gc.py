"""`stagebook gc` frees what nobody needs, and nothing else, whoever is at work."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from ftp import serving
from mlflow import MlflowClient

from stagebook.cli import main
from stagebook.run.presence import Presence, active_runs, alone
from stagebook.store.blobs import Store

CELLS = [("parameters", "depth = 1"), ("stage:make", "a = [depth] * 9"), ("stage:use", "print(len(a) + depth)")]


def gc(*arguments, status=0):
    done = CliRunner().invoke(main, ["gc", *map(str, arguments)])
    assert done.exit_code == status, done.output
    return done.output


@pytest.fixture
def kept(bench):
    return bench.folder / ".stagebook"


def blobs(kept):
    return {path for path in (kept / "blobs").rglob("*") if path.is_file()}


def test_what_only_old_runs_need_goes_and_the_rest_is_reused(bench, kept):
    first = bench.run(CELLS)
    bench.run(parameters={"depth": 2})
    before = blobs(kept)
    said = gc(bench.path, "--keep-last", 1, "--dry-run")
    assert "runs                       1" in said
    assert "results                    2" in said
    assert said.endswith("Nothing was removed, as --dry-run asks.\n")
    assert blobs(kept) == before
    assert gc(bench.path, "--keep-last", 1).splitlines()[:5] == said.splitlines()[:5]
    assert not first.folder.exists()
    assert set(bench.states(bench.run(parameters={"depth": 2})).values()) == {"reused"}
    assert set(bench.states(bench.run()).values()) == {"done"}


def test_without_options_all_runs_stay_and_what_no_run_names_goes(bench, kept):
    bench.run(CELLS)
    bench.run(parameters={"depth": 2})
    before = blobs(kept)
    Store(kept).put(b"nobody's")
    (kept / "tmp/left").write_bytes(b"half")
    said = gc(kept)
    assert blobs(kept) == before
    assert list((kept / "tmp").iterdir()) == []
    assert "values and outputs         1         8 B" in said
    assert "unfinished files           1         4 B" in said
    assert "There is nothing to remove." in gc(bench.folder)


def test_a_stages_last_result_stays_without_any_run(bench, kept):
    run = bench.run(CELLS)
    (kept / "records/history" / f"{run.id}.json").unlink()
    gc(kept)
    assert set(bench.states(bench.run()).values()) == {"reused"}


def test_what_a_registered_model_comes_from_stays(bench, kept, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    from stagebook.run.api import run_notebook

    bench.write(CELLS)
    first = run_notebook(bench.path)
    client = MlflowClient(f"sqlite:///{kept}/mlflow.db")
    [child] = client.search_runs(["1"], filter_string="tags.`stagebook.stage` = 'make'")
    client.create_registered_model("late")
    client.create_model_version("late", source="somewhere", run_id=child.info.run_id)
    second = bench.run(parameters={"depth": 2})
    third = bench.run(parameters={"depth": 3})
    gc(kept, "--keep-last", 1)
    assert [run.folder.exists() for run in (first, second, third)] == [True, False, True]
    assert set(bench.states(bench.run()).values()) == {"reused"}


def test_nothing_is_removed_when_mlflow_cannot_be_asked(bench, kept, monkeypatch):
    bench.run(CELLS)
    Store(kept).put(b"nobody's")
    before = blobs(kept)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    said = gc(kept, status=2)
    assert "does not say which models are registered" in said
    assert blobs(kept) == before


def test_what_a_run_under_way_has_used_or_made_stays(bench, kept):
    bench.run(CELLS)
    bench.run(parameters={"depth": 2})
    store = Store(kept)
    first = min(path.stem for path in (kept / "records/history").iterdir())
    old = store.record(f"history/{first}")["keys"][0]
    for path in kept.rglob("*"):
        os.utime(path, (1, 1))
    with Presence(kept, "now", keys={old}) as presence:
        presence(None)
        young = store.put(b"just written")
        said = gc(bench.path, "--keep-last", 1)
        assert "Run now goes on" in said
        assert store.has(young)
        assert (kept / "records/results" / old).exists()
    gc(kept, "--keep-last", 1)
    assert not store.has(young)


def test_a_killed_run_keeps_what_it_had_until_it_is_dropped(bench, kept):
    code = (
        "import sys, time; from pathlib import Path; from stagebook.run.presence import Presence\n"
        "with Presence(Path(sys.argv[1]), '2000-killed', keys={'key'}) as presence:\n"
        "    presence(None); print('there', flush=True); time.sleep(60)"
    )
    bench.run(CELLS)
    store = Store(kept)
    store.put_record("results/key/1", {"cells": store.put(b"its cells")})
    with subprocess.Popen([sys.executable, "-c", code, str(kept)], stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout.readline() == "there\n"
        assert [run.id for run in active_runs(kept)] == ["2000-killed"]
        killed.kill()
    assert active_runs(kept) == ()
    gc(kept)
    assert store.record("results/key/1")
    gc(kept, "--max-size", "1B")
    assert store.record("results/key/1") is None
    assert not (kept / "active/2000-killed.txt").exists()


def test_two_cannot_remove_at_once(bench, kept):
    bench.run(CELLS)
    with alone(kept):
        assert "Another `stagebook gc` is at work" in gc(kept, status=2)


def test_a_store_on_a_server_keeps_a_week(bench, tmp_path, monkeypatch):
    monkeypatch.setenv("STAGEBOOK_CACHE", str(tmp_path / "cache"))
    served = tmp_path / "served"
    served.mkdir()
    with serving(served) as url:
        first = bench.run(CELLS, store=f"{url}/prefix")
        bench.run(parameters={"depth": 2}, store=f"{url}/prefix")
        gc(bench.path, "--store", f"{url}/prefix", "--keep-last", 1)
        before = blobs(served / "prefix")
        for path in [path for path in served.rglob("*") if path.is_file()]:
            os.utime(path, (time.time() - 8 * 24 * 3600,) * 2)
        Store.at(f"{url}/prefix").put(b"young")
        gc(bench.path, "--store", f"{url}/prefix", "--keep-last", 1)
        after = blobs(served / "prefix")
        assert not first.folder.exists()
        assert len(before - after) == 3
        assert len(after - before) == 1
        run = bench.run(parameters={"depth": 2}, store=f"{url}/prefix")
        assert set(bench.states(run).values()) == {"reused"}
        assert "Name the notebook" in gc(f"{url}/prefix", status=2)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere"], "nowhere is not there"),
        (["nowhere", "--store", "x"], "--store goes with a notebook"),
        (["nowhere", "--max-size", "5 apples"], "`5 apples` is no size; write it like 500MB"),
    ],
)
def test_mistakes_are_told(arguments, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert told in gc(*arguments, status=2)
    assert list(Path().iterdir()) == []
