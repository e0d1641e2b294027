"""Whether two runs of a sample say the same: outputs as normal text, cell by cell, and a verdict. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Word = Literal["identical", "refused", "different"]

_NORMAL = [
    (re.compile(r"0x[0-9a-f]{6,16}\b"), "0x..."),  # memory addresses
    (re.compile(r"ipykernel_\d+/\d+\.py"), "ipykernel/cell.py"),
    (re.compile(r"\b\d+(?:\.\d+)?(?:e-\d+)? ?(?:s|ms|μs|µs|ns|sec|secs|seconds|min|minutes)\b"), "... s"),
    (re.compile(r"\b(elapsed|remaining|total|time)(: *|=) *[\d.]+"), r"\1\2..."),
]
_OURS = re.compile(r"(PipelineError|KernelError|StoreError|CorruptBlobError|StagebookError): .")


@dataclass(frozen=True, slots=True)
class CellText:
    """What a cell put out, as text: both streams, results and displays in order, the error."""

    stdout: str = ""
    stderr: str = ""
    results: tuple[str, ...] = ()
    error: str = ""

    @classmethod
    def of(cls, outputs: Sequence[Any], *, folder: str = "") -> CellText:
        """The text of nbformat outputs, without what differs from run to run by its nature."""
        streams = {"stdout": "", "stderr": ""}
        results, error = [], ""
        for output in outputs:
            if output["output_type"] == "stream":
                streams[output["name"]] += output["text"]
            elif output["output_type"] == "error":
                error = f"{output['ename']}: {output['evalue']}"
            elif "text/plain" in output["data"]:
                results.append(normal(output["data"]["text/plain"], folder))
        stdout, stderr = normal(streams["stdout"], folder), normal(streams["stderr"], folder)
        return cls(stdout, stderr, tuple(results), normal(error, folder))

    def parts(self) -> dict[str, str]:
        """The parts by name."""
        return {"stdout": self.stdout, "stderr": self.stderr, "results": "\n".join(self.results), "error": self.error}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: the text of each cell.

    Attributes:
        cells: in notebook order; the last one tells of the variables.
        refusal: what Stagebook said where it ran nothing.
    """

    cells: tuple[CellText, ...]
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A place in which two runs differ: `cell 3, stdout`, or a variable."""

    place: str
    plain: str
    staged: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of the comparison.

    Attributes:
        verdict: identical, refused or different.
        reason: of a refusal.
        differences: where the two differ.
        excluded: places that differ between two plain runs, too, and are not counted.
    """

    verdict: Word
    reason: str = ""
    differences: tuple[Difference, ...] = ()
    excluded: tuple[str, ...] = ()


def normal(text: str, folder: str = "") -> str:
    """The text without addresses, durations, process numbers, colours and the folder's own path."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    text = text.replace(folder, "<folder>") if folder else text
    for pattern, instead in _NORMAL:
        text = pattern.sub(instead, text)
    return text


def judge(plain: Outcome, staged: Outcome, *, again: Outcome | None = None) -> Verdict:
    """The verdict on Stagebook's run.

    Args:
        plain: the run of one plain kernel.
        staged: Stagebook's.
        again: a second plain run; what differs between the two plain ones is left out.
    """
    if staged.refusal:
        return Verdict("refused", staged.refusal)
    end = next((number for number, cell in enumerate(plain.cells, start=1) if cell.error), len(plain.cells))
    expected, got = places(plain, end), places(staged, end)
    unsteady = frozenset[str]()
    if again is not None:
        other = places(again, end)
        unsteady = frozenset(place for place in expected | other if expected.get(place) != other.get(place))
    found = tuple(
        Difference(place, expected.get(place, ""), got.get(place, ""))
        for place in expected | got
        if expected.get(place) != got.get(place) and place not in unsteady
    )
    excluded = tuple(sorted(unsteady))
    refusal = next((said for said in map(_refusal, staged.cells) if said), "")
    if found and refusal:
        return Verdict("refused", refusal, found, excluded)
    return Verdict("different" if found else "identical", "", found, excluded)


def places(outcome: Outcome, end: int) -> dict[str, str]:
    """What there is to compare in the cells up to number `end`, by place; a line about a variable is one of its own."""
    found: dict[str, str] = {}
    for number, cell in enumerate(outcome.cells[:end], start=1):
        found |= {f"cell {number}, {part}": text for part, text in cell.parts().items() if text}
    if end == len(outcome.cells) and end:
        for line in found.pop(f"cell {end}, stdout", "").splitlines():
            name, _, value = line.partition(" ")
            found[f"variable {name}"] = value
    return found


def _refusal(cell: CellText) -> str:
    """An error with which Stagebook itself says why it cannot."""
    return cell.error if _OURS.match(cell.error) else ""
