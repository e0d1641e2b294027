"""A pipeline as nodes that hand datasets over: which version of a name each takes and makes, under which name.

A catalog has one dataset for each thing, made by one node. So a name that several stages bind or change in place is a
dataset for each of them: the first by the name itself, the others by name and stage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from stagebook.book.control import control_names
from stagebook.book.effects import PURE_ROOTS
from stagebook.book.graph import AMBIENT
from stagebook.export import apart, behind
from stagebook.export.calls import has_gate
from stagebook.export.flow import gate_roots
from stagebook.export.functions import Functions, StageFunction
from stagebook.export.imports import Import
from stagebook.export.plain import refusal
from stagebook.model import Cell, Parameter, Pipeline, Place, Stage

_ATOMS = frozenset({"bool", "int", "float", "str"})


@dataclass(frozen=True, slots=True)
class Wire:
    """A name in the code, and the dataset that it is."""

    name: str
    dataset: str


@dataclass(frozen=True, slots=True)
class Wired:
    """A stage as a node.

    Attributes:
        function: its function; what it returns is all that is handed over.
        item: the argument that is one element of a list, where the stage is mapped.
        inputs: what it takes, in the order of its arguments.
        waits: arguments that only tell that another node is done.
        outputs: what it makes, in the order in which it returns it.
        done: the dataset that says that it is done, where others wait for that.
        unseen: datasets that it gives to well-known packages, and that later nodes take.
    """

    function: StageFunction
    item: str
    inputs: tuple[Wire, ...]
    waits: tuple[Wire, ...]
    outputs: tuple[Wire, ...]
    done: str
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wiring:
    """A pipeline as nodes.

    Attributes:
        nodes: in the notebook's order.
        metrics: each with the dataset that holds it.
        by_value: datasets with functions in them that only pickling by value carries to another process.
        models: datasets that are a stage's model.
        secrets: each secret parameter, with the dataset that it is read by.
        tests: per test cell that can be kept, the names that it looks at.
        untested: test cells that cannot, each with why.
        imports: all imports of the code.
    """

    nodes: tuple[Wired, ...]
    metrics: tuple[Wire, ...]
    by_value: frozenset[str]
    models: frozenset[str]
    secrets: Mapping[str, str]
    tests: Mapping[int, tuple[Wire, ...]]
    untested: Mapping[int, str]
    imports: tuple[Import, ...]


def wiring_of(pipeline: Pipeline, functions: Functions) -> Wiring:
    """The pipeline as nodes.

    Args:
        pipeline: the pipeline.
        functions: its stages as functions.

    Raises:
        StagebookError: it would be another answer, or cannot be expressed; the message names cell and line.
    """
    _refuse_options(pipeline, functions)
    imports = behind.imports_of_pipeline(pipeline)
    behind.refuse_hidden(pipeline, imports)
    apart.refuse_keeping(pipeline, functions.top.names)
    plan = _Plan(pipeline, functions, imports)
    plan.check()
    return _Naming(plan).wiring()


def _refuse_options(pipeline: Pipeline, functions: Functions) -> None:
    for function in functions.stages:
        place = Place(function.stage.cells[0].number, 1)
        if function.stage.options.when is not None:
            raise refusal(
                place, "`when` skips a stage, and a node always runs.", "Put the condition into the stage's code."
            )
        if function.is_async:
            raise refusal(place, "the stage awaits something, and a node cannot.", "Call `asyncio.run` in the stage.")
    for one in pipeline.parameters:
        if one.secret and one.name in functions.top.constants:
            raise refusal(
                one.place, f"setup reads secret `{one.name}`, which is written nowhere.", "Read it in a stage."
            )


@dataclass(slots=True)
class _Plan:
    """What each stage takes and returns where nodes get copies."""

    pipeline: Pipeline
    functions: Functions
    imports: tuple[Import, ...]
    stages: list[StageFunction] = field(default_factory=list)
    reads: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tests: dict[int, tuple[str, ...]] = field(default_factory=dict)
    untested: dict[int, str] = field(default_factory=dict)
    by_value: dict[str, frozenset[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        made: set[str] = set()
        self.stages = list(self.functions.stages)
        for one in self.stages:
            self.reads[one.stage.name] = tuple(self._reads(one, made))
            made.update(one.returns)
        self._keep_what_stays()
        self._return_what_may_change()
        self._return_what_tests_read()

    def _reads(self, function: StageFunction, made: set[str]) -> Iterator[str]:
        """Its arguments: the list that it is mapped over, what it takes, what its gate asks, parameters."""
        stage = function.stage
        known = {*made, *(one.name for one in self.functions.parameters)}
        roots = gate_roots(stage) if has_gate(stage) else []
        every = [*sorted(control_names(stage.options)), *function.takes, *roots, *function.given]
        own = set(stage.names.binds) - set(function.takes)
        for name in dict.fromkeys(every):
            if name in known and (name not in own or name in control_names(stage.options) or name in function.given):
                yield name

    def is_read_after(self, name: str, position: int) -> bool:
        """Whether a later stage looks at the value that the name has after the one at `position`."""
        for one in self.stages[position + 1 :]:
            if name in self.reads[one.stage.name]:
                return True
            if name in one.stage.names.binds and name not in one.stage.names.maybe_binds:
                return False
        return False

    def changes(self, position: int) -> apart.Changes:
        """What the stage at this position changes in place, or may."""
        stage = self.stages[position].stage
        atoms = {one.name for one in self.functions.parameters if one.kind in _ATOMS}
        taken = {*self.reads[stage.name], *self._setup_values(stage)} - atoms
        return apart.changes_of(stage, sorted(taken), self.trusted, looks_change=self.looks_change)

    @property
    def trusted(self) -> frozenset[str]:
        """The names by which the code knows functions of packages that do not change what they are given."""
        return frozenset(one.binds for one in self.imports if one.module.partition(".")[0] in PURE_ROOTS)

    @property
    def looks_change(self) -> bool:
        """Whether there are types that change as they are looked at."""
        return any(word in cell.source for cell in self.pipeline.cells for word in apart.LOOKS_CHANGE)

    def _keep_what_stays(self) -> None:
        """A node does not return what cannot leave its process, where nobody takes it: a file that is closed."""
        paths = {one.binds: one.path for one in self.imports}
        for position, one in enumerate(self.stages):
            left = behind.staying_only(one.stage, paths) - set(one.stage.options.kept)
            left = frozenset(name for name in left if not self.is_read_after(name, position))
            self.stages[position] = replace(one, returns=tuple(name for name in one.returns if name not in left))

    def _return_what_may_change(self) -> None:
        for position, function in enumerate(self.stages):
            if function.stage.options.foreach is not None:
                continue
            more = [
                name
                for name in self.changes(position).sure
                if name in self.reads[function.stage.name]
                and name not in function.returns
                and self.is_read_after(name, position)
            ]
            self._also_returns(position, more)

    def _also_returns(self, position: int, names: list[str]) -> None:
        one = self.stages[position]
        self.stages[position] = replace(one, returns=(*one.returns, *names), wanted=True)

    def _return_what_tests_read(self) -> None:
        for cell in self.pipeline.cells:
            if cell.role != "test":
                continue
            self.tests[cell.number] = ()
            names = []
            for name in self.pipeline.tests[cell.number].reads:
                if name in self.functions.top.names or name in AMBIENT:
                    continue
                names.append(name)
                if not self._is_of_stages(name) or not self._is_returned(name, cell):
                    self.untested[cell.number] = f"it reads `{name}`, which no node makes"
            self.tests[cell.number] = tuple(names)

    def _is_of_stages(self, name: str) -> bool:
        given = any(one.name == name for one in self.functions.parameters)
        return given or any(name in one.stage.names.binds for one in self.stages)

    def _is_returned(self, name: str, cell: Cell) -> bool:
        """Whether the last stage before a test that binds the name returns it, now that it is asked to."""
        for position in range(self.last_before(cell), -1, -1):
            one = self.stages[position]
            names = one.stage.names
            if name in one.returns:
                return True
            if name in names.changes and name in self.reads[one.stage.name]:
                self._also_returns(position, [name])
                return True
            if name in names.binds:
                if name in names.maybe_binds or self.functions.top.binds(name):
                    return False
                self._also_returns(position, [name])
                return True
        return any(one.name == name for one in self.functions.parameters)

    def last_before(self, cell: Cell) -> int:
        """The position of the last stage that has run when a test cell does; -1 where none has."""
        found = -1
        for position, one in enumerate(self.stages):
            if one.stage.name == cell.stage or one.stage.cells[-1].number < cell.number:
                found = position
            if one.stage.name == cell.stage:
                break
        return found

    def check(self) -> None:
        """Nothing, where copies give the same answer; see `apart`."""
        top = self.functions.top
        paths = {one.binds: one.path for one in self.imports}
        shared = apart.sharing(self.pipeline, top.names)
        self.by_value = dict(shared.after)
        reads = {
            one.stage.name: frozenset({*self.reads[one.stage.name], *self._setup_values(one.stage)})
            for one in self.stages
        }
        changes = {one.stage.name: self.changes(position).sure for position, one in enumerate(self.stages)}
        self._refuse_changed_setup(changes)
        apart.refuse_shared(self.stages, reads, changes, shared)
        made = {name: frozenset(found) | set(self.pipeline.stage(name).names.binds) for name, found in reads.items()}
        values = top.values
        apart.refuse_changed_top(self.pipeline, top.names, {name: found - values for name, found in made.items()})
        for one in self.stages:
            behind.refuse_staying(one.stage, one.returns, paths)

    def _refuse_changed_setup(self, changes: Mapping[str, Mapping[str, Place]]) -> None:
        """What setup makes is made anew in each process."""
        for position, one in enumerate(self.stages):
            for name, place in changes[one.stage.name].items():
                others = self.stages[position + 1 :]
                if name in self._setup_values(one.stage) and any(name in self._setup_values(it.stage) for it in others):
                    raise refusal(
                        place,
                        f"stage `{one.stage.name}` may change `{name}`, which setup makes anew in each process.",
                        f"Make `{name}` in a stage.",
                    )

    def unseen(self, position: int) -> frozenset[str]:
        """What the stage at this position is not expected to change, and later ones read."""
        names = self.changes(position).unseen & set(self.reads[self.stages[position].stage.name])
        return frozenset(name for name in names if self.is_read_after(name, position))

    def _setup_values(self, stage: Stage) -> set[str]:
        return set(stage.names.reads) & self.functions.top.values


class _Naming:
    """Gives datasets their names, from the first stage to the last."""

    def __init__(self, plan: _Plan) -> None:
        self.plan = plan
        self.taken = {"parameters"}
        self.now: dict[str, str] = {}
        self.at: dict[str, dict[str, str]] = {}
        self.secrets: dict[str, str] = {}
        self.by_value: set[str] = set()
        self.models: set[str] = set()
        self.metrics: dict[str, str] = {}
        for one in plan.functions.parameters:
            self._parameter(one)

    def _parameter(self, one: Parameter) -> None:
        if one.secret:
            self.now[one.name] = self.secrets[one.name] = self._fresh(one.name, "secret")
        else:
            self.now[one.name] = f"params:{one.name}"

    def _fresh(self, name: str, stage: str) -> str:
        """A name for a dataset: not told apart by case, as files are not everywhere; catalogs skip a leading `_`."""
        found = name.lstrip("_")
        if found != name or name.lower() in self.taken or name in self.now:
            found = f"{found}_{stage.replace('-', '_')}"
        while found.lower() in self.taken:
            found += "_"
        self.taken.add(found.lower())
        return found

    def wiring(self) -> Wiring:
        plan = self.plan
        nodes = [self._node(position, one) for position, one in enumerate(plan.stages)]
        waits = self._waits(nodes)
        awaited = {source for sources in waits.values() for source in sources}
        done = {
            one.function.stage.name: self._fresh(f"{one.function.name}_done", "node")
            for one in nodes
            if one.function.stage.name in awaited or not (one.inputs or one.outputs)
        }
        finished = tuple(
            replace(
                one,
                done=done.get(one.function.stage.name, ""),
                waits=tuple(Wire(f"_{done[source]}", done[source]) for source in waits[one.function.stage.name]),
            )
            for one in nodes
        )
        return Wiring(
            finished,
            tuple(Wire(name, dataset) for name, dataset in self.metrics.items()),
            frozenset(self.by_value),
            frozenset(self.models),
            self.secrets,
            {number: self._tested(number, names) for number, names in plan.tests.items()},
            plan.untested,
            plan.imports,
        )

    def _node(self, position: int, function: StageFunction) -> Wired:
        stage = function.stage
        mapping = stage.options.foreach
        inputs = tuple(Wire(name, self.now[name]) for name in self.plan.reads[stage.name])
        outputs = tuple(Wire(name, self._fresh(name, stage.name)) for name in function.returns)
        self.now.update({one.name: one.dataset for one in outputs})
        self.by_value |= {one.dataset for one in outputs if one.name in self.plan.by_value[stage.name]}
        if stage.options.model is not None and stage.options.model.value in self.now:
            self.models.add(self.now[stage.options.model.value])
        for name in stage.options.metrics:
            if name in function.returns:
                self.metrics[name] = self.now[name]
        self.at[stage.name] = dict(self.now)
        unseen = tuple(one.dataset for one in inputs if one.name in self.plan.unseen(position))
        item = mapping.item if mapping else ""
        return Wired(replace(function, wanted=True), item, inputs, (), outputs, "", unseen)

    def _waits(self, nodes: list[Wired]) -> dict[str, list[str]]:
        """Per stage, those that it waits for without taking anything of theirs."""
        maker = {wire.dataset: one.function.stage.name for one in nodes for wire in one.outputs}
        before: dict[str, set[str]] = {}
        waits: dict[str, list[str]] = {}
        by_files = behind.file_orders(self.plan.pipeline)
        for one in nodes:
            name = one.function.stage.name
            direct = {maker[wire.dataset] for wire in one.inputs if wire.dataset in maker}
            reached = direct.union(*(before[source] for source in direct))
            wanted = [edge.source for edge in self.plan.pipeline.edges if edge.target == name]
            wanted += [source for source in by_files.get(name, ()) if source not in wanted]
            waits[name] = [source for source in wanted if source not in reached]
            before[name] = reached.union(waits[name], *(before[source] for source in waits[name]))
        return waits

    def _tested(self, number: int, names: tuple[str, ...]) -> tuple[Wire, ...]:
        cell = next(one for one in self.plan.pipeline.cells if one.number == number)
        position = self.plan.last_before(cell)
        known = self.at[self.plan.stages[position].stage.name] if position >= 0 else self.now
        return tuple(Wire(name, known[name]) for name in names if name in known)
