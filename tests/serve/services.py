"""Services as they are: the command in a process of its own, and requests to it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from functools import cached_property
from pathlib import Path

import pytest


class Answer:
    """What was answered."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


def asked(port, method, path, body=None, headers=None, *, connection=None):
    """Ask a server on this machine."""
    one = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        one.request(method, path, body, headers or {})
        answer = one.getresponse()
        return Answer(answer.status, dict(answer.headers.items()), answer.read())
    finally:
        if connection is None:
            one.close()


class Service:
    """`stagebook serve`, until it is stopped."""

    def __init__(self, folder, *words, **variables):
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", **variables}
        command = [sys.executable, "-m", "stagebook", "serve", "--port", "0", *words]
        self.told = Path(folder, f"told-{time.monotonic_ns()}.txt")
        with self.told.open("wb") as errors:
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
            )

    @cached_property
    def line(self):
        """Its first line, which it says once it listens; nothing if it ends before."""
        timer = threading.Timer(90, self.process.kill)
        timer.start()
        try:
            return self.process.stdout.readline()
        finally:
            timer.cancel()

    @cached_property
    def port(self):
        assert self.line, self.told.read_text(encoding="utf-8")
        return int(self.line.partition("http://127.0.0.1:")[2].partition(" ")[0])

    def ended(self):
        """What it said on standard error, once it has ended by itself."""
        self.process.wait(timeout=90)
        self.process.stdout.close()
        return self.told.read_text(encoding="utf-8")

    def ask(self, method, path, body=None, headers=None, **others):
        return asked(self.port, method, path, body, headers, **others)

    def score(self, message, **others):
        """Ask for predictions of a JSON message."""
        headers = {"content-type": "application/json", **others.pop("headers", {})}
        body = message if isinstance(message, (bytes, str)) else json.dumps(message)
        return self.ask("POST", "/invocations", body, headers, **others)

    def events(self):
        """What it has logged."""
        return [json.loads(line) for line in self.told.read_text(encoding="utf-8").splitlines()]

    def metric(self, name):
        lines = self.ask("GET", "/metrics").body.decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            _ = self.line  # before it is up, a signal would end it in another way
            self.process.send_signal(how)
        self.process.wait(timeout=40)
        self.process.stdout.close()


def until(condition, *, seconds=30):
    """Wait for something that is to come about."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    pytest.fail("it did not come about")
