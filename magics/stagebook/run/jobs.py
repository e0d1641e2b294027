"""From a stage that may start to the job that runs it anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from stagebook.book.drifting import drift_code
from stagebook.book.hidden import called
from stagebook.book.secrets import secret_texts
from stagebook.events import Notice
from stagebook.model import Stage, frozen_map
from stagebook.run.contents import stored_inputs
from stagebook.run.job import JobCell, StageJob, StageResult
from stagebook.run.plan import Planner
from stagebook.run.schedule import CORES
from stagebook.run.sessions import Sessions


def stage_job(
    stage: Stage,
    planner: Planner,
    results: Mapping[str, StageResult],
    contents: Mapping[str, str],
    *,
    held: Mapping[str, str],
    sessions: Sessions,
    preamble: tuple[JobCell, ...],
    cells: tuple[JobCell, ...],
) -> StageJob:
    """The job of a stage whose sources are done.

    Args:
        stage: the stage.
        planner: knows the pipeline and the store.
        results: what came of its sources.
        contents: of its inputs.
        held: names it takes that cannot be stored, with the stages whose kernels hold them.
        sessions: which kernels hold what.
        preamble: parameters and setup cells as they are given to kernels.
        cells: the stage's cells as they are given to kernels.
    """
    pipeline = planner.pipeline
    sources = pipeline.inputs[stage.name]
    stored = {name: (sources[name], ref) for name, ref in stored_inputs(pipeline, stage, results).items()}
    mates = planner.mates(stage, stored)
    session = sessions.of(stage.name, held.values())
    return StageJob(
        stage=stage.name,
        kernel=pipeline.kernel,
        folder=str(pipeline.notebook.parent),
        store=planner.store.location,
        preamble=preamble,
        cells=cells,
        inputs={name: ref for name, (_, ref) in stored.items()},
        mates={name: replace(ref, name=name) for name, (_, ref) in mates.items()},
        held=tuple(sorted(planner.current(stage, sessions.members(session)) | sessions.names(session) | held.keys())),
        session=session if session != stage.name else None,
        outputs=pipeline.outputs[stage.name],
        required=pipeline.required(stage.name),
        watched=tuple(sorted(stage.names.touches)),
        metrics=stage.options.metrics,
        modules=planner.modules(stage, contents),
        files=planner.files(stage),
        writes=stage.options.writes,
        when=stage.options.when,
        closing=drift_code(stage.options.drift) if stage.options.drift is not None else None,
        timeout=stage.options.timeout,
        retries=stage.options.retries,
        threads=round(dict(stage.options.resources).get(CORES, 0)) or None,
        resources=stage.options.resources,
        secrets=frozen_map(secret_texts(pipeline.parameters, planner.parameters)),
    )


def going_on(job: StageJob, held: Iterable[str]) -> Notice:
    """That a stage runs in another's kernel, and for the sake of which names."""
    names = ", ".join(map(called, sorted(held)))
    return Notice(f"`{job.stage}` goes on in the kernel of `{job.session}`: {names} cannot be stored.", job.stage)
