"""What running a stage brings to light is linked in, and only where it makes a difference."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from notebooks_factory import pipeline

from stagebook.book.relinking import leaves_links, relink
from stagebook.errors import PipelineError
from stagebook.model import Learned

CELLS = [
    ("setup", "import numpy as np, random"),
    ("stage:a", "x = [1]\nopen('out/y', 'w')"),
    ("stage:b", "random.seed(0)\nz = x"),
    ("stage:c", "x.append(2)"),
    ("stage:d", "w = np.random.rand()"),
    ("stage:e", "print(x, w)"),
]
HIDDEN = ["state:random", "state:numpy.random", "setting:pandas", "setting:folder", "file:out/y", "file:out/", "file:q"]
names = st.frozensets(st.sampled_from([*HIDDEN, "process:sys.path", "x", "z"]), max_size=3)
known = st.builds(
    Learned, names, st.frozensets(st.sampled_from(HIDDEN)), st.frozensets(st.just(("x", "z")), max_size=1)
)


def linked(learned):
    try:
        made = relink(pipeline(CELLS), learned)
    except PipelineError as error:
        return str(error)
    return made.inputs, made.needs, made.outputs, made.edges


@given(st.fixed_dictionaries(dict.fromkeys("abcde", known)), st.sampled_from("abcde"), known)
def test_what_leaves_the_links_as_they_are_need_not_be_linked(learned, stage, found):
    now = learned[stage] | found
    if leaves_links(pipeline(CELLS), learned, learned[stage], now):
        assert linked({**learned, stage: now}) == linked(learned)


def test_a_setting_that_nobody_changes_leaves_them_and_one_that_is_changed_does_not():
    used = Learned(used=frozenset({"setting:locale"}))
    changing = {"a": Learned(changed=frozenset({"setting:locale"}))}
    assert leaves_links(pipeline(CELLS), {}, Learned(), used)
    assert not leaves_links(pipeline(CELLS), changing, Learned(), used)
    assert not leaves_links(pipeline(CELLS), {}, Learned(), changing["a"])
