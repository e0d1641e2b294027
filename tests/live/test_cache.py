"""`%pipeline cache on`: what is run by hand is a hit for a run when all is accounted for, and never when it is not."""

from __future__ import annotations

import json

import pytest
from notebooks_factory import written

from stagebook.run.api import run_notebook

CELLS = [
    ("", "%load_ext stagebook\n%pipeline cache on"),
    ("parameters", "size = 4"),
    ("setup", "import numpy as np\nRATE = 3\ndef scaled(values):\n    return values * RATE"),
    ("", "%%stage load\nprint('loading')\nvalues = np.arange(size)\nvalues.sum()"),
    ("", "limit = 2"),
    ("", "%%stage scale\nbig = scaled(values)"),
    ("stage:mean", "low = big.min()"),
    ("stage:mean", "mean = big.mean() + low\nprint('mean', mean)"),
]


def sources(path):
    return ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]]


def states(path, **options):
    return {stage.stage: stage.state for stage in run_notebook(path, track=False, **options).stages}


@pytest.fixture
def notebook(tmp_path):
    return written(tmp_path, CELLS)


@pytest.fixture
def worked_through(notebook, by_hand):
    """The notebook, its kernel, and what each cell has answered."""
    kernel = by_hand(notebook)
    return notebook, kernel, [kernel.run(source) for source in sources(notebook)]


def test_what_is_run_by_hand_is_a_hit_for_a_run(worked_through):
    notebook, _, answers = worked_through
    assert [answer.status for answer in answers] == ["ok"] * 8
    assert answers[3].line.startswith("[stage load] reads size · makes values · ")
    assert answers[3].line.endswith("kept for runs")
    assert answers[5].line.endswith("kept for runs")
    assert answers[6].line == "[goes on in the next cell]"
    assert answers[7].line == "[kept for runs]"
    run = run_notebook(notebook, track=False)
    assert {stage.stage: stage.state for stage in run.stages} == dict.fromkeys(("load", "scale", "mean"), "reused")
    shown = json.loads(run.output.read_text())["cells"]
    assert shown[3]["outputs"][0]["text"] == ["loading\n"]
    assert shown[3]["outputs"][1]["data"]["text/plain"] == ["np.int64(6)"]
    assert shown[7]["outputs"][0]["text"] == ["mean 4.5\n"]
    assert (shown[3]["execution_count"], shown[7]["execution_count"]) == (4, 8)


def test_what_a_run_has_made_is_served_by_hand_with_what_was_shown(notebook, by_hand):
    run = run_notebook(notebook, track=False)
    kernel = by_hand(notebook)
    answers = [kernel.run(source) for source in sources(notebook)]
    assert answers[3].text.startswith("loading\n")
    assert answers[3].line.endswith(f"from the store, run {run.id}")
    assert answers[3].data[0]["text/plain"] == "np.int64(6)"
    assert kernel.value("values, big") == "[0 1 2 3] [0 3 6 9]"
    assert answers[7].line == "[kept for runs]", "a stage of two cells is run"


def refused(kernel, source, told, before=""):
    if before:
        assert kernel.run(before).status == "ok"
    answer = kernel.run(source)
    assert answer.line.endswith(f"not kept: {told}"), answer.text
    return answer


def test_what_is_not_accounted_for_is_never_a_hit(worked_through):
    notebook, kernel, _ = worked_through
    load, scale = sources(notebook)[3], sources(notebook)[5]
    changed = scale.replace("big = scaled(values)", "big = scaled(values) + 1")
    notebook.write_text(notebook.read_text().replace("big = scaled(values)", "big = scaled(values) + 1"))
    refused(kernel, changed, "`RATE` is not as setup made it", before="RATE = 5")
    assert kernel.value("big") == "[ 1  6 11 16]", "it ran as a plain cell would"
    refused(kernel, changed, "`values` is not as `load` has left it", before="RATE = 3\nvalues[0] = 7")
    assert kernel.run(load).line.endswith("from the store, it ran in the notebook")
    refused(kernel, changed, "`scaled` is not as setup made it", before="def scaled(values):\n    return values")
    kernel.run(sources(notebook)[2])
    assert states(notebook) == {"load": "reused", "scale": "done", "mean": "done"}


def test_a_name_that_no_run_has_is_out_of_sight_while_a_stage_runs(worked_through):
    notebook, kernel, _ = worked_through
    dynamic = "%%stage scale\nbig = scaled(values) + globals()['lim' + 'it']"
    notebook.write_text(
        notebook.read_text().replace("big = scaled(values)", "big = scaled(values) + globals()['lim' + 'it']")
    )
    answer = kernel.run(dynamic)
    assert answer.status == "error", answer.text
    assert "KeyError: 'limit'" in answer.text
    assert "`limit` was out of sight" in answer.text
    assert kernel.value("limit") == "2", "it is there again"
    assert states(notebook)["scale"] == "failed", "as it is in a run"


def test_generators_that_others_draw_from_and_settings_that_others_change_keep_results_from_runs(tmp_path, by_hand):
    cells = [
        CELLS[0],
        ("setup", "import numpy as np, pandas as pd\nnp.random.seed(1)"),
        ("", "%%stage draw\ndrawn = np.random.rand(2)"),
        ("", "%%stage count\nn = len(str(drawn))"),
        ("", "np.random.rand(3)"),
        ("", "pd.set_option('display.width', 200)"),
    ]
    notebook = written(tmp_path, cells)
    kernel = by_hand(notebook)
    on, setup, draw, count, random, setting = sources(notebook)
    kernel.run(on)
    kernel.run(setup)
    kernel.run(random)
    refused(kernel, draw, "it draws from numpy.random, and so have other cells")
    kernel.run(setup)
    assert kernel.run(draw).line.endswith("kept for runs")
    refused(kernel, count, "other cells have changed pandas settings", before=setting)
    assert states(notebook) == {"draw": "reused", "count": "done"}


def test_an_edited_cell_counts_as_it_is_run_once_it_is_saved(notebook, by_hand):
    kernel = by_hand(notebook)
    on, parameters, setup, load, *_ = sources(notebook)
    ids = [cell["id"] for cell in json.loads(notebook.read_text())["cells"]]
    for source, cell_id in zip((on, parameters, setup), ids, strict=False):
        kernel.run(source, cell_id)
    edited = load.replace("loading", "loading anew")
    refused(kernel, edited, "the notebook was saved without this cell")
    assert kernel.run(edited, ids[3]).line.endswith("kept for runs")
    assert states(notebook)["load"] == "done", "the file has the old one"
    notebook.write_text(notebook.read_text().replace("loading", "loading anew"))
    assert states(notebook)["load"] == "reused"


def test_setup_that_was_edited_and_not_run_keeps_results_from_runs(worked_through):
    notebook, kernel, _ = worked_through
    notebook.write_text(notebook.read_text().replace("RATE = 3", "RATE = 4"))
    told = "the cells of parameters and setup have not all run as they are now, since the cache is on"
    refused(kernel, sources(notebook)[5], told)
    assert kernel.run("%pipeline cache off").text.startswith("Stage cells are run as plain ones")
    assert "kept" not in kernel.run(sources(notebook)[5]).line


def test_cells_before_setup_keep_results_from_runs(notebook, by_hand):
    kernel = by_hand(notebook)
    kernel.run("import decimal")
    for source in sources(notebook)[:3]:
        kernel.run(source)
    refused(
        kernel,
        sources(notebook)[3],
        "cells ran before the setup cells: restart the kernel and run the setup cells first",
    )


def test_what_is_served_says_which_names_are_not_there_and_leaves_no_older_ones(tmp_path, by_hand):
    cells = [
        CELLS[0],
        ("setup", "import numpy as np"),
        ("", "%%stage a\nimport numpy as np\nrest = [1]\nx = len(rest)"),
        ("", "%%stage b\nshown = 5\nprint(x)"),
        ("", "shown"),
    ]
    notebook = written(tmp_path, cells)
    kernel = by_hand(notebook)
    answers = [kernel.run(source) for source in sources(notebook)]
    assert answers[2].line.endswith("kept for runs")
    kernel.run("rest = shown = 'by hand'")
    again = [kernel.run(source) for source in sources(notebook)]
    assert again[2].line.endswith("from the store, it ran in the notebook, without rest, which no cell reads")
    assert kernel.run("rest").status == "error"
    assert kernel.value("np.__name__") == "numpy", "setup binds it, too"
    assert again[3].line.endswith("from the store, it ran in the notebook"), "a cell below looks at it, so it is stored"
    assert again[4].data[0]["text/plain"] == "5"
