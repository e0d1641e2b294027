"""The service as an ASGI application: routes, limits, and what each request is answered.

Plain ASGI: with seven routes and no dependencies to inject, a framework would cost more than the model.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from stagebook.serve.entries import Entry
from stagebook.serve.protocol import CSV, JSON, PARQUET, media_type_of, parsed, rendered, rows_in
from stagebook.serve.refusals import (
    FailedError,
    FullError,
    LargeError,
    LateError,
    MediaTypeError,
    RefusedError,
    UnauthorizedError,
)
from stagebook.serve.reloading import Current
from stagebook.serve.requestlog import RequestLog
from stagebook.serve.schema import Batch, fitted
from stagebook.serve.tables import rows_of_csv, rows_of_parquet

_log = logging.getLogger(__name__)
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_Headers = list[tuple[bytes, bytes]]

_FEW = 64
"""Rows that a quick backend answers on the spot: less than a millisecond, while a thread costs a tenth of one."""
_LONGEST_ID = 128
_PLAIN_TEXT = b"text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a service takes.

    Attributes:
        body: bytes of a request's body.
        concurrency: requests that are being answered at a time.
        patience: seconds in which a body is to come.
        token: what has to be sent to be answered; empty: nothing.
    """

    body: int = 16 << 20
    concurrency: int = 64
    patience: float = 30.0
    token: str = ""


class Service:
    """Answers requests; `current` may be exchanged at any time, and a request ends with what it began with.

    Args:
        current: what answers.
        limits: what is taken.
        log: where requests are logged; None: nowhere.
    """

    def __init__(self, current: Current, limits: Limits, log: Callable[[Any], RequestLog] | None = None) -> None:
        from stagebook.serve.metrics import Metrics

        self.in_flight = 0
        self.current = current
        self.metrics = Metrics(lambda: self.in_flight)
        self._limits = limits
        self._log = None if log is None else log(self.metrics.logged)
        self._token = f"Bearer {limits.token}".encode() if limits.token else b""
        self._threads = ThreadPoolExecutor(min(4, os.cpu_count() or 1), thread_name_prefix="stagebook-predict")
        self._started: list[Callable[[], Awaitable[None]]] = []
        self._tasks: list[asyncio.Future[None]] = []
        self._routes = {
            "/ping": ("GET", self._health),
            "/health": ("GET", self._health),
            "/version": ("GET", self._version),
            "/metrics": ("GET", self._metrics),
            "/openapi.json": ("GET", self._description),
        }
        self.change(current, "")

    def change(self, current: Current, outcome: str) -> None:
        """Answer with this from now on."""
        before, self.current = self.current, current
        package = current.package
        told = {"model": package.model, "version": package.version, "backend": package.backend}
        self.metrics.serving(package.model, package.version, package.backend)
        self.metrics.stale(bool(current.stale))
        if outcome:
            self.metrics.reloaded(outcome)
        if outcome == "done":
            _log.info("another version answers", extra={**told, "before": before.package.version})
        elif current.stale:
            _log.warning("the version may be stale", extra={**told, "cause": current.stale})
        elif before.stale:
            _log.info("the version is the one meant", extra=told)
        self._facts: _Headers = [
            (b"x-stagebook-model", f"{package.model}/{package.version}".encode("ascii", "replace"))
        ]

    def when_started(self, background: Callable[[], Awaitable[None]]) -> None:
        """Have this run beside, from the start to the end."""
        self._started.append(background)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            if scope["path"] == "/invocations":
                await self._invocations(scope, receive, send)
            else:
                await self._other(scope, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start and end. The log is flushed here: after its last request, uvicorn ends by the signal that it got."""
        await receive()
        try:
            if self._log is not None:
                self._log.start()
            self._tasks = [asyncio.ensure_future(one()) for one in self._started]
        except Exception as error:  # it is told, and nothing is served
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in self._tasks:
            task.cancel()
        self._threads.shutdown(wait=True)
        if self._log is not None:
            await asyncio.to_thread(self._log.close)
        _log.info("stopped", extra={"model": self.current.package.model, "version": self.current.package.version})
        await send({"type": "lifespan.shutdown.complete"})

    async def _other(self, scope: Scope, send: Send) -> None:
        method, answer = self._routes.get(scope["path"], ("", None))
        if answer is None:
            await _answer(send, 404, b'{"detail":"Not Found"}')
        elif scope["method"] not in (method, "HEAD"):
            await _answer(send, 405, b'{"detail":"Method Not Allowed"}', headers=[(b"allow", method.encode())])
        elif answer in (self._metrics, self._description) and not self._is_allowed(scope):
            await self._refuse(send, _UNAUTHORIZED, [])
        else:
            body, media_type, headers = answer()
            await _answer(send, 200, body, media_type, headers)

    def _health(self) -> tuple[bytes, bytes, _Headers]:
        stale = [(b"x-stagebook-stale", b"true")] if self.current.stale else []
        return b"\n", b"application/json", [*self._facts, *stale]

    def _version(self) -> tuple[bytes, bytes, _Headers]:
        from stagebook.serve.description import mlflow_version

        return mlflow_version(self.current.package).encode(), b"application/json", []

    def _metrics(self) -> tuple[bytes, bytes, _Headers]:
        return self.metrics.text(), _PLAIN_TEXT, []

    def _description(self) -> tuple[bytes, bytes, _Headers]:
        import json

        from stagebook.serve.description import description

        told = description(self.current.package, has_token=bool(self._token))
        return json.dumps(told).encode(), b"application/json", []

    def _is_allowed(self, scope: Scope) -> bool:
        if not self._token:
            return True
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        return hmac.compare_digest(given, self._token)

    async def _invocations(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Score a request, whatever comes; it is counted, and logged if it was scored."""
        began, moment = time.perf_counter(), time.time_ns()
        current, kind, length, request = self.current, "", 0, ""
        for name, value in scope["headers"]:
            if name == b"content-type":
                kind = value.decode("latin-1")
            elif name == b"content-length":
                length = int(value)
            elif name == b"x-request-id":
                request = _request_id(value)
        request = request or os.urandom(8).hex()
        headers = [*self._facts, (b"x-request-id", request.encode())]
        entry, status = None, 200
        is_full = self.in_flight >= self._limits.concurrency
        self.in_flight += 1
        try:
            if is_full:
                raise FullError("As many requests are being answered as may be. Ask again.")
            self._check(scope, length)
            body = await self._body(receive)
            batch, predictions = await self._scored(current, kind, body)
            answer = rendered(predictions)
            seconds = time.perf_counter() - began
            entry = Entry(moment // 1000, request, current.package.version, seconds, batch, predictions, len(body))
            self.metrics.answered(200, seconds, batch.count if batch else 1)
            if self._log is not None:
                self._log.add(entry)
            await _answer(send, 200, answer, b"application/json", headers)
        except RefusedError as refusal:
            status = refusal.status
            await self._refuse(send, refusal, headers)
        except Exception as error:  # a fault of ours, or of the model's: the log says which, the answer does not
            status = 500
            _log.error(
                "a request failed", extra={"request": request, "cause": type(error).__name__, "at": _place_of(error)}
            )
            await self._refuse(send, FailedError("Something went wrong: the service's log says what."), headers)
        finally:
            self.in_flight -= 1
        if status != 200:
            self.metrics.answered(status, 0.0, 0)
            _log.info("a request was refused", extra={"request": request, "status": status})

    def _check(self, scope: Scope, length: int) -> None:
        """What can be said before the body has come.

        Raises:
            RefusedError: the request is not to be scored.
        """
        if scope["method"] != "POST":
            raise _MethodError("Method Not Allowed")
        if not self._is_allowed(scope):
            raise _UNAUTHORIZED
        if length > self._limits.body:
            raise self._too_large()

    def _too_large(self) -> LargeError:
        return LargeError(f"The body is larger than {self._limits.body:,} bytes. Send fewer rows at a time.")

    async def _body(self, receive: Receive) -> bytes:
        """The body, as long as it comes in time and is not too large.

        Raises:
            RefusedError: it does not, or is.
        """
        task, late = asyncio.current_task(), False

        def give_up() -> None:
            nonlocal late
            late = True
            if task is not None:
                task.cancel()

        timer = asyncio.get_running_loop().call_later(self._limits.patience, give_up)
        parts, size = [], 0
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise LateError("The body did not come to its end.")
                part = message.get("body", b"")
                size += len(part)
                if size > self._limits.body:
                    raise self._too_large()
                parts.append(part)
                if not message.get("more_body", False):
                    return parts[0] if len(parts) == 1 else b"".join(parts)
        except asyncio.CancelledError:
            if not late:
                raise
            raise LateError("The body did not come in time.") from None
        finally:
            timer.cancel()

    async def _scored(self, current: Current, kind: str, body: bytes) -> tuple[Batch | None, Any]:
        """What was asked and what is said of it: on the spot where that takes no time, else in a thread."""
        if current.backend.quick and len(body) < _FEW << 10:
            return self._score(current, kind, body)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._score, current, kind, body)

    def _score(self, current: Current, kind: str, body: bytes) -> tuple[Batch | None, Any]:
        media_type = media_type_of(kind)
        schema = current.package.schema
        if schema is None:
            return None, current.backend.predict_message(body, kind)
        if media_type == JSON:
            rows = rows_in(parsed(body))
        elif media_type == CSV:
            rows = rows_of_csv(body)
        else:
            assert media_type == PARQUET
            rows = rows_of_parquet(body, self._limits.body)
        batch = fitted(rows, schema)
        return batch, current.backend.predict(batch)

    async def _refuse(self, send: Send, refusal: RefusedError, headers: _Headers) -> None:
        if refusal.status == 401:
            headers = [*headers, (b"www-authenticate", b"Bearer")]
        elif refusal.status == 429:
            headers = [*headers, (b"retry-after", b"1")]
        elif refusal.status in (408, 413):  # the rest of the body is not waited for
            headers = [*headers, (b"connection", b"close")]
        await _answer(send, refusal.status, refusal.body(), refusal.media_type.encode(), headers)


class _MethodError(RefusedError):
    status = 405

    def body(self) -> bytes:
        """As FastAPI says it, on which MLflow's server stands."""
        return b'{"detail":"Method Not Allowed"}'


_UNAUTHORIZED = UnauthorizedError(
    "The request needs the header `Authorization: Bearer TOKEN`, with the service's token."
)


def _request_id(value: bytes) -> str:
    """A sender's own id, if it is one that can stand in a header and a log."""
    text = value.decode("latin-1")
    fit = 0 < len(text) <= _LONGEST_ID and text.isascii() and text.replace("-", "").replace("_", "").isalnum()
    return text if fit else ""


def _place_of(error: BaseException) -> str:
    """Where in our code, or the model's, an error came from: a file's name and a line."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"  # noqa: PTH119 - of a name that may be none


async def _answer(
    send: Send, status: int, body: bytes, media_type: bytes = b"application/json", headers: _Headers | None = None
) -> None:
    told = [(b"content-type", media_type), (b"content-length", b"%d" % len(body)), *(headers or ())]
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": body})


__all__ = ["Limits", "MediaTypeError", "Service"]
