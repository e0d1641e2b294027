"""MLflow's own pages behind a Jupyter server, where jupyter-server-proxy is installed.

It is found as an entry point (`jupyter_serverproxy_servers`), puts a tile into Lab's launcher, and starts MLflow when
somebody first asks for it. MLflow listens on a socket in a folder of the user's own, so that all that reaches it has
been through Jupyter's login.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stagebook.run.request import STORE
from stagebook.run.unrecorded import shown_place
from stagebook.track.place import DEFAULTS, is_recorded, tracking_uri

NAME = "mlflow"
APP = "stagebook-behind-jupyter"
"""The app's name among MLflow's entry points (`mlflow.app`)."""
_DEPTH = 2
"""Folders below the one in which Jupyter was started, in which a notebook's record is looked for."""
_PATIENCE = 120.0
"""Seconds until MLflow must answer: on a small machine it takes twenty to start."""


def mlflow_page() -> dict[str, Any]:
    """What jupyter-server-proxy is to know of MLflow's pages."""
    return {
        "command": mlflow_command,
        "environment": {**DEFAULTS, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        "timeout": _PATIENCE,
        "unix_socket": True,
        "launcher_entry": {  # among the notebooks, as Lab shows icons of others only there
            "enabled": sys.platform != "win32",
            "title": "MLflow",
            "icon_path": str(Path(__file__).with_name("mlflow.svg")),
        },
    }


def mlflow_command() -> list[str]:
    """What starts MLflow, with jupyter-server-proxy's name for the socket.

    It shows what `MLFLOW_TRACKING_URI` names, else the record that was last written to, of those in reach.

    Raises:
        tornado.web.HTTPError: there is nothing to show; it says what to do.
    """
    from tornado.web import HTTPError

    home = next(iter(homes_below(Path.cwd())), Path.cwd() / STORE)
    uri = tracking_uri(home)
    if uri.startswith("http"):
        raise HTTPError(404, "Runs are recorded by the server at %s: open its own page.", shown_place())
    if not is_recorded(home):
        raise HTTPError(404, "No run is recorded in %s yet. Run a pipeline, then load this page again.", Path.cwd())
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--backend-store-uri",
        uri.replace("{", "{{").replace("}", "}}"),
    ]
    command += ["--workers", "1", "--uvicorn-opts", "--uds '{unix_socket}'"]
    # Under which name and from which page Jupyter is asked, MLflow cannot know: the app judges that.
    return [*command, "--app-name", APP, "--allowed-hosts", "*", "--cors-allowed-origins", "*"]


def page_for(home: Path, base_url: str) -> str:
    """Where Jupyter shows what is recorded in a folder `home`; empty where it does not, or may show another record.

    Args:
        home: the folder beside the notebook in which runs are recorded.
        base_url: what the server's addresses begin with.
    """
    if sys.platform == "win32" or find_spec("jupyter_server_proxy") is None or not is_recorded(home):
        return ""
    shown = [home] if os.environ.get("MLFLOW_TRACKING_URI") else homes_below(Path.cwd())
    return f"{base_url.rstrip('/')}/{NAME}/" if [one.resolve() for one in shown] == [home.resolve()] else ""


def homes_below(folder: Path) -> list[Path]:
    """The folders with a record of runs, of notebooks in this folder or near below it, last written first."""
    records = [home / "mlflow.db" for home in _homes(folder, _DEPTH)]
    times = {record.parent: record.stat().st_mtime for record in records if record.is_file()}
    return sorted(times, key=times.__getitem__, reverse=True)


def _homes(folder: Path, depth: int) -> Iterator[Path]:
    yield folder / STORE
    if depth == 0:
        return
    try:
        below = [Path(one.path) for one in os.scandir(folder) if one.is_dir() and not one.name.startswith(".")]
    except OSError:  # not ours to read
        return
    for one in below:
        yield from _homes(one, depth - 1)
