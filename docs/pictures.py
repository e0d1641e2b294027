"""Makes the pictures of `record.md`, `drift.md` and `panel.md`.

The demo is run in a folder of its own, and MLflow's pages and JupyterLab are opened on its record; the
card is of the demo's flights.

`make pictures`; it needs what the tests need: Playwright, and a Chromium on the path.
"""

from __future__ import annotations

import os
import secrets
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
        with mlflow(Path(folder, ".stagebook", "mlflow.db")) as url:
            take(url)
        with lab(Path(folder)) as url:
            take_panel(url)


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
def mlflow(store: Path) -> Iterator[str]:
    """MLflow's own server on a store; its address."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{store}"]
    with served(command, {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}, f"http://127.0.0.1:{port}/health"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def lab(folder: Path) -> Iterator[str]:
    """JupyterLab on a folder, without anybody's settings; the demo's address in it."""
    port, token = free_port(), secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}", "--LabApp.news_url=None"]
    with tempfile.TemporaryDirectory() as own:
        news = Path(own, "@jupyterlab/apputils-extension/notification.jupyterlab-settings")
        news.parent.mkdir(parents=True)
        news.write_text('{"fetchNews": "false"}')  # nor is anybody asked for it
        folders = ("JUPYTER_CONFIG_DIR", "JUPYTERLAB_WORKSPACES_DIR", "JUPYTERLAB_SETTINGS_DIR", "IPYTHONDIR")
        environment = dict.fromkeys(folders, own)
        url = f"http://127.0.0.1:{port}"
        with served(command, environment, f"{url}/api/status?token={token}"):
            yield f"{url}/lab/tree/flights.ipynb?token={token}"


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def served(command: list[str], environment: dict[str, str], url: str) -> Iterator[None]:
    """A server, from when it answers at `url`."""
    process = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(url, timeout=2):
                    break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.3)
        yield
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


def take_panel(url: str) -> None:
    """A picture of the demo in JupyterLab, with the panel beside it, a stage chosen."""
    with browser() as one:
        page = one.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(1000 * PATIENCE)
        page.goto(url)
        page.locator(".stagebook-Chip-label").first.wait_for()
        page.get_by_role("tab", name="File Browser").click()  # which closes it
        page.get_by_role("tab", name="Pipeline").click()
        page.locator("#stagebook-panel .stage[data-stage='boosting']").click()
        page.mouse.move(600, 450)
        page.mouse.wheel(0, 1500)  # past the story, to the stages
        page.mouse.move(0, 450)  # where nothing is lit up by it
        page.wait_for_timeout(3000)
        page.screenshot(path=HERE / "panel.png")
        print(HERE / "panel.png")


def _close_assistant(page: Any) -> None:
    """Close what MLflow opens beside its pages."""
    if page.get_by_text("MLflow Assistant").count():
        page.get_by_label("Close").last.click()


if __name__ == "__main__":
    main()
