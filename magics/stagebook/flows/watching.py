"""A monitor's look as a flow: windows that are over are compared; where the data has drifted, a flow trains again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.flows.artifacts import key_of
from stagebook.run.request import STORE

if TYPE_CHECKING:
    from stagebook.drift.history import History, Reported, Retrained


def watch(
    model: str,
    notebook: Path,
    retrain: Callable[[], Any],
    *,
    log: Path | None = None,
    window: str = "7d",
    every: str = "1d",
    by: str | None = None,
    limit: float = 0.5,
) -> dict[str, str]:
    """Compare what a service was asked with what the model in use was trained on, and train again on drift.

    Each window is looked at once; those that were missed are caught up with.

    Args:
        model: `models:/NAME@ALIAS`.
        notebook: the notebook that makes the model; beside it is the record of its runs.
        retrain: trains, as a flow that gives its last state.
        log: the folder of the service's log of requests; where `stagebook serve` writes it by default.
        window: a window's length, as `12h`, `7d` or `2w`.
        every: from the end of one window to the end of the next.
        by: an input that says when a row is of; when it was asked by default.
        limit: the share of drifted columns from which the data as a whole has.

    Returns:
        By window, what was said of it.

    Raises:
        StagebookError: log or training data cannot be read, or MLflow does not answer: what is left is done next time.
    """
    from prefect.artifacts import create_table_artifact
    from prefect.logging import get_run_logger

    from stagebook.drift.acting import Record
    from stagebook.drift.compare import Asked
    from stagebook.drift.monitor import Watch, named_model, report_due
    from stagebook.drift.times import length_of

    name, home = named_model(model), notebook.resolve().parent / STORE
    watched = Watch(
        model,
        log or home / "requests" / name,
        home,
        length_of(window),
        length_of(every),
        by,
        asked=Asked(limit=limit),
        steps={"record": Record(home), "retrain": _Retrain(retrain, home)},
    )
    found = report_due(watched, name)
    logger: Any = get_run_logger()
    said = {str(one.window): one.said for one in found}
    for when, what in said.items():
        logger.info("%s: %s", when, what)
    if not found:
        logger.info("No window is over that was not looked at.")
    else:
        create_table_artifact(_rows(found), key=f"{key_of(name)}-windows", description=f"{model}: windows looked at.")
    return said


@dataclass(frozen=True, slots=True)
class _Retrain:
    """The step that trains again; see `drift.acting`."""

    flow: Callable[[], Any]
    home: Path

    def __call__(self, one: Reported, history: History) -> Reported:
        """Train, and note what became of the model in use."""
        from stagebook.drift.acting import retrained

        return retrained(one, history, self.home, self._train)

    def _train(self) -> Retrained:
        state = self.flow()
        if state.is_completed():
            return ""
        return "rejected" if "rejected" in (state.message or "") else "failed"


def _rows(found: Sequence[Reported]) -> list[dict[str, Any]]:
    return [
        {
            "window": str(one.window),
            "rows": one.rows,
            "version": one.version,
            "drifted": ", ".join(one.drifted),
            "share": one.share,
            "retraining": one.retrained,
            "note": one.note,
        }
        for one in found
    ]
