"""The kernel's side of a stage: what runs in the notebook's own process before and after the stage's cells.

Each function takes and returns JSON, since that is what crosses between the kernel and its runner.
"""

from __future__ import annotations

import json
import os
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stagebook.store.blobs import Store
from stagebook.store.digests import digest_of_file
from stagebook.store.values import ValueRef, keep, load, value_digest


class _Visit:
    """What is remembered between `begin` and `finish`."""

    def __init__(self) -> None:
        self.ambient: set[str] = set()
        self.setup: dict[int, str] = {}
        self.watched: dict[str, Any] = {}
        self.before: dict[str, str | None] = {}
        self.candidates: dict[str, str | None] = {}
        self.opened: set[str] = set()
        self.overwritten: set[str] = set()
        self.listening = False


_visit = _Visit()


def begin(job_json: str) -> str:
    """After the preamble, before the stage's cells: bring in the inputs and note what must be compared afterwards."""
    job = json.loads(job_json)
    namespace = _namespace()
    os.environ.update(job["environment"])
    if job["continues"]:
        for name in set(namespace) - _visit.ambient - set(job["held"]):
            del namespace[name]
    else:
        _visit.ambient = set(namespace)
        _visit.setup = {id(value): name for name, value in namespace.items() if _is_definition(value)}
        _listen()
    refs = [ValueRef.from_json(ref) for ref in (*job["inputs"].values(), *job["mates"].values())]
    values = load(refs, Store(Path(job["store"])), namespace=namespace)
    namespace.update({name: value for name, value in values.items() if name in job["inputs"]})
    _visit.watched = {name: namespace[name] for name in job["watched"] if name in namespace}
    _visit.watched |= {name: values[name] for name in job["inputs"] if _may_keep_state(values[name])}
    _visit.watched |= {name: values[name] for name in job["mates"]}
    _visit.before = _digests(namespace)
    _visit.candidates = {path: _digest(path) for path in job["files"]}
    _visit.opened.clear()
    _visit.overwritten.clear()
    _visit.listening = True
    return "{}"


def finish(job_json: str) -> str:
    """After the stage's cells: keep its outputs, and report metrics, files read, and inputs changed in place."""
    _visit.listening = False
    job = json.loads(job_json)
    namespace = _namespace()
    values = {name: namespace[name] for name in job["outputs"] if name in namespace}
    after = _digests(namespace)
    changed = sorted(name for name, before in _visit.before.items() if before is not None and after[name] != before)
    values = {**{name: _visit.watched[name] for name in changed}, **values}
    kept = keep(values, Store(Path(job["store"])), namespace=namespace, setup=_visit.setup)
    written = {path: _digest(path) for path in job["writes"]}
    report = {
        "outputs": {name: ref.to_json() for name, ref in kept.refs.items()},
        "unstorable": dict(kept.unstorable),
        "changed": changed,
        "metrics": _metrics({name: namespace[name] for name in job["metrics"] if name in namespace}),
        "no_number": sorted(name for name in job["metrics"] if not _metrics({name: namespace.get(name)})),
        "files": _files_read(written),
        "written": written,
    }
    return json.dumps(report)


def number(cell: str) -> str:
    """Make the next cell `In[cell]`, as it is in the notebook run from top to bottom."""
    _shell().execution_count = int(cell)
    return ""


def _digests(namespace: dict[str, Any]) -> dict[str, str | None]:
    """Digests of the watched objects as they are now; the objects, whatever their names are bound to by then."""
    return {
        name: value_digest(value, namespace=namespace, setup=_visit.setup) for name, value in _visit.watched.items()
    }


def _namespace() -> dict[str, Any]:
    namespace: dict[str, Any] = _shell().user_ns
    return namespace


def _shell() -> Any:
    from IPython.core.getipython import get_ipython

    return get_ipython()


def _is_definition(value: Any) -> bool:
    """Functions and classes that setup defines, wrapped or not: every kernel has its own, they need not be stored."""
    return callable(value) and hasattr(value, "__qualname__") and getattr(value, "__module__", None) == "__main__"


def _may_keep_state(value: Any) -> bool:
    """Functions whose calls can change what they hold: a closure's variables, a mutable default."""
    return isinstance(value, types.FunctionType) and bool(
        value.__closure__ or value.__defaults__ or value.__kwdefaults__
    )


def _metrics(values: Mapping[str, Any]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            numbers |= _metrics({f"{name}.{key}": entry for key, entry in value.items()})
            continue
        try:
            numbers[name] = float(value)
        except (TypeError, ValueError):
            continue
    return numbers


def _files_read(written: Mapping[str, str | None]) -> dict[str, str | None]:
    """Files the stage read, with their digests; those that it wrote itself are its results, not its inputs."""
    found = {path: digest for path, digest in _visit.candidates.items() if _digest(path) == digest}
    folder = Path.cwd()
    for name in sorted(_visit.opened - _visit.overwritten):
        path = Path(name)
        short = str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
        if short not in _visit.candidates and short not in written:
            found[short] = _digest(short)
    return {path: digest for path, digest in found.items() if path not in written}


def _digest(path: str) -> str | None:
    file = Path(path)
    return digest_of_file(file) if file.is_file() else None


def _listen() -> None:
    """Note which files the cells open, by CPython's audit events (PEP 578); a hook cannot be taken away again."""
    if getattr(sys, "_stagebook_listens", False):
        return
    sys._stagebook_listens = True  # type: ignore[attr-defined]
    ignored = _ignored_folders()

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or not _visit.listening or not isinstance(arguments[0], (str, bytes)):
            return
        path = os.path.abspath(os.fsdecode(arguments[0]))  # noqa: PTH100 - resolve() would open files itself
        mode, flags = arguments[1], arguments[2]
        if path.startswith(ignored) or "__pycache__" in path:
            return
        writes = any(letter in mode for letter in "wax+") if isinstance(mode, str) else bool(flags & _WRITING)
        (_visit.overwritten if writes else _visit.opened).add(path)

    sys.addaudithook(hook)


_WRITING = os.O_WRONLY | os.O_RDWR


def _ignored_folders() -> tuple[str, ...]:
    """Folders whose files are the environment's or the system's, not the stage's data."""
    from IPython.paths import get_ipython_dir

    home = Path.home()
    folders = {sys.prefix, sys.base_prefix, sys.exec_prefix, get_ipython_dir()}
    folders |= {entry for entry in sys.path if "site-packages" in entry or "dist-packages" in entry}
    folders |= {str(home / hidden) for hidden in (".cache", ".config", ".local", ".jupyter", ".matplotlib")}
    folders |= {"/proc", "/dev", "/sys", "/etc", "/usr"}
    return tuple(f"{folder.rstrip(os.sep)}{os.sep}" for folder in sorted(folders))
