"""The expressions between `${{` and `}}` of GitHub's workflows, as far as ours use them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_WHOLE = re.compile(r"\$\{\{(.*?)\}\}")
_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|&&|\|\||[!=]=|!|[()]|[A-Za-z_][\w.-]*)")
_WORDS = {"&&": " and ", "||": " or ", "!": " not ", "==": "==", "!=": "!=", "(": "(", ")": ")"}


def filled(text: str, contexts: Mapping[str, Any]) -> str:
    """The text with its expressions' values in their place."""
    return _WHOLE.sub(lambda match: str(value(match[1], contexts)), text)


def holds(condition: str, contexts: Mapping[str, Any], *, status: Mapping[str, bool]) -> bool:
    """Whether an `if:` holds: where it asks for no status, all before it must have succeeded."""
    inner = _WHOLE.fullmatch(condition)
    text = inner[1] if inner else condition
    calls = {name: (lambda now=now: now) for name, now in status.items()}
    found = bool(value(text, contexts, calls))
    return found if any(f"{name}()" in text for name in status) else found and status["success"]


def value(text: str, contexts: Mapping[str, Any], calls: Mapping[str, Callable[[], bool]] | None = None) -> Any:
    """The value of an expression; what is nowhere is an empty text, as it is equal to one for GitHub."""
    words, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        assert match, f"not understood: {text[at:]}"
        word, at = match[1], match.end()
        if word.startswith("'"):
            words.append(repr(word[1:-1].replace("''", "'")))
        else:
            words.append(_WORDS.get(word) or (word if word in (calls or {}) else f"look({word!r})"))
    names = {"__builtins__": {}, "look": lambda path: _looked_up(path, contexts), **(calls or {})}
    return eval(" ".join(words).strip(), names)


def _looked_up(path: str, contexts: Mapping[str, Any]) -> Any:
    first, *rest = path.split(".")
    found: Any = contexts[first]  # a context that there is not is a mistake
    for part in rest:
        found = found.get(part, "") if isinstance(found, Mapping) else ""
    return found
