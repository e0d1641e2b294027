"""Measurements as rows, and how they are kept, so that an interrupted run goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Row:
    """One measurement.

    Attributes:
        session: the session it belongs to.
        situation: cold, nothing changed, ...
        contender: who was measured.
        round: which time; 0 is the rehearsal, which does not count.
        value: seconds, or bytes where memory was watched.
        results: what was printed as the result.
    """

    session: str
    situation: str
    contender: str
    round: int
    value: float
    results: tuple[str, ...] = ()


@dataclass(frozen=True)
class Round:
    """The rows of one round of a session, and who could not finish it, with the reason."""

    rows: tuple[Row, ...]
    failures: dict[str, str] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write to a file that appears when it is complete."""
        path.parent.mkdir(parents=True, exist_ok=True)
        plain = {"rows": [asdict(row) for row in self.rows], "failures": self.failures}
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(plain, indent=1), encoding="utf-8")
        fresh.replace(path)

    @classmethod
    def load(cls, path: Path) -> Round:
        """Read what `save` wrote."""
        plain = json.loads(path.read_text(encoding="utf-8"))
        rows = (Row(**{**row, "results": tuple(row["results"])}) for row in plain["rows"])
        return cls(tuple(rows), plain["failures"])


@dataclass(frozen=True)
class Cell:
    """One cell of the table: who, in which situation of which session."""

    session: str
    situation: str
    contender: str


@dataclass(frozen=True)
class Table:
    """All rows that count."""

    rows: tuple[Row, ...]

    @classmethod
    def of(cls, rounds: Iterable[Round]) -> Table:
        """The rows of these rounds, without the rehearsals'."""
        return cls(tuple(row for one in rounds for row in one.rows if row.round > 0))

    def values(self, cell: Cell) -> dict[int, float]:
        """The cell's measurements, by round."""
        return {row.round: row.value for row in self.rows if _cell(row) == cell}

    def median(self, cell: Cell) -> float | None:
        """Their median, None if there are none."""
        values = self.values(cell).values()
        return median(values) if values else None

    def cells(self) -> list[Cell]:
        """The cells that there are measurements of, in the order in which they were first made."""
        return list(dict.fromkeys(_cell(row) for row in self.rows))


def _cell(row: Row) -> Cell:
    return Cell(row.session, row.situation, row.contender)
