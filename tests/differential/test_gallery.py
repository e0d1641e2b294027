"""Some of scikit-learn's examples give the same as in one plain kernel; `make differential` runs all chosen."""

from __future__ import annotations

import pytest
from tests.differential.gallery import chosen, gallery
from tests.differential.report import as_table
from tests.differential.running import differences, same_environment

SAMPLE = [
    "release_highlights/plot_release_highlights_1_0_0",
    "miscellaneous/plot_estimator_representation",
]
"""They take seconds."""


@pytest.mark.parametrize("name", SAMPLE)
@pytest.mark.timeout(600)
def test_example(name, tmp_path):
    (sample,) = gallery([name])
    with same_environment():
        one = differences(sample, tmp_path / "run", jobs=2)
    assert one.verdict.verdict == "identical", as_table([one])


def test_there_are_enough_examples():
    assert len(chosen()) >= 60
