"""A comparison as text for people, or as Markdown for a pull request: one set of sections, written in two ways."""

from __future__ import annotations

from collections.abc import Sequence

from stagebook.book.compare import PipelineDifference, StageDifference, ValueDifference
from stagebook.run.compare import Comparison, MetricDifference, RunDifference
from stagebook.sections import Section, aligned, markdown_code, markdown_section, short

_SIGNS = {"added": "+", "removed": "-", "changed": "~", "renamed": "="}
_MOST_LINES = 400
_PLAIN = ("", "what changed", "difference")


def comparison_text(comparison: Comparison) -> str:
    """For a terminal: sections with their rows aligned, changed lines below."""
    lines = [f"{comparison.before} -> {comparison.now}"]
    for section in _sections(comparison):
        lines += ["", section.title, *(f"  {line}" for line in _aligned(section))]
        for title, code in section.code:
            lines += ["", f"  {title}:", *(f"    {line}" for line in code)]
    lines += ["", *_ending(comparison)]
    return "\n".join(lines)


def comparison_markdown(comparison: Comparison) -> str:
    """For a comment on a pull request: tables, code folded away."""
    lines = [f"### Pipeline: {markdown_code(comparison.before)} → {markdown_code(comparison.now)}"]
    for section in _sections(comparison):
        lines += markdown_section(section, plain=_PLAIN)
    lines += ["", *_ending(comparison)]
    return "\n".join(lines)


def _sections(comparison: Comparison) -> list[Section]:
    sections: list[Section] = []
    if comparison.pipelines is not None:
        sections += _of_pipelines(comparison.pipelines)
    if comparison.runs is not None:
        sections += _of_runs(comparison.runs)
    return [section for section in sections if section.rows or section.code]


def _of_pipelines(found: PipelineDifference) -> list[Section]:
    code = tuple((f"code of {stage.stage}", _cut(stage.lines)) for stage in found.stages if stage.lines)
    edges = sorted([*((edge, "+") for edge in found.edges_added), *((edge, "-") for edge in found.edges_removed)])
    arrows = ((sign, f"{edge.source} -> {edge.target}", ", ".join(edge.names)) for edge, sign in edges)
    return [
        Section("Stages", ("", "stage", "what changed"), tuple(_stage(stage) for stage in found.stages), code),
        Section("Setup", (), (), (("setup code", _cut(found.setup)),) if found.setup else ()),
        Section("Edges", ("", "edge", "names"), tuple(arrows)),
        _values("Defaults of parameters", "parameter", found.parameters),
    ]


def _of_runs(found: RunDifference) -> list[Section]:
    states = [ValueDifference(one.name or "the run", one.before, one.now) for one in found.states]
    artifacts: dict[str, list[str]] = {}
    for artifact in found.artifacts:
        artifacts.setdefault(artifact.stage, []).append(artifact.name)
    made = tuple((stage, ", ".join(names)) for stage, names in artifacts.items())
    return [
        _values("States", "stage", states),
        _values("Parameters", "parameter", found.parameters),
        Section(
            "Metrics",
            ("stage", "metric", "before", "after", "difference"),
            tuple(_metric(one) for one in found.metrics),
        ),
        Section("Artifacts with another content", ("stage", "outputs"), made),
        _values("Versions", "of", found.versions),
    ]


def _stage(stage: StageDifference) -> tuple[str, str, str]:
    what = [f"was {stage.was}, the same code"] if stage.kind == "renamed" else []
    if stage.kind in ("added", "removed"):
        what.append(stage.kind)
    elif stage.kind == "changed" and stage.lines:
        added, removed = (sum(line.startswith(sign) for line in stage.lines) for sign in "+-")
        what.append(f"code +{added} -{removed}")
    what += [f"{one.name}: {one.before or 'none'} -> {one.now or 'none'}" for one in stage.options]
    return _SIGNS[stage.kind], stage.stage, "; ".join(what)


def _values(title: str, of: str, values: Sequence[ValueDifference]) -> Section:
    rows = ((one.name, short(one.before), short(one.now)) for one in values)
    return Section(title, (of, "before", "after"), tuple(rows))


def _metric(metric: MetricDifference) -> tuple[str, ...]:
    numbers = ("none" if value is None else f"{value:.6g}" for value in (metric.before, metric.now))
    return metric.stage, metric.name, *numbers, "" if metric.difference is None else f"{metric.difference:+.4g}"


def _ending(comparison: Comparison) -> list[str]:
    runs = comparison.runs
    lines = ["No difference."] if comparison.same else []
    if comparison.pipelines is None:
        lines.append("The code is not compared: a run's output notebook is no longer beside its run.json.")
    if runs is not None:
        lines.append("Duration: {:.1f} s -> {:.1f} s".format(*runs.durations))
    return lines


def _cut(lines: tuple[str, ...]) -> tuple[str, ...]:
    more = len(lines) - _MOST_LINES
    return (*lines[:_MOST_LINES], f"... and {more} more lines") if more > 0 else lines


def _aligned(section: Section) -> list[str]:
    """The rows in columns, with an arrow between before and after."""
    rows = section.rows
    if "before" in section.heads:
        at = section.heads.index("before")
        rows = tuple((*row[:at], f"{row[at]} -> {row[at + 1]}", *row[at + 2 :]) for row in rows)
    return aligned(rows)
