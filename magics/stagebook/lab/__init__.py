"""What a Jupyter server answers the panel in JupyterLab and Notebook; `openapi.yaml` has the routes.

`handlers` and `stream` know of HTTP. What they answer is made by plain functions beside them, of what the rooms below
compute. The server keeps nothing: who restarts it finds all as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


def _load_jupyter_server_extension(server: ServerApp) -> None:
    """Add the routes: what Jupyter Server calls, where the extension is enabled."""
    from jupyter_server.utils import url_path_join

    from stagebook.lab.handlers import ROUTES

    base = url_path_join(server.web_app.settings["base_url"], "stagebook/api")
    routes = [(f"{base}/{pattern}", handler) for pattern, handler in ROUTES]
    server.web_app.add_handlers(".*$", routes)  # type: ignore[no-untyped-call]
