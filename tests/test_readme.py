"""The README's example does what the README says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from notebooks_factory import written

from stagebook.run.api import run_notebook

COMMANDS = {"check", "show", "plan", "run", "sweep", "status", "runs", "compare", "diff", "sync", "gc", "doctor"}
COMMANDS |= {"verify"}
COMMANDS |= {"drift", "monitor", "lineage", "promote", "rollback", "serve", "score", "why", "test", "suggest", "export"}
ROOT = Path(__file__).resolve().parents[1]


def example_cells():
    """The blocks of the README's first Python example, each with the tags that its comment names."""
    code = re.search(r"```python\n# each block is a cell\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    for block in code.strip().split("\n\n"):
        tag = re.search(r"# cell tag: (\w+)", block)
        yield tag[1] if tag else "", block


def test_the_example_runs_and_a_parameter_reruns_only_the_training(tmp_path):
    (tmp_path / "data").mkdir()
    shutil.copy(ROOT / "notebooks/data/flights.parquet", tmp_path / "data")
    path = written(tmp_path, list(example_cells()))
    first = run_notebook(path, track=False)
    assert first.state == "done"
    assert 0.5 < first.metrics["score"] < 1
    deeper = run_notebook(path, parameters={"depth": "8"}, track=False)
    assert {stage.stage: stage.state for stage in deeper.stages} == {"load": "reused", "train": "done"}
    assert deeper.metrics["score"] != first.metrics["score"]


def test_the_commands_it_names_exist():
    from stagebook.cli import main

    told = (ROOT / "README.md").read_text()
    assert set(re.findall(r"^stagebook (\w+)", told, re.MULTILINE)) == COMMANDS
    assert set(main.commands) == COMMANDS
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"^make (\w+)", told, re.MULTILINE)) <= set(targets)
