"""IPython's syntax as Python: what its magics read, bind and run."""

from __future__ import annotations

import ast
import contextlib
import itertools
import re
import shlex
from string import Formatter

from stagebook.book.syntax import compile_cell, syntax_tree

# Cell magics whose body is run in the notebook's namespace.
_RUNS_BODY = frozenset({"time", "capture", "prun", "memit", "mprun", "snakeviz", "pyinstrument", "scalene", "wandb"})
_CONFIGURING = re.compile(
    r"(alias|alias_magic|colors|macro|precision|unalias|xmode) .*"
    r"|config (?!InlineBackend\.(figure_format|rc\b|print_figure)).*=.*"
    r"|(load_ext|reload_ext) (?!stagebook\b|autoreload\b|mlflow\b).*",
    re.DOTALL,
)
"""Magics after which IPython does otherwise in this process; those left out change pictures, or what is done again."""

_RUNS_LINE = frozenset({"time", "timeit", "prun", "memit", "snakeviz"})
_TIMED = "<timeit>"
_DOLLAR = re.compile(r"\$(\$?)([A-Za-z_]\w*(?:\.\w+)*)")
_ESCAPED = re.compile(r"^\s*(?:[\w.,\s\[\]'\"]+=\s*)?[%!]")
_SCRIPT_OUTPUTS = ("--out", "--err", "--proc")


def parse_ipython(source: str) -> ast.Module:
    """The syntax tree of a cell in IPython's syntax; SyntaxError if it is none."""
    from IPython.core.inputtransformer2 import TransformerManager

    lines = source.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        name, _, arguments = lines[first][2:].partition(" ")
        return _cell_magic(
            name.strip(), arguments.strip(), "\n" * (first + 1) + "\n".join(lines[first + 1 :]), first + 1
        )
    transformer = TransformerManager()  # type: ignore[no-untyped-call]  # IPython's, untyped
    text = transformer.transform_cell("\n".join(_joined_lines(lines[first:])))
    tree = compile_cell("\n" * first + text)
    rewritten = _Rewriting().visit(tree)
    assert isinstance(rewritten, ast.Module)
    return ast.fix_missing_locations(rewritten)


def _joined_lines(lines: list[str]) -> list[str]:
    """Each magic or command on one line, blank lines after it in place of those it went on over."""
    joined: list[str] = []
    blank = 0
    for line in lines:
        if blank and joined[-blank].endswith("\\"):
            joined[-blank] = joined[-blank][:-1] + line.strip()
            joined.append("")
            blank += 1
        else:
            joined.append(line)
            blank = 1 if line.endswith("\\") and _ESCAPED.match(line) else 0
    return joined


def _cell_magic(name: str, arguments: str, body: str, line: int) -> ast.Module:
    if name == "stage":
        return _body(body)
    if name == "timeit":
        inner = _body(body).body
        setup = _code_of(arguments)
        for statement in setup:
            _moved(statement, line)
        inner = [*setup, *inner]
        return ast.Module(body=_timed(inner, line), type_ignores=[])
    reads: list[ast.stmt] = list(_at([ast.Expr(_names_in(arguments, f"%%{name} {arguments}\n{body}"))], line))
    if name in _RUNS_BODY:
        binds = [word for word in arguments.split() if word.isidentifier()] if name == "capture" else []
        return ast.Module(body=[*_body(body).body, *_at(_bound(binds), line)], type_ignores=[])
    words = _words(arguments)
    binds = [following for word, following in itertools.pairwise(words) if word in _SCRIPT_OUTPUTS]
    return ast.Module(body=[*reads, *_at(_bound(binds), line)], type_ignores=[])


def _body(source: str) -> ast.Module:
    """The body of a cell magic; it may start with another magic."""
    try:
        return compile_cell(source)
    except SyntaxError:
        return parse_ipython(source)


def _words(arguments: str) -> list[str]:
    try:
        return shlex.split(arguments)
    except ValueError:
        return arguments.split()


def _bound(names: list[str]) -> list[ast.stmt]:
    return [
        ast.Assign(targets=[ast.Name(name, ast.Store())], value=ast.List([], ast.Load()))
        for name in names
        if name.isidentifier()
    ]


def _timed(body: list[ast.stmt], line: int) -> list[ast.stmt]:
    """Code that `timeit` runs as the body of a function of its own: what it binds stays there."""
    none = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    function = ast.FunctionDef(_TIMED, none, body or [ast.Pass()], [])
    if "type_params" in ast.FunctionDef._fields:
        function.type_params = []  # type: ignore[attr-defined,unused-ignore]  # since Python 3.12
    call = ast.Expr(ast.Call(ast.Name(_TIMED, ast.Load()), [], []))
    return _at([function, call], line)


def _at(statements: list[ast.stmt], line: int) -> list[ast.stmt]:
    """Statements of one line's code, placed on that line."""
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(
                node, (ast.stmt, ast.expr, ast.excepthandler, ast.arg, ast.keyword, ast.alias)
            ) and not hasattr(node, "lineno"):
                node.lineno, node.end_lineno, node.col_offset, node.end_col_offset = line, line, 0, 0
    return statements


def _names_in(text: str, whole: str) -> ast.expr:
    """An expression that reads what `{expr}` and `$name` in `text` read, and that differs where `whole` differs."""
    found: list[ast.expr] = []
    try:
        fields = [field for _, field, _, _ in Formatter().parse(text) if field]
    except ValueError:
        fields = []
    for field in [*fields, *(name for escaped, name in _DOLLAR.findall(text) if not escaped)]:
        try:
            found.append(syntax_tree(field.strip(), mode="eval").body)
        except SyntaxError:
            continue  # braces of another language, `awk '{print $1}'`: IPython leaves them alone, too
    return ast.JoinedStr([ast.Constant(whole), *(ast.FormattedValue(value, -1, None) for value in found)])


class _Rewriting(ast.NodeTransformer):
    """Puts the names that magics read and bind in the place of IPython's calls."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | list[ast.stmt]:
        """A magic that stands for itself."""
        call = _ipython_call(node.value)
        if call is None:
            return self.generic_visit(node)
        method, words = call
        if method == "run_cell_magic":
            return _cell_magic(words[0], words[1], "\n" * node.lineno + words[2], node.lineno).body
        if method != "run_line_magic":
            return _placed(ast.Expr(_names_in(words[0], f"!{words[0]}")), node)
        name, line = words[0], words[1]
        if name in ("pinfo", "pinfo2", "psearch"):
            return _placed(ast.Pass(), node)
        if name in _RUNS_LINE:
            return self._code(name, line, node)
        if name == "run" or (name == "store" and "-r" in line.split()) or name == "pylab":
            star = ast.ImportFrom(f"%{name} {line}".strip(), [ast.alias("*")], 0)
            return [*_at([ast.Expr(_names_in(line, f"%{name} {line}"))], node.lineno), *_at([star], node.lineno)]
        said = ast.Expr(_names_in(line, f"%{name} {line}"))
        if _CONFIGURING.fullmatch(f"{name} {line}"):
            return _at([said, ast.Expr(ast.Name("get_ipython", ast.Load()))], node.lineno)
        return _placed(said, node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A magic whose result is used."""
        call = _ipython_call(node)
        if call is None:
            return self.generic_visit(node)
        method, words = call
        if method == "run_line_magic":
            if words[0] in ("time", "prun"):
                body = _code_of(words[1])
                if len(body) == 1 and isinstance(body[0], ast.Expr):
                    return _moved(body[0].value, node.lineno)
            return _placed(ast.List([_names_in(words[1], f"%{words[0]} {words[1]}")], ast.Load()), node)
        return _placed(ast.List([_names_in(words[0], f"!{words[0]}")], ast.Load()), node)

    def _code(self, name: str, line: str, node: ast.stmt) -> list[ast.stmt]:
        body = _code_of(line)
        for statement in body:
            _moved(statement, node.lineno)
        return _timed(body, node.lineno) if name == "timeit" else body


def _code_of(line: str) -> list[ast.stmt]:
    """The code on a magic's line, after the magic's options and their values."""
    while line.startswith("-"):
        line = line.partition(" ")[2].lstrip()
        if not line.startswith("-"):
            with contextlib.suppress(SyntaxError):
                return compile_cell(line).body
            line = line.partition(" ")[2].lstrip()  # the value of an option, `-n 10`
    return compile_cell(line).body


def _moved(node: ast.AST, line: int) -> ast.AST:
    return ast.increment_lineno(node, line - 1)


def _placed(node: ast.AST, original: ast.stmt | ast.expr) -> ast.AST:
    for inner in ast.walk(node):
        ast.copy_location(inner, original)
    return node


def _ipython_call(node: ast.expr) -> tuple[str, list[str]] | None:
    """The method and the texts of `get_ipython().method("text", ...)`; None for anything else."""
    if not (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call)
    ):
        return None
    inner = node.func.value.func
    if not (isinstance(inner, ast.Name) and inner.id == "get_ipython") or node.keywords:
        return None
    methods = {"run_line_magic": 2, "run_cell_magic": 3, "system": 1, "getoutput": 1}
    texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    if methods.get(node.func.attr) != len(texts):
        return None
    return node.func.attr, texts
