"""A kernel for a stage: started, asked to run cells, asked by function call, interrupted, stopped."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import functools
import json
import os
import signal
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.errors import KernelError
from stagebook.run.files import remove_leftovers
from stagebook.run.job import CellRecord, JobCell
from stagebook.run.sockets import PREFIX, own_folder, temporary
from stagebook.run.warm.pool import NoTemplateError, Pool
from stagebook.run.widgets import STATE, shown

if TYPE_CHECKING:
    from stagebook.run.client import Client

_START_TIMEOUT = 120
_PATIENCE = 5
"""Seconds that a kernel may take to end by itself."""

_QUIET = {
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # else the debugger warns in every kernel
    "OMP_WAIT_POLICY": "passive",  # kernels side by side have more threads than there are cores: those that wait, sleep
}


def remove_old_folders() -> None:
    """Remove the folders of kernels whose runner was killed; young ones may be another container's."""
    remove_leftovers(Path(temporary()), PREFIX, age=600)


class CellFailedError(Exception):
    """A cell did not run through; `record` holds what it put out until then.

    Attributes:
        name: the exception's name, `DeadKernel`, or `Timeout`.
        message: the exception's message.
        cell: the cell.
        record: its outputs.
    """

    def __init__(self, name: str, message: str, cell: JobCell, record: CellRecord) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message
        self.cell = cell
        self.record = record


def kernel_environment() -> dict[str, str]:
    """The environment variables of a kernel."""
    return {**_QUIET, **os.environ}


@functools.cache
def _context() -> Any:
    """ZeroMQ's threads, which all kernels share."""
    import zmq.asyncio

    return zmq.asyncio.Context()


def _client(name: str) -> Client:
    """A client whose manager is to start a kernel of this name."""
    import nbformat

    from stagebook.run.client import Client, Manager

    notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    client = Client(notebook, km=Manager(kernel_name=name, context=_context()), startup_timeout=_START_TIMEOUT)
    client.reset_execution_trackers()
    return client


async def _end(client: Client) -> None:
    """End a client's kernel, if it still runs, and release what it used."""
    manager: Any = client.km
    channels: Any = client.kc
    with contextlib.suppress(Exception):
        await manager.shutdown_kernel(now=True)
    with contextlib.suppress(Exception):
        channels.stop_channels()
    with contextlib.suppress(Exception):
        await manager.cleanup_resources()


class Kernel:
    """One running kernel. All methods belong to the event loop in which it was started."""

    def __init__(self, client: Client, folder: tempfile.TemporaryDirectory[str] | None) -> None:
        self._client = client
        self._manager: Any = client.km
        self._channels: Any = client.kc
        self._interrupted = False
        self._folder = folder
        self._index = 0

    @classmethod
    async def start(cls, name: str, *, folder: str, pool: Pool | None = None) -> Kernel:
        """A fresh kernel with `folder` as its working directory.

        Args:
            name: the kernel's name.
            folder: its working directory.
            pool: kernels of this name and folder that are there already; without one, or if it has none, an ordinary
                kernel is started.

        Raises:
            KernelError: it did not come up.
        """
        if pool is not None:
            with contextlib.suppress(NoTemplateError):
                return await cls.fork(name, folder=folder, pool=pool)
        own = own_folder()  # connection, log; `stop` removes it
        client = _client(name)
        manager: Any = client.km
        if os.name == "posix":
            manager.transport = "ipc"
            manager.connection_file = str(Path(own.name, "kernel.json"))
        log = Path(own.name, "log")
        try:
            with log.open("wb") as stream:
                environment = kernel_environment()
                await client.async_start_new_kernel(cwd=folder, env=environment, stdout=stream, stderr=stream)
            await client.connect()
        except Exception as error:  # jupyter_client lets anything through here that the operating system raised
            said = log.read_text(errors="replace").strip().splitlines()
            await _end(client)
            own.cleanup()
            raise KernelError(f"The kernel `{name}` did not start: {said[-1] if said else error}.") from error
        return cls(client, own)

    @classmethod
    async def fork(cls, name: str, *, folder: str, pool: Pool) -> Kernel:
        """A kernel from the pool, which is of this name and folder.

        Raises:
            NoTemplateError: there is none.
        """
        from stagebook.run.warm.provisioner import WarmProvisioner

        client = _client(name)
        manager: Any = client.km
        identity = uuid.uuid4().hex
        manager.provisioner = WarmProvisioner(kernel_id=identity, kernel_spec=manager.kernel_spec, parent=manager)
        manager.provisioner.pool = pool
        try:
            await client.async_start_new_kernel(cwd=folder)
            await client.connect()
        except RuntimeError as error:
            await _end(client)
            raise NoTemplateError from error
        return cls(client, None)

    async def run(
        self, cell: JobCell, *, deadline: float | None = None, heard: Callable[[str], None] | None = None
    ) -> CellRecord:
        """Execute a cell.

        Args:
            cell: the cell.
            deadline: when to give up, as `time.monotonic()` counts.
            heard: gets what it prints, as it comes.

        Raises:
            CellFailedError: it raised, took too long, or the kernel died.
        """
        import nbformat
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

        node = nbformat.v4.new_code_cell(cell.source)  # type: ignore[no-untyped-call]
        self._client.nb.cells.append(node)
        index, self._index = self._index, self._index + 1
        limit: Any = None if deadline is None else lambda _: max(deadline - time.monotonic(), 0.01)  # seconds, a float
        self._client.timeout_func = limit
        self._client.heard = heard
        started, clock = datetime.now(timezone.utc).isoformat(), time.perf_counter()

        def record(*, failed: bool) -> CellRecord:
            duration = round(time.perf_counter() - clock, 4)
            outputs = self._client.merged(node.outputs)
            return CellRecord(cell.code, outputs, node.execution_count, started, duration, failed, cell.number)

        if self._interrupted:
            raise CellFailedError("KeyboardInterrupt", "", cell, record(failed=True))
        try:
            await self._client.async_execute_cell(node, index)
        except CellExecutionError as error:
            raise CellFailedError(error.ename, error.evalue, cell, record(failed=True)) from error
        except CellTimeoutError as error:
            raise CellFailedError("Timeout", "it took longer than it may", cell, record(failed=True)) from error
        except DeadKernelError as error:
            if self._interrupted:
                raise CellFailedError("KeyboardInterrupt", "", cell, record(failed=True)) from error
            status = await self._exit_status()
            raise CellFailedError("DeadKernel", f"the kernel died{status}", cell, record(failed=True)) from error
        return record(failed=False)

    async def call(self, function: str, argument: str) -> str:
        """Call `module:name` in the kernel with a text, and return the text it answers with.

        Raises:
            KernelError: the function is not to be had there, raised, or the kernel died meanwhile.
        """
        module, name = function.split(":")
        expression = f"__import__({module!r}, fromlist=[{name!r}]).{name}({argument!r})"
        request = self._channels.execute("", silent=True, store_history=False, user_expressions={"answer": expression})
        reply = await self._reply(request)
        answer = reply["content"].get("user_expressions", {}).get("answer", {"ename": "KernelError", "evalue": ""})
        if answer.get("status") == "ok":
            return str(ast.literal_eval(answer["data"]["text/plain"]))
        told = str(answer["evalue"])
        if answer["ename"] == "ModuleNotFoundError" and "stagebook" in answer["evalue"]:
            name = self._manager.kernel_name
            told = f"stagebook is not installed in the environment of the kernel `{name}`. Install it there."
        raise KernelError(told, str(answer["ename"]))

    def widgets(self, cells: Iterable[CellRecord]) -> dict[str, Any]:
        """The state, as it is now, of the widget models that these cells show, by model id."""
        self._client.set_widgets_metadata()
        models = self._client.nb.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
        found: dict[str, Any] = json.loads(json.dumps(shown(models, (out for cell in cells for out in cell.outputs))))
        return found

    async def is_alive(self) -> bool:
        """Whether its process is there."""
        return bool(await self._manager.is_alive())

    async def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the cell that runs, or in the next one."""
        self._interrupted = True
        with contextlib.suppress(Exception):  # a kernel that is gone needs no interrupt
            await self._manager.interrupt_kernel()

    async def kill(self) -> None:
        """End the kernel at once; whoever waits for a cell is told that it died."""
        with contextlib.suppress(Exception):  # it may be dead already
            await self._manager.signal_kernel(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)

    async def stop(self, *, gently: bool = False) -> None:
        """End the kernel; gently, it first does what Python does at exit, for five seconds at most."""
        with contextlib.suppress(Exception):  # nothing that goes wrong here can matter to a result
            if gently:
                await self._manager.request_shutdown()
                await asyncio.wait_for(self._manager.provisioner.wait(), _PATIENCE)
        await _end(self._client)
        if self._folder is not None:
            self._folder.cleanup()

    async def _reply(self, request: str) -> dict[str, Any]:
        import queue

        while True:
            try:
                reply: dict[str, Any] = await self._channels.get_shell_msg(timeout=1)
            except (queue.Empty, asyncio.TimeoutError):
                if not await self._manager.is_alive():
                    raise KernelError(f"the kernel died{await self._exit_status()}") from None
                continue
            if reply["parent_header"].get("msg_id") == request:
                return reply

    async def _exit_status(self) -> str:
        provisioner = self._manager.provisioner
        status = await provisioner.poll() if provisioner is not None else None
        if status is None:
            return ""
        return f" (signal {-status})" if status < 0 else f" (exit status {status})"
