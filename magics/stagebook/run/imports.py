"""What identifies the modules that a stage stands on: those it imports, and those that its inputs are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from stagebook.run.environment import describe_modules
from stagebook.run.installed import Installed
from stagebook.run.job import StageResult
from stagebook.store.references import ValueRef


class Imports:
    """Modules as parts of fingerprints: `package:pandas` with a version, `module:helpers.py` with a digest.

    A class that a stored value is made of is found in its module again: what that is now counts, whoever imported it.

    Args:
        folder: the notebook's folder, first on the import path.
        python: the interpreter of the kernels.
        installed: versions of what is installed for this interpreter.
    """

    def __init__(self, folder: Path, *, python: str, installed: Installed | None = None) -> None:
        self._folder = folder
        self.python = python
        self._installed = installed
        self._described: dict[str, dict[str, str]] = {}
        self._of_content: dict[str, tuple[str, ...]] = {}

    def parts(self, modules: Iterable[str]) -> dict[str, str]:
        """The parts for these modules.

        Raises:
            KernelError: the kernels' interpreter could not be asked.
        """
        modules = list(modules)
        new = [module for module in modules if module not in self._described]
        if new:
            described = describe_modules(new, self._folder, python=self.python, installed=self._installed)
            self._described |= {module: _by_part(text) for module, text in described.items()}
        return {part: content for module in modules for part, content in self._described[module].items()}

    def note(self, result: StageResult) -> None:
        """Remember what the values of a result are made of."""
        refs: list[ValueRef] = [*result.outputs.values(), *result.tied.values(), *result.elements]
        self._of_content |= {ref.content: ref.modules for ref in refs if ref.modules}

    def parts_of(self, inputs: Mapping[str, str]) -> dict[str, str]:
        """The parts for what inputs, given by the contents of their values, are made of."""
        return self.parts(sorted({one for content in inputs.values() for one in self._of_content.get(content, ())}))


def _by_part(text: str) -> dict[str, str]:
    lines = (line.partition("=") for line in text.splitlines())
    return {part: content for part, _, content in lines}
