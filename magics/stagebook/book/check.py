"""What is wrong, or looks wrong, in a notebook's data flow; `findings.CODES` lists the codes."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from stagebook.book.again import once
from stagebook.book.cells import without_magic
from stagebook.book.control import control_names
from stagebook.book.drifting import drift_names
from stagebook.book.findings import finding
from stagebook.book.fixes import is_setup_like, renamed_name, tagged_as
from stagebook.book.graph import AMBIENT, Unresolved, names_taken
from stagebook.book.hidden import is_hidden
from stagebook.book.places import segments_before
from stagebook.book.syntax import nodes_of
from stagebook.errors import did_you_mean
from stagebook.model import Cell, Edge, Finding, Fix, Names, Pipeline, Place, Stage

if TYPE_CHECKING:
    from stagebook.book.pipeline import Draft


OF_IPYTHON = re.compile(r"\s*(?:[\w\s,.]+=\s*)?[!%]")


def sorted_findings(findings: Iterable[Finding]) -> list[Finding]:
    """In the order in which one reads the notebook, each once."""
    return sorted(set(findings), key=lambda found: (found.place or Place(0, 0), found.code, found.message))


def unresolved(draft: Draft, missing: Iterable[Unresolved]) -> list[Finding]:
    """A finding for each name that a stage reads and nothing before it provides: deleted, later, explored, nowhere.

    Of names bound nowhere nothing is said where a star import may bind them, or a cell could not be parsed.
    """
    own = {stage.name: stage.names for stage in draft.stages}
    found = [
        _unresolved(draft, one)
        for one in missing
        if not own[one.stage].star_imports
        and not _is_left_alone(draft, one.place)
        and not _may_bind_itself(draft, own[one.stage], one.name, one.place)
    ]
    unsure = draft.preamble.star_imports or not draft.whole
    return [one for one in found if not (unsure and one.code == "SB201")]


def _is_left_alone(draft: Draft, place: Place) -> bool:
    """Whether it is a shell line or a magic: there IPython leaves `$HOME` and `{print}` as they are."""
    source = next(cell.source for cell in draft.cells("stage", "test") if cell.number == place.cell)
    return OF_IPYTHON.match(without_magic(source).splitlines()[place.line - 1]) is not None


def _may_bind_itself(draft: Draft, names: Names, name: str, place: Place) -> bool:
    """Whether code that reads `name` may have bound it by then: in a branch, or in an earlier turn of a loop."""
    bound = names.binds.get(name)
    if bound is None or bound.cell not in draft.trees:
        return False
    before = [node for node in draft.trees[bound.cell].body if node.lineno <= bound.line]
    if not before or Place(bound.cell, before[-1].lineno) > place:
        return False
    end = Place(bound.cell, before[-1].end_lineno or bound.line)
    steps = (ast.For, ast.AsyncFor, ast.While, ast.If, ast.Try, ast.With, ast.AsyncWith, ast.Match, ast.NamedExpr)
    return place > end or any(isinstance(node, steps) for node in ast.walk(before[-1]))


def _unresolved(draft: Draft, one: Unresolved) -> Finding:
    name = one.name
    if one.deleted_by is not None:
        message = f"`{name}` is read here, but stage `{one.deleted_by}` deletes it before."
        remedy = f"Take `del {name}` out of `{one.deleted_by}`."
        return finding("SB208", message, remedy, one.place, stage=one.stage)
    for segment in draft.segments:
        made = segment.names.binds.get(name)
        if made is not None and made > one.place:
            own = segment.stage == one.stage
            maker = f"{made} of the same stage" if own else f"`{segment.stage}` ({made})"
            remedy = f"Move {f'the line that makes `{name}`' if own else f'`{segment.stage}`'} above this one."
            message = f"`{name}` is read here, but only {maker} makes it, later."
            return finding("SB203", message, remedy, one.place, stage=one.stage)
    for cell in draft.cells("exploration"):
        bound = draft.names[cell.number].binds.get(name)
        if bound is not None:
            message = (
                f"`{name}` is read here, but only an exploration cell ({bound}) makes it: it never runs headlessly."
            )
            remedy = f"Tag cell {cell.number} with a stage or `setup`, or define `{name}` in `{one.stage}`."
            fixes = [*_as_setup(draft, cell), *_into_stage(draft, cell, one)]
            return finding("SB202", message, remedy, one.place, stage=one.stage, fixes=fixes)
    return _undefined(draft, name, one.place, stage=one.stage)


def _undefined(draft: Draft, name: str, place: Place, *, stage: str | None) -> Finding:
    known = {bound for segment in draft.segments for bound in segment.names.binds} | draft.preamble.binds.keys()
    close = difflib.get_close_matches(name, sorted(known), n=1)
    remedy = f"Did you mean `{close[0]}`?" if close else f"Define `{name}`, or correct its spelling."
    fixes: list[Fix] = []
    if close and place.cell in draft.trees:
        source = next(one.cell.source for one in draft.read if one.cell.number == place.cell)
        fixes = renamed_name(place.cell, source, draft.trees[place.cell], name, close[0])
    message = f"`{name}` is read here, but no cell defines it."
    return finding("SB201", message, remedy, place, stage=stage, fixes=fixes)


def _as_setup(draft: Draft, cell: Cell) -> list[Fix]:
    """Tagging an exploration cell as setup, where it defines what needs nothing of the stages, and that none makes."""
    names, tree = draft.names[cell.number], draft.trees.get(cell.number)
    if tree is None or not is_setup_like(tree):
        return []
    made = {name for segment in draft.segments for name in segment.names.binds}
    mentioned = _loaded(tree) | names.binds.keys()
    alone = mentioned.isdisjoint(made) and names.reads.keys() <= AMBIENT | draft.preamble.binds.keys()
    return [tagged_as(cell.number, "setup")] if alone else []


def _into_stage(draft: Draft, cell: Cell, one: Unresolved) -> list[Fix]:
    """Making an exploration cell a part of the stage below it that reads a name of it, where all it reads is there."""
    before = draft.segments[: segments_before(cell, draft.cells("stage"))]
    known = {name for segment in before for name in segment.names.binds} | draft.preamble.binds.keys() | AMBIENT
    if cell.number > one.place.cell or not draft.names[cell.number].reads.keys() <= known:
        return []
    return [tagged_as(cell.number, f"stage:{one.stage}")]


def _is_surely_missing(draft: Draft, names: Names, name: str, place: Place) -> bool:
    unsure = draft.preamble.star_imports or names.star_imports or not draft.whole
    return not unsure and not _may_bind_itself(draft, names, name, place)


def preamble(draft: Draft) -> list[Finding]:
    """Setup runs before every stage: it can use nothing that a stage makes, nor make again what one made before it."""
    made: dict[str, tuple[str, Place]] = {}
    for segment in draft.segments:
        for name, place in segment.names.binds.items():
            made.setdefault(name, (segment.stage, place))
    findings = []
    for name, place in draft.preamble.reads.items():
        if name in made and not (name in AMBIENT and made[name][1] > place):
            stage, _ = made[name]
            message = f"Setup reads `{name}`, which stage `{stage}` makes; setup runs before every stage."
            findings.append(finding("SB207", message, f"Move the line to a stage after `{stage}`.", place))
        elif name not in AMBIENT and _is_surely_missing(draft, draft.preamble, name, place):
            findings.append(_undefined(draft, name, place, stage=None))
    for name, place in draft.preamble.binds.items():
        if not is_hidden(name) and name in made and made[name][1] < place:
            stage, earlier = made[name]
            message = f"Setup binds `{name}` after stage `{stage}` ({earlier}) did; setup runs before every stage."
            findings.append(finding("SB207", message, "Rename one of them, or move this cell up.", place))
    return findings


def late_parameters(draft: Draft) -> list[Finding]:
    """A parameters cell below a stage: its values are there before every stage, which the notebook does not show."""
    parameters, stages = draft.cells("parameters"), draft.cells("stage")
    if not parameters or parameters[0].number < stages[0].number:
        return []
    message = f"The parameters cell stands below a cell of stage `{stages[0].stage}`, which runs after it."
    return [finding("SB107", message, "Move it above all stages.", Place(parameters[0].number, 1))]


def needs(stages: Sequence[Stage]) -> list[Finding]:
    """Declared needs that name no stage, and metrics that the stage does not have."""
    findings = []
    names = [stage.name for stage in stages]
    for stage in stages:
        place = Place(stage.cells[0].number, 1)
        for need in stage.options.needs:
            if need not in names:
                message = f"Stage `{stage.name}` needs `{need}`, and there is no such stage."
                remedy = did_you_mean(need, names).strip()
                findings.append(finding("SB205", message, remedy, place, stage=stage.name))
        for metric in stage.options.metrics:
            has = stage.names.binds.keys() | stage.names.reads.keys()
            if metric not in has:
                message = f"Stage `{stage.name}` names `{metric}` in `metrics`, and neither makes nor reads it."
                remedy = did_you_mean(metric, stage.names.binds).strip() or "Take it out."
                findings.append(finding("SB209", message, remedy, place, stage=stage.name))
    return findings


def cycle(around: Sequence[str], edges: Iterable[Edge], stages: Sequence[Stage]) -> Finding:
    """The finding for stages that depend on each other; `around` is the cycle, its first stage repeated at the end."""
    names = {(edge.source, edge.target): edge.names for edge in edges}
    steps = list(zip(around, around[1:], strict=False))  # noqa: RUF007 - pairwise() wants no list, and we index
    if not all(step in names for step in steps):
        steps = [(target, source) for source, target in reversed(steps)]
    path = " -> ".join([steps[0][0], *(target for _, target in steps)])
    causes = [
        f"`{target}` takes {', '.join(f'`{name}`' for name in names[source, target])} from `{source}`"
        if names.get((source, target))
        else f"`{target}` declares that it needs `{source}`"
        for source, target in steps
    ]
    declared = [target for source, target in steps if not names.get((source, target))]
    torn = next((stage for stage in stages if stage.name in around and _is_torn(stage, stages)), None)
    remedy = "Split one of the stages."
    if declared:
        remedy = f"Take the need out of `{declared[0]}`."
    elif torn is not None:
        remedy = f"Give the later cells of `{torn.name}` a stage name of their own."
    first = min((stage for stage in stages if stage.name in around), key=lambda stage: stage.cells[0].number)
    message = f"Stages depend on each other: {path} ({'; '.join(causes)})."
    return finding("SB204", message, remedy, Place(first.cells[0].number, 1), stage=first.name)


def _is_torn(stage: Stage, stages: Sequence[Stage]) -> bool:
    """Whether cells of other stages stand between those of this one."""
    numbers = [cell.number for cell in stage.cells]
    others = {cell.number for other in stages if other is not stage for cell in other.cells}
    return any(numbers[0] < number < numbers[-1] for number in others)


def kept_outputs(draft: Draft, inputs: Mapping[str, Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    """Per stage the names to keep: taken by stages, looked at by tests and exploration, else all that it binds."""
    looked_at = {name for cell in draft.cells("test", "exploration") for name in draft.names[cell.number].reads}
    kept = {}
    taken_by_others = names_taken(inputs)
    for stage in draft.stages:
        taken = taken_by_others.get(stage.name, set())
        made = stage.names.binds.keys() | stage.names.changes.keys()
        own = taken | (made & looked_at)
        if not own:
            own = {name for name in stage.names.binds if not name.startswith("_")} - _scaffolding(draft, stage)
        kept[stage.name] = tuple(sorted((own | stage.options.kept) - stage.names.deletes.keys()))
    return kept


def unread(draft: Draft, pipeline: Pipeline) -> Iterator[Finding]:
    """Stages without code, tests of no stage, undefined names in tests, parameters and outputs that nobody reads."""
    for stage in draft.stages:
        if not any(cell.number not in draft.trees or draft.trees[cell.number].body for cell in stage.cells):
            place = Place(stage.cells[0].number, 1)
            remedy = "Write its code, or take the tag off."
            yield finding("SB105", f"Stage `{stage.name}` has no code.", remedy, place, stage=stage.name)
    for cell in draft.cells("test"):
        yield from _test_findings(draft, cell, {stage.name for stage in draft.stages})
    trees = draft.trees_of(one.cell for one in draft.read)
    read_by_all: set[str] = set().union(*map(_loaded, trees))
    read_by_all.update(*(control_names(stage.options) | drift_names(stage.options) for stage in draft.stages))
    if draft.whole and not read_by_all & _READS_BY_NAME:
        yield from _unread(draft, pipeline, read_by_all)


def _unread(draft: Draft, pipeline: Pipeline, read_by_all: set[str]) -> Iterator[Finding]:
    for parameter in pipeline.parameters:
        if parameter.name not in read_by_all:
            message = f"Parameter `{parameter.name}` is read by nobody."
            yield finding("SB301", message, "Use it, or take it out.", parameter.place)
    for stage in draft.stages:
        named = {*stage.options.metrics, *stage.options.kept}
        for name, place in _plain_outputs(draft, stage).items():
            if name not in read_by_all and name not in named and not is_scaffold(name):
                message = f"`{name}` is made by `{stage.name}`, and nobody reads it."
                remedy = f"Use it, name it in an option such as `metrics`, or call it `_{name}`."
                yield finding("SB302", message, remedy, place, stage=stage.name)


def _test_findings(draft: Draft, cell: Cell, stages: set[str]) -> Iterator[Finding]:
    place = Place(cell.number, 1)
    if cell.stage not in stages:
        remedy = did_you_mean(cell.stage or "", stages).strip()
        yield finding("SB105", f"The cell tests stage `{cell.stage}`, which has no cells.", remedy, place)
    before = draft.segments[: segments_before(cell, draft.cells("stage"))]
    made = {name for segment in before for name in segment.names.binds} | draft.preamble.binds.keys() | AMBIENT
    names = draft.names[cell.number]
    stars = any(segment.names.star_imports for segment in before)
    for name, where in names.reads.items():
        surely = name not in made and not stars and _is_surely_missing(draft, names, name, where)
        if surely and not _is_left_alone(draft, where):
            yield _not_there(draft, cell, name, where)


def _not_there(draft: Draft, test: Cell, name: str, where: Place) -> Finding:
    """That a test reads a name that nothing before it makes: a later stage does, another test, exploration, or none."""
    for segment in draft.segments:
        if name in segment.names.binds:
            message = f"`{name}` is read here, but only a later stage, `{segment.stage}`, makes it."
            remedy = f"Move the cell below `{segment.stage}`, or tag it `test:{segment.stage}`."
            return finding("SB304", message, remedy, where, stage=test.stage)
    for other in draft.cells("test"):
        if name in draft.names[other.number].binds:
            message = f"`{name}` is read here, but only cell {other.number} makes it, a test too: each runs by itself."
            return finding("SB304", message, f"Make `{name}` here, or in a setup cell.", where, stage=test.stage)
    for other in draft.cells("exploration"):
        if name in draft.names[other.number].binds:
            message = f"`{name}` is read here, but only an exploration cell (cell {other.number}) makes it."
            remedy = f"Tag cell {other.number} with a stage or `setup`, or make `{name}` here."
            return finding("SB202", message, remedy, where, stage=test.stage, fixes=_as_setup(draft, other))
    return _undefined(draft, name, where, stage=test.stage)


_READS_BY_NAME = {"eval", "exec", "globals", "locals"}
_IN_TEXT = re.compile(r"@([^\W\d]\w*)")
_FIGURE = re.compile(r"_.*|(.*_)?(fig|figure|ax|axs|axes|plot|chart)(\d+|_.*)?")


def is_scaffold(name: str) -> bool:
    """Whether the name says that its value is drawn on, or not meant to be read."""
    return _FIGURE.fullmatch(name) is not None


def _loaded(tree: ast.Module) -> set[str]:
    """Every name that is read anywhere, in any scope, and those that text names as `df.query("x > @name")` does."""
    return once("loaded", (), (tree,), lambda: _names_loaded(tree))


def _names_loaded(tree: ast.Module) -> set[str]:
    read: set[str] = set()
    for node in nodes_of(tree):
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Store):
                read.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "@" in node.value:
            read.update(_IN_TEXT.findall(node.value))
    return read


def _statements(draft: Draft, stage: Stage) -> Iterator[tuple[int, ast.stmt]]:
    for cell in stage.cells:
        for statement in draft.trees[cell.number].body if cell.number in draft.trees else ():
            yield cell.number, statement


def _plain_outputs(draft: Draft, stage: Stage) -> dict[str, Place]:
    """Names that the stage binds by a plain assignment at the top of a cell: what looks meant as its result."""
    found: dict[str, Place] = {}
    for number, statement in _statements(draft, stage):
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets = [statement.target]
        for target in targets:
            if isinstance(target, ast.Name):
                found.setdefault(target.id, Place(number, statement.lineno))
    return found


def _scaffolding(draft: Draft, stage: Stage) -> set[str]:
    """Names bound by imports and as loop variables: means, not results."""
    found = set()
    for _, statement in _statements(draft, stage):
        for node in ast.walk(statement):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
            elif isinstance(node, (ast.For, ast.AsyncFor)):
                found |= {name.id for name in ast.walk(node.target) if isinstance(name, ast.Name)}
    return found
