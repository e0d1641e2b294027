"""The store: blobs named by their content, and records named by what they are the result of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from stagebook.errors import CorruptBlobError, StoreError
from stagebook.store.digests import digest_of, digest_of_big, digest_of_file
from stagebook.store.folders import Folder, LocalFolder, StoredFile
from stagebook.store.maps import PrivateMap, private_memory
from stagebook.store.sinks import HashingSink

_ABSENT = (FileNotFoundError, NotADirectoryError)
_T = TypeVar("_T")


class Store:
    """Blobs and records in one folder, here or elsewhere; what is written is there as a whole or not at all.

    Args:
        folder: where; made when first written to.
    """

    def __init__(self, folder: Path | Folder) -> None:
        self._folder: Folder = LocalFolder(folder) if isinstance(folder, Path) else folder

    @classmethod
    def at(cls, location: str | Path) -> Store:
        """The store in a folder of this machine, or at a URL that fsspec understands.

        Raises:
            UsageError: there is no such file system, or its package is not installed.
        """
        text = str(location)
        if not is_url(text):
            return cls(Path(location).expanduser().absolute())
        from stagebook.store.remote import RemoteFolder, local_path

        path = local_path(text)
        return cls(RemoteFolder(text) if path is None else path)

    @property
    def location(self) -> str:
        """What `Store.at` finds it by, on any machine that reaches it."""
        return self._folder.location

    @property
    def shown(self) -> str:
        """What it is called in messages: its location, without a password."""
        return self._folder.shown

    @property
    def root(self) -> Path:
        """The folder on this machine that holds the blobs, or copies of them."""
        return self._folder.root

    @property
    def home(self) -> Path:
        """The folder on this machine for what is about the store: locks and memories."""
        return self._folder.home

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return self._folder.is_local

    def put(self, content: bytes) -> str:
        """Keep `content` and return its digest; what is there under it is replaced, as it might be damaged or old."""
        digest = digest_of(content)
        with self._writing():
            self._write(content, _blob(digest))
        return digest

    def put_file(self, write: Callable[[Path], bool]) -> str | None:
        """Keep the file that `write` writes to the path it is given, and return its digest.

        Returns:
            None where `write` returns False: nothing is kept then.
        """
        with self._writing(), self._folder.new_file() as file:
            if not write(file):
                return None
            digest = digest_of_file(file)
            self._folder.place(file, _blob(digest))
        return digest

    def put_stream(self, write: Callable[[HashingSink], bool]) -> str | None:
        """As `put_file`, but digested while it is written, not afterwards: keep what `write` writes to the sink."""
        with self._writing(), self._folder.new_file() as file:
            with file.open("wb") as opened:
                sink = HashingSink(opened)
                if not write(sink):
                    return None
            digest = sink.digest()
            self._folder.place(file, _blob(digest))
        return digest

    def has(self, digest: str) -> bool:
        """Whether there is a blob of this digest."""
        with self._reading():
            return self._folder.has(_blob(digest))

    def get(self, digest: str) -> bytes:
        """The content of a blob.

        Raises:
            CorruptBlobError: it is missing, or no longer what was written.
        """
        return self._checked(digest, lambda path: (content := path.read_bytes(), digest_of(content)))

    def verified_path(self, digest: str) -> Path:
        """The file of a blob, to be mapped, its content checked; errors as for `get`."""
        return self._checked(digest, lambda path: (path, digest_of_file(path)))

    def verified_memory(self, digest: str) -> PrivateMap | bytearray:
        """The content of a blob in memory that may be written to, which leaves the blob alone; errors as for `get`."""

        def read(path: Path) -> tuple[PrivateMap | bytearray, str]:
            memory = private_memory(path)
            return memory, digest_of_big(memory)

        return self._checked(digest, read)

    def blob_path(self, digest: str) -> Path:
        """Where a blob of this digest is kept on this machine, or a copy of it."""
        return self.root / _blob(digest)

    def put_record(self, name: str, record: Any) -> None:
        """Keep a record (JSON) under a name such as `results/KEY/1`, in place of what was there."""
        with self._writing():
            self._write(json.dumps(record).encode(), _record(name))

    def record(self, name: str) -> Any:
        """The record of this name, or None where there is none that can be read."""
        try:
            with self._reading():
                return json.loads(self._folder.read(_record(name)))
        except (*_ABSENT, ValueError):
            return None

    def records(self, folder: str) -> Iterator[tuple[str, Any]]:
        """The records below a folder with their names, newest first."""
        for file in sorted(self.files(f"records/{folder}"), key=lambda file: (file.modified, file.name), reverse=True):
            name = file.name.removeprefix("records/").removesuffix(".json")
            record = self.record(name)
            if record is not None:
                yield name, record

    def files(self, under: str) -> list[StoredFile]:
        """The files whose names begin with `under/`: `blobs/ab/cd...`, `records/NAME.json`, `tmp/...`."""
        with self._reading():
            return list(self._folder.files(under))

    def remove(self, name: str, *, unless_since: float = float("inf")) -> None:
        """Remove a file, by the name that `files` gives it, unless it was written after a moment (POSIX seconds)."""
        with self._writing():
            self._folder.remove(name, unless_since=unless_since)

    def _write(self, content: bytes, name: str) -> None:
        with self._folder.new_file() as file:
            file.write_bytes(content)
            self._folder.place(file, name)

    def _checked(self, digest: str, read: Callable[[Path], tuple[_T, str]]) -> _T:
        """What `read` makes of a blob's file, if the digest that it gives with it is right."""
        for anew in (False, True):
            try:
                with self._reading():
                    result, found = read(self._folder.fetch(_blob(digest), anew=anew))
            except _ABSENT:
                raise CorruptBlobError(f"The store {self.shown} has lost the blob {digest}.") from None
            if found == digest:
                return result
        raise CorruptBlobError(f"The blob {digest} in the store {self.shown} is damaged: its content has changed.")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with _told(f"The store {self.shown} cannot be read"):
            yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with _told(f"The store {self.shown} cannot be written"):
                yield
        except _ABSENT as error:
            cause = error.strerror or error
            raise StoreError(f"The store {self.shown} cannot be written: {cause}.") from error


@contextmanager
def _told(what: str) -> Iterator[None]:
    """An operating system's error becomes a StoreError, unless it says that something is not there."""
    try:
        yield
    except _ABSENT:
        raise
    except OSError as error:
        raise StoreError(f"{what}: {error.strerror or error}.") from error


def is_url(location: str) -> bool:
    """Whether it is a URL, and not a path of this machine."""
    return "://" in location


def _blob(digest: str) -> str:
    return f"blobs/{digest[:2]}/{digest[2:]}"


def _record(name: str) -> str:
    return f"records/{name}.json"
