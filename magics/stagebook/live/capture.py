"""What a cell puts out, noted as it goes to the front end, and put out again when its result is served."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

_SHOWN = frozenset({"stream", "display_data", "execute_result", "error"})
_WIDGET = "application/vnd.jupyter.widget-view+json"


class Capture:
    """Listens to the messages that a kernel sends; what it sends stays as it is.

    Args:
        shell: the kernel's IPython.
    """

    def __init__(self, shell: Any) -> None:
        self._session = shell.kernel.session
        self._sent: list[Mapping[str, Any]] = []
        self._send = self._session.send
        self._session.send = self._noting

    def close(self) -> None:
        """Listen no longer."""
        self._session.send = self._send

    def begin(self) -> None:
        """A cell begins: forget what was before."""
        _flush()
        self._sent = []

    def outputs(self) -> list[dict[str, Any]]:
        """What was put out since then, as a notebook holds it."""
        import nbformat

        _flush()
        found: list[dict[str, Any]] = []
        displays: dict[str, list[dict[str, Any]]] = {}
        clear = False
        for message in self._sent:
            kind, content = message["header"]["msg_type"], message["content"]
            shown = (content.get("transient") or {}).get("display_id")
            if kind == "clear_output":
                clear = True
                continue
            if kind == "update_display_data":
                for output in displays.get(str(shown), ()):
                    output |= {"data": content["data"], "metadata": content["metadata"]}
                continue
            if clear:
                found, clear = [], False
            output = dict(nbformat.v4.output_from_msg(message))  # type: ignore[no-untyped-call]
            found.append(output)
            if shown:
                displays.setdefault(str(shown), []).append(output)
        return _joined(found)

    def _noting(self, stream: Any, message: Any, content: Any = None, *arguments: Any, **options: Any) -> Any:
        kind = message if isinstance(message, str) else message["header"]["msg_type"]
        if kind in _SHOWN or kind in ("clear_output", "update_display_data"):
            told = content if isinstance(message, str) else message["content"]
            self._sent.append({"header": {"msg_type": kind}, "msg_type": kind, "content": told})
        return self._send(stream, message, content, *arguments, **options)


def shows_widget(outputs: Iterable[Mapping[str, Any]]) -> bool:
    """Whether there is a widget among the outputs, which lives in this kernel alone."""
    return any(_WIDGET in output.get("data", ()) for output in outputs)


def put_out(outputs: Iterable[Mapping[str, Any]]) -> None:
    """Put out what a cell has put out in another kernel."""
    from IPython.core.getipython import get_ipython

    publish: Any = get_ipython().display_pub.publish  # type: ignore[union-attr] # there is one: a cell is running
    for output in outputs:
        if output["output_type"] == "stream":
            (sys.stderr if output["name"] == "stderr" else sys.stdout).write(_text(output["text"]))
        elif output["output_type"] in ("display_data", "execute_result"):
            _flush()
            publish(data=dict(output["data"]), metadata=dict(output.get("metadata") or {}))


def _joined(outputs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The outputs, texts that follow one another in one stream as one, as a terminal would show them."""
    found: list[dict[str, Any]] = []
    for output in outputs:
        last = found[-1] if found else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            last["text"] += output["text"]
        else:
            found.append(output)
    for output in found:
        if output["output_type"] == "stream":
            output["text"] = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in output["text"].split("\n"))
    return found


def _text(text: Any) -> str:
    return "".join(text) if isinstance(text, list) else str(text)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
