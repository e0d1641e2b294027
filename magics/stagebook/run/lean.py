"""Imports that leave out what takes long and is hardly ever used."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

_POSTPONED = {
    "pyarrow.fs": ("FileSelector", "HadoopFileSystem"),  # for paths of HDFS
    "rfc3987_syntax": ("is_valid_syntax",),  # formats of texts, which jsonschema checks where a schema names them
    "rfc3986_validator": ("validate_rfc3986",),
}
"""What Papermill and nbformat import for the sake of what a run does not do; JupyterLab installs these formats."""


@contextmanager
def without(module: str) -> Iterator[None]:
    """What is imported under this finds that the module is not installed, unless it has been imported before."""
    with _in_place_of(module, None):
        yield


@contextmanager
def postponed(functions: Mapping[str, tuple[str, ...]]) -> Iterator[None]:
    """What is imported under this finds functions, by module, that import theirs when they are called.

    A module that has been imported before, or is not installed, stays as it is.
    """
    with ExitStack() as stack:
        for module, names in functions.items():
            if importlib.util.find_spec(module.partition(".")[0]) is not None:
                stand_in = ModuleType(module)
                for name in names:
                    setattr(stand_in, name, _imported_when_called(module, name))
                stack.enter_context(_in_place_of(module, stand_in))
        yield


def imported(module: str) -> Any:
    """A module that imports nbformat: in a third of the time that this takes where JupyterLab is installed."""
    if module not in sys.modules:
        with postponed(_POSTPONED):
            return importlib.import_module(module)
    return importlib.import_module(module)  # which waits where another thread is still at it


@contextmanager
def _in_place_of(module: str, stand_in: ModuleType | None) -> Iterator[None]:
    is_new = module not in sys.modules
    if is_new:
        sys.modules[module] = stand_in  # type: ignore[assignment] # None: it cannot be imported
    try:
        yield
    finally:
        if is_new:
            del sys.modules[module]


def _imported_when_called(module: str, name: str) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        return getattr(importlib.import_module(module), name)(*arguments, **options)

    return call
