"""Runs beside one another for people: a column each, in a terminal, as Markdown, or as HTML in a notebook."""

from __future__ import annotations

import math
from collections.abc import Sequence

from stagebook.run.beside import MetricRow, ParameterRow, RunColumn, SideBySide, StageRow
from stagebook.sections import Section, Shown, aligned, html_section, markdown_section, short, widths_of
from stagebook.text import counted, moment, seconds

_RAN = {"done": "ran"}
_COMMIT = 10
_MOST_METRICS = 30


def side_by_side_text(found: SideBySide, *, every_metric: bool = False) -> str:
    """For a terminal: one table from top to bottom, so that a run's column is one throughout.

    Args:
        found: the runs.
        every_metric: show all metrics, however many there are.
    """
    *columns, reasons = side_by_side_sections(found, every_metric=every_metric)
    grids = [_grid(section) for section in columns]
    widths = widths_of([row for grid in grids for row in grid])
    lines: list[str] = []
    for section, grid in zip(columns, grids, strict=True):
        lines += ["", section.title] if section.title else []
        lines += [*aligned(grid, widths), *(f"  {text}" for text in section.below)]
    if reasons.rows:
        lines += ["", reasons.title, *(f"  {line}" for line in aligned(reasons.rows))]
    lines += reasons.below
    return "\n".join(lines)


def _grid(section: Section) -> list[tuple[str, ...]]:
    """The rows as they stand below the section's title; the heads where there is none."""
    if not section.title:
        return [section.heads, *section.rows]
    return [(f"  {name}", *cells) for name, *cells in section.rows]


def side_by_side_markdown(found: SideBySide, *, every_metric: bool = False) -> str:
    """For a pull request or a report."""
    lines = ["### Runs beside one another"]
    for section in side_by_side_sections(found, every_metric=every_metric):
        plain = () if section.title == _PARAMETERS else section.heads[1:]
        lines += markdown_section(section, plain={"run", *plain})
    return "\n".join(lines)


def side_by_side_shown(found: SideBySide, *, every_metric: bool = False) -> Shown:
    """For a notebook."""
    html = "\n".join(html_section(section) for section in side_by_side_sections(found, every_metric=every_metric))
    return Shown(side_by_side_text(found, every_metric=every_metric), html)


_PARAMETERS = "Parameters"


def side_by_side_sections(found: SideBySide, *, every_metric: bool = False) -> list[Section]:
    """The runs, parameters, metrics and stages, whose columns are the runs; then why stages differ."""
    ids = tuple(run.id for run in found.runs)
    same = ", ".join(f"{name} = {short(value)}" for name, value in found.same.items())
    metrics = found.metrics if every_metric else found.metrics[:_MOST_METRICS]
    more = len(found.metrics) - len(metrics)
    columns = [
        Section("", ("run", *ids), tuple(_about(found.runs))),
        Section(
            _PARAMETERS,
            ("parameter", *ids),
            tuple(map(_parameter, found.parameters)),
            below=(f"the same in all: {same}",) if same else (),
        ),
        Section(
            "Metrics",
            ("metric", *ids),
            tuple(_metric(row, metrics) for row in metrics),
            below=(f"and {counted(more, 'more metric')}: --metrics NAME,NAME shows them",) if more else (),
        ),
        Section("Stages", ("stage", *ids), tuple(map(_stage, found.stages))),
    ]
    return [*(one for one in columns if one.rows or one.below), _reasons(found)]


def _about(runs: Sequence[RunColumn]) -> list[tuple[str, ...]]:
    rows = [
        ("started", *(moment(run.started) for run in runs)),
        ("state", *(run.state for run in runs)),
        ("took", *(seconds(run.duration) for run in runs)),
        ("git commit", *(_commit(run) for run in runs)),
    ]
    if len({run.notebook for run in runs}) > 1:
        rows.insert(0, ("notebook", *(run.notebook for run in runs)))
    return [row for row in rows if any(row[1:])]


def _commit(run: RunColumn) -> str:
    return f"{run.commit[:_COMMIT]}{' and changes' if run.changed else ''}"


def _parameter(row: ParameterRow) -> tuple[str, ...]:
    return row.name, *(short(value) for value in row.values)


def _metric(row: MetricRow, rows: Sequence[MetricRow]) -> tuple[str, ...]:
    """The values, how much they differ from the first run's, and which one is best."""
    name = row.name if sum(one.name == row.name for one in rows) == 1 else f"{row.name} ({row.stage})"
    cells = []
    for position, (value, grown) in enumerate(zip(row.values, row.differences, strict=True)):
        said = [f"{grown:+.4g}"] if position and grown is not None and not math.isnan(grown) and grown else []
        said += ["best"] if position in row.best else []
        number = "none" if value is None else f"{value:.6g}"
        cells.append(f"{number} ({', '.join(said)})" if said else number)
    return name, *cells


def _stage(row: StageRow) -> tuple[str, ...]:
    cells = []
    for state, took, why in zip(row.states, row.seconds, row.reasons, strict=True):
        spent = f" {seconds(took)}" if took is not None and state not in ("reused", "skipped") else ""
        cells.append(f"{_RAN.get(state or '', state or 'none')}{spent}{', differs' if why else ''}")
    return row.stage, *cells


def _reasons(found: SideBySide) -> Section:
    named = len(found.runs) > 2  # of two, it can only be the other one
    rows = tuple(
        (row.stage, *([found.runs[position].id] if named else []), why)
        for row in found.stages
        for position, why in enumerate(row.reasons)
        if why
    )
    gone = (f"The code of run {run} is not known: its notebook is not beside its run.json." for run in found.unread)
    title = f"What stages depend on differs from run {found.runs[0].id}" if rows else ""
    return Section(title, ("stage", *(["run"] if named else []), "why"), rows, below=tuple(gone))
