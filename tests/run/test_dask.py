"""The same notebook on the workers of a Dask cluster, which runs in processes of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from notebooks_factory import written
from tests.same_run import CELLS, same_run

from stagebook.errors import UsageError
from stagebook.events import CellPrinted, Notice, StageStarted
from stagebook.registry import plugin

distributed = pytest.importorskip("distributed", reason="install it with `pip install 'stagebook[dask]'`")
dask = pytest.importorskip("dask")


@pytest.fixture(scope="module", autouse=True)
def variables():
    """This process's, which a cluster that is started in it changes."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1", silence_logs="ERROR"
    ) as one:
        yield one


@pytest.fixture(scope="module")
def on(cluster):
    """How `--on` names it."""
    return f"dask://{cluster.scheduler_address.removeprefix('tcp://')}"


def test_a_run_is_the_same_but_for_places_and_times(bench_in, tmp_path, on):
    there = same_run(bench_in, tmp_path, on=on)
    assert {one.state for one in there.run(on=on).stages} == {"reused"}
    assert {one.state for one in there.run().stages} == {"reused"}, "also where it is run here"


def test_independent_stages_are_on_several_workers(bench, on):
    code = "import os, time\ntime.sleep(1)\nprint(os.getppid())  # the process that forks a worker's kernels"
    cells = [(f"stage:s{n}", f"{code}\nx{n} = 1") for n in range(2)]
    run = bench.run(cells, on=on)
    assert len({bench.printed(run, 1), bench.printed(run, 2)}) == 2


def test_numerical_libraries_have_as_many_threads_as_here(bench, on):
    look = "import numpy, threadpoolctl\nprint({one['num_threads'] for one in threadpoolctl.threadpool_info()})"
    run = bench.run([("stage:a", look)], on=on)
    assert bench.printed(run, 1) == f"{{{len(os.sched_getaffinity(0))}}}\n"


def test_what_a_cell_prints_and_a_failure_are_told_as_here(bench, on):
    cells = [("stage:slow", "import time\nprint('waits', flush=True)\ntime.sleep(1.5)\n1 / 0")]
    run = bench.run(cells, on=on)
    assert run.state == "failed"
    assert "cell 1, line 4: ZeroDivisionError: division by zero" in bench.reason(run, "slow")
    assert [event.text for event in bench.events if isinstance(event, CellPrinted)] == ["waits\n"]


def test_a_worker_that_is_lost_has_its_stage_run_elsewhere(bench, on):
    once = bench.folder / "once"
    code = (
        f"import os, pathlib, time\nfirst = not pathlib.Path({str(once)!r}).exists()\n"
        f"pathlib.Path({str(once)!r}).write_text(str(os.getppid()))\ntime.sleep(60 if first else 0)\nx = 1"
    )

    def kill():
        while not (once.exists() and once.read_text()):
            time.sleep(0.05)
        with distributed.Client(f"tcp://{on.removeprefix('dask://')}", set_as_default=False) as client:
            workers = client.run(os.getpid)
            busy = [worker for worker, tasks in client.processing().items() if tasks]
        os.kill(workers[busy[0]], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    run = bench.run([("stage:a", code), ("stage:b", "y = x")], on=on)
    killer.join()
    assert run.state == "done", run
    notices = [event.message for event in bench.events if isinstance(event, Notice)]
    assert any("`a` runs again on tcp://" in notice for notice in notices), notices


def test_an_interrupt_ends_the_run_on_the_workers(bench, on):
    def interrupt(event):
        if isinstance(event, StageStarted):
            threading.Timer(2, os.kill, (os.getpid(), signal.SIGINT)).start()

    bench.listeners = (interrupt,)
    began = time.monotonic()
    run = bench.run([("stage:a", "import time\ntime.sleep(100)")], on=on)
    assert run.state == "interrupted"
    assert time.monotonic() - began < 60


def test_what_no_worker_has_is_told(bench, on):
    run = bench.run([("", "%%stage a resources=gpu:1\nx = 1")], on=on)
    assert run.state == "failed"
    assert "no worker has `gpu`" in bench.reason(run, "a")
    assert 'dask worker ... --resources "gpu=1"' in bench.reason(run, "a")


def test_resources_of_workers_are_asked_for(bench):
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1", resources={"GPU": 1}
    ) as one:
        place = f"dask://{one.scheduler_address.removeprefix('tcp://')}"
        run = bench.run([("", "%%stage a resources=gpu:1\nx = 1")], on=place)
    assert run.state == "done", run


def test_workers_with_other_versions_are_refused_with_a_list(bench, cluster, on, monkeypatch):
    from stagebook.run import worker

    real = worker.version
    monkeypatch.setattr(worker, "version", lambda name: "0.1" if name == "pandas" else real(name))
    with pytest.raises(UsageError, match=r"tcp://.* has pandas .*, here is 0\.1"):
        bench.run([("stage:a", "x = 1")], on=on)


def test_a_store_that_workers_do_not_share_is_refused_before_anything_runs(bench, cluster, on, monkeypatch):
    monkeypatch.chdir(bench.folder)  # the workers are elsewhere: the path is the same, the folder is not
    told = r"The store /proc/self/cwd/kept is not shared with tcp://\S+ \(what was written .* Name one with --store"
    with pytest.raises(UsageError, match=told):
        bench.run([("stage:a", "x = 1")], on=on, store="/proc/self/cwd/kept")
    assert bench.events == []
    assert [path for path in (bench.folder / "kept/records").rglob("*") if path.is_file()] == []


def test_a_worker_without_stagebook_is_refused(bench, cluster, on):
    without = "import sys; sys.modules['stagebook'] = None"
    command = [sys.executable, "-m", "distributed.cli.dask_worker", cluster.scheduler_address, "--no-nanny"]
    started = subprocess.Popen([*command, "--preload", without], cwd=bench.folder, stderr=subprocess.DEVNULL)
    try:
        with distributed.Client(cluster, set_as_default=False) as client:
            client.wait_for_workers(3, timeout=60)
        with pytest.raises(UsageError, match=r"Stages cannot be run on tcp://\S+ \(.*No module named 'stagebook"):
            bench.run([("stage:a", "x = 1")], on=on)
    finally:
        started.terminate()
        started.wait()


def test_a_scheduler_that_takes_the_call_and_says_nothing_is_refused_in_time():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(UsageError, match=r"No Dask scheduler answers at 127\.0\.0\.1:\d+: there is no answer in"):
            plugin("runner", "dask")(1, f"127.0.0.1:{silent.getsockname()[1]}")
    assert time.monotonic() - began < 20


def test_a_scheduler_that_is_not_there_and_a_runner_that_is_none_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"No Dask scheduler answers at 127.0.0.1:9"):
        plugin("runner", "dask")(1, "127.0.0.1:9")
    command = [sys.executable, "-m", "stagebook", "run", "notebook.ipynb", "--on", "dusk://x"]
    written(tmp_path, [("stage:a", "x = 1")])
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "There is no runner `dusk`" in done.stderr


def test_a_cluster_that_encrypts_is_used_with_the_certificates_of_dasks_configuration(bench):
    made = distributed.Security.temporary()
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None, "host": "127.0.0.1"}
    with distributed.LocalCluster(security=made, silence_logs="ERROR", **options) as cluster:
        assert cluster.scheduler_address.startswith("tls://")
        files = {"ca-file": made.tls_ca_file, "client.cert": made.tls_client_cert, "client.key": made.tls_client_key}
        with dask.config.set({f"distributed.comm.tls.{name}": file for name, file in files.items()}):
            run = bench.run([("stage:a", "x = 1"), ("stage:b", "print(x)")], on=f"dask://{cluster.scheduler_address}")
    assert bench.states(run) == {"a": "done", "b": "done"}


@pytest.mark.parametrize(
    ("on", "told"),
    [
        ("dask://tls://127.0.0.1:9", "names no certificates"),
        ("dask://ftp://127.0.0.1:9", "is no place of a Dask scheduler: write HOST:PORT"),
        ("tcp://127.0.0.1:9", "Write RUNNER://HOST:PORT, as in dask://10.0.0.5:8786."),
        ("dask:127.0.0.1:9", "Write RUNNER://HOST:PORT, as in dask://10.0.0.5:8786."),
    ],
)
def test_an_address_that_cannot_be_one_is_refused_at_once(bench, on, told):
    with pytest.raises(UsageError) as refused:
        bench.run([("stage:a", "x = 1")], on=on)
    assert told in str(refused.value)


def test_no_plain_connection_is_made_where_encryption_is_asked_for():
    with (
        dask.config.set({"distributed.comm.require-encryption": True}),
        pytest.raises(UsageError, match=r"Write --on dask://tls://127\.0\.0\.1:9"),
    ):
        plugin("runner", "dask")(1, "127.0.0.1:9")


def test_the_command_line_starts_a_cluster_of_its_own(bench, children):
    bench.write(CELLS)
    before = children()
    command = [sys.executable, "-m", "stagebook", "run", bench.path.name, "--on", "dask", "--jobs", "2", "--no-track"]
    done = subprocess.run(command, cwd=bench.folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "join: done in" in done.stdout
    assert not [line for line in children() if "stagebook" in line and line not in before]
