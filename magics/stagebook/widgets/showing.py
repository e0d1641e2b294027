"""Showing a widget where one is: live in a notebook, as text in a terminal."""

from __future__ import annotations

from typing import Any, Protocol


class Showable(Protocol):
    """A widget that can say what it shows in plain text."""

    def as_text(self) -> str:
        """What it shows, for a terminal."""


def show(widget: Showable) -> None:
    """Show a widget below the cell that is being run; where there is no notebook, print what it has to say."""
    if not has_front_end():
        print(widget.as_text())
        return
    if hasattr(widget, "show_still"):
        widget.show_still()
    from IPython.display import display

    display(widget)  # type: ignore[no-untyped-call] # IPython's


def has_front_end() -> bool:
    """Whether this is a kernel, behind which there may be something that shows widgets."""
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None


def with_text(bundle: Any, forms: dict[str, str]) -> Any:
    """What a widget is displayed with, and these forms of it for whoever cannot show widgets."""
    if isinstance(bundle, tuple):
        shown, metadata = bundle
        return {**shown, **forms}, metadata
    return {**(bundle or {}), **forms}
