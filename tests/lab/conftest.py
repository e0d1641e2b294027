"""Real JupyterLab and Notebook servers with the extension of this tree, seen through Debian's Chromium."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import chromium

PATIENCE = 30_000
"""Milliseconds that a page may take to show what is expected of it, on a machine that has other work."""
ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "magics/stagebook/labextension"


@dataclass(frozen=True)
class Server:
    """A Jupyter server: where it listens, and the folder that it serves."""

    face: str
    url: str
    token: str
    folder: Path
    settings: Path

    def set(self, package: str, plugin: str, values: dict[str, Any]) -> None:
        """Change a plug-in's settings; pages opened from now on have them."""
        file = self.settings / package / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))

    def serve(self, name: str) -> str:
        """Put a fresh copy of one of `NOTEBOOKS` into the folder; its name there."""
        copy = f"{secrets.token_hex(4)}-{name}"
        (self.folder / copy).write_text(NOTEBOOKS[name])
        return copy

    def address(self, notebook: str) -> str:
        """Where `notebook` opens as the only document."""
        page = "doc/tree" if self.face == "lab" else "notebooks"
        return f"{self.url}/{page}/{notebook}?token={self.token}" + ("&reset" if self.face == "lab" else "")


@pytest.fixture(scope="session")
def built_extension() -> Path:
    if not (OUTPUT / "package.json").exists():
        pytest.skip("the Lab extension is not built: run `pip install -e .`, or `jlpm && jlpm build` in extension/")
    sources = [file for folder in ("src", "style", "schema") for file in (ROOT / "extension" / folder).rglob("*.*")]
    sources += (ROOT / "magics/stagebook/widgets/static").glob("*.*")
    shipped = [file for file in sources if "__tests__" not in file.parts]
    if max(file.stat().st_mtime for file in shipped) > (OUTPUT / "package.json").stat().st_mtime:
        pytest.fail("the Lab extension is older than its sources: run `jlpm build` in extension/")
    return OUTPUT


def code(source: str, *tags: str) -> dict[str, Any]:
    """A code cell with these tags."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": secrets.token_hex(4),
        "metadata": {"tags": list(tags)} if tags else {},
        "outputs": [],
        "source": source,
    }


def prose(source: str) -> dict[str, Any]:
    """A Markdown cell."""
    return {"cell_type": "markdown", "id": secrets.token_hex(4), "metadata": {}, "source": source}


# Not what the kernel calls itself, so that one can see it has arrived.
KERNEL_AS_SAVED = "Python"


def book(*cells: dict[str, Any]) -> str:
    """A notebook's text; it names its kernel, so that nobody is asked for one."""
    kernel = {"kernelspec": {"display_name": KERNEL_AS_SAVED, "language": "python", "name": "python3"}}
    return json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})


WIDGETS = """
from pathlib import Path
from stagebook.widgets.form import parameter_form
from stagebook.widgets.pipeline import pipeline_view
from stagebook.widgets.runs import runs_table
from stagebook.widgets.showing import show
book = Path("staged-plainly.ipynb")
view = pipeline_view(book, shell=get_ipython(), track=False)
show(view)
"""

NOTEBOOKS = {
    "staged.ipynb": book(
        prose("# Flights"),
        code("threshold = 10", "parameters"),
        code("import pandas as pd", "setup"),
        code("df = pd.DataFrame({'delay': [3, 12, 40]})", "stage:load"),
        code("df.describe()"),
        code("\n%%stage clean retries=2\nlate = df[df.delay > threshold]"),
        code("late = late.reset_index()", "stage:clean"),
        code("assert len(late) == 2", "test:clean"),
        code("oops = 1", "stage:load", "stage:clean"),
    ),
    "staged-plainly.ipynb": book(
        code("depth: int = 3  # 1..20\nname = 'trees'", "parameters"),
        code("rows = [1, 2, 3]", "stage:load"),
        code("%%stage train metrics=score\nscore = depth / 10 + len(rows)"),
        code("print(score)", "stage:report"),
    ),
    "live.ipynb": book(
        code(WIDGETS),
        code("form = parameter_form(book, track=False)\nshow(form)"),
        code("show(runs_table(book))"),
        code("score"),
    ),
    "story.ipynb": book(
        code("depth: int = 3  # 1..20", "parameters"),
        code("rows = list(range(3))"),  # not as above: what another notebook has kept would be reused
        code("score = depth / 10 + len(rows)"),
        code("print('the score is', score)"),
    ),
    "plain.ipynb": book(prose("# Notes"), code("x = 1", "hide-input"), code("x + 1")),
    "long.ipynb": book(*(code(f"x{n} = {n}\ny{n} = x{n} + 1", f"stage:s{n // 2}") for n in range(80))),
}


@contextlib.contextmanager
def running(face: str, folder: Path, extension: Path) -> Iterator[Server]:
    """A server that knows nothing of the user's own settings, and is gone afterwards."""
    served = folder / "served"
    served.mkdir()
    extensions = folder / "labextensions"
    extensions.mkdir()
    (extensions / "stagebook").symlink_to(extension)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(face, f"http://127.0.0.1:{port}", secrets.token_hex(16), served, folder / "settings")
    # Asks for no news: a question on the screen, and a look at the network.
    server.set("@jupyterlab/apputils-extension", "notification", {"checkForUpdates": False, "fetchNews": "false"})
    config = folder / "config"
    config.mkdir()
    enabled = {"ServerApp": {"jpserver_extensions": {"stagebook.lab": True}}}
    (config / "jupyter_server_config.json").write_text(json.dumps(enabled))
    own = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
    own |= {"JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "IPYTHONDIR": "ipython"}
    environment = os.environ | {name: str(folder / where) for name, where in own.items()}
    command = [sys.executable, "-m", {"lab": "jupyterlab", "notebook": "notebook"}[face]]
    command += [
        "--allow-root",
        "--no-browser",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={served}",
        f"--IdentityProvider.token={server.token}",
        f"--LabServerApp.extra_labextensions_path={extensions}",
        # So that a test can reach the notebook's model.
        f"--{'LabApp' if face == 'lab' else 'JupyterNotebookApp'}.expose_app_in_browser=True",
    ]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, cwd=served, env=environment, stdout=log, stderr=log)
        try:
            wait_until_up(process, server, log=folder / "server.log")
            yield server
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:  # a worker thread of AnyIO's that has nothing to do can keep Jupyter
                process.kill()
                process.wait(timeout=10)


def wait_until_up(process: subprocess.Popen[bytes], server: Server, *, log: Path) -> None:
    """Return once the server answers; it starts in seconds."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{server.url}/api/status?token={server.token}", timeout=5).close()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"jupyter {server.face} did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """One Chromium for all modules of this folder: none of them has an event loop of its own."""
    from playwright.sync_api import expect

    expect.set_options(timeout=PATIENCE)
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def lab(browser: Any, built_extension: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running("lab", tmp_path_factory.mktemp("lab"), built_extension) as server:
        yield server


@pytest.fixture(scope="package")
def notebook_server(browser: Any, built_extension: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running("notebook", tmp_path_factory.mktemp("notebook"), built_extension) as server:
        yield server


@dataclass(frozen=True)
class OpenNotebook:
    """A notebook on the screen."""

    page: Any
    errors: list[str]

    def expect(self, locator: Any) -> Any:
        """Playwright's `expect`, which waits."""
        from playwright.sync_api import expect

        return expect(locator)

    def expect_chips(self, texts: list[str | None]) -> None:
        """Wait until the cells' chips read `texts`; None is a cell without one."""
        read = "[...document.querySelectorAll('.jp-Notebook .jp-Cell')]"
        read += ".map(cell => cell.querySelector('.stagebook-Chip-label')?.textContent ?? null)"
        same = f"texts => JSON.stringify({read}) === texts"
        try:
            self.page.wait_for_function(same, arg=compact(texts), timeout=10_000)
        except Exception:
            assert self.page.evaluate(read) == texts
            raise

    def wait_for_kernel(self) -> None:
        """Wait until the kernel has written its language and name into the notebook: undo would take these back.

        By then Lab has also emptied the undo history, which it does a while after it has shown the cells.
        """
        metadata = "jupyterapp.shell.currentWidget.content.model.getMetadata"
        language = f"{metadata}('language_info').version"
        self.page.wait_for_function(f"{language} && {metadata}('kernelspec').display_name !== '{KERNEL_AS_SAVED}'")

    def inside_its_cell(self, cell: int) -> bool:
        """Whether a cell's chip lies within the cell's own box, where nothing clips it."""
        boxes = "chip => [chip, chip.closest('.jp-Cell')].map(node => node.getBoundingClientRect())"
        inside = "inner.top >= outer.top && inner.bottom <= outer.bottom && inner.right <= outer.right"
        return bool(self.chip(cell).evaluate(f"chip => {{ const [inner, outer] = ({boxes})(chip); return {inside}; }}"))

    def our_errors(self) -> list[str]:
        """Those of the page's errors that speak of this extension (Notebook has errors of its own)."""
        return [error for error in self.errors if re.search("stagebook", error, re.IGNORECASE)]

    def chip(self, cell: int) -> Any:
        """The label of a cell's chip, counting all cells from 0."""
        return self.page.locator(f".jp-Cell[data-windowed-list-index='{cell}'] .stagebook-Chip-label")

    def state(self, cell: int) -> Any:
        """What a cell's chip says of how its stage stands."""
        return self.page.locator(f".jp-Cell[data-windowed-list-index='{cell}'] .stagebook-Chip-state")

    def model(self, script: str) -> Any:
        """What `script` returns, where `notebook` is the notebook's widget and `cells` its model's cells."""
        names = "const notebook = jupyterapp.shell.currentWidget.content; const cells = notebook.model.cells;"
        return self.page.evaluate(f"async () => {{ {names} {script} }}")

    def setting(self, plugin: str, name: str, value: Any) -> None:
        """Change a plug-in's setting, as the settings editor does: pages that are open have it at once."""
        self.page.evaluate(
            """async ([plugin, name, value]) => {
              const tokens = [...jupyterapp.pluginRegistry._services.keys()];
              const token = tokens.find(one => one.name === '@jupyterlab/coreutils:ISettingRegistry');
              const registry = await jupyterapp.resolveRequiredService(token);
              await registry.set(plugin, name, value);
            }""",
            [plugin, name, value],
        )

    def command(self, name: str, *, cell: int) -> None:
        """Run a notebook command on a cell."""
        run = f"await jupyterapp.commands.execute('notebook:{name}');"
        self.model(f"notebook.deselectAll(); notebook.activeCellIndex = {cell}; {run}")


@pytest.fixture(scope="package")
def context(browser: Any) -> Iterator[Any]:
    """One browser profile, so that Lab's own files are fetched once."""
    context = browser.new_context(viewport={"width": 1100, "height": 800})
    yield context
    context.close()


def opened(page: Any, server: Server, name: str) -> OpenNotebook:
    """A page of its own with one of `NOTEBOOKS`, its cells there."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(f"{error}\n{error.stack}"))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(server.address(server.serve(name)))
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=40_000)
    count = len(json.loads(NOTEBOOKS[name])["cells"])
    page.wait_for_function(f"jupyterapp.shell.currentWidget?.content?.model?.cells.length === {count}")
    return OpenNotebook(page, errors)


@pytest.fixture
def open_notebook(context: Any) -> Iterator[Callable[..., OpenNotebook]]:
    """A function that opens a notebook in a page of its own."""
    pages = []

    def open_(server: Server, name: str, *, windowing: str = "contentVisibility") -> OpenNotebook:
        server.set("@jupyterlab/notebook-extension", "tracker", {"windowingMode": windowing})
        page = context.new_page()
        pages.append(page)
        return opened(page, server, name)

    yield open_
    for page in pages:
        page.evaluate("jupyterapp.serviceManager.sessions.shutdownAll()")
        page.close()


@pytest.fixture(scope="package")
def shared_page(context: Any, lab: Server) -> Iterator[OpenNotebook]:
    """A Lab that several tests open their notebooks in, as starting one takes longer than they do."""
    page = context.new_page()
    yield opened(page, lab, "plain.ipynb")
    page.close()


def replaced(shared: OpenNotebook, server: Server, name: str) -> OpenNotebook:
    """A fresh copy of one of `NOTEBOOKS` as the only document of a page that is there already."""
    copy = server.serve(name)
    shared.page.evaluate(
        """async name => {
          const before = jupyterapp.shell.currentWidget;
          const panel = await jupyterapp.commands.execute('docmanager:open', { path: name, factory: 'Notebook' });
          await panel.context.ready;
          void before.context.sessionContext.shutdown();
          before.dispose();
        }""",
        copy,
    )
    shared.page.wait_for_function(f"jupyterapp.shell.currentWidget?.context?.path === '{copy}'")
    return shared


@pytest.fixture
def staged(shared_page: OpenNotebook, lab: Server) -> OpenNotebook:
    """The staged notebook, fresh, as the only document in Lab."""
    return replaced(shared_page, lab, "staged.ipynb")


def compact(value: Any) -> str:
    """JSON as JavaScript writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
