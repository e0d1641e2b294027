"""MLflow as it is: a sqlite store, a server."""

from __future__ import annotations

import pytest
from recording import record_in_this_process
from tracking_server import Server


@pytest.fixture
def recording_here(monkeypatch):
    """What is recorded is so in this process."""
    record_in_this_process(monkeypatch)


@pytest.fixture
def server(tmp_path):
    """A tracking server on a free port."""
    one = Server(tmp_path)
    one.start()
    try:
        yield one
    finally:
        one.stop()
