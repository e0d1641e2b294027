"""What each stage takes, is given and returns, once its code stands in a function; and where that is another answer."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stagebook.book.control import control_names
from stagebook.book.gates import metrics_in
from stagebook.book.hidden import is_hidden
from stagebook.export.checks import refuse_unseen
from stagebook.export.plain import refusal
from stagebook.export.top import Top
from stagebook.export.uses import Uses
from stagebook.model import Pipeline, Place, Stage


@dataclass(frozen=True, slots=True)
class Flow:
    """What goes in and out of a stage's function; see `StageFunction`."""

    takes: tuple[str, ...]
    given: tuple[str, ...]
    returns: tuple[str, ...]
    wanted: bool
    changes: tuple[str, ...]


def gate_roots(stage: Stage) -> list[str]:
    """The names whose values a stage's gate is judged by."""
    return [] if stage.options.gate is None else [name.partition(".")[0] for name in metrics_in(stage.options.gate)]


def flows_of(pipeline: Pipeline, uses: Mapping[str, Uses], top: Top) -> dict[str, Flow]:
    """The flow of each stage, by its name.

    Raises:
        StagebookError: a name would mean another thing in a function than it does in the notebook.
    """
    walk = _Walk(pipeline, uses, top)
    for stage in pipeline.stages:
        walk.take(stage)
        walk.check(stage)
        walk.make(stage)
    live: set[str] = set()
    flows: dict[str, Flow] = {}
    for stage in reversed(pipeline.stages):
        made = walk.made[stage.name]
        own = {*stage.options.metrics, *gate_roots(stage)}
        wanted = [name for name in made if name in live | own]
        walk.refuse_unbound(stage, wanted)
        if not live.intersection(made):
            kept = pipeline.outputs[stage.name]
            returns = [name for name in made if name in wanted or (name in kept and walk.is_sure(stage, name))]
        else:
            returns = [name for name in made if name in wanted or name in stage.options.kept]
        changes = [name for name in walk.takes[stage.name] if name in stage.names.changes]
        takes, given = tuple(walk.takes[stage.name]), tuple(walk.given[stage.name])
        flows[stage.name] = Flow(takes, given, tuple(returns), bool(wanted), tuple(changes))
        live -= {name for name in made if walk.is_sure(stage, name) and stage.options.when is None}
        live |= {*takes, *given, *control_names(stage.options), *gate_roots(stage)}
    return flows


class _Walk:
    """The stages from top to bottom: what there is when each begins."""

    def __init__(self, pipeline: Pipeline, uses: Mapping[str, Uses], top: Top) -> None:
        self.pipeline = pipeline
        self.uses = uses
        self.top = top
        self.parameters = [one.name for one in pipeline.parameters if one.name not in top.constants]
        self.there: dict[str, None] = {}
        self.takes: dict[str, list[str]] = {}
        self.given: dict[str, list[str]] = {}
        self.made: dict[str, list[str]] = {}

    def take(self, stage: Stage) -> None:
        uses, names = self.uses[stage.name], stage.names
        mentioned = {*uses.loads, *uses.stores}
        from_before = {*names.reads, *names.changes, *names.touches, *names.maybe_binds, *uses.deletes}
        wanted = {name for name in mentioned if name not in uses.stores or name in from_before}
        if stage.options.foreach is not None:
            wanted.discard(stage.options.foreach.item)
        self.takes[stage.name] = [name for name in self.there if name in wanted]
        self.given[stage.name] = [name for name in self.parameters if name in wanted and name not in self.there]

    def check(self, stage: Stage) -> None:
        uses = self.uses[stage.name]
        for name, line in uses.stores.items():
            self._check_store(stage, name, line)
        position = self.pipeline.stages.index(stage)
        after = self.pipeline.stages[position + 1 :]
        for name, line in uses.later.items():
            other = next((one for one in after if name in self.uses[one.name].stores), None)
            if other is not None and name not in stage.names.deletes:
                raise refusal(
                    self._place(stage, name, line),
                    f"a function that stage `{stage.name}` makes reads `{name}`, "
                    f"which stage `{other.name}` binds anew: the function would not see that.",
                    "Pass it to the function as an argument, or give the later value another name.",
                )
        mapping = stage.options.foreach
        if mapping is not None:
            self._check_mapped(stage)

    def _check_store(self, stage: Stage, name: str, line: int) -> None:
        """A name that is bound in a function is its own from the first line on."""
        names, place = stage.names, self._place(stage, name, line)
        is_there = name in self.there or name in self.parameters
        if self.top.binds(name) and (name in names.deletes or name in names.maybe_binds):
            raise refusal(
                place,
                f"stage `{stage.name}` binds `{name}`, which setup binds, under a condition or deletes it.",
                "Give it another name.",
            )
        if not is_there and name in names.reads and name not in names.maybe_reads and self._is_known(name):
            raise refusal(
                place,
                f"stage `{stage.name}` reads `{name}` and then binds it to something else.",
                "Give what it binds another name.",
            )

    def _is_known(self, name: str) -> bool:
        return self.top.binds(name) or hasattr(builtins, name)

    def _check_mapped(self, stage: Stage) -> None:
        """The elements of a mapped stage run apart from one another, each from the same beginning."""
        for name in stage.names.touches:
            if name in self.top.values and name not in self.there:
                raise refusal(
                    stage.names.touches[name],
                    f"stage `{stage.name}` is mapped and may change `{name}`, which setup makes anew for each element.",
                    f"Make `{name}` in a stage.",
                )
        states = sorted(name for name in {*stage.names.reads, *stage.names.changes} if name.startswith("state:"))
        if states:
            raise refusal(
                Place(stage.cells[0].number, 1),
                f"stage `{stage.name}` is mapped and draws random numbers, as every element does from the same state.",
                "Make a generator with a seed in the stage.",
            )

    def make(self, stage: Stage) -> None:
        uses, names = self.uses[stage.name], stage.names
        for name in names.binds:
            if name.isidentifier() and name not in uses.stores and not self.top.binds(name):
                raise refuse_unseen(stage.name, names.binds[name], name)
        bound = [name for name in uses.stores if name in names.binds]
        changed = [name for name in self.takes[stage.name] if name in names.changes and name not in bound]
        changed += [name for name in self.given[stage.name] if name in names.changes and name not in bound]
        item = stage.options.foreach.item if stage.options.foreach is not None else None
        changed = [name for name in changed if name != item and not is_hidden(name)]
        self._refuse_changed_setup(stage)
        self.made[stage.name] = [*changed, *bound]
        for name in names.deletes:
            self.there.pop(name, None)
        self.there.update(dict.fromkeys(bound))

    def _refuse_changed_setup(self, stage: Stage) -> None:
        for name, place in stage.names.changes.items():
            if name in self.top.values and name not in self.there and name not in self.uses[stage.name].stores:
                raise refusal(
                    place,
                    f"stage `{stage.name}` changes `{name}` in place, which setup makes.",
                    f"Make `{name}` in the first stage that uses it.",
                )

    def is_sure(self, stage: Stage, name: str) -> bool:
        """Whether the name is bound whichever way the stage's code goes."""
        return name not in stage.names.maybe_binds or name in {*self.takes[stage.name], *self.given[stage.name]}

    def refuse_unbound(self, stage: Stage, wanted: Sequence[str]) -> None:
        """Nothing, where what is returned is bound, or could only be missing after a loop over nothing."""
        for name in wanted:
            if not self.is_sure(stage, name) and name in self.uses[stage.name].shaky:
                raise refusal(
                    self._place(stage, name, self.uses[stage.name].stores[name]),
                    f"stage `{stage.name}` binds `{name}` only under a condition, and it is read later.",
                    "Bind it before, to None for instance.",
                )

    def _place(self, stage: Stage, name: str, line: int) -> Place:
        for places in (stage.names.binds, stage.names.reads, stage.names.changes, stage.names.deletes):
            if name in places:
                return places[name]
        return Place(stage.cells[0].number, line)
