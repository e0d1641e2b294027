"""The store: a folder of blobs named by their content, and of records named by what they are the result of."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from stagebook.errors import CorruptBlobError, StoreError
from stagebook.store.digests import digest_of, digest_of_file

_ABSENT = (FileNotFoundError, NotADirectoryError)


class Store:
    """Blobs and records below one folder. Everything is written to a unique temporary file and renamed into place.

    Args:
        root: the folder; made when first written to.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, content: bytes) -> str:
        """Keep `content` and return its digest."""
        digest = digest_of(content)
        if not self._is_intact(digest):
            with self._writing(self.blob_path(digest)) as temporary:
                temporary.write_bytes(content)
        return digest

    def put_file(self, write: Callable[[Path], bool]) -> str | None:
        """Keep the file that `write` writes to the path it is given, and return its digest.

        Returns:
            None where `write` returns False: nothing is kept then.
        """
        with self._temporary() as temporary:
            if not write(temporary):
                return None
            digest = digest_of_file(temporary)
            self._place(temporary, self.blob_path(digest))
        return digest

    def has(self, digest: str) -> bool:
        """Whether there is a blob of this digest."""
        return self.blob_path(digest).exists()

    def get(self, digest: str) -> bytes:
        """The content of a blob.

        Raises:
            CorruptBlobError: it is missing, or no longer what was written.
        """
        with self._reading(digest):
            content = self.blob_path(digest).read_bytes()
        if digest_of(content) != digest:
            raise self._damaged(digest)
        return content

    def verified_path(self, digest: str) -> Path:
        """The file of a blob, to be mapped, its content checked; errors as for `get`."""
        path = self.blob_path(digest)
        with self._reading(digest):
            found = digest_of_file(path)
        if found != digest:
            raise self._damaged(digest)
        return path

    def blob_path(self, digest: str) -> Path:
        """Where a blob of this digest is kept."""
        return self.root / "blobs" / digest[:2] / digest[2:]

    def put_record(self, name: str, record: Any) -> None:
        """Keep a record (JSON) under a name such as `results/KEY/1`, in place of what was there."""
        with self._writing(self._record_path(name)) as temporary:
            temporary.write_text(json.dumps(record), encoding="utf-8")

    def record(self, name: str) -> Any:
        """The record of this name, or None where there is none that can be read."""
        try:
            return json.loads(self._record_path(name).read_text(encoding="utf-8"))
        except (*_ABSENT, ValueError):
            return None
        except OSError as error:
            raise self._unreadable(error) from error

    def records(self, folder: str) -> Iterator[Any]:
        """The records in a folder, newest first."""
        found = (self.root / "records" / folder).glob("*.json")
        for path in sorted(found, key=_age_and_name, reverse=True):
            record = self.record(f"{folder}/{path.stem}")
            if record is not None:
                yield record

    def _record_path(self, name: str) -> Path:
        return self.root / "records" / f"{name}.json"

    def _is_intact(self, digest: str) -> bool:
        """Whether the blob is there as it was written: a damaged one is to be replaced, not trusted for its name."""
        try:
            return digest_of_file(self.blob_path(digest)) == digest
        except OSError:
            return False

    @contextmanager
    def _reading(self, digest: str) -> Iterator[None]:
        try:
            yield
        except _ABSENT:
            raise CorruptBlobError(f"The store {self.root} has lost the blob {digest}.") from None
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> StoreError:
        return StoreError(f"The store {self.root} cannot be read: {error.strerror or error}.")

    def _damaged(self, digest: str) -> CorruptBlobError:
        return CorruptBlobError(f"The blob {digest} in the store {self.root} is damaged: its content has changed.")

    @contextmanager
    def _writing(self, target: Path) -> Iterator[Path]:
        with self._temporary() as temporary:
            yield temporary
            self._place(temporary, target)

    @contextmanager
    def _temporary(self) -> Iterator[Path]:
        """A path of its own below the store, gone afterwards; an operating system's error becomes a StoreError."""
        folder = self.root / "tmp"
        temporary = folder / uuid.uuid4().hex
        try:
            self._prepare(folder)
            yield temporary
        except OSError as error:
            raise StoreError(f"The store {self.root} cannot be written: {error.strerror or error}.") from error
        finally:
            with suppress(OSError):  # no such folder, say: the error above tells it
                temporary.unlink()

    def _prepare(self, folder: Path) -> None:
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
            (self.root / ".gitignore").write_text("*\n", encoding="utf-8")

    def _place(self, temporary: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(target)


def _age_and_name(path: Path) -> tuple[int, str]:
    try:
        return (path.stat().st_mtime_ns, path.name)
    except FileNotFoundError:  # removed by another run since it was listed
        return (0, path.name)
