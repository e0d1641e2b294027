"""What stages share by way of their process and of files, where nodes run in processes of their own, in any order.

A setup cell runs in each process. What a stage leaves behind otherwise (the state of a generator, an option, a warning
filter) is refused; what it leaves in a file makes later stages wait.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from stagebook.book.files import files_of
from stagebook.book.hidden import GENERATORS, called, is_file, is_hidden
from stagebook.book.syntax import compile_cell
from stagebook.errors import StagebookError
from stagebook.export.imports import Import, imports_in
from stagebook.export.plain import plain_source, refusal
from stagebook.model import Cell, Pipeline, Place, Stage

_STAY = frozenset(
    {
        *(
            "open",
            "numpy.memmap",
            "sqlite3.connect",
            "threading.Lock",
            "threading.RLock",
            "threading.Thread",
            "socket.socket",
            "socket.socketpair",
        ),
        *("tempfile.TemporaryFile", "tempfile.NamedTemporaryFile", "tempfile.TemporaryDirectory"),
        *("concurrent.futures.ThreadPoolExecutor", "concurrent.futures.ProcessPoolExecutor", "queue.Queue"),
    }
)
"""Functions whose results cannot leave their process."""


_RANDOM = re.compile(
    r"\w*(Forest|ExtraTree|Boosting|KMeans|ShuffleSplit|SGD|MLP|Bagging|AdaBoost|DecisionTree|Perceptron|RANSAC)\w*"
    r"|train_test_split|shuffle|resample|sample|make_\w+|RandomizedSearchCV|permutation_importance|TSNE|NMF|UMAP"
    r"|TruncatedSVD|GaussianMixture|LatentDirichletAllocation|IsolationForest|PCA|Dropout|rvs"
)
"""What draws from NumPy's global generator unless it is given another."""
_OF_RANDOM = frozenset({"sklearn", "scipy", "imblearn", "umap", "pandas", "torch", "keras", "tensorflow"})
_GIVEN = frozenset({"random_state", "rng", "seed"})
_NO_DRAWS = frozenset({"make_pipeline", "make_column_transformer", "make_union", "make_scorer", "make_column_selector"})
_CONTEXTS = frozenset({"getcontext", "setcontext"})
_WRITING = re.compile(
    r"(to_|write|save|dump|export)\w*|touch|unlink|remove|rename|mkdir|makedirs|rmdir|rmtree|rmdirs|move|copyfile|copy2"
    r"|memmap|tofile|extractall|urlretrieve|system|run|check_call|Popen|symlink_to|NamedTemporaryFile|mkdtemp"
)
_NO_FILES = frozenset(
    {
        *("to_numpy", "to_dict", "to_list", "to_frame", "to_datetime", "to_numeric", "to_timedelta", "to_period"),
        *(
            "to_timestamp",
            "to_records",
            "to_string",
            "to_series",
            "to_html",
            "to_markdown",
            "to_latex",
            "to_categorical",
        ),
        *("dumps", "to", "to_pandas", "to_polars", "to_arrow", "to_tensor"),
    }
)
_ANY = "?"
"""Stands for a function whose name is worked out while the code runs."""
_READING = re.compile(
    r"(read|scan|load|open|imread|from_file|fromfile|genfromtxt|glob|rglob|iglob|iterdir|listdir|walk|scandir|stat"
    r"|exists|is_file|is_dir|connect|ZipFile|getsize|isfile|isdir)\w*"
)


def refuse_hidden(pipeline: Pipeline, imports: Iterable[Import]) -> None:
    """Nothing, where stages share nothing but the values that they hand over, and files.

    Args:
        pipeline: the pipeline.
        imports: all imports of its code.

    Raises:
        StagebookError: they do.
    """
    for stage in pipeline.stages:
        for name, source in pipeline.inputs[stage.name].items():
            if is_hidden(name) and not is_file(name):
                what = f"stage `{stage.name}` goes on with {called(name)} as stage `{source}` leaves it"
                raise _of_the_process(_place(stage, name), what, name)
    paths = {one.binds: one.path for one in imports}
    for position, stage in enumerate(pipeline.stages[:-1]):
        for name in _settings(stage, paths):
            later = pipeline.stages[position + 1 :]
            if any(_concerns(name, one, paths) for one in later):
                raise _of_the_process(_place(stage, name), f"stage `{stage.name}` changes {called(name)}", name)
    _refuse_draws(pipeline, paths)


def _of_the_process(place: Place, what: str, name: str) -> StagebookError:
    remedy = "Do it in a setup cell, or in each stage that wants it."
    if name.startswith("state:"):
        remedy = "Seed a generator in each stage: `rng = np.random.default_rng(seed)`."
    return refusal(place, f"{what}, and nodes may run in processes of their own.", remedy)


def _settings(stage: Stage, paths: Mapping[str, str]) -> Iterator[str]:
    names = stage.names
    for name in sorted({*names.changes, *names.touches, *names.binds}):
        if name.startswith(("setting:", "process:")):
            yield name
    if any(path_of(call.func, paths).rpartition(".")[2] in _CONTEXTS for call in _calls(stage.cells)):
        yield "setting:decimal"


def _concerns(setting: str, stage: Stage, paths: Mapping[str, str]) -> bool:
    """Whether a stage may be concerned by a setting: it uses the library, if it is one's."""
    library = setting.partition(":")[2]
    roots = {path.partition(".")[0] for path in paths.values()}
    if library not in roots or library in ("warnings", "logging"):
        return True
    used = {paths[name].partition(".")[0] for name in stage.names.reads if name in paths}
    return library in used | {one.partition(".")[0] for one in stage.names.imports}


def _refuse_draws(pipeline: Pipeline, paths: Mapping[str, str]) -> None:
    """A global generator that is seeded elsewhere than where it is drawn from goes on from stage to stage."""
    seeded = {call_state for call in _calls(pipeline.preamble) if (call_state := _seeds(call, paths))}
    own = {stage.name: {name for name in stage.names.binds if name.startswith("state:")} for stage in pipeline.stages}
    seeded |= {name for names in own.values() for name in names}
    for stage in pipeline.stages:
        names = stage.names
        draws = {name: _place(stage, name) for name in {*names.reads, *names.changes} if name.startswith("state:")}
        for cell in stage.cells:
            for call in _calls([cell]):
                if _draws(call, paths):
                    draws.setdefault("state:numpy.random", Place(cell.number, call.lineno))
        for name, place in draws.items():
            if name in seeded and name not in own[stage.name]:
                what = f"stage `{stage.name}` draws from {called(name)}, which is seeded elsewhere"
                raise _of_the_process(place, what, name)


def _seeds(call: ast.Call, paths: Mapping[str, str]) -> str | None:
    path, _, last = path_of(call.func, paths).rpartition(".")
    return GENERATORS.get(path) if last in ("seed", "set_state", "setstate") else None


def _draws(call: ast.Call, paths: Mapping[str, str]) -> bool:
    """Whether a call draws from NumPy's global generator without saying so."""
    path = path_of(call.func, paths)
    name = call.func.attr if isinstance(call.func, ast.Attribute) else path.rpartition(".")[2]
    if _RANDOM.fullmatch(name) is None or name in _NO_DRAWS or any(one.arg in _GIVEN for one in call.keywords):
        return False
    return name == "sample" or path.partition(".")[0] in _OF_RANDOM


def _calls(cells: Iterable[Cell]) -> list[ast.Call]:
    nodes = (node for cell in cells for node in ast.walk(compile_cell(plain_source(cell))))
    return [node for node in nodes if isinstance(node, ast.Call)]


def file_orders(pipeline: Pipeline) -> dict[str, list[str]]:
    """Per stage, the earlier ones that it meets in files whose names are not all known: one of the two writes."""
    before: list[tuple[str, bool, bool, frozenset[str]]] = []
    found: dict[str, list[str]] = {}
    helpers = _helpers(pipeline)
    for stage in pipeline.stages:
        trees = [compile_cell(plain_source(cell)) for cell in stage.cells]
        every = [*trees, *_called(trees, helpers)]
        calls = [node for tree in every for node in ast.walk(tree) if isinstance(node, ast.Call)]
        writes = any(_writes(call) for call in calls)
        reads = any(_READING.fullmatch(_last(call)) for call in calls)
        files = files_of(stage, trees)
        named = files.named | files.written if all(map(_is_named, calls)) else frozenset()
        for name, wrote, used, others in before if writes or reads else ():
            apart = named and others and not named & others
            if used and (writes or wrote) and not apart:
                found.setdefault(stage.name, []).append(name)
        before.append((stage.name, writes, writes or reads, named))
    return found


def _is_named(call: ast.Call) -> bool:
    """Whether a call is none for files, or the code tells which file."""
    if not _writes(call) and not _READING.fullmatch(_last(call)):
        return True
    return bool(call.args) and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)


def _last(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Call) and _last(function) == "getattr":
        return next((str(one.value) for one in function.args[1:2] if isinstance(one, ast.Constant)), _ANY)
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _writes(call: ast.Call) -> bool:
    name = _last(call)
    if name == "open":
        modes = [*call.args[:2], *(one.value for one in call.keywords if one.arg == "mode")]
        texts = [one.value for one in modes if isinstance(one, ast.Constant)]
        return any(isinstance(text, str) and re.fullmatch(r"[rwaxbt+]*[wax+][rwaxbt+]*", text) for text in texts)
    is_method = isinstance(call.func, ast.Attribute)
    if name in ("remove", "copy", "run", "move", "rename", "system") and is_method:
        owner = getattr(call.func.value, "id", "") if isinstance(call.func, ast.Attribute) else ""
        return owner in ("os", "shutil", "subprocess") or (
            name == "rename" and len(call.args) == 1 and not call.keywords
        )
    return name == _ANY or (_WRITING.fullmatch(name) is not None and name not in _NO_FILES)


def _helpers(pipeline: Pipeline) -> dict[str, ast.stmt]:
    """The functions and classes of the notebook, by name."""
    cells = [*pipeline.preamble, *(cell for stage in pipeline.stages for cell in stage.cells)]
    nodes = [node for cell in cells for node in ast.walk(compile_cell(plain_source(cell)))]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name: node for node in nodes if isinstance(node, kinds)}


def _called(trees: Iterable[ast.AST], helpers: Mapping[str, ast.stmt]) -> list[ast.AST]:
    """The helpers that code names, and those that they name."""
    found: dict[str, ast.AST] = {}
    waiting = list(trees)
    while waiting:
        for node in ast.walk(waiting.pop()):
            if isinstance(node, ast.Name) and node.id in helpers and node.id not in found:
                found[node.id] = helpers[node.id]
                waiting.append(helpers[node.id])
    return list(found.values())


def _place(stage: Stage, name: str) -> Place:
    names = stage.names
    for places in (names.changes, names.reads, names.touches, names.binds):
        if name in places:
            return places[name]
    return Place(stage.cells[0].number, 1)


def refuse_staying(stage: Stage, returns: Iterable[str], paths: Mapping[str, str]) -> None:
    """Nothing, where nothing that a stage hands over is known to stay in its process.

    Args:
        stage: the stage.
        returns: the names that it hands over.
        paths: what imported names stand for.

    Raises:
        StagebookError: something is.
    """
    handed = set(returns)
    for name, place in _staying(stage, paths):
        if name in handed:
            raise refusal(
                place,
                f"`{name}` cannot be handed to another process.",
                "Make a list of it, or make it in the stage that uses it.",
            )


def staying_only(stage: Stage, paths: Mapping[str, str]) -> frozenset[str]:
    """The names of a stage that are bound to nothing but what stays in its process: `with open(path) as file`."""
    nodes = [node for cell in stage.cells for node in ast.walk(compile_cell(plain_source(cell)))]
    bound = Counter(one.id for one in nodes if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store))
    found = Counter(name for name, _ in _staying(stage, paths))
    return frozenset(name for name, count in found.items() if count == bound[name])


def _staying(stage: Stage, paths: Mapping[str, str]) -> Iterator[tuple[str, Place]]:
    """The names that are bound to what stays in its process, each time that they are."""
    trees = [(cell.number, compile_cell(plain_source(cell))) for cell in stage.cells]
    nodes = [(number, node) for number, tree in trees for node in ast.walk(tree)]
    makers = {
        node.name
        for _, node in nodes
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(one, (ast.Yield, ast.YieldFrom)) for one in ast.walk(node))
        and not node.decorator_list
    }
    for number, node in nodes:
        bound: list[tuple[ast.expr | None, ast.expr]] = []
        if isinstance(node, ast.Assign):
            bound = [(one, node.value) for one in node.targets]
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            bound = [(one.optional_vars, one.context_expr) for one in node.items]
        for target, value in bound:
            if target is not None and _stays(value, makers, paths):
                for one in ast.walk(target):
                    if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
                        yield one.id, Place(number, one.lineno)


def _stays(node: ast.expr, makers: set[str], paths: Mapping[str, str]) -> bool:
    if isinstance(node, ast.GeneratorExp):
        return True
    if not isinstance(node, ast.Call):
        return False
    path = path_of(node.func, paths)
    return path in _STAY or path in makers


def path_of(node: ast.expr, paths: Mapping[str, str]) -> str:
    """The dotted path of a function; empty where it is not known."""
    if isinstance(node, ast.Name):
        return paths.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        before = path_of(node.value, paths)
        return f"{before}.{node.attr}" if before else ""
    return ""


def imports_of_pipeline(pipeline: Pipeline) -> tuple[Import, ...]:
    """All imports in its cells."""
    cells = (*pipeline.preamble, *(cell for stage in pipeline.stages for cell in stage.cells))
    nodes = [node for cell in cells for node in ast.walk(compile_cell(plain_source(cell)))]
    return tuple(one for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom)) for one in imports_in(node))
