"""Code that was exported, run or read in a process of its own: `python -m stagebook.verify.elsewhere TASK JOB.json`.

Tasks are `module` (a Python module's functions are called by its `main`, and what they return is told of), `datasets`
(what a Kedro run has left is told of) and `flow` (a Prefect flow is called).
"""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import inspect
import json
import os
import pickle
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from stagebook.verify.inside import told_of
from stagebook.verify.results import StageTold, stage_to_json

Job = Mapping[str, Any]


class _Calls:
    """What the functions of a module have returned, told of as soon as it is there.

    Args:
        job: `functions`, by their names: `stage`, `returns`, `mapped`.
        own: the module's name.
    """

    def __init__(self, job: Job, own: str) -> None:
        self.functions: Mapping[str, Job] = job["functions"]
        self.own = own
        self.told: dict[str, StageTold] = {}
        self.under_way = ""
        self._lists: dict[str, list[Any]] = {}
        self._mapped = ""

    def wrapped(self, name: str, function: Any) -> Any:
        """The function, so that what it returns is told of."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def call(*given: Any, **named: Any) -> Any:
                self._begin(name)
                return self._end(name, await function(*given, **named))

        else:

            @functools.wraps(function)
            def call(*given: Any, **named: Any) -> Any:
                self._begin(name)
                return self._end(name, function(*given, **named))

        return call

    def _begin(self, name: str) -> None:
        if self._mapped != name:
            self.gather()
        self.under_way = name

    def _end(self, name: str, result: Any) -> Any:
        about = self.functions[name]
        made = dict(zip(about["returns"], result if len(about["returns"]) > 1 else (result,), strict=False))
        if about["mapped"]:
            self._mapped = name
            for one, value in made.items():
                self._lists.setdefault(one, []).append(value)
        else:
            self.told[about["stage"]] = told_of(made, made, (), (self.own,))
        self.under_way = ""
        return result

    def gather(self) -> None:
        """Tell of a mapped stage whose elements are all done."""
        if self._mapped:
            stage = self.functions[self._mapped]["stage"]
            self.told[stage] = told_of(self._lists, self._lists, (), (self.own,))
        self._lists, self._mapped = {}, ""


def _module(job: Job) -> None:
    """Call the module's `main`; write what its stages have made, its metrics, and how it ended."""
    module = _imported(job, Path(job["path"]))
    calls = _Calls(job, module.__name__)
    for name in job["functions"]:
        setattr(module, name, calls.wrapped(name, getattr(module, name)))
    metrics, error = None, ""
    try:
        found = getattr(module, job["main"])(**job["given"])
        metrics = asyncio.run(found) if inspect.iscoroutine(found) else found
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}".splitlines()[0]
    if not calls.under_way:
        calls.gather()
    numbers = told_of(metrics or {}, (), metrics or {}, mapped=job["mapped"]).metrics
    stages = {name: stage_to_json(one) for name, one in calls.told.items()}
    failed = job["functions"][calls.under_way]["stage"] if calls.under_way else ""
    _write(job, {"stages": stages, "metrics": numbers, "error": error, "failed": failed})


def _datasets(job: Job) -> None:
    """Read datasets, and write what is told of them by stage; a stage of which one cannot be read is named apart."""
    stages, unread = {}, {}
    for stage, files in job["files"].items():
        try:
            values = {name: _loaded(Path(file)) for name, file in files.items()}
        except Exception as error:  # half of one is there, where writing it failed; loading runs code of its class
            unread[stage] = f"{type(error).__name__}: {error}"
            continue
        stages[stage] = stage_to_json(told_of(values, values, (), (job["own"],)))
    measured = json.loads(Path(job["metrics"]).read_text(encoding="utf-8")) if Path(job["metrics"]).exists() else {}
    _write(
        job,
        {"stages": stages, "unread": unread, "metrics": told_of(measured, (), measured, mapped=job["mapped"]).metrics},
    )


def _loaded(file: Path) -> Any:
    if file.suffix == ".parquet":
        import pandas as pd

        return pd.read_parquet(file)
    return pickle.loads(file.read_bytes())


def _flow(job: Job) -> None:
    """Call a flow on a server that is there for it alone; what it makes is in the notebook's store."""
    os.environ.pop("PREFECT_API_URL", None)
    os.environ.pop("PREFECT_API_KEY", None)
    from prefect.blocks.system import Secret

    for name, value in job["secrets"].items():
        Secret(value=value).save(name, overwrite=True)
    module = _imported(job, Path(job["path"]))
    state = getattr(module, job["main"])(**job["given"], return_state=True)
    if not state.is_completed():
        sys.exit(str(state.message).splitlines()[0])


def _imported(job: Job, path: Path) -> ModuleType:
    """The module at this path, in the notebook's folder, whose own modules it finds."""
    os.chdir(job["folder"])
    sys.path.insert(0, job["folder"])
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _write(job: Job, found: Any) -> None:
    Path(job["out"]).write_text(json.dumps(found), encoding="utf-8")


_TASKS = {"module": _module, "datasets": _datasets, "flow": _flow}

if __name__ == "__main__":
    given: Job = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    sys.path[:0] = given.get("paths", [])
    _TASKS[sys.argv[1]](given)
