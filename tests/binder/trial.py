"""Builds the environment of `binder/` by its files alone, and visits the tutorial in it as somebody on Binder does.

As repo2docker does: the Python of `runtime.txt`, its `requirements.txt`, then `postBuild` in a copy of the repository.
uv installs the requirements where pip would: the same versions, in a fraction of the time. `make binder` calls this.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FRONT_END = Path("magics/stagebook/labextension")
SECONDS = 60
"""In which the tutorial and the panel must be there."""
MEGABYTES = 2048
"""That a visitor has."""


class NoPythonError(RuntimeError):
    """This machine has no Python of the version that Binder takes."""


class VisitError(RuntimeError):
    """The visit came to no end; it says what it has said."""


def main() -> None:
    """Try it, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="take the Lab extension as it is built here, compile what is imported"
    )
    parser.add_argument("--pictures", type=Path, help="a folder for pictures of the pages")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="binder-") as folder:
        seen = trial(Path(folder), quick=asked.quick, pictures=asked.pictures)
    print(json.dumps(seen, indent=2))
    complaints = faults(seen)
    sys.exit("\n".join(complaints) or None)


def trial(folder: Path, *, quick: bool = False, pictures: Path | None = None) -> dict[str, Any]:
    """What a visitor has seen, and what it took.

    Args:
        folder: an empty one, for the environment and the copy of the repository.
        quick: do not build the Lab extension, if it is built here, and do not compile at once all that is installed.
        pictures: where to keep pictures of the pages.

    Raises:
        NoPythonError: there is no such Python here.
        subprocess.CalledProcessError: something that Binder runs has failed.
        VisitError: the visitor did not come to the end.
    """
    began = time.monotonic()
    repository, environment = folder / "repository", folder / "environment"
    copy_repository(repository, quick=quick)
    subprocess.run([python(), "-m", "venv", str(environment)], check=True)
    # Without bytecode, as some machines want it, each kernel would compile all that it imports once more.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    variables = {**kept, "PATH": os.pathsep.join([str(environment / "bin"), kept["PATH"]])}
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])) or "uv"
    install = [uv, "pip", "install", "--quiet", "--python", str(environment / "bin/python")]
    install += ["--requirement", "binder/requirements.txt", *([] if quick else ["--compile-bytecode"])]
    subprocess.run(install, cwd=repository, env=variables, check=True)
    subprocess.run(["binder/postBuild"], cwd=repository, env=variables, check=True)
    took = round(time.monotonic() - began, 1)
    seen = visited(folder, repository, variables, pictures)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"seconds to build": took, **seen, "seconds of CPU": round(used.ru_utime + used.ru_stime)}


def copy_repository(target: Path, *, quick: bool) -> None:
    """What git would have of this folder if all were committed."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    if quick and (ROOT / FRONT_END / "package.json").exists():
        shutil.copytree(ROOT / FRONT_END, target / FRONT_END, copy_function=shutil.copy)  # newer than its sources


def python() -> str:
    """The Python that Binder takes."""
    version = (ROOT / "binder/runtime.txt").read_text().strip().removeprefix("python-")
    for name in (sys._base_executable, f"python{version}"):  # type: ignore[attr-defined]
        path = shutil.which(name)
        told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False) if path else None
        if told is not None and told.stdout.startswith(f"Python {version}."):
            return str(path)
    raise NoPythonError(f"binder/runtime.txt asks for Python {version}, which is not on this machine.")


def visited(folder: Path, repository: Path, variables: Mapping[str, str], pictures: Path | None) -> dict[str, Any]:
    """What `visit` says: without a network, where this machine can take it away."""
    answer = folder / "visit.json"
    paths = [str(repository), str(folder / "home"), str(answer)]
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        paths.append(str(pictures.resolve()))
    visit = [sys.executable, "-m", "tests.binder.visit", *paths]
    cut = next((one for one in (["unshare", "-n"], ["unshare", "-rn"]) if _works(one)), [])
    outside = {"STAGEBOOK_TRIAL_PATH": variables["PATH"], "PYTHONPATH": str(ROOT)}
    told = subprocess.run(
        [*cut, *visit], cwd=ROOT, env={**os.environ, **outside}, stderr=subprocess.PIPE, text=True, check=False
    )
    if told.returncode:
        raise VisitError(f"The visit failed ({told.returncode}), network cut by {cut}:\n{told.stderr[-8000:]}")
    return {"network": not cut, **json.loads(answer.read_text())}


def _works(command: list[str]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0


def faults(seen: Mapping[str, Any]) -> list[str]:
    """What a visitor would not like; none if all is well."""
    found = [f"A cell failed: {error}" for error in seen["errors"]]
    if seen["seconds to the tutorial"] > SECONDS:
        found.append(f"The tutorial is there after {seen['seconds to the tutorial']} seconds, not {SECONDS}.")
    if seen["megabytes at most"] > MEGABYTES:
        found.append(f"It takes {seen['megabytes at most']} MB, not {MEGABYTES}.")
    if seen["cells run"] != seen["cells"]:
        found.append(f"{seen['cells run']} of {seen['cells']} cells ran.")
    return found


if __name__ == "__main__":
    main()
