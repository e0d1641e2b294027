"""A server for all tests that leave it as it is, and a notebook in it that has run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.server.answers import answers_of, ran_twice
from tests.server.jupyter import JupyterServer, Ran, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """One for all tests that leave it as it is."""
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="session")
def ran(server: JupyterServer) -> Ran:
    """A notebook that has run well, and then with a stage that failed."""
    return ran_twice(server)


@pytest.fixture(scope="session")
def answers(server: JupyterServer, ran: Ran) -> dict[str, Any]:
    """An answer of each kind."""
    return answers_of(server, ran)
