"""What goes wrong in a run: what is told, what is kept, what goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from stagebook.errors import UsageError
from stagebook.events import Notice
from stagebook.run.api import plan_notebook, run_notebook
from stagebook.run.files import remove_leftovers

FORK = [
    ("stage:load", "x = 1"),
    ("stage:bad", "y = x\nz = y / 0"),
    ("stage:good", "print('good', x)"),
    ("stage:after", "print(z)"),
]


class TestFailingCell:
    def test_independent_stages_finish_and_dependents_do_not_run(self, bench):
        run = bench.run(FORK)
        assert run.state == "failed"
        assert bench.states(run) == {"load": "done", "bad": "failed", "good": "done", "after": "not run"}
        assert bench.reason(run, "after") == "`bad` failed"

    def test_traceback_is_the_one_that_jupyter_shows(self, bench):
        run = bench.run(FORK)
        error = bench.output(run)[1].outputs[0]
        assert (error.ename, error.evalue) == ("ZeroDivisionError", "division by zero")
        assert "In[2], line 2" in _plain("\n".join(error.traceback))
        assert "----> 2 z = y / 0" in _plain("\n".join(error.traceback))

    def test_the_reason_names_cell_and_exception(self, bench):
        run = bench.run(FORK)
        assert bench.reason(run, "bad") == "cell 2, line 2: ZeroDivisionError: division by zero"

    @pytest.mark.parametrize(
        ("cell", "line"),
        [
            (("stage:a", "\n\n# none here\nx = 1\nx.gone"), 5),
            (("", "%%stage a\n\nx = helper(1)\n"), 3),
        ],
        ids=["after empty lines", "below a magic, in a function of another cell"],
    )
    def test_the_line_is_that_of_the_cell_as_it_stands(self, bench, cell, line):
        run = bench.run([("setup", "def helper(x):\n\n\n    return x.gone"), cell])
        assert bench.reason(run, "a") == f"cell 2, line {line}: AttributeError: 'int' object has no attribute 'gone'"

    def test_the_next_run_takes_up_from_there(self, bench):
        bench.run(FORK)
        run = bench.run([*FORK[:1], ("stage:bad", "z = x / 2"), *FORK[2:]])
        assert bench.states(run) == {"load": "reused", "bad": "done", "good": "reused", "after": "done"}
        assert bench.printed(run, 4) == "0.5\n"

    def test_a_failed_stage_is_tried_again_and_the_plan_says_why(self, bench):
        first = bench.run(FORK)
        reasons = {one.stage: one.reason for one in plan_notebook(bench.path).decisions}
        assert reasons["bad"] == f"it failed in run {first.id}: cell 2, line 2: ZeroDivisionError: division by zero"

    def test_a_failing_setup_cell_fails_the_stage(self, bench):
        run = bench.run([("setup", "1 / 0"), ("stage:a", "x = 1")])
        assert bench.reason(run, "a") == "cell 1, line 1: ZeroDivisionError: division by zero"
        assert bench.printed(run, 1) == "ZeroDivisionError: division by zero"


def test_kernel_that_dies_fails_its_stage_only(bench):
    run = bench.run([("stage:dies", "import os\nos._exit(3)"), ("stage:lives", "print('alive')")])
    assert bench.states(run) == {"dies": "failed", "lives": "done"}
    assert "the kernel died (exit status 3)" in bench.reason(run, "dies")
    assert bench.printed(run, 1).startswith("DeadKernel")


def test_timeout_fails_the_stage_and_names_the_option(bench):
    started = time.monotonic()
    run = bench.run([("stage:slow", "%%stage slow timeout=0.5\nimport time\ntime.sleep(60)")])
    assert time.monotonic() - started < 40
    assert bench.reason(run, "slow") == (
        "cell 1: Timeout: stage `slow` took longer than its timeout of 0.5 s. Raise `timeout`, or make the cell faster."
    )


def test_retries_start_over_in_a_fresh_kernel(bench):
    source = "%%stage a retries=2\nimport pathlib\nlog = pathlib.Path('log')\n"
    source += "tries = len(log.read_text()) if log.exists() else 0\nlog.write_text('x' * (tries + 1))\n"
    source += "assert tries == 2 and 'before' not in globals(), tries\nbefore = 1"
    run = bench.run([("stage:a", source)])
    assert run.state == "done"
    assert (bench.folder / "log").read_text() == "xxx"
    assert [event.message for event in bench.events if isinstance(event, Notice)] == [
        "`a` failed (cell 1, line 6: AssertionError: 0): try 2 of 3.",
        "`a` failed (cell 1, line 6: AssertionError: 1): try 3 of 3.",
    ]


def test_metric_that_is_no_number_fails_the_stage(bench):
    run = bench.run([("stage:a", "%%stage a metrics=m\nm = 'high'")])
    assert bench.reason(run, "a").startswith("cell 1: TypeError: the metric `m` is no number")


def test_entries_of_a_dict_that_are_no_numbers_are_left_out_and_told_of(bench):
    scores = "{'auc': 0.5, 'name': 'late', 'best': {'none': None, 'depth': 3}, 'parts': [], 'lists': [[1]]}"
    run = bench.run([("stage:a", f"%%stage a metrics=scores,n\nscores = {scores}\nn = 1")])
    assert run.metrics == {"scores.auc": 0.5, "scores.best.depth": 3, "n": 1}
    told = "metrics `scores.name` is a text, `scores.best.none` is None, `scores.parts` is an empty list, "
    told += "`scores.lists` is of type list: not recorded."
    assert [(event.message, event.stage) for event in bench.events if isinstance(event, Notice)] == [(told, "a")]


@pytest.mark.parametrize(
    ("number", "told"), [(1, "metric `m.0` is a text: not"), (7, "`m.4` is a text, and 2 more: not")]
)
def test_as_many_of_them_are_named_as_one_reads(bench, number, told):
    bench.run([("stage:a", f"%%stage a metrics=m\nm = {{'n': 1, **{{str(i): 'x' for i in range({number})}}}}")])
    assert [told in event.message for event in bench.events if isinstance(event, Notice)] == [True]


def test_file_that_was_to_be_written_and_was_not_fails_the_stage(bench):
    run = bench.run([("stage:a", "x = 1", {"writes": "model.bin"})])
    assert "was to write model.bin, and did not" in bench.reason(run, "a")


class TestValuesThatCannotBeStored:
    CELLS = (
        ("stage:make", "numbers = (n for n in range(4))\nlabel = 'n'"),
        ("stage:first", "one = next(numbers)"),
        ("stage:aside", "print(label)"),
        ("stage:rest", "print(one, list(numbers))"),
    )

    def test_their_stages_go_on_in_one_kernel_in_the_notebooks_order(self, bench):
        run = bench.run(self.CELLS, jobs=2)
        assert run.state == "done"
        assert bench.printed(run, 4) == "0 [1, 2, 3]\n"

    def test_the_plan_says_so(self, bench):
        bench.run(self.CELLS)
        notes = plan_notebook(bench.path).notes
        assert "`make` and `first` run in one kernel: `numbers` (generator) cannot be stored." in notes

    def test_nothing_changed_runs_nothing(self, bench):
        bench.run(self.CELLS)
        assert set(bench.states(bench.run()).values()) == {"reused"}

    def test_a_change_behind_them_runs_their_makers_again(self, bench):
        bench.run(self.CELLS)
        run = bench.run([*self.CELLS[:3], ("stage:rest", "print(one, sum(numbers))")])
        assert bench.printed(run, 4) == "0 6\n"

    def test_values_from_two_kernels_are_brought_into_one(self, bench):
        cells = [
            ("stage:a", "a = iter([1])"),
            ("stage:b", "b = (n for n in [2])"),
            ("stage:both", "import socket\ns = socket.socket()\nprint(next(a), next(b))"),
            ("stage:close", "s.close()\nprint(s.fileno())"),
        ]
        cells[0] = ("stage:a", "a = (n for n in [1])")
        run = bench.run(cells, jobs=2)
        assert run.state == "done"
        assert (bench.printed(run, 3), bench.printed(run, 4)) == ("1 2\n", "-1\n")


class TestRefusals:
    def test_kernel_that_is_not_installed(self, bench):
        path = bench.write([("stage:a", "x = 1")])
        path.write_text(path.read_text().replace('"name": "python3"', '"name": "python33"'))
        with pytest.raises(UsageError, match="kernel `python33`, which is not installed. Did you mean `python3`"):
            bench.run()

    def test_unknown_parameter_names_the_closest(self, bench):
        with pytest.raises(UsageError, match="no parameter `dept`. Did you mean `depth`"):
            bench.run([("parameters", "depth = 1"), ("stage:a", "print(depth)")], parameters={"dept": 2})

    def test_parameter_of_the_wrong_kind(self, bench):
        with pytest.raises(UsageError, match="takes an int, and 'deep' is none. It stands in cell 1, line 1"):
            bench.run([("parameters", "depth = 1"), ("stage:a", "print(depth)")], parameters={"depth": "deep"})

    def test_output_folder_that_cannot_be_written(self, bench):
        bench.write([("stage:a", "x = 1")])
        (bench.folder / "file").touch()
        with pytest.raises(UsageError, match="file is a file, and is to be a folder"):
            bench.run(out=bench.folder / "file" / "below")

    def test_output_folder_that_the_system_refuses(self, bench):
        bench.write([("stage:a", "x = 1")])
        with pytest.raises(UsageError, match="cannot be written to: File name too long"):
            bench.run(out=bench.folder / ("x" * 300))

    def test_output_over_the_source(self, bench):
        bench.write([("stage:a", "x = 1")])
        with pytest.raises(UsageError, match="would be written over"):
            bench.run(out=bench.folder)

    def test_a_refused_run_leaves_nothing_behind(self, bench):
        bench.write([("parameters", "depth = 1"), ("stage:a", "print(depth)")])
        with pytest.raises(UsageError):
            run_notebook(bench.path, parameters={"nope": 1}, track=False)
        assert [entry.name for entry in bench.folder.iterdir()] == ["notebook.ipynb"]


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_saves_what_is_done_and_leaves_no_process_behind(bench, by):
    slow = "import pathlib, time\npathlib.Path('pid').write_text(str(__import__('os').getpid()))\ntime.sleep(120)"
    bench.write([("stage:first", "x = 1"), ("stage:slow", f"y = x\n{slow}"), ("stage:last", "print(y)")])
    command = [
        sys.executable,
        "-m",
        "stagebook",
        "run",
        str(bench.path),
        "--no-track",
        "--out",
        str(bench.folder / "o"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    pid_file = bench.folder / "pid"
    deadline = time.monotonic() + 60
    while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    kernel = int(pid_file.read_text())
    process.send_signal(by)
    told, wrong = process.communicate(timeout=40)
    assert process.returncode == 130, wrong
    assert "slow: interrupted" in told
    (reason,) = [one.reason for one in plan_notebook(bench.path).decisions if one.stage == "slow"]
    assert reason.startswith("it was interrupted in run ")
    assert "Traceback" not in wrong
    with pytest.raises(ProcessLookupError):
        os.kill(kernel, 0)
    assert (bench.folder / "o" / "notebook.ipynb").exists()
    again = bench.run([("stage:first", "x = 1"), ("stage:slow", "y = x"), ("stage:last", "print(y)")])
    assert bench.states(again) == {"first": "reused", "slow": "done", "last": "done"}


def test_no_kernel_outlives_a_run(bench, children):
    bench.run([("stage:make", "g = (n for n in [1])"), ("stage:use", "print(next(g))"), ("stage:bad", "1 / 0")])
    assert [line for line in children() if "ipykernel" in line] == []


def _plain(text):
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_traceback_of_a_magic_stage_counts_lines_as_its_cell_does(bench):
    run = bench.run([("", "%%stage bad timeout=60\nx = 1\nx / 0")])
    assert "In[1], line 3" in _plain("\n".join(bench.output(run)[0].outputs[0].traceback))


@pytest.mark.skipif(os.name != "posix", reason="process numbers as on POSIX")
def test_only_what_dead_processes_left_is_removed(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    names = [
        f".run.json.{dead.pid}-1",
        f".run.json.{os.getpid()}-1",
        f".run.json.{dead.pid}",
        "run.json",
        ".run.json.x-1",
    ]
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / f".run.json.{dead.pid}-2").mkdir()
    remove_leftovers(tmp_path, ".run.json.", age=60)
    assert len(list(tmp_path.iterdir())) == 6
    remove_leftovers(tmp_path, ".run.json.")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])
