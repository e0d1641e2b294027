"""`%pipeline load` and `enter`: what stages of a run have made, brought into the notebook's own kernel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.book.hidden import is_file, is_hidden, is_process
from stagebook.errors import UsageError

if TYPE_CHECKING:
    from stagebook.model import Pipeline
    from stagebook.run.kept import KeptValues

_SHORT = 40
"""Letters of a value that are shown of it."""


def load(notebook: Path, stage: str, *, run: str | None = None) -> str:
    """Bring what a stage has made into the kernel, and say what it was.

    Args:
        notebook: its path.
        stage: the stage's name.
        run: the run, by id, folder or `last~1`; the last that has a result of the stage by default.

    Raises:
        StagebookError: there is no such stage or run, its values are not there, or setup has not run.
    """
    from stagebook.live.here import the_shell
    from stagebook.run.kept import outputs_of

    kept = outputs_of(notebook, stage, run=run)
    namespace = the_shell().user_ns
    values = _values(kept, namespace, stage)
    namespace.update(values)
    told = f"{_listed(values)} of `{stage}`" if values else f"`{stage}` has left no values"
    return "\n".join([f"{told}, {_of_run(kept)}", *_remarks(kept)])


def enter(notebook: Path, stage: str, *, run: str | None = None) -> str:
    """Bring the kernel to where a stage starts: parameters, setup, and what the stage takes; say where one is.

    Cells of the stages before it are not run. Arguments and errors are those of `load`.
    """
    from stagebook.book.pipeline import load_pipeline
    from stagebook.live.here import the_shell
    from stagebook.run.kept import inputs_of

    kept = inputs_of(notebook, stage, run=run)
    pipeline = load_pipeline(notebook)
    shell = the_shell()
    _set_up(pipeline, kept.parameters, shell)
    values = _values(kept, shell.user_ns, stage)
    shell.user_ns.update(values)
    _put_back(kept)
    cells = pipeline.stage(stage).cells
    taken = f"; {_listed(values)} {'are' if len(values) > 1 else 'is'} there, {_of_run(kept)}" if values else ""
    return "\n".join(
        [
            f"You are where `{stage}` starts: setup has run{taken}. Go on with cell {cells[0].number}.",
            *_remarks(kept),
        ]
    )


def _set_up(pipeline: Pipeline, parameters: Mapping[str, Any], shell: Any) -> None:
    """Run the cells of parameters and setup, with the values that the run had."""
    from stagebook.book.cells import without_magic

    given = {one.name: parameters[one.name] for one in pipeline.parameters if one.name in parameters and not one.secret}
    for cell in pipeline.preamble:
        result = shell.run_cell(without_magic(cell.source), silent=True)
        if not result.success:
            raise UsageError(f"The {cell.role} cell {cell.number} failed, as is shown above. Mend it, and enter again.")
        if cell.role == "parameters":
            shell.user_ns.update(given)


def _values(kept: KeptValues, namespace: dict[str, Any], stage: str) -> dict[str, Any]:
    """The values by name, hidden state left out."""
    from stagebook.store.values import load as loaded

    refs = [ref for name, ref in kept.values.items() if not is_hidden(name)]
    try:
        return loaded(refs, kept.store, namespace=namespace)
    except KeyError as error:
        name = error.args[0] if error.args else ""
        raise UsageError(
            f"The values are made of `{name}`, which setup defines. Run the setup cells, or: %pipeline enter {stage}"
        ) from error
    except ImportError as error:
        raise UsageError(f"The values are made of what cannot be imported here: {error}.") from error


def _put_back(kept: KeptValues) -> None:
    """Set random generators and options of libraries as the stages before have left them."""
    from stagebook.registry import names, plugin
    from stagebook.store.values import load as loaded

    states = {one.name: one for one in (plugin("state", name) for name in names("state"))}
    for name, ref in kept.values.items():
        if name in states and not is_process(name) and not is_file(name):
            states[name].put(loaded([ref], kept.store, namespace={})[name])


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} ({described(value)})" for name, value in sorted(values.items()))


def described(value: Any) -> str:
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


def _of_run(kept: KeptValues) -> str:
    given = ", ".join(f"{name} = {value!r}" for name, value in kept.parameters.items())
    return f"from run {kept.run}{f' ({given})' if given else ''}"


def _remarks(kept: KeptValues) -> Iterable[str]:
    if kept.unstorable:
        names = ", ".join(f"`{name}` ({what})" for name, what in kept.unstorable.items() if not is_hidden(name))
        yield from [f"Not there, as it cannot be stored: {names}."] if names else []
    if kept.changed:
        yield f"Since that run, something has changed: {kept.changed}."
