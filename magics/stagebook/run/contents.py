"""What a stage starts from: the stored values that it takes, and what identifies each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stagebook.book.hidden import FILE, is_file, path_of
from stagebook.model import Pipeline, Stage
from stagebook.run.job import StageResult
from stagebook.run.opened import CHANGED
from stagebook.store.references import ValueRef

_HELD = "held:"
"""What stands before the stage whose kernel holds a value that cannot be stored."""


def input_contents(pipeline: Pipeline, stage: Stage, results: Mapping[str, StageResult]) -> dict[str, str]:
    """What identifies each input: the content of a stored value, the fingerprint behind one that cannot be stored.

    A name that its stage turned out not to bind is left out, as it would be missing in a single kernel.
    """
    contents = {}
    stored = stored_inputs(pipeline, stage, results)
    for name, source in pipeline.inputs[stage.name].items():
        result = results[source]
        if name in stored:
            contents[name] = stored[name].content
        elif name in result.unstorable:
            contents[name] = f"{_HELD}{source}:{result.key}"
        elif is_file(name) and path_of(name) in result.left:
            contents[name] = str(result.left[path_of(name)])
    return contents


def stored_inputs(pipeline: Pipeline, stage: Stage, results: Mapping[str, StageResult]) -> dict[str, ValueRef]:
    """The stored values that a stage starts from; those that share an object and come from one stage come together."""
    taken = pipeline.inputs[stage.name]
    found = {
        name: results[source].reference(name, [other for other, same in taken.items() if same == source])
        for name, source in taken.items()
    }
    return {name: ref for name, ref in found.items() if ref is not None}


def met_otherwise(record: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
    """Why a result is of no use that read a file otherwise than the stage that it takes it from leaves it.

    One that goes on in the kernel of others may: they may hold the file open.
    """
    apart = not any(content.startswith(_HELD) for content in inputs.values())
    for path, digest in record["files"].items():
        left = inputs.get(f"{FILE}{path}")
        if digest == CHANGED or (apart and left and digest and left != digest):
            return f"file {path} was not as it should have been when it ran"
    return ""
