"""What the GitHub exporter is asked for: options that are in order, or a sentence that says what is not."""

from __future__ import annotations

import ast
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from stagebook.book.syntax import parse
from stagebook.errors import UsageError, did_you_mean
from stagebook.export.packages import packages_of
from stagebook.export.plain import refusal
from stagebook.export.repository import repository_of
from stagebook.model import Pipeline

_CRON = re.compile(r"[\dA-Za-z*/,-]+(?: [\dA-Za-z*/,-]+){4}")
_VERSION = re.compile(r"3\.(\d+)")
_OLDEST = 10
_IMAGE = re.compile(r"(?:[a-z0-9.-]+\.[a-z]+|localhost)(?::\d+)?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+")
_URL = re.compile(r"[a-z][a-z0-9+]*://[^\s@'\"]+")
_WORD = re.compile(r"[\w./-]+")
_SECRET = re.compile(r"(?!GITHUB_)[A-Z_][A-Z0-9_]*")
_EXPRESSION = "${{"


def checked_options(options: Mapping[str, Any], models: Sequence[str]) -> tuple[str, ...]:
    """The Pythons that are asked for.

    Args:
        options: all options.
        models: what the notebook registers.

    Raises:
        UsageError: a value is none that GitHub or Stagebook takes.
    """
    for name, value in options.items():
        if isinstance(value, str) and (_EXPRESSION in value or "\n" in value):
            raise UsageError(
                f"`--{name}` holds `{_EXPRESSION}` or a line's end: GitHub would fill it in. Leave it out."
            )
    for name, pattern, told in (
        ("cron", _CRON, "is no cron schedule of five fields. Write it as '30 6 * * 1'"),
        (
            "image",
            _IMAGE,
            "is no image's name with its registry, in small letters, without a tag. Write ghcr.io/OWNER/NAME",
        ),
        ("store", _URL, "is no URL without user and password. Write s3://bucket/prefix; secrets come by --secrets"),
        ("requests", _URL, "is no URL without user and password. Write s3://bucket/requests/NAME"),
        ("branch", _WORD, "is no branch. Write one name"),
        ("environment", _WORD, "is no environment. Write one name"),
        ("runs_on", _WORD, "is no runner's label. Write one, as ubuntu-latest"),
    ):
        if options[name] is not None and not pattern.fullmatch(options[name]):
            raise UsageError(f"`{options[name]}` {told}.")
    if not 1 <= options["timeout"] <= 360 or options["timeout"] % 1:
        raise UsageError(f"A job cannot take {options['timeout']:g} minutes. Name a whole number from 1 to 360.")
    if options["requests"]:
        _check_monitored(options, models)
    for name in listed(options["secrets"]):
        if not _SECRET.fullmatch(name):
            raise UsageError(f"`{name}` is no secret's name: capital letters, digits and _, not GITHUB_ at its start.")
    return _pythons(options["python"])


def listed(text: str | None) -> list[str]:
    """The words of a list, `a,b` or `a b`."""
    return (text or "").replace(",", " ").split()


def _check_monitored(options: Mapping[str, Any], models: Sequence[str]) -> None:
    if not options["cron"]:
        raise UsageError("--requests is looked at by the clock. Say when with --cron, as '30 6 * * *'.")
    if len(models) != 1:
        many = f"several models ({', '.join(models)})" if models else "no model"
        raise UsageError(f"--requests is for a notebook that registers one model, and this one registers {many}.")


def _pythons(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(listed(text)))
    if not found:
        raise UsageError("--python names none. Write it as 3.12, or 3.11,3.12.")
    for one in found:
        match = _VERSION.fullmatch(one)
        if match is None or int(match[1]) < _OLDEST:
            raise UsageError(f"`{one}` is no Python that Stagebook runs on. Write 3.{_OLDEST} or a newer one, as 3.12.")
    return found


def path_of(pipeline: Pipeline, given: str | None) -> str:
    """The notebook's path in its repository.

    Raises:
        UsageError: it is in none, or the path that is given leads elsewhere.
    """
    if given is not None:
        path = PurePosixPath(given)
        if path.is_absolute() or ".." in path.parts or path.suffix != ".ipynb":
            raise UsageError(f"`{given}` is no notebook's path in the repository. Write it as notebooks/flights.ipynb.")
        return path.as_posix()
    notebook = pipeline.notebook.resolve()
    root = repository_of(notebook)
    if root is None:
        told = f"{notebook.name} is in no git repository."
        raise UsageError(f"{told} Make one (`git init`), or say where it will stand: --path notebooks/{notebook.name}.")
    found = notebook.relative_to(root).as_posix()
    if _EXPRESSION in found or not found.isprintable():
        raise UsageError(f"`{found}` is no path for a workflow: GitHub would fill it in. Rename it.")
    return found


def name_of(pipeline: Pipeline, given: str | None) -> str:
    """What files and workflows are called by: small letters, digits and dashes."""
    name = re.sub(r"[^a-z0-9]+", "-", (given or pipeline.notebook.stem).lower()).strip("-")
    return name or "notebook"


def sample_of(pipeline: Pipeline, given: str | None) -> dict[str, str]:
    """The parameters of runs on pull requests.

    Raises:
        UsageError: the notebook has no such parameter, or it is secret.
    """
    try:
        words = shlex.split(given or "")
    except ValueError as error:
        raise UsageError(f"`{given}` cannot be read: {error}. Write --sample 'rows=1000 depth=3'.") from error
    known = {one.name: one for one in pipeline.parameters}
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"`{word}` is no parameter with its value. Write --sample 'rows=1000 depth=3'.")
        if name not in known:
            told = f"There is no parameter `{name}` in {pipeline.notebook.name}."
            raise UsageError(f"{told}{did_you_mean(name, known)}")
        if known[name].secret:
            raise UsageError(
                f"Parameter `{name}` is secret: its value comes from the secret {name.upper()}, not a file."
            )
        found[name] = value
    return found


def secrets_of(pipeline: Pipeline) -> tuple[str, ...]:
    """The names of the secret parameters, each of which a secret of the repository holds in capital letters.

    Raises:
        StagebookError: GitHub has no secrets of such a name.
    """
    for one in pipeline.parameters:
        if one.secret and not _SECRET.fullmatch(one.name.upper()):
            why = (
                "GitHub has no secrets of that name" if not one.name.isascii() else "GitHub keeps such names for itself"
            )
            raise refusal(one.place, f"secret parameter `{one.name}`: {why}.", "Rename it.")
    return tuple(one.name for one in pipeline.parameters if one.secret)


def installed_by(pipeline: Pipeline, notebook: str, given: str | None) -> tuple[tuple[str, ...], str]:
    """What pip is told to install, and the file that says so, empty where there is none.

    Args:
        pipeline: the pipeline.
        notebook: its path in the repository.
        given: the file's path in the repository, if one is named.
    """
    beside = PurePosixPath(notebook).with_name("requirements.txt").as_posix()
    if given is None and Path(pipeline.notebook).with_name("requirements.txt").is_file():
        given = beside
    if given is not None:
        path = os.path.normpath(given)
        if path.startswith((os.sep, "..", "-")):
            raise UsageError(f"`{given}` is no file in the repository. Write it as notebooks/requirements.txt.")
        return ("--requirement", path), path
    cells = [cell for cell in pipeline.cells if cell.role != "exploration"]
    modules = {module for cell in cells for module in _imported(cell.source)}
    return tuple(sorted(packages_of(modules, "".join(cell.source for cell in cells)))), ""


def _imported(code: str) -> Iterator[str]:
    """The modules that code imports, as dotted names."""
    for node in ast.walk(parse(code)):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module
