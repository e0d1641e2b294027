"""A pool for each kind of kernel that a runner is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from stagebook.run.kernelspecs import how_started, kernel_python
from stagebook.run.warm.command import can_be_forked
from stagebook.run.warm.imports import early_imports
from stagebook.run.warm.pool import Pool

_Kind = tuple[str, str, tuple[str, ...]]


@dataclass(slots=True)
class Pools:
    """Pools by kernel, working directory and imports. All methods belong to one event loop.

    Args:
        environment: the kernels' environment variables.
        spare: how many kernels of a kind may wait to be used.
    """

    environment: Mapping[str, str]
    spare: int
    _pools: dict[_Kind, Pool] = field(default_factory=dict)

    def of(self, kernel: str, folder: str, sources: Iterable[str]) -> Pool | None:
        """The pool for kernels that are to run these cells first, if there can be one."""
        kind = (kernel, folder, early_imports(sources))
        if kind not in self._pools:
            arguments, variables = how_started(kernel) or ([], {})
            if not can_be_forked(arguments):
                return None
            environment, imports = {**self.environment, **variables}, kind[2]
            python = kernel_python(kernel)
            self._pools[kind] = Pool(python, folder, imports=imports, environment=environment, spare=self.spare)
        return self._pools[kind]

    async def close(self) -> None:
        """End all templates, and what kernels of theirs are still there."""
        for pool in self._pools.values():
            await pool.close()
