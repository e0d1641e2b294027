"""What a comparison of two tables comes to: frozen values, which `card` and `drifttext` show."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from stagebook.book.drifting import MIME

Kind = Literal["numeric", "category", "text", "moment", "none"]
"""What a column holds: numbers, a few values, texts that are rarely the same, points in time; none of these."""
KINDS: tuple[Kind, ...] = ("numeric", "category", "text", "moment")

Role = Literal["feature", "target", "prediction"]


@dataclass(frozen=True, slots=True)
class Side:
    """A column on one side.

    Attributes:
        rows: in which it has a value.
        missing: share of the rows in which it has none, from 0 to 1.
        told: its centre and spread, its range, or its most frequent value, in words.
        shares: the share of its values in each of the bars of `ColumnDrift.bars`.
    """

    rows: int
    missing: float
    told: str = ""
    shares: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """What a test says of one column.

    Attributes:
        name: the column's.
        kind: what it was taken for.
        role: what it is to the model.
        drifted: whether its distribution has changed by more than the threshold allows; False where it is not tested.
        method: the test; empty where it is not tested.
        score: what the test gives: a distance, which grows with drift, or a p-value, which falls.
        threshold: the score at which drift begins.
        note: why it is not tested, or what about the test one should know.
        sampled: whether the score is of a sample of the rows.
        reference: the column before.
        current: the column now.
        bars: names of the bars of a picture of both: values, or ranges of numbers.
    """

    name: str
    kind: Kind
    role: Role = "feature"
    drifted: bool = False
    method: str = ""
    score: float | None = None
    threshold: float | None = None
    note: str = ""
    sampled: bool = False
    reference: Side = Side(0, 0.0)
    current: Side = Side(0, 0.0)
    bars: tuple[str, ...] = ()

    @property
    def excess(self) -> float:
        """How far beyond the threshold the score is: 1 at it, more beyond it; 0 where there is no score."""
        if self.score is None or not self.threshold:
            return 0.0
        if is_distance(self.method):
            return self.score / self.threshold
        return min(self.threshold / max(self.score, 1e-300), 1e6)


@dataclass(frozen=True, slots=True)
class Issue:
    """Something about the data's quality.

    Attributes:
        column: where it is; empty for the table as a whole.
        told: what it is, in a sentence.
    """

    column: str
    told: str


@dataclass(frozen=True, slots=True)
class Performance:
    """How good the predictions are, on both sides.

    Attributes:
        task: what is predicted: classes or numbers.
        reference: metrics before, by name; empty where labels are missing.
        current: metrics now.
    """

    task: Literal["classification", "regression"]
    reference: Mapping[str, float]
    current: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Drift(Mapping[str, Any]):
    """Two tables compared. As a mapping it holds the numbers that are worth recording: `metrics=drift` records them.

    Attributes:
        reference: what the data was before: a name, a file, a model version.
        current: what it is now.
        reference_rows: rows of it.
        current_rows: rows of it.
        columns: every column of either side, those that drifted first, the worst first.
        issues: what is wrong with the data itself.
        performance: of the predictions, where labels are there.
        limit: the share of drifted columns from which on the table as a whole has drifted.
        sample: rows that were looked at first, where there are more.
        report: where Evidently's report is, as an address relative to who shows this; empty for none.
    """

    reference: str
    current: str
    reference_rows: int
    current_rows: int
    columns: tuple[ColumnDrift, ...]
    issues: tuple[Issue, ...] = ()
    performance: Performance | None = None
    limit: float = 0.5
    sample: int = 0
    report: str = ""

    @property
    def tested(self) -> tuple[ColumnDrift, ...]:
        """The columns that have a score."""
        return tuple(column for column in self.columns if column.score is not None)

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """The columns that have drifted, the worst first."""
        return tuple(column for column in self.columns if column.drifted)

    @property
    def share(self) -> float:
        """The share of drifted features among those tested, from 0 to 1."""
        features = [column for column in self.tested if column.role == "feature"]
        return sum(column.drifted for column in features) / len(features) if features else 0.0

    @property
    def detected(self) -> bool:
        """Whether the table as a whole has drifted: enough of its features, the target, or the prediction."""
        others = any(column.drifted for column in self.columns if column.role != "feature")
        return others or (self.share >= self.limit and any(column.drifted for column in self.columns))

    @property
    def verdict(self) -> str:
        """What came of it, in two words; where nothing could be tested there is no verdict."""
        return "Drift" if self.detected else "No drift" if self.tested else "No verdict"

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values, which JSON can hold."""
        return {**json.loads(json.dumps(asdict(self))), "share": self.share, "detected": self.detected}

    def _numbers(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "share": self.share,
            "columns": float(len(self.drifted)),
            "detected": float(self.detected),
            "score": {column.name: column.score for column in self.tested},
        }
        if self.performance is not None:
            found["performance"] = dict(self.performance.current)
        return found

    def __getitem__(self, key: str) -> Any:
        return self._numbers()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers())

    def __len__(self) -> int:
        return len(self._numbers())

    def __hash__(self) -> int:
        return hash((self.reference, self.current, self.columns))

    def __repr__(self) -> str:
        told = f"{self.verdict.lower()}, {len(self.drifted)} of {len(self.tested)} columns"
        return f"<Drift: {told}, {self.reference} -> {self.current}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {MIME: self.to_json()}

    def _repr_html_(self) -> str:
        from stagebook.drift.card import card  # it stands on this file

        return card(self)


def is_distance(method: str) -> bool:
    """Whether a test's score grows with drift; a p-value falls."""
    return method.endswith("distance")
