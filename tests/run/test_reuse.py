"""What has not changed is not run again, what has changed is, and the reason is told."""

from __future__ import annotations

import pytest

from stagebook.errors import UsageError
from stagebook.plan import Change, Selection
from stagebook.run.api import plan_notebook
from stagebook.run.opened import CHANGED
from stagebook.signing import signed
from stagebook.store.blobs import Store

CELLS = [
    ("parameters", "depth = 2\nwidth = 3"),
    ("setup", "def double(n):\n    return 2 * n\n\ndef unused():\n    return 1"),
    ("stage:load", "raw = [1, 2, 3]"),
    ("stage:left", "a = [double(n) for n in raw]"),
    ("stage:right", "b = [n + depth for n in raw]"),
    ("stage:join", "print(a, b)"),
]


def edited(number, source):
    """CELLS with another text in cell `number`."""
    return [(tags, source if index == number else old) for index, (tags, old) in enumerate(CELLS, start=1)]


def test_nothing_changed_runs_nothing_and_shows_the_same_outputs(bench):
    first = bench.run(CELLS)
    second = bench.run()
    assert set(bench.states(second).values()) == {"reused"}
    assert bench.printed(second, 6) == bench.printed(first, 6) == "[2, 4, 6] [3, 4, 5]\n"
    assert bench.output(second)[5].metadata.stagebook_run.state == "reused"


@pytest.mark.parametrize(
    ("number", "source", "ran", "why"),
    [
        (3, "raw = [1,  2, 3]  # spaced", [], ""),
        (
            3,
            "raw = [1, 2, 4]",
            ["load", "left", "right", "join"],
            "its code changed since run {} (cell 3: `raw = [1, 2, 3]` -> `raw = [1, 2, 4]`)",
        ),
        (
            3,
            "raw = [1] + [2, 3]",
            ["load"],
            "its code changed since run {} (cell 3: `raw = [1, 2, 3]` -> `raw = [1] + [2, 3]`)",
        ),
        (
            2,
            "def double(n):\n    return n + n\n\ndef unused():\n    return 1",
            ["left"],
            "the setup code it uses changed since run {} (cell 2: `return 2 * n` -> `return n + n`)",
        ),
        (2, "def double(n):\n    return 2 * n\n\ndef unused():\n    return 2", [], ""),
        (1, "depth = 2\nwidth = 4", [], ""),
    ],
    ids=["layout", "value", "same value", "used setup", "unused setup", "unread parameter"],
)
def test_an_edit_runs_only_what_it_can_change(bench, number, source, ran, why):
    first = bench.run(CELLS)
    run = bench.run(edited(number, source))
    assert sorted(bench.ran()) == sorted(ran)
    assert not ran or bench.reason(run, ran[0]) == why.format(first.id)


def test_changed_parameter_reruns_only_who_reads_it_and_what_depends_on_it(bench):
    first = bench.run(CELLS)
    run = bench.run(parameters={"depth": 5})
    assert bench.ran() == ["right", "join"]
    assert bench.reason(run, "right") == f"parameter `depth` changed since run {first.id}: 2 -> 5"
    assert bench.reason(run, "join") == "input `b` changed: `right` came out different in this run"
    assert bench.reason(run, "left") == f"unchanged since run {first.id}"


def test_going_back_to_an_earlier_parameter_runs_nothing(bench):
    bench.run(CELLS)
    bench.run(parameters={"depth": 5})
    run = bench.run()
    assert set(bench.states(run).values()) == {"reused"}


def test_changed_data_file_is_noticed_however_it_was_read(bench):
    (bench.folder / "data.csv").write_text("1\n")
    cells = [
        ("stage:literal", "x = open('data.csv').read()"),
        ("stage:hidden", "import pathlib\ny = [p.read_text() for p in pathlib.Path('.').glob('*.csv')]"),
    ]
    first = bench.run(cells)
    (bench.folder / "data.csv").write_text("2\n")
    run = bench.run()
    assert sorted(bench.ran()) == ["hidden", "literal"]
    assert bench.reason(run, "hidden") == f"file data.csv changed since run {first.id}"


def test_changed_module_of_the_users_own_is_noticed(bench):
    (bench.folder / "own.py").write_text("answer = 41\n")
    first = bench.run([("stage:a", "import own\nprint(own.answer)")])
    (bench.folder / "own.py").write_text("answer = 42\n")
    run = bench.run()
    assert bench.printed(run, 1) == "42\n"
    assert bench.reason(run, "a") == f"module `own` changed since run {first.id} (own.py)"


def test_file_that_the_stage_writes_itself_is_no_reason(bench):
    cells = [("stage:a", "open('made.txt', 'w').write('x')")]
    bench.run(cells)
    bench.run()
    run = bench.run()
    assert bench.states(run) == {"a": "reused"}


def test_lost_declared_output_file_is_made_again(bench):
    cells = [("stage:a", "import pathlib\npathlib.Path('made.txt').write_text('x')", {"writes": "made.txt"})]
    first = bench.run(cells)
    (bench.folder / "made.txt").unlink()
    run = bench.run()
    assert bench.states(run) == {"a": "done"}
    assert bench.reason(run, "a") == f"file made.txt is gone since run {first.id}"


def test_cache_false_runs_every_time(bench):
    cells = [("stage:a", "%%stage a cache=false\nx = 1")]
    bench.run(cells)
    assert bench.states(bench.run()) == {"a": "done"}


def test_stage_that_now_has_to_keep_another_name_runs_again(bench):
    bench.run([("stage:a", "x = 1\ny = 2"), ("stage:b", "print(x)")])
    run = bench.run([("stage:a", "x = 1\ny = 2"), ("stage:b", "print(x, y)")])
    assert bench.reason(run, "a") == "`y` is now read from it, and was not kept"
    assert bench.printed(run, 2) == "1 2\n"


def test_plan_says_what_a_run_then_does(bench):
    first = bench.run(CELLS)
    bench.write(edited(5, "b = [n - depth for n in raw]"))
    plan = plan_notebook(bench.path)
    assert {one.stage: one.action for one in plan.decisions} == {
        "load": "reuse",
        "left": "reuse",
        "right": "run",
        "join": "run",
    }
    (right,) = (one for one in plan.decisions if one.stage == "right")
    lines = ("b = [n + depth for n in raw]", "b = [n - depth for n in raw]")
    assert right.changes == (Change("code", *lines, first.id, "cell 5: `{}` -> `{}`".format(*lines)),)
    assert right.reason == f"its code changed since run {first.id} ({right.changes[0].detail})"
    bench.run()
    assert bench.ran() == ["right", "join"]


def test_plan_writes_nothing(bench):
    bench.write(CELLS)
    plan_notebook(bench.path)
    assert [entry.name for entry in bench.folder.iterdir()] == ["notebook.ipynb"]


def test_corrupt_artifact_is_made_again(bench):
    bench.run(CELLS)
    for blob in (bench.folder / ".stagebook/blobs").rglob("*"):
        if blob.is_file():
            blob.write_bytes(b"damaged")
    run = bench.run(edited(6, "print(b, a)"))
    assert run.state == "done"
    assert bench.printed(run, 6) == "[3, 4, 5] [2, 4, 6]\n"


class TestSelection:
    def test_to_runs_a_stage_and_what_it_needs(self, bench):
        run = bench.run(CELLS, selection=Selection(end="left"))
        assert run.state == "done"
        assert bench.states(run) == {"load": "done", "left": "done", "right": "not run", "join": "not run"}

    def test_from_with_force_runs_a_stage_and_what_depends_on_it(self, bench):
        bench.run(CELLS)
        bench.run(selection=Selection(start="right", force=True))
        assert bench.ran() == ["right", "join"]

    def test_only_with_force_runs_one_stage_from_stored_inputs(self, bench):
        bench.run(CELLS)
        bench.run(selection=Selection(only="join", force=True))
        assert bench.ran() == ["join"]

    def test_only_refuses_inputs_that_are_out_of_date(self, bench):
        bench.run(CELLS)
        run = bench.run(edited(3, "raw = [9]"), selection=Selection(only="left"))
        assert run.state == "failed"
        assert bench.ran() == []
        assert bench.reason(run, "left").startswith("it needs `load`, which has no result that can be used: ")

    def test_unknown_stage_names_the_closest(self, bench):
        bench.write(CELLS)
        with pytest.raises(UsageError, match="no stage `lft` in notebook.ipynb. Did you mean `left`"):
            plan_notebook(bench.path, selection=Selection(only="lft"))

    def test_selection_that_leaves_nothing_is_refused(self, bench):
        bench.write(CELLS)
        with pytest.raises(UsageError, match="they leave nothing to run"):
            plan_notebook(bench.path, selection=Selection(only="load", start="right"))


def test_reason_speaks_of_what_changed_since_the_last_use(bench):
    bench.run(CELLS)
    bench.run(parameters={"depth": 5})
    back = bench.run()
    run = bench.run(edited(6, "print(b, a)"))
    assert bench.reason(run, "join").startswith(f"its code changed since run {back.id} (cell 6: ")


def test_what_a_stage_read_while_it_changed_is_never_reused_though_the_file_is_another_stages(bench):
    write = "with open('l' + '.txt', 'w') as file:\n    n = file.write('abc')"
    cells = [("stage:a", write), ("stage:b", "print(n, open('l.txt').read())")]
    bench.run(cells)
    assert set(bench.states(bench.run()).values()) == {"reused"}
    store = Store.at(bench.folder / ".stagebook")
    for file in list(store.files("records/results")):
        name = file.name.removeprefix("records/").removesuffix(".json")
        record = store.record(name)
        if record["stage"] == "b":
            record = {part: value for part, value in record.items() if part != "signature"}
            store.put_record(name, signed(name, {**record, "files": {"l.txt": CHANGED}}))
    assert bench.states(bench.run()) == {"a": "reused", "b": "done"}


class TestOwnModules:
    MODULE = "def f():\n    return 1\nclass A:\n    v = 1\n"
    IMPORTED_IN_A_STAGE = (
        ("stage:a", "import own\nfrom own import f, A"),
        ("stage:b", "print(own.f())"),
        ("stage:c", "print(f())"),
        ("stage:d", "x = [A()]"),
        ("stage:e", "print(x[0].v)"),
        ("stage:alone", "y = 1"),
    )
    IMPORTED_IN_SETUP = (("setup", "import own"), ("stage:a", "x = 1"), ("stage:b", "print(own.f(), x)"))

    @pytest.fixture(autouse=True)
    def written(self, bench):
        self.path = bench.folder / "own.py"
        self.path.write_text(self.MODULE)

    def test_a_change_reaches_whoever_holds_something_of_it(self, bench):
        first = bench.run(self.IMPORTED_IN_A_STAGE)
        self.path.write_text(self.MODULE.replace("1", "2"))
        run = bench.run()
        assert [bench.printed(run, cell) for cell in (2, 3, 5)] == ["2\n", "2\n", "2\n"]
        assert bench.states(run)["alone"] == "reused"
        assert bench.reason(run, "e") == f"module `own` changed since run {first.id} (own.py)"

    @pytest.mark.parametrize("cells", [IMPORTED_IN_A_STAGE, IMPORTED_IN_SETUP], ids=["in a stage", "in setup"])
    def test_comments_in_it_do_not_count(self, bench, cells):
        bench.run(cells)
        self.path.write_text("# A module.\n" + self.MODULE.replace("= 1", "=  1"))
        assert set(bench.states(bench.run()).values()) == {"reused"}

    def test_a_change_is_nothing_to_who_does_not_use_it(self, bench):
        bench.run(self.IMPORTED_IN_SETUP)
        self.path.write_text(self.MODULE.replace("1", "2"))
        run = bench.run()
        assert bench.states(run) == {"a": "reused", "b": "done"}
        assert bench.printed(run, 3) == "2 1\n"

    def test_a_module_imported_by_a_computed_name_counts_as_a_file(self, bench):
        cells = [
            ("setup", "import importlib, own"),
            ("stage:a", "print(importlib.import_module('ow' + 'n').f())"),
        ]
        bench.run(cells)
        self.path.write_text(self.MODULE.replace("1", "2"))
        assert bench.printed(bench.run(), 2) == "2\n"


def test_what_a_library_lists_to_find_packages_is_no_input(bench):
    bench.run([("setup", "import importlib.metadata"), ("stage:a", "n = importlib.metadata.version('numpy')")])
    (bench.folder / "new.txt").touch()
    assert bench.states(bench.run()) == {"a": "reused"}


def test_what_a_stage_looked_for_and_then_made_itself_is_no_change(bench):
    code = "import os\nif not os.path.exists('kept'):\n    open('kept', 'w').write('1')"
    bench.run([("stage:a", code)])
    assert bench.states(bench.run()) == {"a": "reused"}
    (bench.folder / "kept").write_text("2")
    assert bench.states(bench.run()) == {"a": "done"}
