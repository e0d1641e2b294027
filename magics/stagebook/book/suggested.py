"""The frozen values of a suggestion: what each cell of a notebook would be, and what would come of it."""

from __future__ import annotations

from dataclasses import dataclass

from stagebook.model import Finding, Pipeline, Place, Role


@dataclass(frozen=True, slots=True)
class SuggestedCell:
    """What a code cell would be.

    Attributes:
        number: its position among the code cells, from 1.
        index: its position among all cells, from 0.
        role: what it would be for.
        stage: the stage that it would belong to.
        why: the reason, for a person.
        code: its first line of code.
        has_it: whether it has this role already.
        metrics: numbers that its stage would record.
    """

    number: int
    index: int
    role: Role
    stage: str | None
    why: str
    code: str = ""
    has_it: bool = False
    metrics: tuple[str, ...] = ()

    @property
    def tag(self) -> str | None:
        """The tag that says so, `stage:load`; None for exploration, which has none."""
        if self.role == "exploration":
            return None
        return f"{self.role}:{self.stage}" if self.stage is not None else self.role

    @property
    def new_tag(self) -> str | None:
        """The tag that it would be given; None where there is nothing to add."""
        return None if self.has_it else self.tag


@dataclass(frozen=True, slots=True)
class Hint:
    """What the user could do by hand to make the pipeline better."""

    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the cells of a notebook would be.

    Attributes:
        cells: all code cells, in notebook order.
        pipeline: what the notebook would be with all these tags; None where it would have no stage, or no order.
        remaining: errors that it would have, which `stagebook check` finds.
        hints: what could be better still.
    """

    cells: tuple[SuggestedCell, ...]
    pipeline: Pipeline | None = None
    remaining: tuple[Finding, ...] = ()
    hints: tuple[Hint, ...] = ()

    @property
    def new(self) -> tuple[SuggestedCell, ...]:
        """The cells that would be given a tag."""
        return tuple(cell for cell in self.cells if cell.new_tag is not None)
