"""Hidden state in the kernel: put back before a stage's cells run, compared when they are done."""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from stagebook.book.hidden import is_process
from stagebook.registry import names, plugin

Digest = Callable[[Any], "str | None"]


class Carried:
    """The states of `states/`, as a stage finds them and leaves them.

    A state whose library is loaded while the stage runs is put back, and looked at, right when that happens.

    Args:
        digest: tells equal values from others.
    """

    def __init__(self, digest: Digest) -> None:
        self._digest = digest
        self._states = {state.name: state for state in (plugin("state", name) for name in names("state"))}
        self._waiting: dict[str, Any] = {}
        self._before: dict[str, Any] = {}

    def listen(self) -> None:
        """From now on, look at each state when its library is loaded."""
        import wrapt

        for state in self._states.values():
            if state.module is not None:
                wrapt.register_post_import_hook(self._loaded(state), state.module)

    def begin(self, values: Mapping[str, Any]) -> None:
        """Put back what earlier stages left, and look at the rest."""
        for name, value in values.items():
            state = self._states.get(name)
            if state is None:
                continue
            if state.module is None or name in self._before:
                state.put(value)
            else:
                self._waiting[name] = value
        for name, state in self._states.items():
            if state.module is None or name in self._before:
                self._before[name] = state.get()

    def put_back(self) -> None:
        """Put random numbers' states back: what imports draw while inputs are loaded, one kernel has drawn long ago."""
        for name, before in self._before.items():
            if name.startswith("state:") and not self.is_same(self._states[name].get(), before):
                self._states[name].put(before)

    def changed(self) -> dict[str, Any]:
        """The states that are not as the stage found them, with their values."""
        now = {name: self._states[name].get() for name in self._before}
        return {name: value for name, value in now.items() if not self.is_same(value, self._before[name])}

    def used(self, changed: Iterable[str]) -> list[str]:
        """What the outcome may depend on: settings of what is loaded, and generators that were drawn from."""
        return sorted({*changed, *(name for name in self._before if name.startswith("setting:"))})

    def seen(self) -> dict[str, Any]:
        """The states whose libraries are loaded, as they were when that happened or when a stage last began."""
        return dict(self._before)

    def values(self) -> dict[str, Any]:
        """These states as they are now."""
        return {name: self._states[name].get() for name in self._before}

    def now(self, wanted: Iterable[str]) -> dict[str, Any]:
        """The values of these states, where there are such."""
        return {name: self._states[name].get() for name in wanted if name in self._before and not is_process(name)}

    def is_same(self, value: Any, before: Any) -> bool:
        """Whether a state's value is the same both times."""
        if _is_plain(value) and _is_plain(before):  # as most are; random numbers' states are long
            return marshal.dumps(value, _WITHOUT_REFERENCES) == marshal.dumps(before, _WITHOUT_REFERENCES)
        return self._digest(value) == self._digest(before)

    def _loaded(self, state: Any) -> Callable[[Any], None]:
        def look(_: Any) -> None:
            if state.name in self._waiting:
                state.put(self._waiting.pop(state.name))
            self._before[state.name] = state.get()  # to be digested later: other libraries may be half imported here

        return look


_WITHOUT_REFERENCES = 2
"""The version of marshal's format in which equal values are equal bytes."""
_PLAIN = frozenset({int, float, str, bool, type(None)})


def _is_plain(value: Any) -> bool:
    """Whether the value consists of numbers and texts that cannot be changed."""
    return type(value) in _PLAIN or (type(value) is tuple and all(map(_is_plain, value)))
