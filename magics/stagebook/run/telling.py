"""Telling listeners what happens."""

from __future__ import annotations

from collections.abc import Callable

from stagebook.events import Event, Notice


class Telling:
    """Tells every listener; one that raises is left out from then on, and the others are told of it."""

    def __init__(self, listeners: tuple[Callable[[Event], None], ...]) -> None:
        self._listeners = list(listeners)

    def __call__(self, event: Event) -> None:
        """Tell all that are left."""
        for listener in list(self._listeners):
            try:
                listener(event)
            except Exception as error:  # whatever a listener does wrong must not cost the run
                self._listeners.remove(listener)
                name = type(listener).__name__
                self(Notice(f"{name} is left out of the rest of the run: {type(error).__name__}: {error}"))
