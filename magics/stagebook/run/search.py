"""A search: points that optuna proposes from what came of earlier ones, kept in a study that can be taken up again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from stagebook.errors import StoreError, UsageError
from stagebook.run.sweep import Axis, Objective, Point, Range, is_swept

_INSTALL = 'A search needs optuna, which is not installed. Install it: pip install "stagebook[search]".'


class Search:
    """Trials of one study, asked for and told in one thread.

    A study that is taken up begins with the points it had: their runs are reused from the store, or made again where
    something has changed since, so that optuna never learns from a value that no longer holds. Each proposal depends on
    the seed, the trial's number and what was told before it, not on how often the study was interrupted.

    Args:
        axes: what to choose from.
        objective: what is to be as large, or as small, as can be.
        trials: how many points there are to be, those of earlier times counted.
        seed: where chance starts.
        file: the study.

    Raises:
        UsageError: optuna is not installed.
        StoreError: the study cannot be written or read.
    """

    def __init__(
        self, axes: Sequence[Axis | Range], objective: Objective, *, trials: int, seed: int, file: Path
    ) -> None:
        self.total = trials
        self._axes = axes
        self._seed = seed
        self._asked = 0
        self._trials: dict[int, Any] = {}
        self._distributions = {axis.name: _distribution(axis) for axis in axes if is_swept(axis)}
        _take_up(file, objective)
        self._study, self._storage = _opened(file, file.stem)

    def next(self) -> Point | None:
        """The next point, None when there have been enough."""
        from optuna.samplers import TPESampler

        if self._asked >= self.total:
            return None
        self._study.sampler = TPESampler(seed=self._seed * 100_003 + self._asked)
        trial = self._study.ask(self._distributions)
        self._asked += 1
        self._trials[self._asked] = trial
        return Point(self._asked, {axis.name: _chosen(axis, trial.params) for axis in self._axes})

    def told(self, number: int, value: float | None) -> None:
        """What came of a point; None: it failed."""
        from optuna.trial import TrialState

        if value is None:
            self._study.tell(self._trials[number], state=TrialState.FAIL)
        else:
            self._study.tell(self._trials[number], value)

    def close(self) -> None:
        """Let the study's file go."""
        _let_go(self._storage)


def _take_up(file: Path, objective: Objective) -> None:
    """Leave a study in the file that has the points it had, in their order, all of them to be run (again)."""
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise UsageError(_INSTALL) from error
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    fresh = file.with_name(f".{file.name}.new")  # renamed when it is complete: a crash in between loses no point
    try:
        earlier = _points_in(file)
        fresh.unlink(missing_ok=True)
        study, storage = _opened(fresh, file.stem, direction=objective.direction)
        for parameters in earlier:
            study.enqueue_trial(parameters)
        _let_go(storage)
        fresh.replace(file)
    except (OSError, KeyError, SQLAlchemyError) as error:
        cause = str(error).strip().splitlines()[0]
        raise StoreError(f"The study {file} cannot be used: {cause}. Remove it to begin anew.") from error


def _points_in(file: Path) -> list[dict[str, Any]]:
    """The parameters of the trials that were asked for or are waiting, in order."""
    if not file.exists():
        return []
    study, storage = _opened(file, file.stem)
    found = [trial.params or trial.system_attrs.get("fixed_params") for trial in study.get_trials(deepcopy=False)]
    _let_go(storage)
    return [parameters for parameters in found if parameters]


def _opened(file: Path, name: str, *, direction: Literal["maximize", "minimize"] | None = None) -> tuple[Any, Any]:
    """The study of this name in the file, made if a direction is given, and its storage."""
    import optuna

    storage = optuna.storages.RDBStorage(f"sqlite:///{file}")
    if direction is None:
        return optuna.load_study(storage=storage, study_name=name), storage
    return optuna.create_study(storage=storage, study_name=name, direction=direction), storage


def _let_go(storage: Any) -> None:
    storage.remove_session()
    storage.engine.dispose()


def _distribution(axis: Axis | Range) -> Any:
    try:
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
    except ModuleNotFoundError as error:
        raise UsageError(_INSTALL) from error

    if isinstance(axis, Axis):
        return CategoricalDistribution([_choice(value) for value in axis.values])
    if axis.whole:
        return IntDistribution(int(axis.low), int(axis.high), log=axis.log, step=int(axis.step or 1))
    return FloatDistribution(axis.low, axis.high, log=axis.log, step=axis.step)


def _choice(value: Any) -> Any:
    """The value as optuna can store it."""
    return value if value is None or isinstance(value, (bool, int, float, str)) else repr(value)


def _chosen(axis: Axis | Range, chosen: dict[str, Any]) -> Any:
    if isinstance(axis, Range):
        return chosen[axis.name]
    if not is_swept(axis):
        return axis.values[0]
    wanted = chosen[axis.name]
    return next(one for one in axis.values if _choice(one) == wanted and type(_choice(one)) is type(wanted))
