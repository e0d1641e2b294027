"""Putting what stages have made into the notebook's own namespace."""

from __future__ import annotations

from typing import Any

from stagebook.book.hidden import is_hidden
from stagebook.errors import StagebookError, UsageError
from stagebook.run.kept import KeptValues


def load_into(shell: Any, kept: KeptValues) -> str:
    """Put values into the namespace of an IPython shell; what was done, in a sentence or two.

    Raises:
        StagebookError: there is no shell, or the values cannot be loaded.
    """
    from stagebook.store.values import load

    names = sorted(name for name in kept.values if not is_hidden(name))
    if shell is None:
        raise UsageError("There is no namespace to load values into: make the view in a notebook.")
    if not names:
        raise UsageError("The stage has kept no values.")
    try:
        values = load([kept.values[name] for name in names], kept.store, namespace=shell.user_ns)
    except StagebookError:
        raise
    except Exception as error:  # loading runs code of the values' classes, which may need what is not there yet
        why = f"{type(error).__name__}: {error}"
        raise UsageError(f"The values cannot be loaded ({why}). Run the parameters and setup cells first.") from error
    shell.push({name: values[name] for name in names})
    told = f"Loaded {', '.join(names)} from run {kept.run}."
    return f"{told} {kept.changed}." if kept.changed else told
