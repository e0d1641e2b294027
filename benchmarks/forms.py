"""A workload in the forms that several peers share: as a notebook, and as a module of functions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from textwrap import indent
from typing import Any

from benchmarks.workloads.model import Step, Workload

_RESULT = re.compile(r"RESULT (\{.*?\})")


def notebook(workload: Workload) -> str:
    """The notebook: tagged as Stagebook reads it, and run as it is by whatever runs notebooks."""
    cells = [_cell(setting(workload.parameters), ["parameters"])] if workload.parameters else []
    cells.append(_cell(workload.setup, ["setup"]))
    for step in workload.steps:
        options: dict[str, Any] = dict(workload.options.get(step.name, {}))
        if step is workload.steps[-1] and workload.metrics:
            options["metrics"] = list(workload.metrics)
        tags = [f"stage:{step.name}"]
        cells += [_cell(code, tags, options if code is step.cells[-1] else None) for code in step.cells]
    return as_notebook(cells)


def bare_notebook(cells: Iterable[tuple[str, list[str]]]) -> str:
    """A notebook of these code cells, each with its tags."""
    return as_notebook([_cell(code, tags) for code, tags in cells])


def as_notebook(cells: list[dict[str, Any]]) -> str:
    """The file of a notebook of these cells, for the kernel of whatever environment it runs in."""
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}, indent=1)


def setting(values: Mapping[str, object]) -> str:
    """Code that sets these names."""
    return "\n".join(f"{name} = {value!r}" for name, value in values.items())


def function(workload: Workload, step: Step) -> str:
    """The step as a function of the names and parameters it needs, returning what it makes as a tuple."""
    arguments = ", ".join([*workload.takes(step), *workload.asks(step)])
    made = "".join(f"{name}, " for name in workload.makes(step)).strip()
    return f"def {step.name}({arguments}):\n{indent(step.code, '    ')}\n    return ({made})\n"


def module(workload: Workload) -> str:
    """A module with the setup and a function for each step."""
    return "\n\n".join([workload.setup, *(function(workload, step) for step in workload.steps)])


def results(text: str) -> list[str]:
    """What was printed as `RESULT {...}`, sorted, each in one spelling."""
    return sorted({json.dumps(json.loads(found), sort_keys=True) for found in _RESULT.findall(text)})


def printed(notebooks: Iterable[Path]) -> str:
    """What the cells of these notebooks have printed."""
    cells = (cell for path in notebooks for cell in json.loads(path.read_text(encoding="utf-8"))["cells"])
    outputs = (output for cell in cells for output in cell.get("outputs", []))
    return "\n".join("".join(output["text"]) for output in outputs if output["output_type"] == "stream")


def _cell(code: str, tags: list[str], options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"tags": tags}
    if options:
        metadata["stagebook"] = dict(options)
    return {
        "cell_type": "code",
        "metadata": metadata,
        "source": code.rstrip("\n"),
        "outputs": [],
        "execution_count": None,
    }
