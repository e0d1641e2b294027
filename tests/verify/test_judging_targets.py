"""What differs between two runs, told in a line; and how targets count that did not run. No kernel, no process."""

from __future__ import annotations

import math
import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from notebooks_factory import notebook

from stagebook.book.pipeline import pipeline_of
from stagebook.export.functions import functions_of
from stagebook.export.wiring import wiring_of
from stagebook.verify.api import Column, Verification
from stagebook.verify.judging import Verdict, judged, unsteady_in
from stagebook.verify.results import StageTold, stage_from_json, stage_to_json
from stagebook.verify.targets.kedro import with_failure
from stagebook.verify.telling import value_told
from stagebook.verifytext import verification_text


def done(metrics=None, **values):
    """A stage that has made these values."""
    told = StageTold("done", values={name: value_told(one) for name, one in values.items()}, metrics=metrics or {})
    assert stage_from_json(stage_to_json(told)) == told
    return told


def verdict(plain, other, **options):
    """The verdict on one stage."""
    return judged({"a": plain}, {"a": other}, **{"by_name": False, **options})["a"]


FRAME = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": ["a", "b", "c"]})
CASES = [
    (1, 1.0, "builtins.float 1.0; in the plain run builtins.int 1"),
    (True, 1, "builtins.int 1; in the plain run builtins.bool True"),
    ([1, {"a": 2}], [1, {"a": 3}], "[1, {'a': 3}]; in the plain run [1, {'a': 2}]"),
    (FRAME, FRAME.assign(x=[1.0, 2.5, 3.0]), "column `x`: at 1, 2.5; in the plain run 2.0"),
    (FRAME, FRAME.iloc[:2], "DataFrame 2 x 2; in the plain run DataFrame 3 x 2"),
    (FRAME, FRAME.assign(y=["a", "b", "d"]), "column `y`: Series 3"),
    (np.zeros(3), np.array([0, 0, 1.0]), "at 2, 1.0; in the plain run 0.0"),
    (np.zeros(3), np.zeros(3, "f4"), "ndarray 3 float32; in the plain run ndarray 3 float64"),
    (np.array([0.3]), np.array([0.1 + 0.2]), "in the last digits"),
    ({"a": [1] * 200, "b": 0}, {"a": [1] * 199 + [2], "b": 0}, "entry 'a': list of 200, of another content"),
    ({"z", "a"}, {"z", "b"}, "{"),
]


@pytest.mark.parametrize(("plain", "other", "told"), CASES, ids=range(len(CASES)))
def test_a_difference_is_told_in_a_line(plain, other, told):
    assert verdict(done(x=plain), done(x=plain)).word == "same"
    found = verdict(done(x=plain), done(x=other))
    (one,) = found.differences
    assert (found.word, one.name) == ("different", "x")
    assert told in one.told
    assert "\n" not in one.told


def test_metrics_are_compared_to_the_last_bit_and_one_that_is_missing_is_a_difference():
    plain = done({"auc": 0.3, "nan": float("nan")})
    assert verdict(plain, done({"auc": 0.3, "nan": float("nan")})).compared == 2
    assert "(in the last digits" in verdict(plain, done({"auc": 0.1 + 0.2, "nan": 1.0})).differences[0].told
    assert [one.name for one in verdict(plain, done({"auc": 0.3})).differences] == ["metric nan"]


def test_values_without_a_digest_are_not_comparable_and_so_is_what_the_plain_run_does_not_have():
    generator = (one for one in ())
    found = verdict(done(x=generator, y=1), done(x=generator, y=1, z=2))
    assert (found.word, found.compared, sorted(found.uncomparable)) == ("same", 1, ["x", "z"])
    assert verdict(done(x=generator), done(x=generator)).word == "not comparable"
    assert verdict(done(), done()).word == "ran"


def test_a_module_is_the_same_by_its_name():
    assert verdict(done(x=math), done(x=math)).word == "same"
    assert verdict(done(x=math), done(x=pickle)).word == "different"


def test_what_a_pickle_says_of_the_notebooks_classes_is_the_same_under_another_modules_name(monkeypatch):
    def told(own, letter):
        module = types.ModuleType(own)
        exec("class Clip:\n    pass", vars(module))
        monkeypatch.setitem(sys.modules, own, module)
        return StageTold("done", values={"x": value_told(pickle.dumps([module.Clip(), letter]), (own,))})

    plain = told("a_notebook", "a")
    found = verdict(plain, told("another_notebook", "a"), by_name=True)
    assert (found.word, found.by_name) == ("same", ("Clip",))
    assert verdict(plain, told("another_notebook", "a")).word == "different"
    assert verdict(plain, told("another_notebook", "b"), by_name=True).word == "different"


def test_what_became_of_a_stage_counts():
    failed = StageTold("failed", "cell 3: ValueError: no")
    assert verdict(failed, StageTold("failed", "ValueError: no")).word == "same"
    assert verdict(failed, StageTold("failed", "ImportError: no")).word == "different"
    assert verdict(done(x=1), StageTold("skipped")).differences[0].told == "skipped; in the plain run done"
    assert verdict(StageTold("not run"), done(x=1)).word == "not compared"
    assert judged({"a": done(x=1)}, {}, by_name=False)["a"].word == "different"


def test_a_node_that_makes_nothing_has_failed_where_kedro_says_so_and_else_is_done_if_it_does():
    document = notebook([("stage:a", "x = 1"), ("stage:b", "1 / (x - 1)"), ("stage:c", "print(x)")])
    pipeline = pipeline_of(document, Path("notebook.ipynb"))
    wiring = wiring_of(pipeline, functions_of(pipeline, document, displays="drop"))
    told = {name: StageTold("done") for name in "abc"}
    output = "Completed node: a\nNode b: b([x]) -> None failed with error:\ndivision by zero\n"
    found = with_failure(told, wiring, "ZeroDivisionError: division by zero", output)
    assert {name: one.state for name, one in found.items()} == {"a": "done", "b": "failed"}
    found = with_failure(told, wiring, "RuntimeError: The gate of stage", "Completed node: c\n")
    assert found.keys() == {"a", "c"}


def test_what_differs_between_two_plain_runs_is_no_difference_under_that_name_alone():
    unsteady = unsteady_in({"a": done({"m": 1.0}, x=1, y=1)}, {"a": done({"m": 2.0}, x=2, y=1)})
    assert unsteady == {("a", "x"), ("a", "metric m")}
    found = verdict(done(x=1, y=1), done(x=3, y=2), unsteady=unsteady)
    assert (found.word, found.varies, [one.name for one in found.differences]) == ("different", ("x",), ["y"])
    assert verdict(done(x=1), done(x=3), unsteady=unsteady).word == "varies"


def verification(*columns):
    return Verification(Path("n.ipynb"), {"a": "done"}, columns, 1.0, again=False)


def test_what_did_not_run_is_shown_and_counts_where_it_was_named_or_by_strict():
    ran = Column("local", "ran", stages={"a": Verdict("same", 2)})
    absent, refused = Column("kedro", "not here", "install it"), Column("python", "refused", "Cell 1, line 1")
    found = verification(ran, absent, refused)
    assert found.same()
    assert not found.same(strict=True)
    lines = [" ".join(line.split()) for line in verification_text(found).splitlines()]
    assert lines[:2] == ["stage plain run local kedro python", "a done same (2) not here refused"]
    assert "python: refused: Cell 1, line 1" in lines
    assert not verification(ran, Column("python", "refused", asked=True)).same()
    assert not verification(ran, Column("kedro", "failed", "it broke")).same()
    assert "Different: kedro." in verification_text(verification(ran, Column("kedro", "failed", "it broke")))
