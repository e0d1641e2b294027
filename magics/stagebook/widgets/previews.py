"""Values at a glance: the head of a table, the shape of an array, the beginning of what Python writes of the rest.

All of it is text. Values come from the store into a copy of the namespace, and are gone afterwards.
"""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from stagebook.book.drifting import MIME
from stagebook.book.hidden import is_hidden
from stagebook.drift.card import score_told, summary
from stagebook.drift.result import Drift
from stagebook.run.kept import KeptValues
from stagebook.store.blobs import Store
from stagebook.store.manifests import manifest
from stagebook.store.references import ValueRef
from stagebook.text import size_text

Preview = dict[str, Any]
"""What the browser is given of a value: `name`, `type`, `about` in a line; `text`, or `heads` and `rows`."""

LARGEST = 200_000_000
"""Bytes up to which a value is loaded for a preview."""

_ROWS, _COLUMNS = 6, 8
_LETTERS, _CELL = 600, 40
_MOST_FIGURES = 12
_MOST_DRIFTED = 12

_short = reprlib.Repr()
_short.maxlist = _short.maxtuple = _short.maxset = _short.maxfrozenset = _short.maxdict = 8
_short.maxstring = _short.maxother = _short.maxlong = _LETTERS


def previews_of(kept: KeptValues, namespace: Mapping[str, Any]) -> list[Preview]:
    """The values that a stage has kept, each at a glance; of what cannot be loaded here, why.

    Args:
        kept: what there is.
        namespace: where functions and classes of the notebook's setup are found; it is left as it is.
    """
    values = sorted(kept.values.items())
    shown = [_preview(name, ref, kept.store, dict(namespace)) for name, ref in values if not is_hidden(name)]
    gone = [
        {"name": name, "type": "", "about": f"could not be stored: {why}"}
        for name, why in sorted(kept.unstorable.items())
        if not is_hidden(name)
    ]
    return [*shown, *gone]


def _preview(name: str, ref: ValueRef, store: Store, namespace: dict[str, Any]) -> Preview:
    from stagebook.store.values import load

    size = _stored_size(ref, store)
    known = {"name": name, "type": ref.type}
    if size is not None and size > LARGEST:
        return {**known, "about": f"{size_text(size)}: too large to be looked at here. Load it."}
    try:
        value = load([ref], store, namespace=namespace)[ref.name]
        return {**known, **preview_of(value)}
    except Exception as error:  # loading and writing a value runs code of its class, which may need what is not here
        why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return {**known, "about": f"cannot be shown without the notebook's setup cells ({_cut(why, 120)})"}


def _stored_size(ref: ValueRef, store: Store) -> int | None:
    """The bytes that a value and those it is entangled with take in a store on this machine."""
    if not store.is_local:
        return None
    paths = [store.blob_path(digest) for digest in (ref.bundle, *manifest(store, ref.bundle).parts)]
    return sum(path.stat().st_size for path in paths if path.exists())


def preview_of(value: Any) -> Preview:
    """The value at a glance."""
    module = type(value).__module__.partition(".")[0]
    name = type(value).__name__
    if module == "pandas" and name in ("DataFrame", "Series"):
        return _frame(value.to_frame() if name == "Series" else value)
    if module == "polars" and name in ("DataFrame", "Series"):
        return _polars(value.to_frame() if name == "Series" else value)
    if "numpy" in sys.modules and isinstance(value, sys.modules["numpy"].ndarray) and value.shape:
        return _array(value)
    if isinstance(value, Drift):
        return _drift(value)
    if module == "numpy" and hasattr(value, "item"):
        value = value.item()
    about = f"{len(value):,} long" if isinstance(value, (str, bytes, list, tuple, dict, set, frozenset)) else ""
    return {"about": about, "text": _cut(_short.repr(value), _LETTERS)}


def _frame(frame: Any) -> Preview:
    head = frame.iloc[:_ROWS, :_COLUMNS]
    about = f"{len(frame):,} rows, {frame.shape[1]} columns · {size_text(int(frame.memory_usage().sum()))}"
    heads = ["", *(_cell(column) for column in head.columns)]
    kinds = ["", *(str(kind) for kind in head.dtypes)]
    rows = [[_cell(at), *map(_cell, row)] for at, row in zip(head.index, head.itertuples(index=False), strict=True)]
    return _table(heads, kinds, rows, about=about, more=frame.shape[1] > _COLUMNS)


def _polars(frame: Any) -> Preview:
    head = frame.head(_ROWS)
    names = head.columns[:_COLUMNS]
    about = f"{frame.height:,} rows, {frame.width} columns · {size_text(int(frame.estimated_size()))}"
    rows = [[_cell(value) for value in row[:_COLUMNS]] for row in head.rows()]
    kinds = [str(kind) for kind in head.dtypes[:_COLUMNS]]
    return _table([_cell(name) for name in names], kinds, rows, about=about, more=frame.width > _COLUMNS)


def _table(heads: list[str], kinds: list[str], rows: list[list[str]], *, about: str, more: bool) -> Preview:
    end = ["…"] if more else []
    return {
        "about": about,
        "heads": heads + end,
        "kinds": kinds + [""] * len(end),
        "rows": [row + end for row in rows],
    }


def _array(array: Any) -> Preview:
    shape = " by ".join(map(str, array.shape)) if array.ndim > 1 else f"{array.size:,} values"
    about = f"{shape} · {array.dtype} · {size_text(array.nbytes)}"
    first = ", ".join(_cell(one) for one in islice(array.flat, _ROWS))
    return {"about": about, "text": f"{first}{', …' if array.size > _ROWS else ''}"}


def _drift(drift: Drift) -> Preview:
    columns = drift.columns[:_MOST_DRIFTED]
    heads = ["column", "drifted", "score", "before", "now"]
    rows = [
        [
            _cell(one.name),
            "yes" if one.drifted else "no",
            score_told(one) or one.note,
            one.reference.told,
            one.current.told,
        ]
        for one in columns
    ]
    about = f"{drift.verdict}: {summary(drift)} · {drift.reference} to {drift.current}"
    return _table(heads, ["", "", "", "", ""], rows, about=about, more=False)


def _cell(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return _cut(" ".join(text.split()), _CELL)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def cards_of(cells: Sequence[Sequence[Mapping[str, Any]]]) -> list[str]:
    """The cards of comparisons that cells have put out, as HTML, the first of them."""
    found = [
        "".join(output["data"]["text/html"])
        for outputs in cells
        for output in outputs
        if {MIME, "text/html"} <= output.get("data", {}).keys()
    ]
    return found[:_MOST_FIGURES]


def figures_of(cells: Sequence[Sequence[Mapping[str, Any]]]) -> list[str]:
    """The pictures that cells have put out, as base64 of PNG, the first of them."""
    found = [
        "".join(output["data"]["image/png"]).strip()
        for outputs in cells
        for output in outputs
        if "image/png" in output.get("data", {})
    ]
    return found[:_MOST_FIGURES]
