"""What the last cell of a sample tells of variables: their contents, and which of them are the same object.

Nothing of it depends on where a function or class stands, which is another place in a module than in a notebook.
"""

from __future__ import annotations

import hashlib
import itertools
import types
from typing import Any

_ATOMS = (bool, int, float, complex, str, bytes, type(None), type(...), range)
_seen: dict[int, tuple[int, Any]] = {}
_numbers = itertools.count()


def tell(name: str, value: Any) -> None:
    """Print what there is to say of a variable."""
    print(f"{name} = {said(value)}")


def said(value: Any) -> str:
    """The value's content; a number for what has been told of already."""
    if isinstance(value, _ATOMS):
        return f"{type(value).__name__} {value!r}"
    if isinstance(value, types.ModuleType):
        return f"module {value.__name__}"
    if isinstance(value, type):
        return f"class {value.__name__}"
    if id(value) in _seen:
        return f"#{_seen[id(value)][0]}"
    _seen[id(value)] = (next(_numbers), value)
    return f"{type(value).__name__} {_content(value)}"


def _content(value: Any) -> str:
    kind = type(value)
    root = kind.__module__.partition(".")[0]
    if isinstance(value, dict):
        return "{" + ", ".join(f"{said(key)}: {said(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(said, value)) + "]"
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(map(said, value))) + "}"
    if root == "numpy" and hasattr(value, "tobytes"):
        text = repr(value.tolist()) if value.dtype.hasobject else value.tobytes().hex()
        return f"{value.dtype} {value.shape} {_short(text)}"
    if root in ("pandas", "polars") and hasattr(value, "to_dict") and kind.__name__ in ("DataFrame", "Series"):
        types_of = str(value.dtypes) if root == "pandas" else str(value.dtypes if hasattr(value, "dtypes") else "")
        return _short(f"{types_of} {value.to_dict()!r} {getattr(value, 'attrs', '')!r}")
    if kind.__name__ in ("function", "method", "builtin_function_or_method", "partial", "generator"):
        return ""
    if hasattr(value, "__wrapped__") or kind.__name__ == "TemporaryDirectory":
        return ""
    if root in ("matplotlib", "joblib", "threading", "_thread", "socket", "sqlite3", "subprocess", "_io", "IPython"):
        return ""
    members = getattr(value, "__dict__", None)
    if members:
        return "(" + ", ".join(f"{key}={said(one)}" for key, one in sorted(members.items())) + ")"
    text = repr(value)
    return "" if " at 0x" in text else _short(text)


def _short(text: str) -> str:
    return text if len(text) <= 80 else hashlib.sha256(text.encode()).hexdigest()[:16]
