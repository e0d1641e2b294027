"""What an exporter is, and the files that one would write.

A third party's is an entry point `stagebook.exporter`, whose name is the exporter's; it names an object shaped as
`Exporter`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal, Protocol

from stagebook.book.notebook import Document
from stagebook.errors import StagebookError, UsageError, did_you_mean
from stagebook.model import Pipeline
from stagebook.registry import names, plugin

OptionKind = Literal["text", "number", "switch", "choice"]

_KINDS: Mapping[OptionKind, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, float),
    "switch": (bool,),
    "choice": (str,),
}


@dataclass(frozen=True, slots=True)
class ExportOption:
    """Something that an exporter can be told.

    Attributes:
        name: what it is called.
        kind: what it takes.
        default: what it is where nobody says so; None for nothing.
        help: what it is for, in a sentence.
        choices: the only values of a `choice`.
    """

    name: str
    kind: OptionKind = "text"
    default: str | float | bool | None = None
    help: str = ""
    choices: tuple[str, ...] = ()


class Exporter(Protocol):
    """Makes other tools' files of a pipeline.

    Its files go to a folder beside the notebook, unless it has an attribute `in_repository` that is true: then they
    belong at the root of the notebook's git repository.

    Attributes:
        title: what it is called on the screen.
        says: what it makes, in a sentence.
        options: what it can be told.
    """

    title: str
    says: str
    options: tuple[ExportOption, ...]

    def files(self, pipeline: Pipeline, document: Document, options: Mapping[str, Any]) -> Mapping[str, bytes]:
        """The files, by their paths with slashes, relative to the folder that they are exported to.

        Args:
            pipeline: the pipeline.
            document: the notebook that it was read from, as nbformat 4 has it.
            options: a value for each of its options.

        Raises:
            StagebookError: the pipeline, or an option's value, is none that it can make something of.
        """


def exporters() -> dict[str, Exporter]:
    """The exporters that are installed, by name."""
    return {name: _exporter(name) for name in sorted(names("exporter"))}


def exported_files(name: str, pipeline: Pipeline, document: Document, given: Mapping[str, Any]) -> Mapping[str, bytes]:
    """The files that an exporter makes of a pipeline.

    Args:
        name: the exporter's.
        pipeline: the pipeline.
        document: the notebook that it was read from.
        given: what the exporter is told; the rest is as its options say.

    Raises:
        StagebookError: there is no such exporter or option, a value is none that it takes, or a path leaves the folder.
    """
    exporter = _exporter(name)
    values = _values(name, exporter.options, given)
    try:
        files = exporter.files(pipeline, document, values)
    except StagebookError:
        raise
    except Exception as error:  # it is somebody else's code
        raise StagebookError(
            f"Exporter `{name}` failed ({type(error).__name__}: {error}). Tell who made it."
        ) from error
    for path in files:
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or ".." in parts or "\\" in path:
            raise StagebookError(f"Exporter `{name}` would write `{path}`, outside of the folder it is given.")
    return files


def _exporter(name: str) -> Exporter:
    try:
        found: Exporter = plugin("exporter", name)
    except ImportError as error:
        raise StagebookError(f"Exporter `{name}` cannot be loaded: {error}. Install its package anew.") from error
    return found


def _values(name: str, options: tuple[ExportOption, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    known = {option.name: option for option in options}
    for key, value in given.items():
        if key not in known:
            raise UsageError(f"Exporter `{name}` has no option `{key}`.{did_you_mean(key, known)}")
        option = known[key]
        is_one = isinstance(value, _KINDS[option.kind]) and (option.kind == "switch" or not isinstance(value, bool))
        if value is not None and not is_one:
            raise UsageError(f"Exporter `{name}`: option `{key}` takes a {option.kind}, and {value!r} is none.")
        if option.choices and value is not None and value not in option.choices:
            raise UsageError(f"Exporter `{name}`: option `{key}` takes one of {', '.join(option.choices)}.")
    return {option.name: given.get(option.name, option.default) for option in options}
