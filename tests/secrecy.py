"""Looking for a secret in every byte that something has left behind."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PLAIN = "Zx8k2QwPv7"
"""A secret of letters that are the same however they are written."""
ODD = "Yt5m9RbLc3'\"<&>\\é/ ?"
"""A secret that is written otherwise in code, JSON, HTML and addresses; its first letters are not."""
_CORES = (b"Zx8k2QwPv7", b"Yt5m9RbLc3")


def leaks(content: bytes) -> bool:
    """Whether one of the secrets is in there: plain, in base64 or hexadecimal digits."""
    return any(form in content or form.upper() in content for core in _CORES for form in _forms(core))


def _forms(core: bytes) -> Iterator[bytes]:
    yield core
    yield core.hex().encode()
    yield core.decode().encode("utf-16-le")
    for shift in range(3):  # whatever stands before it
        told = base64.b64encode(b"\0" * shift + core)
        yield told[-(-8 * shift // 6) : len(told) - 4]


def leaking_files(*folders: Path) -> list[str]:
    """The files below these folders that hold a secret, or are named by one."""
    return sorted(
        str(path)
        for folder in folders
        for path in folder.rglob("*")
        if leaks(path.name.encode()) or (path.is_file() and any(map(leaks, _contents(path))))
    )


def _contents(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield content
    with suppress(OSError, EOFError, zlib.error):
        yield gzip.decompress(content)
    with suppress(zlib.error):
        yield zlib.decompress(content)
