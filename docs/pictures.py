"""Makes the pictures of `record.md` and `drift.md`.

The demo is run in a folder of its own, and MLflow's pages are opened on its record; the card is of the demo's flights.

`make pictures`; it needs what the tests need: Playwright, and a Chromium on the path.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
NOTEBOOKS = HERE.parent / "notebooks"
PATIENCE = 60
"""Seconds until a server must answer, and a page show what it is to show."""


def main() -> None:
    """Make them all."""
    take_card()
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        shutil.copytree(NOTEBOOKS, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".stagebook"))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
        command = [sys.executable, "-m", "stagebook", "run", "flights.ipynb", "--promote"]
        subprocess.run(command, cwd=folder, env=environment, check=True)
        with server(Path(folder, ".stagebook", "mlflow.db")) as url:
            take(url)


def take_card() -> None:
    """A picture of the card that compares the flights of winter and of summer, with their weather."""
    import pandas as pd

    from stagebook.drift.api import drift
    from stagebook.drift.card import page

    reports = pd.read_parquet(NOTEBOOKS / "data/weather.parquet")
    trips = pd.read_parquet(NOTEBOOKS / "data/flights.parquet").merge(reports, on=["origin", "time_hour"])
    month = trips["time_hour"].dt.month
    columns = ["arr_delay", "carrier", "dest", "distance", "temp", "wind_speed", "visib", "time_hour"]
    found = drift(trips[month == 1][columns], trips[month == 7][columns], names=("january", "july"))
    with browser() as one:
        shown = one.new_page(viewport={"width": 980, "height": 620})
        shown.set_content(page(found))
        shown.locator("body > div").screenshot(path=HERE / "drift.png")
        print(HERE / "drift.png")


@contextmanager
def browser() -> Iterator[Any]:
    """A Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield one
        one.close()


@contextmanager
def server(store: Path) -> Iterator[str]:
    """MLflow's own server on a store; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    process = subprocess.Popen([*command, "--backend-store-uri", f"sqlite:///{store}"], env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(f"{url}/health", timeout=2):
                    break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.3)
        yield url
    finally:
        process.terminate()
        process.wait()


def take(url: str) -> None:
    """A picture of the run, of its timeline, and of the model that it registered."""
    client = MlflowClient(url)
    version = client.get_model_version_by_alias("flights", "champion")
    stage = client.get_run(version.run_id)
    experiment, run = stage.info.experiment_id, stage.data.tags["mlflow.parentRunId"]
    [trace] = client.search_traces(locations=[experiment])
    pages = {
        "run": (f"experiments/{experiment}/runs/{run}", "Child runs"),
        "timeline": (f"experiments/{experiment}/traces?selectedEvaluationId={trace.info.trace_id}", "boosting"),
        "model": (f"models/flights/versions/{version.version}", "champion"),
    }
    with browser() as one:
        for name, (place, told) in pages.items():
            page = one.new_page(viewport={"width": 1280, "height": 800})
            page.goto(f"{url}/#/{place}")
            page.get_by_text(told).first.wait_for(timeout=1000 * PATIENCE)
            if name != "timeline":  # it is in front of the rest
                _close_assistant(page)
            page.wait_for_timeout(2000)
            page.screenshot(path=HERE / f"{name}.png")
            print(HERE / f"{name}.png")


def _close_assistant(page: Any) -> None:
    """Close what MLflow opens beside its pages."""
    if page.get_by_text("MLflow Assistant").count():
        page.get_by_label("Close").last.click()


if __name__ == "__main__":
    main()
