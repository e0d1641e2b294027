"""What identifies the result of a stage: its code, setup, parameters, imports and inputs, each part kept by name."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stagebook.book.cells import without_magic
from stagebook.book.files import shell_words
from stagebook.book.normal import normal_form
from stagebook.book.slices import Foundation, foundation, preamble_statements
from stagebook.book.syntax import parse
from stagebook.model import Pipeline, Stage
from stagebook.run.environment import describe_modules, kernel_python
from stagebook.store.digests import digest_of, digest_of_json

Parts = Mapping[str, str]


def stage_parts(pipeline: Pipeline, parameters: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Per stage, every part of its fingerprint but the inputs: known before anything runs.

    Args:
        pipeline: the pipeline.
        parameters: values that replace defaults of the parameters cell.
    """
    preamble = preamble_statements(pipeline)
    founded = {stage.name: foundation(stage, preamble) for stage in pipeline.stages}
    modules = {module for base in founded.values() for module in base.imports}
    python = kernel_python(pipeline.kernel)
    described = describe_modules(modules, pipeline.notebook.parent, python=python)
    parts = {}
    for stage in pipeline.stages:
        base = founded[stage.name]
        parts[stage.name] = {
            "code": _digest(_trees(stage)),
            "setup": _digest(base.setup),
            "python": python_version() if python == sys.executable else python,
            **_parameter_parts(base, parameters),
            **_import_parts(base, described),
        }
    return parts


def python_version() -> str:
    """Major and minor version of this interpreter: pickles and numbers do not change with the patch level."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def fingerprint(parts: Parts, inputs: Mapping[str, str]) -> str:
    """The digest of all parts: the name under which results are kept."""
    return digest_of_json({**parts, **{f"input:{name}": content for name, content in inputs.items()}})


def candidate_files(stage: Stage, pipeline: Pipeline, parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Paths, relative to the notebook, that the stage names: in `reads`, in its code, and in parameters it reads."""
    folder = pipeline.notebook.parent
    values = [node.value for tree in _trees(stage) for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    values += [word for value in values if isinstance(value, str) for word, _ in shell_words(value)]
    for parameter in pipeline.parameters:
        if parameter.name in stage.names.reads:
            values.append(parameters.get(parameter.name, parameter.value))
    named = {text for text in _texts(values) if _is_file(folder, text)}
    return tuple(sorted(named | set(stage.options.reads)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(list(value.values()))
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from _texts(item)


def _is_file(folder: Path, text: str) -> bool:
    if not 0 < len(text) < 1024 or "\n" in text or "\0" in text:
        return False
    try:
        return (folder / text).is_file()
    except OSError:
        return False


def _trees(stage: Stage) -> list[ast.AST]:
    return [parse(without_magic(cell.source)) for cell in stage.cells]


def _digest(nodes: Sequence[ast.AST]) -> str:
    return digest_of(normal_form(nodes).encode())


def _parameter_parts(base: Foundation, parameters: Mapping[str, Any]) -> dict[str, str]:
    """The value of each parameter the stage reads; the code of a default that is no literal."""
    parts = {}
    for name, statement in base.parameters.items():
        if name in parameters:
            parts[f"parameter:{name}"] = repr(parameters[name])
        else:
            value = getattr(statement, "value", None) or statement
            try:
                parts[f"parameter:{name}"] = repr(ast.literal_eval(value))
            except ValueError:
                parts[f"parameter:{name}"] = _digest([value])
    return parts


def _import_parts(base: Foundation, described: Mapping[str, str]) -> dict[str, str]:
    parts = {}
    for module in base.imports:
        for line in described[module].splitlines():
            name, _, content = line.partition("=")
            parts[name] = content
    return parts
