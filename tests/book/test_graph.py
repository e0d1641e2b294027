"""Edges from names, the order of the stages, and what running them adds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.notebooks_factory import arrows, codes, findings, pipeline

from stagebook.book.graph import providers_before
from stagebook.book.relinking import relink
from stagebook.errors import PipelineError
from stagebook.model import Learned


def order(cells):
    return [stage.name for stage in pipeline(cells).stages]


EDGES = {
    "a read is tied to the stage that binds it": (
        [("stage:a", "x = 1"), ("stage:b", "print(x)")],
        {"a -> b": "x"},
    ),
    "several names share an edge": (
        [("stage:a", "y = 1\nx = 2"), ("stage:b", "print(x, y)")],
        {"a -> b": "x, y"},
    ),
    "the last earlier binding counts": (
        [("stage:a", "x = 1"), ("stage:b", "x = 2"), ("stage:c", "print(x)")],
        {"b -> c": "x"},
    ),
    "a later binding does not count": (
        [("stage:a", "x = 1"), ("stage:b", "print(x)"), ("stage:c", "x = 2")],
        {"a -> b": "x"},
    ),
    "a stage's own names make no edge": (
        [("stage:a", "x = 1"), ("stage:b", "x = 2\nprint(x)")],
        {},
    ),
    "names from setup and parameters make no edge": (
        [
            ("setup", "import math"),
            ("parameters", "n = 1"),
            ("stage:a", "x = math.sqrt(n)"),
            ("stage:b", "print(x, n)"),
        ],
        {"a -> b": "x"},
    ),
    "a stage that binds a name of setup provides it": (
        [("parameters", "n = 1"), ("stage:a", "n = n + 1"), ("stage:b", "print(n)")],
        {"a -> b": "n"},
    ),
    "a change in place makes a new provider": (
        [
            ("setup", "import pandas as pd"),
            ("stage:a", "df = pd.DataFrame()"),
            ("stage:b", "df['x'] = 1"),
            ("stage:c", "df"),
        ],
        {"a -> b": "df", "b -> c": "df"},
    ),
    "two branches that change one name are ordered as in the notebook": (
        [
            ("setup", "import pandas as pd"),
            ("stage:load", "df = pd.DataFrame()"),
            ("stage:left", "df['l'] = 1"),
            ("stage:right", "df['r'] = 1"),
            ("stage:join", "print(df)"),
        ],
        {"load -> left": "df", "left -> right": "df", "right -> join": "df"},
    ),
    "readers before and after a change take different versions": (
        [
            ("stage:load", "items = [1]"),
            ("stage:before", "print(items)"),
            ("stage:change", "items.append(2)"),
            ("stage:after", "print(items)"),
        ],
        {"load -> before": "items", "load -> change": "items", "change -> after": "items"},
    ),
    "a possible change makes no edge": (
        [("stage:load", "m = object()"), ("stage:left", "print(m.go())"), ("stage:right", "print(m.go())")],
        {"load -> left": "m", "load -> right": "m"},
    ),
    "a name bound on one way only passes through": (
        [
            ("parameters", "n = 1"),
            ("stage:a", "x = 1"),
            ("stage:b", "if n > 3:\n    x = 2"),
            ("stage:c", "print(x)"),
        ],
        {"a -> b": "x", "b -> c": "x"},
    ),
    "a need adds an edge without names": (
        [("stage:a", "print(1)"), ("", "%%stage b needs=a\nprint(2)")],
        {"a -> b": ""},
    ),
    "a need beside names adds nothing": (
        [("stage:a", "x = 1"), ("", "%%stage b needs=a\nprint(x)")],
        {"a -> b": "x"},
    ),
    "a need may name a later stage": (
        [("", "%%stage a needs=b\nprint(1)"), ("stage:b", "print(2)")],
        {"b -> a": ""},
    ),
    "a function of setup reads for the stage that calls it": (
        [("setup", "def show():\n    print(x)"), ("stage:a", "x = 1"), ("stage:b", "show()")],
        {"a -> b": "x"},
    ),
    "a function of a stage is taken, with what it reads": (
        [("stage:a", "k = 2\ndef f(x):\n    return x * k"), ("stage:b", "print(f(1))")],
        {"a -> b": "f, k"},
    ),
    "what cannot be listed may be bound, used and changed by a stage with a star": (
        [("stage:a", "x = 1"), ("stage:b", "exec(open('f.py').read())"), ("stage:c", "print(x, y)")],
        {"a -> b": "x", "b -> c": "x, y"},
    ),
    "of several stages with stars any may have bound a name": (
        [("stage:a", "from m import *"), ("stage:b", "from n import *"), ("stage:c", "sum(y)")],
        {"a -> b": "sum, y", "b -> c": "sum, y"},
    ),
    "cells of one stage pass names among themselves": (
        [("stage:a", "x = 1"), ("stage:a", "y = x"), ("stage:b", "print(y)")],
        {"a -> b": "y"},
    ),
    "exploration makes no edge": (
        [("stage:a", "x = 1"), ("", "x = 5"), ("stage:b", "print(x)")],
        {"a -> b": "x"},
    ),
}


@pytest.mark.parametrize(("cells", "edges"), EDGES.values(), ids=EDGES.keys())
def test_edges(cells, edges):
    assert arrows(cells) == edges


ORDERS = {
    "as in the notebook": (["stage:b", "stage:a"], ["x = 1", "print(x)"], "b a"),
    "ties as in the notebook": (["stage:c", "stage:a", "stage:b"], ["1", "2", "3"], "c a b"),
    "a forward need first": (["stage:a", "stage:b", "stage:c"], ["%%stage a needs=c\n1", "2", "3"], "b c a"),
}


@pytest.mark.parametrize(("tags", "sources", "expected"), ORDERS.values(), ids=ORDERS.keys())
def test_order(tags, sources, expected):
    assert " ".join(order(zip(tags, sources, strict=True))) == expected


# Deletes


def test_name_deleted_by_a_stage_is_gone_for_later_ones():
    (found,) = findings([("stage:a", "x = 1"), ("stage:b", "print(x)\ndel x"), ("stage:c", "print(x)")])
    assert (found.code, found.stage, str(found.place)) == ("SB208", "c", "cell 3, line 1")


def test_name_bound_again_after_it_was_deleted_is_there():
    cells = [("stage:a", "x = 1"), ("stage:b", "del x"), ("stage:c", "x = 2"), ("stage:d", "print(x)")]
    assert arrows(cells) == {"a -> b": "x", "c -> d": "x"}


def test_deleted_name_is_not_kept():
    made = pipeline([("stage:a", "x = 1\ny = 2\ndel y"), ("stage:b", "print(x)"), ("", "y = 0\ny")])
    assert made.outputs["a"] == ("x",)


def test_name_deleted_in_one_cell_and_bound_again_in_a_later_one_is_kept():
    cells = [("stage:a", "x = 1\ndel x"), ("stage:b", "print(0)"), ("stage:a", "x = 2"), ("stage:c", "print(x)")]
    assert pipeline(cells).outputs["a"] == ("x",)


# Interleaved stages

HARMLESS = {
    "what stands between has nothing to do with it": [
        ("stage:a", "x = 1"),
        ("stage:b", "y = 1\nprint(y)"),
        ("stage:a", "x = x + 1"),
        ("stage:c", "print(x)"),
    ],
    "what stands between takes a name that stays": [
        ("stage:a", "x = 1"),
        ("stage:b", "print(x)"),
        ("stage:a", "y = x"),
        ("stage:c", "print(y)"),
    ],
    "what stands between makes what the first does not read": [
        ("stage:a", "print(1)"),
        ("stage:b", "x = 1"),
        ("stage:a", "print(x)"),
    ],
    "what stands between has its own value of a name": [
        ("stage:a", "i = 1\nprint(i)"),
        ("stage:b", "i = 2\nprint(i)"),
        ("stage:a", "i = 3\nprint(i)"),
    ],
}


@pytest.mark.parametrize("cells", HARMLESS.values(), ids=HARMLESS.keys())
def test_harmless_interleaving_is_accepted(cells):
    assert codes(cells) == []


HARMFUL = {
    "taken before it is bound again": [
        ("stage:a", "x = 1"),
        ("stage:b", "print(x)"),
        ("stage:a", "x = 2"),
        ("stage:c", "print(x)"),
    ],
    "taken before it is changed": [("stage:a", "x = [1]"), ("stage:b", "print(x)"), ("stage:a", "x.append(2)")],
    "taken before it may be changed": [("stage:a", "x = object()"), ("stage:b", "print(x)"), ("stage:a", "x.go()")],
    "taken before it is deleted": [("stage:a", "x = [1]"), ("stage:b", "print(x)"), ("stage:a", "del x")],
    "own value shadowed": [("stage:a", "x = 1"), ("stage:b", "x = 2"), ("stage:a", "print(x)")],
    "two values of an input": [
        ("stage:p", "x = 1"),
        ("stage:a", "print(x)"),
        ("stage:q", "x = 2"),
        ("stage:a", "print(x)"),
    ],
    "a parameter, then a stage's value": [
        ("parameters", "x = 1"),
        ("stage:a", "print(x)"),
        ("stage:b", "x = 2"),
        ("stage:a", "print(x)"),
    ],
}


@pytest.mark.parametrize("cells", HARMFUL.values(), ids=HARMFUL.keys())
def test_harmful_interleaving_is_refused_with_a_remedy(cells):
    (found,) = [one for one in findings(cells) if one.severity == "error"]
    assert (found.code, found.stage) == ("SB206", "a")
    assert "`x`" in found.message
    assert "Give the later cells of `a` a stage name of their own." in found.remedy


def test_interleaved_stages_that_depend_on_each_other_are_a_cycle_with_that_remedy():
    cells = [("stage:a", "x = 1"), ("stage:b", "y = x"), ("stage:a", "print(y)")]
    (found,) = findings(cells)
    assert found.code == "SB204"
    assert "a -> b -> a" in found.message or "b -> a -> b" in found.message
    assert "`b` takes `x` from `a`" in found.message
    assert "`a` takes `y` from `b`" in found.message
    assert "Give the later cells of `a` a stage name of their own." in found.remedy


# Needs


def test_need_of_no_stage_names_the_closest():
    (found,) = findings([("stage:load", "print(1)"), ("", "%%stage train needs=laod\nprint(2)")])
    assert (found.code, found.stage) == ("SB205", "train")
    assert "`laod`" in found.message
    assert found.remedy == "Did you mean `load`?"


def test_stage_that_needs_itself_is_a_cycle():
    (found,) = findings([("", "%%stage a needs=a\nprint(1)")])
    assert (found.code, found.remedy) == ("SB204", "Take the need out of `a`.")


def test_need_against_the_data_flow_is_a_cycle_that_blames_the_need():
    (found,) = findings([("", "%%stage a needs=b\nx = 1"), ("stage:b", "print(x)")])
    assert found.code == "SB204"
    assert "`a` declares that it needs `b`" in found.message
    assert found.remedy == "Take the need out of `a`."


# What running adds

CHANGING = [
    ("stage:load", "m = object()"),
    ("stage:fit", "print(m.go())"),
    ("stage:use", "print(m)"),
]


def test_learned_change_makes_a_new_provider():
    made = pipeline(CHANGING)
    relinked = relink(made, {"fit": Learned(frozenset({"m"}))})
    assert made.inputs["use"]["m"] == "load"
    assert relinked.inputs["use"]["m"] == "fit"
    assert relinked.outputs["fit"] == ("m",)


def test_nothing_learned_leaves_the_pipeline_as_it_is():
    made = pipeline(CHANGING)
    assert relink(made, {"fit": Learned()}) is made


def test_learned_change_that_makes_an_interleaving_harmful_is_refused():
    made = pipeline([("stage:a", "m = object()"), ("stage:b", "print(m.go())"), ("stage:a", "print(str(m))")])
    with pytest.raises(PipelineError, match=r"`b` changes `m` in place, as a run has shown") as error:
        relink(made, {"b": Learned(frozenset({"m"}))})
    assert [one.code for one in error.value.findings] == ["SB206"]


def test_learned_change_against_a_need_is_refused():
    cells = [("stage:load", "m = object()"), ("", "%%stage fit needs=use\nprint(m.go())"), ("stage:use", "print(m)")]
    with pytest.raises(PipelineError, match=r"`fit` changes `m` in place, as a run has shown.*depend on each other"):
        relink(pipeline(cells), {"fit": Learned(frozenset({"m"}))})


@pytest.mark.parametrize(
    ("stage", "name", "changed", "provider"),
    [
        ("load", "m", {}, None),
        ("fit", "m", {}, "load"),
        ("use", "m", {}, "load"),
        ("use", "m", {"fit": Learned(frozenset({"m"}))}, "fit"),
        ("use", "nothing", {}, None),
    ],
)
def test_provider_before_a_stage_is_the_one_in_the_notebook(stage, name, changed, provider):
    assert providers_before(pipeline(CHANGING), stage, changed).get(name) == provider


def test_deleted_name_has_no_provider():
    made = pipeline([("stage:a", "x = 1"), ("stage:b", "del x"), ("stage:c", "print(0)")])
    assert "x" not in providers_before(made, "c", {})


# Properties over made-up notebooks


@st.composite
def notebooks(draw):
    """Stages that each make a name and read, or change, some earlier ones; some declare needs, also forward."""
    count = draw(st.integers(1, 8))
    cells = []
    for number in range(count):
        reads = draw(st.lists(st.integers(0, max(number - 1, 0)), max_size=3, unique=True)) if number else []
        changes = draw(st.booleans()) and reads
        source = [f"v{number} = [{', '.join(f'v{read}' for read in reads)}]"]
        source += [f"v{reads[0]}.append({number})"] if changes else []
        needs = draw(st.lists(st.integers(0, count - 1).filter(lambda n, own=number: n != own), max_size=1))
        cells.append((number, "\n".join(source), tuple(needs)))
    return cells


def as_cells(made, names):
    return [
        (f"stage:{names[number]}", source, {"needs": [names[need] for need in needs]}) for number, source, needs in made
    ]


def order_or_none(made, names):
    cells = as_cells(made, names)
    return None if "SB204" in codes(cells) else order(cells)


@settings(max_examples=150, deadline=None)
@given(notebooks())
def test_order_puts_every_stage_after_those_it_depends_on(made):
    names = [f"s{number}" for number in range(len(made))]
    ordered = order_or_none(made, names)
    if ordered is not None:
        position = {name: index for index, name in enumerate(ordered)}
        assert sorted(ordered) == sorted(names)
        for edge in pipeline(as_cells(made, names)).edges:
            assert position[edge.source] < position[edge.target]


@settings(max_examples=150, deadline=None)
@given(notebooks(), st.randoms(use_true_random=False))
def test_order_does_not_depend_on_what_stages_are_called(made, random):
    names = [f"s{number}" for number in range(len(made))]
    renamed = [f"t{number}" for number in range(len(made))]
    random.shuffle(renamed)
    new_name = dict(zip(names, renamed, strict=True))
    before = order_or_none(made, names)
    after = order_or_none(made, renamed)
    assert after == (before and [new_name[name] for name in before])


@settings(max_examples=100, deadline=None)
@given(notebooks())
def test_notebook_order_is_kept_where_no_need_points_forward(made):
    backward = [(number, source, ()) for number, source, _ in made]
    names = [f"s{number}" for number in range(len(made))]
    assert order(as_cells(backward, names)) == names
