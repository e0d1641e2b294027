"""What a column holds, and its values made fit for a test: no column is refused, each gets a result that is stated."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stagebook.drift.result import Kind

if TYPE_CHECKING:
    import pandas as pd

_FEW_INTEGERS = 10
"""Different whole numbers up to which a column of them is one of categories, as Evidently has it."""
_TEXT_SHARE = 0.5
"""Share of different values from which on texts are no categories."""
_LOOK = 10_000
"""Rows that are enough to tell what types of values a column mixes."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")
"""A date, or a date and a time, as CSV files and requests write them."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A column's values, cleaned.

    Attributes:
        kind: what they are.
        values: those that are there, as floats, texts, booleans or points in time.
        rows: of the column, with those that have no value.
        note: what was done with them that one should know.
    """

    kind: Kind
    values: pd.Series[Any]
    rows: int
    note: str = ""

    @property
    def missing(self) -> float:
        """The share of rows without a value."""
        return 1 - len(self.values) / self.rows if self.rows else 0.0


def prepared(column: pd.Series[Any], *, kind: Kind | None = None) -> Prepared:
    """The column as one of the kinds that can be tested, or `none`.

    Args:
        column: as it comes; infinite numbers count as missing.
        kind: what it is to be taken for; None to go by its type.
    """
    rows = len(column)
    column = _plain(column)
    values = column.dropna()
    if not len(values):
        return Prepared("none", values, rows, "it is empty")
    found, values, note = _typed(values)
    if kind is not None and kind != found:
        found, values, note = _as_told(values, kind, found)
    return Prepared(found, values, rows, note)


def alike(reference: Prepared, current: Prepared) -> tuple[Prepared, Prepared]:
    """Both sides as one kind: where they differ, as that which holds both, and a note says so."""
    if reference.kind == current.kind or "none" in (reference.kind, current.kind):
        return reference, current
    kinds = {reference.kind, current.kind}
    note = f"{reference.kind} before, {current.kind} now"
    if kinds == {"numeric", "category"} and all(_is_numeric(side.values) for side in (reference, current)):
        return _recast(reference, "numeric", note=""), _recast(current, "numeric", note="")
    if kinds <= {"category", "text"}:
        return _recast(reference, "text", note=note), _recast(current, "text", note=note)
    return _recast(reference, "category", note=note), _recast(current, "category", note=note)


def _recast(side: Prepared, kind: Kind, *, note: str) -> Prepared:
    _, values, _ = _as_told(side.values, kind, side.kind)
    return Prepared(kind, values, side.rows, note)


def _plain(column: pd.Series[Any]) -> pd.Series[Any]:
    """The column with numpy's types for numbers, and NaN wherever there is none."""
    import numpy as np
    import pandas as pd

    kind = column.dtype
    if isinstance(kind, pd.CategoricalDtype):
        objects: pd.Series[Any] = column.astype(object).infer_objects()
        return objects
    if pd.api.types.is_bool_dtype(kind):
        flags: pd.Series[Any] = column.astype(object).where(column.notna(), None)
        return flags
    if pd.api.types.is_numeric_dtype(kind) and getattr(kind, "kind", "f") != "c":
        numbers = column.to_numpy(dtype="float64", na_value=np.nan)
        finite = np.isfinite(numbers)
        whole = pd.api.types.is_integer_dtype(kind)
        made = pd.Series(np.where(finite, numbers, np.nan), copy=False)
        made.attrs["whole"] = whole
        return made
    if pd.api.types.is_timedelta64_dtype(kind):
        seconds: pd.Series[Any] = column.dt.total_seconds()
        return seconds
    return column


def _typed(values: pd.Series[Any]) -> tuple[Kind, pd.Series[Any], str]:
    """Kind, values and note, by the values' type."""
    import pandas as pd

    kind = values.dtype
    if getattr(kind, "kind", "") == "c":
        return "none", values, "it holds complex numbers"
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind):
        if values.attrs.get("whole") and values.nunique() <= _FEW_INTEGERS:
            return "category", values, ""
        return "numeric", values, ""
    if pd.api.types.is_datetime64_any_dtype(kind) or isinstance(kind, pd.PeriodDtype):
        return "moment", values, ""
    return _objects(values)


def _objects(values: pd.Series[Any]) -> tuple[Kind, pd.Series[Any], str]:
    """Texts, booleans, numbers in a column of objects, or a mixture of them."""
    import pandas as pd

    types = values if pd.api.types.is_string_dtype(values.dtype) and values.dtype != object else None
    met = ["str"] if types is not None else sorted({type(one).__name__ for one in values.iloc[:_LOOK]})
    if met == ["bool"]:
        return "category", values, ""
    if met in (["Decimal"], ["Fraction"], ["float"], ["int"], ["float", "int"]):
        return "numeric", values.astype(float), ""
    if met in (["date"], ["Timestamp"], ["datetime"]):
        return "moment", pd.to_datetime(values), ""
    note = ""
    if met != ["str"]:
        if not set(met) <= {"str", "int", "float", "bool", "Decimal"}:
            return "none", values, f"it holds {', '.join(met[:3])}"
        note = f"it mixes {', '.join(met[:4])}; compared as text"
        values = values.map(str)
    else:
        moments = _moments(values)
        if moments is not None:
            return "moment", moments, ""
    different = values.nunique()
    if different > _TEXT_SHARE * len(values) and different > _FEW_INTEGERS:
        return "text", values, note
    return "category", values, note


def _moments(texts: pd.Series[Any]) -> pd.Series[Any] | None:
    """Texts that are all points in time (ISO 8601) as such; None where one is not."""
    import pandas as pd

    if not _MOMENT.fullmatch(texts.iloc[0]):
        return None
    found: pd.Series[Any] = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True)
    return found if found.notna().all() else None


def _as_told(values: pd.Series[Any], kind: Kind, found: Kind) -> tuple[Kind, pd.Series[Any], str]:
    """The values as a person wants them taken, if they can be."""
    import pandas as pd

    if kind == "numeric":
        numbers = pd.to_numeric(values, errors="coerce").astype(float)
        if numbers.notna().all():
            return "numeric", numbers, ""
        return found, values, "it is not all numbers"
    if kind == "moment":
        moments = pd.to_datetime(values, errors="coerce", format="mixed") if found != "numeric" else values
        if found != "numeric" and moments.notna().all():
            return "moment", moments, ""
        return found, values, "it is not all points in time"
    texts = values if found in ("category", "text") and kind == "category" else values.map(str)
    return kind, texts, ""


def _is_numeric(values: pd.Series[Any]) -> bool:
    import pandas as pd

    return pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype)
