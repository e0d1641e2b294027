"""Imports that leave out what takes long and is hardly ever used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def without(module: str) -> Iterator[None]:
    """What is imported under this finds that the module is not installed, unless it has been imported before."""
    hidden = module not in sys.modules
    if hidden:
        sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden:
            del sys.modules[module]


def import_papermill() -> Any:
    """Papermill; pyarrow, which takes half of the time to import, only when it comes to a path of HDFS."""
    if "papermill" not in sys.modules:
        with without("pyarrow.fs"):
            import papermill.iorw

        for name in ("FileSelector", "HadoopFileSystem"):
            setattr(papermill.iorw, name, _of_pyarrow(name))
    return importlib.import_module("papermill")


def _of_pyarrow(name: str) -> Callable[..., Any]:
    def make(*arguments: Any, **options: Any) -> Any:
        return getattr(importlib.import_module("pyarrow.fs"), name)(*arguments, **options)

    return make
