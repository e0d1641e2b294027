"""Stores on any file system that fsspec knows: s3://, gs://, abfs://, sftp://, ftp:// and so on.

Blobs are copied once to a folder of this machine, under their digests, so that they can be mapped.
"""

from __future__ import annotations

import difflib
import os
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

from stagebook.errors import UsageError, did_you_mean
from stagebook.store.digests import digest_of
from stagebook.store.folders import StoredFile

CACHE = "STAGEBOOK_CACHE"
"""Environment variable that names the folder for copies of remote blobs."""

_ATOMIC = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oci", "oss", "memory"})
"""Protocols of which a file is there as a whole or not at all, without a detour over another name."""

_PATIENT = _ATOMIC - {"memory"}
"""Protocols whose libraries try again by themselves, over new connections, what may work in a moment."""

_IDLE = 30.0
"""Seconds after which a connection is not trusted any more: servers close those that are not used."""

_MODIFIED = ("mtime", "LastModified", "last_modified", "modify", "updated", "last_write_time", "created")
_REMEDIES = {
    "NoCredentialsError": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "PartialCredentialsError": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "EndpointConnectionError": "is AWS_ENDPOINT_URL_S3 right, and is the server up?",
}
"""By the name of a library's error: what helps."""
_ABSENT = (FileNotFoundError, NotADirectoryError)
_T = TypeVar("_T")


class _NoBucketError(OSError):
    """What the store is in does not exist."""


def opening(location: str) -> tuple[str, ...]:
    """The import that opening a store takes, as a line of code: a process that many start from may do it once for all.

    Args:
        location: the store's folder or URL.
    """
    if "://" not in location:
        return ()
    from fsspec.registry import known_implementations

    known = known_implementations.get(re.split("::|://", location)[0])
    return (f"import {known['class'].partition('.')[0]}",) if known else ()


class RemoteFolder:
    """A folder of a file system that fsspec reaches; connected to when it is first used, by one thread at a time.

    Args:
        url: where it is, as fsspec understands it.

    Raises:
        UsageError: there is no such file system, or its package is not installed.
    """

    is_local = False

    def __init__(self, url: str) -> None:
        self.location = url.rstrip("/")
        self.shown = re.sub(r"(?<=://)([^/@:]+):[^/@]*@", r"\1:***@", self.location)
        self.root = cache_folder()
        self.home = self.root / "stores" / digest_of(self.location.encode())
        self._protocol = re.split("::|://", url)[0]
        self._system: Any = None
        self._base = ""
        self._used = 0.0
        self._made: set[str] = set()
        self._lock = threading.RLock()
        _check_protocol(self._protocol, self.shown)

    @contextmanager
    def new_file(self) -> Iterator[Path]:
        """A path in the folder of copies."""
        file = self.root / "tmp" / uuid.uuid4().hex
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield file
        finally:
            file.unlink(missing_ok=True)

    def place(self, file: Path, name: str) -> None:
        """Upload under another name and rename, where the file system does not do that by itself; keep the copy."""
        if self._protocol in _ATOMIC:
            self._with(lambda system: system.put_file(str(file), self._path(name)))
        else:
            self._with(lambda system: self._put_in_two_steps(system, file, name))
        if name.startswith("blobs/"):
            self._keep_copy(file, name)

    def read(self, name: str) -> bytes:
        """Download."""
        content: bytes = self._with(lambda system: system.cat_file(self._path(name)))
        return content

    def fetch(self, name: str, *, anew: bool) -> Path:
        """The copy, downloaded if it is not there."""
        copy = self.root / name
        if anew or not copy.exists():
            with self.new_file() as file:
                self._with(lambda system: self._download(system, name, file))
                self._keep_copy(file, name)
        return copy

    def has(self, name: str) -> bool:
        """Ask."""
        try:
            self._with(lambda system: system.info(self._path(name)))
        except _ABSENT:
            return False
        return True

    def files(self, under: str) -> Iterator[StoredFile]:
        """List; where there is no bucket, there is more amiss than that nothing is in it."""
        found: dict[str, Any] = self._with(lambda system: self._found(system, under))
        for path, info in found.items():
            name = path.strip("/").removeprefix(self._base.strip("/")).lstrip("/")
            yield StoredFile(name, int(info.get("size") or 0), _modified(info))

    def remove(self, name: str, *, unless_since: float) -> None:
        """Remove, the copy too."""

        def remove(system: Any) -> None:
            if _modified(system.info(self._path(name))) < unless_since:
                system.rm_file(self._path(name))

        with suppress(*_ABSENT):
            self._with(remove)
        if name.startswith("blobs/"):
            (self.root / name).unlink(missing_ok=True)

    def _path(self, name: str) -> str:
        return f"{self._base}/{name}"

    def _found(self, system: Any, under: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = system.find(self._path(under), detail=True)
        except _ABSENT as error:
            bucket = self._base.partition("/")[0]
            if self._protocol in _ATOMIC and not system.exists(bucket):
                raise _NoBucketError(f"there is no bucket `{bucket}` (make it, or name another)") from error
            return {}
        return found

    def _put_in_two_steps(self, system: Any, file: Path, name: str) -> None:
        unfinished, target = self._path(f"tmp/{uuid.uuid4().hex}"), self._path(name)
        for path in (unfinished, target):
            self._make(system, path.rpartition("/")[0])
        system.put_file(str(file), unfinished)
        try:
            system.mv(unfinished, target)
        except Exception:  # some servers rename over nothing that is there
            if not system.exists(target):
                raise
            system.rm_file(target)
            system.mv(unfinished, target)

    def _make(self, system: Any, folder: str) -> None:
        if folder in self._made:
            return
        try:
            system.makedirs(folder, exist_ok=True)
        except Exception:
            system.invalidate_cache()
            if not system.isdir(folder):  # otherwise another process has made it meanwhile
                raise
        self._made.add(folder)

    def _download(self, system: Any, name: str, file: Path) -> None:
        system.info(self._path(name))  # file systems disagree on what getting a file raises that is not there
        system.get_file(self._path(name), str(file))

    def _keep_copy(self, file: Path, name: str) -> None:
        copy = self.root / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        file.replace(copy)

    def _with(self, work: Callable[[Any], _T]) -> _T:
        """What `work` returns, given the file system; tried once more over a new connection if it fails.

        Raises:
            OSError: it failed again; of whatever kind the file system's own error was.
        """
        with self._lock:
            fresh = self._system is None or time.monotonic() - self._used > _IDLE
            try:
                return self._tried(work, anew=fresh)
            except _ABSENT:
                raise
            except Exception as error:
                if fresh or self._protocol in _PATIENT:
                    raise _as_os_error(error) from error
            try:
                return self._tried(work, anew=True)
            except _ABSENT:
                raise
            except Exception as error:
                raise _as_os_error(error) from error

    def _tried(self, work: Callable[[Any], _T], *, anew: bool) -> _T:
        if anew:
            from fsspec.core import url_to_fs

            self._system, base = url_to_fs(self.location)
            self._base = base.rstrip("/")
            self._made.clear()
        self._system.invalidate_cache()
        result = work(self._system)
        self._used = time.monotonic()
        return result


def local_path(url: str) -> Path | None:
    """The path of this machine that a `file://` URL means; None for any other."""
    if url.split("://")[0] not in ("file", "local"):
        return None
    from fsspec.core import url_to_fs

    return Path(url_to_fs(url)[1])


def cache_folder() -> Path:
    """The user's folder for copies that can be had again: the one that `STAGEBOOK_CACHE` names, or their cache."""
    given = os.environ.get(CACHE)
    if given:
        return Path(given).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("stagebook", appauthor=False)


def _check_protocol(protocol: str, shown: str) -> None:
    from fsspec.registry import available_protocols, get_filesystem_class

    try:
        get_filesystem_class(protocol)
    except ValueError as error:
        near = difflib.get_close_matches(protocol, available_protocols(), n=1)
        hint = did_you_mean(protocol, near or ("file", "ftp", "gs", "s3", "sftp"))
        raise UsageError(f"The store {shown} is on no file system that is known: `{protocol}`.{hint}") from error
    except ImportError as error:
        missing = getattr(error.__cause__ or error, "name", None)
        package = str(missing).partition(".")[0] if missing else f"fsspec[{protocol}]"
        remedy = f"Install it with: python -m pip install {package}"
        raise UsageError(f"The store {shown} needs the package {package}. {remedy}") from error


def _as_os_error(error: Exception) -> OSError:
    """Libraries raise what they like: here all of it becomes what `open` would raise."""
    if isinstance(error, _NoBucketError):
        return error
    cause = (error.strerror if isinstance(error, OSError) else None) or str(error).strip() or type(error).__name__
    remedy = _REMEDIES.get(type(error).__name__, "is the address right, and may you go there?")
    return OSError(f"{cause.splitlines()[0].rstrip('.')} ({remedy})")


def _modified(info: dict[str, Any]) -> float:
    """When a file was written, as its file system tells it; now if it does not, so that it never seems old."""
    told = next((info[key] for key in _MODIFIED if info.get(key) is not None), None)
    with suppress(ValueError, TypeError):
        if isinstance(told, str) and re.fullmatch(r"\d{14}(\.\d+)?", told):  # FTP
            return datetime.strptime(told[:14], "%Y%m%d%H%M%S").replace(tzinfo=timezone.utc).timestamp()
        if isinstance(told, str):
            told = datetime.fromisoformat(told.replace("Z", "+00:00"))
        if isinstance(told, datetime):
            return (told if told.tzinfo else told.replace(tzinfo=timezone.utc)).timestamp()
        if told is not None:
            return float(told)
    return time.time()
