"""What can go from a store, decided from what is in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stagebook.run.retention import Contents, PastRun, StoredResult, Wanted, plan_removal
from stagebook.store.folders import StoredFile


def file(name, modified=0.0, size=10):
    return StoredFile(name, size, modified)


def result(key, *blobs, modified=0.0):
    return StoredResult(file(f"records/results/{key}/1.json", modified), key, frozenset(blobs))


def run(name, *keys, notebook="nb", bundles=(), size=0):
    return PastRun(name, notebook, frozenset(keys), frozenset(bundles), size)


CONTENTS = Contents(
    runs=(run("1", "old", size=5), run("2", "mid", size=5), run("3", "new", size=5), run("1x", "other", notebook="x")),
    results=(result("old", "A"), result("mid", "B"), result("new", "C"), result("other", "D"), result("lost", "E")),
    needs={"A": frozenset({"a", "shared"}), "B": frozenset({"shared"}), "E": frozenset({"e"})},
    manifests={bundle: file(f"records/manifests/{bundle}.json") for bundle in "ABCDE"},
    blobs={digest: file(f"blobs/{digest}") for digest in ["A", "B", "C", "D", "E", "a", "e", "shared"]},
    unfinished=(file("tmp/1"),),
)


def removed(contents=CONTENTS, **wanted):
    """Names of runs and blobs that go."""
    plan = plan_removal(contents, Wanted(**wanted))
    assert {one.name.split("/")[2] for one in plan.manifests} <= {f"{blob}.json" for blob in "ABCDE"}
    return [one.id for one in plan.runs], sorted(one.name.removeprefix("blobs/") for one in plan.blobs)


def test_without_a_limit_all_runs_and_what_they_need_stay():
    assert removed() == ([], ["E", "e"])


def test_what_only_dropped_runs_need_goes():
    assert removed(last=1) == (["1", "2"], ["A", "B", "E", "a", "e", "shared"])
    assert removed(last=2) == (["1"], ["A", "E", "a", "e"])


def test_runs_are_counted_for_each_notebook():
    contents = replace(CONTENTS, runs=(*CONTENTS.runs, run("0x", notebook="x")))
    assert removed(contents, last=1)[0] == ["1", "2", "0x"]
    assert removed(contents, last=1, notebook="x")[0] == ["0x"]


@pytest.mark.parametrize("want", [{"keys": frozenset({"old"})}, {"bundles": frozenset("A")}, {"runs": frozenset("1")}])
def test_what_a_model_or_a_last_result_needs_stays_with_its_parts(want):
    runs, blobs = removed(last=1, **want)
    assert blobs == ["B", "E", "e"]
    assert runs == (["2"] if "runs" in want else ["1", "2"])


def test_a_bundle_that_a_kept_runs_json_names_stays_though_its_result_was_replaced():
    contents = replace(CONTENTS, runs=(run("3", "new", bundles="E"),))
    assert removed(contents)[1] == ["A", "B", "D", "a", "shared"]


def test_what_is_younger_than_a_run_under_way_stays_and_what_it_needs():
    results = (*CONTENTS.results[:-1], result("lost", "E", modified=99))
    assert removed(replace(CONTENTS, results=results), since=50) == ([], [])
    blobs = {digest: replace(blob, modified=99) for digest, blob in CONTENTS.blobs.items()}
    contents = replace(CONTENTS, blobs=blobs, unfinished=(file("tmp/1", 99), file("tmp/2", 1)))
    plan = plan_removal(contents, Wanted(since=50))
    assert plan.blobs == ()
    assert [one.name for one in plan.unfinished] == ["tmp/2"]


def test_the_oldest_runs_go_until_the_store_is_small_enough():
    whole = plan_removal(CONTENTS, Wanted()).kept
    assert removed(size=whole)[0] == []
    assert removed(size=whole - 1)[0] == ["1"]
    assert removed(size=whole - 30)[0] == ["1", "2"]


def test_each_notebooks_last_run_stays_however_big_it_is():
    plan = plan_removal(CONTENTS, Wanted(size=0))
    assert [one.id for one in plan.runs] == ["1", "2"]
    assert plan.kept == 25
    assert removed(size=0, last=2)[0] == ["1"]


def test_what_stays_is_counted_with_the_runs_folders():
    plan = plan_removal(CONTENTS, Wanted(last=1))
    assert plan.kept == 2 * 10 + 5
