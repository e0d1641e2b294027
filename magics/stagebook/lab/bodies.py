"""What a request brings along, held against its description in `openapi.yaml`."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, cast

from stagebook.lab.refusals import RefusedError

LARGEST = 16_000_000
"""Bytes of a body."""
_MOST_TOLD = 200


def body_of(content: bytes, kind: str) -> dict[str, Any]:
    """The body of a request.

    Args:
        content: as it came.
        kind: the schema that it is to fit.

    Raises:
        RefusedError: it is too large, no JSON, or does not fit.
    """
    if len(content) > LARGEST:
        told = f"The body has {len(content) / 1e6:.0f} MB, and {LARGEST / 1e6:.0f} MB are the most."
        raise RefusedError(413, f"{told} Leave the outputs of cells out.")
    try:
        found = json.loads(content, parse_constant=_no_constant)
    except (ValueError, RecursionError):  # what is no UTF-8 is a ValueError, too
        raise RefusedError(400, "The body is no JSON.") from None
    from jsonschema.exceptions import best_match

    wrong = best_match(_validator(kind).iter_errors(found))
    if wrong is not None:
        where = ".".join(map(str, wrong.absolute_path)) or "the body"
        cause = wrong.message if len(wrong.message) <= _MOST_TOLD else f"{wrong.message[:_MOST_TOLD]}…"
        raise RefusedError(400, f"{where} is not as {kind} in openapi.yaml has it: {cause}")
    return cast("dict[str, Any]", found)


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


@functools.cache
def _validator(kind: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator({"$ref": f"#/components/schemas/{kind}", "components": description()["components"]})


@functools.cache
def description() -> dict[str, Any]:
    """The routes, as `openapi.yaml` describes them."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = Path(__file__).with_name("openapi.yaml").read_text(encoding="utf-8")
    return cast("dict[str, Any]", yaml.load(text, loader))
