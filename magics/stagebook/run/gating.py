"""Judging the gates of stages that are done: on the run's metrics, and on those of the model version in use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stagebook.book.gates import GateError, asks_champion, judge
from stagebook.book.registered import champion_of
from stagebook.model import Pipeline, Stage
from stagebook.run.job import Failure, StageResult

CLOSED = "Gate"
"""Name of the failure of a stage whose gate does not hold."""

Champions = Callable[[str], "tuple[Mapping[str, float] | None, str]"]
"""Gives the metrics of a registered model's version in use, None where there is none, and why it is not known."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What a stage's gate said: its condition, whether that holds, and the values that decided."""

    condition: str
    passed: bool
    told: str


class Gates:
    """Judges gates.

    Args:
        champions: asked for the version in use; None where no gate is judged at all.

    Attributes:
        judged: what gates said, by stage.
    """

    def __init__(self, champions: Champions | None = None) -> None:
        self._champions = champions
        self.judged: dict[str, Gate] = {}

    def closed(self, stage: Stage, pipeline: Pipeline, results: Mapping[str, StageResult]) -> Failure | None:
        """Judge the stage's gate, if it is done and has one; the stage's failure where it does not hold.

        Args:
            stage: the stage.
            pipeline: which stages come before it.
            results: what came of the stages.
        """
        condition = stage.options.gate
        if condition is None or self._champions is None or results[stage.name].state != "done":
            return None
        before = [*sorted(pipeline.upstream(stage.name)), stage.name]
        metrics = {name: value for one in before if one in results for name, value in results[one].metrics.items()}
        self.judged[stage.name] = gate = _judged(condition, metrics, champion_of(stage.name, pipeline), self._champions)
        if gate.passed:
            return None
        return Failure(CLOSED, f"`{condition}` does not hold: {gate.told}.")


def _judged(condition: str, metrics: Mapping[str, float], model: str | None, champions: Champions) -> Gate:
    champion, unknown = champions(model) if model is not None and asks_champion(condition) else (None, "")
    return judged_gate(condition, metrics, champion, unknown=unknown)


def judged_gate(
    condition: str, metrics: Mapping[str, float], champion: Mapping[str, float] | None, *, unknown: str = ""
) -> Gate:
    """What a gate says.

    Args:
        condition: the gate.
        metrics: of the run.
        champion: of the version in use; None where there is none, or where it is not known.
        unknown: why it is not known.
    """
    try:
        judgement = judge(condition, metrics, champion)
    except GateError as error:
        return Gate(condition, passed=False, told=str(error))
    remark = unknown or ("" if judgement.complete else "there is no champion yet")
    return Gate(condition, judgement.passed, "; ".join(filter(None, [judgement.told, remark])))
