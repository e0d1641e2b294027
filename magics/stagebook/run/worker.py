"""On a worker of a cluster: a stage job is run in a kernel there, as it would be on the machine that sends it.

These functions are called by their names. A worker has a runner for each run that it works for.
"""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from stagebook.errors import StoreError
from stagebook.events import Event, event_to_json
from stagebook.registry import plugin
from stagebook.run.job import StageJob, StageResult
from stagebook.signing import keyed_digest
from stagebook.store.blobs import Store
from stagebook.store.manifests import manifest

_IDLE = 600.0
"""Seconds after which the runner of a run that nobody has closed, as its sender was killed, is closed."""
_SAME = ("stagebook", "cloudpickle", "ipykernel", "ipython", "numpy", "pandas", "pyarrow")
"""Packages that are to be of one version everywhere, whatever a notebook imports: values pass between them."""


@dataclass(slots=True)
class _Working:
    runner: Any
    jobs: int = 0
    last: float = field(default_factory=time.monotonic)


BEGUN = "begun"
"""The event that a worker tells before all others of a job."""

_working: dict[str, _Working] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a worker answers.

    Attributes:
        result: what came of the job, pickled.
        told: how many events it has told.
        worker: its address.
        stored: bytes of what has been stored.
    """

    result: bytes
    told: int
    worker: str
    stored: int

    def __sizeof__(self) -> int:
        """With what has been stored: who plans by what it costs to move this, plans by that."""
        return len(self.result) + self.stored


def run_job(job: bytes, environment: Mapping[str, str], run: str, task: str, before: Any) -> Outcome:  # noqa: ARG001
    """Run a job here.

    Args:
        job: a `StageJob`, pickled.
        environment: variables for its kernel.
        run: whose it is; events are told under this topic.
        task: names it among the run's.
        before: outcomes of jobs whose values it takes; given so that it is run where these are.
    """
    import cloudpickle
    from distributed import get_worker

    work: StageJob = cloudpickle.loads(job)
    worker: Any = get_worker()
    told = 0

    def tell(facts: Mapping[str, Any]) -> None:
        nonlocal told
        worker.log_event(run, {"task": task, "told": facts})
        told += 1

    def emit(event: Event) -> None:
        tell(event_to_json(event))

    tell({"event": BEGUN, "at": worker.address})
    working = _working_for(run, worker.state.nthreads)
    try:
        result: StageResult = working.runner.submit(work, emit, lambda _: environment).result()
    finally:
        with _lock:
            working.jobs -= 1
            working.last = time.monotonic()
    stored = _stored(work.store, result)
    return Outcome(cloudpickle.dumps(result), told, worker.address, stored)


def _working_for(run: str, slots: int) -> _Working:
    with _lock:
        free_threads()
        for other in [
            one for one, state in _working.items() if not state.jobs and state.last + _IDLE < time.monotonic()
        ]:
            _close(_working.pop(other).runner)
        if run not in _working:
            _working[run] = _Working(plugin("runner", "local")(slots))
        _working[run].jobs += 1
        return _working[run]


def free_threads() -> None:
    """Take back what Dask has set for numerical libraries, one thread each: over fewer threads a sum may be another.

    What somebody else has set is left. A stage that names its `cores` has as many threads as it names.
    """
    import dask

    for name, value in dask.config.get("distributed.nanny.pre-spawn-environ", {}).items():
        if name.endswith("_NUM_THREADS") and os.environ.get(name) == str(value):
            del os.environ[name]


def _stored(location: str, result: StageResult) -> int:
    """Bytes of the files in which a result's values are; 0 where that takes more than a look."""
    store, total = Store.at(location), 0
    if not store.is_local:
        return 0
    for bundle in {ref.bundle for ref in result.outputs.values()}:
        with suppress(OSError, StoreError):  # it is being removed
            needs = manifest(store, bundle)
            total += sum(store.blob_path(digest).stat().st_size for digest in (bundle, *needs.parts))
    return total


def interrupt_run(run: str) -> None:
    """Interrupt what runs here of a run, and what comes yet."""
    with _lock:
        if run not in _working:
            _working[run] = _Working(plugin("runner", "local")(1))
        _working[run].runner.interrupt()


def close_run(run: str) -> None:
    """The run is over: end the kernels that were kept for it."""
    with _lock:
        working = _working.pop(run, None)
    if working is not None:
        _close(working.runner)


def _close(runner: Any) -> None:
    """Close a runner, which may take some seconds, without keeping the worker from its work."""
    threading.Thread(target=runner.close, daemon=True).start()


def standing(folder: str, packages: tuple[str, ...]) -> dict[str, str]:
    """What has to be the same where a run is started and where its stages run, by what it is called.

    Args:
        folder: the notebook's.
        packages: those that the notebook imports.
    """
    found = {"Python": platform.python_version()}
    for name in sorted({*_SAME, *packages}):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    found["the key that signs results"] = keyed_digest("a cluster's")[:8]
    found[f"the folder {folder}"] = "there" if os.path.isdir(folder) else "not there"  # noqa: PTH112 - as asked for
    return found
