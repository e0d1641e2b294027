"""Content digests: BLAKE3, which is fast, since a digest here also tells a written artifact from a forged one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from blake3 import blake3

LENGTH = 32
"""Hexadecimal characters of a digest (128 bits)."""


def digest_of(*chunks: bytes | bytearray | memoryview) -> str:
    """The digest of these bytes, one after the other."""
    return _digest(chunks)


def _digest(chunks: Iterable[bytes | bytearray | memoryview]) -> str:
    hasher = blake3()
    for chunk in chunks:
        hasher.update(chunk)
    return hasher.hexdigest()[:LENGTH]


def digest_of_file(path: Path) -> str:
    """The digest of a file's content, read on all cores."""
    hasher = blake3(max_threads=blake3.AUTO)
    hasher.update_mmap(path)
    return hasher.hexdigest()[:LENGTH]


def digest_of_json(value: Any) -> str:
    """The digest of a value that JSON can hold; 1, 1.0, "1" and true differ, the order of keys does not count."""
    return digest_of(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())
