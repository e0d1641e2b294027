"""The working directory and the import path, as `os.chdir` and `sys.path` change them."""

from __future__ import annotations

import os
import sys
from typing import Any


class Folder:
    """The working directory, and where modules are looked for."""

    name = "setting:folder"
    module = None

    def get(self) -> Any:
        """Both, as texts."""
        return (os.getcwd(), tuple(map(str, sys.path)))  # noqa: PTH109 - a text is wanted

    def put(self, value: Any) -> None:
        """Go there, and look there."""
        folder, path = value
        os.chdir(folder)
        sys.path[:] = path


state = Folder()
