"""What a cell is made of: the kinds of its statements, as a reader tells them apart at a glance."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from stagebook.book.syntax import nodes_of
from stagebook.book.verbs import Known, Verb, path_of, saves_picture, verbs_of

Kind = Literal[
    "import",
    "definition",
    "style",
    "option",
    "literal",
    "constant",
    "say",
    "check",
    "comment",
    "install",
    "look",
    "opaque",
    "work",
]
"""`style` are options of what is shown, `install` is what one does by hand, `opaque` a call that nothing tells of."""

_LAYING_OUT = frozenset({"import", "definition", "style", "option", "literal", "constant"})
_BESIDE = frozenset({"say", "check", "comment", "install"})
_OPTION = re.compile(
    r"set|set_\w+|reset_\w+|use|rc|rcdefaults|rc_params|filterwarnings|simplefilter|seed\w*|manual_seed\w*|enable\w*"
    r"|disable\w*|basicConfig|setLevel|captureWarnings|register\w*|init_notebook_mode|mount|chdir|clear_session"
    r"|init_printing|load_dotenv|setdefault|ion|ioff|autolog|login|pandas|extension|setup\w*|configure\w*"
)
_OPTION_PATH = re.compile(r"sys\.path\.\w+|os\.environ\.\w+|nltk\.download|gc\.collect")
_LOOK = re.compile(
    r"\w*(plot|show|display|print|hist|head|tail|info|describe|summary|draw|visuali[sz]e|heatmap|fig(ure)?|imshow"
    r"|scatter|legend|title|label|ticks?|subplots?|axis|axes|axh?v?line|grid|view|inspect|render|sample|bar|pie|annotate"
    r"|text|lim|layout|colorbar|value_counts|corr|unique|isnull)\w*"
)
_DRAWING = re.compile(
    r"(matplotlib|seaborn|plotly|bokeh|altair|missingno|shap|graphviz|IPython|ipywidgets|folium|wordcloud|yellowbrick"
    r"|pandas_profiling|ydata_profiling|sweetviz|mpl_toolkits|pandas\.plotting|cufflinks|holoviews)\b"
)
_STYLE = re.compile(
    r"(matplotlib|seaborn|plotly|warnings|cufflinks|IPython)\b|pandas\.(set_option|options)\b|numpy\.set_printoptions"
)
_SAYING = frozenset({"print", "pprint", "display"})
_FOLDERS = frozenset({"makedirs", "mkdir"})
_INTERACTIVE = frozenset({"interact", "interactive", "interact_manual"})
_MAKING_TYPES = frozenset({"namedtuple", "TypeVar", "NewType", "make_dataclass", "Enum", "partial"})
_PLAIN_CALLS = re.compile(
    r"(len|int|float|str|bool|list|dict|tuple|set|range|sorted|min|max|round|sum|zip|format|join|getcwd|getenv|get"
    r"|device|is_available|datetime|timedelta|date|expanduser|abspath|dirname|basename|Path|PurePath|home|cwd|resolve"
    r"|lower|upper|split|strip|cpu_count)"
)
_MAGIC = re.compile(r"(?P<mark>[!%]{1,2})\s*(?P<name>[\w.+-]*)\s*(?P<rest>.*)", re.DOTALL)
_BY_HAND = re.compile(
    r"(pip3?|conda|mamba|apt(-get)?|brew|sudo|poetry|uv|wget|curl|unzip|tar|gunzip|kaggle|gdown|git\s+clone|gsutil|7z|rm|mv"
    r"|aws\s+s3)\b|.*\bpip3?\s+install\b|(bash|sh)\b.*\b(wget|curl|unzip|kaggle|pip)\b",
    re.DOTALL,
)
_STYLE_MAGICS = re.compile(r"matplotlib|config|load_ext|reload_ext|autoreload")
_SETTING_MAGICS = re.compile(r"env|set_env|pylab|tensorflow_version|cd")


@dataclass(frozen=True, slots=True)
class Doings:
    """What a cell is made of, and what it does.

    Attributes:
        kinds: of its statements, each with its line.
        verbs: what they do, the foremost first.
        saves_picture: whether they write a picture to a file.
        calls: whether they call anything.
        opaque: the names in statements of which nothing tells what they do.
    """

    kinds: tuple[tuple[Kind, int], ...] = ()
    verbs: tuple[Verb, ...] = ()
    saves_picture: bool = False
    calls: bool = False
    opaque: frozenset[str] = frozenset()

    def has(self, *kinds: Kind) -> bool:
        """Whether there is a statement of one of these kinds."""
        return any(kind in kinds for kind, _ in self.kinds)

    def only(self, *kinds: Kind) -> bool:
        """Whether there are statements of these kinds and, comments aside, of no other."""
        found = {kind for kind, _ in self.kinds} - {"comment"}
        return bool(found) and found <= {*kinds}

    @property
    def lays_out(self) -> bool:
        """Whether it does what setup is for: it imports, defines, sets options and constants, and nothing beyond."""
        found = {kind for kind, _ in self.kinds}
        return bool(found & _LAYING_OUT) and found <= _LAYING_OUT | _BESIDE

    @property
    def looks(self) -> bool:
        """Whether it shows something."""
        return self.has("look", "say", "check", "opaque")


def doings_of(tree: ast.Module, known: Known) -> Doings:
    """What a cell is made of."""
    kinds: list[tuple[Kind, int]] = []
    opaque: set[str] = set()
    for statement in tree.body:
        kind = _kind(statement, known, last=statement is tree.body[-1])
        kinds.append((kind, getattr(statement, "lineno", 1)))
        if kind == "opaque":
            opaque |= {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    calls = any(isinstance(node, ast.Call) for node in nodes_of(tree))
    pictures = saves_picture(tree.body, known)
    return Doings(tuple(kinds), verbs_of(tree.body, known), pictures, calls=calls, opaque=frozenset(opaque))


def _kind(node: ast.stmt, known: Known, *, last: bool = False) -> Kind:
    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("%"):
        return "work"  # `%run` binds what cannot be listed, see `magic_syntax`
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return "import"
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return "look" if any(_last_part(one, known) in _INTERACTIVE for one in node.decorator_list) else "definition"
    if isinstance(node, ast.Expr):
        return _of_expression(node.value, known, last=last)
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return _of_assignment(node, known)
    if isinstance(node, ast.Assert):
        return "check"
    if isinstance(node, ast.Pass):
        return "comment"
    if isinstance(node, (ast.If, ast.Try, ast.With, ast.For)):
        return _of_block(node, known)
    return "work"


def _of_block(node: ast.If | ast.Try | ast.With | ast.For, known: Known) -> Kind:
    """What is heaviest of what stands in it."""
    inside = [*node.body, *getattr(node, "orelse", ()), *getattr(node, "finalbody", ())]
    inside += [statement for handler in getattr(node, "handlers", ()) for statement in handler.body]
    kinds = {_kind(statement, known) for statement in inside} - {"comment"}
    for heavy in ("work", "opaque", "look"):
        if heavy in kinds:
            return heavy
    if kinds <= _BESIDE:
        return "install" if "install" in kinds else "say"
    return next(iter(kinds)) if len(kinds) == 1 else "option"


def _of_assignment(node: ast.Assign | ast.AnnAssign, known: Known) -> Kind:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if node.value is None:
        return "comment"
    if not all(isinstance(target, (ast.Name, ast.Tuple)) for target in targets):
        paths = [path_of(target, known) for target in targets]
        if not all(imported for _, imported in paths):
            return "work"
        return "style" if all(_STYLE.match(path) for path, _ in paths) else "option"
    value = node.value
    if isinstance(value, ast.Lambda):
        return "definition"
    if isinstance(value, ast.Call):
        path, imported = path_of(value, known)
        if path.rpartition(".")[2] in _MAKING_TYPES:
            return "definition"
        if imported and _DRAWING.match(path):
            return "look"
    if is_literal(value):
        return "literal"
    return "constant" if _is_plain(value) else "work"


def is_literal(node: ast.expr) -> bool:
    """Whether an expression is made of literals alone: `2 ** 10` and `-1e-3`, too."""
    allowed = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop)
    return all(isinstance(inner, (*allowed, ast.expr_context)) for inner in ast.walk(node))


def _is_plain(node: ast.expr) -> bool:
    """Whether an expression only puts names and literals together: `os.path.join(ROOT, "data")`."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            function = inner.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if not _PLAIN_CALLS.fullmatch(name):
                return False
        elif isinstance(inner, (ast.Lambda, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.Subscript)):
            return False
    return True


def _of_expression(node: ast.expr, known: Known, *, last: bool) -> Kind:
    text = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else node
    if isinstance(text, ast.Constant):
        magic = _MAGIC.match(text.value) if isinstance(text.value, str) and node is not text else None
        return _of_magic(magic["mark"], magic["name"], f"{magic['name']} {magic['rest']}") if magic else "comment"
    if isinstance(node, ast.Name) and node.id == "get_ipython":
        return "comment"  # stands beside a magic that configures IPython, see `magic_syntax`
    if not isinstance(node, ast.Call):
        return "say" if path_of(node, known)[1] else "look"
    return _of_call(node, known, last=last)


def _of_call(node: ast.Call, known: Known, *, last: bool) -> Kind:
    path, imported = path_of(node.func, known)
    name = path.rpartition(".")[2]
    if path in _SAYING:
        inner = [one for argument in node.args for one in ast.walk(argument) if isinstance(one, ast.Call)]
        return "say" if all(path_of(one.func, known)[1] for one in inner) else "look"
    if name in _FOLDERS:
        return "say"
    if imported and (_OPTION_PATH.match(path) or _OPTION.fullmatch(name)):
        return "style" if _STYLE.match(path) else "option"
    if imported and _DRAWING.match(path):
        return "look"
    shown = last and (imported or isinstance(node.func, ast.Name))
    return "look" if shown or _LOOK.fullmatch(name) else "opaque"


def _of_magic(mark: str, name: str, line: str) -> Kind:
    if _BY_HAND.match(line):
        return "install"
    if mark == "%" and _STYLE_MAGICS.fullmatch(name):
        return "style"
    if mark == "%" and _SETTING_MAGICS.fullmatch(name):
        return "option"
    return "look"


def _last_part(node: ast.expr, known: Known) -> str:
    return path_of(node, known)[0].rpartition(".")[2]


def names_bound(statements: Sequence[ast.stmt], kinds: Sequence[Kind], known: Known) -> dict[str, int]:
    """The names that the statements of these kinds bind, each with its line."""
    found: dict[str, int] = {}
    for node in statements:
        if _kind(node, known) in kinds:
            for name in _bound(node):
                found.setdefault(name, node.lineno)
    return found


def _bound(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names if alias.name != "*"]
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]
