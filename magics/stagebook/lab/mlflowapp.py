"""MLflow's server as an app behind a Jupyter server (entry point `mlflow.app`): no page of another site can use it.

MLflow lets a page use it by the page's address, which is known only when somebody has opened it: a hub's, a tunnel's,
Binder's. Here a page must come from where Jupyter itself was asked, which is what Jupyter wants of its own pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


def app() -> Any:
    """MLflow's own app, asked by pages of one site only."""
    from mlflow.server.fastapi_app import app as mlflow

    mlflow.add_middleware(SameSite)
    return mlflow


class SameSite:
    """Refuses what a page asks that was not served under the name that is asked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with status 403."""
        headers = dict(scope.get("headers", []))
        origin, host = headers.get(b"origin", b"").decode("latin-1"), headers.get(b"host", b"").decode("latin-1")
        if not origin or urlsplit(origin).netloc == host:
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        plain = [(b"content-type", b"text/plain; charset=utf-8")]
        await send({"type": "http.response.start", "status": 403, "headers": plain})
        await send({"type": "http.response.body", "body": f"Pages of {origin} may not use this.\n".encode()})
