"""Which role each cell would have: setup, parameters, stage or exploration, and why."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from stagebook.book.cells import without_magic
from stagebook.book.check import OF_IPYTHON
from stagebook.book.doings import is_literal
from stagebook.book.graph import AMBIENT
from stagebook.book.hidden import is_hidden
from stagebook.book.sketch import Sketch
from stagebook.book.verbs import known_in
from stagebook.model import Role

_SETTABLE = re.compile(r"param|config|setting|option|argument|hyper|constant|flags?\b", re.IGNORECASE)
_MOST_NAMES = 4


@dataclass(frozen=True, slots=True)
class Verdict:
    """A cell's role and, in words for a person, the reason."""

    role: Role
    why: str = ""


def verdicts_of(sketches: Sequence[Sketch], kept: Collection[int], forced: Mapping[int, Verdict]) -> list[Verdict]:
    """A role for each cell.

    Args:
        sketches: the cells, in notebook order.
        kept: positions of those that are more than a look.
        forced: verdicts that stand already, by position.
    """
    first = _Deciding(sketches, kept, forced, parameters=None).verdicts()
    return _Deciding(sketches, kept, forced, parameters=_parameters(sketches, kept, first)).verdicts()


def _parameters(sketches: Sequence[Sketch], kept: Collection[int], verdicts: Sequence[Verdict]) -> int | None:
    """The position of the cell that is best fit to hold parameters: above all stages, its values read and never set."""
    if any(verdict.role == "parameters" for verdict in verdicts):
        return None
    stages = [position for position, verdict in enumerate(verdicts) if verdict.role == "stage"]
    best = None
    for position in range(stages[0] if stages else 0):
        sketch = sketches[position]
        if verdicts[position].role == "test" or sketch.has_role or not sketch.doings.only("literal"):
            continue
        worth = _worth(sketch)
        if worth and _only_read(sketches, kept, position) and (best is None or worth > best[0]):
            best = (worth, position)
    return best[1] if best else None


def _worth(sketch: Sketch) -> int:
    """How much the values look like settings."""
    told = " ".join([sketch.cell.source.splitlines()[0], *(heading.text for heading in sketch.path[-1:])])
    values = [getattr(node, "value", None) for node in sketch.tree.body] if sketch.tree is not None else []
    single = [value for value in values if isinstance(value, ast.expr) and _is_single(value)]
    numbers = any(not isinstance(getattr(value, "value", None), str) for value in single)
    return 4 * bool(_SETTABLE.search(told)) + 2 * numbers + bool(single)


def _is_single(node: ast.expr) -> bool:
    return is_literal(node) and not isinstance(node, (ast.List, ast.Tuple, ast.Dict, ast.Set))


def _only_read(sketches: Sequence[Sketch], kept: Collection[int], position: int) -> bool:
    """Whether most of the names that a cell binds are read below, and none of them is set again."""
    names = sketches[position].makes
    others = [sketches[at] for at in sorted(kept) if at != position]
    set_again = any(names & other.makes for other in others)
    read = {name for other in others if other.cell.number > sketches[position].cell.number for name in other.wanted}
    return not set_again and 2 * len(names & read) >= len(names)


class _Deciding:
    """One pass over the cells from top to bottom: what is there already where each of them stands."""

    def __init__(
        self,
        sketches: Sequence[Sketch],
        kept: Collection[int],
        forced: Mapping[int, Verdict],
        *,
        parameters: int | None,
    ) -> None:
        self.sketches = sketches
        self.kept = kept
        self.forced = forced
        self.parameters = parameters
        self.bound: set[str] = set()  # by any cell
        self.any_stars = False  # whether any cell binds what cannot be listed
        self.provided: set[str] = set()  # by setup and parameters
        self.modules: dict[str, str] = {}
        self.stars = False  # whether setup binds what cannot be listed
        self.made: set[str] = set()  # by a stage
        self.used: set[str] = set()  # read, or made, by a stage
        self.started = False
        self.shows = False  # whether a stage above shows anything, so that it matters in which style

    def verdicts(self) -> list[Verdict]:
        found = []
        for position, sketch in enumerate(self.sketches):
            verdict = self._verdict(position, sketch)
            self.bound |= sketch.names.binds.keys()
            self.any_stars = self.any_stars or bool(sketch.names.star_imports)
            if verdict.role in ("setup", "parameters"):
                self.provided |= sketch.names.binds.keys()
                self.stars = self.stars or bool(sketch.names.star_imports)
                self.modules |= self._imported(sketch)
            elif verdict.role == "stage":
                self.started = True
                self.shows = self.shows or sketch.doings.looks or "plot" in sketch.doings.verbs
                self.made |= sketch.makes
                self.used |= sketch.makes | sketch.wanted
            found.append(verdict)
        return found

    def _verdict(self, position: int, sketch: Sketch) -> Verdict:
        if sketch.has_role:
            return Verdict(sketch.cell.role, "has it already")
        if sketch.tree is None:
            return Verdict("exploration", f"no Python: {sketch.fault}")
        if sketch.is_empty:
            return Verdict("exploration", "no code")
        if position in self.forced:
            return self.forced[position]
        if position == self.parameters:
            return Verdict("parameters", f"plain values that cells below read: {listed(sketch.names.binds)}")
        if position in self.kept and (name := self._unmade(sketch)):
            return Verdict("exploration", f"reads `{name}`, which no cell above makes")
        if position in self.kept and self._fits_setup(position, sketch):
            return Verdict("setup", _setup_reason(sketch))
        if position in self.kept:
            return Verdict("stage")
        return Verdict("exploration", _exploration_reason(sketch))

    def _unmade(self, sketch: Sketch) -> str | None:
        """A name that the cell reads and no cell above can have made: from top to bottom, it fails."""
        if self.any_stars or sketch.names.star_imports:
            return None
        known = AMBIENT | self.bound | sketch.names.binds.keys() | sketch.names.maybe_reads
        lines = without_magic(sketch.cell.source).splitlines()
        missing = (name for name, place in sketch.names.reads.items() if not OF_IPYTHON.match(lines[place.line - 1]))
        return min((name for name in missing if name not in known and not is_hidden(name)), default=None)

    def _fits_setup(self, position: int, sketch: Sketch) -> bool:
        """Whether the cell gives the same where it runs before all stages."""
        names = sketch.names
        missing = (names.reads.keys() - names.maybe_reads) - AMBIENT - self.provided
        if self.stars or names.star_imports:
            missing &= self.made  # the rest may come from `import *`
        if not sketch.doings.lays_out or missing:
            return False
        values = sketch.doings.only("literal", "constant", "say", "check", "install")
        if values and any(sketch.makes & self.sketches[at].makes for at in self.kept if at > position):
            return False
        if not self.started:
            return True
        if values or names.star_imports or sketch.doings.has("option") or any(map(is_hidden, names.binds)):
            return False
        if sketch.doings.has("style") and self.shows:
            return False
        imported = self._imported(sketch)
        again = names.binds.keys() & self.provided
        same = all(imported.get(name, "") == self.modules.get(name) for name in again)
        return same and not (names.binds.keys() - again) & self.used

    def _imported(self, sketch: Sketch) -> Mapping[str, str]:
        return known_in([sketch.tree]).modules if sketch.tree is not None else {}


def _setup_reason(sketch: Sketch) -> str:
    words = {
        "imports": sketch.doings.has("import"),
        "definitions": sketch.doings.has("definition"),
        "options": sketch.doings.has("option", "style"),
        "constants": sketch.doings.has("literal", "constant"),
    }
    told = [word for word, does in words.items() if does]
    return f"{', '.join(told[:-1])} and {told[-1]}" if len(told) > 1 else told[0]


def _exploration_reason(sketch: Sketch) -> str:
    if sketch.doings.only("install"):
        return "installs or fetches, which is done once, not in each run"
    made = sorted(name for name in sketch.makes if not is_hidden(name))
    if made:
        return f"no stage needs what it makes: {listed(made)}"
    if sketch.doings.only("check"):
        return "only checks"
    return "only looks" if sketch.doings.looks else "makes nothing"


def listed(names: Collection[str]) -> str:
    """The names, the first of them where there are many."""
    shown = list(names)[:_MOST_NAMES]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
