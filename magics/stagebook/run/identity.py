"""What identifies the result of a stage: its code, setup, parameters, imports and inputs, each part kept by name."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stagebook.book.drifting import RULE as DRIFT_RULE
from stagebook.book.files import shell_words
from stagebook.book.normal import cell_form, normal_form, texts_in
from stagebook.book.secrets import is_secret_name, secret_names
from stagebook.book.slices import Foundation, foundation, preamble_statements
from stagebook.book.syntax import syntax_tree
from stagebook.model import Pipeline, Stage
from stagebook.run.imports import Imports
from stagebook.signing import keyed_digest
from stagebook.store.digests import digest_of, digest_of_json

Parts = Mapping[str, str]


def stage_parts(pipeline: Pipeline, parameters: Mapping[str, Any], imports: Imports) -> dict[str, dict[str, str]]:
    """Per stage, every part of its fingerprint but the inputs: known before anything runs.

    Args:
        pipeline: the pipeline.
        parameters: values that replace defaults of the parameters cell.
        imports: describes modules.
    """
    preamble = preamble_statements(pipeline)
    founded = {stage.name: foundation(stage, preamble) for stage in pipeline.stages}
    imports.parts(sorted({module for base in founded.values() for module in base.imports}))  # all are looked up at once
    secret = secret_names(pipeline.parameters)
    parts = {}
    for stage in pipeline.stages:
        base = founded[stage.name]
        parts[stage.name] = {
            "code": digest_of("\n".join(cell_form(cell.source) for cell in stage.cells).encode()),
            "setup": _digest(base.setup),
            "python": python_version() if imports.python == sys.executable else imports.python,
            **option_parts(stage),
            **parameter_parts(base, parameters, secret),
            **imports.parts(sorted(base.imports)),
        }
    return parts


def python_version() -> str:
    """Major and minor version of this interpreter: pickles and numbers do not change with the patch level."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def fingerprint(parts: Parts) -> str:
    """The digest of all parts: the name under which results are kept."""
    return digest_of_json(dict(parts))


def candidate_files(stage: Stage, pipeline: Pipeline, parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Paths, relative to the notebook, that the stage names: in `reads`, in its code, and in parameters it reads."""
    folder = pipeline.notebook.parent
    values: list[Any] = [text for cell in stage.cells for text in texts_in(cell.source)]
    values += [word for text in values for word, _ in shell_words(text)]
    for parameter in pipeline.parameters:
        if parameter.name in stage.names.reads and not parameter.secret:
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


def _digest(nodes: Sequence[ast.AST]) -> str:
    return digest_of(normal_form(nodes).encode())


def option_parts(stage: Stage) -> dict[str, str]:
    """Options that change what comes of the code; all others do not count."""
    options = stage.options
    parts = {}
    if options.when is not None:
        parts["option:when"] = normal_form([syntax_tree(options.when, mode="eval").body])
    if options.foreach is not None:
        parts["option:foreach"] = str(options.foreach)
    if options.drift is not None:
        parts["option:drift"] = f"{options.drift} by rule {DRIFT_RULE}"
    return parts


def parameter_parts(base: Foundation, parameters: Mapping[str, Any], secret: frozenset[str]) -> dict[str, str]:
    """The value of each parameter the stage reads, of secrets a keyed digest; the code of a default that is no literal.

    Raises:
        StoreError: there is a secret, and no key.
    """
    parts = {}
    for name, statement in base.parameters.items():
        value = getattr(statement, "value", None) or statement
        try:
            text = repr(parameters[name] if name in parameters else ast.literal_eval(value))
        except ValueError:
            parts[f"parameter:{name}"] = _digest([value])
            continue
        hidden = name in secret or is_secret_name(name)
        parts[f"parameter:{name}"] = keyed_digest(f"{name}={text}") if hidden else text
    return parts
