"""Which of the names that stages make are tables, as runs have shown: for exporters that keep them as tables, too."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from stagebook.model import Pipeline
from stagebook.run.kept import last_results
from stagebook.run.request import store_for
from stagebook.store.values import load

if TYPE_CHECKING:
    import pandas as pd

    from stagebook.store.blobs import Store
    from stagebook.store.references import ValueRef


def tables_of(pipeline: Pipeline, *, store: str | Path | None = None) -> tuple[str, ...]:
    """Names that each stage that makes them has last left as a DataFrame that Parquet gives back as it was, sorted.

    Args:
        pipeline: the notebook's.
        store: where results are kept; `.stagebook` beside the notebook by default.
    """
    kept = store_for(pipeline.notebook, store)
    are_tables: dict[str, bool] = {}
    for result in last_results(pipeline, store=store).values():
        for name, ref in result.outputs.items():
            are_tables[name] = are_tables.get(name, True) and ref.type == "DataFrame" and _is_table(name, ref, kept)
    return tuple(sorted(name for name, is_one in are_tables.items() if is_one))


def _is_table(name: str, ref: ValueRef, store: Store) -> bool:
    try:
        value = load([ref], store, namespace={})[name]
    except Exception:  # loading runs code of the classes of all that goes with it
        return False
    return survives_parquet(value)


def survives_parquet(table: pd.DataFrame) -> bool:
    """Whether a table comes back from Parquet as it was: its labels, and columns whose types say what is in them."""
    import pandas as pd

    kinds = [*table.dtypes, table.index.dtype]
    if table.attrs or getattr(table.index, "freq", None) is not None or any(map(pd.api.types.is_object_dtype, kinds)):
        return False
    empty = table.head(0)
    try:
        again = pd.read_parquet(io.BytesIO(empty.to_parquet()))
    except Exception:  # of whatever kind: pandas and Arrow each have their own for what a file cannot hold
        return False
    is_labelled = again.columns.identical(empty.columns) and again.index.identical(empty.index)
    return is_labelled and bool(again.dtypes.equals(empty.dtypes))
