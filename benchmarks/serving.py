"""`stagebook serve` beside `mlflow models serve`: the same models, the same requests, logging on, one after the other.

    python -m benchmarks.serving [REQUESTS] [MODEL ...]

For a model that ONNX Runtime answers for, for one that answers itself, and for the demo's, with its feature stages (it
is trained first): requests per CPU second of the server's processes, the 99th percentile of latency, time to the first
prediction (of a version that was prepared before, as that is done once), and memory (PSS) after the load. One row a
request, four connections.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

REQUESTS = 4000
CONNECTIONS = 4
PATIENCE = 120
"""Seconds until a server must have answered for the first time."""
COLUMNS = [f"x{number}" for number in range(10)]
ROWS: dict[str, dict[str, Any]] = {
    "linear": dict.fromkeys(COLUMNS, 0.25),
    "boosted": dict.fromkeys(COLUMNS, 0.25),
    "flights": {
        "time_hour": "2013-07-01T22:00:00",
        "sched_dep_time": 1845,
        "carrier": "UA",
        "tailnum": "N24211",
        "origin": "EWR",
        "dest": "IAH",
        "distance": 1400,
    },
}
"""A request's row, by model."""
SLOW = 10
"""How many times fewer requests a model with feature stages is asked."""
NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


def train(folder: Path, store: str) -> None:
    """Register the demo's model, as its notebook does."""
    shutil.copytree(NOTEBOOKS, folder / "demo")
    environment = {**os.environ, "MLFLOW_TRACKING_URI": store}
    for words in (["run", "flights.ipynb"], ["sync", "flights.ipynb"]):
        subprocess.run([sys.executable, "-m", "stagebook", *words], cwd=folder / "demo", env=environment, check=True)


@dataclass(frozen=True)
class Measured:
    """What a server cost."""

    per_cpu_second: float
    p99: float
    first: float
    first_cpu: float
    memory: float


def register(store: str) -> None:
    """Two models of scikit-learn: one that converts, one that does not."""
    import mlflow
    import numpy as np
    import pandas as pd
    from mlflow.models import infer_signature
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    mlflow.set_tracking_uri(store)
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(2000, len(COLUMNS))), columns=COLUMNS)
    late = rows.sum(axis=1) > 0
    for name, model in {"linear": LogisticRegression(), "boosted": HistGradientBoostingClassifier()}.items():
        model.fit(rows, late)
        mlflow.sklearn.log_model(
            model,
            name=name,
            registered_model_name=name,
            signature=infer_signature(rows, model.predict(rows)),
            input_example=rows[:5],
            serialization_format="cloudpickle",
            pip_requirements=["scikit-learn"],
        )


def family(process: subprocess.Popen[Any]) -> list[psutil.Process]:
    """A server's processes."""
    top = psutil.Process(process.pid)
    return [top, *top.children(recursive=True)]


def cpu(process: subprocess.Popen[Any]) -> float:
    """Seconds of CPU that a server has used, with what its processes waited for."""
    used = [one.cpu_times() for one in family(process)]
    return float(sum(one.user + one.system + one.children_user + one.children_system for one in used))


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running(command: list[str], folder: Path, store: str) -> Iterator[subprocess.Popen[Any]]:
    """A server, until this ends."""
    environment = {**os.environ, "MLFLOW_TRACKING_URI": store, "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "server.txt").open("wb") as told:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=told, stderr=told)
    try:
        yield process
    finally:
        for one in reversed(family(process)):
            one.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def ask(connection: http.client.HTTPConnection, body: bytes) -> bytes:
    """A prediction."""
    connection.request("POST", "/invocations", body, {"content-type": "application/json"})
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {said[:200]!r}")
    return said


def first_prediction(port: int, body: bytes, began: float) -> float:
    """Seconds until the server has answered for the first time."""
    while time.monotonic() - began < PATIENCE:
        try:
            ask(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE), body)
        except OSError:
            time.sleep(0.05)
        else:
            return time.monotonic() - began
    raise RuntimeError("the server did not answer")


def loaded(port: int, body: bytes, requests: int) -> list[float]:
    """Seconds that each request took, over some connections at once."""
    took: list[float] = []

    def one() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        for _ in range(requests // CONNECTIONS):
            began = time.perf_counter()
            ask(connection, body)
            took.append(time.perf_counter() - began)

    threads = [threading.Thread(target=one) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def measured(command: list[str], port: int, folder: Path, store: str, requests: int, model: str) -> Measured:
    """A server from its start to after its load."""
    body = json.dumps({"dataframe_records": [ROWS[model]]}).encode()
    began = time.monotonic()
    with running(command, folder, store) as process:
        first = first_prediction(port, body, began)
        first_cpu = cpu(process)
        loaded(port, body, requests // 10)  # until all of it is warm
        before = cpu(process)
        took = loaded(port, body, requests)
        used = cpu(process) - before
        memory = sum(one.memory_full_info().pss for one in family(process)) / 2**20
    return Measured(len(took) / used, statistics.quantiles(took, n=100)[98] * 1000, first, first_cpu, memory)


def main() -> None:
    """Measure each model on both servers, and print a table with ratios."""
    words = sys.argv[1:]
    number = int(words.pop(0)) if words and words[0].isdigit() else REQUESTS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = f"sqlite:///{folder / 'mlflow.db'}"
        os.environ["STAGEBOOK_CACHE"] = str(folder / "cache")
        models = words or list(ROWS)
        register(store)
        if "flights" in models:
            train(folder, store)
        print(f"{'':18}{'requests/CPU s':>15}{'p99 ms':>9}{'first s':>9}{'CPU s':>8}{'MB':>7}")
        for model in models:
            requests = number // SLOW if model == "flights" else number
            ports = [free_port(), free_port()]
            ours = [sys.executable, "-m", "stagebook", "serve", f"models:/{model}/1", "--port", str(ports[0])]
            theirs = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local"]
            theirs += ["-m", f"models:/{model}/1", "--port", str(ports[1])]
            measured(ours, ports[0], folder, store, CONNECTIONS * 10, model)  # the version is prepared
            backend = re.search(r"with (ONNX Runtime|pyfunc)", (folder / "server.txt").read_text())
            both = [
                measured(ours, ports[0], folder, store, requests, model),
                measured(theirs, ports[1], folder, store, requests, model),
            ]
            for called, one in zip(
                (f"{model}, {backend[1] if backend else '?'}", f"{model}, MLflow"), both, strict=True
            ):
                told = f"{one.per_cpu_second:15.1f}{one.p99:9.1f}{one.first:9.2f}{one.first_cpu:8.2f}{one.memory:7.0f}"
                print(f"{called:18}{told}")
            ratios = {name: getattr(both[0], name) / getattr(both[1], name) for name in Measured.__annotations__}
            print(f"{'  ratio':18}" + "".join(f"{name} {value:.2f}  " for name, value in ratios.items()))


if __name__ == "__main__":
    main()
