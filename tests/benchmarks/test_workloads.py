"""A workload is the same computation in each peer's form."""

from __future__ import annotations

import ast
import json

import pytest
from benchmarks.forms import module, notebook, results
from benchmarks.peers import ALL as PEERS
from benchmarks.peers.metaflow import levels
from benchmarks.plan import PLAN
from benchmarks.rounds import expectation, rotated
from benchmarks.rows import Row
from benchmarks.scaling import exponent
from benchmarks.workloads import ALL, Step, Workload
from benchmarks.workloads.trivial import trivial

from stagebook.book.pipeline import load_pipeline

CHAIN = Workload(
    name="chain",
    title="",
    setup="import json",
    steps=(
        Step("first", ("a = [1]\nunused = 2",)),
        Step("second", ("a[0] = a[0] + rise\nb = len(a)",)),
        Step("third", ('print("RESULT " + json.dumps({"sum": a[0] + b, "edition": 1}))\nsum_ = a[0] + b',)),
    ),
    parameters={"rise": 1},
    metrics=("sum_",),
)


def test_names_flow_from_the_step_that_last_bound_or_changed_them():
    first, second, third = CHAIN.steps
    assert (CHAIN.takes(first), CHAIN.makes(first)) == ((), ("a",))
    assert (CHAIN.takes(second), CHAIN.makes(second), CHAIN.asks(second)) == (("a",), ("a", "b"), ("rise",))
    assert (CHAIN.takes(third), CHAIN.makes(third)) == (("a", "b"), ("sum_",))
    assert CHAIN.source("a", third) is second


def test_functions_called_in_order_give_what_the_cells_give(capsys):
    functions = {}
    exec(module(CHAIN), functions)
    values = dict(CHAIN.parameters)
    for step in CHAIN.steps:
        given = [values[name] for name in (*CHAIN.takes(step), *CHAIN.asks(step))]
        values.update(zip(CHAIN.makes(step), functions[step.name](*given), strict=True))
    by_functions = results(capsys.readouterr().out)
    exec("\n".join([CHAIN.setup, "rise = 1", *(step.code for step in CHAIN.steps)]), {})
    assert by_functions == results(capsys.readouterr().out) == ['{"edition": 1, "sum": 3}']


@pytest.mark.parametrize("workload", ALL.values(), ids=list(ALL))
def test_stagebook_sees_the_same_dependencies_as_the_peers_are_told_of(workload, tmp_path):
    path = tmp_path / "notebook.ipynb"
    path.write_text(notebook(workload), encoding="utf-8")
    pipeline = load_pipeline(path)
    seen = {(edge.source, edge.target) for edge in pipeline.edges if not all(":" in name for name in edge.names)}
    told = {(source.name, step.name) for step in workload.steps for source in workload.sources(step)}
    assert seen == told


@pytest.mark.parametrize("workload", ALL.values(), ids=list(ALL))
def test_the_edit_touches_the_last_step_only(workload):
    edited = workload.edited()
    assert edited.steps[:-1] == workload.steps[:-1]
    assert edited.steps[-1] != workload.steps[-1]


@pytest.mark.parametrize("workload", [one for one in ALL.values() if one.sweep], ids=lambda one: one.name)
def test_a_sweep_touches_the_last_two_steps(workload):
    swept, values = workload.sweep
    touched = {step.name for step in workload.steps if swept in step.reads}
    for step in workload.steps:
        if touched & {source.name for source in workload.sources(step)}:
            touched.add(step.name)
    assert touched == {step.name for step in workload.steps[-2:]}
    assert len(set(values) - {workload.parameters[swept]}) == 8


@pytest.mark.parametrize("session", PLAN, ids=lambda session: session.name)
def test_what_a_peer_is_given_is_python_that_compiles(session):
    for name in session.names:
        for path, text in PEERS[name].files(ALL[session.workload]).items():
            if path.endswith(".py"):
                ast.parse(text)
            elif path.endswith(".ipynb"):
                assert [ast.parse(cell["source"]) for cell in json.loads(text)["cells"]]


def test_levels_hold_what_can_run_at_the_same_time():
    names = [[step.name for step in level] for level in levels(ALL["branches"])]
    assert names == [
        ["load"],
        ["features"],
        ["split"],
        ["train_forest", "train_boosting"],
        ["evaluate"],
        ["choose"],
    ]


def test_trivial_stages_are_as_many_as_asked_for():
    assert [len(trivial(count).steps) for count in (10, 1000)] == [10, 1000]


def row(situation, contender, *found):
    return Row("s", situation, contender, 1, 1.0, found)


COLD = [row("cold", "stagebook", '{"edition": 1}')]
EXPECTED = [
    ([], row("cold", "stagebook"), None),
    (COLD, row("cold", "papermill"), ('{"edition": 1}',)),
    (COLD, row("nothing changed", "ploomber"), ('{"edition": 1}',)),
    ([*COLD, row("nothing changed", "metaflow")], row("nothing changed", "ploomber"), ('{"edition": 1}',)),
    (COLD, row("last stage edited", "ploomber"), ('{"edition": 2}',)),
    (COLD, row("sweep", "papermill"), None),
    ([*COLD, row("sweep", "stagebook", "x", "y")], row("sweep", "papermill"), ("x", "y")),
]


@pytest.mark.parametrize(("before", "one", "expected"), EXPECTED)
def test_what_a_result_is_to_be_is_known_from_the_rows_before(before, one, expected):
    assert expectation(one, before) == expected


def test_another_contender_begins_in_each_round():
    assert [rotated(["a", "b", "c"], number)[0] for number in range(4)] == ["a", "b", "c", "a"]
    assert rotated([], 1) == []


GROWTH = [
    ({10: 1.0, 100: 10.0, 1000: 100.0}, 1.0),
    ({10: 1.0 + 10**2, 100: 1.0 + 100**2, 1000: 1.0 + 1000**2}, 2.0),
    ({10: 1.0, 100: 2.0}, None),
    ({10: 3.0, 100: 2.0, 1000: 4.0}, None),
]


@pytest.mark.parametrize(("points", "expected"), GROWTH)
def test_the_exponent_tells_linear_from_quadratic(points, expected):
    assert exponent(points) == (None if expected is None else pytest.approx(expected, abs=0.1))
