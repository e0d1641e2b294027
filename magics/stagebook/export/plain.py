"""The text of a notebook's cell as plain Python: what only means something to Jupyter taken out, the rest refused.

Line numbers stay, so that a refusal names the line that its reader sees.
"""

from __future__ import annotations

import ast
import re

from stagebook.book.cells import MAGIC
from stagebook.book.syntax import CellSyntaxError, as_cell_error, compile_cell
from stagebook.errors import StagebookError
from stagebook.model import Cell, Place

_NOTHING_IN_A_SCRIPT = frozenset({"matplotlib", "autoreload", "pinfo", "pinfo2", "psearch", "who", "whos", "lsmagic"})
_EXTENSIONS = frozenset({"autoreload", "stagebook", "tensorboard", "lab_black", "nb_black", "jupyter_black"})
_PICTURES = re.compile(r"(InlineBackend\.(figure_format|figure_formats|print_figure_kwargs)|IPCompleter\.\w+)\b")
"""What `%config` may set without anything but the look of pictures being another."""
_CELL_MAGIC = re.compile(r"%%(?P<name>\w+)(?P<rest>[^\n]*)")


def refusal(place: Place, what: str, remedy: str) -> StagebookError:
    """The error that says what cannot become a function, where it stands, and what to do."""
    return StagebookError(f"Cell {place.cell}, line {place.line} cannot be exported: {what} {remedy}")


def plain_source(cell: Cell) -> str:
    """The cell's Python, its `%%stage` line and magics without effect in a script left empty.

    Raises:
        StagebookError: it holds a magic or a command that a script has nothing for.
    """
    source = MAGIC.sub(lambda match: match["blank"], cell.source.replace("\r\n", "\n"), count=1)
    source = _without_cell_magic(source, cell.number)
    try:
        compile_cell(source)
    except SyntaxError as error:
        return _without_magics(source, cell.number, error)
    return source


def _without_cell_magic(source: str, number: int) -> str:
    lines = source.split("\n")
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    found = _CELL_MAGIC.match(lines[first])
    if found is None:
        return source
    if found["name"] != "time" or found["rest"].strip():
        raise refusal(
            Place(number, first + 1),
            f"`%%{found['name']}` is IPython's, and a module has nothing for it.",
            "Write it in Python, or keep it out of the stage.",
        )
    return "\n".join([*lines[:first], "", *lines[first + 1 :]])


def _without_magics(source: str, number: int, error: SyntaxError) -> str:
    from IPython.core.inputtransformer2 import TransformerManager  # takes 0.2 s to import

    text = TransformerManager().transform_cell(source)  # type: ignore[no-untyped-call]  # IPython's, untyped
    try:
        tree = compile_cell(text)
    except SyntaxError:
        found = as_cell_error(error)
        raise refusal(Place(number, found.line), f"this is no Python: {found.message}.", "Correct it.") from error
    lines = text.split("\n")
    alone = {id(part[0]) for part in _blocks(tree) if len(part) == 1 and part is not tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and (magic := _magic(node.value)):
            place = Place(number, node.lineno)
            instead = _instead(*magic, place) or ("pass" if id(node) in alone else "")
            lines[node.lineno - 1] = lines[node.lineno - 1][: node.col_offset] + instead
            node.value = ast.Constant(None)  # so that it is not met again, as a part of something
    for node in ast.walk(tree):
        if isinstance(node, ast.expr) and (magic := _magic(node)):
            _instead(*magic, Place(number, node.lineno), used=True)
    text = "\n".join(lines)
    return text if source.endswith("\n") else text.removesuffix("\n")


def _blocks(tree: ast.Module) -> list[list[ast.stmt]]:
    fields = ("body", "orelse", "finalbody")
    found = [getattr(node, field, None) for node in ast.walk(tree) for field in fields]
    return [part for part in found if isinstance(part, list) and part]


def _magic(node: ast.expr) -> tuple[str, list[str]] | None:
    """The method and the texts of `get_ipython().method("text", ...)`."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return None
    inner = node.func.value
    if not (isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "get_ipython"):
        return None
    if node.func.attr not in ("run_line_magic", "run_cell_magic", "system", "getoutput"):
        return None
    return node.func.attr, [str(one.value) for one in node.args if isinstance(one, ast.Constant)]


def _instead(method: str, texts: list[str], place: Place, *, used: bool = False) -> str:
    """The Python that stands for a magic: nothing where it has no effect in a script."""
    if method in ("system", "getoutput"):
        raise refusal(
            place, f"`!{texts[0]}` is a command for Jupyter's shell.", "Call `subprocess.run`, or take the line out."
        )
    name, line = texts[0], texts[1] if len(texts) > 1 else ""
    if method == "run_line_magic" and not used:
        if name in _NOTHING_IN_A_SCRIPT or (name in ("load_ext", "reload_ext") and line.strip() in _EXTENSIONS):
            return ""
        if name == "config" and _PICTURES.match(line):
            return ""
        if name == "time" and _is_python(line):
            return line
    raise refusal(
        place,
        f"`%{name}` is IPython's, and a module has nothing for it.",
        "Write it in Python, or move it to a cell that is no stage and no setup.",
    )


def _is_python(line: str) -> bool:
    try:
        return bool(compile_cell(line).body)
    except (SyntaxError, CellSyntaxError):
        return False
