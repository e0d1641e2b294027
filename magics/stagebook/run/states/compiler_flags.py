"""Future statements: `from __future__ import annotations` holds for every cell from there on."""

from __future__ import annotations

from typing import Any


class CompilerFlags:
    """The flags with which IPython compiles cells."""

    name = "setting:compiler"
    module = None

    def get(self) -> Any:
        """The flags, as one number."""
        return _compiler().flags

    def put(self, value: Any) -> None:
        """Compile with these flags."""
        _compiler().flags = value


def _compiler() -> Any:
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    return shell.compile


state = CompilerFlags()
