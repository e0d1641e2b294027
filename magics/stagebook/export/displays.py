"""What a cell shows: the expression at its end, calls of `display`, the figures that Jupyter closes after it."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from stagebook.book.definitions import Definitions
from stagebook.book.effects import FRESH_PARENTS
from stagebook.book.names import analyse
from stagebook.export.chunks import Chunk, comments_above, replaced
from stagebook.export.plain import refusal
from stagebook.model import Place

Displays = Literal["drop", "print"]

_SHOWING = frozenset(
    {
        *("head", "tail", "describe", "value_counts", "corr", "cov", "mean", "median", "std", "var", "sum", "min"),
        *("max", "count", "nunique", "unique", "isna", "isnull", "notna", "notnull", "any", "all", "round", "quantile"),
        *("sort_values", "sort_index", "groupby", "pivot_table", "pivot", "unstack", "stack", "reset_index"),
        *("set_index", "dropna", "fillna", "astype", "to_frame", "nlargest", "nsmallest", "idxmax", "idxmin"),
        *("duplicated", "memory_usage", "tolist", "to_list", "to_dict", "copy", "upper", "lower", "strip", "size"),
    }
)
"""Methods that are called to look at something; those that another type has for an effect (`Path.rename`) are not."""
_BUILTINS = frozenset({"len", "str", "repr", "round", "abs", "float", "int", "bool", "type", "isinstance"})
_TABLES = frozenset({"pandas.DataFrame", "pandas.Series", "pandas.concat", "pandas.crosstab", "numpy.round"})
_CHANGING_LOOKS = ("defaultdict", "__missing__", "__getitem__", "__getattr", "property")
_PARTS = (
    *(ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp),
    *(ast.Tuple, ast.List, ast.Dict, ast.Set, ast.JoinedStr, ast.FormattedValue, ast.Starred, ast.Slice, ast.keyword),
    *(ast.operator, ast.unaryop, ast.cmpop, ast.boolop, ast.expr_context, ast.Call),
)


@dataclass(frozen=True, slots=True)
class Showing:
    """How what cells show is turned into a module's code.

    Attributes:
        displays: whether it is left out, or printed.
        paths: what module-level names stand for, as far as they are imported.
        functions: the module's own functions, by name.
        known: what the analysis knows of setup.
        bound: names that the notebook binds.
        looks_change: whether there are types that change as they are looked at.
        draws: names of functions and modules that draw with pyplot.
        closing: the line that closes all figures.
    """

    displays: Displays
    paths: Mapping[str, str]
    functions: Mapping[str, ast.FunctionDef]
    known: Definitions
    bound: frozenset[str]
    looks_change: bool
    draws: frozenset[str]
    closing: str

    def text(self, chunk: Chunk, *, is_last: bool) -> str:
        """The chunk's code, displays dropped or printed.

        Args:
            chunk: of a cell.
            is_last: whether it is the one at the cell's end, of which a bare expression is shown.

        Raises:
            StagebookError: a `display` can be neither.
        """
        statement = chunk.statements[0] if len(chunk.statements) == 1 else None
        if isinstance(statement, ast.Expr):
            shown = self._displayed(statement.value)
            if shown is not None and self.displays == "drop" and all(map(self._only_shows, shown)):
                return comments_above(chunk)
            if is_last and shown is None and self._only_shows(statement.value):
                if self.displays == "drop":
                    return comments_above(chunk)
                if not chunk.text.rstrip().endswith(";"):
                    return replaced(chunk, [(statement.value, "print({})")])
        return self._printed(chunk)

    def _printed(self, chunk: Chunk) -> str:
        """With `print` in the place of the notebook's `display`."""
        found = [
            node
            for statement in chunk.statements
            for node in ast.walk(statement)
            if isinstance(node, ast.Name) and node.id == "display" and self.has_jupyters_display
        ]
        if not found:
            return chunk.text
        calls = [node for one in chunk.statements for node in ast.walk(one) if isinstance(node, ast.Call)]
        plain = {id(call.func) for call in calls if not call.keywords}
        for node in found:
            if self.displays == "drop" or id(node) not in plain:
                remedy = "Export with displays=print, or take it out." if id(node) in plain else "Take it out."
                raise refusal(Place(chunk.cell, node.lineno), "`display` is Jupyter's.", remedy)
        return replaced(chunk, [(node, "print") for node in found])

    @property
    def has_jupyters_display(self) -> bool:
        """Whether `display` is the notebook's, imported or not."""
        return "display" not in self.bound or self.paths.get("display", "").startswith("IPython.")

    def _displayed(self, node: ast.expr) -> list[ast.expr] | None:
        """What `display(...)` shows; None for anything else."""
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "display"
        if not is_call or not self.has_jupyters_display:
            return None
        assert isinstance(node, ast.Call)
        return node.args

    def _only_shows(self, node: ast.expr) -> bool:
        """Whether evaluating this does nothing but give a value."""
        if not self._is_made_of_looks(node, deep=True):
            return False
        statement = ast.copy_location(ast.Expr(_Unpacked().visit(copy.deepcopy(node))), node)
        names = analyse([(1, ast.Module([statement], []))], known=self.known).names
        return not names.changes and not names.touches and not names.binds

    def _is_made_of_looks(self, node: ast.expr, *, deep: bool) -> bool:
        for part in ast.walk(node):
            if not isinstance(part, _PARTS):
                return False
            if isinstance(part, (ast.Subscript, ast.Attribute)) and self.looks_change:
                return False
            if isinstance(part, ast.Call) and not self._is_quiet(part, deep=deep):
                return False
        return True

    def _is_quiet(self, call: ast.Call, *, deep: bool) -> bool:
        function = call.func
        path = self._path(function)
        if path is not None:
            return path in _TABLES or path.rpartition(".")[0] in FRESH_PARENTS
        if isinstance(function, ast.Attribute):
            return function.attr in _SHOWING
        if not isinstance(function, ast.Name):
            return False
        if function.id in self.functions:
            return deep and self._does_nothing_else(self.functions[function.id])
        return function.id in _BUILTINS and function.id not in self.bound

    def _does_nothing_else(self, function: ast.FunctionDef) -> bool:
        """Whether a function of the module's only returns what it works out in one expression."""
        body = [one for one in function.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]
        if function.decorator_list or len(body) != 1 or not isinstance(body[0], ast.Return):
            return False
        return body[0].value is not None and self._is_made_of_looks(body[0].value, deep=False)

    def _path(self, node: ast.expr) -> str | None:
        """The dotted path into a package that an expression is."""
        if isinstance(node, ast.Name):
            return self.paths.get(node.id)
        if isinstance(node, ast.Attribute):
            before = self._path(node.value)
            return None if before is None else f"{before}.{node.attr}"
        return None

    def closes_figures(self, chunks: Iterable[Chunk]) -> bool:
        """Whether Jupyter may have figures to close when these, a whole cell, have run."""
        return any(_draws(node, self.draws) for chunk in chunks for one in chunk.statements for node in ast.walk(one))


class _Unpacked(ast.NodeTransformer):
    """Puts `{0: x}` in the place of `{**x}`: a mapping is not used up by being read, as an iterator is."""

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        self.generic_visit(node)
        node.keys = [key or ast.copy_location(ast.Constant(0), node) for key in node.keys]
        return node


_DRAWING = frozenset({"plot", "hist", "boxplot"})
_SETTING = frozenset(
    {
        *("rcParams", "rc", "rcdefaults", "style", "rc_context", "switch_backend", "ion", "ioff", "set", "set_theme"),
        *("set_style", "set_palette", "set_context", "color_palette", "colormaps", "cm", "close"),
    }
)
"""What pyplot and seaborn have that draws nothing."""
_PYPLOT = ("matplotlib.pyplot", "matplotlib.pylab", "seaborn")


def _draws(node: ast.AST, names: frozenset[str]) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in _DRAWING
    return isinstance(node, ast.Name) and node.id in names


def drawing_at(chunk: Chunk, names: frozenset[str]) -> int | None:
    """The line on which top-level code draws, if it does."""
    if chunk.is_definition or chunk.is_import:
        return None
    for statement in chunk.statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
                if node.attr not in _SETTING:
                    return node.lineno
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                return node.lineno
    return None


def drawing_names(paths: Mapping[str, str], functions: Mapping[str, ast.stmt]) -> frozenset[str]:
    """The names by which code comes to pyplot: its own, and those of functions that draw."""
    names = {name for name, path in paths.items() if path.startswith(_PYPLOT)}
    while True:
        more = {
            name
            for name, one in functions.items()
            if name not in names and any(_draws(node, frozenset(names)) for node in ast.walk(one))
        }
        if not more:
            return frozenset(names)
        names |= more


def looks_change(sources: Iterable[str]) -> bool:
    """Whether the code has types that change as they are looked at."""
    return any(word in source for source in sources for word in _CHANGING_LOOKS)
