"""nbclient, which also tells which outputs have a display id, and what is to replace those of other kernels' cells."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import zmq
from jupyter_client.channels import AsyncZMQSocketChannel  # noqa: TID253 - imported where a kernel is started
from jupyter_client.kernelspec import KernelSpec  # noqa: TID253 - imported where a kernel is started
from jupyter_client.manager import AsyncKernelManager  # noqa: TID253 - as above
from nbclient import NotebookClient  # noqa: TID253 - as above

from stagebook.run.kernelspecs import described

DISPLAY = "transient"
"""Key of an output that holds its display id, as in messages; a notebook has no place for it."""
UPDATE = "update_display_data"
"""Type of what stands among a cell's outputs and is none: what is to be shown where a display id was used before."""

_SOON = 0.02
"""Seconds in which what was published with a reply comes, or never, since the kernel did not know of its reader yet."""


class Manager(AsyncKernelManager):
    """Starts a kernel; the kernel's description is looked up without IPython, which jupyter_client imports for that."""

    @property
    def kernel_spec(self) -> KernelSpec | None:
        """The kernel's description."""
        if self._kernel_spec is None:
            known = described(self.kernel_name)
            if known is None:
                return super().kernel_spec
            self._kernel_spec = KernelSpec(**known)
        return self._kernel_spec


class Channel(AsyncZMQSocketChannel):
    """A channel on which one may send while another waits for a message, as nbclient does for widgets of outputs."""

    def send(self, msg: dict[str, Any]) -> None:
        """Send a message.

        ZeroMQ tells once that something has come, and sending takes note of that: the one who waits must be told.
        """
        super().send(msg)
        if self.socket is not None:
            self.socket.get(zmq.EVENTS)


class Client(NotebookClient):
    """Runs cells and collects their outputs."""

    heard: Callable[[str], None] | None = None
    """Gets what the cell that runs prints, as it comes."""

    async def connect(self) -> Any:
        """Connect to the kernel as soon as it answers on both channels that results come by.

        jupyter_client's `wait_for_ready` waits a fifth of a second for each message that has not come yet.

        Raises:
            RuntimeError: it died, or did not answer in time.
        """
        manager: Any = self.km
        self.kc = manager.client(shell_channel_class=Channel)
        self.kc.start_channels(hb=False)
        self.kc.allow_stdin = False
        deadline = time.monotonic() + self.startup_timeout
        shell, published = self.kc.shell_channel, self.kc.iopub_channel
        while True:
            self.kc.kernel_info()
            try:
                reply = await shell.get_msg(timeout=1)
                if reply["msg_type"] == "kernel_info_reply":
                    await published.get_msg(timeout=_SOON)
                    return self.kc
            except queue.Empty:
                pass
            if not await manager.is_alive():
                raise RuntimeError("it died as it started")
            if time.monotonic() > deadline:
                raise RuntimeError(f"it did not answer in {self.startup_timeout} seconds")

    async def async_execute_cell(self, cell: Any, cell_index: int, *arguments: Any, **options: Any) -> Any:
        """Run a cell. nbclient merges its streams, which takes long, only if they move as on a terminal."""
        self.coalesce_streams = False
        return await super().async_execute_cell(cell, cell_index, *arguments, **options)

    def merged(self, outputs: list[Any]) -> list[Any]:
        """The outputs of the cell that was run last, with one text for each stream."""
        if self.coalesce_streams:  # nbclient has done it
            return list(outputs)
        found: list[Any] = []
        texts: dict[str, list[str]] = {}
        for output in outputs:
            if output["output_type"] != "stream":
                found.append(output)
            elif output["name"] in texts:
                texts[output["name"]].append(output["text"])
            else:
                texts[output["name"]] = [output["text"]]
                found.append(output)
        for output in found:
            if output["output_type"] == "stream":
                output["text"] = "".join(texts[output["name"]])
        for position, (first, second) in enumerate(pairwise(found)):
            if (first.get("name"), second.get("name")) == ("stderr", "stdout"):  # they come in any order
                found[position : position + 2] = [second, first]
        return found

    def output(self, outs: list[Any], msg: dict[str, Any], display_id: str | None, cell_index: int) -> Any:
        """Add an output, with its display id."""
        out = super().output(outs, msg, display_id, cell_index)
        if msg["msg_type"] == "stream":
            text = msg["content"]["text"]
            if any(move in text for move in "\r\b"):
                self.coalesce_streams = True
            if self.heard is not None:
                self.heard(text)
        if out is not None and display_id:
            out[DISPLAY] = {"display_id": display_id}
        return out

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Take in a message; an update of a display that none of this kernel's cells has is kept with the cell."""
        import nbformat

        content = msg["content"]
        display_id = (content.get(DISPLAY) or {}).get("display_id")
        if msg["msg_type"] == UPDATE and display_id and display_id not in self._display_id_map:
            update = {"output_type": UPDATE, DISPLAY: {"display_id": display_id}}
            update |= {"data": content["data"], "metadata": content.get("metadata", {})}
            cell.outputs.append(nbformat.from_dict(update))  # type: ignore[no-untyped-call]
        return super().process_message(msg, cell, cell_index)
