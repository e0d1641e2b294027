"""Running made-up code for real, and seeing what it does with global names and with the objects of before."""

import contextlib
import copy
import functools
import sys
import types
from dataclasses import dataclass


class Bag:
    """An object that takes nearly everything that code may do to a list, a dict or a plain object."""

    def __init__(self, *items):
        self.items_ = list(items)
        self.kept = {}

    def _key(self, key):
        return key if isinstance(key, (int, str)) else "other"

    def __getitem__(self, key):
        if isinstance(key, int) and -len(self.items_) <= key < len(self.items_):
            return self.items_[key]
        return self.kept.get(self._key(key), self.items_[0] if self.items_ else Bag())

    def __setitem__(self, key, value):
        self.kept[self._key(key)] = value

    def __delitem__(self, key):
        self.kept.pop(self._key(key), None)
        del self.items_[:1]

    def __iter__(self):
        return iter(list(self.items_))

    def __len__(self):
        return len(self.items_)

    def __add__(self, other):
        return Bag(*self.items_, *(other if isinstance(other, (Bag, list, tuple)) else ()))

    def __iadd__(self, other):
        self.items_ += other if isinstance(other, (list, tuple)) else [other]
        return self

    def __enter__(self):
        self.kept["entered"] = 1
        return self

    def __exit__(self, *_):
        return None

    def __call__(self, *arguments, **named):
        self.items_ += arguments
        for argument in arguments:
            if isinstance(argument, (list, Bag)):
                argument.append(7)
        return arguments[0] if arguments else self

    def __getattr__(self, name):
        if name.startswith("_") or name in ("items_", "kept"):
            raise AttributeError(name)
        return self.kept.get(name, self.items_[0] if self.items_ else Bag())

    def append(self, item):
        self.items_.append(item)

    def insert(self, place, item):
        self.items_.insert(0, item)

    def extend(self, items):
        self.items_ += list(items)

    def pop(self, *_):
        return self.items_.pop() if self.items_ else Bag()

    def clear(self):
        self.items_.clear()

    def update(self, other=(), **named):
        self.kept.update(named)
        self.items_ += list(other)

    def setdefault(self, key, value=None):
        return self.kept.setdefault(self._key(key), value)

    def get(self, key, default=None):
        return self.kept.get(self._key(key), default)

    def copy(self):
        made = Bag(*self.items_)
        made.kept = dict(self.kept)
        return made

    def values(self):
        return [*self.items_, *self.kept.values()]

    def keys(self):
        return list(self.kept)

    def items(self):
        return list(zip(self.items_, self.items_, strict=True))

    def merge_into(self, other):
        if isinstance(other, (list, Bag)):
            other.append(self)
        return self


class Stop(BaseException):
    """The code has run long enough."""


class Namespace(dict):
    """Global names that remember which of their first values were used, and which names were bound."""

    def __init__(self, items):
        super().__init__(items)
        self.first = dict(items)
        self.reads = set()
        self.written = set()

    def __getitem__(self, name):
        value = super().__getitem__(name)
        if name not in self.written and name in self.first and value is self.first[name]:
            self.reads.add(name)
        return value

    def __setitem__(self, name, value):
        self.written.add(name)
        super().__setitem__(name, value)

    def __delitem__(self, name):
        super().__delitem__(name)
        self.written.add(name)


@dataclass
class Seen:
    """What was seen of the snippet: names read, bound, gone and still there, first values changed in place."""

    reads: set
    bound: set
    gone: set
    changed: set
    present: set
    raised: bool
    setup_runs: bool


def fresh_objects():
    """Objects that share nothing, as stages get them."""
    return {
        "contextlib": contextlib,
        "copy": copy,
        "functools": functools,
        "a": Bag([1], Bag(2)),
        "b": Bag(Bag([3]), [4]),
        "c": [[5], Bag([6]), {"k": [7]}],
        "d": {"k": [8], "v": Bag(Bag(9), [3]), 0: [10]},
        "o": types.SimpleNamespace(v=[11], w=Bag(12), k={"k": Bag(13)}),
        "x": Bag([19], [20]),
        "y": [[21], [22]],
        "p": Bag(Bag([23])),
        "t": ([14], Bag(15)),
        "it": iter([[16], [17], [18]]),
        "n": 10**9 + 7,
        "tick": Tick(),
        "Bag": Bag,
    }


class Tick:
    """A condition that becomes false."""

    def __init__(self):
        self.left = 4

    def __call__(self):
        self.left -= 1
        return self.left > 0


def observe(setup, snippet):
    namespace = fresh_objects() | {"__builtins__": __builtins__, "__name__": "made_up"}
    try:
        exec(compile(setup, "<setup>", "exec"), namespace)
        setup_runs = True
    except Exception:
        namespace = fresh_objects() | {"__builtins__": __builtins__, "__name__": "made_up"}
        setup_runs = False
    namespace = Namespace(namespace)
    rehome(namespace)
    values = list(namespace.first.values())
    shared = {name for name, value in namespace.first.items() if sum(value is other for other in values) > 1}
    before = {name: value for name, value in namespace.first.items() if not name.startswith("__")}
    prints = {name: fingerprint(name, value, before) for name, value in before.items()}
    raised = run(snippet, namespace)
    after = {name: value for name, value in dict.items(namespace) if not name.startswith("__")}
    return Seen(
        reads={name for name in namespace.reads if not name.startswith("__")} - shared,
        bound={n for n, v in after.items() if n not in before or v is not before[n] or n in namespace.written},
        gone={name for name in before if name not in after},
        changed={n for n, v in before.items() if n != "tick" and fingerprint(n, v, before) != prints[n]},
        present=set(after),
        raised=raised,
        setup_runs=setup_runs,
    )


def rehome(namespace):
    """Let the functions of the setup see the recording namespace as their globals."""
    swapped = {}

    def moved(value):
        if isinstance(value, types.FunctionType) and value.__module__ == "made_up":
            if id(value) not in swapped:
                new = types.FunctionType(
                    value.__code__, namespace, value.__name__, value.__defaults__, value.__closure__
                )
                new.__kwdefaults__ = value.__kwdefaults__
                swapped[id(value)] = new
            return swapped[id(value)]
        return value

    for name, value in list(namespace.first.items()):
        if isinstance(value, type) and value.__module__ == "made_up":
            for key, method in list(vars(value).items()):
                if isinstance(method, types.FunctionType):
                    setattr(value, key, moved(method))
        new = moved(value)
        namespace.first[name] = new
        dict.__setitem__(namespace, name, new)
    for value in list(namespace.first.values()):
        for cell in getattr(value, "__closure__", None) or ():
            cell.cell_contents = moved(cell.cell_contents)


def run(snippet, namespace):
    """Run code, but not for ever; whether it raised."""
    lines = 0

    def trace(frame, event, argument):
        nonlocal lines
        if frame.f_code.co_filename not in ("<snippet>", "<setup>"):
            return None
        lines += 1
        if lines > 150 or weight(dict.values(namespace)) > 2000:
            raise Stop
        return trace

    code = compile(snippet, "<snippet>", "exec")
    old = sys.gettrace()
    sys.settrace(trace)
    try:
        exec(code, namespace)
    except (Exception, Stop):
        return True
    finally:
        sys.settrace(old)
    return False


def weight(values):
    waiting, seen, total = list(values), set(), 0
    while waiting and total <= 2000:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        total += 1
        if isinstance(value, (list, tuple)):
            total += len(value)
            waiting.extend(value[:50])
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, (Bag, types.SimpleNamespace)):
            waiting.append(vars(value))
    return total


def fingerprint(name, value, before):
    """The value of `value` in depth, up to objects that have a name of their own."""
    named = {id(v): n for n, v in before.items() if n != name}
    seen = {}

    def of(thing):
        if id(thing) in named:
            return ("named", named[id(thing)])
        if isinstance(thing, (int, str, float, bool, bytes, type(None), range)):
            return (type(thing).__name__, thing)
        if id(thing) in seen:
            return ("seen", seen[id(thing)])
        seen[id(thing)] = len(seen)
        if isinstance(thing, (list, tuple)):
            return (type(thing).__name__, tuple(map(of, thing)))
        if isinstance(thing, dict):
            return ("dict", tuple((of(k), of(v)) for k, v in thing.items()))
        if isinstance(thing, (set, frozenset)):
            return ("set", tuple(sorted(map(repr, thing))))
        if isinstance(thing, types.FunctionType):
            cells = tuple(of(c.cell_contents) for c in thing.__closure__ or () if c != types.CellType())
            return ("function", thing.__code__.co_code, of(thing.__defaults__ or ()), cells, of(vars(thing)))
        if isinstance(thing, type):
            kept = {k: v for k, v in vars(thing).items() if not k.startswith("__") and not callable(v)}
            return ("type", thing.__name__, of(kept) if thing.__module__ == "made_up" else ())
        if isinstance(thing, (Bag, types.SimpleNamespace)) or type(thing).__module__ == "made_up":
            return (type(thing).__name__, of(vars(thing)))
        if isinstance(thing, type(iter([]))):
            return ("iterator", of(list(thing.__reduce__()[1:])))
        return ("other", type(thing).__name__)

    return of(value)
