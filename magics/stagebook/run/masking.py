"""Masks in place of secrets: in the notebook that a run puts out, and in what the user's code shows of them."""

from __future__ import annotations

import ast
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from stagebook.book.cells import INJECTED, tags_of
from stagebook.book.notebook import source_of
from stagebook.book.secrets import MASK, is_empty, secret_names, shown_values
from stagebook.model import Parameter, frozen_map
from stagebook.run.job import StageResult

SHORTEST = 6
"""Letters from which on a secret is masked wherever it is shown; a shorter one would be found where it is not meant."""

_TEXTS = ("text", "ename", "evalue", "traceback")
_BINARY = re.compile(r"(image/(?!svg)|audio/|video/|application/(pdf|octet-stream)).*")


class Veil:
    """Masks secrets in what cells put out, in what failures say, in the state of widgets.

    A secret is found as it is and as it is written in code, JSON, HTML and addresses; of several lines, each by itself.

    Args:
        texts: what the secrets consist of; those shorter than `SHORTEST` are left alone.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        forms = {form for text in texts for line in _lines(text) for form in _forms(line)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def text(self, text: str) -> str:
        """The text with masks."""
        return self._pattern.sub(MASK, text) if self._pattern is not None else text

    def plain(self, value: Any) -> Any:
        """What JSON can hold, with masks in all its texts."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.plain(key): self.plain(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.plain(inner) for inner in value]
        return self.text(repr(value)) if self._is_secret_number(value) else value

    def outputs(self, outputs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """A cell's outputs with masks in what they show; what they are is left, whatever the secret is."""
        return [{part: self._part(part, content) for part, content in output.items()} for output in outputs]

    def result(self, result: StageResult) -> StageResult:
        """The result with masks; without files that were looked for in vain under names that hold a secret.

        IPython looks for a file of the name of each text that it is to show as HTML.
        """
        if self._pattern is None:
            return result
        failure = result.failure
        if failure is not None:
            message, remedy = self.text(failure.message), self.text(failure.remedy)
            failure = replace(failure, message=message, remedy=remedy, trail=tuple(map(self.text, failure.trail)))
        return replace(
            result,
            cells=tuple(replace(cell, outputs=self.outputs(cell.outputs)) for cell in result.cells),
            widgets=frozen_map({name: self._widget(model) for name, model in result.widgets.items()}),
            decided=self.text(result.decided),
            unstorable=frozen_map(self.plain(dict(result.unstorable))),
            files=frozen_map({p: d for p, d in result.files.items() if d is not None or self.text(p) == p}),
            failure=failure,
        )

    def _part(self, part: str, content: Any) -> Any:
        if part in _TEXTS:
            return self.plain(content)
        if part not in ("data", "metadata"):
            return content
        return {kind: inner if _BINARY.fullmatch(kind) else self.plain(inner) for kind, inner in content.items()}

    def _widget(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """A widget's state with masks; names that begin with an underscore say what it is."""
        state = {
            name: value
            if name.startswith("_")
            else self.outputs(value)
            if name == "outputs" and isinstance(value, list)
            else self.plain(value)
            for name, value in model.get("state", {}).items()
        }
        return {**model, "state": state}

    def _is_secret_number(self, value: Any) -> bool:
        if self._pattern is None or isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return self._pattern.fullmatch(repr(value)) is not None


def _lines(text: str) -> Iterator[str]:
    """The text, and its lines, where they are long enough."""
    for line in {text, text.strip(), *(line.strip() for line in text.splitlines())}:
        if len(line) >= SHORTEST:
            yield line


def _forms(text: str) -> set[str]:
    """How a text is written here and there."""
    escaped = text.encode("unicode_escape").decode()
    return {
        text,
        repr(text)[1:-1],
        escaped,
        escaped.replace('"', '\\"'),
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        html.escape(text),
        html.escape(text, quote=False),
        html.escape(text).replace("&quot;", "&#34;").replace("&#x27;", "&#39;"),  # as templates do
        quote(text, safe="", errors="replace"),
        quote(text, errors="replace"),
    }


def masked_source(source: str, names: frozenset[str]) -> str:
    """A cell that sets parameters, with masks in place of what it sets these names to."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return "# The parameters cannot be shown, since some of them are secret." if names else source
    lines = source.rstrip("\n").split("\n")
    for statement in reversed(statements):
        hidden = sorted(names.intersection(_set_by(statement)))
        if hidden and not _sets_nothing(statement):
            lines[statement.lineno - 1 : statement.end_lineno] = [f'{name} = "{MASK}"' for name in hidden]
    return "\n".join(lines)


def _set_by(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _sets_nothing(statement: ast.stmt) -> bool:
    try:
        return is_empty(ast.literal_eval(getattr(statement, "value", None) or statement))
    except (ValueError, TypeError, MemoryError, RecursionError):
        return False


def mask_parameters(node: Any, parameters: tuple[Parameter, ...]) -> None:
    """Put masks in a notebook that Papermill has given its parameters: into its injected cell, and Papermill's note."""
    names = secret_names(parameters)
    if not names:
        return
    for cell in node["cells"]:
        if cell["cell_type"] == "code" and INJECTED in tags_of(cell):
            cell["source"] = masked_source(source_of(cell), names)
    told = node["metadata"].get("papermill", {})
    given = told.get("parameters")
    if given:
        shown = shown_values(parameters, given)
        told["parameters"] = {name: shown.get(name, value) for name, value in given.items()}
