"""The runner's side: a template for each kind of kernel, and forked kernels that wait to be used."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import uuid
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stagebook.run.sockets import own_folder
from stagebook.run.warm.seeds import plant

LIMIT = 60
"""Seconds after which a template that does not answer is given up."""


class NoTemplateError(Exception):
    """Kernels cannot be forked here; an ordinary one will do."""


@dataclass(slots=True)
class WarmKernel:
    """A forked kernel.

    Attributes:
        connection: what a client needs to connect, as in a connection file.
        log: the file that its process writes to.
        pid: its process, once it is ready.
        ended: its exit status, once it has ended, as `subprocess` has it.
    """

    connection: Mapping[str, Any]
    log: Path
    pid: int = 0
    ready: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    ended: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Pool:
    """Kernels forked from one template. All methods belong to one event loop.

    Args:
        python: their interpreter.
        folder: their working directory.
        imports: import statements that they have run.
        environment: their environment variables.
        spare: how many may wait to be used.

    Attributes:
        imported: those of the import statements that they have run, known as soon as one has been taken.
    """

    def __init__(
        self, python: str, folder: str, *, imports: Iterable[str], environment: Mapping[str, str], spare: int
    ) -> None:
        self._own = own_folder()
        self._waiting: deque[WarmKernel] = deque()
        self._kernels: dict[int, WarmKernel] = {}
        self._spare = spare
        self.imported: frozenset[str] = frozenset()
        self._wanted = 0
        self._count = 0
        self._is_closing = False
        self._process: int | None = None
        """A descriptor of the template's process."""
        self._writer: asyncio.StreamWriter | None = None
        self._fit: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._listening = asyncio.create_task(self._listen(python, folder, tuple(imports), environment))

    def expect(self, kernels: int) -> None:
        """So many more kernels are going to be asked for."""
        self._wanted += kernels
        self._fill()

    async def take(self) -> WarmKernel:
        """A kernel that can be connected to.

        Raises:
            NoTemplateError: there is none.
        """
        try:
            await asyncio.wait_for(asyncio.shield(self._fit), LIMIT)
            self._wanted = max(self._wanted - 1, 0)
            kernel = self._waiting.popleft() if self._waiting else self._fork()
            self._fill()
            await asyncio.wait_for(kernel.ready, LIMIT)
        except asyncio.TimeoutError:
            raise NoTemplateError from None
        return kernel

    async def close(self) -> None:
        """End the template, and the kernels that are still there."""
        self._is_closing = True
        self._kill()
        await asyncio.gather(self._listening, return_exceptions=True)
        self._own.cleanup()

    def _fill(self) -> None:
        if self._fit.done() and self._writer is not None:
            while len(self._waiting) < min(self._spare, self._wanted):
                self._waiting.append(self._fork())

    def _fork(self) -> WarmKernel:
        self._count += 1
        file, log = (Path(self._own.name, f"{self._count}.{kind}") for kind in ("json", "log"))
        connection = _connection(file)
        file.write_text(json.dumps(connection), encoding="utf-8")
        kernel = self._kernels[self._count] = WarmKernel(connection, log)
        log.touch(mode=0o600)
        self._ask(fork=self._count, connection=str(file), log=str(log))
        return kernel

    def _ask(self, **request: Any) -> None:
        if self._writer is None:
            raise NoTemplateError
        self._writer.write(json.dumps(request).encode() + b"\n")

    async def _listen(self, python: str, folder: str, imports: tuple[str, ...], environment: Mapping[str, str]) -> None:
        """Have the template made and take in what it tells, until it has ended."""
        ours, its = socket.socketpair()
        log = str(Path(self._own.name, "template.log"))
        try:
            with its:
                await asyncio.to_thread(
                    plant, python, its, folder=folder, imports=imports, environment=environment, log=log
                )
            reader, self._writer = await asyncio.open_unix_connection(sock=ours)
            while line := await reader.readline():
                self._take_in(json.loads(line))
        except OSError:  # its folder, say, cannot be entered
            ours.close()
        finally:
            self._give_up()

    def _kill(self) -> None:
        """End the template, which has nothing to put in order; its kernels end with it."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._process, signal.SIGKILL)

    def _take_in(self, answer: Mapping[str, Any]) -> None:
        if "template" in answer:
            if self._process is None:  # else it has begun anew
                self._process = os.pidfd_open(answer["template"])
            if self._is_closing:
                self._kill()
        elif "fit" in answer:
            self.imported = frozenset(answer["imports"])
            self._fit.set_result(None)
            self._fill()
        elif "ready" in answer:
            kernel = self._kernels[answer["ready"]]
            kernel.pid = answer["pid"]
            kernel.ready.set_result(None)
        elif "ended" in answer:
            kernel = self._kernels.pop(answer["ended"])
            kernel.ended.set_result(answer["status"])
            _fail(kernel.ready)

    def _give_up(self) -> None:
        """The template has ended, and its kernels with it."""
        if self._process is not None:
            os.close(self._process)
            self._process = None
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        _fail(self._fit)
        for kernel in self._kernels.values():
            _fail(kernel.ready)
            if not kernel.ended.done():
                kernel.ended.set_result(-9)
        self._waiting.clear()


def _fail(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(NoTemplateError())
        future.exception()  # nobody may be waiting for it


def _connection(file: Path) -> dict[str, Any]:
    """What a connection file holds: Unix sockets beside it, and a key of its own."""
    return {
        "transport": "ipc",
        "ip": str(file.with_suffix("")),
        **{f"{channel}_port": number for number, channel in enumerate(_CHANNELS, start=1)},
        "key": uuid.uuid4().hex,
        "signature_scheme": "hmac-sha256",
        "kernel_name": "",
    }


_CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
