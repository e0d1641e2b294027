"""The tests: the ones that Evidently chooses by default, by the same rule, of values that are cleaned already.

Rule and thresholds are those of Evidently 0.7 ("Data drift algorithm" in its documentation): up to 1,000 rows before,
p-values at 0.05 (Kolmogorov-Smirnov; chi-square, and for two values the Z-test of proportions); above, distances at 0.1
(Wasserstein's over the standard deviation before; Jensen-Shannon's). Our tests hold both to the same scores.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stagebook.drift.result import is_distance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

Counts = Mapping[Hashable, int]
"""How often each value is met."""

FEW_ROWS = 1000
"""Rows before up to which a p-value is asked for: with more, the smallest difference is significant."""
FEW_VALUES = 5
"""Different numbers up to which a column of numbers is tested as one of categories."""

KS = "Kolmogorov-Smirnov p-value"
CHI_SQUARE = "chi-square p-value"
Z = "Z-test p-value"
WASSERSTEIN = "Wasserstein distance"
JENSEN_SHANNON = "Jensen-Shannon distance"

_P_VALUE = 0.05
_DISTANCE = 0.1
_LEAST_SPREAD = 0.001


@dataclass(frozen=True, slots=True)
class Score:
    """What a test gives: its name, its value, the threshold, and whether that is passed."""

    method: str
    value: float
    threshold: float
    drifted: bool


def numeric_score(reference: Numbers, current: Numbers, *, threshold: float | None = None) -> Score:
    """Test numbers of which there are more than `FEW_VALUES` different ones.

    Args:
        reference: finite numbers, at least one.
        current: the same.
        threshold: where drift begins; None for the method's own.
    """
    from scipy import stats

    if len(reference) <= FEW_ROWS:
        return _score(KS, float(stats.ks_2samp(reference, current)[1]), threshold)
    spread = max(float(reference.std()), _LEAST_SPREAD)
    return _score(WASSERSTEIN, float(stats.wasserstein_distance(reference, current)) / spread, threshold)


def count_score(reference: Counts, current: Counts, *, threshold: float | None = None) -> Score:
    """Test values by how often each is met.

    Args:
        reference: counts, of at least one value.
        current: the same.
        threshold: where drift begins; None for the method's own.
    """
    keys = sorted({*reference, *current}, key=lambda key: (type(key).__qualname__, str(key)))
    before, now = ([side.get(key, 0) for key in keys] for side in (reference, current))
    if sum(before) > FEW_ROWS:
        return _score(JENSEN_SHANNON, _jensen_shannon(before, now), threshold)
    if len(keys) > 2:
        return _score(CHI_SQUARE, _chi_square(before, now), threshold)
    return _score(Z, _proportions(before, now), threshold)


def _score(method: str, value: float, threshold: float | None) -> Score:
    limit = threshold if threshold is not None else (_DISTANCE if is_distance(method) else _P_VALUE)
    if is_distance(method):
        return Score(method, value, limit, value >= limit)
    return Score(method, value, limit, value <= limit if method == KS else value < limit)


def _jensen_shannon(before: list[int], now: list[int]) -> float:
    from scipy.spatial.distance import jensenshannon

    found = float(jensenshannon(before, now))  # it divides by the sums
    return 0.0 if math.isnan(found) else found  # the root of less than nothing, by rounding


def _chi_square(before: list[int], now: list[int]) -> float:
    """The p-value of the counts now, where those before say what is expected; 0 where a value is new."""
    import numpy as np
    from scipy.stats import chi2

    expected = np.asarray(before) * (sum(now) / sum(before))
    if not expected.all():
        return 0.0
    statistic = float((((np.asarray(now) - expected) ** 2) / expected).sum())
    return float(chi2.sf(statistic, len(before) - 1))


def _proportions(before: list[int], now: list[int]) -> float:
    """The p-value of the share of the first of two values."""
    from scipy.stats import norm

    first, second = sum(before), sum(now)
    pooled = (before[0] + now[0]) / (first + second)
    if pooled in (0, 1):
        return 1.0
    gap = before[0] / first - now[0] / second
    return float(2 * norm.sf(abs(gap) / math.sqrt(pooled * (1 - pooled) * (1 / first + 1 / second))))


def different(values: Any) -> int:
    """How many different values an array holds."""
    import pandas as pd

    return len(pd.unique(values))
