"""What would be another answer where each stage runs in a process of its own and gets copies of what it takes.

In one process, names may share an object, and what a stage changes of it is seen under all of them; so are the state of
a random generator and the options of a library. Where each stage works on copies, a change that is seen later has to be
handed over under its name, and the rest of it is refused, with the place.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from stagebook.book.definitions import NOTHING_KNOWN
from stagebook.book.effects import EFFECT_METHODS, PURE_METHODS, SOLID_ATTRIBUTES
from stagebook.book.frames import BEFORE
from stagebook.book.naming import Naming
from stagebook.book.objects import Class, Function, Module, Object, TangledError
from stagebook.book.syntax import compile_cell
from stagebook.export.functions import StageFunction
from stagebook.export.imports import imports_in
from stagebook.export.plain import plain_source, refusal
from stagebook.model import Cell, Pipeline, Place, Stage, frozen_map

LOOKS_CHANGE = ("defaultdict", "__missing__")
"""Words in code that has types that change as they are looked at."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """What names share when a stage begins, and what they hold when it is done.

    Attributes:
        before: per stage, the objects behind each name when it begins; None where the code is too tangled to tell.
        after: per stage, the names behind which there are functions that only pickling by value carries elsewhere.
    """

    before: Mapping[str, Mapping[str, frozenset[Object]] | None]
    after: Mapping[str, frozenset[str]]

    def tied(self, stage: str, one: str, other: str) -> bool:
        """Whether two names may share an object when the stage begins."""
        known = self.before[stage]
        return known is None or bool(known.get(one, frozenset()) & known.get(other, frozenset()))


def sharing(pipeline: Pipeline, top: Iterable[str]) -> Sharing:
    """What the names of a pipeline share.

    Args:
        pipeline: the pipeline.
        top: names that a module binds for all stages.
    """
    known = frozenset(top) - _defined_twice(pipeline)
    looks = any(word in cell.source for cell in pipeline.cells for word in LOOKS_CHANGE)
    following: Naming | None = Naming(NOTHING_KNOWN)
    before: dict[str, Mapping[str, frozenset[Object]] | None] = {}
    after: dict[str, frozenset[str]] = {}
    views: dict[str, set[str]] = {}
    alive: list[ast.Module] = []  # objects are known by the nodes that make them, as long as these are there
    following = _followed(following, pipeline.preamble, alive)
    for stage in pipeline.stages:
        before[stage.name] = None if following is None else _objects(following, views)
        following = _followed(following, stage.cells, alive)
        for cell in stage.cells:
            _add_views(compile_cell(plain_source(cell)), views, every=looks)
        after[stage.name] = frozenset(stage.names.binds) if following is None else _callables(following, known)
        after[stage.name] |= _modules(stage)
    return Sharing(before, after)


def _followed(following: Naming | None, cells: Sequence[Cell], alive: list[ast.Module]) -> Naming | None:
    if following is None:
        return None
    try:
        for cell in cells:
            following.cell, following.line = cell.number, 1
            alive.append(compile_cell(plain_source(cell)))
            following.run(alive[-1].body)
    except (TangledError, RecursionError):
        return None
    return following


def _objects(following: Naming, views: Mapping[str, set[str]]) -> dict[str, frozenset[Object]]:
    """By name, the objects that it leads to, also by way of what a function of the notebook's looks up."""
    found: dict[str, frozenset[Object]] = {}
    for name, (status, value) in following.globals.items():
        if status != BEFORE:
            found[name] = following.heap.reachable(value.objects)
    for name, things in tuple(found.items()):
        looked_up = {part for thing in things if isinstance(thing, Function) for part in _names_in(thing.node)}
        more = [found[one] for one in looked_up if one in found]
        found[name] = frozenset(one for thing in things.union(*more) for one in _kept(thing))
    for name, bases in views.items():
        found[name] = found.get(name, frozenset()).union(*(found.get(base, frozenset()) for base in bases))
    return found


def _kept(thing: Object) -> Iterator[Object]:
    """What of a thing can be shared: a function that a stage makes holds the variables of the one around it."""
    if isinstance(thing, Function):
        while thing.outer is not None:
            thing = thing.outer
            yield thing
        return
    if not isinstance(thing, (Class, Module)):
        yield thing


def _defined_twice(pipeline: Pipeline) -> frozenset[str]:
    cells = [*pipeline.preamble, *(cell for stage in pipeline.stages for cell in stage.cells)]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    nodes = [node for cell in cells for node in ast.walk(compile_cell(plain_source(cell))) if isinstance(node, kinds)]
    found = Counter(node.name for node in nodes)
    return frozenset(name for name, count in found.items() if count > 1)


def _names_in(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _callables(following: Naming, top: frozenset[str]) -> frozenset[str]:
    """The names behind which there are functions that no module has under their name."""
    found = set()
    for name, (_, value) in following.globals.items():
        things = following.heap.reachable(value.objects)
        strange = any(isinstance(thing, Function) and thing.name not in top for thing in things)
        if strange:
            found.add(name)
    return frozenset(found)


def _modules(stage: Stage) -> frozenset[str]:
    """The names that a stage's imports bind: modules are pickled by value alone."""
    nodes = [node for cell in stage.cells for node in ast.walk(compile_cell(plain_source(cell)))]
    kinds = (ast.Import, ast.ImportFrom)
    return frozenset(one.binds for node in nodes if isinstance(node, kinds) for one in imports_in(node))


def _add_views(tree: ast.Module, views: dict[str, set[str]], *, every: bool) -> None:
    """Note `part = whole[2:5]`, which is a window on an array; `every` other item, too, where looking may make it."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        bases = {
            part.value.id
            for part in ast.walk(node.value)
            if isinstance(part, ast.Subscript)
            and isinstance(part.value, ast.Name)
            and (every or any(isinstance(one, ast.Slice) for one in ast.walk(part.slice)))
        }
        for target in node.targets:
            if isinstance(target, ast.Name):
                views.pop(target.id, None)
                if bases:
                    views[target.id] = bases - {target.id}


def refuse_shared(
    functions: Sequence[StageFunction],
    reads: Mapping[str, frozenset[str]],
    changes: Mapping[str, Mapping[str, Place]],
    shared: Sharing,
) -> None:
    """Nothing, where what a stage changes in place is seen later by its own name alone.

    Args:
        functions: the stages', in order.
        reads: per stage, the names whose values from before it looks at.
        changes: per stage, the names whose objects it changes, or may change.
        shared: what names share.

    Raises:
        StagebookError: it is seen by another name, too.
    """
    for position, function in enumerate(functions):
        stage = function.stage.name
        after = {name for one in functions[position + 1 :] for name in reads[one.stage.name]}
        for name, place in changes[stage].items():
            is_sure = name in function.stage.names.changes
            for other in sorted((after | reads[stage] if is_sure else after) - {name}):
                if shared.tied(stage, name, other):
                    raise refusal(
                        place,
                        f"stage `{stage}` changes `{name}` in place, which may share an object with `{other}`, "
                        "and nodes get copies of their own.",
                        f"Copy it where `{name}` or `{other}` is made, or give both to later stages as one value.",
                    )


def refuse_changed_top(pipeline: Pipeline, top: frozenset[str], made: Mapping[str, frozenset[str]]) -> None:
    """Nothing, where no stage changes what stands at the module's top level.

    Args:
        pipeline: the pipeline.
        top: the names that are bound there.
        made: per stage, the names that it takes or binds.

    Raises:
        StagebookError: one does.
    """
    for stage in pipeline.stages:
        for name, place in stage.names.changes.items():
            if name in top and name not in made[stage.name]:
                raise refusal(
                    place,
                    f"stage `{stage.name}` changes `{name}`, which setup or a definition makes: "
                    "other nodes may run in processes of their own, and would not see it.",
                    f"Make `{name}` in a stage, or return the new value.",
                )


@dataclass(frozen=True, slots=True)
class Changes:
    """What a stage changes of what it takes.

    Attributes:
        sure: the names whose objects it changes, or may change, as far as the code shows.
        unseen: names that it gives to well-known packages, which are not expected to change them.
    """

    sure: Mapping[str, Place]
    unseen: frozenset[str]


def changes_of(stage: Stage, taken: Iterable[str], trusted: frozenset[str], *, looks_change: bool) -> Changes:
    """What a stage changes of these names.

    Args:
        stage: the stage.
        taken: names whose objects are there before it begins.
        trusted: names by which the code knows functions of well-known packages.
        looks_change: whether there are types that change as they are looked at.
    """
    names = stage.names
    sure: dict[str, Place] = {}
    unseen: set[str] = set()
    called = {
        node.func.id: Place(cell.number, node.lineno)
        for cell in stage.cells
        for node in ast.walk(compile_cell(plain_source(cell)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    for name in taken:
        if name in names.changes:
            sure[name] = names.changes[name]
        elif name in called:
            sure[name] = called[name]
        elif looks_change and name in names.reads:
            sure[name] = names.reads[name]
        elif name in names.touches:
            trees = [compile_cell(plain_source(cell)) for cell in stage.cells]
            known = all(_only_given(tree, name, trusted) for tree in trees)
            if known and not _is_changed_as_another(stage, name):
                unseen.add(name)
            else:
                sure[name] = names.touches[name]
    return Changes(frozen_map(sure), frozenset(unseen))


def _is_changed_as_another(stage: Stage, name: str) -> bool:
    """Whether what may change a name's object is code for its effect on another: `deeper.tags.append("y")`."""
    place = stage.names.touches[name]
    cell = next((one for one in stage.cells if one.number == place.cell), None)
    if cell is None:
        return False
    statements = [
        node
        for node in ast.walk(compile_cell(plain_source(cell)))
        if isinstance(node, ast.stmt) and node.lineno <= place.line <= (node.end_lineno or node.lineno)
    ]
    inner = max(statements, key=lambda node: node.lineno, default=None)  # the innermost begins last
    return inner is not None and name not in _names_in(inner) and any(map(_has_effect, ast.walk(inner)))


def _has_effect(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in EFFECT_METHODS.keys() - _FITTING
    return isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load)


def _only_given(node: ast.AST, name: str, trusted: frozenset[str]) -> bool:
    """Whether code only gives a name's object to well-known packages, or asks it something."""
    if isinstance(node, ast.Name):
        return node.id != name
    if isinstance(node, ast.Call) and (_root(node.func) in trusted or _asks(node.func)):
        return _only_given(node.func, name, trusted) if not _asks_of(node.func, name) else True
    if isinstance(node, ast.Subscript) and _is_plain(node.value) and isinstance(node.ctx, ast.Load):
        return isinstance(node.slice, ast.Name) or _only_given(node.slice, name, trusted)
    if isinstance(node, ast.Starred):  # `[*columns, "x"]`
        return isinstance(node.value, ast.Name) or _only_given(node.value, name, trusted)
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp)) and _looks_at_each(node):
        parts = [one for one in ast.iter_child_nodes(node) if not isinstance(one, ast.comprehension)]
        parts += [part for one in node.generators for part in one.ifs]
        return all(_only_given(part, name, trusted) for part in parts)
    if isinstance(node, (ast.BinOp, ast.Compare)):
        parts = [node.left, *(node.comparators if isinstance(node, ast.Compare) else [node.right])]
        return all(isinstance(part, ast.Name) or _only_given(part, name, trusted) for part in parts)
    return all(_only_given(child, name, trusted) for child in ast.iter_child_nodes(node))


def _looks_at_each(node: ast.ListComp | ast.SetComp | ast.DictComp) -> bool:
    """Whether it runs over names alone, and does nothing to the elements but ask them something."""
    if not all(isinstance(one.iter, ast.Name) and isinstance(one.target, ast.Name) for one in node.generators):
        return False
    called = [one.func for one in ast.walk(node) if isinstance(one, ast.Call)]
    return all(isinstance(one, ast.Attribute) and one.attr in PURE_METHODS for one in called)


def _is_plain(node: ast.expr) -> bool:
    """Whether it is a name, or `name.loc` and the like."""
    if isinstance(node, ast.Attribute) and node.attr in SOLID_ATTRIBUTES:
        node = node.value
    return isinstance(node, ast.Name)


def _asks(function: ast.expr) -> bool:
    """Whether it is a builtin or a method that changes nothing, not even what it is given."""
    if isinstance(function, ast.Name):
        return function.id in _ASKING
    return isinstance(function, ast.Attribute) and function.attr in {*PURE_METHODS, *_FITTING}


def _asks_of(function: ast.expr, name: str) -> bool:
    if not isinstance(function, ast.Attribute) or PURE_METHODS.get(function.attr, "part") == "part":
        return False
    return isinstance(function.value, ast.Name) and function.value.id == name


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Call)):
        node = node.value if isinstance(node, ast.Attribute) else node.func
    return node.id if isinstance(node, ast.Name) else ""


_FITTING = frozenset({"fit", "fit_transform", "fit_predict"})
_ASKING = frozenset(
    {
        *("len", "range", "list", "tuple", "set", "dict", "sorted", "max", "min", "sum", "print", "float", "int"),
        *("str", "round"),
    }
)


def refuse_keeping(pipeline: Pipeline, top: frozenset[str]) -> None:
    """Nothing, where no function or class at the top level keeps something from call to call for several stages.

    Args:
        pipeline: the pipeline.
        top: the names that are bound there.

    Raises:
        StagebookError: one does.
    """
    cells = [*pipeline.preamble, *(cell for stage in pipeline.stages for cell in stage.cells)]
    trees = [(cell.number, compile_cell(plain_source(cell))) for cell in cells]
    stored = {
        node.value.id
        for _, tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
    for number, tree in trees:
        for node in tree.body:
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name not in top:
                continue
            users = [stage for stage in pipeline.stages if node.name in {*stage.names.reads, *stage.names.binds}]
            if len(users) > 1 and (node.name in stored or _keeps(node)):
                raise refusal(
                    Place(number, node.lineno),
                    f"`{node.name}` keeps something from call to call, and several stages use it: "
                    "nodes may run in processes of their own.",
                    "Hand it over as a value.",
                )


def _keeps(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether a definition holds a mutable value: a default, or an attribute of a class."""
    if isinstance(node, ast.FunctionDef):
        return any(isinstance(one, _MUTABLE) for one in (*node.args.defaults, *node.args.kw_defaults))
    values = [one.value for one in node.body if isinstance(one, (ast.Assign, ast.AnnAssign))]
    inner = [one for one in node.body if isinstance(one, ast.FunctionDef)]
    return any(isinstance(one, _MUTABLE) for one in values) or any(map(_keeps, inner)) or _stores_in_class(node)


def _stores_in_class(node: ast.ClassDef) -> bool:
    return any(
        isinstance(one, ast.Attribute)
        and not isinstance(one.ctx, ast.Load)
        and isinstance(one.value, ast.Name)
        and one.value.id == "cls"
        for one in ast.walk(node)
    )


_MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
