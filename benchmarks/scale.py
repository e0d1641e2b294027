"""Many stages: what one costs here, on Dask's workers and as a task of Prefect, beside plain Dask and plain Prefect.

    python -m benchmarks.scale [STAGES ...]

For each number of stages: a notebook of so many independent stages, each of which sleeps for 10 ms and makes a number,
run locally, with `--on dask` (two workers) and, up to 200 stages, with `--on prefect`; the same as plain Dask tasks on
two workers, as plain Prefect tasks, and as a plain concurrent.futures pool. Wall seconds from the first to the last
stage, memory (PSS of the process that runs), both of one process each, one after the other. Then a chain of stages that
hand 10 GB on, 500 MB each, and a sweep of 200 points on Dask's workers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

NUMBERS = (100, 1000)
SLEEP = 0.01
MOST_PREFECT = 200
"""Stages beyond which Prefect is not asked: each of its tasks is told to a server with a sqlite file."""
HANDED, PIECES = 500_000_000, 20
POINTS = 200
BARE: dict[str, Any] = {"outputs": [], "execution_count": None}


def main(numbers: tuple[int, ...]) -> None:
    """Measure, and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            for way in ("local", "dask", "plain dask", "pool", "prefect", "plain prefect"):
                if "prefect" in way and number > MOST_PREFECT:
                    continue
                show(f"{number} stages", way, measured(Path(folder), way, number))
        show(f"{PIECES} x {HANDED / 1e6:.0f} MB handed on", "local", measured(Path(folder), "handing", PIECES))
        show(f"sweep of {POINTS} points", "dask", measured(Path(folder), "sweep", POINTS))


def show(what: str, way: str, told: dict[str, float]) -> None:
    """A line of the table."""
    each, cpu, own = (told[one] / told["number"] * 1000 for one in ("seconds", "cpu", "own"))
    line = f"{what:28} {way:14} {told['seconds']:8.2f} s {each:9.2f} ms each {cpu:9.2f} CPU ms, {own:8.2f} own"
    print(f"{line} {told['memory'] / 1e6:8.0f} MB", flush=True)


def measured(folder: Path, way: str, number: int) -> dict[str, float]:
    """What one way takes, in a process of its own."""
    place = folder / f"{way.replace(' ', '-')}-{number}"
    place.mkdir()
    environment = {
        **os.environ,
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",
        "PREFECT_LOGGING_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", "benchmarks.scale", "--way", way, str(number), str(place)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{way}: {done.stderr[-2000:]}")
    told: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def go(way: str, number: int, folder: Path) -> dict[str, float]:
    """Do it in this process."""
    process = psutil.Process()
    ways: dict[str, Any] = {
        "local": lambda: stages(folder, number, None),
        "dask": lambda: stages(folder, number, "dask"),
        "prefect": lambda: stages(folder, number, "prefect"),
        "plain dask": lambda: plain_dask(number),
        "plain prefect": lambda: plain_prefect(number),
        "pool": lambda: pool(number),
        "handing": lambda: handing(folder, number),
        "sweep": lambda: sweep(folder, number),
    }
    before = process.cpu_times()
    seconds = ways[way]()
    spent = process.cpu_times()
    own = spent.user + spent.system - before.user - before.system
    cpu = own + spent.children_user + spent.children_system
    return {"seconds": seconds, "number": number, "cpu": cpu, "own": own, "memory": process.memory_full_info().pss}


def written(folder: Path, cells: list[tuple[str, str]]) -> Path:
    """A notebook of cells, each with a tag."""
    shown = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {"tags": [tag]}, "source": source, **BARE}
        for n, (tag, source) in enumerate(cells)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    node = {"cells": shown, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path = folder / "many.ipynb"
    path.write_text(json.dumps(node), encoding="utf-8")
    return path


def stages(folder: Path, number: int, on: str | None) -> float:
    """Run so many stages; seconds from the first one's start to the last one's end."""
    cells = [("setup", "import time"), *((f"stage:s{n}", f"time.sleep({SLEEP})\nx{n} = {n}") for n in range(number))]
    return run(written(folder, cells), on)


def run(path: Path, on: str | None) -> float:
    """Run a notebook; seconds from the first stage's start to the last one's end."""
    from stagebook.events import Event, StageFinished, StageStarted
    from stagebook.run.api import run_notebook

    moments: list[float] = []

    def listen(event: Event) -> None:
        if isinstance(event, StageStarted | StageFinished):
            moments.append(time.perf_counter())

    done = run_notebook(path, jobs=2, on=on, track=False, listeners=(listen,))
    if done.state != "done":
        raise SystemExit(f"{done.state}: {[one.reason for one in done.stages if one.state != 'done'][:3]}")
    return moments[-1] - moments[0]


def sleeping(number: int) -> int:
    """What a stage does."""
    time.sleep(SLEEP)
    return number


def plain_dask(number: int) -> float:
    """The same as tasks of Dask."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as cluster,
        Client(cluster) as client,
    ):
        client.gather([client.submit(sleeping, -1 - n, pure=False) for n in range(2)])
        began = time.perf_counter()
        client.gather([client.submit(sleeping, n, pure=False) for n in range(number)])
        return time.perf_counter() - began


def plain_prefect(number: int) -> float:
    """The same as tasks of Prefect, on two threads."""
    from prefect import flow, task
    from prefect.cache_policies import NO_CACHE
    from prefect.task_runners import ThreadPoolTaskRunner

    took = 0.0
    made = task(cache_policy=NO_CACHE)(sleeping)

    def many() -> None:
        nonlocal took
        began = time.perf_counter()
        for future in [made.submit(n) for n in range(number)]:
            future.result()
        took = time.perf_counter() - began

    two: Any = ThreadPoolTaskRunner(max_workers=2)
    flow(task_runner=two)(many)()
    return took


def pool(number: int) -> float:
    """The same in a pool of two processes."""
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(2) as two:
        list(two.map(sleeping, range(2)))
        began = time.perf_counter()
        list(two.map(sleeping, range(number)))
        return time.perf_counter() - began


def handing(folder: Path, number: int) -> float:
    """A chain of stages, each of which takes an array and hands another on."""
    size = HANDED // 8
    first = ("stage:s0", f"x0 = np.arange({size}, dtype='f8')")
    rest = [(f"stage:s{n}", f"x{n} = x{n - 1} + 1") for n in range(1, number)]
    return run(written(folder, [("setup", "import numpy as np"), first, *rest]), None)


def sweep(folder: Path, number: int) -> float:
    """A sweep over one parameter: a stage that all points share, and one that each has."""
    from stagebook.run.sweeping import SweepRequest, sweep_notebook

    cells = [
        ("parameters", "k = 0"),
        ("setup", "import time"),
        ("stage:shared", f"time.sleep({SLEEP})\nbase = 1"),
        ("stage:each", f"time.sleep({SLEEP})\nscore = base * k"),
    ]
    request = SweepRequest(written(folder, cells), (("k", f"0:{number - 1}:1"),), jobs=2, track=False, on="dask")
    began = time.perf_counter()
    done = sweep_notebook(request)
    if done.state != "done" or len(done.points) != number:
        raise SystemExit(f"the sweep: {done.state}, {len(done.points)} points")
    return time.perf_counter() - began


if __name__ == "__main__":
    if sys.argv[1:2] == ["--way"]:
        print(json.dumps(go(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))))
    else:
        main(tuple(int(word) for word in sys.argv[1:]) or NUMBERS)
