"""What `check` finds, code by code, and what it keeps quiet about."""

import pytest
from tests.cases.findings import ONE_FINDING
from tests.notebooks_factory import codes, findings

from stagebook.book.findings import CODES
from stagebook.errors import PipelineError


@pytest.mark.parametrize(("cells", "expected"), ONE_FINDING.values(), ids=ONE_FINDING.keys())
def test_finding_names_place_cause_and_remedy(cells, expected):
    code, place, words, remedy = expected
    assert [(one.code, str(one.place)) for one in findings(cells)] == [(code, place)]
    (found,) = findings(cells)
    assert found.severity == CODES[code][0]
    assert [word for word in words if word not in found.message] == []
    assert remedy in found.remedy


def test_every_code_has_a_case():
    assert sorted({expected[0] for _, expected in ONE_FINDING.values()}) == sorted(CODES)


def test_every_finding_has_a_remedy_and_is_one_or_two_sentences():
    for cells, _ in ONE_FINDING.values():
        for found in findings(cells):
            assert found.remedy.endswith((".", "?"))
            assert found.message.endswith(".")


def test_notebook_without_stages_says_how_to_make_one():
    with pytest.raises(PipelineError, match=r"notebook\.ipynb has no stages\. Tag a cell `stage:NAME`"):
        findings([("", "x = 1")])


def test_notebook_without_stages_still_says_what_is_wrong_with_its_tags():
    with pytest.raises(PipelineError) as error:
        findings([("", "%%stage\nx = 1")])
    assert [found.code for found in error.value.findings] == ["SB106"]


def test_findings_stand_in_the_order_of_the_notebook():
    cells = [("parameters", "n = 1"), ("stage:a", "print(p)\nprint(o)"), ("", "%%stage b need=a\nprint(q)")]
    assert [(one.place.cell, one.place.line) for one in findings(cells)] == [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2)]


def test_syntax_error_in_one_stage_does_not_accuse_others_of_what_it_may_make():
    assert codes([("parameters", "n = 1"), ("stage:a", "x = = n"), ("stage:b", "y = x")]) == ["SB101"]


def test_exploration_may_be_no_python():
    assert codes([("", "this is = not python ("), ("stage:a", "print(1)")]) == []


@pytest.mark.parametrize(
    "cells",
    [
        [("setup", "from mylib import *"), ("stage:a", "print(clean(1))")],
        [("setup", "from mylib import *\nclean(1)"), ("stage:a", "print(1)")],
        [("setup", "%run common.py"), ("stage:a", "print(clean(1))"), ("test:a", "assert checked")],
        [("stage:a", "from mylib import *\nprint(clean(1))")],
        [("stage:a", "from mylib import *"), ("stage:b", "print(clean(1))")],
        [("stage:a", "for name in 'xy':\n    exec(f'{name} = 1')"), ("stage:b", "print(x + y)")],
    ],
)
def test_name_that_a_star_import_may_bind_is_not_said_to_be_undefined(cells):
    assert codes(cells) == []


def test_setup_may_use_a_builtin_that_a_later_stage_shadows():
    assert codes([("setup", "top = max(1, 2)"), ("stage:a", "max = top\nprint(max)")]) == []


MAY_BE_BOUND = [
    "for i in [1, 2]:\n    last = i\nprint(last, i)",
    "for i in [1, 2]:\n    if i > 1:\n        print(last)\n    last = i",
    "import os\nif os.name:\n    x = 1\nprint(x)",
    "try:\n    v = 1\nexcept ValueError:\n    print('no')\nprint(v)",
    "try:\n    import tomllib\nexcept ImportError:\n    pass\nprint(tomllib)",
    "any((hit := p) for p in [1])\nprint(hit)",
    "print(any((hit := p) for p in [1]), hit)",
    "match 3:\n    case 3:\n        z = 1\nprint(z)",
    "def f():\n    global g\n    g = 1\nif len('a'):\n    f()\nprint(g)",
]


@pytest.mark.parametrize("source", MAY_BE_BOUND)
@pytest.mark.parametrize("tags", ["stage:a", "setup", "test:b"])
def test_name_that_the_code_may_have_bound_itself_is_not_said_to_be_undefined(tags, source):
    assert codes([(tags, source), ("stage:b", "print(0)")]) == []


@pytest.mark.parametrize(
    "source", ["total += 1", "total = total + 1\nprint(total)", "print(x)\nfor x in []:\n    pass"]
)
def test_name_that_the_code_binds_too_late_is_undefined(source):
    assert codes([("stage:a", source)])[0] in ("SB201", "SB203")


# False alarms: notebooks as people write them

QUIET = {
    "train and test split": [
        ("setup", "import pandas as pd\nfrom sklearn.model_selection import train_test_split"),
        ("parameters", "test_size = 0.2  # share held back\nseed = 0"),
        ("stage:load", "df = pd.read_csv('trips.csv')\ndf = df.dropna()\ndf['hour'] = df['time'].dt.hour"),
        (
            "stage:split",
            "X = df.drop(columns='late')\ny = df['late']\n"
            "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=test_size, random_state=seed)",
        ),
        ("stage:train", "from sklearn.linear_model import Ridge\nmodel = Ridge()\nmodel.fit(X_train, y_train)"),
        ("", "%%stage evaluate metrics=score\nscore = model.score(X_test, y_test)"),
        ("test:evaluate", "assert 0 < score <= 1"),
    ],
    "loops": [
        ("stage:load", "sizes = [1, 2, 3]"),
        (
            "stage:fit",
            "scores = {}\nfor size in sizes:\n    for step, part in enumerate(range(size)):\n"
            "        scores[size, step] = part\n    last = size\nbest = max(scores, key=scores.get)\nprint(best)",
        ),
    ],
    "functions of setup with globals": [
        ("setup", "import logging\nlog = logging.getLogger()\ncalls = 0"),
        (
            "setup",
            "def clean(frame):\n    global calls\n    calls += 1\n    log.info('new')\n    return helper(frame)\n\n"
            "def helper(frame):\n    return frame",
        ),
        ("stage:load", "frame = clean([1])"),
        ("stage:report", "print(len(frame), calls)"),
    ],
    "plots": [
        ("setup", "import matplotlib.pyplot as plt\n%matplotlib inline"),
        ("stage:load", "values = [1, 2, 3]"),
        (
            "stage:plot",
            "fig, ax = plt.subplots()\nax.plot(values)\nfig2 = plt.figure()\nax_left = fig2.add_subplot()\n"
            "plt.savefig('plot.png')",
        ),
        ("stage:bars", "fig = plt.figure()\nax = plt.gca()\n_ = plt.hist(values)\nplt.show()"),
        ("", "plt.plot(values);"),
    ],
    "underscore names": [
        ("stage:a", "_, kept = 1, 2\n_scratch = kept\nfor _ in range(3):\n    pass"),
        ("stage:b", "print(kept, _)"),
    ],
    "comprehensions": [
        ("stage:a", "pairs = [(i, j) for i in range(3) for j in range(i) if i != j]"),
        ("stage:b", "sums = {i: sum(j for j in pair) for i, pair in enumerate(pairs)}\nprint(sums)"),
        ("stage:c", "print(any((hit := pair) for pair in pairs), hit)"),
    ],
    "classes": [
        (
            "setup",
            "from dataclasses import dataclass\n\n@dataclass\nclass Point:\n    x: int\n    y: 'Point' = None\n\n"
            "    def moved(self, by):\n        return Point(self.x + by, self)\n\n"
            "    @property\n    def norm(self) -> float:\n        return abs(self.x)",
        ),
        ("stage:a", "class Grid(list):\n    size = 3\n\n    def corner(self):\n        return Point(self.size)"),
        ("stage:b", "point = Grid().corner().moved(1)\nprint(point.norm, __name__)"),
    ],
    "optional imports": [
        (
            "setup",
            "try:\n    import tomllib\nexcept ImportError:\n    import tomli as tomllib\n\n"
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pandas import DataFrame\n\n"
            "def read(text: str) -> 'DataFrame':\n    return tomllib.loads(text)",
        ),
        ("stage:a", "table = read('a = 1')"),
        ("stage:b", "try:\n    print(table['b'])\nexcept KeyError as error:\n    print(error)"),
    ],
    "star import from the standard library": [
        ("setup", "from math import *\nfrom os.path import *"),
        ("stage:a", "area = pi * sqrt(2)\nprint(area, join('a', 'b'))"),
    ],
    "magics": [
        ("setup", "%load_ext autoreload\n%autoreload 2\n%matplotlib inline\n!pip list"),
        ("parameters", "folder = 'data'"),
        ("stage:a", "files = !ls {folder}\n%time total = len(files)"),
        ("stage:b", "display(total)\nget_ipython().run_line_magic('who', '')\ntotal?"),
        ("", "%%bash\nfor f in *; do echo $f; done"),
        ("", "%%html\n<b>not python</b>"),
    ],
    "shown values": [
        ("setup", "import pandas as pd\nfrom IPython.display import display, Markdown"),
        ("stage:load", "df = pd.DataFrame({'a': [1, 2]})\ndf.head()"),
        ("stage:show", "display(df)\ndisplay(Markdown('# Title'))\ndf.describe()"),
        ("", "df.plot()"),
        ("", "summary = df.describe()\nsummary"),
    ],
    "await at the top": [
        ("setup", "import asyncio"),
        ("stage:a", "async def fetch():\n    await asyncio.sleep(0)\n    return 1\n\nvalue = await fetch()"),
        ("stage:b", "results = [i async for i in fetch()]\nprint(value, results)"),
    ],
    "a query that names a variable in its text": [
        ("setup", "import pandas as pd"),
        ("stage:a", "df = pd.DataFrame({'age': [1]})\nlimit = 18\nadults = df.query('age > @limit')\nprint(adults)"),
    ],
    "seeds and options": [
        ("setup", "import os\nimport random\nimport warnings\nrandom.seed(0)\nwarnings.filterwarnings('ignore')"),
        ("setup", "os.environ['OMP_NUM_THREADS'] = '1'"),
        ("stage:a", "with open('a.txt') as file:\n    lines = file.readlines()\nassert lines, 'empty'"),
        ("stage:b", "total = 0\nwhile lines:\n    total += len(lines.pop())\nprint(f'{total=}')"),
    ],
    "match and walrus": [
        ("stage:a", "event = {'kind': 'late', 'by': 3}"),
        (
            "stage:b",
            "match event:\n    case {'kind': 'late', 'by': minutes, **rest}:\n        print(minutes, rest)\n"
            "    case [first, *others] if (n := len(others)) > 1:\n        print(first, n)\n    case _:\n        pass",
        ),
    ],
    "lambdas, decorators and defaults": [
        ("setup", "import functools\n\ndef logged(f):\n    @functools.wraps(f)\n    def inner(*args, **kwargs):\n"
         "        return f(*args, **kwargs)\n    return inner"),
        ("parameters", "k = 2"),
        ("stage:a", "@logged\ndef scale(x, by=k):\n    return x * by\n\ntwice = lambda x: scale(x, by=2)"),
        ("stage:b", "print(sorted([3, 1], key=twice), list(map(scale, [1])))"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("cells", QUIET.values(), ids=QUIET.keys())
def test_check_is_quiet_about_notebooks_as_people_write_them(cells):
    assert [f"{one.code} {one.place}: {one.message}" for one in findings(cells)] == []


@pytest.mark.parametrize("line", ["!echo $HOME {there}", "x = !ls $HOME", "%env", "%cd $HOME", "%%bash $HOME\nls"])
def test_what_only_the_shell_knows_is_no_missing_name(line):
    assert "SB201" not in codes([("stage:a", f"{line}\n"), ("test:a", f"{line}\n")])


def test_a_test_that_stands_above_its_stage_may_read_what_that_makes():
    assert codes([("test:b", "assert x + y"), ("stage:a", "x = 1"), ("stage:b", "y = 1")]) == []
