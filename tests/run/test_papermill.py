"""`papermill --engine stagebook` gives what `stagebook run` gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import papermill
import pytest
from notebooks_factory import written
from papermill.exceptions import PapermillExecutionError
from recording import record_in_this_process

CELLS = [
    ("parameters", "depth: int = 6  # how deep"),
    ("stage:a", "x = depth * 2"),
    ("stage:b", "print(x)"),
]


@pytest.fixture
def source(tmp_path, monkeypatch):
    record_in_this_process(monkeypatch)
    return written(tmp_path, CELLS)


def papermill_cli(*words, cwd):
    command = [str(Path(sys.executable).with_name("papermill")), *words, "--engine", "stagebook"]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def outputs(path):
    node = nbformat.read(path, as_version=4)
    nbformat.validate(node)
    return ["".join(output.get("text", "") for output in cell.get("outputs", [])) for cell in node.cells]


def test_command_line_runs_the_pipeline_with_parameters_in_the_notebooks_folder_from_wherever_it_is_called(tmp_path):
    folder = tmp_path / "deep"
    folder.mkdir()
    (tmp_path / "elsewhere").mkdir()
    written(folder, [*CELLS, ("stage:where", "import os\nprint(os.getcwd())")])
    done = papermill_cli("deep/notebook.ipynb", "out.ipynb", "--cwd", "elsewhere", "-p", "depth", "8", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert outputs(tmp_path / "out.ipynb") == ["", "", "", "16\n", f"{folder}\n"]
    assert "Stage b: done" in done.stderr
    assert (folder / ".stagebook").is_dir()


def test_both_ways_share_their_results(source, bench):
    papermill.execute_notebook(source, bench.folder / "out.ipynb", {"depth": 8}, "stagebook", progress_bar=False)
    run = bench.run(CELLS, parameters={"depth": 8})
    assert set(bench.states(run).values()) == {"reused"}


def test_failing_stage_fails_papermill_and_the_output_shows_it(tmp_path, source):
    written(tmp_path, [*CELLS, ("stage:bad", "1 / 0")])
    with pytest.raises(PapermillExecutionError, match="ZeroDivisionError"):
        papermill.execute_notebook(source, tmp_path / "out.ipynb", engine_name="stagebook", progress_bar=False)
    assert "12\n" in outputs(tmp_path / "out.ipynb")


def test_dead_kernel_fails_papermill_too(tmp_path, source):
    written(tmp_path, [("stage:late", "import os; os._exit(1)")])
    with pytest.raises(PapermillExecutionError, match="DeadKernel"):
        papermill.execute_notebook(source, tmp_path / "out.ipynb", engine_name="stagebook", progress_bar=False)


def test_wrong_parameter_is_refused(tmp_path, source):
    done = papermill_cli("notebook.ipynb", "out.ipynb", "-p", "dept", "8", cwd=tmp_path)
    assert done.returncode != 0
    assert "Did you mean `depth`" in done.stderr


def test_both_ways_leave_the_same_notebook_of_a_failed_run(tmp_path, source, bench):
    cells = [*CELLS, ("stage:bad", "print('now')\n1 / 0"), ("stage:after", "print('never')")]
    written(tmp_path, cells)
    theirs = tmp_path / "out.ipynb"
    with pytest.raises(PapermillExecutionError):
        papermill.execute_notebook(source, theirs, {"depth": 8}, "stagebook", progress_bar=False)
    run = bench.run(cells, parameters={"depth": 8})
    assert run.output is not None
    left = [nbformat.read(path, as_version=4) for path in (theirs, run.output)]
    assert [cell.source for cell in left[0].cells] == [cell.source for cell in left[1].cells]
    assert sum("papermill-error-cell-tag" in cell.metadata.tags for cell in left[1].cells) == 2
    assert [node.metadata.papermill.output_path for node in left] == [str(theirs), str(run.output)]
