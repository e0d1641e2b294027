"""Which stages met a file in a wrong state, and what is done about it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from notebooks_factory import pipeline

from stagebook.book.relinking import relink
from stagebook.model import Learned
from stagebook.run.job import StageResult
from stagebook.run.overtaken import Conflicts, Tangle, touches, untangle

BOTH = {"early": (0.0, 2.0), "late": (0.5, 1.0)}


def found(early, late, spans=BOTH, /, *, before="old", path="x", kept=True, **learned):
    made = pipeline([("stage:first", "1"), ("stage:early", "2"), ("stage:late", "3")])
    made = relink(made, {stage: Learned(frozenset(c), frozenset(u)) for stage, (c, u) in learned.items()})
    met = (StageResult("early", "done", **early), StageResult("late", "done", **late))
    tangle, conflicts = Tangle(path, tuple(one for one in met if touches(one, path)), spans, before), Conflicts()
    if tangle.is_one():
        untangle(conflicts, tangle, made, is_kept=lambda digest: kept)
    return conflicts


WROTE = {"left": {"x": "new"}, "replaced": {"x": "old"}}


def test_a_file_read_as_it_was_is_no_conflict():
    assert not found({"files": {"x": "old"}}, WROTE).again


def test_a_file_read_too_late_is_put_back_and_both_run_again():
    conflict = found({"files": {"x": "new"}}, WROTE)
    assert (conflict.again.keys(), conflict.restore, conflict.failures) == ({"early", "late"}, {"x": "old"}, {})


def test_a_file_that_cannot_be_put_back_fails_its_reader():
    conflict = found({"files": {"x": "new"}}, WROTE, kept=False)
    assert not conflict.again
    told = str(conflict.failures["early"])
    assert told == (
        "cell 2: FileOvertaken: it met x as `late`, a later stage at work at the same time, had left it. "
        "Put x back as it was, and run again: `late` now waits for `early`."
    )


def test_one_after_the_other_there_is_no_conflict():
    assert not found({"files": {"x": "old"}}, WROTE, {"early": (0.0, 1.0), "late": (1.5, 2.0)}).again


@pytest.mark.parametrize(("seen", "again"), [(["x", "y"], {"early", "late"}), (["y"], set())])
def test_a_folder_listed_too_late_shows_what_was_not_there(seen, again):
    late = {"left": {"out/x": "new"}, "replaced": {"out/x": None}}
    assert found({"listed": {"out/": seen}}, late, before=None, path="out/x").again.keys() == again


def test_what_an_earlier_stage_provides_is_made_again():
    results = {"files": {"x": "new"}}
    conflict = found(results, WROTE, kept=False, before="made", first=({"file:x"}, ()), early=((), {"file:x"}))
    assert conflict.again.keys() == {"first", "early", "late"}


def wrote(left, *, over, **more):
    return {"left": {"x": left}, "replaced": {"x": over}, **more}


@pytest.mark.parametrize(
    ("early", "late", "again"),
    [
        (wrote("1", over="old"), wrote("2", over="1"), set()),
        (wrote("1", over="2"), wrote("2", over="old"), {"late"}),
        (wrote("1", over="2", extended={"x"}), wrote("2", over="old"), {"early", "late"}),
        (wrote("2", over="old"), wrote("2", over="1"), {"early", "late"}),
        (wrote("half of 2", over="old"), wrote("2", over="1"), {"early", "late"}),
    ],
    ids=["in order", "turned", "turned, and built upon", "before the other had ended", "in the middle"],
)
def test_two_that_write_one_file_at_once(early, late, again):
    assert found(early, late).again.keys() == again


def test_a_notebook_among_the_temporary_files_is_followed_as_elsewhere(bench_in):
    """Kernels have folders of their own there; nobody's notebook must be taken for one."""
    with tempfile.TemporaryDirectory(prefix="stagebook-") as folder:
        bench = bench_in(Path(folder))
        write = "import time\ntime.sleep(0.5)\nfor name in ['a', 'b']:\n    open(name + '.part', 'w').close()"
        run = bench.run([("stage:write", write), ("stage:list", "import glob\nprint(sorted(glob.glob('*.part')))")])
        assert bench.printed(run, 2) == "['a.part', 'b.part']\n"
