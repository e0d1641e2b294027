"""jupyter_client's way to a process: here to one that is forked already."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import Any

from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase  # noqa: TID253 - imported where a kernel is started

from stagebook.run.warm.pool import Pool, WarmKernel


class WarmProvisioner(KernelProvisionerBase):
    """Takes a kernel from a pool; the manager's connection file is not used."""

    pool: Pool | None = None
    kernel: WarmKernel | None = None

    @property
    def has_process(self) -> bool:
        """Whether there is a kernel that has not been waited for."""
        return self.kernel is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Nothing is to be prepared."""
        return {"cmd": [], **kwargs}

    async def launch_kernel(self, cmd: list[str], **_: Any) -> Any:  # noqa: ARG002 - the base class's signature
        """Take a kernel; what a client needs to connect to it.

        Raises:
            NoTemplateError: there is none.
        """
        assert self.pool is not None, "set by whoever makes it"
        self.kernel = await self.pool.take()
        connection: Any = {**self.kernel.connection, "key": self.kernel.connection["key"].encode()}
        self.connection_info = connection
        return connection

    async def poll(self) -> int | None:
        """The exit status, None as long as the kernel runs."""
        if self.kernel is None:
            return 0
        return self.kernel.ended.result() if self.kernel.ended.done() else None

    async def wait(self) -> int | None:
        """Wait for the kernel's end."""
        status = 0 if self.kernel is None else await asyncio.shield(self.kernel.ended)
        self.kernel = None
        return status

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel and the programs that it has started."""
        if self.kernel is not None and not self.kernel.ended.done():
            with suppress(ProcessLookupError):
                os.killpg(self.kernel.pid, signum)

    async def kill(self, restart: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - the base class's signature
        """End the kernel at once."""
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - as above
        """Ask the kernel to end."""
        await self.send_signal(signal.SIGTERM)

    async def cleanup(self, restart: bool = False) -> None:  # noqa: FBT001, FBT002 - as above
        """Nothing is left behind that the pool does not remove."""
