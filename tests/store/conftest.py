from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stagebook.store.blobs import Store
from stagebook.store.values import Kept, keep, load, value_digest

if TYPE_CHECKING:
    from pathlib import Path


class Shelf:
    """Keeps values by name and loads them again; refuses to go on where one could not be stored."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.namespace: dict[str, Any] = {"__name__": "__main__"}

    def keep(self, **values: Any) -> Kept:
        return keep(values, self.store, namespace=self.namespace, setup={})

    def round_trip(self, value: Any) -> Any:
        return self.round_trips(value=value)["value"]

    def round_trips(self, **values: Any) -> dict[str, Any]:
        kept = self.keep(**values)
        assert kept.unstorable == {}
        return load(kept.refs.values(), self.store, namespace={"__name__": "__main__"})

    def digest(self, value: Any) -> str | None:
        return value_digest(value, namespace=self.namespace, setup={})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def shelf(store: Store) -> Shelf:
    return Shelf(store)
