"""A notebook's stages as the tasks of a Prefect flow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.errors import StagebookError, UsageError, did_you_mean
from stagebook.flows.artifacts import Seen, publish
from stagebook.run.runners.prefect import PrefectRunner, Within

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

    from stagebook.model import Pipeline
    from stagebook.run.record import Run


class Stages:
    """A notebook's stages, each to be a task of the flow that is running.

    Args:
        notebook: the notebook.
        parameters: values for its parameters; the rest is as its parameters cell says.
        store: where results are kept, a folder or a URL; `.stagebook` beside the notebook by default.
        jobs: stages at work at once; one a core by default, or one on each thread of Dask's workers.
        promote: whether the models that it registers become the champions, as their gates allow.
    """

    def __init__(
        self,
        notebook: Path,
        parameters: Mapping[str, Any] | None = None,
        *,
        store: str | None = None,
        jobs: int | None = None,
        promote: bool = False,
    ) -> None:
        self._notebook = notebook
        self._parameters = dict(parameters or {})
        self._store = store
        self._jobs = jobs
        self._promote = promote
        self._tasks: dict[str, Any] = {}
        self._after: dict[str, tuple[str, ...]] = {}

    def add(self, task: Any, *after: str) -> str:
        """Have a stage be this task.

        Args:
            task: what `@task` made, called as the stage.
            after: the stages that it takes from, as they were added.

        Returns:
            The stage.
        """
        self._tasks[task.name] = task
        self._after[task.name] = after
        return str(task.name)

    def run(self) -> dict[str, float] | State[Any]:
        """Run them in the flow that is running; artifacts show what came of it.

        Returns:
            The metrics; a `Failed` or `Cancelled` state, for the flow to end in, where there are none.

        Raises:
            UsageError: the notebook is another than the one that the flow was written for.
            StagebookError: the notebook, or a parameter, is not in order.
        """
        from prefect.logging import get_run_logger
        from prefect.states import Cancelled, Failed

        from stagebook.book.pipeline import load_pipeline
        from stagebook.run.api import run_notebook

        pipeline = load_pipeline(self._notebook)
        self._check(pipeline)
        log: Any = get_run_logger()
        for told in _other_defaults(pipeline):
            log.warning("%s", told)
        seen = Seen(log)
        with PrefectRunner(self._jobs, flow=Within(), tasks=self._tasks, before=self._after) as runner:
            done = run_notebook(
                self._notebook, parameters=self._parameters, store=self._store, listeners=(seen,), runner=runner
            )
        publish(done, pipeline, seen)
        if done.state == "interrupted":
            return Cancelled(message=f"Run {done.id} was interrupted.")
        if done.state != "done":
            told = "; ".join(f"{one.stage}: {one.reason}" for one in done.stages if one.state == "failed")
            return Failed(message=f"Run {done.id}: {done.state}. {told}".rstrip())
        if self._promote:
            return self._promoted(done, log)
        return dict(done.metrics)

    def _promoted(self, done: Run, log: Any) -> dict[str, float] | State[Any]:
        from prefect.states import Failed

        from stagebook.modeltext import promotion_text
        from stagebook.track.registry import promote_models

        try:
            for promotion in promote_models(done, log.warning):
                log.info("%s", promotion_text(promotion))
        except StagebookError as error:
            return Failed(message=str(error))
        return dict(done.metrics)

    def _check(self, pipeline: Pipeline) -> None:
        """See that the flow is of this notebook."""
        names = [stage.name for stage in pipeline.stages]
        told = [f"stage `{name}` has no task" for name in names if name not in self._tasks]
        told += [
            f"there is no stage for task `{name}`.{did_you_mean(name, names)}"
            for name in self._tasks
            if name not in names
        ]
        told += [
            f"`{edge.target}` takes from `{edge.source}`"
            for edge in pipeline.edges
            if edge.source not in self._after.get(edge.target, (edge.source,))
        ]
        if told:
            raise UsageError(
                f"{pipeline.notebook.name} is not as it was when this flow was written: {'; '.join(told)}. "
                f"Write it anew: stagebook export prefect {pipeline.notebook.name}"
            )


def _other_defaults(pipeline: Pipeline) -> Iterator[str]:
    """Parameters whose defaults the flow and the notebook do not have in common any more."""
    from inspect import signature

    from prefect.context import FlowRunContext

    running = FlowRunContext.get()
    defaults = signature(running.flow.fn).parameters if running is not None and running.flow is not None else {}
    for one in pipeline.parameters:
        flows = defaults[one.name].default if one.name in defaults else one.value
        if one.literal and not one.secret and flows != one.value:
            yield f"`{one.name}` is {flows!r} by default in the flow, which counts, and {one.value!r} in the notebook."
