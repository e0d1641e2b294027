"""A Kedro project: golden, clean to linters, the same answer as a run, and what it cannot be."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from tests.notebooks_factory import notebook, pipeline, written

from stagebook.book.notebook import read_document
from stagebook.book.pipeline import pipeline_of
from stagebook.cli import main
from stagebook.errors import StagebookError, UsageError
from stagebook.export.exporter import exported_files
from stagebook.export.writing import write
from stagebook.export.yamltext import yaml_of
from stagebook.run.api import run_notebook
from stagebook.run.bringing import brought
from stagebook.run.kept import outputs_of

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden/kedro"
DEMO = ROOT / "notebooks/flights.ipynb"
NODES = "src/notebook/pipelines/notebook/nodes.py"
PIPELINE = "src/notebook/pipelines/notebook/pipeline.py"
CATALOG = "conf/base/catalog.yml"


def files(cells, **options):
    """The texts of a project, by path."""
    found = exported_files("kedro", pipeline(cells), notebook(cells), options)
    return {path: text.decode() for path, text in found.items()}


def demo():
    document = read_document(DEMO)
    return exported_files("kedro", pipeline_of(document, DEMO), document, {})


class TestTheDemo:
    def test_is_as_it_was(self):
        """Write it anew with `python -m tests.export.test_kedro`."""
        there = {one.relative_to(GOLDEN).as_posix(): one.read_bytes() for one in GOLDEN.rglob("*") if one.is_file()}
        assert demo() == there

    @pytest.mark.parametrize("words", [("check", "--select", "E,F,I"), ("format", "--check")])
    def test_is_clean(self, tmp_path, words):
        write(demo(), tmp_path, exporter="kedro")
        command = [sys.executable, "-m", "ruff", *words, "--isolated", "--line-length", "120", "."]
        found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert found.returncode == 0, found.stdout + found.stderr


STORY = [
    ("parameters", "count: int = 40  # rows\nseed = 7\nshares = [0.1, 0.25]\napi_token = 's3cr3t'"),
    ("setup", "import numpy as np\nimport pandas as pd\n\n\ndef scaled(frame, by):\n    return frame / by"),
    (
        "stage:make",
        "frame = pd.DataFrame({'x': np.random.default_rng(seed).normal(size=count)})\n"
        "rows = len(pd.read_csv('rows.csv'))",
    ),
    ("stage:mark", "frame['y'] = frame['x'] * 2 + 1"),
    ("test:mark", "assert (scaled(frame, 2)['y'] < 9).all() and count == len(frame)"),
    ("stage:fit", "slope = float(np.polyfit(frame['x'], frame['y'], 1)[0])\npredict = lambda x: slope * x"),
    ("stage:cut", "cut = frame['x'].quantile(share)", {"foreach": "share in shares"}),
    ("stage:write", "pd.Series([slope]).to_csv('slope.csv')\nknown = bool(api_token)"),
    ("stage:read", "again = pd.read_csv('slope.csv')"),
    (
        "stage:judge",
        "score = float(predict(1.0))\nparts = {'low': cut[0], 'rows': rows}",
        {"metrics": ["score", "parts"], "gate": "score > 0", "retries": 2},
    ),
]


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """A notebook and its project."""
    pytest.importorskip("kedro")
    folder = tmp_path_factory.mktemp("story")
    (folder / "rows.csv").write_text("a\n1\n2\n")
    path = written(folder, STORY)
    document = read_document(path)
    project = folder / "project"
    write(exported_files("kedro", pipeline_of(document, path), document, {}), project, exporter="kedro")
    return path, project


def with_viz(project, folder):
    """The Python of an environment with the project and Kedro-Viz, which takes no IPython as new as ours."""
    pins = (ROOT / "constraints.txt").read_text().splitlines(keepends=True)
    kept = [pin for pin in pins if not pin.startswith(("ipython", "notebook"))]  # as the project is called, too
    (folder / "constraints.txt").write_text("".join(kept))
    uv, python = Path(sys.executable).with_name("uv"), folder / "environment/bin/python"
    subprocess.run([uv, "venv", "--quiet", python.parents[1]], check=True)
    wanted = [f"{project}[viz]", "kedro-viz==12.5.0", "--constraint", folder / "constraints.txt"]
    told = subprocess.run([uv, "pip", "install", "--python", python, *wanted], capture_output=True, text=True)
    if told.returncode and not os.environ.get("CI"):
        pytest.skip(f"Kedro-Viz cannot be installed: {told.stderr}")
    assert told.returncode == 0, told.stderr
    return python


class TestARun:
    """With Kedro itself, on a notebook in which values change in place, are mapped, and pass through a file."""

    def kedro(self, project, *words, python=sys.executable):
        environment = {**os.environ, "DO_NOT_TRACK": "1", "API_TOKEN": "given"}
        told = subprocess.run([python, "-m", *words], cwd=project, env=environment, capture_output=True, text=True)
        assert told.returncode == 0, told.stdout + told.stderr
        return told.stdout

    def test_gives_what_a_run_gives_also_in_parallel(self, story):
        path, project = story
        assert "notebook" in self.kedro(project, "kedro", "registry", "list")
        self.kedro(project, "kedro", "run", "--runner", "ParallelRunner", "--params", "count=30,seed=9")
        run = run_notebook(path, track=False, parameters={"count": 30, "seed": 9, "api_token": "given"})
        found = json.loads((project / "data/08_reporting/metrics.json").read_text())
        assert found["score"] == run.metrics["score"]
        assert found["parts"] == {"low": run.metrics["parts.low"], "rows": run.metrics["parts.rows"]}
        made = {one.stem: one for one in (project / "data/02_intermediate").iterdir()}
        marked = pickle.loads(made["frame_mark"].read_bytes())
        assert marked.equals(brought(outputs_of(path, "mark"), {}, "mark")["frame"])
        assert list(pickle.loads(made["frame"].read_bytes())) == ["x"]

    def test_keeps_tables_as_parquet_that_a_run_has_shown_to_be_some(self, story, tmp_path, monkeypatch):
        path, _ = story
        monkeypatch.setenv("API_TOKEN", "given")
        run = run_notebook(path, track=False, parameters={"api_token": "given"})
        told = CliRunner().invoke(
            main, ["export", "kedro", str(path), "--out", str(tmp_path), "--folder", str(path.parent)]
        )
        assert told.exit_code == 0, told.output
        catalog = yaml.safe_load((tmp_path / CATALOG).read_text())
        tables = {name for name, one in catalog.items() if one["type"] == "pandas.ParquetDataset"}
        assert tables == {"frame", "frame_mark", "again"}
        assert '"pyarrow",' in (tmp_path / "pyproject.toml").read_text()
        self.kedro(tmp_path, "kedro", "run", "--runner", "ParallelRunner")
        marked = pd.read_parquet(tmp_path / "data/02_intermediate/frame_mark.parquet")
        assert marked.equals(brought(outputs_of(path, "mark"), {}, "mark")["frame"])
        found = json.loads((tmp_path / "data/08_reporting/metrics.json").read_text())
        assert found["score"] == run.metrics["score"]

    def test_has_tests_that_pass(self, story):
        _, project = story
        assert "1 passed" in self.kedro(project, "pytest", "-q", "-p", "no:cacheprovider")

    def test_is_drawn_and_the_secret_is_not(self, story, tmp_path):
        _, project = story
        self.kedro(project, "kedro", "viz", "build", python=with_viz(project, tmp_path))
        drawn = "".join(one.read_text() for one in (project / "build/api").rglob("*") if one.is_file())
        nodes = {one["name"] for one in json.loads((project / "build/api/main").read_text())["nodes"]}
        assert {"make", "mark", "fit", "write", "read", "judge", "frame_mark", "metrics"} <= nodes
        assert "given" not in drawn


class TestDatasets:
    def test_tables_are_those_that_are_named(self):
        catalog = yaml.safe_load(files(STORY, tables="frame")[CATALOG])
        assert catalog["frame_mark"]["filepath"] == "data/02_intermediate/frame_mark.parquet"
        assert catalog["slope"]["type"] == "pickle.PickleDataset"
        unread = [("stage:a", "x, y = 1, 2"), ("stage:b", "print(x)")]
        assert "pandas.ParquetDataset" not in files(unread, tables="y")[CATALOG]  # a run may have kept it
        with pytest.raises(UsageError, match=r"--tables: no stage makes `fram`. Did you mean `frame`\?"):
            files(STORY, tables="fram, slope")

    def test_each_version_of_a_name_has_one(self):
        text = files(STORY)[PIPELINE]
        assert 'inputs="frame",\n                outputs="frame_mark",' in text.replace(
            'inputs={\n                    "frame": "frame",\n                }', 'inputs="frame"'
        )
        assert '"frame": "frame_mark"' in text

    def test_a_stage_waits_for_a_file(self):
        text = files(STORY)[PIPELINE]
        assert 'outputs=["known", "write_done"]' in text
        assert '"_write_done": "write_done"' in text

    def test_a_stage_whose_function_is_looked_up_by_a_made_up_name_waits_for_all_that_use_files(self):
        cells = [
            ("setup", "import os\nimport shutil"),
            ("stage:look", "print(os.listdir('kept'))"),
            ("stage:clean", "getattr(shutil, 'rm' + 'tree')('kept')"),
            ("stage:ask", "getattr(print, 'real', 1)"),
        ]
        assert files(cells)[PIPELINE].count('"look_done"') == 2
        assert '"_look_done": "look_done"' in files(cells)[PIPELINE]

    def test_functions_are_pickled_by_value(self):
        catalog = yaml.safe_load(files(STORY)[CATALOG])
        assert {name for name, one in catalog.items() if "backend" in one} == {"predict"}

    def test_names_that_differ_by_case_or_begin_with_an_underscore_are_told_apart(self):
        cells = [("stage:a", "X = 1\nx = 2\n_y = 3"), ("stage:b", "print(X, x, _y)")]
        assert yaml.safe_load(files(cells)[CATALOG]).keys() == {"X", "x_a", "y_a"}

    def test_what_a_package_is_given_is_looked_at_where_it_is_read_later(self):
        cells = [
            ("setup", "import numpy as np"),
            ("stage:a", "xs = [3, 1]"),
            ("stage:b", "m = np.vectorize(len, xs)\nm.fit(xs)"),
            ("stage:c", "print(xs, m)"),
        ]
        assert '"b": ["xs"]' in files(cells)["src/notebook/hooks.py"]

    def test_what_is_changed_by_way_of_something_made_of_it_is_returned(self):
        cells = [
            ("setup", "from dataclasses import replace\nfrom types import SimpleNamespace"),
            ("stage:a", "config = SimpleNamespace(tags=[], depth=3)"),
            ("stage:b", "deeper = replace(config, depth=5)\ndeeper.tags.append('y')"),
            ("stage:c", "print(config, deeper)"),
        ]
        assert "return deeper, config\n" in files(cells)[NODES]
        assert '"b": ["config"]' not in files(cells).get("src/notebook/hooks.py", "")

    def test_a_file_that_is_closed_is_none_where_nobody_takes_it(self):
        write = "with open('a', 'w') as file:\n    file.write('1')"
        text = files([("stage:a", write), ("stage:b", "with open('a') as file:\n    size = len(file.read())")])[NODES]
        assert "return True\n" in text
        assert "return size\n" in text
        with pytest.raises(StagebookError, match=r"Cell 1, line 1 cannot be exported: `file` cannot be handed"):
            files([("stage:a", write), ("stage:b", "print(file.closed)")])

    def test_a_generator_of_random_numbers_goes_from_node_to_node(self):
        cells = [
            ("setup", "import numpy as np"),
            ("stage:a", "rng = np.random.default_rng(1)"),
            ("stage:b", "x = rng.normal()"),
            ("stage:c", "y = rng.normal()\nprint(x, y)"),
        ]
        text = files(cells)[NODES]
        assert "return x, rng\n" in text
        assert 'outputs=["x", "rng_b"]' in files(cells)[PIPELINE]

    def test_columns_that_setup_names_are_no_change(self):
        cells = [
            ("setup", "import pandas as pd\nfrom sklearn.compose import make_column_transformer\nwords = ['a', 'b']"),
            ("stage:load", "df = pd.DataFrame({'a': [1], 'b': [2], 'c': [3]})"),
            ("stage:pick", "X = df[[*words, 'c']]\nkeys = [one.upper() for one in words]"),
            ("stage:fit", "m = make_column_transformer(('passthrough', words))\nm.fit(X)\nprint(keys)"),
        ]
        assert 'outputs=["X", "keys"]' in files(cells)[PIPELINE]


class TestParameters:
    @pytest.mark.parametrize(
        "value",
        [1, -2.5, 1e-05, 1e300, True, None, "a: b # c", "é\n", [1, [2.0]], {"a": {1: "x"}}, float("inf"), ""],
    )
    def test_are_read_back_as_they_were(self, value):
        found = yaml.safe_load(f"name: {yaml_of(value)}")["name"]
        assert (type(found), found) == (type(value), value)

    def test_are_no_interpolations(self):
        assert yaml.safe_load(yaml_of("${x}")) == "\\${x}"

    def test_secrets_are_written_nowhere(self):
        found = files(STORY)
        assert "s3cr3t" not in "".join(found.values())
        assert yaml.safe_load(found[CATALOG])["api_token"]["name"] == "API_TOKEN"
        assert "api_token" not in found["conf/base/parameters.yml"]

    def test_those_that_setup_reads_are_told(self):
        cells = [("parameters", "seed = 3"), ("setup", "start = seed + 1"), ("stage:a", "print(start)")]
        found = files(cells)
        assert "Setup reads seed" in found["README.md"]
        assert "seed = 3" in found[NODES]


def test_what_a_project_does_not_do_is_told():
    readme = files(STORY)["README.md"]
    assert "- judge: tries 2 more times if it fails" in readme
    cells = [("stage:a", "x = 1\nif x:\n    z = 2"), ("test:a", "assert x and z")]
    assert "cell 2: it reads `z`, which no node makes" in files(cells)["README.md"]


def test_a_package_hides_no_other():
    found = files([("setup", "import helpers"), ("stage:a", "x = helpers.f()")], name="helpers")
    assert "src/helpers_pipeline/settings.py" in found
    assert "PYTHONPATH=.. kedro run" in found["README.md"]
    with pytest.raises(UsageError, match="letters, digits"):
        files([("stage:a", "x = 1")], name="my project")


REFUSED = {
    "when": ([("stage:a", "x = 1", {"when": "1 > 2"})], "a node always runs"),
    "await": ([("setup", "import asyncio"), ("stage:a", "await asyncio.sleep(0)")], "awaits"),
    "random_state": (
        [("setup", "import random"), ("stage:a", "random.seed(1)"), ("stage:b", "x = random.random()")],
        "the global random state of `random`",
    ),
    "random_state_of_setup": (
        [("setup", "import numpy as np\nnp.random.seed(1)"), ("stage:a", "x = np.random.rand()")],
        "seeded elsewhere",
    ),
    "random_estimator": (
        [
            ("setup", "import numpy as np\nfrom sklearn.cluster import KMeans\nnp.random.seed(1)"),
            ("stage:a", "m = KMeans(3)"),
        ],
        "seeded elsewhere",
    ),
    "shared": (
        [("stage:a", "x = [1]\ny = {'x': x}"), ("stage:b", "y['x'].append(2)"), ("stage:c", "print(x, y)")],
        "may share an object with",
    ),
    "view": (
        [
            ("setup", "import numpy as np"),
            ("stage:a", "x = np.zeros(3)\ny = x[:2]"),
            ("stage:b", "x[0] = 1"),
            ("stage:c", "print(y)"),
        ],
        "may share an object with `y`",
    ),
    "closure": (
        [
            (
                "stage:a",
                "def pair():\n    n = 0\n    def add():\n        nonlocal n\n        n += 1\n    def tell():\n"
                "        return n\n    return add, tell\nadd, tell = pair()",
            ),
            ("stage:b", "add()"),
            ("stage:c", "print(tell())"),
        ],
        "may share an object with `tell`",
    ),
    "state_of_a_function": (
        [
            ("setup", "def f(x, seen=[]):\n    seen.append(x)\n    return len(seen)"),
            ("stage:a", "x = f(1)"),
            ("stage:b", "y = f(x)"),
        ],
        "keeps something",
    ),
    "options": (
        [
            ("setup", "import pandas as pd"),
            ("stage:a", "pd.set_option('display.width', 9)"),
            ("stage:b", "print(pd.DataFrame())"),
        ],
        "configuration of pandas",
    ),
    "socketpair": (
        [("setup", "import socket"), ("stage:a", "left, right = socket.socketpair()"), ("stage:b", "left.send(b'x')")],
        "`left` cannot be handed to another process",
    ),
    "generator": ([("stage:a", "g = (x for x in [1])"), ("stage:b", "print(list(g))")], "another process"),
    "tuple": ([("parameters", "n = (1, 2)"), ("stage:a", "print(n)")], "is a tuple"),
    "worked_out": ([("parameters", "n = 2\nm = n * 2"), ("stage:a", "print(m)")], "worked out"),
    "secret_in_setup": (
        [("parameters", "api_token = 'x'"), ("setup", "head = api_token + '!'"), ("stage:a", "print(head)")],
        "secret `api_token`",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_be_another_answer_is_refused_with_its_place(name):
    cells, told = REFUSED[name]
    with pytest.raises(StagebookError, match=r"^Cell \d+, line \d+ cannot be exported: ") as refused:
        files(cells)
    assert told in str(refused.value)


if __name__ == "__main__":
    for path, text in demo().items():
        (GOLDEN / path).parent.mkdir(parents=True, exist_ok=True)
        (GOLDEN / path).write_bytes(text)
