"""Literals as YAML that is read back as what they were: by YAML 1.1 and by OmegaConf, which fills in `${...}`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any


def yaml_of(value: Any) -> str:
    """The value in YAML's flow style, on one line.

    Raises:
        ValueError: YAML has none of its kind; the message names the kind.
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str):
        return json.dumps(value.replace("${", "\\${"), ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(map(yaml_of, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{yaml_of(key)}: {yaml_of(one)}' for key, one in value.items())}}}"
    raise ValueError(type(value).__name__)


def _number(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    return re.sub(r"^(-?\d+)e", r"\1.0e", text)


def entry(name: str, value: Any, says: str = "") -> Iterator[str]:
    """The lines of `name: value` under a comment."""
    if says:
        yield f"# {says}"
    yield f"{json.dumps(name, ensure_ascii=False) if not name.isascii() else name}: {yaml_of(value)}"
