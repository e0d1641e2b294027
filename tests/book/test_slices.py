"""What of setup and parameters a stage stands on."""

import ast

import pytest
from tests.notebooks_factory import pipeline

from stagebook.book.slices import foundation, preamble_statements


def founded(preamble, source):
    """The setup statements, parameters and imports that a stage with this source stands on."""
    made = pipeline([*preamble, ("stage:a", source)])
    base = foundation(made.stage("a"), preamble_statements(made))
    return [ast.unparse(node).splitlines()[0] for node in base.setup], sorted(base.parameters), sorted(base.imports)


def setup(*sources):
    return [("setup", source) for source in sources]


SETUP = {
    "nothing that it does not use": (setup("import math\nk = 1\ndef f(): pass"), "x = 1", []),
    "an import": (setup("import math\nimport json"), "math.pi", ["import math"]),
    "a constant": (setup("k = 1\nj = 2"), "print(k)", ["k = 1"]),
    "a function": (setup("def f():\n    return 1\ndef g():\n    return 2"), "f()", ["def f():"]),
    "functions that it calls by way of others, with what they read": (
        setup("import math\nk = 1", "def f():\n    return g()\ndef g():\n    return math.exp(k)\ndef h():\n    pass"),
        "f()",
        ["import math", "k = 1", "def f():", "def g():"],
    ),
    "a function's own imports and defaults": (
        setup("k = 1\ndef f(x=k):\n    import json\n    return json.dumps(x)"),
        "f()",
        ["k = 1", "def f(x=k):"],
    ),
    "a class, its base and its decorator": (
        setup("def d(c):\n    return c\nclass A:\n    pass\n@d\nclass B(A):\n    pass"),
        "B()",
        ["def d(c):", "class A:", "@d"],
    ),
    "statements that are there for their effect": (
        setup("import random\nimport json\nrandom.seed(0)"),
        "x = 1",
        ["import random", "random.seed(0)"],
    ),
    "no text that stands alone": (setup("'''About this notebook.'''\n1"), "x = 1", []),
    "what an effect reads": (
        setup("import os\nn = '1'\nos.putenv('N', n)"),
        "x = 1",
        ["import os", "n = '1'", "os.putenv('N', n)"],
    ),
    "effects in a loop or a branch": (
        setup("import os\nfor n in 'ab':\n    os.putenv(n, n)\ntry:\n    a = 1\n    print()\nexcept OSError:\n    1"),
        "x = 1",
        ["import os", "for n in 'ab':", "try:"],
    ),
    "changes of what it uses": (
        setup("o = {}\no['a'] = 1\np = {}"),
        "print(o)",
        ["o = {}", "o['a'] = 1"],
    ),
    "both ways of an optional import": (
        setup("try:\n    import a\nexcept ImportError:\n    a = None"),
        "print(a)",
        ["try:"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("preamble", "source", "statements"), SETUP.values(), ids=SETUP.keys())
def test_stage_stands_on(preamble, source, statements):
    assert founded(preamble, source)[0] == statements


PARAMETERS = {
    "read by the stage": ([("parameters", "n = 1\nk = 2")], "print(n)", ["n"]),
    "read by a function that it calls": (
        [("parameters", "n = 1\nk = 2"), ("setup", "def f():\n    return n")],
        "f()",
        ["n"],
    ),
    "read by setup that it uses": ([("parameters", "n = 1"), ("setup", "m = n + 1")], "print(m)", ["n"]),
    "read by setup that it does not use": ([("parameters", "n = 1"), ("setup", "m = n + 1")], "x = 1", []),
    "read by an effect of setup": (
        [("parameters", "n = 1"), ("setup", "import random\nrandom.seed(n)")],
        "x = 1",
        ["n"],
    ),
    "made of another parameter": ([("parameters", "n = 1\nk = n + 1")], "print(k)", ["k", "n"]),
}


@pytest.mark.parametrize(("preamble", "source", "names"), PARAMETERS.values(), ids=PARAMETERS.keys())
def test_parameters_that_a_stage_stands_on(preamble, source, names):
    assert founded(preamble, source)[1] == names


@pytest.mark.parametrize(
    ("preamble", "source", "modules"),
    [
        (setup("import os.path as where\nimport json"), "where.join('a')", ["os.path"]),
        (setup("import json"), "import math", ["math"]),
        (setup("import json\ndef f():\n    return json.dumps(1)"), "f()", ["json"]),
        (setup("from math import *"), "print(pi)", ["math"]),
    ],
)
def test_imports_are_those_of_the_stage_and_of_the_setup_that_it_uses(preamble, source, modules):
    assert founded(preamble, source)[2] == modules


def test_magics_of_setup_count_as_effects():
    assert len(founded(setup("%matplotlib inline"), "x = 1")[0]) == 1
