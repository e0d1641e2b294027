"""What the options of a stage ask for that exported code does not do: `stagebook run` does it."""

from __future__ import annotations

from collections.abc import Iterator

from stagebook.book.gates import asks_champion
from stagebook.model import Stage


def beyond(stage: Stage) -> Iterator[str]:
    """A line for each."""
    options = stage.options
    if options.retries:
        yield f"{stage.name}: tries {options.retries} more {'time' if options.retries == 1 else 'times'} if it fails"
    if options.timeout is not None:
        yield f"{stage.name}: ends it after {options.timeout:g} seconds"
    if not options.cache:
        yield f"{stage.name}: runs it every time (here, every stage is)"
    if options.resources:
        yield f"{stage.name}: waits for {', '.join(name for name, _ in options.resources)}"
    if options.reads or options.writes:
        yield f"{stage.name}: watches {', '.join((*options.reads, *options.writes))}"
    if options.model is not None:
        yield f"{stage.name}: registers the model `{options.model.value}`"
    if options.gate is not None and asks_champion(options.gate):
        yield f"{stage.name}: ends the run unless {options.gate}"
