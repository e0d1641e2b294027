"""A search proposes the same points whether or not it was interrupted, and learns only from values that still hold."""

from __future__ import annotations

import pytest

from stagebook.errors import StoreError
from stagebook.run.search import Search
from stagebook.run.sweep import Axis, Objective, Range

AXES = (
    Range("depth", 2, 10, whole=True),
    Range("lr", 0.001, 0.1, log=True),
    Axis("kind", ("a", [1, 2], True, 1)),
    Axis("seed", (3,)),
)


@pytest.fixture
def search(tmp_path):
    """Ask for so many points, telling what each is worth; give what was asked for."""

    def run(trials, *, until=None, worth=lambda point: point["depth"] * point["lr"], seed=0, axes=AXES):
        one = Search(axes, Objective("m", "maximize"), trials=trials, seed=seed, file=tmp_path / "study.db")
        asked = []
        try:
            while (point := one.next()) is not None:
                asked.append(dict(point.parameters))
                if len(asked) == until:
                    break  # killed before it could tell
                one.told(point.number, worth(point.parameters))
        finally:
            one.close()
        return asked

    return run


def test_an_interrupted_search_goes_on_as_if_it_had_not_been(search, tmp_path):
    whole = search(16)
    (tmp_path / "study.db").unlink()
    assert search(16, until=5) == whole[:5]
    assert search(16, until=13) == whole[:13]
    assert search(16) == whole


def test_points_are_within_their_ranges_and_of_the_right_types(search):
    for point in search(12):
        assert type(point["depth"]) is int
        assert 2 <= point["depth"] <= 10
        assert 0.001 <= point["lr"] <= 0.1
        assert any(type(point["kind"]) is type(one) and point["kind"] == one for one in ("a", [1, 2], True, 1))
        assert point["seed"] == 3


def test_more_trials_go_on_after_those_it_had_and_fewer_are_its_first(search):
    six = search(6)
    assert search(8)[:6] == six
    assert search(4) == six[:4]
    assert search(9)[:6] == six


def test_it_learns_from_what_is_told_now_not_from_what_was_told_before(search, tmp_path):
    search(12, worth=lambda point: -point["depth"])
    after = search(16, worth=lambda point: point["depth"])
    (tmp_path / "study.db").unlink()
    assert search(16, worth=lambda point: point["depth"])[:10] == after[:10]  # until then, chance alone chose
    import optuna

    study = optuna.load_study(study_name="study", storage=f"sqlite:///{tmp_path}/study.db")
    assert study.best_value == max(trial.params["depth"] for trial in study.trials)


def test_points_that_failed_do_not_end_it(search):
    assert len(search(6, worth=lambda point: None if point["depth"] > 5 else 1.0)) == 6


def test_a_study_that_cannot_be_read_is_told(search, tmp_path):
    (tmp_path / "study.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="study.db cannot be used: .* Remove it to begin anew."):
        search(2)
