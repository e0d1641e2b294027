"""For all tests."""

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
# Nothing of the browser's own may go looking for the network.
QUIET += ["--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"]

# Several kernels and workers share the cores: threads that wait for work are to sleep, as in the kernels of a run.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as of what a shell has started with &
    signal.signal(signal.SIGINT, signal.default_int_handler)

collect_ignore_glob = ["*.ipynb", "golden/*"]
"""Those below this folder are what tests look at: nbval has nothing to run there, and an export's tests are its own."""

_TOGETHER = ("tests/lab", "tests/image", "tests/flows")
_LONGEST = (
    "tests/lab",
    "notebooks/monitoring.ipynb",
    "notebooks/flights.ipynb",
    "tests/export/test_github_workflows.py",
    "tests/image",
    "tests/flows",
    "tests/track/test_models.py",
    "tests/differential/test_hazards.py",
    "tests/differential/test_torch.py",
    "notebooks/tutorial.ipynb",
    "notebooks/sweep.ipynb",
    "notebooks/export.ipynb",
    "notebooks/weekly-reports.ipynb",
    "tests/run/test_secrets.py",
    "tests/run/test_killing.py",
    "tests/track/test_away.py",
    "tests/track/test_scorer.py",
    "tests/live/test_cache.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long first: else one of several processes is at the last of it while the others are done."""
    order = {group: position for position, group in enumerate(_LONGEST)}
    items.sort(key=lambda item: order.get(_group(item.nodeid), len(order)))
    for item in items:
        if item.path.suffix == ".ipynb":  # a cell that trains, packs and serves takes its time beside other tests
            item.add_marker(pytest.mark.timeout(900))


def _group(nodeid: str) -> str:
    """What one process runs as a whole: a file; or a folder that shares a server and a browser, or images."""
    file = nodeid.partition("::")[0]
    return next((folder for folder in _TOGETHER if file.startswith(f"{folder}/")), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """How several processes share the tests."""
    from xdist.scheduler import LoadFileScheduling

    class ByGroup(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid)

    return ByGroup(config, log)


@pytest.fixture(scope="session", autouse=True)
def key_file() -> Iterator[Path]:
    """A key of the tests' own, which kernels and commands inherit: the user's is left alone."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "key"
        patch.setenv("STAGEBOOK_KEY_FILE", str(path))
        yield path


@pytest.fixture(scope="session")
def ipython() -> Any:
    """An IPython in which the magics are loaded, the process's one and only."""
    from IPython.testing.globalipapp import start_ipython

    shell = start_ipython()
    shell.run_line_magic("load_ext", "stagebook")
    return shell


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """A Chromium; without one, tests that ask for it are skipped."""
    api = pytest.importorskip("playwright.sync_api", reason="install it with `pip install 'stagebook[test]'`")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on PATH: install it with `apt-get install -y chromium`")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium, one per module: while it runs, so does Playwright's event loop, in the way of other modules' own."""
    with chromium() as browser:
        yield browser
