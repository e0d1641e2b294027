"""`stagebook verify`, as a person or a script calls it: what is the same, what differs, what is refused."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner
from notebooks_factory import written
from packages_factory import installed

from stagebook.cli import main
from stagebook.run.api import run_notebook

CELLS = [
    ("parameters", "n: int = 3\napi_token = ''"),
    ("setup", "from fractions import Fraction\n\n\ndef half(x):\n    return Fraction(x, 2)"),
    ("stage:load", "rows = [half(x) for x in range(n)]\nwith open('known.txt') as file:\n    known = file.read()"),
    ("", "print('exploration')"),
    ("stage:mark", "rows.append(half(7))\nscale = lambda x: x * len(rows)"),
    (
        "stage:square",
        "area = side ** 2\nsquare = {'side': side}",
        {"foreach": "side in rows", "metrics": ["area", "square"]},
    ),
    ("stage:tell", "total = float(sum(area))\nparts = {'rows': len(rows)}", {"metrics": ["total", "parts"]}),
    ("stage:use", "words = [str(scale(x)) for x in rows]\nlength = len(api_token)"),
]
ELSEWHERE = """\
from dataclasses import replace

from stagebook.verify.staged import stagebook_run
from stagebook.verify.target import lacking


class Elsewhere:
    says = "another environment"
    asked = True
    by_name = False

    def lacks(self):
        return ""

    def run(self, work):
        return stagebook_run(replace(work, variables={**work.variables, "PLACE": "there"}))


class Nowhere(Elsewhere):
    def lacks(self):
        return lacking(["no_such_module_of_anybodys"], "pip install nobodys")


target, nowhere = Elsewhere(), Nowhere()
"""


def stagebook(folder, *words, **variables):
    """The command, run in a folder, with a place of its own for what is temporary, which it has to leave empty."""
    temporary = folder.parent / f"{folder.name}-temporary"
    temporary.mkdir(exist_ok=True)
    path = os.pathsep.join(filter(None, [variables.pop("PYTHONPATH", ""), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": path, **variables}
    command = [sys.executable, "-m", "stagebook", *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert not list(temporary.glob("stagebook-verify-*"))
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    """A notebook that was verified by all that is cheap, with a parameter and a secret."""
    folder = tmp_path_factory.mktemp("story") / "story"
    folder.mkdir()
    (folder / "known.txt").write_text("known")
    written(folder, CELLS)
    targets = "local,papermill,python,kedro"
    words = ["--targets", targets, "-p", "n", "4", "--secret", "api_token", "--json"]
    done = stagebook(folder, "verify", "notebook.ipynb", *words, API_TOKEN="Zx8k2QwPv7")
    assert sorted(one.name for one in folder.iterdir()) == ["known.txt", "notebook.ipynb"]
    return done


class TestASound:
    @pytest.mark.timeout(600)
    def test_notebook_is_the_same_by_each_target(self, verified):
        found = json.loads(verified.stdout)
        assert (verified.returncode, found["same"], found["again"]) == (0, True, False)
        assert [one["target"] for one in found["columns"]] == ["local", "papermill", "python", "kedro"]
        for column in found["columns"]:
            words = {name: (one["word"], one["compared"]) for name, one in column["stages"].items()}
            # Two metrics for each of five, and the list; functions that are exported return `square`, too.
            assert words["square"] == ("same", 12 if column["target"] in ("python", "kedro") else 11)
            assert words["mark"] == ("same", 2)
            assert words["tell"][1] >= 2
            assert {word for word, _ in words.values()} == {"same"}, column

    def test_functions_are_compared_by_their_names_where_their_code_has_another_form(self, verified):
        columns = {one["target"]: one["stages"]["mark"] for one in json.loads(verified.stdout)["columns"]}
        told = {name: one["by_name"] for name, one in columns.items()}
        assert {name for name, names in told.items() if not names} == {"local", "papermill"}
        assert told["python"] == told["kedro"] == ["<lambda>"]

    def test_secret_is_shown_nowhere(self, verified):
        assert "Zx8k2QwPv7" not in verified.stdout + verified.stderr


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A package with two targets."""
    folder = tmp_path_factory.mktemp("packages")
    points = {"elsewhere": "elsewhere_target:target", "nowhere": "elsewhere_target:nowhere"}
    return installed(folder, {"elsewhere_target.py": ELSEWHERE}, "stagebook.target", points)


DIFFERENT = [
    ("parameters", "api_token = ''"),
    ("setup", "import os\nimport random\nfrom IPython.display import display, update_display"),
    ("stage:same", "x = 1\ndisplay(x, display_id='shown')"),
    ("stage:place", "place = [x, os.environ.get('PLACE', 'here') + api_token]"),
    ("stage:random", "noise = random.SystemRandom().random()\nupdate_display(noise, display_id='shown')"),
    ("stage:end", "size = float(len(place[1]))\nprint(noise)", {"metrics": ["size"]}),
]


def test_what_differs_is_told_and_what_differs_from_run_to_run_is_no_difference(tmp_path, elsewhere):
    written(tmp_path, DIFFERENT)
    words = ["--targets", "elsewhere", "--secret", "api_token"]
    done = stagebook(tmp_path, "verify", "notebook.ipynb", *words, PYTHONPATH=elsewhere, API_TOKEN="Zx8k2QwPv7")
    assert done.returncode == 1, done.stdout + done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "same done same" in lines
    assert "random done varies" in lines
    assert "elsewhere: random: differs from run to run, also of the plain one: noise" in lines
    assert "elsewhere: place: different: place: [1, 'there••••••']; in the plain run [1, 'here••••••']" in lines
    assert "elsewhere: end: different: metric size: 15.0; in the plain run 14.0" in lines
    assert lines[-1] == "Different: elsewhere."


CONTROLLED = [
    ("stage:first", "import operator\nxs = [1, 2, 3]\nscore = 0.5", {"metrics": ["score"]}),
    ("stage:never", "best = max(xs)", {"when": "score > 0.9"}),
    ("stage:after", "print(best)"),
    ("stage:each", "doubled = operator.mul(x, 2)", {"foreach": "x in xs"}),
    ("stage:judge", "low = min(doubled)\nlevel = float(low)", {"metrics": ["level"], "gate": "level > 1"}),
    ("stage:fails", "raise ValueError(f'{low} is too low')"),
]


def test_skipped_mapped_and_failing_stages_are_the_same(tmp_path):
    written(tmp_path, CONTROLLED)
    done = stagebook(tmp_path, "verify", "notebook.ipynb", "--targets", "local,python")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[1:7] == [
        "first done same (4) same (2)",
        "never skipped same same",
        "after skipped same same",
        "each done same same",
        "judge done same (2) same (2)",
        "fails failed same same",
    ], done.stdout + done.stderr
    assert done.returncode == 0


class TestWhatCannotBe:
    def test_a_refusal_of_a_target_that_was_named_has_status_1(self, tmp_path):
        written(tmp_path, [("stage:a", "x = 1"), ("stage:b", "y = globals()['x']")])
        done = stagebook(tmp_path, "verify", "notebook.ipynb", "--targets", "python")
        assert done.returncode == 1
        assert "python: refused: Cell 2, line 1 cannot be exported: " in done.stdout
        assert "Not verified: python (refused)." in done.stdout

    def test_a_target_that_is_not_installed_is_told_before_anything_runs(self, tmp_path, elsewhere):
        written(tmp_path, [("stage:a", "x = 1")])
        done = stagebook(tmp_path, "verify", "notebook.ipynb", "--targets", "nowhere", PYTHONPATH=elsewhere)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Target `nowhere` cannot be had: `no_such_module_of_anybodys` is not installed: pip" in done.stderr

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (["nope.ipynb"], "There is no notebook at nope.ipynb."),
            (["notebook.ipynb", "--targets", "kedr"], "There is no target `kedr`. Did you mean `kedro`?"),
            (["notebook.ipynb", "-p", "m", "1"], "no parameter `m`"),
            (["notebook.ipynb", "--folder", "empty"], "Name a folder that holds it with --folder."),
        ],
    )
    def test_mistakes_have_status_2(self, tmp_path, monkeypatch, words, told):
        monkeypatch.chdir(tmp_path)
        written(tmp_path, [("parameters", "n = 1"), ("stage:a", "x = n")])
        (tmp_path / "empty").mkdir()
        done = CliRunner().invoke(main, ["verify", *words])
        assert (done.exit_code, told in done.output) == (2, True), done.output

    def test_tables_and_labels_that_two_values_have_in_common_are_the_same(self, tmp_path):
        scaler = (
            "class Scaler:\n    def fit(self, frame):\n        self.mean, self.std = frame.mean(), frame.std()\n"
            "        return self"
        )
        cells = [
            ("setup", f"import pandas as pd\n\n\n{scaler}"),
            ("stage:make", "frame = pd.DataFrame({'a': [1, 2, 3], 'b': ['x', 'y', 'z']})"),
            ("stage:add", "frame['c'] = frame['a'] / 7"),
            ("stage:fit", "scale = Scaler().fit(frame[['a', 'c']])"),
            ("stage:use", "print(scale.mean, frame)"),
        ]
        run_notebook(written(tmp_path, cells), track=False)  # so that it is known what is a table
        done = stagebook(tmp_path, "verify", "notebook.ipynb", "--targets", "local,kedro")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Nothing differs." in done.stdout

    def test_setup_that_fails_is_told_with_its_cell(self, tmp_path):
        written(tmp_path, [("setup", "import os\nos.nothing"), ("stage:a", "x = 1")])
        done = stagebook(tmp_path, "verify", "notebook.ipynb", "--targets", "local")
        assert done.returncode == 2
        assert "cannot be verified, as its plain run fails in cell 1: AttributeError" in done.stderr


def test_a_dataset_that_was_half_written_is_no_result_of_its_stage(tmp_path):
    for name, content in (("x", pickle.dumps(1)), ("y", pickle.dumps("long")[:-2])):
        (tmp_path / name).write_bytes(content)
    files = {"a": {"x": str(tmp_path / "x")}, "b": {"y": str(tmp_path / "y")}}
    job = {
        "files": files,
        "own": "nodes",
        "mapped": [],
        "metrics": str(tmp_path / "none"),
        "out": str(tmp_path / "out"),
    }
    (tmp_path / "job").write_text(json.dumps(job))
    command = [sys.executable, "-m", "stagebook.verify.elsewhere", "datasets", str(tmp_path / "job")]
    subprocess.run(command, check=True)
    found = json.loads((tmp_path / "out").read_text())
    assert (list(found["stages"]), list(found["unread"])) == (["a"], ["b"])


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupt_leaves_nothing_behind(tmp_path, name):
    wait = (
        "if os.path.exists('.stagebook'):\n    open('begun', 'w').close()\n    time.sleep(100)"  # not in the plain run
    )
    written(tmp_path, [("setup", "import os\nimport time"), ("stage:a", wait)])
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "stagebook", "verify", "notebook.ipynb", "--targets", "local"]
    process = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "TMPDIR": str(temporary)})
    until = time.monotonic() + 100
    while not list(temporary.glob("stagebook-verify-*/copy/begun")):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    below = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(getattr(signal, name))
    assert process.wait(60) == 130
    assert not psutil.wait_procs(below, timeout=10)[1]
    assert not list(temporary.glob("stagebook-verify-*"))
    assert sorted(one.name for one in Path(tmp_path).iterdir()) == ["notebook.ipynb", "temporary"]
