"""Whether what Stagebook stands on is in order here, and what to do where it is not."""

from __future__ import annotations

import json
import os
import platform
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from stagebook.errors import StagebookError
from stagebook.run.request import STORE, store_for
from stagebook.signing import key_file

State = Literal["ok", "missing", "wrong"]

_LITTLE = 1_000_000_000
"""Bytes of free space below which a store is soon full."""
_SECONDS = 5.0
"""How long a tracking server may take to answer."""
_EXTRAS = {
    "dask": ("distributed", "stages on the workers of a Dask cluster"),
    "prefect": ("prefect", "stages as tasks of Prefect, and its deployments"),
    "kedro": ("kedro", "running the Kedro projects that are exported"),
    "image": ("uv", "container images"),
    "onnx": ("onnxruntime", "serving scikit-learn's models by ONNX Runtime"),
    "search": ("optuna", "sweeps that search"),
    "s3": ("s3fs", "stores on S3"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """What was found of one thing.

    Attributes:
        name: the thing.
        state: `missing` is what only some need; `wrong` keeps something from working.
        says: what there is.
        remedy: what to do; empty where all is well.
    """

    name: str
    state: State
    says: str
    remedy: str = ""


def examined(notebook: Path | None, store: str | None) -> Iterator[Check]:
    """Look at one thing after the other.

    Args:
        notebook: whose kernel and store are meant; None for those of a notebook in this folder.
        store: where results are kept, if not beside the notebook.

    Raises:
        StagebookError: the notebook cannot be read.
    """
    kernel = _kernel_of(notebook) if notebook is not None else "python3"
    place = notebook or Path("notebook.ipynb")
    looks: list[Callable[[], Check]] = [
        _python,
        lambda: _kernel(kernel, place),
        _extension,
        lambda: _store(place, store),
        _key,
        lambda: _tracking(place),
        lambda: _git(place),
        _containers,
    ]
    for look in looks:
        yield look()
    for extra, (module, purpose) in _EXTRAS.items():
        yield _extra(extra, module, purpose)


def _kernel_of(notebook: Path) -> str:
    from stagebook.book.notebook import read_document

    spec = read_document(notebook)["metadata"].get("kernelspec") or {}
    return str(spec.get("name") or "python3")


def _python() -> Check:
    where = "" if sys.prefix != sys.base_prefix else ", which is no virtual environment"
    says = f"Stagebook {version('stagebook')} on Python {platform.python_version()} in {sys.prefix}{where}"
    return Check("Python", "ok", says)


def _kernel(name: str, notebook: Path) -> Check:
    """Start the kernel, as a run would, and ask it what it has."""
    import asyncio

    from stagebook.run.job import JobCell
    from stagebook.run.kernels import Kernel
    from stagebook.run.kernelspecs import check_kernel, kernel_python

    asked = "import stagebook, IPython; print(stagebook.__version__, IPython.__version__)"

    async def answer() -> str:
        kernel = await Kernel.start(name, folder=str(notebook.resolve().parent))
        try:
            record = await kernel.run(JobCell(0, asked, asked))
        finally:
            await kernel.stop()
        return "".join("".join(output.get("text") or output["evalue"]) for output in record.outputs)

    try:
        check_kernel(name)
        said = asyncio.run(answer()).split()
    except StagebookError as error:
        python = sys.executable
        return Check("Kernel", "wrong", str(error), f"{python} -m ipykernel install --user --name {name}")
    here = version("stagebook")
    if said[:1] != [here]:
        there = f"Stagebook {said[0]}" if len(said) == 2 else f"no Stagebook ({' '.join(said)})"
        python = kernel_python(name)
        says = f"`{name}` runs on {python}, which has {there}; here is {here}"
        return Check("Kernel", "wrong", says, f"{python} -m pip install stagebook=={here}")
    return Check("Kernel", "ok", f"`{name}` starts, with IPython {said[1]}")


def _extension() -> Check:
    from jupyter_core.paths import jupyter_config_path, jupyter_path

    name = "JupyterLab"
    try:
        lab = version("jupyterlab")
    except PackageNotFoundError:
        return Check(name, "missing", "not installed: no panel and no chips", "pip install 'jupyterlab>=4.4'")
    if int(lab.partition(".")[0]) < 4:
        return Check(name, "wrong", f"{lab} is too old for the panel", "pip install 'jupyterlab>=4.4'")
    front = next((one for one in jupyter_path("labextensions") if Path(one, "stagebook", "package.json").is_file()), "")
    config = "jupyter_server_config.d"
    server = any(Path(one, config, "stagebook.json").is_file() for one in jupyter_config_path())
    if not front or not server:
        lacking = "front end" if not front else "server extension"
        remedy = "pip install --force-reinstall --no-deps stagebook, then restart JupyterLab"
        return Check(name, "wrong", f"{lab}, without Stagebook's {lacking}", remedy)
    built = json.loads(Path(front, "stagebook", "package.json").read_text(encoding="utf-8"))["version"]
    return Check(name, "ok", f"{lab}, with Stagebook's panel {built}")


def _store(notebook: Path, given: str | None) -> Check:
    from stagebook.run.probe import probe, unread

    name = "Store"
    if given is None:
        home = notebook.resolve().parent / STORE
        standing = next(one for one in (home, *home.parents) if one.is_dir())
        if not os.access(standing, os.W_OK):
            remedy = "Make the folder writable, or keep results elsewhere: --store FOLDER."
            return Check(name, "wrong", f"{standing} cannot be written", remedy)
        return _room(name, standing, f"{home} ({'there' if home.is_dir() else 'made by the first run'})")
    try:
        store = store_for(notebook, given)
        with probe(given) as written:
            said = unread(given, written)
    except StagebookError as error:
        return Check(name, "wrong", str(error), "See that it is there and that you may write to it.")
    if said:
        return Check(name, "wrong", said, "See that what is written to it can be read at once.")
    if not store.is_local:
        return Check(name, "ok", f"{store.shown} can be written and read")
    return _room(name, Path(given), store.shown)


def _room(name: str, folder: Path, says: str) -> Check:
    free = shutil.disk_usage(folder).free
    says = f"{says}, {free / 1e9:.1f} GB free"
    if free < _LITTLE:
        return Check(name, "wrong", says, "Make room: stagebook gc NOTEBOOK --keep-last 3.")
    return Check(name, "ok", says)


def _key() -> Check:
    path, name = key_file(), "Key"
    if not path.exists():
        return Check(name, "ok", f"{path} is made by the first run")
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        return Check(name, "wrong", f"{path} can be read by others: what it signs is not used", f"chmod 600 {path}")
    if not os.access(path, os.R_OK):
        return Check(name, "wrong", f"{path} cannot be read", f"chown it to you, and chmod 600 {path}")
    return Check(name, "ok", str(path))


def _tracking(notebook: Path) -> Check:
    from stagebook.run.unrecorded import shown_place
    from stagebook.track.place import tracking_uri

    name = f"MLflow {version('mlflow')}"
    uri = tracking_uri(notebook.resolve().parent / STORE)
    if not uri.startswith("http"):
        return Check(name, "ok", f"runs are recorded in {uri}")
    import requests

    try:
        answer = requests.get(f"{uri.rstrip('/')}/health", timeout=_SECONDS)
    except requests.RequestException as error:
        why = "does not answer" if not isinstance(error, requests.Timeout) else f"does not answer in {_SECONDS:.0f} s"
        remedy = "Start it, or see MLFLOW_TRACKING_URI; runs go on without it, and `stagebook sync` tells it of them."
        return Check(name, "wrong", f"the server at {shown_place()} {why}", remedy)
    if answer.status_code >= 400:
        says = f"the server at {shown_place()} answers with {answer.status_code}"
        return Check(name, "wrong", says, "See its log; MLFLOW_TRACKING_USERNAME and _PASSWORD if it asks for them.")
    return Check(name, "ok", f"the server at {shown_place()} answers")


def _git(notebook: Path) -> Check:
    if shutil.which("git") is None:
        remedy = "Install git: runs are then recorded with their commit, and `stagebook export github` knows the place."
        return Check("git", "missing", "not on PATH", remedy)
    head = ["git", "-C", str(notebook.resolve().parent), "rev-parse", "--verify", "--quiet", "HEAD"]
    if subprocess.run(head, capture_output=True, check=False).returncode != 0:
        remedy = "Commit the notebook, after `git init` where there is no repository."
        return Check("git", "missing", "this folder has no commit: runs are recorded without one", remedy)
    return Check("git", "ok", "runs are recorded with their commit")


def _containers() -> Check:
    from stagebook.image.engines import engine_there

    for name in ("docker", "podman"):
        if engine_there(name) is not None:
            return Check("Containers", "ok", f"`{name}` answers")
    remedy = "Install podman or docker, and start it, to build images: stagebook export image ... --build."
    return Check("Containers", "missing", "neither docker nor podman answers", remedy)


def _extra(extra: str, module: str, purpose: str) -> Check:
    if find_spec(module) is None:
        return Check(extra, "missing", f"for {purpose}", f"pip install 'stagebook[{extra}]'")
    return Check(extra, "ok", f"{module} {version(module)}: {purpose}")
