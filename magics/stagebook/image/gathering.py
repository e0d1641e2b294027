"""Finding what a context is made of: notebook, modules, model, packages, and where it all comes from."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from stagebook.book.notebook import Document
from stagebook.book.registered import registered_names
from stagebook.errors import StagebookError, UsageError
from stagebook.image.distributions import OURS, Installed, all_installed, by_module, closure_of
from stagebook.image.locking import locked, uv_program, uv_version
from stagebook.image.materials import Materials, Origin, Target
from stagebook.image.requirements import Needed, needs_of_imports, needs_of_model, normal, own_needs
from stagebook.image.served import Version, version_of
from stagebook.image.wheels import built, own_wheel, packed_again
from stagebook.model import Pipeline

_BASE = "docker.io/library/python:{python}-slim"
_PYTHON = re.compile(r"3\.\d{1,2}")
_OLDEST = 10
_IMAGE = re.compile(r"[A-Za-z0-9][\w.:/-]*(?:@sha256:[0-9a-f]{64})?")
_OF_BASE = re.compile(r"python:(3\.\d{1,2})")


def gather(
    pipeline: Pipeline,
    document: Document,
    *,
    target: Target,
    model: str | None = None,
    base: str | None = None,
    python: str | None = None,
    log: bool = True,
) -> Materials:
    """What the context for a target is made of.

    Args:
        pipeline: the pipeline.
        document: its notebook.
        target: what the image is to do.
        model: the version that is served or scored with, or watched; None: the champion of the one that a stage makes.
        base: the image to stand on; None for Python's own, slim.
        python: its Python; None for the one that it is named after, or else the model's or this one.
        log: whether the service logs requests.

    Raises:
        StagebookError: something of it is not to be had; the message says what, and what to do.
    """
    _check_asked(target, model, log=log)
    program = uv_program()
    version = None if target == "train" else version_of(model or _model_of(pipeline), _home(pipeline))
    chosen = _python(base, python, version)
    image = _checked_base(base or _BASE.format(python=chosen))
    runs = _last_run(pipeline)
    own, imported = _imports(pipeline) if target == "train" else ({}, {})
    installed = all_installed()
    needed = _needed(target, version, imported, installed, log=log)
    origin = _origin(pipeline, runs)
    modules, wheels, local = _own_code(own, needed, installed, pipeline.notebook.parent, program, origin)
    lock = locked(
        (one for one in needed if one.name != OURS),
        _pins(installed, runs if target == "train" and origin.run else {}),
        python=_patch(chosen, version),
        program=program,
        strict=version is None,
        wheels=wheels,
        local=local,
    )
    return Materials(
        target=target,
        notebook=pipeline.notebook.name,
        lock=lock,
        wheels={**wheels, **dict([own_wheel(target)])},
        base=image,
        python=chosen,
        uv=uv_version(program),
        document=_without_outputs(document) if target == "train" else b"",
        modules=modules,
        origin=origin,
        model=None if version is None else version.model,
        log=log,
        parameters={} if target != "train" else _parameters(pipeline),
    )


def _check_asked(target: Target, model: str | None, *, log: bool) -> None:
    """Refuse what the target has no use for: it would be missed only when the image runs.

    Raises:
        UsageError: an option is for another target.
    """
    if model and target == "train":
        raise UsageError("--model is for serve, score and monitor: an image that trains makes its model when it runs.")
    if not log and target != "serve":
        raise UsageError(f"--no-log is for serve: an image of the target {target} logs no requests.")


def _home(pipeline: Pipeline) -> Path:
    from stagebook.run.request import home_for

    return home_for(pipeline.notebook)


def _model_of(pipeline: Pipeline) -> str:
    """The champion of the model that the notebook's stages register.

    Raises:
        UsageError: there is none, or several.
    """
    named = sorted(set(registered_names(pipeline).values()))
    if len(named) != 1:
        told = f"stages register {', '.join(named)}" if named else "no stage registers a model (`model=`)"
        raise UsageError(f"In {pipeline.notebook.name}, {told}. Name the version: --model models:/NAME@champion.")
    return f"models:/{named[0]}@champion"


def _python(base: str | None, given: str | None, version: Version | None) -> str:
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    named = _OF_BASE.search(base or "")
    found = given or (named[1] if named else "") or (version.python if version is not None else "") or here
    if not _PYTHON.fullmatch(found):
        raise UsageError(f"`{found}` is no version of Python. Write it as {here}.")
    if int(found.partition(".")[2]) < _OLDEST:
        told = f"The image would have Python {found}, and Stagebook needs 3.{_OLDEST} or newer."
        raise UsageError(f"{told} Name another base: --base python:{here}-slim.")
    return found


def _patch(python: str, version: Version | None) -> str:
    """The Python that is locked for: with the patch level that is known, since packages ask for that, too."""
    for known in ("" if version is None else version.python_patch, ".".join(map(str, sys.version_info[:3]))):
        if known.startswith(f"{python}."):
            return known
    return python


def _checked_base(image: str) -> str:
    if not _IMAGE.fullmatch(image):
        raise UsageError(f"`{image}` names no image. Write NAME:TAG, or NAME@sha256:DIGEST (64 hexadecimal digits).")
    return image


def _imports(pipeline: Pipeline) -> tuple[dict[str, Path], dict[str, str]]:
    """What stages and setup import: the user's own files by import path, other modules by who imports them."""
    from stagebook.run.environment import imports_of

    cells = [cell for stage in pipeline.stages for cell in stage.cells]
    sources = [cell.source for cell in (*pipeline.preamble, *cells)]
    sources += [f"import {name}" for name in _of_options(pipeline)]
    return imports_of(sources, pipeline.notebook.parent)


def _of_options(pipeline: Pipeline) -> Iterable[str]:
    """Modules that no code names, and that stages' options take."""
    if any(stage.options.drift is not None for stage in pipeline.stages):
        yield "scipy"


def _needed(
    target: Target,
    version: Version | None,
    imported: Mapping[str, str],
    installed: Mapping[str, Installed],
    *,
    log: bool,
) -> list[Needed]:
    backend = "" if version is None else version.model.backend
    bare = version is not None and version.is_bare and target != "monitor"
    needed = own_needs(target, backend, bare=bare, log=log)
    if imported:
        needed += needs_of_imports(imported, by_module(installed.values()))
    if version is not None and (backend != "ONNX Runtime" or target == "monitor"):
        called = f"models:/{version.model.name}/{version.model.version}"
        needed += needs_of_model(version.requirements, called=called, bare=bare)
        needed += [Needed("pyarrow", "", f"{called}, whose tables are Arrow's")] if version.pickles_arrow else []
    missing = [one for one in needed if not one.version and one.name not in installed and one.name != "mlflow-skinny"]
    if missing:
        names = " ".join(sorted({one.name for one in missing}))
        raise StagebookError(
            f"{missing[0].why} needs `{missing[0].name}`, which is not installed here, so that its version is not "
            f"known. Install it: pip install {names}"
        )
    return needed


def _pins(installed: Mapping[str, Installed], run: Mapping[str, Any]) -> dict[str, str]:
    """The versions of this environment, which has to be the one that the run had.

    Args:
        installed: what is installed.
        run: `run.json` of the notebook as it is, or nothing.

    Raises:
        StagebookError: a package is another version now.
    """
    pins = {name: one.version for name, one in installed.items() if name != OURS}
    for stage in run.get("stages", ()):
        for name, version in stage["packages"].items():
            if pins.get(normal(name), version) != version:
                raise StagebookError(
                    f"Run {run['id']} had {name} {version}, and here is {pins[normal(name)]}. Run "
                    f"{Path(run['notebook']).name} again, or install what it had: pip install {name}=={version}"
                )
    return pins


def _own_code(
    own: Mapping[str, Path],
    needed: Iterable[Needed],
    installed: Mapping[str, Installed],
    folder: Path,
    program: str,
    origin: Origin,
) -> tuple[dict[str, bytes], dict[str, bytes], list[str]]:
    """Modules that go beside the notebook, wheels of what no index has, and the names of these distributions."""
    edited = {one.name: one.editable for one in installed.values() if one.editable is not None and one.name != OURS}
    modules: dict[str, bytes] = {}
    local = {
        name for name in closure_of({one.name for one in needed}, installed) if installed[name].source and name != OURS
    }
    for name, path in sorted(own.items()):
        project = next((one for one, root in edited.items() if path.resolve().is_relative_to(root.resolve())), None)
        if project is None or path.resolve().is_relative_to(folder.resolve()):
            modules[name] = path.read_bytes()
        else:
            local.add(project)
    local |= {name for name in closure_of(local, installed) if installed[name].source and name != OURS}
    wheels = {}
    created = int(datetime.fromisoformat(origin.created).timestamp()) if origin.created else 0
    for name in sorted(local):
        one = installed[name]
        if one.editable is not None:
            file, content = built(one.editable, name, program, created=created)
        else:
            assert one.found is not None
            file, content = packed_again(one.found)
        wheels[file] = content
    return modules, wheels, sorted(local)


def _last_run(pipeline: Pipeline) -> Mapping[str, Any]:
    """`run.json` of the notebook's last run that came to its end; nothing where there is none."""
    from stagebook.run.history import past_runs

    runs = past_runs(_home(pipeline), pipeline.notebook.name)
    return next((run for run in runs if run.get("state") == "done"), {})


def _origin(pipeline: Pipeline, run: Mapping[str, Any]) -> Origin:
    from stagebook.store.digests import digest_of_file

    folder = pipeline.notebook.parent
    commit = _git(folder, "rev-parse", "HEAD")
    changed = bool(_git(folder, "status", "--porcelain", "--untracked-files=no", "--", ".")) if commit else False
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    seconds = epoch if epoch.isdigit() else _git(folder, "log", "-1", "--format=%ct")
    digest = digest_of_file(pipeline.notebook)
    same = run.get("provenance", {}).get("notebook") == digest
    return Origin(
        revision=f"{commit}-changed" if changed else commit,
        notebook=digest,
        run=str(run["id"]) if same else "",
        created=datetime.fromtimestamp(int(seconds), timezone.utc).isoformat() if seconds else "",
    )


def _git(folder: Path, *words: str) -> str:
    """What git says; nothing where there is none."""
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return "" if done.returncode else done.stdout.strip()


def _parameters(pipeline: Pipeline) -> dict[str, str]:
    return {one.name: repr(one.value) for one in pipeline.parameters if one.literal and not one.secret}


def _without_outputs(document: Document) -> bytes:
    """The notebook's text with its code and without what came of it, which may be large, or nobody's business."""
    cells = [
        {**cell, "outputs": [], "execution_count": None} if cell["cell_type"] == "code" else cell
        for cell in document["cells"]
    ]
    return (json.dumps({**document, "cells": cells}, indent=1, ensure_ascii=False) + "\n").encode("utf-8")
