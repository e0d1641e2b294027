"""A service from its start to its end: a socket is opened, what answers found, and uvicorn runs until told to stop."""

from __future__ import annotations

import errno
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stagebook.errors import UsageError, did_you_mean
from stagebook.run.files import writable_folder
from stagebook.serve.app import Limits, Service
from stagebook.serve.logs import log_as_json
from stagebook.serve.reloading import Current, first, follow, sealed
from stagebook.serve.requestlog import LogSettings, RequestLog
from stagebook.serve.versions import Reference, is_asked_directly, shown_address

if TYPE_CHECKING:
    import uvicorn

_VARIABLES = {
    "OMP_WAIT_POLICY": "passive",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""So that threads between requests sleep, not spin; that memory goes back when the log is written; nothing is told."""
_SLOWLY = 60.0
"""Seconds between two looks at a registry that only MLflow can ask: each takes a process that imports it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a model is served.

    Attributes:
        registry: the registry's address; empty where it is not asked.
        reference: what is served.
        host: where to listen.
        port: 0: any that is free.
        limits: what is taken.
        log: how requests are logged; None: not at all.
        look: seconds between two looks at where the alias is.
        grace: seconds that requests have to end in, when the service is told to stop.
        sealed: a folder with the version, and its manifest's digest (see `sealing`); None where it is a registry's.
    """

    registry: str
    reference: Reference
    host: str = "127.0.0.1"
    port: int = 5000
    limits: Limits = field(default_factory=Limits)
    log: LogSettings | None = None
    look: float = 10.0
    grace: float = 30.0
    sealed: tuple[Path, str] | None = None


def serve(settings: Settings, tell: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        settings: how.
        tell: told, in a line, where it listens and what answers, once it does.

    Raises:
        StagebookError: there is nothing to serve, or it cannot be served there.
    """
    _check_no_loop()
    for name, value in _VARIABLES.items():
        os.environ.setdefault(name, value)
    signal.signal(signal.SIGTERM, _stop)  # until uvicorn takes over: a container's first process has no default
    listening = _listening(settings.host, settings.port)
    with listening:
        if settings.sealed is not None:
            current = sealed(*settings.sealed)
        else:
            current = first(settings.registry, settings.reference)
        _check_hidden(settings.log, current)
        if settings.log is not None:
            writable_folder(settings.log.folder)
        log_as_json()
        service = _service(settings, current)
        listening.listen(512)
        server = _server(service, settings)
        tell(_told(settings, current, listening.getsockname()[1]))
        for told in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises again what it got, and to stop is no failure
            signal.signal(told, lambda *_: None)
        server.run(sockets=[listening])


def _stop(*_: object) -> None:
    raise SystemExit(0)


def _check_no_loop() -> None:
    """In a notebook's kernel, a service would keep all cells waiting.

    Raises:
        UsageError: this is one.
    """
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise UsageError("A service runs until it is stopped, and this kernel with it. Start it in a terminal.")


def _service(settings: Settings, current: Current) -> Service:
    log = settings.log
    service = Service(current, settings.limits, None if log is None else lambda counted: RequestLog(log, counted))
    if settings.reference.alias:
        direct = is_asked_directly(settings.registry)
        every = settings.look if direct else max(settings.look, _SLOWLY)
        service.when_started(
            lambda: follow(
                settings.registry,
                settings.reference,
                every=every,
                current=lambda: service.current,
                changed=service.change,
            )
        )
    return service


def _server(service: Service, settings: Settings) -> uvicorn.Server:
    import uvicorn

    config = uvicorn.Config(
        service,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=int(settings.grace),
    )
    return uvicorn.Server(config)


def _listening(host: str, port: int) -> socket.socket:
    """A socket there: bound before the model is loaded, so that a port in use is known at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        cause = error.strerror or error
        is_elsewhere = error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror)
        remedy = "Name an address of this machine with --host" if is_elsewhere else "Name another --port"
        raise UsageError(f"Nothing can listen at {host}, port {port}: {cause}. {remedy}.") from error
    return made


def _check_hidden(log: LogSettings | None, current: Current) -> None:
    """Whether the columns that are not to be logged are the model's: a name with a slip would be logged."""
    if log is None:
        return
    schema = current.package.schema
    if schema is None:
        if log.hidden:
            raise UsageError("The model has no signature of plain columns, so none can be kept secret: give --no-log.")
        return
    known = [column.name for column in schema.columns]
    for name in log.hidden:
        if name not in known:
            raise UsageError(f"The model has no column `{name}` to keep secret.{did_you_mean(name, known)}")


def _told(settings: Settings, current: Current, port: int) -> str:
    package = current.package
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    log = "no request log" if settings.log is None else f"requests are logged to {settings.log.folder}"
    line = (
        f"Serving {settings.reference}, version {package.version}, at http://{host}:{port}"
        f" with {package.backend}, {package.why}; {log}."
    )
    if current.stale:
        shown = shown_address(settings.registry)
        line += f" STALE: {current.stale} It is what {shown} meant when it last answered."
    return line
