"""A run for which all is there takes neither Papermill nor a kernel, and leaves what one through Papermill leaves."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import papermill
import pytest
from notebooks_factory import notebook
from recording import record_in_this_process

from stagebook.events import Notice, RunFinished, RunStarted, StageFinished, StageStarted
from stagebook.plan import Selection
from stagebook.run import api
from stagebook.run.api import plan_notebook, run_notebook
from stagebook.run.presence import active_runs
from stagebook.run.status import notebook_status

CELLS = [
    ("parameters", "depth: int = 3\nname = 'a'\nkinds = [1]"),
    ("setup", "print('setup')\nfrom IPython.display import HTML, display"),
    ("stage:a", "x = depth\ndisplay(HTML('<b>1</b>'), display_id='one')\nprint('ä', name, kinds)"),
    ("stage:b", "display(HTML('<b>2</b>\\n<i>3</i>'), display_id='one', update=True)\nx + 1"),
    ("stage:c", "%%stage c when='x > 5'\ny = x"),
    ("stage:d", "print(y)"),
    ("stage:e", "%%stage e foreach='k in kinds'\nz = [k, k]\nprint(z)"),
    ("test:a", "assert x"),
    ("", "x"),
]
TEXT = 'say "hi"\n\\ über'


@pytest.fixture
def path(tmp_path, monkeypatch):
    record_in_this_process(monkeypatch)
    document = notebook(CELLS)
    prose = {"cell_type": "markdown", "metadata": {}, "source": "# One\n![x](attachment:x.svg)", "id": "prose"}
    document["cells"].insert(1, prose | {"attachments": {"x.svg": {"image/svg+xml": "<svg>\n</svg>"}}})
    path = tmp_path / "notebook.ipynb"
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def no_papermill(monkeypatch):
    """Fails where a run goes through Papermill after all."""

    def refuse(*_, **__):
        raise AssertionError("Papermill is called")

    return lambda: monkeypatch.setattr(api, "_execute", refuse)


def told(path: Path):
    """A notebook as it is, but for ids of runs and cells that were made up, and places."""
    text = path.read_text()
    node = nbformat.reads(text, as_version=4)
    nbformat.validate(node)
    assert nbformat.writes(node) == text
    for place in ("input_path", "output_path"):
        node.metadata.papermill.pop(place)
    for number, cell in enumerate(node.cells):
        cell.id = str(number)
        if cell.cell_type == "code":
            assert cell.metadata.stagebook_run.pop("run")
    return node


def facts(run):
    """What `run.json` says, but for what differs between any two runs."""
    kept = json.loads((run.folder / "run.json").read_text())
    for name in ("id", "output", "started", "duration"):
        kept.pop(name)
    return json.loads(json.dumps(kept).replace(run.id, "RUN"))


PARAMETERS = [
    {},
    {"depth": 7, "name": TEXT, "kinds": [1, {"a": None, "b": True}]},
]


@pytest.mark.parametrize("parameters", PARAMETERS, ids=["defaults", "parameters"])
def test_it_leaves_what_papermill_leaves(path, tmp_path, no_papermill, parameters):
    run_notebook(path, parameters=parameters, track=False)
    through = tmp_path / "through.ipynb"
    papermill.execute_notebook(path, through, parameters, engine_name="stagebook", progress_bar=False)
    no_papermill()
    events = []
    run = run_notebook(path, parameters=parameters, track=False, listeners=(events.append,))
    assert told(run.output) == told(through)
    assert {stage.state for stage in run.stages} <= {"reused", "skipped"}
    kinds = [type(event) for event in events]
    assert kinds == [RunStarted, *[StageFinished] * 5, RunFinished]
    assert notebook_status(path).last.id == run.id
    assert (path.parent / f".stagebook/records/history/{run.id}.json").exists()
    assert active_runs(path.parent / ".stagebook") == ()


def test_run_json_says_what_it_says_after_a_run_through_papermill(path, no_papermill, monkeypatch):
    run_notebook(path, track=False)
    with monkeypatch.context() as patch:
        patch.setattr(api, "_reused", lambda *_: None)
        through = run_notebook(path, track=False)
    no_papermill()
    assert facts(run_notebook(path, track=False)) == facts(through)


def test_a_notebook_of_an_older_format_is_brought_to_the_newest_one(tmp_path, no_papermill):
    path = tmp_path / "notebook.ipynb"
    path.write_text(json.dumps(notebook([("stage:a", "x = 1\nprint(x)")], minor=2)))
    run_notebook(path, track=False)
    no_papermill()
    node = nbformat.read(run_notebook(path, track=False).output, as_version=4)
    nbformat.validate(node)
    assert node.nbformat_minor == 5
    assert node.cells[0].outputs[0].text == "1\n"


def test_an_output_notebook_can_be_run_again(path, tmp_path, no_papermill):
    first = run_notebook(path, parameters={"depth": 4}, track=False)
    again = tmp_path / "notebook" / "notebook.ipynb"
    again.parent.mkdir()
    again.write_text(first.output.read_text())
    assert run_notebook(again, track=False).parameters["depth"] == 4
    no_papermill()
    for parameters, depth in (({}, 4), ({"depth": 4}, 4)):
        run = run_notebook(again, parameters=parameters, track=False)
        assert run.parameters["depth"] == depth
        assert sum("injected-parameters" in cell.metadata.tags for cell in told(run.output).cells) == 1


@pytest.mark.parametrize("how", ["force", "uncached", "changed", "unselected"])
def test_what_has_to_run_goes_through_papermill(bench, how):
    cells = [("stage:a", "x = 1"), ("stage:b", "print(x)")]
    if how == "uncached":
        cells[1] = ("stage:b", "%%stage b cache=false\nprint(x)")
    bench.run(cells)
    if how == "changed":
        bench.write([("stage:a", "x = 1"), ("stage:b", "print(x + 1)")])
    selection = {"force": Selection(force=True), "unselected": Selection(only="b")}.get(how, Selection())
    run = bench.run(selection=selection)
    wanted = {"force": ["a", "b"], "unselected": []}.get(how, ["b"])
    assert bench.ran() == wanted
    assert [type(event) for event in bench.events].count(RunStarted) == 1
    assert [event.stage for event in bench.events if isinstance(event, StageStarted)] == wanted
    assert run.state == "done"


def test_a_value_that_was_lost_since_the_plan_is_made_again(bench):
    bench.run([("stage:a", "import numpy\nx = numpy.arange(9)"), ("stage:b", "print(x.sum())")])
    assert {one.action for one in plan_notebook(bench.path).decisions} == {"reuse"}
    for blob in (bench.folder / ".stagebook/blobs").glob("*/*"):
        blob.unlink()
    run = bench.run()
    assert bench.states(run) == {"a": "done", "b": "done"}
    assert bench.printed(run, 2) == "36\n"


def test_an_expected_error_is_shown_as_papermill_shows_it(bench):
    document = notebook([("stage:a", "x = 1\n1 / 0"), ("stage:b", "print(x)")])
    document["cells"][0]["metadata"]["tags"].append("raises-exception")
    bench.path.write_text(json.dumps(document))
    first, second = bench.run(), bench.run()
    assert [cell.source for cell in nbformat.read(first.output, 4).cells] == [
        cell.source for cell in nbformat.read(second.output, 4).cells
    ]


def test_a_listener_that_raises_is_left_out_and_the_run_goes_on(path):
    run_notebook(path, track=False)
    events = []

    def fails(event):
        raise ValueError("no")

    run = run_notebook(path, track=False, listeners=(fails, events.append))
    assert run.state == "done"
    assert any(isinstance(event, Notice) and "ValueError: no" in event.message for event in events)
