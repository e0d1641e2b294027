"""The demo notebooks are in order: each is run by `make test`, has no findings, and is committed as it is read."""

import re
from pathlib import Path

import nbformat
import pytest

from stagebook.book.notebook import read_document
from stagebook.book.pipeline import examine

ROOT = Path(__file__).resolve().parents[2]
DEMOS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
WITHOUT_STAGES = {"tutorial", "untagged", "weekly-reports"}
"""What the tutorial tags, and those that are about another notebook."""
WITH_OUTPUTS = {"flights"}


def test_make_test_runs_all_but_the_one_that_the_tutorial_copies():
    listed = re.search(r"^NOTEBOOKS := \$\(NOTEBOOK\).*?\n\t(.*?)\)\)$", (ROOT / "Makefile").read_text(), re.M | re.S)
    assert listed is not None
    known = {path for path in DEMOS if path != "my-model"}  # made by the tutorial
    assert {"flights", *listed.group(1).split()} == known - {"untagged"}


@pytest.mark.parametrize("demo", [demo for demo in DEMOS if demo not in WITHOUT_STAGES | {"my-model"}])
def test_a_demo_has_no_findings(demo):
    path = ROOT / "notebooks" / f"{demo}.ipynb"
    pipeline, findings = examine(read_document(path), path)
    assert findings == []
    assert pipeline.stages


@pytest.mark.parametrize("demo", [demo for demo in DEMOS if demo not in WITH_OUTPUTS | {"my-model"}])
def test_a_demo_is_committed_without_what_its_last_run_put_out(demo):
    cells = nbformat.read(ROOT / "notebooks" / f"{demo}.ipynb", as_version=4).cells
    assert [cell.id for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []
