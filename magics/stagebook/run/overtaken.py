"""Files are not copied for each stage, as values are: which stages met one in a state that it should not have had.

That two stages meet in a file is not known before they have run. What is learned keeps the next run in order; this
finds what went wrong in the run that learned it, and what makes it right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from stagebook.book.hidden import FILE, is_file, path_of
from stagebook.model import Pipeline
from stagebook.run.job import Failure, StageResult
from stagebook.run.opened import content_digest

Span = tuple[float, float]
"""When a stage that ran in this run was started, and when its result came."""

_UNSEEN = "written unseen"
"""In place of a digest: no event told what was there before."""


@dataclass(slots=True)
class Conflicts:
    """What to do about files.

    Attributes:
        again: stages that have to run again, each with a file that it met in a wrong state.
        judge: stages whose stored results have to be looked at again.
        failures: stages that cannot be put right, since what a file held is lost.
        restore: files to be put back to these contents first (None: there was none).
    """

    again: dict[str, str] = field(default_factory=dict)
    judge: set[str] = field(default_factory=set)
    failures: dict[str, Failure] = field(default_factory=dict)
    restore: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tangle:
    """The stages of a run that met one file, as if no other had been there: what each should have met, and did.

    Args:
        path: the file.
        met: the results of those that ran in this run and read, wrote or listed it, in notebook order.
        spans: when they ran.
        before: what the file is to hold for the first of them (None: there is none).
    """

    path: str
    met: tuple[StageResult, ...]
    spans: Mapping[str, Span]
    before: str | None

    def is_one(self) -> bool:
        """Whether one started before another had ended that is above it, and one of the two writes the file."""
        return any(
            self.spans[late.stage][0] <= self.spans[early.stage][1] and (self._writes(early) or self._writes(late))
            for early, late in combinations(self.met, 2)
        )

    def states(self) -> list[str | None]:
        """What the file is to hold for each of them."""
        states = [self.before]
        for result in self.met[:-1]:
            states.append(result.left.get(self.path) if self._writes(result) else states[-1])
        return states

    def wrong(self) -> set[int]:
        """Those that met the file otherwise, or wrote it while another did.

        After the first that wrote it so, what those should have met that only read it is not known: they take the
        file from that stage, and are judged anew when it has run again.
        """
        wrong = self._at_once()
        for position, (result, state) in enumerate(zip(self.met, self.states(), strict=True)):
            if any(self._writes(self.met[one]) for one in wrong if one < position):
                break
            if not self._has_met(result, state):
                wrong.add(position)
        first = min(wrong, default=len(self.met))
        return wrong | {place for place, result in enumerate(self.met) if place > first and self._writes(result)}

    def needs(self, position: int) -> bool:
        """Whether the outcome of this one depends on what the file held before."""
        result = self.met[position]
        return self.path in result.files or self.path in result.extended or not self._writes(result)

    def writer(self) -> str:
        """One that wrote it: the last."""
        return [result.stage for result in self.met if self._writes(result)][-1]

    def maker(self, position: int) -> int | None:
        """The one from which this one should have got the file."""
        return max((place for place in range(position) if self._writes(self.met[place])), default=None)

    def _at_once(self) -> set[int]:
        """Of those that wrote it, pairs that may have done so at the same time, or in the wrong order."""
        found: set[int] = set()
        for one, other in combinations(range(len(self.met)), 2):
            early, late = self.met[one], self.met[other]
            if not (self._writes(early) and self._writes(late)):
                continue
            apart = self.spans[early.stage][1] < self.spans[late.stage][0]
            if apart or late.replaced.get(self.path, _UNSEEN) == early.left.get(self.path):
                continue
            turned = early.replaced.get(self.path, _UNSEEN) == late.left.get(self.path)
            found |= {other} if turned and not self.needs(one) else {one, other}
        return found

    def _has_met(self, result: StageResult, state: str | None) -> bool:
        if self.path in result.files:
            return result.files[self.path] == state
        if self.path in result.extended:
            return result.replaced[self.path] == state
        seen, name = _listed(result, self.path)
        return seen is None or self._writes(result) or (name in seen) == (state is not None)

    def _writes(self, result: StageResult) -> bool:
        return self.path in result.replaced or self.path in result.left


def touches(result: StageResult, path: str) -> bool:
    """Whether a stage read, wrote or listed a file."""
    return (
        any(path in part for part in (result.files, result.replaced, result.left))
        or _listed(result, path)[0] is not None
    )


def untangle(found: Conflicts, tangle: Tangle, pipeline: Pipeline, *, is_kept: Callable[[str | None], bool]) -> None:
    """What makes right what stages met in one file.

    The first that met it otherwise than it should have, and all below that write it, run again, from what it should
    have met. Where that is lost, the one that made it runs again, too.
    """
    wrong = tangle.wrong()
    if not wrong:
        return
    states, first = tangle.states(), min(wrong)
    while tangle.needs(first) and not is_kept(states[first]):
        maker = tangle.maker(first)
        if maker is None:
            break
        first = maker
        wrong |= {first}
    again = dict.fromkeys((tangle.met[position].stage for position in sorted(wrong)), tangle.path)
    reader = tangle.met[first]
    provider = pipeline.inputs[reader.stage].get(f"{FILE}{tangle.path}")
    if is_kept(states[first]):
        found.restore[tangle.path] = states[first]
    elif tangle.needs(first):
        if provider is None:
            found.failures.setdefault(reader.stage, _overtaken(reader.stage, tangle, pipeline))
            return
        again = {provider: tangle.path, **again}
    found.again |= again


def _overtaken(reader: str, tangle: Tangle, pipeline: Pipeline) -> Failure:
    path, writer = tangle.path, tangle.writer()
    message = f"it met {path} as `{writer}`, a later stage at work at the same time, had left it."
    remedy = f"Put {path} back as it was, and run again: `{writer}` now waits for `{reader}`."
    return Failure("FileOvertaken", message, pipeline.stage(reader).cells[-1].number, remedy)


def look_again(
    found: Conflicts,
    stage: str,
    pipeline: Pipeline,
    results: Mapping[str, StageResult],
    spans: Mapping[str, Span],
    *,
    share: Callable[[str, str], bool],
) -> None:
    """Which stages the arrival of `stage`'s result shows to have met files otherwise than their makers left them.

    Args:
        found: to which they are added.
        stage: the stage that has just run.
        pipeline: linked with all that is known.
        results: of all stages that have one.
        spans: of those that ran in this run.
        share: whether two stages ran one after the other in one kernel, which may hold the file open between them.
    """
    apart = {name: source for name, source in pipeline.inputs[stage].items() if not share(stage, source)}
    for path, digest in lefts(apart, results).items():
        if results[stage].files.get(path, digest) != digest:  # met while it was being made anew, or put back
            found.again[stage] = path
    for taker, taken in pipeline.inputs.items():
        paths = [path_of(name) for name, source in taken.items() if source == stage and is_file(name)]
        began = spans[taker][0] if taker in spans else float("-inf")
        if not paths or taker not in results or began >= spans[stage][1]:
            continue
        over = [path for path in paths if path in results[taker].left]
        if over:
            found.again[taker] = over[0]  # what it had written was written over
        elif any(results[taker].files.get(path) != results[stage].left.get(path) for path in paths):
            found.judge.add(taker)


def lefts(inputs: Mapping[str, str], results: Mapping[str, StageResult]) -> dict[str, str | None]:
    """The files that a stage takes, as the stages that provide them left them."""
    taken = {path_of(name): source for name, source in inputs.items() if is_file(name)}
    return {
        path: results[source].left[path]
        for path, source in taken.items()
        if source in results and path in results[source].left
    }


def lost(inputs: Mapping[str, str], results: Mapping[str, StageResult], folder: Path) -> dict[str, str]:
    """Files that a stage takes and that are not as the stages that provide them left them, with these."""
    left = lefts(inputs, results)
    return {path: inputs[f"{FILE}{path}"] for path, digest in left.items() if content_digest(folder / path) != digest}


def written_over(result: StageResult, inputs: Mapping[str, str], spans: Mapping[str, Span], folder: Path) -> str | None:
    """A file that a stored result left, and that an earlier stage has made anew in this run; None where there is none.

    Args:
        result: the stored result.
        inputs: the sources of its names.
        spans: of stages that ran in this run.
        folder: the notebook's.
    """
    for path, digest in result.left.items():
        if inputs.get(f"{FILE}{path}") in spans and content_digest(folder / path) != digest:
            return path
    return None


def _listed(result: StageResult, path: str) -> tuple[list[str] | None, str]:
    """What a stage saw in the file's folder (None where it did not look), and the file's name there."""
    folder, _, name = path.rpartition("/")
    return result.listed.get(f"{folder or '.'}/"), name
