"""Environment variables that the notebook sets."""

from __future__ import annotations

from typing import Any

from stagebook.run.variables import variables


class SetVariables:
    """What the notebook has set in `os.environ` and taken out of it, since its kernel started."""

    name = "setting:environ"
    module = None

    def get(self) -> Any:
        """The values by name; None for what was taken out."""
        return dict(sorted(variables.written.items()))

    def put(self, value: Any) -> None:
        """Set them, and take out what was."""
        variables.write(value)


state = SetVariables()
