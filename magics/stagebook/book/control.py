"""What `when=` and `foreach=` make of a stage: the names that it reads, and what cannot be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from stagebook.book.findings import finding
from stagebook.book.hidden import is_hidden
from stagebook.book.syntax import syntax_tree
from stagebook.model import Finding, Names, Place, Stage, StageOptions, frozen_map


def with_control(names: Names, options: StageOptions, *, first: bool, place: Place) -> Names:
    """The names of a stage's cells, given its options.

    Args:
        names: what the code does by itself.
        options: the stage's.
        first: whether these are the stage's first cells; before them, the options' names are read.
        place: of the first of the cells.
    """
    if options.foreach is not None:
        names = _mapped(names, options.foreach.item, options.foreach.source)
    if not first:
        return names
    read = dict.fromkeys(sorted(control_names(options)), place)
    return replace(names, reads=frozen_map({**read, **names.reads}))


def control_names(options: StageOptions) -> frozenset[str]:
    """The names that `when` and `foreach` read before the stage's cells run."""
    return condition_names(options) | ({options.foreach.source} if options.foreach is not None else set())


def condition_names(options: StageOptions) -> frozenset[str]:
    """The names that `when` reads, in whatever scope."""
    if options.when is None:
        return frozenset()
    nodes = list(ast.walk(syntax_tree(options.when, mode="eval")))
    bound = {node.arg for node in nodes if isinstance(node, ast.arg)}
    bound |= {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    return frozenset(node.id for node in nodes if isinstance(node, ast.Name)) - bound


def _mapped(names: Names, item: str, source: str) -> Names:
    """The element is there before the code; where it goes by the list's name, the stage makes that list anew."""
    made = names.changes.keys() & {item} if item == source else set()
    return replace(
        names,
        reads=frozen_map({name: place for name, place in names.reads.items() if name != item or item == source}),
        binds=frozen_map({**names.binds, **{name: names.changes[name] for name in made}}),
        maybe_binds=names.maybe_binds - {item},
        changes=frozen_map({name: place for name, place in names.changes.items() if name not in made}),
        touches=frozen_map({name: place for name, place in names.touches.items() if name != item}),
    )


def control_findings(stages: tuple[Stage, ...]) -> Iterator[Finding]:
    """Mapped stages that change what all elements share, or an element that is known by another name, too."""
    for stage in stages:
        mapping = stage.options.foreach
        if mapping is None:
            continue
        for name, place in stage.names.changes.items():
            if not is_hidden(name):
                message = f"Stage `{stage.name}` is mapped over `{mapping.source}` and changes `{name}` in place."
                remedy = "The elements run apart: make a new object under a name of its own, which is gathered."
                yield finding("SB210", message, remedy, place, stage=stage.name)
        if mapping.item in stage.names.deletes:
            message = f"Stage `{stage.name}` is mapped over `{mapping.source}` and deletes `{mapping.item}`."
            place = stage.names.deletes[mapping.item]
            yield finding("SB210", message, "Leave it to the end of the stage.", place, stage=stage.name)
