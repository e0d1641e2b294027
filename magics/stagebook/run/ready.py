"""Kernels that are prepared before a stage asks for one, where nothing can tell the difference."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from contextlib import suppress

from stagebook.run.kernels import Kernel
from stagebook.run.prepared import Prepared, Setup
from stagebook.run.warm.imports import is_timeless
from stagebook.run.warm.pool import Pool

_Entry = tuple[Hashable, Setup, "asyncio.Task[Prepared]"]


class Ready:
    """Prepared kernels that wait for a stage. All methods belong to one event loop.

    Args:
        limit: how many there may be.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: list[_Entry] = []

    async def take(self, setup: Setup) -> Prepared | None:
        """A living kernel that is set up like this, if one is ready or about to be."""
        while entry := next((one for one in self._entries if one[1] == setup), None):
            self._entries.remove(entry)  # another stage may ask while this one waits
            with suppress(Exception):  # whatever went wrong, it will again where somebody is told
                prepared = await entry[2]
                if await prepared.kernel.is_alive():
                    return prepared
                await prepared.kernel.stop()
        return None

    def expect(self, owner: Hashable, setup: Setup, pool: Pool | None, *, kernels: int) -> None:
        """So many are going to be asked for.

        Args:
            owner: who asks; see `drop`.
            setup: what they are set up with.
            pool: where to take them from.
            kernels: how many.
        """
        if pool is None or not is_timeless([cell.source for cell in setup.preamble], pool.imported):
            return
        have = sum(entry[1] == setup for entry in self._entries)
        for _ in range(min(kernels - have, self._limit - len(self._entries))):
            self._entries.append((owner, setup, asyncio.create_task(_prepared(setup, pool))))

    async def drop(self, owner: Hashable) -> None:
        """End those that this owner has asked for and not taken."""
        dropped = [entry for entry in self._entries if entry[0] == owner]
        self._entries = [entry for entry in self._entries if entry[0] != owner]
        await asyncio.gather(*(_end(task) for _, _, task in dropped))


async def _prepared(setup: Setup, pool: Pool) -> Prepared:
    prepared = Prepared(await Kernel.fork(setup.kernel, folder=setup.folder, pool=pool), setup)
    try:
        await prepared.set_up()
    except BaseException:
        await prepared.kernel.stop()
        raise
    return prepared


async def _end(task: asyncio.Task[Prepared]) -> None:
    with suppress(Exception):
        await (await task).kernel.stop()
