"""Values of a run, brought into a kernel's namespace, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from stagebook.book.hidden import is_hidden
from stagebook.errors import StagebookError, UsageError
from stagebook.store.values import load

if TYPE_CHECKING:
    from stagebook.run.kept import KeptValues

_SHORT = 40
"""Letters of a value that are shown of it."""


def bring_outputs(kept: KeptValues, namespace: dict[str, Any], stage: str) -> str:
    """Put what a stage has made into a namespace, and say what it was.

    Args:
        kept: see `kept.outputs_of`.
        namespace: the kernel's, with what setup defines.
        stage: the stage's name.

    Raises:
        UsageError: the values need what is not there.
    """
    values = brought(kept, namespace, stage)
    namespace.update(values)
    told = f"{listed(values)} of `{stage}`" if values else f"`{stage}` has left no values"
    return "\n".join([f"{told}, {of_run(kept)}", *remarks(kept)])


def brought(kept: KeptValues, namespace: dict[str, Any], stage: str) -> dict[str, Any]:
    """The values by name, hidden state left out; arguments and errors are those of `bring_outputs`."""
    refs = [ref for name, ref in kept.values.items() if not is_hidden(name)]
    try:
        return load(refs, kept.store, namespace=namespace)
    except KeyError as error:
        name = error.args[0] if error.args else ""
        raise UsageError(
            f"The values are made of `{name}`, which setup defines. Run the setup cells, or: %pipeline enter {stage}"
        ) from error
    except StagebookError:
        raise
    except Exception as error:  # loading runs code of the values' classes, which may need what is not there
        why = f"{type(error).__name__}: {error}"
        raise UsageError(f"The values cannot be loaded ({why}). Run the parameters and setup cells first.") from error


def listed(values: Mapping[str, Any]) -> str:
    """The names, each with what it is."""
    return ", ".join(f"{name} ({_described(value)})" for name, value in sorted(values.items()))


def _described(value: Any) -> str:
    """What a value is, in a few words: `DataFrame 327346 x 7`, `ndarray 100 x 3 float64`, `int 7`."""
    kind = type(value).__name__
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        size = " x ".join(map(str, shape))
        dtype = getattr(value, "dtype", None)
        return f"{kind} {size}{f' {dtype}' if dtype is not None else ''}"
    if isinstance(value, (int, float, str, bool)) or value is None:
        text = repr(value)
        return f"{kind} {text if len(text) <= _SHORT else text[: _SHORT - 1] + '…'}"
    if isinstance(value, (list, tuple, dict, set)):
        return f"{kind} of {len(value)}"
    return kind


def of_run(kept: KeptValues) -> str:
    """Which run they are from, with which parameters."""
    given = ", ".join(f"{name} = {value!r}" for name, value in kept.parameters.items())
    return f"from run {kept.run}{f' ({given})' if given else ''}"


def remarks(kept: KeptValues) -> Iterable[str]:
    """What else one should know: what is not there, what has changed since."""
    if kept.unstorable:
        names = ", ".join(f"`{name}` ({what})" for name, what in kept.unstorable.items() if not is_hidden(name))
        yield from [f"Not there, as it cannot be stored: {names}."] if names else []
    if kept.unread:
        yield f"Not kept, as no other stage reads it: {', '.join(kept.unread)}."
    if kept.changed:
        yield f"Since that run, something has changed: {kept.changed}."
