"""Imports at the top of a module: which may go there, and how they are sorted."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stagebook.book.effects import PURE_ROOTS
from stagebook.export.chunks import Chunk, comments_above

_WIDTH = 88
_KNOWN = PURE_ROOTS | frozenset(
    {
        *("torch", "torchvision", "tensorflow", "keras", "jax", "transformers", "datasets", "requests", "httpx", "PIL"),
        *("bs4", "networkx", "sympy", "nltk", "spacy", "cv2", "skimage", "optuna", "shap", "imblearn", "duckdb"),
        *("sqlalchemy", "geopandas", "shapely", "numba", "dask", "prefect", "evidently", "bokeh", "openpyxl"),
    }
)
"""Packages whose import does nothing that another code's order could be told by."""
_SETS_UP = re.compile(
    r"\b(environ|putenv|load_dotenv|chdir|set_start_method)\b|\bsys\.(path|modules|meta_path)\b|\.use\("
)
"""Words in code after which an import may do otherwise."""


@dataclass(frozen=True, slots=True, order=True)
class Import:
    """`from module import name as alias`, or `import module as alias` where there is no name."""

    module: str
    name: str = ""
    alias: str = ""

    @property
    def binds(self) -> str:
        """The name that it binds."""
        return self.alias or self.name or self.module.partition(".")[0]

    @property
    def path(self) -> str:
        """What the bound name stands for."""
        if self.name:
            return f"{self.module}.{self.name}"
        return self.module if self.alias else self.module.partition(".")[0]


def imports_in(statement: ast.stmt) -> list[Import]:
    """The imports of a statement that is one."""
    if isinstance(statement, ast.Import):
        return [Import(one.name, "", one.asname or "") for one in statement.names]
    assert isinstance(statement, ast.ImportFrom)
    module = "." * statement.level + (statement.module or "")
    return [Import(module, one.name, one.asname or "") for one in statement.names]


def imports_of(chunk: Chunk) -> list[Import]:
    """The imports among a chunk's statements."""
    return [
        one
        for statement in chunk.statements
        if isinstance(statement, (ast.Import, ast.ImportFrom))
        for one in imports_in(statement)
    ]


def is_known(one: Import) -> bool:
    """Whether it is Python's own, or of a package of which it does not matter when it is imported."""
    root = one.module.partition(".")[0]
    return root in _KNOWN or root in sys.stdlib_module_names


def may_be_moved_up(chunk: Chunk, before: str) -> bool:
    """Whether an import may go to the top of the module, past the code `before` it."""
    if not chunk.is_import or _SETS_UP.search(before):
        return False
    every = [one for statement in chunk.statements for one in imports_in(statement)]
    return all(one.name != "*" and is_known(one) for one in every)


def sorted_imports(chunks: Iterable[Chunk], more: Sequence[Import] = ()) -> str:
    """The imports of these chunks as a module's head, sorted as ruff's isort does, comments above theirs."""
    comments: dict[Import, list[str]] = {one: [] for one in more}
    for chunk in chunks:
        said = [line.strip() for line in comments_above(chunk).split("\n") if line.strip()]
        said += _behind(chunk)
        for statement in chunk.statements:
            for one in imports_in(statement):
                comments.setdefault(one, []).extend(line for line in said if line not in comments.get(one, []))
                said = []
    sections: dict[int, list[str]] = {}
    plain = sorted((one for one in comments if not one.name), key=lambda one: (_natural(one.module), one.alias))
    for one in plain:
        text = f"import {one.module}" + (f" as {one.alias}" if one.alias else "")
        sections.setdefault(_section(one.module), []).extend([*comments[one], text])
    modules = sorted({one.module for one in comments if one.name}, key=_natural)
    for module in modules:
        members = [one for one in comments if one.name and one.module == module]
        sections.setdefault(_section(module), []).extend(_from(module, members, comments))
    return "\n\n".join("\n".join(lines) for _, lines in sorted(sections.items()))


def _from(module: str, members: list[Import], comments: dict[Import, list[str]]) -> list[str]:
    plain = sorted((one for one in members if not one.alias), key=lambda one: _member(one.name))
    lines: list[str] = []
    if plain:
        lines += [line for one in plain for line in comments[one]]
        names = ", ".join(one.name for one in plain)
        text = f"from {module} import {names}"
        if len(text) > _WIDTH:
            inside = "".join(f"    {one.name},\n" for one in plain)
            text = f"from {module} import (\n{inside})"
        lines.append(text)
    for one in sorted((one for one in members if one.alias), key=lambda one: (_member(one.name), one.alias)):
        lines += [*comments[one], f"from {module} import {one.name} as {one.alias}"]
    return lines


def _behind(chunk: Chunk) -> list[str]:
    """The comment behind an import on one line."""
    last = chunk.text.split("\n")[-1]
    end = chunk.statements[-1].end_col_offset or 0
    rest = last.encode("utf-8")[end:].decode("utf-8").strip()
    return [rest] if rest.startswith("#") else []


def _section(module: str) -> int:
    if module == "__future__":
        return 0
    if module.startswith("."):
        return 3
    return 1 if module.partition(".")[0] in sys.stdlib_module_names else 2


def _natural(text: str) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", text.lower())
    return [(int(part), "") if part.isdigit() else (0, part) for part in parts if part]


def _member(name: str) -> tuple[int, list[tuple[int, str]]]:
    """Constants, then classes, then the rest, as ruff sorts what stands behind `import`."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, _natural(name)
