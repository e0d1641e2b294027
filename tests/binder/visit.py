"""A visit to a Lab that is started as Binder starts it; run by `trial`, in a network of its own.

python -m tests.binder.visit REPOSITORY HOME ANSWER [PICTURES]
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conftest import QUIET

TUTORIAL = "notebooks/tutorial.ipynb"
HUB = "hub.example.org"
"""What the browser calls this machine: as on Binder, a name that the server has not been told."""
MARK = "STAGEBOOK_TRIAL"
PATIENCE = 480_000
"""Milliseconds for all cells of the tutorial, beside other work."""
CELLS = "[...document.querySelectorAll('.jp-Notebook .jp-CodeCell')]"
RUN = CELLS + r".filter(cell => /\[\d+\]/.test(cell.querySelector('.jp-InputPrompt').textContent)).length"
IDLE = ".jp-Notebook-ExecutionIndicator[data-status='idle']"
ERROR = ".jp-Notebook [data-mime-type='application/vnd.jupyter.error']"


def main() -> None:
    """Visit, and write what was seen."""
    repository, home, answer, *pictures = map(Path, sys.argv[1:])
    home.mkdir()
    notebook = json.loads((repository / TUTORIAL).read_text())
    cells = sum(cell["cell_type"] == "code" for cell in notebook["cells"])
    loopback_up()
    with lab(repository, home) as (url, token, memory):
        began = time.monotonic()
        seen = look(url, token, cells, began, pictures[0] if pictures else None)
    answer.write_text(json.dumps({**seen, "megabytes at most": max(memory)}))


def loopback_up() -> None:
    """A new network has its own loopback device, which is down; elsewhere this changes nothing, or is refused."""
    ask, up = 0x8914, 1  # SIOCSIFFLAGS, IFF_UP
    with socket.socket() as any_socket, contextlib.suppress(OSError):
        import fcntl

        fcntl.ioctl(any_socket, ask, struct.pack("16sh14x", b"lo", up))


@contextlib.contextmanager
def lab(repository: Path, home: Path) -> Iterator[tuple[str, str, list[int]]]:
    """Lab as Binder starts it: its address, its token, and the megabytes that it has taken so far."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token, base = secrets.token_hex(16), "/user/visitor/"
    server = ["jupyter-lab", "--ip=0.0.0.0", f"--port={port}", "--NotebookApp.trust_xheaders=True"]
    server += [f"--NotebookApp.base_url={base}", f"--NotebookApp.token={token}"]
    if os.geteuid() == 0:  # on Binder nobody is
        server.append("--allow-root")
    environment = {"PATH": os.environ["STAGEBOOK_TRIAL_PATH"], "HOME": str(home), "LANG": "C.UTF-8", MARK: token}
    memory: list[int] = [0]
    ended = threading.Event()
    with (home / "server.log").open("w") as log:
        start = ["binder/start", *server]
        process = subprocess.Popen(start, cwd=repository, env=environment, stdout=log, stderr=log)
        watch = threading.Thread(target=weigh, args=(token, memory, ended))
        watch.start()
        try:
            yield f"http://{HUB}:{port}{base}", token, memory
        except BaseException:
            sys.stderr.write((home / "server.log").read_text()[-6000:])
            raise
        finally:
            ended.set()
            watch.join()
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
            for one in marked(token):  # what goes on without the server, as Binder's container would not
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)
            process.wait()


def weigh(token: str, memory: list[int], ended: threading.Event) -> None:
    """Note twice a second how much memory all of the visitor's processes take; what they share counts once."""
    while not ended.wait(0.5):
        kilobytes = 0
        for one in marked(token):
            with contextlib.suppress(OSError, IndexError):
                rolled = Path(f"/proc/{one}/smaps_rollup").read_text()
                kilobytes += int(rolled.split("\nPss:")[1].split()[0])
        memory.append(kilobytes // 1024)


def marked(token: str) -> list[int]:
    """The processes that the server has started, and those that they have, wherever they belong by now."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdigit() and f"{MARK}={token}".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found


def look(url: str, token: str, cells: int, began: float, pictures: Path | None) -> dict[str, Any]:
    """Open the tutorial, run all of it, open MLflow's page from the launcher."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        named = f"--host-resolver-rules=MAP {HUB} 127.0.0.1"
        browser = playwright.chromium.launch(executable_path=path, args=[*QUIET, named])
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        answered(page, url)
        page.goto(f"{url}lab/tree/{TUTORIAL}?token={token}")
        page.wait_for_function(f"{CELLS}.length === {cells}")
        page.locator(".jp-NotebookPanel .jp-Spinner").wait_for(state="detached")
        page.locator("#stagebook-panel").wait_for()
        seen: dict[str, Any] = {"seconds to the tutorial": round(time.monotonic() - began, 1)}
        picture(page, pictures, "tutorial")
        seen |= run_all(page, cells)
        seen["seconds to the last cell"] = round(time.monotonic() - began, 1)
        picture(page, pictures, "run")
        seen |= mlflow(page, pictures)
        browser.close()
    return seen


def answered(page: Any, url: str) -> None:
    """Return once the server answers."""
    deadline = time.monotonic() + PATIENCE / 1000
    while True:
        try:
            page.goto(f"{url}api", wait_until="commit")
            return
        except Exception:  # Playwright's own, whatever is in the way
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def run_all(page: Any, cells: int) -> dict[str, Any]:
    """Run all cells, as the menu does, until all are done or one has failed.

    Lab loses, now and then, what is to be run while it still connects to the kernel, also without any extension of
    ours: where nothing happens, the visitor clicks again.
    """
    from playwright.sync_api import TimeoutError as NothingHappensError

    page.locator(IDLE).first.wait_for(state="attached")
    for patience in (60_000, 60_000, PATIENCE):
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        with contextlib.suppress(NothingHappensError):
            page.wait_for_function(f"{RUN} > 0", timeout=patience)
            break
    page.wait_for_function(f"{RUN} === {cells} || document.querySelector({json.dumps(ERROR)})")
    return {"cells": cells, "cells run": page.evaluate(RUN), "errors": page.locator(ERROR).all_inner_texts()}


def mlflow(page: Any, pictures: Path | None) -> dict[str, Any]:
    """Open MLflow from its tile in the launcher: what it has recorded of the tutorial's notebook."""
    page.get_by_role("menuitem", name="File", exact=True).click()
    page.get_by_role("menuitem", name="New Launcher").click()
    asked = time.monotonic()
    with page.expect_popup() as opened:
        page.locator(".jp-LauncherCard", has_text="MLflow").click()
    shown = opened.value
    top = shown.url.partition("#")[0].rstrip("/")
    shown.goto(f"{top}/#/experiments")
    experiment = shown.get_by_role("link", name="my-model").first.get_attribute("href")
    number = re.findall(r"experiments/(\d+)", experiment or "")[0]
    shown.goto(f"{top}/#/experiments/{number}/runs")
    shown.locator("a[href*='/runs/']").first.wait_for()
    picture(shown, pictures, "mlflow")
    return {"seconds to MLflow's runs": round(time.monotonic() - asked, 1)}


def picture(page: Any, pictures: Path | None, name: str) -> None:
    """Keep what is on the screen."""
    if pictures is not None:
        page.screenshot(path=pictures / f"{name}.png")


if __name__ == "__main__":
    main()
