"""Whatever of a stored result is damaged, cut off or gone: it is noticed, told, and made again."""

from __future__ import annotations

import json
import shutil

import pytest

CELLS = [
    ("setup", "import numpy as np"),
    ("stage:make", "numbers = np.arange(5000)\nprint('made')"),
    ("stage:use", "print(int(numbers.sum()))"),
]
EDITED = [*CELLS[:2], ("stage:use", "print(int(numbers.sum()) + 1)")]


@pytest.fixture(scope="module")
def ran(tmp_path_factory, bench_in):
    """A folder in which the notebook has run."""
    one = bench_in(tmp_path_factory.mktemp("ran"))
    one.run(CELLS)
    return one.folder


@pytest.fixture
def bench(ran, tmp_path, bench_in):
    """A folder of the test's own, in which the notebook has run."""
    return bench_in(shutil.copytree(ran, tmp_path / "copy"))


def files_of(bench, kind):
    """The file of this kind that stage `make` has left in the store."""
    kept = bench.folder / ".stagebook"
    for path in (kept / "records/results").rglob("*.json"):
        record = json.loads(path.read_text())
        if record["stage"] == "make":
            bundle = record["outputs"]["numbers"]["bundle"]
            manifest = kept / f"records/manifests/{bundle[:2]}/{bundle[2:]}.json"
            (part,) = json.loads(manifest.read_text())["parts"]
            blobs = {"bundle": bundle, "part": part, "cells": record["cells"]}
            if kind in blobs:
                return kept / "blobs" / blobs[kind][:2] / blobs[kind][2:]
            return {"record": path, "manifest": manifest}[kind]
    raise LookupError(kind)


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [cut, flip, lambda path: path.unlink()], ids=["cut", "flipped", "gone"])
@pytest.mark.parametrize("kind", ["bundle", "part", "cells", "record", "manifest"])
def test_it_is_made_again_and_the_next_run_reuses_it(bench, kind, damage):
    damage(files_of(bench, kind))
    run = bench.run(EDITED)
    assert run.state == "done"
    assert bench.states(run) == {"make": "done", "use": "done"}
    assert (bench.printed(run, 2), bench.printed(run, 3)) == ("made\n", "12497501\n")
    assert bench.reason(run, "make") not in ("", "forced")
    assert set(bench.states(bench.run()).values()) == {"reused"}
