"""The picture of a sweep: parallel coordinates, a line a point, coloured by the metric."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.run.sweep import PointRecord, Range, Sweep, is_swept, label, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _FAINT, _FAILED = "#333333", "#8a8a8a", "#c9c9c9"
_FEW = 9
"""Values up to which each has a tick of its own."""
_APART = 0.04
"""Of an axis' height: nearer to one another, ticks cannot be read."""


@dataclass(frozen=True, slots=True)
class Scale:
    """An upright axis: its name, where a value stands on it (0 below, 1 above), and its ticks."""

    name: str
    position: Callable[[Any], float]
    ticks: tuple[tuple[float, str], ...]


def draw_sweep(sweep: Sweep, path: Path) -> None:
    """Write the picture; its kind follows from the path's suffix."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    scales = _scales(sweep)
    size = (max(6.4, 1.75 * len(scales) + 1.2), 4.4)
    with mpl.rc_context({"svg.hashsalt": "stagebook", "font.size": 9}):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        axes.set_axis_off()
        axes.set(xlim=(-0.45, len(scales) - 0.6), ylim=(-0.07, 1.16))
        _draw_points(axes, sweep, scales)
        for place, scale in enumerate(scales):
            _draw_scale(axes, place, scale, coloured=bool(_coloured(sweep)) and place == len(scales) - 1)
        axes.set_title(_title(sweep), loc="left", color=_INK, fontsize=10.5, pad=10)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=160)


def _title(sweep: Sweep) -> str:
    told = f"{sweep.notebook.stem}: {len(sweep.points)} points"
    best, objective = sweep.best, sweep.objective
    if best is None or objective is None:
        return told
    value = shown(float(best.metrics[objective.metric]))
    return f"{told}, best {objective.metric} {value} with {label(best.parameters, sweep.swept)}"


def _coloured(sweep: Sweep) -> str | None:
    """The metric that colours the lines: the objective, or else the first there is."""
    if sweep.objective:
        return sweep.objective.metric
    return sweep.metrics[0] if sweep.metrics else None


def _scales(sweep: Sweep) -> list[Scale]:
    scales = []
    for axis in sweep.axes:
        if isinstance(axis, Range):
            values = [point.parameters[axis.name] for point in sweep.points]
            scales.append(scale_of(axis.name, values, log=axis.log))
        elif is_swept(axis):
            scales.append(scale_of(axis.name, axis.values))
    metric = _coloured(sweep)
    if metric is not None:
        values = [value for point in sweep.points if (value := _finite(point, metric)) is not None]
        scales.append(scale_of(metric, values, log=False, each=False))
    return scales


def scale_of(name: str, values: Sequence[Any], *, log: bool | None = None, each: bool = True) -> Scale:
    """The axis for these values: numbers by size, or by their logarithm, anything else side by side.

    Args:
        name: what the axis is called.
        values: what stands on it.
        log: whether by logarithm; None to do so where the values are spread over two orders of magnitude.
        each: whether a few values that stand apart have a tick each, rather than round numbers.
    """
    numeric = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
    if not numeric or not values:
        kinds = list(dict.fromkeys(shown(value) for value in values))
        steps = {kind: _between(at, 0, len(kinds) - 1) for at, kind in enumerate(kinds)}
        ticks = tuple((at, _short(kind)) for kind, at in steps.items())
        return Scale(name, lambda value: steps[shown(value)], ticks)
    low, high = float(min(values)), float(max(values))
    if log is None:
        log = low > 0 and high / low >= 100
    size: Callable[[float], float] = math.log if log else float

    def position(value: float) -> float:
        return _between(size(value), size(low), size(high))

    distinct = sorted({float(value) for value in values})
    apart = all(position(after) - position(before) >= _APART for before, after in pairwise(distinct))
    marks = distinct if each and apart and len(distinct) <= _FEW else _round_numbers(low, high, log=log)
    return Scale(name, position, tuple((position(mark), shown(mark)) for mark in marks))


def _between(value: float, low: float, high: float) -> float:
    return 0.5 if high <= low else (value - low) / (high - low)


def _round_numbers(low: float, high: float, *, log: bool) -> list[float]:
    from matplotlib.ticker import LogLocator, MaxNLocator

    if low == high:
        return [low]
    locator: Any = LogLocator(subs=(1.0, 2.0, 5.0), numticks=20) if log else MaxNLocator(6)
    found = [float(mark) for mark in locator.tick_values(low, high) if low <= mark <= high]
    return found if len(found) <= _FEW else [mark for mark in found if math.log10(mark).is_integer()]


def _draw_points(axes: Axes, sweep: Sweep, scales: Sequence[Scale]) -> None:
    """The lines, worst first, so that the best lie on top; grey and without an end where there is no value."""
    import matplotlib as mpl
    from matplotlib.patches import PathPatch

    metric = _coloured(sweep)
    smaller_is_better = sweep.objective is not None and sweep.objective.direction == "minimize"
    colours = mpl.colormaps["viridis_r" if smaller_is_better else "viridis"]
    many = len(sweep.points)
    asides = [_asides(sweep, scale.name) for scale in scales[: len(sweep.swept)]]
    alpha = 0.85 if many <= 30 else 0.5 if many <= 300 else 0.25
    for rank, point in enumerate(reversed(sweep.ranked)):
        value = _finite(point, metric) if metric else None
        heights = [
            scale.position(point.parameters[scale.name]) + aside[point.number]
            for scale, aside in zip(scales, asides, strict=False)
        ]
        style: dict[str, Any] = {"edgecolor": _FAILED if metric else _INK, "linestyle": "--", "linewidth": 1.0}
        if value is not None:
            heights.append(scales[-1].position(value))
            style = {"edgecolor": colours(0.95 * heights[-1]), "linewidth": 1.5, "alpha": alpha}
        if point is sweep.best:
            style |= {"linewidth": 3.2, "alpha": 1.0}
        patch = PathPatch(_curve(heights), facecolor="none", zorder=2 + rank / (many + 1), **style)
        patch.set_rasterized(many > 500)
        axes.add_patch(patch)
    if metric and any(scale.ticks for scale in scales[-1:]):
        _draw_colours(axes, len(scales) - 1, colours)


def _asides(sweep: Sweep, name: str) -> dict[int, float]:
    """How far from their value's place points with the same value stand, by number: side by side, the best on top."""
    groups: dict[str, list[int]] = {}
    for point in reversed(sweep.ranked):
        groups.setdefault(shown(point.parameters[name]), []).append(point.number)
    return {
        number: (at - (len(group) - 1) / 2) * min(0.01, 0.045 / len(group))
        for group in groups.values()
        for at, number in enumerate(group)
    }


def _curve(heights: Sequence[float]) -> Any:
    """A line through these heights that leaves each axis level, so that one can follow it."""
    from matplotlib.path import Path as Curve

    points, codes = [(0.0, heights[0])], [Curve.MOVETO]
    for place, (before, after) in enumerate(pairwise(heights)):
        points += [(place + 0.45, before), (place + 0.55, after), (place + 1.0, after)]
        codes += [Curve.CURVE4] * 3
    return Curve(points, codes)


def _draw_colours(axes: Axes, place: int, colours: Any) -> None:
    """The metric's axis as a strip of the lines' colours."""
    strip = [[0.95 * step / 255] for step in range(256)]
    axes.imshow(strip, extent=(place, place + 0.035, 0, 1), origin="lower", aspect="auto", cmap=colours, vmin=0, vmax=1)
    axes.set(xlim=(-0.45, place + 0.4), ylim=(-0.07, 1.16))


def _draw_scale(axes: Axes, place: int, scale: Scale, *, coloured: bool) -> None:
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=3, foreground="white")]
    if not coloured:
        axes.plot([place, place], [-0.025, 1.025], color=_INK, linewidth=1.1, zorder=4, solid_capstyle="butt")
    axes.text(place, 1.07, scale.name, ha="center", va="bottom", weight="bold", color=_INK, zorder=6)
    side, align = (0.06, "left") if coloured else (-0.04, "right")
    for height, text in scale.ticks:
        if not coloured:
            axes.plot([place - 0.02, place], [height, height], color=_INK, linewidth=1.0, zorder=4)
        axes.text(
            place + side, height, text, ha=align, va="center", color=_INK, fontsize=8, zorder=6, path_effects=halo
        )


def _finite(point: PointRecord, metric: str) -> float | None:
    value = point.metrics.get(metric) if point.state == "done" else None
    return value if value is not None and math.isfinite(value) else None


def _short(text: str) -> str:
    return text if len(text) <= 16 else f"{text[:15]}…"
