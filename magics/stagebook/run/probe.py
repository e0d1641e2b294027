"""Whether stages will find the store: seen before anything runs, by a record that is written here and read there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from stagebook.errors import StagebookError, StoreError
from stagebook.store.blobs import Store, is_url


@contextmanager
def probe(location: str) -> Iterator[str]:
    """The name of a record that is in the store as long as this is open.

    Args:
        location: the store's.

    Raises:
        StoreError: the store cannot be written.
    """
    store, name = Store.at(location), f"probes/{uuid.uuid4().hex}"
    store.put_record(name, {})
    try:
        yield name
    finally:
        with suppress(StoreError):  # it is there, which is what was asked; one more small file does no harm
            store.remove(f"records/{name}.json")


def unread(location: str, name: str) -> str:
    """Why a probe cannot be read here, as a person may read it; nothing where it can be.

    Args:
        location: the store's.
        name: the probe's.
    """
    try:
        found = Store.at(location).record(name)
    except StagebookError as error:
        return str(error)
    return "" if found is not None else "what was written to it just now is not there"


def check_written(location: str, seen: set[str]) -> None:
    """See that a store that is not this machine's can be written, which would else be told when a stage is over.

    Args:
        location: the store's.
        seen: stores that have been looked at; this one is one of them afterwards.

    Raises:
        StoreError: it cannot be.
    """
    if is_url(location) and location not in seen:
        with probe(location):
            seen.add(location)
