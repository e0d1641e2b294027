"""Our scores beside Evidently's, which chooses a test for each column by itself."""

import json

import numpy as np
import pandas as pd
import pytest

from stagebook.drift.api import drift
from stagebook.drift.result import is_distance

COLUMNS = 12


def tables(rows_before, rows_now, *, seed=0):
    """Two tables whose columns drift in ways and by amounts that differ, some by what is nearly the threshold."""
    rng = np.random.default_rng(seed)

    def side(rows, moved):
        return pd.DataFrame(
            {
                "same": rng.normal(size=rows),
                "moved": rng.normal(moved, 1, rows),
                "nearly": rng.normal(moved / 10, 1, rows),
                "wider": rng.normal(0, 1 + moved / 2, rows),
                "skewed": rng.exponential(1 + moved / 20, rows),
                "gaps": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(moved, 1, rows)),
                "endless": np.where(rng.random(rows) < 0.01, np.inf, rng.normal(size=rows)),
                "few": rng.choice([1.0, 2.0, 3.0], rows, p=[0.5 - moved / 5, 0.3, 0.2 + moved / 5]),
                "two": rng.choice(["yes", "no"], rows, p=[0.5 - moved / 10, 0.5 + moved / 10]),
                "many": rng.choice(list("abcdefghij"), rows),
                "shifted": rng.choice(list("abcd"), rows, p=[0.4 - moved / 5, 0.3, 0.2, 0.1 + moved / 5]),
                "new": rng.choice(list("abc") + (["z"] if moved else []), rows),
            }
        )

    return side(rows_before, 0.0), side(rows_now, 1.0)


def by_evidently(before, now):
    """Score and verdict of every column."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    numbers = [name for name in before.columns if before[name].dtype.kind == "f"]
    definition = DataDefinition(
        numerical_columns=numbers, categorical_columns=[name for name in before.columns if name not in numbers]
    )
    sides = [Dataset.from_pandas(frame, data_definition=definition) for frame in (now, before)]
    found = json.loads(Report([DataDriftPreset()], include_tests=True).run(*sides).json())
    scores = {one["config"]["column"]: one["value"] for one in found["metrics"] if "ValueDrift" in one["metric_name"]}
    failed = {
        one["metric_config"]["params"]["column"]
        for one in found["tests"]
        if one["status"] == "FAIL" and "column" in one["metric_config"]["params"]
    }
    return scores, failed


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::DeprecationWarning")  # Evidently's own
@pytest.mark.parametrize(("rows_before", "rows_now"), [(400, 900), (1000, 1000), (1001, 500), (20_000, 30_000)])
def test_scores_and_verdicts_are_evidentlys(rows_before, rows_now):
    before, now = tables(rows_before, rows_now)
    scores, failed = by_evidently(before, now)
    ours = {column.name: column for column in drift(before, now).columns}
    assert set(ours) == set(scores)
    assert len(scores) == COLUMNS
    for name, column in ours.items():
        assert column.score == pytest.approx(scores[name], rel=1e-6, abs=1e-9), (name, column.method)
    assert {name for name, column in ours.items() if column.drifted} == failed
    assert 0 < len(failed) < COLUMNS


def test_few_rows_are_judged_by_p_values_and_many_by_distances():
    before, now = tables(1000, 1000)
    assert not any(is_distance(column.method) for column in drift(before, now).columns)
    before, now = tables(2000, 1000)
    assert all(is_distance(column.method) for column in drift(before, now).columns if column.name != "gaps")


def test_a_sample_costs_no_verdict():
    before, now = tables(60_000, 60_000, seed=3)
    whole = {column.name: column for column in drift(before, now).columns}
    sampled = {column.name: column for column in drift(before, now, sample=2000).columns}
    assert {name for name, one in whole.items() if one.drifted} == {n for n, one in sampled.items() if one.drifted}
    assert {name for name, one in sampled.items() if one.sampled} > {"same", "moved"}
    near = sampled["nearly"]  # its score is nearly the threshold, so that all rows were asked
    assert not near.sampled
    assert near.score == whole["nearly"].score
