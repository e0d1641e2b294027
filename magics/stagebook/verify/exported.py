"""What targets have in common that are exported: writing the files, and asking a process about what came of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stagebook.errors import UsageError
from stagebook.export.exporter import exported_files
from stagebook.export.functions import Functions
from stagebook.export.writing import default_folder, write
from stagebook.verify.results import StageTold, stage_from_json
from stagebook.verify.work import Work


def export(work: Work, exporter: str, given: Mapping[str, Any] | None = None) -> Path:
    """Export the notebook's copy, beside it, with these options; the folder.

    Raises:
        StagebookError: it refuses the notebook.
    """
    folder = work.folder / default_folder(work.notebook, exporter)
    write(exported_files(exporter, work.pipeline, work.document, given or {}), folder, exporter=exporter)
    return folder


def ask(work: Work, task: str, job: Mapping[str, Any], *, variables: Mapping[str, str] | None = None) -> Any:
    """What a process of its own answers, see `elsewhere`; None where it answers nothing.

    Raises:
        TargetError: it failed.
    """
    place, out = work.scratch / f"{task}.json", work.scratch / f"{task}-answer.json"
    out.unlink(missing_ok=True)
    place.write_text(json.dumps({**job, "out": str(out)}), encoding="utf-8")
    work.python("-m", "stagebook.verify.elsewhere", task, str(place), variables=variables)
    return json.loads(out.read_text(encoding="utf-8")) if out.exists() else None


def refuse_constants(work: Work, functions: Functions) -> None:
    """Refuse to set what exported code has as a constant.

    Raises:
        UsageError: there is such a parameter.
    """
    fixed = sorted({*work.values, *work.secrets} & functions.top.constants)
    if fixed:
        raise UsageError(f"Setup reads `{fixed[0]}`, which is a constant in what is exported: -p does not reach it.")


def with_metrics(work: Work, stages: Mapping[str, Any], metrics: Mapping[str, float]) -> dict[str, StageTold]:
    """The stages that were told of, each with its own of all metrics."""
    found = {}
    for stage in work.pipeline.stages:
        if stage.name in stages:
            told = stage_from_json(stages[stage.name])
            own = {
                name: value
                for name, value in metrics.items()
                if any(name == one or name.startswith(f"{one}.") for one in stage.options.metrics)
            }
            found[stage.name] = StageTold(told.state, told.error, told.values, own)
    return found
