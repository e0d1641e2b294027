"""Stages that are skipped by a condition, and stages that are mapped over a list."""

from __future__ import annotations

import nbformat
import pytest

from stagebook.events import ElementsFinished
from stagebook.run.api import plan_notebook

WHEN = [
    ("parameters", "threshold = 0.5"),
    ("stage:a", "score = 0.4"),
    ("stage:b", "better = score + 1", {"when": "score > threshold"}),
    ("stage:c", "print(better)"),
    ("stage:d", "print(score)"),
]


class TestWhen:
    def test_a_false_condition_skips_the_stage_and_what_depends_on_it(self, bench):
        run = bench.run(WHEN)
        assert run.state == "done"
        assert bench.states(run) == {"a": "done", "b": "skipped", "c": "skipped", "d": "done"}
        why = "`score > threshold` is false (score = 0.4, threshold = 0.5)"
        assert bench.reason(run, "b") == why
        assert bench.reason(run, "c") == f"`b` was skipped: {why}"
        assert bench.output(run)[2].metadata.stagebook_run.state == "skipped"
        assert bench.printed(run, 3) == ""

    def test_the_decision_is_kept_and_told_by_the_plan(self, bench):
        bench.run(WHEN)
        plan = plan_notebook(bench.path)
        assert {one.stage: one.action for one in plan.decisions} == {
            "a": "reuse",
            "b": "skip",
            "c": "skip",
            "d": "reuse",
        }
        run = bench.run()
        assert bench.states(run) == {"a": "reused", "b": "skipped", "c": "skipped", "d": "reused"}

    def test_another_value_decides_anew(self, bench):
        bench.run(WHEN)
        run = bench.run(parameters={"threshold": 0.3})
        assert bench.states(run) == {"a": "reused", "b": "done", "c": "done", "d": "reused"}
        assert bench.printed(run, 4) == "1.4\n"

    def test_a_condition_that_cannot_be_told_fails_the_stage(self, bench):
        run = bench.run([("stage:a", "x = 'text'"), ("stage:b", "print(x)", {"when": "x > 1"})])
        assert bench.states(run) == {"a": "done", "b": "failed"}
        assert "`when=x > 1` cannot be told: TypeError" in bench.reason(run, "b")

    def test_a_skipped_stage_does_not_hold_up_random_state(self, bench):
        cells = [
            ("setup", "import random\nrandom.seed(0)"),
            ("stage:a", "x = random.random()"),
            ("stage:b", "random.random()", {"when": "x > 2"}),
            ("stage:c", "print(random.random())"),
        ]
        run = bench.run(cells)
        import random

        random.seed(0)
        random.random()
        assert bench.printed(run, 4) == f"{random.random()}\n"


MAPPED = [
    ("stage:make", "sizes = [1, 2, 3]\nbase = 10"),
    ("stage:train", "print('size', size)\nmodel = base * size\nscore = model / 2", {"foreach": "size in sizes"}),
    ("stage:best", "print(model, max(score))"),
]


class TestForeach:
    def test_results_are_gathered_in_order(self, bench):
        run = bench.run(MAPPED, jobs=2)
        assert bench.printed(run, 3) == "[10, 20, 30] 15.0\n"
        assert bench.printed(run, 2) == "".join(f"── sizes[{i}] ──\nsize {i + 1}\n" for i in range(3))

    def test_elements_run_at_the_same_time(self, bench):
        meet = "import pathlib, time\npathlib.Path('here' + who).touch()\nend = time.time() + 60\n"
        meet += "while not pathlib.Path('here' + {'a': 'b', 'b': 'a'}[who]).exists():\n"
        meet += "    assert time.time() < end\n    time.sleep(0.01)"
        cells = [("parameters", "names = ['a', 'b']"), ("stage:m", meet, {"foreach": "who in names"})]
        assert bench.run(cells, jobs=2).state == "done"

    def test_a_longer_list_runs_its_new_elements_only(self, bench):
        bench.run(MAPPED)
        run = bench.run([("stage:make", "sizes = [1, 2, 3, 4]\nbase = 10"), *MAPPED[1:]])
        assert bench.printed(run, 3) == "[10, 20, 30, 40] 20.0\n"
        first = next(event for event in bench.events if isinstance(event, ElementsFinished))
        assert (first.done, first.total) == (3, 4)

    def test_nothing_changed_runs_nothing(self, bench):
        bench.run(MAPPED)
        assert set(bench.states(bench.run()).values()) == {"reused"}

    def test_a_failing_element_fails_the_stage_and_keeps_the_others(self, bench):
        cells = [*MAPPED]
        cells[1] = ("stage:train", "assert size != 2\nmodel = score = size", {"foreach": "size in sizes"})
        run = bench.run(cells)
        assert bench.states(run) == {"make": "done", "train": "failed", "best": "not run"}
        assert "element 1 of `sizes`" in bench.reason(run, "train")
        cells[0] = ("stage:make", "sizes = [1, 3]\nbase = 10")
        run = bench.run(cells)
        assert bench.printed(run, 3) == "[1, 3] 3\n"
        done = [(event.done, event.total) for event in bench.events if isinstance(event, ElementsFinished)]
        assert done == [(2, 2)], "both had been kept"

    def test_metrics_are_numbered(self, bench):
        cells = [("parameters", "xs = [1, 2]"), ("stage:m", "auc = x / 4", {"foreach": "x in xs", "metrics": ["auc"]})]
        assert bench.run(cells).metrics == {"auc.0": 0.25, "auc.1": 0.5}

    def test_an_empty_list_gives_empty_lists(self, bench):
        run = bench.run([("stage:make", "sizes = []\nbase = 1"), MAPPED[1], ("stage:best", "print(model, score)")])
        assert bench.printed(run, 3) == "[] []\n"

    def test_elements_may_be_anything_that_can_be_run_over(self, bench):
        cells = [
            ("stage:a", "import pandas as pd\nframes = tuple(pd.DataFrame({'x': range(n)}) for n in (2, 5))"),
            ("stage:m", "frames = frames.assign(y=1)\nrows = len(frames)", {"foreach": "frames"}),
            ("stage:c", "print([list(f.columns) for f in frames], rows)"),
        ]
        assert bench.printed(bench.run(cells), 3) == "[['x', 'y'], ['x', 'y']] [2, 5]\n"

    @pytest.mark.parametrize(
        ("made", "mapped", "why"),
        [
            ("xs = [(n for n in [1])]", "y = list(xs)", "the element `xs[0]` (generator) cannot be stored"),
            ("xs = [1]", "y = (n for n in [1])", "`y` (generator) cannot be stored, so that it cannot be gathered"),
            ("xs = 5", "y = xs", "`foreach` takes a list, and `xs` is of type `int`"),
            ("xs = 'ab'", "y = xs", "`foreach` takes a list, and `xs` is of type `str`"),
        ],
        ids=["element", "output", "no list", "a text"],
    )
    def test_what_cannot_be_mapped_says_why(self, bench, made, mapped, why):
        run = bench.run([("stage:a", made), ("stage:m", mapped, {"foreach": "xs"}), ("stage:c", "print(y)")])
        assert bench.states(run)["m"] == "failed"
        assert why in bench.reason(run, "m")

    def test_a_condition_skips_a_mapped_stage_as_a_whole(self, bench):
        cells = [*MAPPED]
        cells[1] = (*MAPPED[1][:2], {"foreach": "size in sizes", "when": "base > 10"})
        assert bench.states(bench.run(cells)) == {"make": "done", "train": "skipped", "best": "skipped"}

    def test_retries_count_for_each_element(self, bench):
        source = "import pathlib\ntried = pathlib.Path(f'tried{x}')\nseen = tried.exists()\ntried.touch()\nassert seen"
        cells = [("parameters", "xs = [1, 2]"), ("stage:m", source, {"foreach": "x in xs", "retries": 1})]
        assert bench.run(cells).state == "done"

    def test_the_output_notebook_is_valid(self, bench):
        run = bench.run(MAPPED)
        nbformat.validate(nbformat.read(run.output, as_version=4))
