"""A Prefect server of the tests' own, on a sqlite file."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone

import httpx
import pytest
from tests.run.conftest import bench, bench_in, children  # noqa: F401 - fixtures

PATIENCE = 180


class PrefectServer:
    """Prefect's server, asked over HTTP: its command line takes seconds for every question."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.place = f"127.0.0.1:{port}"
        self.address = f"http://{self.place}/api"
        self.variables = {
            "PREFECT_HOME": str(folder),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2",
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "DO_NOT_TRACK": "true",
            "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",  # one for all: to make its tables takes seconds
        }
        self._log = (folder / "server.log").open("w")
        command = ["server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
        self._process = self.begin(*command, output=self._log)
        self.until(self._answers)

    def begin(self, *words, output, folder=None):
        """Begin one of Prefect's own commands."""
        environment = {**os.environ, **self.variables}
        if words[0] != "server":
            environment["PREFECT_API_URL"] = self.address
        return subprocess.Popen(
            [sys.executable, "-m", "prefect", *words], env=environment, cwd=folder, stdout=output, stderr=output
        )

    def _answers(self):
        assert self._process.poll() is None, "the Prefect server did not come up"
        try:
            return httpx.get(f"{self.address}/health", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self):
        """At once."""
        self._process.kill()
        self._process.wait()
        self._log.close()

    @staticmethod
    def until(condition, seconds=PATIENCE):
        """Wait for something that is to come about."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
            time.sleep(0.3)
        pytest.fail("it did not come about")

    def post(self, path, **body):
        """Ask, or tell."""
        answer = httpx.post(f"{self.address}/{path}", json=body, timeout=30)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def flow_run(self, identity):
        """A flow run as it stands."""
        return httpx.get(f"{self.address}/flow_runs/{identity}", timeout=30).json()

    def flow_runs(self, **like):
        """The flow runs, the last first."""
        return self.post("flow_runs/filter", sort="START_TIME_DESC", **like)

    def task_runs(self, flow_run):
        """A flow run's tasks by stage; of a stage that was submitted again, the last. Prefect hears of them late."""
        only = {"flow_runs": {"id": {"any_": [flow_run["id"]]}}, "sort": "EXPECTED_START_TIME_ASC"}

        def found():
            runs = self.post("task_runs/filter", **only)
            over = all(one["state"] and one["state_type"] not in ("PENDING", "RUNNING") for one in runs)
            return runs if runs and over else None

        return {one["name"].rpartition("-")[0] or one["name"]: one for one in self.until(found, 30)}

    def log_of(self, run, *, of="task_run_id"):
        """The lines of a task run's log, or of a flow run's."""
        only = {of: {"any_": [run["id"]]}}
        return self.until(lambda: [one["message"] for one in self.post("logs/filter", logs=only)], 30)

    def artifacts(self, flow_run):
        """A flow run's artifacts, by key."""
        only = {"flow_run_id": {"any_": [flow_run["id"]]}}
        return {one["key"]: one for one in self.post("artifacts/filter", artifacts=only)}

    def deployment(self, name):
        """The deployment of a flow that is called as the flow is."""
        return httpx.get(f"{self.address}/deployments/name/{name}/{name}", timeout=30).json()

    def start_flow_run(self, name, **parameters):
        """Have a deployment run now; the flow run's id."""
        soon = (datetime.now(timezone.utc) + timedelta(seconds=0.1)).isoformat()
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": soon}}
        path = f"deployments/{self.deployment(name)['id']}/create_flow_run"
        return self.post(path, parameters=parameters, state=state)["id"]


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The server; this process is not to try to tell it anything once it has gone."""
    if importlib.util.find_spec("prefect") is None:
        pytest.skip("no Prefect: install it with `pip install 'stagebook[prefect]'`")
    one = PrefectServer(tmp_path_factory.mktemp("prefect"))
    yield one
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    for service in (EventsWorker, APILogWorker):
        service.drain_all(timeout=10)
    one.stop()


@pytest.fixture(autouse=True)
def variables(server, monkeypatch):
    """The server's settings, which this process has, too, before it imports Prefect: here, and in no other folder."""
    for name, value in server.variables.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def on(server):
    """How `--on` names it."""
    return f"prefect://{server.place}"
