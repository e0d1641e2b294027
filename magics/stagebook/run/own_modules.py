"""What the user's own modules hold for their process: whether a stage has left it as it was."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterable
from typing import Any

from stagebook.book.hidden import process_of

Digest = Callable[[Any], "str | None"]


class OwnModules:
    """The variables of modules that lie beside the notebook.

    What setup does to them holds in every kernel. A module is first looked at right after its import.

    Args:
        digest: tells equal values from others; None for what it cannot tell.
    """

    def __init__(self, digest: Digest) -> None:
        self._digest = digest
        self._names: tuple[str, ...] = ()
        self._before: dict[str, dict[str, str | None]] = {}

    def listen(self, names: Iterable[str]) -> None:
        """From now on, look at these modules when they are loaded.

        Args:
            names: of files, relative to the folder that the modules are found in: `own.py`, `package/part.py`.
        """
        self._names = tuple(module_name(name) for name in names)
        if self._names:
            import wrapt

            for name in self._names:
                wrapt.register_post_import_hook(self._look, name)

    def begin(self) -> None:
        """Look at what setup has loaded."""
        self._before = {}
        for name in self._names:
            if name in sys.modules:
                self._look(sys.modules[name])

    def changed(self) -> set[str]:
        """What to call the modules that are not as the stage found them."""
        return {process_of(name) for name, before in self._before.items() if self.state(sys.modules[name]) != before}

    def _look(self, module: Any) -> None:
        self._before[module.__name__] = self.state(module)

    def state(self, module: types.ModuleType) -> dict[str, str | None]:
        """Digests of what the module and its classes hold, by name."""
        found = dict(_variables(vars(module)))
        for name, kind in vars(module).items():
            if isinstance(kind, type) and kind.__module__ == module.__name__:
                found |= {f"{name}.{own}": value for own, value in _variables(vars(kind))}
        return {name: self._digest(value) for name, value in found.items()}


def _variables(names: Any) -> Iterable[tuple[str, Any]]:
    for name, value in list(names.items()):
        is_code = callable(value) or isinstance(value, (types.ModuleType, property, classmethod, staticmethod))
        if not name.startswith("__") and not name.startswith("_abc_") and not is_code:
            yield name, value


def module_name(path: str) -> str:
    """How a module is imported, by its file: `package.part` for `package/part.py`."""
    name = path.removesuffix(".py").removesuffix("/__init__")
    return name.replace("/", ".").partition(".cpython-")[0]
