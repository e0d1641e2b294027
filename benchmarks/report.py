"""The report: targets first, then all medians, with versions and machine. Pure: rows in, Markdown out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.peers import ALL as PEERS
from benchmarks.plan import PLAN
from benchmarks.rows import Cell, Round, Table
from benchmarks.scaling import exponent, series
from benchmarks.targets import TARGETS, Verdict, judge
from benchmarks.workloads import ALL as WORKLOADS

_FOLDERS = re.compile(r"(?<![\w.])/(?:[^\s/]+/)+")

METHOD = """\
Each contender is installed into an environment of its own and run as a command, as a user would; bytecode is compiled
and caches are warm, since a rehearsal goes before. In each round the contenders take turns, another one beginning each
time. Times are wall times of whole commands, from start to end. What is printed as the result is compared after every
run: a contender with another result is left out.

*Cold*: an empty folder. *Nothing changed*: the same command again. *Last stage edited*: the last stage's code is
changed. *Sweep*: eight values of a parameter that the last two stages depend on; Papermill's eight runs follow one
another. Papermill, nbconvert and Kedro keep nothing: their cold runs count there. Metaflow's `resume` does not look
whether code or data have changed: its user says where to take up. A peer *isolates* if each stage starts in a process
of its own. Memory is the peak of the sum over all processes (proportional share on Linux), in runs of their own.
Stagebook runs with isolation, verification, store and record on; what is over within half a minute is told to MLflow by
a process that outlives the command, which is waited for before the next one starts and is not part of the time.
"""


@dataclass(frozen=True)
class Contender:
    """Who took part: the title, the version, or why it is not there."""

    title: str
    version: str
    missing: str = ""


def report(
    rounds: Sequence[Round], contenders: Mapping[str, Contender], machine: Mapping[str, str], notes: str = ""
) -> str:
    """The whole report.

    Args:
        rounds: all that was measured.
        contenders: who took part, by name.
        machine: facts of the machine.
        notes: what a person has written on missed targets: a section for each, headed `## ` and its title.
    """
    table = Table.of(rounds)
    verdicts = [judge(target, table) for target in TARGETS]
    parts = [
        "# Stagebook beside its peers",
        "Written by `make bench`; do not edit. Ratios and seconds: smaller is better.",
        f"## Targets\n\n{_targets(verdicts)}",
        _missed(verdicts, notes),
        *(_session(session.name, table) for session in PLAN),
        _handoff(table),
        _scaling(rounds),
        _not_measured(rounds, contenders),
        f"## How it was measured\n\n{METHOD}",
        f"## Who took part\n\n{_contenders(contenders, rounds)}",
        f"## Machine\n\n{grid(('', ''), machine.items())}",
    ]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def _targets(verdicts: Iterable[Verdict]) -> str:
    rows = (
        (
            verdict.target.title,
            f"{verdict.target.limit:.2f}",
            "" if verdict.ratio is None else f"{verdict.ratio:.2f}",
            "" if verdict.lowest is None else f"{verdict.lowest:.2f} to {verdict.highest:.2f} ({verdict.rounds})",
            verdict.peer,
            verdict.outcome,
        )
        for verdict in verdicts
    )
    return grid(("ratio", "at most", "measured", "single rounds (how many)", "better peer", ""), rows)


def _missed(verdicts: Iterable[Verdict], notes: str) -> str:
    """A paragraph for each missed target: by how much, and what a person says of it."""
    written = dict(section.partition("\n")[::2] for section in f"\n{notes}".split("\n## ")[1:])
    told = [
        f"### Missed: {verdict.target.title}\n\n"
        f"{verdict.ratio:.2f} where {verdict.target.limit:.2f} is aimed at: {verdict.ratio / verdict.target.limit:.1f} "
        f"times as much. {written.get(verdict.target.title, 'No note on it yet.').strip()}"
        for verdict in verdicts
        if verdict.ratio is not None and verdict.outcome == "missed"
    ]
    return "\n\n".join(told)


def _session(name: str, table: Table) -> str:
    """Medians of a session: a line for each contender, a column for each situation."""
    session = next(one for one in PLAN if one.name == name)
    cells = [cell for cell in table.cells() if cell.session == name]
    if not cells:
        return ""
    shown = _megabytes if session.watch_memory else _seconds
    situations = list(session.contenders)
    rows = [
        (PEERS[peer].title, *(_measured(table.values(Cell(name, situation, peer)), shown) for situation in situations))
        for peer in session.names
        if any(cell.contender == peer for cell in cells)
    ]
    unit = "peak memory, MB" if session.watch_memory else "seconds"
    title = WORKLOADS[session.workload].title
    return f"## {title[0].upper()}{title[1:]}: {unit}\n\n{grid(('', *situations), rows)}"


def _measured(values: Mapping[int, float], shown: Callable[[float], str]) -> str:
    if not values:
        return ""
    ordered = sorted(values.values())
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    return f"**{shown(middle)}** ({shown(ordered[0])} to {shown(ordered[-1])}, {len(ordered)})"


def _seconds(value: float) -> str:
    return f"{value:.2f}"


def _megabytes(value: float) -> str:
    return f"{value / 1e6:.0f}"


def _handoff(table: Table) -> str:
    """What crossing a stage takes, beside writing the same value as Arrow IPC."""
    found = {cell.situation: cell for cell in table.cells() if cell.session == "handoff"}
    rows = []
    for value in found:
        ours = table.median(Cell("handoff", value, "stagebook"))
        arrow = table.median(Cell("handoff", value, "Arrow IPC alone"))
        if ours is not None and arrow:
            rows.append((value, f"{ours:.2f}", f"{arrow:.2f}", f"{ours / arrow:.2f}"))
    if not rows:
        return ""
    return f"## Hand-off of a value: seconds\n\n{grid(('', 'Stagebook', 'Arrow IPC alone, written', 'ratio'), rows)}"


def _scaling(rounds: Iterable[Round]) -> str:
    found = series(rounds)
    if not found:
        return ""
    lines = []
    for what, points in found.items():
        told = ", ".join(f"{count}: {seconds:.1f} s" for count, seconds in sorted(points.items()))
        grows = exponent(points)
        lines.append(f"- {what}: {told}" + (f"; the time added grows with the power {grows:.2f}" if grows else ""))
    return "## Scaling\n\n![Run time by number of stages and of cells](scaling.svg)\n\n" + "\n".join(lines)


def _not_measured(rounds: Iterable[Round], contenders: Mapping[str, Contender]) -> str:
    """What is no contender and failed."""
    failed = {name: reason for one in rounds for name, reason in one.failures.items() if name not in contenders}
    lines = "\n".join(f"- {name}: {_brief(reason, -1)}" for name, reason in failed.items())
    return f"## Not measured\n\n{lines}" if lines else ""


def _brief(reason: str, line: int) -> str:
    """One line of a reason, without the folders that it names: they mean nothing elsewhere."""
    return _FOLDERS.sub("", reason.strip().splitlines()[line])


def _contenders(contenders: Mapping[str, Contender], rounds: Iterable[Round]) -> str:
    rows = []
    failed: dict[str, dict[str, None]] = {}
    for measured in rounds:
        for name, reason in measured.failures.items():
            failed.setdefault(name, {})[_brief(reason, 0)] = None
    for name, one in contenders.items():
        remarks = [f"not installed: {one.missing}"] if one.missing else []
        remarks += [f"failed: {reason}" for reason in failed.get(name, ())]
        rare = [f"{session.rarely[name]} in {session.name}" for session in PLAN if name in session.rarely]
        remarks += [f"fewer rounds, as it takes long: {', '.join(rare)}"] if rare and not one.missing else []
        rows.append((one.title, one.version, "; ".join(remarks)))
    return grid(("", "version", ""), rows)
