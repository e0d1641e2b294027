"""What `-p NAME VALUES` means to a sweep, the points that makes, and which of them is best."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from notebooks_factory import pipeline

from stagebook.errors import UsageError
from stagebook.run.axes import read_axes
from stagebook.run.sweep import Axis, Objective, PointRecord, Range, Sweep, best, grid, ranked, run_command
from stagebook.run.sweep_plot import draw_sweep, scale_of

PARAMETERS = """depth: int = 2
lr: float = 0.1
kind: str = 'a'
on: bool = True
sizes: list = [1]
free = None"""


def read(*given, search=False):
    parameters = pipeline([("parameters", PARAMETERS), ("stage:a", "x = depth")]).parameters
    return read_axes(parameters, given, notebook="n.ipynb", search=search)


def values(name, text):
    [axis] = read((name, text))
    return list(axis.values)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("depth", "4,6,8", [4, 6, 8]),
        ("depth", "8", [8]),
        ("depth", "2:10:4", [2, 6, 10]),
        ("depth", "2:9:4", [2, 6]),
        ("depth", "1:3", [1, 2, 3]),
        ("depth", "3:1:-1", [3, 2, 1]),
        ("depth", "1,4:8:2,1", [1, 4, 6, 8]),
        ("lr", "0.05:0.2:0.05", [0.05, 0.1, 0.15, 0.2]),
        ("lr", "0:1:0.3333333333", [0.0, 0.3333333333, 0.6666666666, 0.9999999999]),
        ("lr", "1e-3:3e-3:1e-3", [0.001, 0.002, 0.003]),
        ("lr", "1,2", [1.0, 2.0]),
        ("kind", "a,b", ["a", "b"]),
        ("kind", "1:3:1", ["1:3:1"]),
        ("kind", "'a,b',c", ["a,b", "c"]),
        ("kind", "it's,(odd", ["it's", "(odd"]),
        ("on", "true,false", [True, False]),
        ("sizes", "[1, 2],[3]", [[1, 2], [3]]),
        ("free", "1,True,x,None,[1,2]", [1, True, "x", None, [1, 2]]),
        ("free", "0.1:0.3:0.1", [0.1, 0.2, 0.3]),
    ],
)
def test_values_are_read_as_the_parameters_kind_asks(name, text, expected):
    found = values(name, text)
    assert found == expected
    assert [type(one) for one in found] == [type(one) for one in expected]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([("depht", "1")], "n.ipynb has no parameter `depht`. Did you mean `depth`?"),
        ([("depth", "1,x")], "Parameter `depth` (default 2) takes an int, and 'x' is none."),
        ([("depth", "1:2:0.5")], "Parameter `depth` (default 2) takes an int, and '1.0' is none."),
        ([("depth", "1,,2")], "Parameter `depth`: there is a value missing in `1,,2`."),
        ([("depth", "1"), ("depth", "2")], "Parameter `depth` is given twice."),
        ([("lr", "0.1:0.5")], "Parameter `lr`: the range `0.1:0.5` needs a step, as in 0.1:0.5:0.1."),
        ([("lr", "0:1:0")], "Parameter `lr`: the range `0:1:0` has a step of 0."),
        ([("lr", "1:0:0.1")], "never gets from 1 to 0: its step leads the other way."),
        ([("lr", "0:1:0.00001")], "makes 100,001 values, and 10,000 points are the most."),
        ([("lr", "0.001:1:log")], "is for --search optuna; a grid needs the values"),
    ],
)
def test_what_cannot_be_read_names_the_parameter_and_what_is_wrong(given, told):
    with pytest.raises(UsageError) as error:
        read(*given)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("depth", "2:10", Range("depth", 2, 10, whole=True)),
        ("depth", "2:10:2", Range("depth", 2, 10, 2, whole=True)),
        ("depth", "1:1000:log", Range("depth", 1, 1000, log=True, whole=True)),
        ("lr", "0.001:0.1:log", Range("lr", 0.001, 0.1, log=True)),
        ("lr", "0:1", Range("lr", 0.0, 1.0)),
        ("depth", "4,6", Axis("depth", (4, 6))),
        ("kind", "a,b", Axis("kind", ("a", "b"))),
    ],
)
def test_a_search_reads_ranges_to_choose_from(name, text, expected):
    assert read((name, text), search=True) == (expected,)


@pytest.mark.parametrize(
    ("text", "told"),
    [("3:2", "must go up"), ("0:1:log", "must begin above 0"), ("1:2:0.1:log", "both a step and `:log`")],
)
def test_ranges_that_cannot_be_searched(text, told):
    with pytest.raises(UsageError) as error:
        read(("lr", text), search=True)
    assert told in str(error.value)


def test_a_grid_is_every_combination_the_last_parameter_fastest():
    points = grid([Axis("a", (1, 2)), Axis("b", ("x", "y"))])
    assert [dict(point.parameters) for point in points] == [
        {"a": 1, "b": "x"},
        {"a": 1, "b": "y"},
        {"a": 2, "b": "x"},
        {"a": 2, "b": "y"},
    ]
    assert [point.number for point in points] == [1, 2, 3, 4]


def test_a_sample_is_the_same_for_the_same_seed_and_of_different_points():
    axes = [Axis("a", tuple(range(1000))), Axis("b", tuple(range(1000)))]
    first, again, other = (grid(axes, sample=50, seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    assert len({tuple(point.parameters.items()) for point in first}) == 50


def test_too_many_points_are_refused():
    with pytest.raises(UsageError, match="That makes 10,100 points, and 10,000 are the most"):
        grid([Axis("a", tuple(range(101))), Axis("b", tuple(range(100)))])


def record(number, state="done", **metrics):
    return PointRecord(number, {"a": number, "b": 0}, state, "", metrics, 1.0, "r", Path("r"), 1, 0)


RECORDS = (record(1, auc=0.5), record(2, auc=0.9), record(3, auc=math.nan), record(4, "failed", auc=1.0), record(5))


@pytest.mark.parametrize(
    ("objective", "order", "first"),
    [
        (Objective("auc", "maximize"), [2, 1, 3, 4, 5], 2),
        (Objective("auc", "minimize"), [1, 2, 3, 4, 5], 1),
        (None, [1, 2, 3, 4, 5], None),
    ],
)
def test_points_without_a_value_come_last_and_are_never_the_best(objective, order, first):
    assert [point.number for point in ranked(RECORDS, objective)] == order
    found = best(RECORDS, objective)
    assert (found.number if found else None) == first


def swept(axes, records, objective):
    return Sweep("s", "done", Path("my n.ipynb"), Path(), axes, objective, records, 5, "", 1.0)


def test_the_command_of_a_point_is_what_a_shell_takes():
    axes = (Axis("a", (1, 2)), Axis("b", ("x", "y z")))
    point = PointRecord(1, {"a": 0.1 + 0.2, "b": "y z"}, "done", "", {}, 1.0, "r", None, 1, 0)
    command = run_command(swept(axes, (point,), None), point, options=["--to", "end"])
    assert command == "stagebook run 'my n.ipynb' -p a 0.30000000000000004 -p b 'y z' --to end"


@pytest.mark.parametrize(
    ("values", "log", "expected"),
    [
        ((4, 6, 8), None, [(0, "4"), (0.5, "6"), (1, "8")]),
        ((0.001, 0.01, 0.1), None, [(0, "0.001"), (0.5, "0.01"), (1, "0.1")]),
        (("b", "a"), None, [(0, "b"), (1, "a")]),
        ((True, False), None, [(0, "True"), (1, "False")]),
        ((1, None), None, [(0, "1"), (1, "None")]),
        ((3, 3), None, [(0.5, "3")]),
        ((0.0217407, 0.195424, 0.199904, 0.329808), True, [(0.3063, "0.05"), (0.5612, "0.1"), (0.8161, "0.2")]),
        (tuple(range(1, 101)), True, [(0, "1"), (0.1505, "2"), (0.3495, "5"), (0.5, "10"), (0.6505, "20")]),
    ],
)
def test_a_scale_has_numbers_by_size_or_logarithm_and_the_rest_side_by_side(values, log, expected):
    scale = scale_of("x", values, log=log)
    ticks = [(round(height, 4), text) for height, text in scale.ticks]
    assert ticks[: len(expected)] == expected
    assert all(0 <= scale.position(value) <= 1 for value in values)


@pytest.mark.parametrize("objective", [None, Objective("auc", "minimize")])
def test_the_picture_names_every_axis_and_draws_failed_points_too(tmp_path, objective):
    import matplotlib as mpl

    sweep = swept((Axis("a", (1, 2, 3, 4, 5)), Axis("b", (0, 1))), RECORDS, objective)
    with mpl.rc_context({"svg.fonttype": "none"}):
        draw_sweep(sweep, tmp_path / "sweep.svg")
    drawn = (tmp_path / "sweep.svg").read_text()
    assert all(f">{name}<" in drawn for name in ("a", "b", "auc"))
    assert drawn.count("stroke-dasharray") == 3
