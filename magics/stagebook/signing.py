"""Signatures: what others have put into a store is not taken for what this user's runs have put there.

The key is a file in the user's own directory, or the one that `STAGEBOOK_KEY_FILE` names. Whoever has it can sign:
people and machines that are to use one another's results share it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stagebook.errors import StoreError

KEY_FILE = "STAGEBOOK_KEY_FILE"
"""Environment variable that names the key's file."""

_PURPOSE = b"stagebook record v1\0"
_SECRET = b"stagebook variable v1\0"
_CONTENT = b"stagebook content v1\0"
_BYTES = 32
_LENGTH = 32
"""Digits of a keyed digest."""
_keys: dict[Path, bytes] = {}


def signed(name: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """The record (JSON) with a signature that holds under this name only.

    Raises:
        StoreError: there is no key and none can be made, or others could have read it.
    """
    return {**record, "signature": _signature(_own_key(), name, record)}


def keyed_digest(text: str) -> str:
    """A digest of a text that may be a secret: without the key, guesses at it cannot be tried.

    Raises:
        StoreError: as for `signed`.
    """
    return hmac.new(_own_key(), _SECRET + text.encode(errors="surrogateescape"), hashlib.sha256).hexdigest()[:_LENGTH]


def signature(content: bytes) -> bytes:
    """The signature of a file's content (32 bytes).

    Raises:
        StoreError: as for `signed`.
    """
    return hmac.new(_own_key(), _CONTENT + content, hashlib.sha256).digest()


def is_signed(name: str, record: Any) -> bool:
    """Whether the record was signed under this name with this user's key, and is as it was then.

    Raises:
        StoreError: the key is unfit for use.
    """
    if not isinstance(record, Mapping) or not isinstance(record.get("signature"), str):
        return False
    key = _key(key_file())
    if key is None:
        return False
    unsigned = {part: value for part, value in record.items() if part != "signature"}
    return hmac.compare_digest(record["signature"].encode(), _signature(key, name, unsigned).encode())


def key_file() -> Path:
    """Where the user's key is, or will be."""
    given = os.environ.get(KEY_FILE)
    if given:
        return Path(given).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("stagebook", appauthor=False) / "key"


def made_key_file() -> Path:
    """Where the user's key is, made if there is none yet: for who hands it to another process.

    Raises:
        StoreError: as for `signed`.
    """
    _own_key()
    return key_file()


def _own_key() -> bytes:
    """The key, made if there is none yet."""
    path = key_file()
    key = _key(path)
    if key is None:
        _make(path)
        key = _key(path)
    if key is None:
        raise StoreError(f"The key {path} was removed just after it had been made. Try again.")
    return key


def _signature(key: bytes, name: str, record: Mapping[str, Any]) -> str:
    plain = json.dumps([name, record], sort_keys=True, separators=(",", ":"))
    return hmac.new(key, _PURPOSE + plain.encode(), hashlib.sha256).hexdigest()


def _key(path: Path) -> bytes | None:
    """The key, read once; None where there is none yet."""
    if path not in _keys:
        try:
            key = _read(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"The key {path} cannot be read: {error.strerror or error}.") from error
        _keys[path] = key
    return _keys[path]


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        text = file.read(4 * _BYTES)
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise StoreError(
            f"The key {path} can be read by others (its mode is {stat.S_IMODE(mode):04o}), so that what it signed is "
            f"not safe to load. Delete it, and results are made anew; or `chmod 600` it if nobody can have used that."
        )
    if not re.fullmatch(rb"[0-9a-f]{%d}\s*" % (2 * _BYTES), text):
        told = f"a key is {2 * _BYTES} hexadecimal digits"
        raise StoreError(f"The key {path} is damaged: {told}. Delete it, and a new one is made, and results anew.")
    return bytes.fromhex(text.decode())


def _make(path: Path) -> None:
    """Write a new key that nobody else can read, unless another process has made one meanwhile."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with open(temporary, "x", opener=_private) as file:
                file.write(secrets.token_hex(_BYTES) + "\n")
            path.hardlink_to(temporary)  # unlike a renamed file, it never takes the place of another process's key
        except FileExistsError:
            pass
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        cause = error.strerror or error
        raise StoreError(f"The key {path} cannot be made: {cause}. Name another file in {KEY_FILE}.") from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
