"""The differential tests' hazards as exported modules; `python -m tests.export.hazards` tells of all of them.

What a hazard's variables hold in the end is printed by a last stage, in the notebook and in the module alike.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.differential.corpus import Sample, hazards, notebook

from stagebook.book.pipeline import examine, pipeline_of
from stagebook.errors import StagebookError
from stagebook.export.exporter import exported_files
from stagebook.model import Pipeline

_TEMPORARY = re.compile(r"/tmp\w+")


def exported(document: dict[str, Any], path: Path, **options: Any) -> str:
    """The text of a notebook's module."""
    pipeline = pipeline_of(document, path)
    files = exported_files("python", pipeline, document, options)
    return next(iter(files.values())).decode()


def prepared(sample: Sample) -> dict[str, Any] | str:
    """A hazard to be run in both ways; why it is refused, where it is."""
    path = Path("notebook.ipynb")
    try:
        pipeline, _ = examine(notebook([*sample.cells]), path)
        looks = _looking(pipeline) if pipeline is not None else "pass"
        cells = [*sample.cells, looks]
        module = exported(notebook(cells), path)
    except StagebookError as error:
        return str(error)
    return {"name": sample.name, "cells": cells, "files": sample.files, "module": module}


def _looking(pipeline: Pipeline) -> str:
    """A cell that tells of every name that is bound in the end."""
    bound: dict[str, bool] = {}
    for segment in pipeline.segments:
        bound |= dict.fromkeys(segment.names.binds, True) | dict.fromkeys(segment.names.deletes, False)
    names = sorted(name for name, there in bound.items() if there and name.isidentifier())
    look = 'try:\n    tell("{0}", {0})\nexcept NameError:\n    print("{0} is unbound")\n'
    return "from telling import tell\n\n" + "".join(look.format(name) for name in names)


def both(samples: Iterable[Mapping[str, Any]], folder: Path) -> dict[str, tuple[str, str]]:
    """By name, what each prints cell by cell and as a module."""
    own = {"PYTHONHASHSEED": "0", "MPLBACKEND": "agg", "OMP_WAIT_POLICY": "passive"}
    path = [*os.environ.get("PYTHONPATH", "").split(os.pathsep), str(Path(__file__).parent), *sys.path]
    answer = subprocess.run(
        [sys.executable, "-m", "tests.export.both_ways", str(folder)],
        input=json.dumps(list(samples)),
        env={**os.environ, **own, "PYTHONPATH": os.pathsep.join(filter(None, path))},
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name: (_plain(one), _plain(other)) for name, (one, other) in json.loads(answer.stdout).items()}


def _plain(text: str) -> str:
    return _TEMPORARY.sub("/tmp", text)


def main() -> None:
    """Print a line for each hazard; the exit status is 1 where one differs."""
    found = {one.name: prepared(one) for one in hazards()}
    samples = [one for one in found.values() if isinstance(one, dict)]
    with tempfile.TemporaryDirectory() as folder:
        answers = both(samples, Path(folder))
    for name, one in found.items():
        if isinstance(one, str):
            print(f"refused    {name}: {one}")
        else:
            print(f"{'same' if len(set(answers[name])) == 1 else 'DIFFERENT':10} {name}")
    sys.exit(any(len(set(pair)) != 1 for pair in answers.values()))


if __name__ == "__main__":
    main()
