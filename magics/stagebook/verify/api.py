"""Verifying a notebook: a plain run, the same by each target, and what differs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from stagebook.errors import StagebookError, UsageError
from stagebook.run.kernelspecs import check_kernel
from stagebook.verify import stored
from stagebook.verify.judging import Difference, Unsteady, Verdict, judged, unsteady_in
from stagebook.verify.results import Told, stage_from_json
from stagebook.verify.steps import preamble_steps, steps_of
from stagebook.verify.target import Outcome, Target, target_named, targets
from stagebook.verify.work import TargetError, Work, work_on

Became = Literal["ran", "refused", "not here", "failed"]


@dataclass(frozen=True, slots=True)
class Column:
    """What came of a target.

    Attributes:
        target: its name.
        became: whether it ran; `refused` is what it does not take, and `failed` what it took and could not run.
        why: of what did not run.
        asked: whether it was named.
        seconds: that it took.
        stages: what there is to say of each stage.
    """

    target: str
    became: Became
    why: str = ""
    asked: bool = False
    seconds: float = 0.0
    stages: Mapping[str, Verdict] = field(default_factory=dict)

    @property
    def differs(self) -> bool:
        """Whether something is not as in the plain run."""
        return self.became == "failed" or any(one.word == "different" for one in self.stages.values())


@dataclass(frozen=True, slots=True)
class Verification:
    """A notebook that was verified.

    Attributes:
        notebook: its path.
        stages: in the notebook's order, each with what became of it in the plain run.
        columns: the targets.
        seconds: that the plain run took.
        again: whether there was a second plain run, as something differed.
    """

    notebook: Path
    stages: Mapping[str, str]
    columns: tuple[Column, ...]
    seconds: float
    again: bool

    def same(self, *, strict: bool = False) -> bool:
        """Whether nothing differs, and no target that was named refused.

        Args:
            strict: whether what refused, and what is not installed, counts as well where nobody named it.
        """
        left = [one for one in self.columns if one.became in ("refused", "not here") and (strict or one.asked)]
        return not left and not any(one.differs for one in self.columns)


def verify_notebook(
    notebook: Path,
    *,
    names: Sequence[str] = (),
    given: Mapping[str, str] | None = None,
    root: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Verification:
    """Run a notebook's stages from top to bottom in one plain kernel and by each target, and compare.

    Args:
        notebook: its path; it and its folder are only read.
        names: targets; by default all that this machine has, without those that have to be asked for.
        given: parameters, as texts.
        root: the folder that holds all that the stages read; by default the notebook's.
        tell: told what goes on, a line at a time.

    Raises:
        StagebookError: it cannot be verified: the notebook, a parameter, a named target or the plain run.
    """
    chosen = _chosen(names)
    with work_on(notebook, given or {}, root=root) as work:
        check_kernel(work.pipeline.kernel)
        began = time.perf_counter()
        plain = _plain_run(work, 1)
        took = time.perf_counter() - began
        tell(f"plain run: {took:.1f} s")
        ran = {name: _by_target(name, one, work, tell) for name, one in chosen.items()}
        told = _told(work, {name: outcome for name, (outcome, _) in ran.items() if outcome is not None})
        columns = [
            _column(work, name, chosen[name], ran[name], told.get(name), plain, asked=name in names) for name in chosen
        ]
        again = any(one.differs for one in columns)
        if again:
            tell("something differs: the plain run once more, to see what differs from run to run")
            unsteady = unsteady_in(plain, _plain_run(work, 2))
            columns = [
                _column(
                    work, name, chosen[name], ran[name], told.get(name), plain, asked=name in names, unsteady=unsteady
                )
                for name in chosen
            ]
        states = {name: one.state for name, one in plain.items()}
        return Verification(notebook, states, tuple(columns), took, again)


def _chosen(names: Iterable[str]) -> dict[str, Target]:
    """The targets, in order.

    Raises:
        UsageError: there is no such target, or what it needs is not installed.
    """
    found = {name: target_named(name) for name in dict.fromkeys(names)}
    for name, one in found.items():
        if lacks := one.lacks():
            raise UsageError(f"Target `{name}` cannot be had: {lacks}")
    return found or {name: one for name, one in targets().items() if not one.asked}


def _plain_run(work: Work, number: int) -> dict[str, Any]:
    """What the plain run tells of each stage.

    Raises:
        StagebookError: it came to no stage.
    """
    work.anew()
    lines = _kernel(work, f"plain-{number}", steps_of(work.pipeline, work.document, {**work.values, **work.secrets}))
    found = [json.loads(line) for line in lines]
    for one in found:
        if not one["stage"]:
            error = work.masked(one["error"])
            raise StagebookError(f"{work.source.name} cannot be verified, as its plain run fails in {error}")
    told = {one["stage"]: stage_from_json({**one, "error": work.masked(one["error"])}) for one in found}
    position = {stage.name: stage.cells[-1].number for stage in work.pipeline.stages}
    return {name: told.get(name) or stage_from_json(_NOT_RUN) for name in sorted(position, key=position.__getitem__)}


_NOT_RUN: Mapping[str, Any] = {"state": "not run", "error": "", "values": {}, "metrics": {}}


def _kernel(work: Work, name: str, steps: Sequence[Mapping[str, Any]]) -> list[str]:
    """The lines that one plain kernel answers, which runs these steps."""
    out, job = work.scratch / f"{name}.jsonl", work.scratch / f"{name}.json"
    out.touch()
    asked = {"kernel": work.pipeline.kernel, "folder": str(work.folder), "steps": steps, "out": str(out)}
    job.write_text(json.dumps({**asked, "scratch": str(work.scratch)}), encoding="utf-8")
    work.python("-m", "stagebook.verify.plain", str(job))
    return out.read_text(encoding="utf-8").splitlines()


_Ran = tuple[Outcome | None, Column]


def _by_target(name: str, target: Target, work: Work, tell: Callable[[str], None]) -> _Ran:
    """Run the notebook by a target; what came of it, and the column without its stages."""
    if lacks := target.lacks():
        tell(f"{name}: not here: {lacks}")
        return None, Column(name, "not here", lacks)
    work.anew()
    began = time.perf_counter()
    outcome: Outcome | None = None
    became: Became = "ran"
    why = ""
    try:
        outcome = target.run(work)
    except TargetError as error:
        became, why = "failed", work.masked(str(error))
    except StagebookError as error:
        became, why = "refused", work.masked(str(error).splitlines()[0])
    took = time.perf_counter() - began
    tell(f"{name}: {became}, {took:.1f} s{f': {why}' if why else ''}")
    return outcome, Column(name, became, why, seconds=took)


def _told(work: Work, outcomes: Mapping[str, Outcome]) -> dict[str, Told | TargetError]:
    """What each target tells of the stages; stored values are looked at in one kernel for all targets."""
    found: dict[str, Told | TargetError] = {name: one.told for name, one in outcomes.items()}
    facts: dict[str, Mapping[str, Any]] = {}
    items: list[stored.Item] = []
    for name, one in outcomes.items():
        if one.store is not None:
            try:
                facts[name] = stored.run_in(one.store)
                items += stored.items_of(name, one.store, facts[name])
            except TargetError as error:
                found[name] = error
                facts.pop(name, None)
    lines: list[str] = []
    if items:
        work.anew()
        steps = preamble_steps(work.pipeline, work.document, {**work.values, **work.secrets})
        lines = _kernel(work, "stored", [*steps, {"ask": {"do": "load", "items": items}}])
        lines = [line for line in lines if line.startswith("[")]
    for name, run in facts.items():
        values = [*stored.unkept(run), *stored.loaded(lines, name)]
        found[name] = stored.with_values(stored.stages_told(run), values)
    return found


def _column(
    work: Work,
    name: str,
    target: Target,
    ran: _Ran,
    told: Told | TargetError | None,
    plain: Told,
    *,
    asked: bool,
    unsteady: Unsteady = frozenset(),
) -> Column:
    _, column = ran
    if isinstance(told, TargetError):
        return Column(name, "failed", work.masked(str(told)), asked, column.seconds)
    found = {} if told is None else judged(plain, told, by_name=target.by_name, unsteady=unsteady)
    stages = {stage: _masked(verdict, work) for stage, verdict in found.items()}
    return Column(name, column.became, column.why, asked, column.seconds, stages)


def _masked(verdict: Verdict, work: Work) -> Verdict:
    """The verdict without what secret parameters hold."""
    return replace(
        verdict, differences=tuple(Difference(one.name, work.masked(one.told)) for one in verdict.differences)
    )
