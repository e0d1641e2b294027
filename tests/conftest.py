"""For all tests."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Several kernels and workers share the cores: threads that wait for work are to sleep, as in the kernels of a run.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


@pytest.fixture(scope="session", autouse=True)
def key_file() -> Iterator[Path]:
    """A key of the tests' own, which kernels and commands inherit: the user's is left alone."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "key"
        patch.setenv("STAGEBOOK_KEY_FILE", str(path))
        yield path
