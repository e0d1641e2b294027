"""A server for all tests that leave it as it is, and a notebook in it that has run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.notebooks_factory import written
from tests.server.jupyter import JupyterServer, Ran, serving

CELLS = [
    ("parameters", "depth: int = 3  # 1..20\nhf_token = ''"),
    ("setup", "def doubled(x):\n    return 2 * x"),
    ("stage:load", "rows = [len(hf_token), 1, 2]\nprint('loaded', len(rows))"),
    ("", "%%stage train metrics=score\nscore = doubled(depth) / 10\nmodel = {'deep': depth, 'of': rows}"),
    ("", "%%stage report\nif depth > 9:\n    raise ValueError('too deep')\nprint(score, model)"),
]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """One for all tests that leave it as it is."""
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="session")
def ran(server: JupyterServer) -> Ran:
    """A notebook in a folder of its own."""
    (server.root / "work").mkdir()
    file = written(server.root / "work", CELLS, "flights.ipynb")
    path = "work/flights.ipynb"
    return Ran(path, file, server.run(path), server.run(path, parameters={"depth": "11"}))
