"""Runs with their store on S3: of several machines, at once, on a cluster's workers, and with a server that goes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner
from notebooks_factory import written
from s3 import serving

from stagebook.cli import main
from stagebook.errors import UsageError
from stagebook.events import StageFinished
from stagebook.run.api import plan_notebook

pytest.importorskip("s3fs", reason="install it with `pip install 'stagebook[s3]'`")
CELLS = [
    ("parameters", "n = 1"),
    ("stage:make", "numbers = bytes(range(250)) * 20"),
    ("stage:use", "total = sum(numbers) + n\nprint(total)"),
]


@pytest.fixture(scope="module")
def running():
    with serving("bucket") as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_MAX_ATTEMPTS", "2")  # waits become longer each time
        yield server


@pytest.fixture
def server(running, tmp_path, monkeypatch):
    monkeypatch.setenv("STAGEBOOK_CACHE", str(tmp_path / "cache"))
    yield running
    running.fault = lambda *_: ""


@pytest.fixture
def store(server, request):
    return f"s3://bucket/{request.node.name}"


@pytest.fixture
def another_machine(tmp_path, monkeypatch):
    """To be called: what is run afterwards has no copies of the store's blobs."""
    return lambda: monkeypatch.setenv("STAGEBOOK_CACHE", str(tmp_path / "another cache"))


def actions(bench, store, **options):
    return {one.stage: one.action for one in plan_notebook(bench.path, store=store, **options).decisions}


def blobs(server, store):
    return [key for key in server.keys("bucket") if key.startswith(f"{store.removeprefix('s3://bucket/')}/blobs/")]


def test_a_run_goes_on_though_requests_fail_and_another_machine_makes_again_only_what_was_lost(
    bench, server, store, another_machine
):
    asked = set()

    def first_time(*request):
        return "" if request in asked or asked.add(request) else "503"

    # the process that kernels are forked from has loaded what opens the store
    loaded = "maps = open(f'/proc/{os.getppid()}/maps').read()\nprint('aiohttp' in maps)"
    cells = [("stage:make", f"import os\nnumbers = list(range(5000))\nprint(sum(numbers))\n{loaded}")]
    server.fault = first_time
    first = bench.run(cells, store=store)
    server.fault = lambda *_: ""
    assert bench.states(first) == {"make": "done"}
    another_machine()
    second = bench.run(store=store)
    assert bench.states(second) == {"make": "reused"}
    assert bench.printed(second, 1) == bench.printed(first, 1) == "12497500\nTrue\n"
    for key in blobs(server, store):
        server.remove("bucket", key)
    assert actions(bench, store) == {"make": "run"}, "though copies of all are here"


def test_runs_at_once_of_the_same_point_and_of_others_lose_nothing(bench, store, server):
    bench.write(CELLS)
    command = [sys.executable, "-m", "stagebook", "run", bench.path.name, "--store", store, "--no-track", "-p", "n"]
    runs = [
        subprocess.Popen(
            [*command, n],
            cwd=bench.folder,
            env={**os.environ, "STAGEBOOK_CACHE": str(bench.folder / f"cache {number}")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number, n in enumerate("12")
    ]
    told = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], told
    for n in (1, 2):
        assert actions(bench, store, parameters={"n": n}) == {"make": "reuse", "use": "reuse"}
    assert bench.printed(bench.run(store=store, parameters={"n": 2}), 3) == "622502\n"


def test_a_server_that_goes_in_mid_run_fails_the_stage_under_way_and_keeps_what_is_done(bench, server, store):
    def go(event):
        if isinstance(event, StageFinished) and event.stage == "make":
            server.fault = lambda method, path: "drop" if method == "PUT" else ""

    bench.listeners = (go,)
    run = bench.run(CELLS, store=store)
    assert bench.states(run) == {"make": "done", "use": "failed"}
    assert f"The store {store} cannot be written: " in bench.reason(run, "use")
    server.fault = lambda *_: ""
    bench.listeners = ()
    assert actions(bench, store) == {"make": "reuse", "use": "run"}


def test_what_cannot_be_opened_or_written_is_told_before_anything_runs(tmp_path, server, store, monkeypatch):
    import s3fs

    def refused(store, *more):
        s3fs.S3FileSystem.clear_instance_cache()  # a connection remembers what it was opened with
        done = CliRunner().invoke(main, ["run", str(path), "--store", store, "--no-track", *more])
        assert (done.exit_code, done.stdout) == (2, ""), done.output
        return done.stderr

    path = written(tmp_path, CELLS)
    assert refused("s3://none/a") == (
        "stagebook: The store s3://none/a cannot be read: there is no bucket `none` (make it, or name another).\n"
    )
    assert "The specified bucket does not exist" in refused("s3://none/a", "--force")
    server.fault = lambda method, _: "500" if method == "PUT" else ""
    assert f"The store {store} cannot be written: " in refused(store)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert "Unable to locate credentials (set AWS_ACCESS_KEY_ID and" in refused(store)
    monkeypatch.undo()
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def on(server, tmp_path):
    """A cluster of two workers in processes of their own, with copies of their own."""
    distributed = pytest.importorskip("distributed", reason="install it with `pip install 'stagebook[dask]'`")

    def worker(number):
        env = {"STAGEBOOK_CACHE": str(tmp_path / f"cache of {number}")}
        return {"cls": distributed.Nanny, "options": {"nthreads": 1, "env": env, "host": "127.0.0.1"}}

    before = dict(os.environ)
    scheduler = {"cls": distributed.Scheduler, "options": {"dashboard_address": None, "host": "127.0.0.1"}}
    workers = {number: worker(number) for number in range(2)}
    with distributed.SpecCluster(workers, scheduler, silence_logs="ERROR") as made:
        yield f"dask://{made.scheduler_address.removeprefix('tcp://')}"
    os.environ.clear()
    os.environ.update(before)


def test_workers_with_copies_of_their_own_make_the_same_and_are_refused_if_they_may_not_read(
    bench, on, server, store, tmp_path
):
    sides = [(f"stage:side{n}", f"import time\ntime.sleep(3)\nside{n} = list(range({n}, 5000))") for n in range(2)]
    there = bench.run(sides, on=on, store=store)
    assert there.state == "done", there
    assert all((tmp_path / f"cache of {n}/blobs").is_dir() for n in range(2)), "both have worked"
    here = bench.run()
    assert here.state == "done"
    outputs = [{stage.stage: dict(stage.outputs) for stage in run.stages} for run in (there, here)]
    assert outputs[0] == outputs[1]

    server.fault = lambda method, path: "403" if method == "GET" and "/probes/" in path else ""
    with pytest.raises(UsageError, match=rf"The store {store} is not shared with tcp://\S+ \(.* cannot be read: "):
        bench.run([*sides, ("stage:use", "print(side0 + side1)")], on=on, store=store)
    assert bench.events == []
