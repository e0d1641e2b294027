"""What a notebook defines is kept by one kernel and loaded by another, each of them a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PRELUDE = """
import json, sys
from pathlib import Path
from stagebook.store.blobs import Store
from stagebook.store.values import ValueRef, keep, load
STORE, REFS, NAMES = Store(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3:]
def keep_all():
    kept = keep({name: globals()[name] for name in NAMES}, STORE, namespace=globals(), setup={})
    assert not kept.unstorable, kept.unstorable
    REFS.write_text(json.dumps({name: ref.to_json() for name, ref in kept.refs.items()}))
def load_one_by_one():
    for ref in json.loads(REFS.read_text()).values():
        globals().update(load([ValueRef.from_json(ref)], STORE, namespace=globals()))
"""

NOTEBOOK = """
import abc, collections, dataclasses, enum, functools, re, typing
import numpy as np
SCALE = 3
def plain(x, k=2, *, z=(1,)):
    "Scaled."
    return x * SCALE * k
def factorial(n):
    return 1 if n < 2 else n * factorial(n - 1)
def is_even(n):
    return n == 0 or is_odd(n - 1)
def is_odd(n):
    return n != 0 and is_even(n - 1)
def plus_one(function):
    @functools.wraps(function)
    def inner(*arguments):
        return function(*arguments) + 1
    return inner
@plus_one
def decorated(x):
    return x + SCALE
@functools.lru_cache(maxsize=None)
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)
def counter():
    count = 0
    def add():
        nonlocal count
        count += 1
        return count
    return add, lambda: count
add, total = counter()
lookup = lambda word: word in {"alpha", "beta", "gamma", "delta"}
same = plain
def numbers():
    yield from range(SCALE)
class Point:
    origin = (0, 0)
    seen = []
    def __init__(self, x):
        self.x = x
    def scaled(self):
        return self.x * SCALE
    @functools.cached_property
    def double(self):
        return self.x * 2
    @property
    def half(self):
        return self.x / 2
    @staticmethod
    def made(): return Point(1)
    @classmethod
    def named(cls): return cls.__name__
    def __eq__(self, other): return type(self) is type(other) and self.x == other.x
    __hash__ = None
class Far(Point):
    def __init__(self, x):
        super().__init__(x)
point, far = Point(2), Far(4)
bound = point.scaled
@dataclasses.dataclass
class Row:
    a: int
    b: list = dataclasses.field(default_factory=list)
row = Row(1)
@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    a: int = 1
frozen = Frozen(5)
class Colour(enum.Enum):
    RED = 1
    BLUE = "b"
red = Colour.RED
class Level(enum.IntFlag):
    LOW = 1
    HIGH = 2
levels = Level.LOW | Level.HIGH
Pair = collections.namedtuple("Pair", "left right")
pair = Pair(1, 2)
class Typed(typing.NamedTuple):
    a: int = 3
typed = Typed()
class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...
class Square(Shape):
    def area(self): return 4
square = Square()
class Oops(Exception): pass
oops = Oops("x")
T = typing.TypeVar("T")
class Box(typing.Generic[T]):
    __slots__ = ("content",)
box = Box(); box.content = 1; box2 = box
partial = functools.partial(plain, 2)
texts = {"x", "y", "zz"}
text_sets = [frozenset(texts), {1: texts}]
points = {"a": [Point(1)], "b": np.arange(3)}
class Model:
    def fit(self, x):
        self.coefficients_ = np.asarray(x) * SCALE
        return self
model = Model().fit([1, 2])
"""
NAMES = [
    "plain", "factorial", "is_even", "is_odd", "decorated", "fibonacci", "add", "total", "lookup", "same", "numbers",
    "Point", "Far", "point", "far", "bound", "Row", "row", "Frozen", "frozen", "Colour", "red", "Level", "levels",
    "Pair", "pair", "Typed", "typed", "Shape", "Square", "square", "Oops", "oops", "T", "Box", "box", "box2", "partial",
    "texts", "text_sets", "points", "Model", "model",
]  # fmt: skip


def run(code, folder, refs, names=(), *, seed="random"):
    command = [sys.executable, "-c", PRELUDE + code, str(folder / "store"), str(folder / refs), *names]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("kept")
    run(NOTEBOOK + "keep_all()", folder, "refs", NAMES)
    return folder


CLAIMS = """
plain(1) == 20 and plain.__globals__ is globals() and plain.__doc__ == "Scaled." and plain.__kwdefaults__ == {"z": (1,)}
factorial(5) == 120
is_even(4) and is_odd(3)
decorated(1) == 12 and decorated.__name__ == "decorated"
fibonacci(30) == 832040 and fibonacci.cache_info().currsize == 31
lookup("beta") and not lookup("zeta")
list(numbers()) == list(range(10))
point.scaled() == 20 and bound() == 20
type(point) is Point and isinstance(far, Far) and isinstance(far, Point) and issubclass(Far, Point)
far.scaled() == 40 and far.double == 8 and far.half == 2 and far.named() == "Far"
Point(1) == points["a"][0] and Point.made() == Point(1)
type(row) is Row and row == Row(1) and repr(row) == "Row(a=1, b=[])"
[field.name for field in dataclasses.fields(Row)] == ["a", "b"]
dataclasses.fields(Row)[0].default is dataclasses.MISSING
frozen == Frozen(5) and hash(frozen) == hash(Frozen(5)) and Frozen() == Frozen(1)
red is Colour.RED and Colour("b") is Colour.BLUE and list(Colour) == [Colour.RED, Colour.BLUE]
levels == Level.LOW | Level.HIGH and Level.LOW in levels
type(pair) is Pair and pair.left == 1 and pair._replace(left=2) == Pair(2, 2)
type(typed) is Typed and Typed() == typed
isinstance(square, Shape) and square.area() == 4 and type(square) is Square
type(oops) is Oops and oops.args == ("x",)
Box[int].__origin__ is Box and type(box) is Box and box.content == 1
not hasattr(box, "__dict__") and isinstance(vars(Box)["content"], type(vars(type(lambda: 0))["__globals__"]))
partial() == 40
texts == {"x", "y", "zz"} and text_sets == [frozenset(texts), {1: texts}]
type(model) is Model and model.fit([1]).coefficients_[0] == 10
Model().fit([2]).coefficients_[0] == 20
""".strip().splitlines()


def test_what_one_kernel_defined_works_in_another_with_the_globals_of_that_one(kept):
    """SCALE is 10 there: functions see the globals of the namespace they are in, as they would in one kernel."""
    code = "import dataclasses\nimport numpy as np\nSCALE = 10\nload_one_by_one()\n"
    code += f"print(json.dumps([claim for claim in {CLAIMS!r} if not eval(claim)]))"
    assert json.loads(run(code, kept, "refs")) == []


def test_definitions_that_share_state_share_it_after_loading(kept):
    code = """
SCALE = 3
refs = [ValueRef.from_json(ref) for ref in json.loads(REFS.read_text()).values()]
globals().update(load(refs, STORE, namespace=globals()))
add(), add()
Point.seen.append(1)
print(total(), plain is same, partial.func is plain, box is box2, bound.__self__ is point, far.seen, point.seen)
"""
    assert run(code, kept, "refs").split(maxsplit=5) == ["2", "True", "True", "True", "True", "[1] [1]\n"]


def test_an_object_and_its_class_are_kept_apart_from_others_of_the_class(kept):
    refs = json.loads((kept / "refs").read_text())
    assert refs["row"]["members"] == ["row"]
    assert refs["red"]["members"] == ["red"]
    assert refs["model"]["members"] == ["model"]
    assert refs["box"]["members"] == ["box", "box2"]


def test_a_class_from_one_kernel_can_be_built_upon_in_another(kept):
    code = """
import dataclasses
load_one_by_one()
@dataclasses.dataclass
class Wide(Row):
    c: int = 7
print(Wide(1), isinstance(Wide(2), Row))
try:
    Wide()
except TypeError as error:
    print(error)
"""
    shown = run(code, kept, "refs")
    assert shown.startswith("Wide(a=1, b=[], c=7) True\n")
    assert "missing 1 required positional argument: 'a'" in shown


def test_equal_content_has_equal_digests_whichever_process_kept_it(kept):
    """With other hash seeds, and in one that keeps the names in another order."""
    run(NOTEBOOK + "keep_all()", kept, "again", NAMES[::-1], seed="5")
    first, second = (json.loads((kept / refs).read_text()) for refs in ("refs", "again"))
    assert [name for name in NAMES if first[name] != second[name]] == []


def test_what_was_loaded_and_is_kept_unchanged_has_the_digest_it_had(kept):
    names = ["Model", "model", "Colour", "red", "Box"]
    run(
        f"import numpy as np\nload_one_by_one()\nREFS = REFS.with_name('passed on')\nNAMES = {names}\nkeep_all()",
        kept,
        "refs",
    )
    first, second = (json.loads((kept / refs).read_text()) for refs in ("refs", "passed on"))
    assert [name for name in names if first[name] != second[name]] == []


HEAVY = """
import numpy as np, pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
draws = np.random.default_rng(0)
frame = pd.DataFrame({"x": draws.random(3000), "s": ["a", None, "b"] * 1000, "c": pd.Categorical(["u"] * 3000)})
objects = pd.DataFrame({"o": [1, "a", None]}, index=pd.date_range("2020", periods=3))
grouped = frame.groupby("c", observed=True)["x"].mean()
array, small = draws.random((200, 30)), draws.random(3)
model = make_pipeline(StandardScaler(), RandomForestClassifier(5, random_state=0)).fit(array, array[:, 0] > 0.5)
mapping = {"frame": frame, "texts": {"b", "a"}, 1: [array], "t": (1, 2.5, None, "x")}
keep_all()
"""


def test_frames_arrays_and_models_have_equal_digests_whichever_process_kept_them(tmp_path):
    names = ["frame", "objects", "grouped", "array", "small", "model", "mapping"]
    run(HEAVY, tmp_path, "one", names, seed="1")
    run(HEAVY, tmp_path, "two", names, seed="2")
    assert json.loads((tmp_path / "one").read_text()) == json.loads((tmp_path / "two").read_text())


SETUP = """
class Unit:
    def __init__(self, n): self.n = n
def helper(x): return Unit(x)
SETUP = {id(Unit): "Unit", id(helper): "helper"}
"""


def test_what_setup_defines_is_taken_from_the_setup_of_the_kernel_that_loads(tmp_path):
    keep = """
unit, chosen = helper(3), [helper, Unit]
kept = keep({"unit": unit, "chosen": chosen}, STORE, namespace=globals(), setup=SETUP)
REFS.write_text(json.dumps({name: ref.to_json() for name, ref in kept.refs.items()}))
"""
    check = "load_one_by_one()\nprint(type(unit) is Unit, chosen == [helper, Unit], unit.n)"
    run(SETUP + keep, tmp_path, "refs")
    assert run(SETUP + check, tmp_path, "refs") == "True True 3\n"


def test_a_base_is_not_told_again_of_a_class_that_is_loaded(tmp_path):
    made = """
class Base:
    told = []
    def __init_subclass__(cls, word="none"):
        super().__init_subclass__()
        Base.told.append((cls.__name__, word))
class Child(Base, word="first"):
    pass
keep_all()
"""
    run(made, tmp_path, "refs", ["Base", "Child"])
    code = "load_one_by_one()\nprint(Base.told, issubclass(Child, Base))\n"
    code += "class Later(Base): pass\nprint(Base.told[1:])"
    assert run(code, tmp_path, "refs") == "[('Child', 'first')] True\n[('Later', 'none')]\n"


def test_code_of_cells_is_alike_whichever_process_ran_it(tmp_path):
    made = "cell = compile('class A:\\n    def f(self): return 1\\ndef g(): return 2\\na = A()', {file!r}, 'exec')\n"
    made += "exec(cell)\nkeep_all()"
    for name, file in [("one", "/tmp/ipykernel_12/34.py"), ("two", "/tmp/ipykernel_56/34.py")]:
        run(made.format(file=file), tmp_path, name, ["A", "a", "g"])
    assert (tmp_path / "one").read_text() == (tmp_path / "two").read_text()
