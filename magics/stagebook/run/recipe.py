"""One digest of what a run's results depend on, as far as that is known before anything runs: to call a cache by."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stagebook.book.parameters import checked
from stagebook.book.pipeline import load_pipeline
from stagebook.run.identity import candidate_files, stage_parts
from stagebook.run.imports import Imports
from stagebook.run.installed import Installed
from stagebook.run.kernelspecs import check_kernel, kernel_python
from stagebook.run.request import store_for
from stagebook.store.digests import digest_of_json
from stagebook.store.file_digests import FileDigests


def recipe_of(notebook: Path, *, parameters: Mapping[str, Any] | None = None, store: str | Path | None = None) -> str:
    """The digest of code, setup, parameters, packages and named files of all stages, whatever the store holds.

    Two runs with one recipe make the same results, unless a stage reads what its code does not name.

    Args:
        notebook: the notebook.
        parameters: values for names of its parameters cell.
        store: where digests of files are remembered; as for a run.

    Raises:
        StagebookError: the notebook or a parameter is not in order.
    """
    pipeline = load_pipeline(notebook)
    values = checked(pipeline.parameters, parameters or {}, notebook=notebook.name)
    check_kernel(pipeline.kernel)
    folder, home = pipeline.notebook.parent, store_for(notebook, store).home
    imports = Imports(folder, python=kernel_python(pipeline.kernel), installed=Installed(home))
    parts, digests = stage_parts(pipeline, values, imports), FileDigests(home)
    for stage in pipeline.stages:
        files = candidate_files(stage, pipeline, values)
        parts[stage.name] |= {f"file:{path}": digests.digest(folder / path) or "" for path in files}
    return digest_of_json(parts)
