"""Secret parameters: which they are, and what is shown in place of what they hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stagebook.book.findings import finding
from stagebook.book.syntax import syntax_tree
from stagebook.model import Finding, Parameter, Place, Stage

MASK = "••••••"
"""What is written and shown in place of a secret."""

_WORDS = (
    r"passwords?|passwd|passphrase|pwd|secrets?|token|credentials?|(?:api|access|private|signing|encryption)_?keys?"
)
_NAME = re.compile(rf"(?:.*_)?(?:{_WORDS})\d*(?:_.*)?")
_COUNTED = r"(?:n|num|max|min)_.*"
_OF_TEXT = r"(?:.*_)?(?:pad|eos|bos|unk|sep|cls|mask|stop|start|end|special)_token(?:_.*)?"
_ABOUT = "count|limit|length|len|size|budget|pattern|type|name|file|path|dir|folder|url|ttl|rate|ratio|price|cost|index"
_NO_NAME = re.compile(rf"{_COUNTED}|{_OF_TEXT}|.*_(?:{_ABOUT})")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def is_secret_name(name: str) -> bool:
    """Whether a parameter of this name is secret: by a whole word of it, as in `hf_token`, `db_password`, `api_key`.

    Not so `max_tokens` and `tokenizer`, tokens of text (`pad_token`), and what is said about a secret (`token_limit`,
    `password_file`).
    """
    words = _HUMP.sub("_", name).lower()
    return _NAME.fullmatch(words) is not None and _NO_NAME.fullmatch(words) is None


def is_secret_annotation(node: ast.expr | None) -> bool:
    """Whether an annotation names `Secret`, also in text, or as a part: `Secret | None`."""
    for part in ast.walk(node) if node is not None else ():
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            try:
                if is_secret_annotation(syntax_tree(part.value, mode="eval").body):
                    return True
            except SyntaxError:
                continue
        name = part.attr if isinstance(part, ast.Attribute) else part.id if isinstance(part, ast.Name) else ""
        if name == "Secret":
            return True
    return False


def secret_names(parameters: Iterable[Parameter]) -> frozenset[str]:
    """The names of those that are secret."""
    return frozenset(one.name for one in parameters if one.secret)


def shown_values(parameters: Iterable[Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter's value as it may be shown: given or by default, of a secret that is not empty a mask."""
    values = {}
    for one in parameters:
        value = given.get(one.name, one.value)
        is_known = one.name in given or one.literal
        values[one.name] = MASK if one.secret and not (is_known and is_empty(value)) else value
    return values


def is_empty(value: Any) -> bool:
    """Whether there is nothing to hide."""
    return value is None or (isinstance(value, (str, list, tuple, dict)) and not value)


def texts_of(value: Any) -> Iterator[str]:
    """The texts that a secret consists of: itself, or the values in a dict, the elements of a list."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode(errors="replace")
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts_of(inner)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for inner in value:
            yield from texts_of(inner)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield repr(value)


def secret_texts(parameters: Iterable[Parameter], given: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """For each secret parameter the texts of its value; none where that is known to kernels only."""
    return {one.name: tuple(texts_of(given.get(one.name, one.value))) for one in parameters if one.secret}


def secret_findings(parameters: Iterable[Parameter], stages: Iterable[Stage]) -> Iterator[Finding]:
    """Secrets that stand in the notebook, and stages that are mapped over one: elements of lists are stored."""
    secret = {one.name: one for one in parameters if one.secret}
    for one in secret.values():
        if one.literal and not is_empty(one.value):
            message = f"Parameter `{one.name}` is secret, and its default stands in the notebook."
            remedy = f"Leave it empty, and give it with `--secret {one.name}`, or read it from the environment there."
            yield finding("SB303", message, remedy, one.place)
    for stage in stages:
        mapping = stage.options.foreach
        if mapping is not None and mapping.source in secret:
            message = f"Stage `{stage.name}` is mapped over `{mapping.source}`, which is secret: elements are stored."
            remedy = "Loop over it in the stage's code."
            yield finding("SB214", message, remedy, Place(stage.cells[0].number, 1), stage=stage.name)
