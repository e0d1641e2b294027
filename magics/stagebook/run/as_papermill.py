"""What Papermill does to a notebook around the engine that runs it, for runs that need no kernel, and so no Papermill.

To import Papermill and nbformat takes longer than all else that such a run does.
"""

from __future__ import annotations

import json
import math
import re
import secrets
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stagebook.book.cells import INJECTED, tags_of
from stagebook.book.notebook import Document, source_of

_MINOR = 5
ERROR_MARKER = "papermill-error-cell-tag"
_TOLD = ("default_parameters", "parameters", "environment_variables")
_TEXTUAL = frozenset({"application/javascript", "image/svg+xml"})
_LONG = 100
"""Lines of an output that are not left to json's own way of indenting."""
_INDENTED = ",\n      "
"""What stands between the lines of an output's text, as deep as that is in a notebook."""


def prepared(document: Document, parameters: Mapping[str, Any], *, source: Path, output: Path) -> Document | None:
    """The document as Papermill hands it to an engine; None for one that is better left to Papermill.

    Args:
        document: nbformat 4, as `read_document` gives it.
        parameters: values to be injected.
        source: the notebook's path.
        output: where the output notebook goes.
    """
    cells = [{**cell, "source": source_of(cell), "metadata": {**cell["metadata"]}} for cell in document["cells"]]
    with_ids = document.get("nbformat_minor", 0) >= _MINOR
    ids = {cell.get("id") for cell in cells}
    if any(ERROR_MARKER in tags_of(cell) for cell in cells) or (with_ids and (None in ids or len(ids) < len(cells))):
        return None
    for cell in cells:
        cell["metadata"].setdefault("tags", [])
        cell["metadata"].setdefault("papermill", {})
        if not with_ids:
            cell["id"] = secrets.token_hex(4)
    told = dict(document["metadata"].get("papermill") or {name: {} for name in _TOLD})
    if parameters:
        setting = injected_source(parameters)
        if setting is None:
            return None
        cells = _injected(cells, setting)
        told["parameters"] = dict(parameters)
    told |= {"input_path": str(source), "output_path": str(output)}
    minor = max(document.get("nbformat_minor", 0), _MINOR)
    return {
        **document,
        "cells": cells,
        "metadata": {**document["metadata"], "papermill": told},
        "nbformat_minor": minor,
    }


def injected_source(parameters: Mapping[str, Any]) -> str | None:
    """The code that Papermill writes to set the parameters; None where it is better left to Papermill."""
    if not all(map(_is_plain, parameters.values())):
        return None
    lines = [f"{name} = {_written(value)}\n" for name, value in parameters.items()]
    return "".join(["# Parameters\n", *lines])


def _injected(cells: list[Document], source: str) -> list[Document]:
    """The cells with one that sets the parameters: in place of an earlier one, else below the defaults."""
    made: Document = {
        "cell_type": "code",
        "execution_count": None,
        "id": secrets.token_hex(4),
        "metadata": {"tags": [INJECTED], "papermill": {}},
        "outputs": [],
        "source": source,
    }
    injected = next((index for index, cell in enumerate(cells) if INJECTED in tags_of(cell)), None)
    if injected is not None:
        return [*cells[:injected], made, *cells[injected + 1 :]]
    defaults = next((index for index, cell in enumerate(cells) if "parameters" in tags_of(cell)), -1)
    return [*cells[: defaults + 1], made, *cells[defaults + 1 :]]


def _is_plain(value: Any) -> bool:
    """Whether Papermill writes the value as Python does."""
    kind = type(value)
    if kind is float:
        return math.isfinite(value)
    if kind is list:
        return all(map(_is_plain, value))
    if kind is dict:
        return all(type(key) is str and _is_plain(inner) for key, inner in value.items())
    return value is None or kind in (bool, int, str)


def _written(value: Any) -> str:
    """The value as code; text in double quotes, as Papermill has it."""
    if isinstance(value, str):
        escaped = value.encode("unicode_escape").decode().replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_written(key)}: {_written(inner)}' for key, inner in value.items())}}}"
    return repr(value)


def notebook_text(document: Mapping[str, Any]) -> str:
    """The notebook as nbformat writes it to a file."""
    metadata = _without(document["metadata"], "orig_nbformat", "orig_nbformat_minor", "signature")
    long: dict[str, str] = {}
    plain = {**document, "metadata": metadata, "cells": [_cell(cell, long) for cell in document["cells"]]}
    text = json.dumps(plain, ensure_ascii=False, indent=1, sort_keys=True, separators=(",", ": "))
    return re.sub("|".join(long), lambda found: long[found[0]], text) if long else text


def _cell(cell: Mapping[str, Any], long: dict[str, str]) -> dict[str, Any]:
    plain = {**cell, "metadata": _without(cell["metadata"], "trusted"), "source": _lines(cell["source"])}
    if "attachments" in cell:
        plain["attachments"] = {name: _bundle(bundle) for name, bundle in cell["attachments"].items()}
    if cell["cell_type"] == "code":
        plain["outputs"] = [_output(output, long) for output in cell["outputs"]]
    return plain


def _output(output: Mapping[str, Any], long: dict[str, str]) -> Mapping[str, Any]:
    if output["output_type"] in ("execute_result", "display_data"):
        return {**output, "data": _bundle(output.get("data", {}))}
    if output["output_type"] != "stream":
        return output
    lines = _lines(output["text"])
    return {**output, "text": lines if len(lines) < _LONG else _stand_in(lines, long)}


def _stand_in(lines: list[str], long: dict[str, str]) -> str:
    """A text that stands for these lines. They are written by themselves, as json is slow where it indents."""
    name = f"stagebook-{uuid.uuid4().hex}"
    each = json.dumps(lines, ensure_ascii=False, separators=(_INDENTED, ": "))
    long[f'"{name}"'] = f"[{_INDENTED[1:]}{each[1:-1]}{_INDENTED[1:-1]}]"
    return name


def _bundle(bundle: Mapping[str, Any]) -> dict[str, Any]:
    return {
        kind: _lines(content) if kind.startswith("text/") or kind in _TEXTUAL else content
        for kind, content in bundle.items()
    }


def _lines(text: Any) -> Any:
    return text.splitlines(keepends=True) if isinstance(text, str) else text


def _without(metadata: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in metadata.items() if name not in names}
