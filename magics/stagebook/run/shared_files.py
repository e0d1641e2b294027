"""The files that stages of one run share: as each is to meet them, and as they are to be in the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from stagebook.book.hidden import FILE, is_file, path_of
from stagebook.model import Pipeline, frozen_map
from stagebook.run.job import StageResult
from stagebook.run.opened import content_digest
from stagebook.run.overtaken import Conflicts, Span, Tangle, look_again, lost, touches, untangle, written_over
from stagebook.run.undo import at_the_end, is_kept, put_back, to_undo
from stagebook.store.blobs import Store

_NEVER: Span = (float("-inf"), float("inf"))


@dataclass(slots=True)
class SharedFiles:
    """What has become of files in this run.

    Args:
        folder: the notebook's, to which paths are relative.
        store: where their contents are kept.
    """

    folder: Path
    store: Store
    _spans: dict[str, Span] = field(default_factory=dict)
    _ran: dict[str, StageResult] = field(default_factory=dict)
    _asked: set[tuple[str, str]] = field(default_factory=set)
    _back: set[str] = field(default_factory=set)
    _origins: dict[str, tuple[float, str | None]] = field(default_factory=dict)

    def begin(self, stage: str, inputs: Mapping[str, str]) -> None:
        """A stage starts: what it did when it ran before, in this run, is undone first."""
        if stage in self._ran:
            taken = {path_of(name) for name in inputs if is_file(name)}
            put_back(to_undo(self._ran[stage], taken, self.folder, self.store), self.folder, self.store)
        self._spans[stage] = (time.monotonic(), float("inf"))

    def end(self, result: StageResult) -> None:
        """A stage's result has come."""
        self._spans[result.stage] = (self._spans[result.stage][0], time.monotonic())
        self._ran[result.stage] = result
        for path, digest in result.replaced.items():
            origin = (result.since.get(path, float("inf")), digest)
            self._origins[path] = min(origin, self._origins.get(path, origin), key=lambda one: one[0])

    def made_anew(self, result: StageResult, inputs: Mapping[str, str]) -> str | None:
        """A file that a stored result left, and that an earlier stage has made anew since; None where there is none."""
        return written_over(result, inputs, self._spans, self.folder)

    def missing(self, stage: str, inputs: Mapping[str, str], results: Mapping[str, StageResult]) -> dict[str, str]:
        """Files that a stage is to take and that are lost, with the stages that make them; each is named once.

        Those of which there is a copy are put back as they are to be.
        """
        gone = lost(inputs, results, self.folder)
        left = {path: results[source].left[path] for path, source in gone.items()}
        there = {path: digest for path, digest in left.items() if is_kept(digest, self.store)}
        put_back(there, self.folder, self.store)
        self._back |= there.keys()
        found = {path: source for path, source in gone.items() if path not in there}
        found = {path: source for path, source in found.items() if (stage, path) not in self._asked}
        self._asked |= {(stage, path) for path in found}
        return found

    def mend(
        self,
        stages: Collection[str],
        pipeline: Pipeline,
        results: Mapping[str, StageResult],
        *,
        share: Callable[[str, str], bool],
    ) -> Conflicts:
        """What the results of `stages`, which have just come, show to be wrong."""
        ended = {name: result for name, result in results.items() if self._spans.get(name, _NEVER)[1] < float("inf")}
        order = sorted(pipeline.stages, key=lambda one: one.cells[0].number)
        there = [ended[one.name] for one in order if one.name in ended]
        found = Conflicts()
        for path in sorted({path for result in there for path in result.replaced}):
            if not any(touches(results[stage], path) for stage in stages):
                continue
            met = tuple(result for result in there if touches(result, path))
            tangle = Tangle(path, met, self._spans, self._before(path, met[0], pipeline, results))
            if tangle.is_one():
                untangle(found, tangle, pipeline, is_kept=lambda digest: is_kept(digest, self.store))
        for stage in stages:
            look_again(found, stage, pipeline, results, self._spans, share=share)
        return found

    def is_in_place(self, found: Conflicts) -> bool:
        """Whether all files hold already what they are to be put back to."""
        return all(content_digest(self.folder / path) == digest for path, digest in found.restore.items())

    def restore(self, found: Conflicts) -> None:
        """Put files back, for stages that are to run again: what these did to them is undone by that."""
        put_back(found.restore, self.folder, self.store)
        for stage in found.again.keys() & self._ran.keys():
            before = self._ran[stage]
            kept = {path: digest for path, digest in before.replaced.items() if path not in found.restore}
            self._ran[stage] = replace(before, replaced=frozen_map(kept))

    def _before(
        self, path: str, first: StageResult, pipeline: Pipeline, results: Mapping[str, StageResult]
    ) -> str | None:
        """What a file is to hold for the first stage of this run that met it."""
        provider = results.get(pipeline.inputs[first.stage].get(f"{FILE}{path}", ""))
        return self._origins[path][1] if provider is None else provider.left.get(path)

    def leave(self, pipeline: Pipeline, results: Mapping[str, StageResult]) -> None:
        """At the end, files are as the last stage that wrote them has left them."""
        stages = sorted(pipeline.stages, key=lambda stage: stage.cells[0].number)
        found = [results[stage.name] for stage in stages if stage.name in results]
        put_back(at_the_end(self._back, found, self.folder, self.store), self.folder, self.store)
