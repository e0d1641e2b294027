"""An environment of its own for each contender, with all bytecode compiled before anything is timed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.model import Peer

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = ROOT / ".venv-bench"
COMPUTING = ("pandas", "numpy", "scipy", "scikit-learn", "joblib", "threadpoolctl", "pyarrow")
KERNEL = ("ipykernel", "ipython", "jupyter-client", "jupyter-core", "nbclient", "nbformat", "pyzmq", "tornado")
IMPORTED = ("pandas", "scikit-learn", "pyarrow", "ipykernel")
"""What the workloads import, and the kernel: installed everywhere, where it can be at the same versions."""

_VERSIONS = (
    "import json; from importlib.metadata import distributions as all;"
    "print(json.dumps({one.name.lower().replace('_', '-'): one.version for one in all()}))"
)
_LEFT_OUT = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "MPLBACKEND", "JUPYTER_PATH")
_QUIET = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONUNBUFFERED": "1"}


class NotInstalledError(Exception):
    """A contender's environment could not be made; the message is the reason, in a line."""


@dataclass(frozen=True)
class Environment:
    """Where a contender is installed, and the versions of all that is there."""

    folder: Path
    versions: Mapping[str, str]

    def variables(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Environment variables for its commands: its own programs first, and a home directory of its own."""
        inherited = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
        path = os.pathsep.join([str(_programs(self.folder)), inherited.get("PATH", "")])
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return inherited | _QUIET | {"PATH": path, "HOME": str(home)} | dict(extra or {})

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return _programs(self.folder) / "python"


def made(peer: Peer, *, source: Path) -> Environment:
    """The contender's environment, made if it is missing or was made for other requirements.

    Args:
        peer: the contender.
        source: where Stagebook's source is, which is installed for the contender of that name.

    Raises:
        NotInstalledError: it does not install.
    """
    folder = ENVIRONMENTS / peer.name
    wanted, constraints = _wanted(peer, source), _constraints(peer, source)
    own = (source / "pyproject.toml").read_text(encoding="utf-8") if peer.name == "stagebook" else ""
    made_for = json.dumps([wanted, constraints, own])
    stamp = folder / "made-for.json"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != made_for:
        shutil.rmtree(folder, ignore_errors=True)
        _install(folder, wanted, constraints=constraints)
        stamp.write_text(made_for, encoding="utf-8")
    _compile(folder, source=source if peer.name == "stagebook" else None)
    told = _run([str(_programs(folder) / "python"), "-c", _VERSIONS], "its packages could not be listed")
    return Environment(folder, json.loads(told))


def _wanted(peer: Peer, source: Path) -> list[str]:
    if peer.name == "stagebook":
        return ["--editable", str(source), *IMPORTED, "matplotlib"]
    return [*IMPORTED, *peer.requirements]


def _constraints(peer: Peer, source: Path) -> list[str]:
    """The lines of Stagebook's `constraints.txt` that hold for this contender too, so that all compute alike."""
    lines = (source / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if peer.name == "stagebook":
        return lines
    held = COMPUTING + (KERNEL if peer.kernel else ())
    return [line for line in lines if re.split(r"[=;\s]", line, maxsplit=1)[0] in held]


def _install(folder: Path, wanted: Sequence[str], *, constraints: list[str]) -> None:
    """Make the environment and install into it, with uv where there is one."""
    uv = shutil.which("uv")
    make = [uv, "venv", "--quiet", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]
    _run([*make, str(folder)], "its environment could not be made")
    limits = folder / "constraints.txt"
    limits.write_text("\n".join(constraints) + "\n", encoding="utf-8")
    python = str(_programs(folder) / "python")
    install = [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install"]
    _run([*install, "--quiet", "--constraint", str(limits), *wanted], "it does not install")


def _compile(folder: Path, *, source: Path | None) -> None:
    """Compile what is not compiled yet; files that are no valid Python (templates) are passed over."""
    compiled = [str(folder / "lib"), *([str(source / "magics")] if source else [])]
    command = [str(_programs(folder) / "python"), "-m", "compileall", "-q", "-j", "0", *compiled]
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command, env=variables, capture_output=True, check=False)


def _programs(folder: Path) -> Path:
    return folder / ("Scripts" if os.name == "nt" else "bin")


def _run(command: Sequence[str], failure: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise NotInstalledError(f"{failure}: {said[-1].strip() if said else f'exit status {done.returncode}'}")
    return done.stdout
