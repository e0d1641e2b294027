"""The exported workflows, carried out: every line of every job, in fresh clones, with what GitHub would set."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.asked import FIRST, ask
from tests.export.actions_runner import Actions
from tests.notebooks_factory import written

from stagebook.cli import main

SETUP = "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression"
LOAD = (
    "rng = np.random.default_rng(0)\n"
    "trips = pd.DataFrame({'delay': rng.normal(0, 1, rows), 'seats': rng.normal(size=rows)})\n"
    "trips['late'] = trips['delay'] + rng.normal(0, 0.3, rows) > 0"
)
TRAIN = "model = LogisticRegression({}).fit(trips[['delay', 'seats']], trips['late'])"
JUDGE = "accuracy = model.score(trips[['delay', 'seats']], trips['late'])"
SECRETS = {"STAGEBOOK_KEY": "5e" * 32}
OURS = {"event": {"pull_request": {"number": "7", "head": {"repo": {"full_name": "ada/story"}}}}}
THEIRS = {"event": {"pull_request": {"number": "8", "head": {"repo": {"full_name": "eve/story"}}}}}
REGISTRY = "STAGEBOOK_TEST_REGISTRY"


def cells(how=""):
    return [
        ("parameters", "rows: int = 1500"),
        ("setup", SETUP),
        ("stage:load", LOAD),
        ("stage:train", TRAIN.format(how), {"model": "model"}),
        ("stage:judge", JUDGE, {"metrics": ["accuracy"], "gate": "accuracy > 0.6"}),
        ("test:judge", "assert accuracy < 1"),
    ]


class Repository:
    """A repository with the notebook and its workflows on main, and a pull request that changes a stage."""

    def __init__(self, folder, requests, *, image=""):
        self.folder = folder
        (folder / "notebooks").mkdir(parents=True)
        (folder / "notebooks/requirements.txt").write_text("pandas\nscikit-learn\nstagebook\n")
        self._git("init", "-q", "-b", "main")
        self._git("config", "uploadpack.allowAnySHA1InWant", "true")
        notebook = written(folder / "notebooks", cells(), "story.ipynb")
        words = ["export", "github", str(notebook), "--sample", "rows=300", "--cron", "30 6 * * *"]
        words += ["--requests", f"file://{requests}", *(["--image", image] if image else [])]
        exported = CliRunner().invoke(main, words)
        assert exported.exit_code == 0, exported.output
        self.main = self._commit("One")
        self._git("checkout", "-q", "-b", "better")
        written(folder / "notebooks", cells("C=0.001"), "story.ipynb")
        self._commit("Two")
        self._git("checkout", "-q", "--detach", "main")
        self._git("merge", "-q", "--no-ff", "-m", "Merge", "better")
        self.merged = self._git("rev-parse", "HEAD")

    def _git(self, *words):
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(self.folder), *who, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def _commit(self, message):
        self._git("add", "--all")
        self._git("commit", "-q", "-m", message)
        return self._git("rev-parse", "HEAD")

    def workflow(self, kind):
        return self._git("show", f"main:.github/workflows/story-{kind}.yml")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("github")


@pytest.fixture(scope="module")
def requests(place):
    """What the service was asked: lately, of delays that it was never trained on."""
    today = (datetime.now(timezone.utc) - FIRST).days
    ask(place / "requests", today - 1, moved=4.0, rows=100)
    return place / "requests"


@pytest.fixture(scope="module")
def programs(place):
    """What a runner has beside Python."""
    folder = place / "bin"
    folder.mkdir()
    shutil.copy(Path(__file__).with_name("gh.py"), folder / "gh.py")
    (folder / "gh").write_text(f'#!/bin/sh\nexec {sys.executable} {folder}/gh.py "$@"\n')
    (folder / "gh").chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def repository(place, requests):
    return Repository(place / "origin", requests)


@pytest.fixture(scope="module")
def actions(place, repository, programs):
    variables = {"MLFLOW_TRACKING_URI": f"sqlite:///{place}/mlflow.db"}
    (place / "runner").mkdir()
    has = frozenset({"--requirement", "notebooks/requirements.txt", "stagebook"})  # and pull requests ask for more
    return Actions(place / "runner", repository.folder, SECRETS, variables, (programs,), has)


@pytest.fixture(scope="module")
def merged(actions, repository):
    """What came of the workflow on main."""
    return actions.run(repository.workflow("main"), {"event_name": "push", "sha": repository.main, "ref_name": "main"})


@pytest.fixture(scope="module")
def asked_for(merged, actions, repository):
    """What came of the workflow of the pull request."""
    github = {"event_name": "pull_request", "sha": repository.merged, "ref_name": "7/merge", **OURS}
    return actions.run(repository.workflow("pull-request"), github)


def test_on_main_all_is_run_recorded_and_promoted(merged):
    for job in merged.values():
        assert job.outcome == "success", job.log
    assert "Gate of `judge` passed" in merged["run"].log
    assert "MLflow knows all there is to say." in merged["run"].log
    assert "Version 1 of `story` is @champion now, the first." in merged["promote"].log


def test_its_output_notebook_is_kept(merged, actions):
    assert {one.name for one in (actions.folder / "artifacts/story-run").iterdir()} >= {"story.ipynb", "run.json"}


def test_a_pull_request_reuses_what_main_has_made(asked_for):
    done = asked_for["pipeline"]
    assert done.outcome == "success", done.log
    run = done.steps["Run the pipeline"].log
    assert "load: reused" in run
    assert "train: runs (its code changed" in run
    assert "All is up to date: 3 stages reused" in done.steps["Run what it is compared with"].log
    assert "1 passed" in done.steps["Run test cells"].log
    assert "passed" in done.steps["Run the notebook from top to bottom"].log


def test_its_report_has_the_code_and_the_metrics_that_change(asked_for):
    report = asked_for["pipeline"].summary
    assert "## notebooks/story.ipynb" in report
    assert "C=0.001" in report
    assert "accuracy" in report.partition("**Metrics**")[2]


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq, which is built into gh, is not on PATH: install it")
def test_the_report_is_one_comment_that_is_written_anew(asked_for, actions, repository, programs):
    assert asked_for["comment"].outcome == "success", asked_for["comment"].log
    file = programs / "comments.json"
    (first,) = json.loads(file.read_text())
    assert first["body"] == asked_for["pipeline"].summary
    file.write_text(
        json.dumps([{"id": 9, "user": {"type": "User"}, "body": first["body"]}, {**first, "body": first["body"][:30]}])
    )
    workflow = repository.workflow("pull-request").replace("    needs: pipeline\n", "")
    assert actions.run(workflow, OURS, only=("comment",))["comment"].outcome == "success"
    assert [one["body"] for one in json.loads(file.read_text())] == [first["body"]] * 2


def test_one_from_a_fork_runs_without_secrets_and_writes_no_comment(asked_for, actions, repository):
    from dataclasses import replace

    text = repository.workflow("pull-request")
    start = text.index("      - name: Run test cells")
    text = text[:start] + text[text.index("  comment:") :]  # what follows is the same with and without secrets
    done = replace(actions, secrets={}, has=actions.has | {"pytest", "nbval"}, runs=50).run(
        text, {"sha": repository.merged, **THEIRS}
    )
    assert done["pipeline"].outcome == "success", done["pipeline"].log
    assert done["pipeline"].steps["Restore what earlier runs made"].outcome == "skipped"
    assert "load: runs" in done["pipeline"].log
    assert done["comment"].outcome == "skipped"


def test_by_the_clock_drift_starts_the_run_on_main(merged, actions, repository, programs):
    done = actions.run(repository.workflow("schedule"), {"event_name": "schedule", "sha": repository.main})
    assert done["monitor"].outcome == "success", done["monitor"].log
    assert done["monitor"].outputs == {"drifted": "true"}
    assert "drift: 2 of 3 columns have drifted" in done["monitor"].summary
    assert done["train"].outcome == "success", done["train"].log
    called = json.loads((programs / "called.json").read_text())
    assert called == ["workflow", "run", "story-main.yml", "--repo", "ada/story", "--ref", "main"]


@pytest.mark.skipif(
    REGISTRY not in os.environ or shutil.which("docker") is None,
    reason=f"building an image takes minutes: name a registry that docker may push to in {REGISTRY}, as localhost:5000",
)
def test_the_image_is_built_pushed_and_attested(merged, actions, place, requests):
    name = f"{os.environ[REGISTRY]}/story"
    origin = Repository(place / "with-image", requests, image=name)
    from dataclasses import replace

    text = origin.workflow("main").replace("    needs: promote\n", "")
    start, end = text.index("      - name: Log in"), text.index("      - name: Build and push")
    text = text[:start] + text[end:]  # that registry asks for no password
    done = replace(actions, origin=origin.folder, runs=90).run(text, {"sha": origin.main}, only=("image",))
    assert done["image"].outcome == "success", done["image"].log
    assert done["image"].steps["Build and push"].outputs["digest"].startswith("sha256:")
