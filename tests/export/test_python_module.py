"""The text of an exported module: golden, clean to linters, and what each option of a stage becomes."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import types
from pathlib import Path

import pandas as pd
import pytest
from tests.export.hazards import exported
from tests.notebooks_factory import notebook, written

from stagebook.book.notebook import read_document
from stagebook.run.api import run_notebook
from stagebook.run.bringing import brought
from stagebook.run.kept import outputs_of

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden/flights.py"
DEMO = ROOT / "notebooks/flights.ipynb"
HERE = Path("notebook.ipynb")


def module(cells, **options):
    """An exported module, imported as one that is no script."""
    found = types.ModuleType("exported")
    exec(compile(exported(notebook(cells), HERE, **options), "exported", "exec", dont_inherit=True), vars(found))
    return found


def printed(cells, *words, **environment):
    """What an exported module prints as a script."""
    return subprocess.run(
        [sys.executable, "-c", exported(notebook(cells), HERE), *words],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


class TestTheDemo:
    def test_is_as_it_was(self):
        """Write it anew with `stagebook export python notebooks/flights.ipynb --out tests/golden`."""
        assert exported(read_document(DEMO), DEMO) == GOLDEN.read_text(encoding="utf-8")

    @pytest.mark.parametrize("words", [("check", "--select", "E,F,I"), ("format", "--check")])
    def test_is_clean(self, tmp_path, words):
        (tmp_path / "flights.py").write_bytes(GOLDEN.read_bytes())
        command = [sys.executable, "-m", "ruff", *words, "--isolated", "--line-length", "120", "flights.py"]
        if subprocess.run([sys.executable, "-m", "ruff", "--version"], capture_output=True).returncode:
            command = ["ruff", *command[3:]]
        found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert found.returncode == 0, found.stdout + found.stderr


STORY = [
    ("parameters", "count: int = 40  # rows\nshare = 0.5\nseed = 7"),
    ("setup", "import numpy as np\nimport pandas as pd\n\n\ndef scaled(frame, by):\n    return frame / by"),
    (
        "setup",
        "class Line:\n    def fit(self, x, y):\n        self.slope = float(x @ y / (x @ x))\n        return self",
    ),
    ("stage:make", "rng = np.random.default_rng(seed)\nframe = pd.DataFrame({'x': rng.normal(size=count)})"),
    ("stage:mark", "frame['y'] = frame['x'] * 2 + 1\nparts = {'all': frame, 'first': frame.head(3)}"),
    ("stage:fit", "from math import sqrt\n\nmodel = Line()"),
    ("stage:fit", "model.fit(frame['x'], frame['y'])\nmodel"),
    (
        "stage:judge",
        "parts['all'].loc[0, 'x'] = 9.0\nscore = sqrt(((frame['y'] - model.slope * frame['x']) ** 2).mean())\n"
        "mean = scaled(frame, share)['x'].mean()",
        {"metrics": ["score"]},
    ),
]


def test_stages_return_what_a_run_keeps(tmp_path):
    path = written(tmp_path, STORY)
    run = run_notebook(path, track=False, parameters={"count": 30})
    found = module(STORY)
    marked, parts = found.mark(found.make(count=30, seed=7))
    before = marked.copy()
    model = found.fit(marked)
    score, mean = found.judge(marked, parts, model, share=0.5)
    assert found.main(count=30) == run.metrics == {"score": score}
    stored = {name: brought(outputs_of(path, name), dict(vars(found)), name) for name in ("mark", "fit", "judge")}
    pd.testing.assert_frame_equal(before, stored["mark"]["frame"])
    assert vars(model) == vars(stored["fit"]["model"])
    assert parts["all"] is marked
    assert {"score": score, "mean": mean}.items() <= stored["judge"].items()


class TestOptions:
    def test_a_false_condition_skips_a_stage_and_what_depends_on_it(self):
        cells = [
            ("parameters", "n = 3"),
            ("stage:a", "x = n"),
            ("stage:b", "y = x * 2", {"when": "n > 5"}),
            ("stage:c", "print('c', y)"),
            ("stage:d", "print('d', x)"),
        ]
        assert printed(cells).stdout == "d 3\n"
        assert printed(cells, "--n", "6").stdout == "c 12\nd 6\n"

    def test_a_mapped_stage_gathers_lists(self, capsys):
        cells = [
            ("parameters", "sizes = [1, 2, 3]"),
            ("stage:a", "base = 10"),
            ("stage:b", "total = base + size", {"foreach": "size in sizes"}),
            ("stage:c", "print(total, sizes)"),
        ]
        module(cells).main(sizes=[5, 6])
        assert capsys.readouterr().out == "[15, 16] [5, 6]\n"

    def test_each_element_has_copies_of_its_own(self, capsys):
        cells = [
            ("stage:a", "import operator\npush = operator.methodcaller('append', 9)\nrows = [[1], [2]]\nkept = [0]"),
            ("stage:b", "push(row)\npush(kept)\nmade = (row, kept)", {"foreach": "row in rows"}),
            ("stage:c", "print(made, rows, kept)"),
        ]
        module(cells).main()
        assert capsys.readouterr().out == "[([1, 9], [0, 9]), ([2, 9], [0, 9])] [[1], [2]] [0]\n"

    def test_a_closed_gate_ends_it(self, capsys):
        cells = [
            ("parameters", "auc = 0.5"),
            ("stage:a", "scores = {'auc': auc}", {"metrics": ["scores"], "gate": "scores.auc >= 0.8"}),
            ("stage:b", "print('b', scores)"),
        ]
        with pytest.raises(RuntimeError, match=r"The gate of stage a is closed: scores.auc >= 0.8"):
            module(cells).main()
        assert module(cells).main(auc=0.9) == {"scores": {"auc": 0.9}}
        assert capsys.readouterr().out == "b {'auc': 0.9}\n"

    def test_what_a_module_does_not_do_is_named_at_its_head(self):
        options = {"retries": 2, "timeout": 60, "cache": False, "reads": ["a.csv"], "resources": {"cores": 2}}
        text = exported(notebook([("stage:a", "x = 1", options)]), HERE)
        head = text[: text.index('"""', 3)]
        for told in ("tries 2 more times", "after 60 seconds", "runs it every time", "a.csv", "waits for cores"):
            assert f"- a: {told}" in head or told in head

    def test_a_gate_with_the_champion_is_named_and_not_judged(self):
        options = {"metrics": ["auc"], "gate": "auc >= champion.auc", "model": "model.predict"}
        text = exported(notebook([("stage:a", "auc = 1\nmodel = object()", options)]), HERE)
        assert "- a: ends the run unless auc >= champion.auc" in text
        assert "RuntimeError" not in text


class TestParameters:
    CELLS = (
        ("parameters", "n: int = 3  # how many, 100% sure\nfast: bool = False\nnames: list = ['a']\nlimit = None"),
        ("stage:a", "names.append('z')\nprint(n, fast, names, limit)"),
    )

    def test_are_keyword_arguments_with_types_and_defaults(self):
        signature = inspect.signature(module(self.CELLS).main)
        assert str(signature) == "(*, n: int = 3, fast: bool = False, names: list | None = None, limit=None) -> None"

    def test_a_changed_default_is_new_each_time(self, capsys):
        found = module(self.CELLS)
        found.main()
        found.main()
        assert capsys.readouterr().out == "3 False ['a', 'z'] None\n" * 2

    def test_are_options_of_the_command_line(self):
        words = ["--n", "4", "--fast", "--names", "['b']", "--limit", "2.5"]
        assert printed(self.CELLS, *words).stdout == "4 True ['b', 'z'] 2.5\n"
        assert "how many, 100% sure [3]" in printed(self.CELLS, "--help").stdout
        assert printed(self.CELLS, "--n", "four").returncode == 2

    def test_those_that_setup_reads_are_constants(self):
        cells = [("parameters", "seed = 3\nn = 2"), ("setup", "start = seed + 1"), ("stage:a", "print(start, seed, n)")]
        text = exported(notebook(cells), HERE)
        assert "Read by setup, and so constants here: seed." in text
        assert "def main(*, n: int = 2)" in text
        assert printed(cells).stdout == "4 3 2\n"

    def test_a_secret_is_written_nowhere_and_comes_from_the_environment(self):
        cells = [("parameters", "api_token = 's3cr3t'\nother_token = ''"), ("stage:a", "print(api_token, other_token)")]
        assert "s3cr3t" not in exported(notebook(cells), HERE)
        assert "KeyError: 'API_TOKEN'" in printed(cells).stderr
        assert printed(cells, API_TOKEN="given").stdout == "given \n"


class TestDisplays:
    CELLS = (
        ("setup", "import pandas as pd\n%matplotlib inline\n%load_ext autoreload\n%autoreload 2"),
        ("stage:a", "# the data\ndf = pd.DataFrame({'a': [1]})  # small\ndf.head()  # a look"),
        ("stage:b", "display(df)\n%time x = len(df)\ndf['a'].sum()"),
    )

    def test_are_dropped(self):
        text = exported(notebook(self.CELLS), HERE)
        assert not {"head()", "display", "matplotlib", "autoreload", "%time", "sum()"} & set(text.split("\n"))
        assert "df.head()" not in text
        assert "    # the data\n    df = pd.DataFrame({'a': [1]})  # small\n    return df\n" in text

    def test_or_printed(self):
        text = exported(notebook(self.CELLS), HERE, displays="print")
        assert "    print(df.head())  # a look\n" in text
        assert "    print(df)\n    x = len(df)\n    print(df['a'].sum())\n" in text

    def test_display_that_was_imported_is_jupyters_too(self):
        cells = [("setup", "from IPython.display import display"), ("stage:a", "x = 1\ndisplay(x)")]
        assert "display" not in exported(notebook(cells), HERE)
        assert "IPython" not in exported(notebook(cells), HERE, displays="print")
        assert "    print(x)\n" in exported(notebook(cells), HERE, displays="print")

    def test_what_may_do_more_than_show_is_kept(self):
        cells = [("stage:a", "stack = [1, 2]\nstack.pop()"), ("stage:b", "print(stack)")]
        assert printed(cells).stdout == "[1]\n"


class TestNames:
    def test_a_function_is_called_otherwise_where_the_code_uses_the_name(self):
        cells = [("setup", "def main():\n    return 1"), ("stage:load", "load = main()"), ("stage:b-c", "print(load)")]
        found = module(cells)
        assert callable(found.run_pipeline)
        assert callable(found.load_stage)
        assert callable(found.b_c)
        assert printed(cells).stdout == "1\n"

    def test_headings_become_docstrings(self):
        document = notebook([("stage:a", "x = 1"), ("stage:b", "print(x)")])
        heading = {"cell_type": "markdown", "metadata": {}, "source": '# Title\n\n## Load *it* """ \\ now'}
        document["cells"].insert(0, heading)
        found = types.ModuleType("exported")
        exec(exported(document, HERE), vars(found))
        assert found.__doc__.startswith("Title.\n")
        assert found.a.__doc__.startswith("Load it ''' \\ now.\n")
