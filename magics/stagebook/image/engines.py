"""docker and podman: which of them is there, and building and pushing with it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from stagebook.errors import StagebookError, UsageError

Engine = Literal["docker", "podman"]
ENGINES: tuple[Engine, ...] = ("docker", "podman")
SECRETS = ("uv", "netrc", "ca")
"""What a Dockerfile of ours mounts while packages are installed."""

_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::\d{1,5})?/)?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_TAG = re.compile(rf"{_HOST}{_PART}(?:/{_PART})*(?::[\w][\w.-]{{0,127}})?", re.ASCII)
_WITHOUT = "or leave out --build: the context has the command to build it."


def checked_tag(text: str) -> str:
    """The tag, if it is one that engines take.

    Raises:
        UsageError: it is none.
    """
    if not _TAG.fullmatch(text) or len(text) > 255:
        raise UsageError(
            f"`{text}` is no tag of an image. Write NAME:TAG or HOST/NAME:TAG: names in small letters, digits, "
            "`.`, `_`, `-`."
        )
    return text


def engine_named(name: str) -> Engine:
    """The engine of this name, or for `auto` the one that answers.

    Raises:
        UsageError: there is none, or it does not answer.
    """
    wanted = [one for one in ENGINES if name in (one, "auto")]
    told, remedy = [], "Install one (`apt-get install -y podman`)"
    for one in wanted:
        if shutil.which(one) is None:
            told.append(f"`{one}` is not on PATH")
            continue
        answer = subprocess.run([one, "version"], capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            return one
        cause = (answer.stderr.strip().splitlines() or [f"status {answer.returncode}"])[-1]
        told.append(f"`{one}` does not answer ({cause.rstrip('.')})")
        remedy = f"Start it, see that `{one} version` answers"
    raise UsageError(f"No container engine: {', '.join(told)}. {remedy}, {_WITHOUT}")


def engine_there(name: str) -> Engine | None:
    """The same; None where there is none, or it does not answer."""
    try:
        return engine_named(name)
    except UsageError:
        return None


def build_command(engine: Engine, tags: Iterable[str], secrets: Iterable[str], place: str = ".") -> list[str]:
    """The command that builds a context.

    Args:
        engine: what builds it.
        tags: what the image is called.
        secrets: as `id=NAME,src=FILE`.
        place: the context's folder.
    """
    words: list[str] = [engine, "build"]
    if engine == "podman":
        words += ["--format", "docker", "--layers"]  # in its other format an image has no HEALTHCHECK
    for tag in tags:
        words += ["--tag", tag]
    for secret in secrets:
        words += ["--secret", secret]
    return [*words, place]


def shown(command: Iterable[str]) -> str:
    """A command as one types it."""
    return shlex.join(command)


def secrets_of(engine: Engine, given: Sequence[str]) -> list[str]:
    """The secrets that a build gets: those that are given, and the certificates that this shell trusts.

    Raises:
        UsageError: one is written in another way, is not there, or the engine takes none.
    """
    for one in given:
        parts = dict(part.partition("=")[::2] for part in one.split(","))
        if not parts.get("id") or not parts.get("src"):
            raise UsageError("--secret takes id=NAME,src=FILE, NAME one of uv, netrc, ca. A value itself is not taken.")
        if parts["id"] not in SECRETS:
            raise UsageError(f"--secret {one}: the build takes none of this name. It takes {', '.join(SECRETS)}.")
        if not Path(parts["src"]).expanduser().is_file():
            raise UsageError(f"--secret {one}: there is no file {parts['src']}.")
    found = list(given)
    certificates = os.environ.get("SSL_CERT_FILE", "")
    if Path(certificates).is_file() and not any(one.startswith("id=ca,") for one in given):
        found.append(f"id=ca,src={certificates}")
    if engine == "docker" and found and not _has_buildx():
        if given:
            told = "docker takes --secret with its plug-in buildx alone, which is not installed."
            raise UsageError(f"{told} Install it, or build with --engine podman.")
        return []
    return found


def _has_buildx() -> bool:
    return subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False).returncode == 0


def build(engine: Engine, folder: Path, tags: Sequence[str], secrets: Sequence[str]) -> None:
    """Build a context; what the engine says goes to this process's own output.

    Raises:
        StagebookError: it cannot be built.
    """
    base = _base_of(folder)
    command = build_command(engine, tags, secrets_of(engine, secrets), str(folder))
    status = _run(command)
    if status and base and not _is_there(engine, base):
        raise StagebookError(
            f"The base image {base} is not here, and could not be fetched: see above. Name one that is with --base, or "
            f"log in to its registry: {engine} login."
        )
    if status:
        raise StagebookError(f"{engine} could not build {folder} (status {status}): see above. Again: {shown(command)}")


def push(engine: Engine, tags: Iterable[str]) -> None:
    """Push an image.

    Raises:
        StagebookError: it cannot be pushed.
    """
    for tag in tags:
        if _run([engine, "push", tag]):
            raise StagebookError(f"{engine} could not push {tag}: see above. Log in first: {engine} login REGISTRY.")


def _run(command: Sequence[str]) -> int:
    try:
        return subprocess.run(command, check=False).returncode
    except OSError as error:
        raise StagebookError(f"{command[0]} cannot be started: {error.strerror or error}.") from error


def _is_there(engine: Engine, image: str) -> bool:
    return subprocess.run([engine, "image", "inspect", image], capture_output=True, check=False).returncode == 0


def _base_of(folder: Path) -> str:
    """The image that a context's Dockerfile stands on."""
    try:
        text = (folder / "Dockerfile").read_text(encoding="utf-8")
    except OSError:
        return ""
    found = re.search(r"^ARG BASE=(\S+)$", text, re.MULTILINE)
    return found[1] if found else ""
