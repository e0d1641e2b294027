"""Makes the pictures of `record.md`: runs the demo in a folder of its own, and opens MLflow's pages on its record.

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
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        shutil.copytree(NOTEBOOKS, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".stagebook"))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
        command = [sys.executable, "-m", "stagebook", "run", "flights.ipynb", "--promote"]
        subprocess.run(command, cwd=folder, env=environment, check=True)
        with server(Path(folder, ".stagebook", "mlflow.db")) as url:
            take(url)


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
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name, (place, told) in pages.items():
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(f"{url}/#/{place}")
            page.get_by_text(told).first.wait_for(timeout=1000 * PATIENCE)
            if name != "timeline":  # it is in front of the rest
                _close_assistant(page)
            page.wait_for_timeout(2000)
            page.screenshot(path=HERE / f"{name}.png")
            print(HERE / f"{name}.png")
        browser.close()


def _close_assistant(page: Any) -> None:
    """Close what MLflow opens beside its pages."""
    if page.get_by_text("MLflow Assistant").count():
        page.get_by_label("Close").last.click()


if __name__ == "__main__":
    main()
