"""Which bundles this user's runs have put into a store, and what each needs: signed, checked before it is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stagebook.errors import UnsignedBlobError
from stagebook.signing import is_signed, signed
from stagebook.store.blobs import Store


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle needs.

    Attributes:
        parts: digests of the blobs that its pickle refers to.
        bundles: digests of the bundles that it takes values from.
    """

    parts: frozenset[str]
    bundles: frozenset[str]


def put_bundle(store: Store, content: bytes, *, parts: Iterable[str] = (), bundles: Iterable[str] = ()) -> str:
    """Keep a bundle's pickle, sign for it and return its digest."""
    digest = store.put(content)
    name = manifest_name(digest)
    store.put_record(name, signed(name, {"parts": sorted(parts), "bundles": sorted(bundles)}))
    return digest


def manifest(store: Store, bundle: str) -> Manifest:
    """What the bundle needs.

    Raises:
        UnsignedBlobError: it is none that was signed with this user's key.
    """
    name = manifest_name(bundle)
    record = store.record(name)
    if not is_signed(name, record):
        cause = "is not signed" if record is None else "is signed with another key, or its manifest was changed"
        raise UnsignedBlobError(
            f"The blob {bundle} in the store {store.shown} {cause}: it may run anybody's code, and is not loaded. "
            f"Have it made again, or share the key of those who made it (STAGEBOOK_KEY_FILE)."
        )
    return Manifest(frozenset(record["parts"]), frozenset(record["bundles"]))


def is_loadable(store: Store, bundle: str) -> bool:
    """Whether the bundle is signed and there with all that it needs; whether they are intact is seen on loading."""
    try:
        needs = manifest(store, bundle)
    except UnsignedBlobError:
        return False
    return all(store.has(one) for one in (bundle, *needs.parts)) and all(
        is_loadable(store, one) for one in needs.bundles
    )


def manifest_name(bundle: str) -> str:
    """The name of the record that signs for a bundle."""
    return f"manifests/{bundle[:2]}/{bundle[2:]}"
