"""Wheels of what no index has: Stagebook's own, and distributions that were installed from a folder or a URL.

A wheel is a zip file with a list of what is in it. These have no times in them: the same files are the same bytes.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping
from importlib.metadata import Distribution
from pathlib import Path, PurePosixPath

from stagebook.errors import StagebookError
from stagebook.image.materials import Target

_LEFT_OUT = frozenset({"labextension", "lab", "__pycache__"})
"""Of Stagebook: what a Jupyter server shows."""
_OF_NOTEBOOKS = _LEFT_OUT | {"book", "export", "image", "live", "widgets"}
"""The rooms that a notebook needs, and a registered model does not."""
_SUFFIXES = frozenset({".py", ".html", ".j2", ".js", ".css", ".json", ".typed", ".yaml"})
_ENTRY_POINTS = """\
[console_scripts]
stagebook = stagebook.cli:main

[papermill.engine]
stagebook = stagebook.run.engine:StagebookEngine
"""
_WHEEL = "Wheel-Version: 1.0\nGenerator: stagebook\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def own_wheel(target: Target) -> tuple[str, bytes]:
    """Stagebook as it is running here, without its dependencies, and the rooms of it that a target enters.

    Args:
        target: what the image does.
    """
    left_out = _OF_NOTEBOOKS if target in ("serve", "score") else _LEFT_OUT
    root = Path(__file__).parents[1]
    version = _version(root)
    info = f"stagebook-{version}.dist-info"
    files = {
        f"stagebook/{path.relative_to(root).as_posix()}": path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix in _SUFFIXES and not left_out & set(path.relative_to(root).parts)
    }
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: stagebook\nVersion: {version}\n".encode()
    files[f"{info}/WHEEL"] = _WHEEL.encode()
    files[f"{info}/entry_points.txt"] = _ENTRY_POINTS.encode()
    return f"stagebook-{version}-py3-none-any.whl", wheel_of(files, info)


def _version(root: Path) -> str:
    found = re.search(r'^__version__ = "(.+)"$', (root / "__init__.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    return found[1]


def packed_again(found: Distribution) -> tuple[str, bytes]:
    """A wheel of what is installed, made of the files that it has put there.

    Raises:
        StagebookError: these are not known, or not there.
    """
    name = found.metadata["Name"]
    tags = [line.partition(":")[2].strip() for line in (found.read_text("WHEEL") or "").splitlines() if "Tag:" in line]
    # not `found.files`: of some versions of importlib.metadata, it leaves out what is not there
    listed = [PurePosixPath(row[0]) for row in csv.reader((found.read_text("RECORD") or "").splitlines()) if row]
    info = next((path.parts[0] for path in listed if path.parts[0].endswith(".dist-info")), "")
    if not tags or not info:
        raise StagebookError(f"`{name}` was not installed from a wheel, so that none can be made. Install it with pip.")
    files = {}
    for told in listed:
        if ".." in told.parts or told.is_absolute() or "__pycache__" in told.parts:
            continue  # scripts, which are made anew, and bytecode
        if told.parts[0] == info and told.name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json"):
            continue
        try:
            files[str(told)] = Path(str(found.locate_file(str(told)))).read_bytes()
        except OSError as error:
            raise StagebookError(f"`{name}` is damaged here ({told}: {error.strerror}). Install it again.") from error
    return f"{info.removesuffix('.dist-info')}-{_joined(tags)}.whl", wheel_of(files, info)


def _joined(tags: list[str]) -> str:
    """Tags as a file's name has them: `py2.py3-none-any` for two."""
    parts = zip(*(tag.split("-", 2) for tag in tags), strict=True)
    return "-".join(".".join(dict.fromkeys(part)) for part in parts)


def wheel_of(files: Mapping[str, bytes], info: str) -> bytes:
    """A wheel of these files, with the list that belongs into it.

    Args:
        files: by their paths in the wheel.
        info: the folder of the distribution's metadata.
    """
    record = f"{info}/RECORD"
    lines = [f"{path},sha256={_hashed(content)},{len(content)}" for path, content in sorted(files.items())]
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in [*sorted(files.items()), (record, "\n".join([*lines, f"{record},,", ""]).encode())]:
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return held.getvalue()


def _hashed(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def built(project: Path, name: str, uv: str, *, created: int) -> tuple[str, bytes]:
    """A wheel of a project that is installed where it is edited.

    Args:
        project: its folder.
        name: what it is called.
        uv: the program that builds it.
        created: the time that it is to have, in seconds.

    Raises:
        StagebookError: it cannot be built; the message has the tool's last line.
    """
    with tempfile.TemporaryDirectory(prefix="stagebook-") as out:
        command = [uv, "build", "--quiet", "--wheel", "--out-dir", out, str(project)]
        variables = {**os.environ, "SOURCE_DATE_EPOCH": str(max(created, 315532800))}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables)
        wheels = sorted(Path(out).glob("*.whl"))
        if done.returncode or not wheels:
            cause = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1].strip()
            remedy = f"See what `uv build --wheel {project}` says."
            raise StagebookError(f"No wheel of `{name}` can be built from {project}: {cause} {remedy}")
        return wheels[0].name, wheels[0].read_bytes()
