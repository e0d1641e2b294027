"""On a worker of a cluster: a stage job is run in a kernel there, as it would be on the machine that sends it.

These functions are called by their names. A worker has a runner for each run that it works for.
"""

from __future__ import annotations

import asyncio
import os
import platform
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from stagebook.errors import StoreError, UsageError
from stagebook.events import Event, event_to_json
from stagebook.registry import plugin
from stagebook.run.job import StageJob, StageResult
from stagebook.run.patience import within
from stagebook.run.probe import probe, unread
from stagebook.signing import keyed_digest
from stagebook.store.blobs import Store
from stagebook.store.manifests import manifest

_IDLE = 600.0
"""Seconds after which the runner of a run that nobody has closed, as its sender was killed, is closed."""
_PATIENCE = 60.0
"""Seconds in which workers answer that have all to import, and a store to open, first."""
_MOST = 8
"""Differences that are named."""
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
    with runner_for(run, worker.state.nthreads) as runner:
        result: StageResult = runner.submit(work, emit, lambda _: environment).result()
    stored = _stored(work.store, result)
    return Outcome(cloudpickle.dumps(result), told, worker.address, stored)


@contextmanager
def runner_for(run: str, slots: int) -> Iterator[Any]:
    """The runner of kernels here that a run has, made if it has none; kept until the run is closed.

    Args:
        run: whose.
        slots: kernels at work at once.
    """
    found = _working_for(run, slots)
    try:
        yield found[-1].runner
    finally:
        with _lock:
            for working in found:
                working.jobs -= 1
                working.last = time.monotonic()


def name_of_run(beside: str = "") -> str:
    """A name of its own for a run; one beside another, which ends no earlier, shares that one's warm kernels."""
    own = uuid.uuid4().hex
    return f"{_first(beside)}/{own}" if beside else f"stagebook-{own}"


def _first(run: str) -> str:
    """The run beside which a run is, or itself."""
    return run.partition("/")[0]


def _working_for(run: str, slots: int) -> list[_Working]:
    """What works for a run here, last its own; all are at work as long as it is."""
    with _lock:
        free_threads()
        for other in [
            one for one, state in _working.items() if not state.jobs and state.last + _IDLE < time.monotonic()
        ]:
            _close(_working.pop(other).runner)
        first = _first(run)
        if first not in _working:
            _working[first] = _Working(plugin("runner", "local")(slots))
        if run not in _working:
            _working[run] = _Working(_working[first].runner.share())
        found = [_working[one] for one in dict.fromkeys((first, run))]
        for working in found:
            working.jobs += 1
        return found


def free_threads() -> None:
    """Take back what Dask has set for numerical libraries, one thread each: over fewer threads a sum may be another.

    What somebody else has set is left. A stage that names its `cores` has as many threads as it names.
    """
    if "dask" not in sys.modules:
        return
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


def close_run(run: str, *, wait: bool = False) -> None:
    """The run is over: end the kernels that were kept for it, and wait until they have ended if that is asked for."""
    with _lock:
        working = _working.pop(run, None)
    if working is not None:
        closing = _close(working.runner)
        if wait:
            closing.join()


def _close(runner: Any) -> threading.Thread:
    """Close a runner, which may take some seconds, without keeping the worker from its work."""
    thread = threading.Thread(target=runner.close, daemon=True)
    thread.start()
    return thread


def check_workers(client: Any, folder: str, packages: Mapping[str, str], store: str, *, seen: set[Any]) -> None:
    """See that stages come out the same on a cluster's workers as here, and that all have the same store.

    Args:
        client: connected to the cluster.
        folder: the notebook's.
        packages: what the notebook imports, with versions.
        store: its location.
        seen: what has been seen, of which worker; it grows.

    Raises:
        UsageError: workers have other versions, another key, or do not see the notebook's folder or the store.
        StoreError: the store cannot be written here.
    """
    names = tuple(sorted(packages))
    workers = client.scheduler_info(n_workers=-1)["workers"]
    new = sorted(worker for worker in workers if (worker, folder, names, store) not in seen)
    if not new:
        return
    with probe(store) as name:
        answers = _asked(client, new, (folder, names, store, name))
    _refuse_other_standing(answers, standing(folder, names))
    _refuse_other_store(answers, Store.at(store).shown)
    seen.update((worker, folder, names, store) for worker in new)


_Answers = Mapping[str, tuple[Mapping[str, str], str]]


def _asked(client: Any, workers: list[str], what: tuple[Any, ...]) -> _Answers:
    """What `look` gives on each of the workers, in their order.

    Raises:
        UsageError: one of them cannot look.
    """
    try:
        found = within(_PATIENCE, lambda: client.run(look, *what, workers=workers, on_error="return"))
    except Exception as error:  # whatever the cluster's connection may raise
        raise UsageError(
            f"The cluster's workers do not answer ({_short(error)}). See whether they are well, and start them again."
        ) from error
    failed = [f"{worker} ({_short(found[worker])})" for worker in workers if not isinstance(found[worker], tuple)]
    if failed:
        raise UsageError(
            f"Stages cannot be run on {_some(failed)}. See that the workers are well and have the same version of "
            f"Stagebook as is here ({version('stagebook')}), and start them again."
        )
    return {worker: found[worker] for worker in workers}


def _refuse_other_standing(answers: _Answers, ours: Mapping[str, str]) -> None:
    told = [
        f"{worker} has {what} {theirs.get(what, 'unknown')}, here is {value}"
        for worker, (theirs, _) in answers.items()
        for what, value in ours.items()
        if theirs.get(what) != value
    ]
    if told:
        raise UsageError(
            f"Stages would not come out the same there: {_some(told)}. Install the same "
            "versions, share the folder and the key (STAGEBOOK_KEY_FILE), and start the workers again."
        )


def _refuse_other_store(answers: _Answers, shown: str) -> None:
    told = [f"{worker} ({why.rstrip('.')})" for worker, (_, why) in answers.items() if why]
    if told:
        raise UsageError(
            f"The store {shown} is not shared with {_some(told)}. Name one with --store that all workers reach: a "
            "folder that they share, under the same path, or a URL as s3://bucket/prefix, with what opens it in their "
            "environment."
        )


def _some(told: list[str]) -> str:
    more = [f"and {len(told) - _MOST} more"] if len(told) > _MOST else []
    return "; ".join([*told[:_MOST], *more])


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}".rstrip(".: ")


async def look(folder: str, packages: tuple[str, ...], store: str, name: str) -> tuple[dict[str, str], str]:
    """How a worker stands, and why it cannot read a probe; in a thread, as a worker that waits hears nobody.

    Args:
        folder: the notebook's.
        packages: those that the notebook imports.
        store: its location.
        name: the probe's.
    """

    def here() -> tuple[dict[str, str], str]:
        return standing(folder, packages), unread(store, name)

    return await asyncio.to_thread(here)


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
