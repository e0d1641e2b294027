"""What runs in the browser: modules and styles of `static/`, joined, as a widget has one of each and cannot import."""

from __future__ import annotations

import re
from pathlib import Path

STATIC = Path(__file__).parent / "static"

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./[\w-]+\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) )", re.MULTILINE)


def module_of(*names: str) -> str:
    """One ES module made of these files: each may import from those before it; the last one's default export counts."""
    texts = [(STATIC / name).read_text(encoding="utf-8") for name in names]
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", text)) for text in texts)


def style_of(*names: str) -> str:
    """One style sheet made of these files."""
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)
