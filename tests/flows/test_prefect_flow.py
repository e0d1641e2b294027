"""An exported flow, as a Prefect user has it run: by itself, by a worker, on a schedule, on Dask."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import psutil
import pytest
from notebooks_factory import written

from stagebook.run.api import run_notebook

CELLS = [
    ("parameters", "n: int = 3  # how many\nlabel: str = 'a'"),
    ("setup", "import os, time\nimport pandas as pd"),
    ("stage:load", "df = pd.DataFrame({'x': range(n)})"),
    ("stage:left", "left = df.x.sum()\nprint('in', os.getppid())\ntime.sleep(3)"),
    ("stage:right", "right = df.assign(y=df.x ** 2)\nprint('in', os.getppid())\ntime.sleep(3)"),
    ("", "%%stage join metrics=total\ntotal = float(left + right.y.sum())"),
]


def exported(folder, cells, *words):
    """Export a notebook, in a folder of its own."""
    folder.mkdir(exist_ok=True)
    path = written(folder, cells).rename(folder / "story.ipynb")
    command = [sys.executable, "-m", "stagebook", "export", "prefect", path.name, *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return path


def run_flow(server, path, **parameters):
    """Call the flow in this process; its last state."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    file = path.with_name("story-prefect") / "flow.py"
    module = importlib.util.module_from_spec(importlib.util.spec_from_file_location("flow_of_tests", file))
    module.__spec__.loader.exec_module(module)
    with temporary_settings({PREFECT_API_URL: server.address}):
        return module.story(**parameters, return_state=True)


def digests(folder, **parameters):
    """What the last run with these parameters has made: artifacts by stage and name, and metrics."""
    runs = [json.loads(path.read_text("utf-8")) for path in sorted((folder / ".stagebook/runs").glob("*/run.json"))]
    facts = [run for run in runs if parameters.items() <= run["parameters"].items()][-1]
    return [{name: stage[name] for name in ("stage", "fingerprint", "outputs", "metrics")} for stage in facts["stages"]]


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Runs the notebook as `stagebook run` does; what came of it."""

    def run(**parameters):
        folder = tmp_path_factory.mktemp("here")
        path = written(folder, CELLS).rename(folder / "story.ipynb")
        assert run_notebook(path, parameters=parameters, track=False).state == "done"
        return digests(folder)

    return run


def test_a_flow_makes_what_a_run_makes_and_shows_it(server, here, tmp_path):
    path = exported(tmp_path, CELLS)
    assert run_flow(server, path).is_completed()
    assert digests(tmp_path) == here()
    flow_run = server.flow_runs()[0]
    tasks = server.task_runs(flow_run)
    assert [len(tasks[name]["task_inputs"].get("wait_for", [])) for name in ("load", "left", "join")] == [0, 1, 2]
    shown = server.artifacts(flow_run)
    assert json.loads(shown["story-metrics"]["data"]) == [{"metric": "total", "value": 8.0}]
    assert "| join | done |" in shown["story-stages"]["data"]
    assert "data:image/svg+xml;base64," in shown["story-stages"]["data"]
    assert run_flow(server, path, n=3).result() == {"total": 8.0}
    assert {one["state_name"] for one in server.task_runs(server.flow_runs()[0]).values()} == {"Reused"}


def test_a_flow_of_another_notebook_is_refused_and_a_failure_is_told(server, tmp_path):
    path = exported(tmp_path, CELLS)
    written(tmp_path, [*CELLS, ("stage:more", "z = total")]).replace(path)
    told = run_flow(server, path).message
    assert "stage `more` has no task" in told
    assert "stagebook export prefect story.ipynb" in told
    written(tmp_path, [("parameters", "n: int = 4\nlabel: str = 'a'"), *CELLS[1:]]).replace(path)
    assert run_flow(server, path).result() == {"total": 8.0}
    lines = server.log_of(server.flow_runs()[0], of="flow_run_id")
    assert "`n` is 3 by default in the flow, which counts, and 4 in the notebook." in lines
    path = exported(tmp_path, [*CELLS[:-1], ("stage:join", "total = left / 0\nraise ValueError('no')")], "--force")
    state = run_flow(server, path)
    assert state.is_failed()
    assert "join: cell 6, line 2: ValueError: no" in state.message


def test_secrets_are_in_blocks_and_nowhere_else(server, tmp_path):
    from prefect.blocks.system import Secret
    from prefect.settings import PREFECT_API_URL, temporary_settings

    cells = [("parameters", "api_key = ''\nn = 1"), ("stage:a", "length = len(api_key) + n\nprint('it is', api_key)")]
    path = exported(tmp_path, cells)
    assert 'Secret.load("api-key").get()' in (tmp_path / "story-prefect/flow.py").read_text()
    with temporary_settings({PREFECT_API_URL: server.address}):
        Secret(value="Zx8k2QwPv7").save("api-key", overwrite=True)
    assert run_flow(server, path, n=2).is_completed()
    flow_run = server.flow_runs()[0]
    task = server.task_runs(flow_run)["a"]
    told = [
        json.dumps([flow_run, task]),
        *server.log_of(task),
        *(one["data"] for one in server.artifacts(flow_run).values()),
    ]
    assert any("it is" in line for line in told)
    assert not [line for line in told if "Zx8k2QwPv7" in line]


def test_on_dask_tasks_are_on_two_worker_processes(server, here, tmp_path):
    pytest.importorskip("prefect_dask", reason="install it with `pip install prefect-dask`")
    path = exported(tmp_path, CELLS, "--task-runner", "dask")
    environment = {**os.environ, "PREFECT_API_URL": server.address}
    command = [sys.executable, "flow.py"]
    done = subprocess.run(
        command, cwd=path.with_name("story-prefect"), env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert digests(tmp_path) == here()
    tasks = server.task_runs(server.flow_runs()[0])
    places = [next(line for line in server.log_of(tasks[name]) if line.startswith("in ")) for name in ("left", "right")]
    assert places[0] != places[1], "kernels of two processes"


@pytest.fixture(scope="module")
def worker(server, tmp_path_factory):
    """A process work pool with a worker."""
    server.post("work_pools/", name="tests", type="process", base_job_template={})
    with (tmp_path_factory.mktemp("worker") / "log").open("w") as log:
        process = server.begin("worker", "start", "--pool", "tests", "--type", "process", output=log)
        yield process
        for one in [*psutil.Process(process.pid).children(recursive=True), process]:
            one.kill()
        process.wait()


def deployed(server, folder, cells, *words):
    """Export a notebook, and make its deployment; the deployment's id."""
    exported(folder, cells, "--work-pool", "tests", *words)
    done = server.begin(
        "--no-prompt", "deploy", "--all", folder=folder / "story-prefect", output=(folder / "deploy").open("w")
    )
    assert done.wait(120) == 0, (folder / "deploy").read_text()
    return server.deployment("planned")["id"]


def ended(server, identity):
    """A flow run, once it is over."""

    def over():
        one = server.flow_run(identity)
        return one if one["state_type"] not in ("SCHEDULED", "PENDING", "RUNNING", "CANCELLING") else None

    return server.until(over)


def test_a_worker_runs_it_on_a_schedule_and_with_parameters_and_cancelled_it_leaves_no_kernel(
    server, worker, here, tmp_path
):
    waiting = (
        "stage:wait",
        "print(total)\nopen('kernel', 'w').write(str(os.getpid()))\ntime.sleep(300 if label == 'wait' else 0)",
    )
    cells = [*CELLS, waiting]
    name = deployed(server, tmp_path, cells, "--name", "planned", "--cron", "* * * * *")
    of_it = {"deployment_id": {"any_": [name]}, "state": {"type": {"any_": ["RUNNING", "COMPLETED"]}}}
    planned = server.until(lambda: [one for one in server.flow_runs(flow_runs=of_it) if one["auto_scheduled"]])[0]
    server.post(f"deployments/{name}/pause_deployment")
    assert ended(server, planned["id"])["state_type"] == "COMPLETED"
    assert digests(tmp_path, n=3)[:-1] == here()

    kernel = tmp_path / "kernel"
    kernel.unlink()
    given = server.start_flow_run("planned", n=5, label="wait")
    process = psutil.Process(int(server.until(lambda: kernel.exists() and kernel.read_text())))
    server.post(f"flow_runs/{given}/set_state", state={"type": "CANCELLING"})
    assert ended(server, given)["state_type"] == "CANCELLED"
    process.wait(30)
    assert server.flow_run(given)["parameters"] == {"n": 5, "label": "wait"}
    interrupted = digests(tmp_path, n=5, label="wait")
    assert {stage["stage"]: stage for stage in interrupted if stage["stage"] == "join"} == {
        stage["stage"]: stage for stage in here(n=5) if stage["stage"] == "join"
    }
