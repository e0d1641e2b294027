"""What came of reading a long notebook, kept beside it: as long as its code is the same, it is not analysed again.

What is kept is signed with the user's key, and makes nothing but the frozen values of `model` when it is read.
"""

from __future__ import annotations

import copyreg
import hashlib
import hmac
import importlib.util
import io
import json
import os
import pickle
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from stagebook import model
from stagebook.book.cells import tags_of
from stagebook.book.notebook import Document, source_of
from stagebook.book.pipeline import examine
from stagebook.errors import StoreError
from stagebook.model import Finding, Pipeline, Place, frozen_map
from stagebook.signing import signature

_SIGNATURE = 32
"""Bytes of a signature."""
_WORTH = 0.05
"""Seconds that the analysis must take for its result to be kept."""


def examined(document: Document, path: Path) -> tuple[Pipeline | None, list[Finding]]:
    """What `examine` gives for this document; from `.stagebook` beside the notebook where the same has been read."""
    file, key = _file(path), _key(document, path)
    known = _recalled(file, key) if file is not None else None
    if known is not None:
        return replace(known[0], notebook=path.resolve()), known[1]
    began = time.perf_counter()
    pipeline, findings = examine(document, path)
    if file is not None and pipeline is not None and time.perf_counter() - began > _WORTH:
        _keep(file, key, pipeline, findings)
    return pipeline, findings


def _file(path: Path) -> Path | None:
    """Where it is kept; None where nothing has been run yet, as reading alone makes no folder."""
    folder = path.parent / ".stagebook"
    name = hashlib.blake2b(path.name.encode(errors="surrogateescape"), digest_size=8).hexdigest()
    return folder / "analysis" / f"{name}.pickle" if folder.is_dir() else None


def _key(document: Document, path: Path) -> bytes:
    """A digest of all that `examine` looks at: the document, the code that does it, Python, the notebook's name."""
    metadata = document["metadata"]
    cells = [
        [index, cell.get("id"), tags_of(cell), cell["metadata"].get("stagebook"), source_of(cell)]
        for index, cell in enumerate(document["cells"])
        if cell["cell_type"] == "code"
    ]
    told = [path.name, sys.version, _stamp(), metadata.get("kernelspec"), metadata.get("language_info"), cells]
    return hashlib.blake2b(json.dumps(told, default=repr).encode(), digest_size=32).digest()


def _stamp() -> list[Any]:
    """What changes with the code that analyses: ours, and IPython's, which reads magics."""
    ours = Path(__file__).parent
    found: list[Any] = [(name.name, name.stat().st_mtime_ns, name.stat().st_size) for name in sorted(ours.glob("*.py"))]
    spec = importlib.util.find_spec("IPython")
    for place in [Path(model.__file__), *([Path(spec.origin)] if spec is not None and spec.origin else [])]:
        with suppress(OSError):
            found.append((place.stat().st_mtime_ns, place.stat().st_size))
    return found


def _keep(file: Path, key: bytes, pipeline: Pipeline, findings: list[Finding]) -> None:
    """Write it, at once and whole; where that cannot be done, the next one analyses again."""
    new = file.with_name(f".{file.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}")
    with suppress(OSError, pickle.PicklingError, TypeError, StoreError):
        stream = io.BytesIO(key)
        stream.seek(0, io.SEEK_END)
        _Pickler(stream, protocol=5).dump((replace(pipeline, notebook=None), findings))  # type: ignore[arg-type]
        file.parent.mkdir(exist_ok=True)
        new.write_bytes(signature(stream.getvalue()) + stream.getvalue())
        new.replace(file)
    with suppress(OSError):
        new.unlink(missing_ok=True)


def _recalled(file: Path, key: bytes) -> tuple[Pipeline, list[Finding]] | None:
    try:
        content = file.read_bytes()
        signed, content = content[:_SIGNATURE], content[_SIGNATURE:]
        if not content.startswith(key) or not hmac.compare_digest(signed, signature(content)):
            return None
        pipeline, findings = _Unpickler(io.BytesIO(content[len(key) :])).load()
    except Exception:  # a file that is damaged can fail in any way; it is made anew
        return None
    return (pipeline, findings) if isinstance(pipeline, Pipeline) and isinstance(findings, list) else None


class _Pickler(pickle.Pickler):
    dispatch_table = copyreg.dispatch_table | {
        MappingProxyType: lambda view: (frozen_map, (dict(view),)),
        Place: lambda place: (Place, (place.cell, place.line)),
    }


class _Unpickler(pickle.Unpickler):
    """Makes values of `model`, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """A class of `model`."""
        found = getattr(model, name, None) if module == model.__name__ else None
        if found is frozen_map or (isinstance(found, type) and found.__module__ == model.__name__):
            return found
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a pipeline.")
