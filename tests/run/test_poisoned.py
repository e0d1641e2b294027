"""What others put into a store is neither loaded nor believed; what it stood for is made again."""

from __future__ import annotations

import json
import pathlib
import pickle

import pytest

from stagebook.errors import StoreError
from stagebook.run.api import plan_notebook
from stagebook.store.blobs import Store
from stagebook.store.manifests import manifest_name

CELLS = [("stage:make", "a = [1]"), ("stage:other", "b = [2]"), ("stage:use", "print(a)")]
EDITED = [*CELLS[:2], ("stage:use", "print(a, 1)")]


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (pathlib.Path.touch, (pathlib.Path(self.path),))


def result_files(bench):
    """By stage, the file of its stored result."""
    found = (bench.folder / ".stagebook/records/results").rglob("*.json")
    return {json.loads(path.read_text())["stage"]: path for path in found}


def point_to(path, bundle):
    """Have a result's record name another artifact."""
    record = json.loads(path.read_text())
    (ref,) = record["outputs"].values()
    ref["bundle"] = bundle
    path.write_text(json.dumps(record))


def test_a_record_that_points_to_a_forged_artifact_is_no_hit(bench, tmp_path):
    bench.run(CELLS)
    trap = Store(bench.folder / ".stagebook").put(pickle.dumps({"a": Trap(str(tmp_path / "sprung"))}))
    point_to(result_files(bench)["make"], trap)
    bench.write(EDITED)
    [decision] = [one for one in plan_notebook(bench.path).decisions if one.stage == "make"]
    assert (decision.action, decision.reason) == ("run", "its stored result is signed with another key, or was changed")
    run = bench.run()
    assert bench.states(run) == {"make": "done", "other": "reused", "use": "done"}
    assert bench.printed(run, 3) == "[1] 1\n"
    assert not (tmp_path / "sprung").exists()


def test_a_record_that_points_to_another_stages_artifact_is_no_hit(bench):
    bench.run(CELLS)
    files = result_files(bench)
    (other,) = json.loads(files["other"].read_text())["outputs"].values()
    point_to(files["make"], other["bundle"])
    run = bench.run()
    assert bench.states(run)["make"] == "done"


def test_a_record_moved_to_another_fingerprint_is_no_hit(bench):
    bench.run(CELLS)
    files = result_files(bench)
    files["make"].write_bytes(files["other"].read_bytes())
    assert bench.states(bench.run())["make"] == "done"


def test_what_somebody_else_signed_is_made_again(bench, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("STAGEBOOK_KEY_FILE", str(tmp_path / "another key"))
        bench.run(CELLS)
    run = bench.run()
    assert set(bench.states(run).values()) == {"done"}
    assert bench.reason(run, "make") == "its stored result is signed with another key, or was changed"


def test_an_artifact_whose_signature_is_lost_after_the_plan_was_made_is_made_again(bench):
    bench.run(CELLS)
    (made,) = json.loads(result_files(bench)["make"].read_text())["outputs"].values()
    signature = bench.folder / f".stagebook/records/{manifest_name(made['bundle'])}.json"

    def damage(event):
        if type(event).__name__ == "StageStarted" and event.stage == "use" and not damage.done:
            damage.done = True
            assert signature.exists()
            signature.write_text("{}")

    damage.done = False
    bench.write(EDITED)
    bench.listeners = (damage,)
    run = bench.run()
    assert damage.done
    assert bench.states(run) == {"make": "done", "other": "reused", "use": "done"}
    assert bench.printed(run, 3) == "[1] 1\n"
    assert "is signed with another key" in next(one.message for one in bench.events if hasattr(one, "message"))


def test_a_key_that_others_can_read_ends_the_run_before_it_starts(bench, tmp_path, monkeypatch):
    bench.run(CELLS)
    key = tmp_path / "open key"
    key.write_text("0" * 64)
    key.chmod(0o644)
    monkeypatch.setenv("STAGEBOOK_KEY_FILE", str(key))
    with pytest.raises(StoreError, match="can be read by others"):
        bench.run()
