"""The Binder folder keeps Binder's conventions. That the environment works is for a full build to show."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BINDER = ROOT / "binder"
SCRIPTS = ["postBuild", "start"]


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
    assert {path.name for path in BINDER.iterdir()} == {"README.md", "requirements.txt", "runtime.txt", *SCRIPTS}


def test_python_is_pinned_to_one_that_the_project_supports():
    minor = re.fullmatch(r"python-3\.(\d+)", (BINDER / "runtime.txt").read_text().strip())[1]
    assert f'"Programming Language :: Python :: 3.{minor}"' in (ROOT / "pyproject.toml").read_text()


def test_the_project_is_installed_with_its_demo_under_the_constraints():
    assert lines(BINDER / "requirements.txt") == ["-c ../constraints.txt", ".[demo]"]


def test_what_the_demo_imports_is_pinned():
    pinned = {
        plain(match[1]) for line in lines(ROOT / "constraints.txt") if (match := re.match(r"([\w.-]+)==\S", line))
    }
    demo = re.search(r"^demo = \[(.*?)\]$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE | re.DOTALL)[1]
    asked = {plain(name) for name in re.findall(r'"([\w.-]+)', demo)} - {"stagebook"}
    assert asked | {"mlflow", "papermill", "pandas"} <= pinned


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


def test_the_address_opens_the_demo_notebook():
    (opened,) = re.findall(r"urlpath=lab/tree/(\S+)", (BINDER / "README.md").read_text())
    assert opened == "notebooks/flights.ipynb"
