"""The Binder folder keeps Binder's conventions, and what it builds is tried as a visitor would."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from tests.binder.trial import NoPythonError, faults, trial

tomllib = pytest.importorskip("tomllib", reason="this Python reads no TOML")

ROOT = Path(__file__).resolve().parents[2]
BINDER = ROOT / "binder"
SCRIPTS = ["postBuild", "start", "workspaces"]


def lines(path: Path) -> list[str]:
    """The lines that are neither blank nor a comment."""
    text = [line.strip() for line in path.read_text().splitlines()]
    return [line for line in text if line and not line.startswith("#")]


def plain(name: str) -> str:
    """A package's name as an index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_binder_finds_everything_in_one_folder():
    elsewhere = ["apt.txt", "environment.yml", "postBuild", "requirements.txt", "runtime.txt", "start", "Dockerfile"]
    assert [name for name in elsewhere if (ROOT / name).exists()] == []
    assert {path.name for path in BINDER.iterdir()} == {
        "README.md",
        "requirements.txt",
        "runtime.txt",
        "workspace.json",
        *SCRIPTS,
    }


def test_python_is_pinned_to_one_that_the_project_supports():
    minor = re.fullmatch(r"python-3\.(\d+)", (BINDER / "runtime.txt").read_text().strip())[1]
    assert f'"Programming Language :: Python :: 3.{minor}"' in (ROOT / "pyproject.toml").read_text()


def test_requirements_are_what_the_demo_needs_at_tested_versions():
    pinned = {match[1] for line in lines(BINDER / "requirements.txt") if (match := re.match(r"([\w.-]+)==\S+$", line))}
    assert len(pinned) == len(lines(BINDER / "requirements.txt"))
    assert set(lines(BINDER / "requirements.txt")) <= {line.split(" ;")[0] for line in lines(ROOT / "constraints.txt")}
    environment = {"python_version": "3.11", "python_full_version": "3.11.0", "sys_platform": "linux"}
    environment |= {"platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"}
    environment |= {"platform_python_implementation": "CPython", "implementation_name": "cpython"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [Requirement(text) for text in project["dependencies"] + project["optional-dependencies"]["demo"]]
    needed = closure(asked, environment)
    assert needed - pinned == set(), "missing: run `make lock`"
    assert pinned - needed == set(), "needless: run `make lock`"


def closure(asked: list[Requirement], environment: dict[str, str]) -> set[str]:
    """The names of these packages, and of all that they require, as those say that are installed here."""
    found: dict[str, set[str]] = {}
    for one in asked:
        missing = {"", *one.extras} - found.setdefault(plain(one.name), set())
        if not missing or (one.marker and not one.marker.evaluate(environment)):
            continue
        found[plain(one.name)] |= missing
        for text in requires(one.name) or []:
            below = Requirement(text)
            if below.marker is None or any(below.marker.evaluate({**environment, "extra": extra}) for extra in missing):
                below.marker = None
                asked.append(below)
    return {name for name, extras in found.items() if extras}


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_can_be_run(name):
    script = BINDER / name
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/bin/bash\n")
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_start_becomes_the_server():
    assert lines(BINDER / "start")[-1] == 'exec "$@"'
    told = subprocess.run([str(BINDER / "start"), "echo", "two  words"], capture_output=True, text=True, check=True)
    assert told.stdout == "two  words\n"


def test_nothing_depends_on_where_the_repository_lies_or_holds_a_secret():
    for path in BINDER.iterdir():
        text = path.read_text()
        assert re.findall(r"(?<![\w.:/])/(?!bin/bash)\w+/\S*", text) == [], path.name
        assert re.findall(r"(?i)(?:token|password|secret|api_?key)\s*=", text) == [], path.name


def test_addresses_open_the_tutorial():
    for page in (ROOT / "README.md", BINDER / "README.md"):
        assert re.findall(r"HEAD\?urlpath=lab/tree/([\w/.]+)", page.read_text()) == ["notebooks/tutorial.ipynb"]


@pytest.mark.skipif("STAGEBOOK_BINDER" not in os.environ, reason="takes minutes: set STAGEBOOK_BINDER, as CI does")
@pytest.mark.timeout(1800)
def test_a_visitor_runs_the_tutorial_and_sees_its_runs_in_mlflow(tmp_path):
    pytest.importorskip("playwright.sync_api", reason="install it with `pip install 'stagebook[test]'`")
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        pytest.skip("no Chromium on PATH: install it with `apt-get install -y chromium`")
    try:
        seen = trial(tmp_path, quick=True)
    except NoPythonError as error:
        pytest.skip(str(error))
    assert faults(seen) == [], seen
