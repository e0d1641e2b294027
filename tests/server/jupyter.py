"""A real Jupyter server with the extension enabled as the wheel enables it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOKEN = secrets.token_hex(16)
SECRET = "s3cr3t-f0r-this-t3st"

CELLS = [
    ("parameters", "depth: int = 3  # 1..20\nhf_token = ''"),
    ("setup", "def doubled(x):\n    return 2 * x"),
    ("stage:load", "rows = [len(hf_token), 1, 2]\nprint('loaded', len(rows))"),
    ("", "%%stage train metrics=score\nscore = doubled(depth) / 10\nmodel = {'deep': depth, 'of': rows}"),
    ("", "%%stage report\nif depth > 9:\n    raise ValueError('too deep')\nprint(score, model)"),
]


@dataclass(frozen=True)
class Answer:
    """What the server answers."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()

    @property
    def facts(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)


@dataclass
class JupyterServer:
    """A Jupyter server, which can be stopped and started anew."""

    root: Path
    settings: Path
    port: int
    process: Any = field(default=None)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/base"

    def start(self) -> None:
        """Return once it answers."""
        own = {f"JUPYTER_{name}_DIR": str(self.settings / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
        shutil.copytree(
            ROOT / "jupyter-config/server-config",
            self.settings / "config/jupyter_server_config.d",
            dirs_exist_ok=True,
        )
        others = dict.fromkeys(
            ("jupyterlab", "notebook", "notebook_shim", "jupyter_lsp", "jupyter_server_terminals"), False
        )
        config = {"ServerApp": {"jpserver_extensions": others}}  # they take seconds to load
        (self.settings / "config/jupyter_server_config.json").write_text(json.dumps(config))
        command = [sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser", "--ip=127.0.0.1"]
        command += [f"--port={self.port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={self.root}"]
        command += [f"--IdentityProvider.token={TOKEN}", "--ServerApp.base_url=/base/"]
        with (self.settings / "server.log").open("a") as log:
            environment = os.environ | own | {"MLFLOW_TRACKING_URI": ""}
            self.process = subprocess.Popen(command, cwd=self.root, env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.ask("GET", "exporters").status == 200:
                    return
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        pytest.fail(f"the server did not start:\n{self.log()[-3000:]}")

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=20)

    def log(self) -> str:
        """What it has logged."""
        return (self.settings / "server.log").read_text()

    def ask(
        self, method: str, route: str, body: Any = None, *, headers: dict[str, str] | None = None, **query: Any
    ) -> Answer:
        """What it answers on a route of ours, or at a path; with its token, if no other headers are given."""
        words = urllib.parse.urlencode(query, doseq=True)
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Authorization": f"token {TOKEN}"} if headers is None else headers
        place = route if route.startswith("/") else f"/stagebook/api/{route}"
        request = urllib.request.Request(f"{self.url}{place}?{words}", content, given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                cookies = tuple(answer.headers.get_all("Set-Cookie", ()))
                return Answer(answer.status, dict(answer.headers), answer.read(), cookies)
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read())

    def get(self, route: str, **query: Any) -> Any:
        """What it answers to one who may ask, and is in order."""
        answer = self.ask("GET", route, **query)
        assert answer.status == 200, answer.body
        return answer.facts

    def post(self, route: str, body: Any, *, status: int = 200) -> Any:
        """Likewise."""
        answer = self.ask("POST", route, body)
        assert answer.status == status, answer.body
        return answer.facts

    def follow(self, job: str, *, path: str, after: int = 0) -> list[tuple[int | None, dict[str, Any]]]:
        """All that is told of a job until its end, each with its number; the end has none."""
        headers = {"Authorization": f"token {TOKEN}", "Last-Event-ID": str(after)}
        told = self.ask("GET", f"jobs/{job}/events", headers=headers, path=path).body.decode()
        found: list[tuple[int | None, dict[str, Any]]] = []
        for block in told.strip().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            if "data" in fields:
                found.append((int(fields["id"]) if "id" in fields else None, json.loads(fields["data"])))
        return found

    def run(self, path: str, **asked: Any) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
        """Start a run and follow it: the job, its events, how it ended."""
        job = self.post("jobs", {"path": path, "verb": "run", "track": False, **asked}, status=201)
        *events, (_, end) = self.follow(job["job"], path=path)
        return job, [event for _, event in events], end


@contextmanager
def serving(folder: Path) -> Iterator[JupyterServer]:
    """A server, gone afterwards."""
    root, settings = folder / "root", folder / "settings"
    root.mkdir()
    settings.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = JupyterServer(root, settings, port)
    server.start()
    try:
        yield server
    finally:
        server.process.terminate()
        server.process.wait(timeout=20)


@dataclass(frozen=True)
class Ran:
    """A notebook that has run twice: well, and with a stage that failed."""

    path: str
    file: Path
    done: tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]
    failed: tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]

    @property
    def document(self) -> dict[str, Any]:
        """The notebook, as the panel sends it."""
        document = json.loads(self.file.read_text())
        cells = [{name: cell[name] for name in ("id", "cell_type", "metadata", "source")} for cell in document["cells"]]
        return {**document, "cells": cells}
