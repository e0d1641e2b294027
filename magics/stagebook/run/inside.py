"""The kernel's side of a stage: what runs in the notebook's own process before and after the stage's cells.

Each function takes and returns JSON, since that is what crosses between the kernel and its runner.
"""

from __future__ import annotations

import ast
import os
import sys
import types
from collections.abc import Iterable, Mapping
from json import dumps, loads  # as they are before the notebook's code can put others in their place
from typing import Any

from stagebook.book.hidden import WATCHED, is_hidden, is_process
from stagebook.book.secrets import MASK, texts_of
from stagebook.run.carried import Carried
from stagebook.run.clock import Clock
from stagebook.run.explained import explain_asserts, where_raised
from stagebook.run.memory import current_memory, peak_memory
from stagebook.run.metrics import no_numbers_of, numbers_of
from stagebook.run.opened import opened
from stagebook.run.orphans import end_at_once, end_with_parent
from stagebook.run.own_modules import OwnModules
from stagebook.run.threads import limit_threads
from stagebook.run.undo import keep_before
from stagebook.run.variables import variable_digest, variables
from stagebook.store.blobs import Store
from stagebook.store.snapshots import Snapshot
from stagebook.store.values import Kept, ValueRef, keep, load, snapshot, value_digest

_SHORT = 60
"""Letters of a value that are shown of it."""


def _digest(value: Any) -> str | None:
    return value_digest(value, namespace={}, setup={})


class _Visit:
    """What is remembered between the functions below."""

    def __init__(self) -> None:
        self.ambient: set[str] = set()
        self.setup: dict[int, str] = {}
        self.loaded: dict[str, Any] = {}
        self.alive: dict[str, tuple[str, Any]] = {}
        self.watched: dict[str, Any] = {}
        self.before: dict[str, Snapshot | None] = {}
        self.carried = Carried(_digest)
        self.modules = OwnModules(_digest)
        self.clock = Clock()
        self.memory = 0


_visit = _Visit()


def listen(job_json: str) -> str:
    """Before the preamble: note from now on what the code does beyond its names."""
    end_with_parent()
    end_at_once()
    _shell().history_manager.enabled = False  # nobody asks for it, and parameters may be secret
    job = loads(job_json)
    store = Store.at(job["store"])
    opened.listen(job["folder"], job["store"], lambda path: keep_before(path, store))
    os.environ.update(job["environment"])
    if job["threads"]:
        limit_threads(job["threads"])
    variables.listen()
    _visit.carried.listen()
    _visit.modules.listen(job["modules"])
    _visit.memory = current_memory()
    _count(job)
    _let_listen(on=True)
    return "{}"


def secrets(job_json: str) -> str:
    """After the preamble: the texts that these parameters hold, which are to be masked in what the cells put out."""
    namespace = _namespace()
    values = [namespace[name] for name in loads(job_json)["names"] if name in namespace]
    return dumps({"texts": sorted({text for value in values for text in texts_of(value)})})


def begin(job_json: str) -> str:
    """After the preamble, before the stage's cells: bring in the inputs and note what must be compared afterwards."""
    _let_listen(on=False)
    job = loads(job_json)
    namespace = _namespace()
    if job["explain"]:
        explain_asserts(_shell())
    if job["continues"]:
        os.environ.update(job["environment"])
        for name in set(namespace) - _visit.ambient - set(job["held"]):
            del namespace[name]
    else:
        _visit.ambient = set(namespace)
        _visit.setup = {id(value): name for name, value in namespace.items() if _is_definition(value)}
    _visit.carried.begin(_loaded(job, {name: ref for name, ref in job["inputs"].items() if is_hidden(name)}))
    inputs = {name: ref for name, ref in job["inputs"].items() if not is_hidden(name)}
    values = _still_alive(job)
    others = {name: ref for name, ref in {**job["mates"], **inputs}.items() if name not in values}
    with _visit.clock.phase("load"):
        values |= _loaded(job, others)  # once the working directory and the import path are right
        _visit.carried.put_back()
    namespace.update({name: values[name] for name in inputs})
    _note_before(job, values, mates=job["mates"])
    _count(job)
    decided = _decided(job["when"], namespace, job["secrets"]) if job["when"] else None
    report = {"decided": decided, "phases": _visit.clock.take(), **(_dependencies([]) if decided else {})}
    _let_listen(on=True)
    return dumps(report)


def _note_before(job: Mapping[str, Any], values: Mapping[str, Any], *, mates: Iterable[str] = ()) -> None:
    """Note how the stage finds its inputs and the files that it may read."""
    namespace = _namespace()
    _visit.loaded = dict(values)
    _visit.watched = {name: namespace[name] for name in job["watched"] if name in namespace}
    _visit.watched |= {name: value for name, value in values.items() if _may_keep_state(value)}
    _visit.watched |= {name: values[name] for name in mates}
    with _visit.clock.phase("verify"):
        _visit.before = _snapshots(namespace)
        _visit.modules.begin()
    opened.begin([*job["files"], *_mapped_files(values.values())], code=job["code"])


def attend(folder: str, store: str) -> Carried:
    """In the notebook's own kernel: be ready to note what cells do beyond their names; returns the hidden state."""
    opened.listen(folder, store, lambda _: None)
    variables.listen()
    _visit.carried.listen()
    return _visit.carried


def note(*, setup: bool = False) -> None:
    """In the notebook's own kernel: note what the next cell does; with `setup`, forget what was noted of setup."""
    if setup:
        opened.forget()
        variables.read.clear()
    _let_listen(on=True)


def pause() -> None:
    """In the notebook's own kernel: a cell is done."""
    _let_listen(on=False)


def leave() -> None:
    """In the notebook's own kernel: a stage is done, or given up; hold on to nothing of the notebook's."""
    pause()
    for held in (_visit.loaded, _visit.alive, _visit.watched, _visit.before):
        held.clear()


def adopt(job: Mapping[str, Any]) -> None:
    """In the notebook's own kernel, before the stage's cells: as `begin`, where the inputs are there already.

    Args:
        job: `watched`, `files` and `code` as for `begin`; `inputs`, `ambient`: names of inputs and of what setup makes.
    """
    _let_listen(on=False)
    namespace = _namespace()
    _visit.setup = {id(namespace[name]): name for name in job["ambient"] if _is_definition(namespace.get(name))}
    _visit.carried.begin({})
    _visit.memory = current_memory()
    _note_before(job, {name: namespace[name] for name in job["inputs"]})
    _let_listen(on=True)


def finish(job_json: str) -> str:
    """After the stage's cells: keep its outputs, and report metrics, files, and what changed in place."""
    _let_listen(on=False)
    job = loads(job_json)
    namespace = _namespace()
    values = {name: namespace[name] for name in job["outputs"] if name in namespace}
    with _visit.clock.phase("verify"):
        after = _snapshots(namespace)
        before = {name: one for name, one in _visit.before.items() if one is not None}
        changed = {name for name, one in before.items() if not one.is_same(after[name])}
    values = {**{name: _visit.watched[name] for name in changed}, **values}
    states = _visit.carried.changed()
    states = {name: value for name, value in states.items() if name in job["watched"] or name not in WATCHED}
    in_process = {name for name in {*states, *job["outputs"]} if is_process(name)} | _visit.modules.changed()
    beside = {name: one for name, one in _visit.loaded.items() if name not in values}
    beside = {name: one for name, one in beside.items() if namespace.get(name, one) is one}
    with _visit.clock.phase("save"):
        kept = keep(values, Store.at(job["store"]), namespace=namespace, setup=_visit.setup, beside=beside)
    _visit.alive |= {name: (ref.content, values[name]) for name, ref in kept.refs.items()}
    carried = {name: value for name, value in states.items() if name not in in_process}
    kept_states = _kept_apart({**_visit.carried.now(job["outputs"]), **carried}, job)
    measured = {name: namespace[name] for name in job["metrics"] if name in namespace}
    numbers, series = numbers_of(measured)
    report = {
        "outputs": {name: ref.to_json() for name, ref in {**kept.refs, **kept_states.refs}.items()},
        "tied": {name: ref.to_json() for name, ref in kept.tied.items()},
        "unstorable": {**kept.unstorable, **kept_states.unstorable, **dict.fromkeys(in_process, "of the process")},
        "changed": sorted({*changed, *states, *in_process}),
        "used": _visit.carried.used(carried),
        "metrics": numbers,
        "series": series,
        "no_number": sorted(name for name in job["metrics"] if not numbers_of({name: namespace.get(name)})[0]),
        "left_out": no_numbers_of({name: value for name, value in measured.items() if isinstance(value, Mapping)}),
        "memory": max(peak_memory() - _visit.memory, 0),
    }
    with _visit.clock.phase("verify"):
        report |= _dependencies(job["writes"])
    return dumps({**report, "phases": _visit.clock.take()})


def failed(job_json: str) -> str:
    """After a cell has failed: report what the stage met, on which its failing may depend."""
    _let_listen(on=False)
    states = _visit.carried.changed()
    report = {"used": _visit.carried.used(states), **_dependencies(loads(job_json)["writes"])}
    return dumps(report)


def raised(_: str) -> str:
    """After a test has failed: the line of its cell, and the way from there to where it was raised."""
    line, trail = where_raised(sys.last_value, _shell())
    return dumps({"line": line, "trail": trail})


def scatter(job_json: str) -> str:
    """Instead of a mapped stage's cells: keep each element of its list by itself."""
    _let_listen(on=False)
    job = loads(job_json)
    namespace = _namespace()
    item, store = job["item"], Store.at(job["store"])
    source = namespace[job["source"]]
    if isinstance(source, (str, bytes, Mapping)) or not isinstance(source, Iterable):
        raise TypeError(f"`foreach` takes a list, and `{job['source']}` is of type `{type(source).__qualname__}`")
    elements: list[dict[str, Any]] = []
    unstorable: dict[str, str] = {}
    for position, element in enumerate(source):
        kept = keep({item: element}, store, namespace=namespace, setup=_visit.setup)
        unstorable |= {f"{job['source']}[{position}]": why for why in kept.unstorable.values()}
        elements += [ref.to_json() for ref in kept.refs.values()]
    return dumps({"elements": elements, "unstorable": unstorable, **_dependencies([])})


def number(job_json: str) -> str:
    """Make the next cell `In[number]`, as it is in the notebook run from top to bottom."""
    _count(loads(job_json))
    return "{}"


def _count(job: Mapping[str, Any]) -> None:
    if "number" in job:
        _shell().execution_count = job["number"]


def _kept_apart(states: Mapping[str, Any], job: Mapping[str, Any]) -> Kept:
    """Hidden state, stored each by itself: what it shares with the notebook's objects matters to nobody."""
    store = Store.at(job["store"])
    refs: dict[str, ValueRef] = {}
    unstorable: dict[str, str] = {}
    for name, value in states.items():
        kept = keep({name: value}, store, namespace={}, setup={})
        refs, unstorable = {**refs, **kept.refs}, {**unstorable, **kept.unstorable}
    return Kept(refs, unstorable)


def _loaded(job: Mapping[str, Any], refs: Mapping[str, Any]) -> dict[str, Any]:
    """Values from the store. They bring in their packages, some of which ask `get_ipython` where they are."""
    wanted = [ValueRef.from_json(ref) for ref in refs.values()]
    with _shell().builtin_trap:
        return load(wanted, Store.at(job["store"]), namespace=_namespace())


def _still_alive(job: Mapping[str, Any]) -> dict[str, Any]:
    """Of the inputs, those that an earlier stage left in this very kernel: what cannot be stored may hold them, too."""
    if not job["continues"]:
        return {}
    asked = {name: ValueRef.from_json(ref) for name, ref in job["inputs"].items() if not is_hidden(name)}
    alive = {name: _visit.alive[name] for name in asked if name in _visit.alive}
    return {name: value for name, (content, value) in alive.items() if content == asked[name].content}


def _let_listen(*, on: bool) -> None:
    """Listen while the notebook's code runs, and not while ours does."""
    opened.listening = variables.listening = on


def _dependencies(writes: Iterable[str]) -> dict[str, Any]:
    """What the stage read and left outside of its names."""
    opened.end()
    left = opened.left(writes)
    return {
        "files": opened.files(writes),
        "left": left,
        "written": {path: left[path] for path in writes},
        "replaced": opened.replaced(),
        "since": {opened.short(path): when for path, when in opened.since.items()},
        "extended": opened.continued(),
        "listed": opened.listed,
        "environment": {name: variable_digest(value) for name, value in sorted(variables.read.items())},
    }


def _decided(when: str, namespace: dict[str, Any], secrets: Iterable[str]) -> str | None:
    """Why the stage is skipped: the condition, and the values that decided, secrets masked; None where it runs."""
    try:
        if eval(when, namespace):
            return None
    except Exception as error:
        raise ValueError(f"`when={when}` cannot be told: {type(error).__name__}: {error}") from error
    names = sorted({node.id for node in ast.walk(ast.parse(when, mode="eval")) if isinstance(node, ast.Name)})
    shown = {name: MASK if name in secrets else _short(namespace[name]) for name in names if name in namespace}
    values = [f"{name} = {text}" for name, text in shown.items()]
    told = f" ({', '.join(values)})" if values and values != [f"{when} = False"] else ""
    return f"`{when}` is false{told}"


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


def _snapshots(namespace: dict[str, Any]) -> dict[str, Snapshot | None]:
    """The watched objects as they are now; the objects, whatever their names are bound to by then."""
    return {name: snapshot(value, namespace=namespace, setup=_visit.setup) for name, value in _visit.watched.items()}


def _mapped_files(values: Iterable[Any]) -> list[str]:
    """Files that are written to by writing to a value."""
    numpy = sys.modules.get("numpy")
    mapped = [value for value in values if numpy is not None and isinstance(value, numpy.memmap)]
    return [opened.short(os.fspath(value.filename)) for value in mapped if value.filename is not None]


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
    """What may change where no code says so.

    Functions hold the variables of a closure, and defaults; subclasses register with the classes of the notebook;
    a `defaultdict` gets the keys that are looked up in it.
    """
    if isinstance(value, types.FunctionType):
        return bool(value.__closure__ or value.__defaults__ or value.__kwdefaults__)
    if isinstance(value, type):
        return value.__module__ == "__main__"
    return isinstance(value, dict) and hasattr(type(value), "__missing__")
