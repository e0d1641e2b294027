"""A notebook worked on by hand: its cells run one by one in a real kernel, as a front end has them run."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel


@dataclass
class Answer:
    """What came of a cell."""

    status: str = "ok"
    text: str = ""
    data: list[dict] = field(default_factory=list)

    @property
    def line(self) -> str:
        """The last line that was printed."""
        return self.text.rstrip().rpartition("\n")[2]


class ByHand:
    """A kernel that belongs to a notebook.

    Args:
        notebook: the notebook's file.
    """

    def __init__(self, notebook: Path) -> None:
        environment = {**os.environ, "JPY_SESSION_NAME": str(notebook)}
        self._manager, self._client = start_new_kernel(cwd=str(notebook.parent), env=environment)

    def close(self) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)

    def run(self, source: str, cell_id: str | None = None) -> Answer:
        """Run a cell and gather what it puts out."""
        answer = Answer()

        def note(message):
            content = message["content"]
            if message["msg_type"] == "stream":
                answer.text += content["text"]
            elif message["msg_type"] in ("display_data", "execute_result"):
                answer.data.append(content["data"])
            elif message["msg_type"] == "error":
                answer.text += re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(content["traceback"])) + "\n"

        session = self._client.session
        metadata = {"cellId": cell_id} if cell_id else {}
        asked = {"code": source, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        sent = session.msg("execute_request", {**asked, "user_expressions": {}}, metadata=metadata)
        self._client.shell_channel.send(sent)
        while True:
            message = self._client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") != sent["header"]["msg_id"]:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                break
            note(message)
        while (reply := self._client.get_shell_msg(timeout=60))["parent_header"].get("msg_id") != sent["header"][
            "msg_id"
        ]:
            pass  # a reply to what was asked when the kernel started
        answer.status = reply["content"]["status"]
        return answer

    def value(self, expression: str):
        """What an expression gives, as text."""
        return self.run(f"print({expression})").text.splitlines()[0]


@pytest.fixture
def by_hand():
    """Opens kernels, which are closed again."""
    kernels = []

    def opened(notebook: Path) -> ByHand:
        kernels.append(ByHand(notebook))
        return kernels[-1]

    yield opened
    for kernel in kernels:
        kernel.close()
