"""The demo gives as a pipeline what its cells give from top to bottom in one kernel."""

from __future__ import annotations

import ast
import html
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from stagebook.book.cells import read_cells
from stagebook.book.notebook import read_document
from stagebook.book.pipeline import examine, load_pipeline
from stagebook.run.api import run_notebook

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@pytest.fixture(scope="module")
def flights(tmp_path_factory):
    """A copy of the demo, with its data."""
    folder = tmp_path_factory.mktemp("demo") / "notebooks"
    shutil.copytree(NOTEBOOKS, folder, ignore=shutil.ignore_patterns(".stagebook", ".ipynb_checkpoints"))
    return folder / "flights.ipynb"


@pytest.fixture(scope="module")
def run(flights):
    return run_notebook(flights, track=False)


def test_it_has_no_findings(flights):
    assert examine(read_document(flights), flights)[1] == []


def test_every_stage_is_done(run):
    stages = ("load", "features", "split", "linear", "boosting", "evaluate", "choose")
    assert {stage.stage: stage.state for stage in run.stages} == dict.fromkeys(stages, "done")


def test_the_models_are_fitted_side_by_side(run):
    """Also with what the run has brought to light: both hold the lists of columns, and nobody changes those."""
    assert {edge.source for edge in run.edges if edge.target == "boosting"} == {"features", "split"}


def test_metrics_equal_those_of_one_kernel_exactly(flights, run):
    assert run.metrics == metrics_in_one_kernel(flights, sorted(run.metrics))


def test_unchanged_it_is_all_reused_with_the_same_metrics(flights, run):
    again = run_notebook(flights, track=False)
    assert {stage.state for stage in again.stages} == {"reused"}
    assert again.metrics == run.metrics


def test_deeper_trees_reuse_all_that_does_not_depend_on_them(flights, run):
    deeper = run_notebook(flights, parameters={"depth": 3}, track=False)
    states = {stage.stage: stage.state for stage in deeper.stages}
    assert [stage for stage, state in states.items() if state == "done"] == ["boosting", "evaluate", "choose"]
    assert deeper.metrics["auc_linear"] == run.metrics["auc_linear"]
    assert deeper.metrics["auc_boosting"] != run.metrics["auc_boosting"]


def metrics_in_one_kernel(path, names):
    """The metrics after Restart & Run All of the cells that a pipeline run runs, exploration cells among them."""
    node = nbformat.read(path, as_version=4)
    kinds = {read.cell.index: read.cell.role for read in read_cells(node)[0]}
    assert set(kinds.values()) == {"parameters", "setup", "stage", "test", "exploration"}
    looks = ", ".join(f"{name!r}: float({_expression(name)})" for name in names)
    node.cells.append(nbformat.v4.new_code_cell(f"print({{{looks}}})"))
    NotebookClient(node, resources={"metadata": {"path": str(path.parent)}}, timeout=600).execute()
    return ast.literal_eval(node.cells[-1].outputs[-1].text)


def _expression(metric):
    name, _, key = metric.partition(".")
    return f"{name}[{key!r}]" if key else name


def test_the_readmes_picture_shows_the_demos_graph(flights):
    """Redraw it with `stagebook show notebooks/flights.ipynb --format svg --out notebooks/flights.svg`."""
    titles = re.findall(r"<title>(.*?)</title>", (NOTEBOOKS / "flights.svg").read_text())
    drawn = {html.unescape(title) for title in titles if "&gt;" in title}
    edges = load_pipeline(flights).edges
    assert drawn == {f"{edge.source} -> {edge.target}: {', '.join(edge.names)}" for edge in edges}
