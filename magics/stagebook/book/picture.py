"""The graph as SVG: stages as boxes, the names that flow on the arrows; the same bytes for the same graph.

`graphlay` says where everything goes. Widths are guessed wide, as nobody knows the font that it will be seen in. It has
its own paper, light or dark as the reader's system is, so that it can be read on any page.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

MOST = 300
"""Stages that are drawn: of more, nothing could be read, and to place them would take minutes."""

_LINE = 26
"""Letters up to which names of an edge stand in one line."""
_NAME, _SMALL = 14.0, 11.0
_PADDING = 16.0
_ROW = 14.0
_CORNER = 10.0
_NARROW, _WIDE = frozenset("iljtfrI.,:;'|!()[] -"), frozenset("mwMW@%…")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

_OPTIONS = {
    "direction": "topbottom",
    "routing": {"style": "diagonal"},
    "spacing": {"layer_gap": 26.0, "node_gap": 22.0, "dummy_gap": 18.0},
}
Point = tuple[float, float]

_LOOKS: Mapping[str, str] = {
    "done": "done",
    "reused": "reused",
    "failed": "failed",
    "interrupted": "failed",
    "running": "failed",
    "skipped": "idle",
    "not run": "idle",
    "fresh": "done",
    "stale": "stale",
    "never run": "idle",
}
_STYLE = """\
.paper{fill:#fff}.box{fill:#e8f0fe;stroke:#3b6fb6;stroke-width:1.5}.line{fill:none;stroke:#7b8698;stroke-width:1.4}
.tip{fill:#7b8698}text{font-family:system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;text-anchor:middle}
.name{font-size:14px;font-weight:600;fill:#1f2937}.small,.label{font-size:11px;fill:#434d5c}
.need,.idle{stroke-dasharray:5 4}.done{fill:#e3f4e6;stroke:#2e7d43}.reused{fill:#e8f0fe;stroke:#3b6fb6}
.failed{fill:#fde7e7;stroke:#c03434;stroke-width:2.5}.idle{fill:#f3f4f6;stroke:#7b8698}
@media (prefers-color-scheme:dark){.paper{fill:#16191f}.box,.reused{fill:#1c2c47;stroke:#6ea2ea}.line{stroke:#8a95a8}
.tip{fill:#8a95a8}.name{fill:#f1f4f8}.small,.label{fill:#c3cad6}
.done{fill:#17331f;stroke:#58b574}.failed{fill:#431c1e;stroke:#f07878}.idle{fill:#242932;stroke:#8a95a8}}"""
_STALE = """
.stale{fill:#fdf1d8;stroke:#a86a00}
@media (prefers-color-scheme:dark){.stale{fill:#3a2c10;stroke:#dba13a}}"""


@dataclass(frozen=True, slots=True)
class Box:
    """A stage: its name; its state and what else there is to say of it.

    Attributes:
        room: the longest that may come to stand below the name, so that the box is wide enough.
    """

    name: str
    state: str = ""
    note: str = ""
    room: str = ""

    @property
    def below(self) -> str:
        """The second line."""
        return " · ".join(text for text in (self.state, self.note) if text)


@dataclass(frozen=True, slots=True)
class Arrow:
    """From stage to stage; without a label, a declared need."""

    source: str
    target: str
    label: str = ""


def svg_of(title: str, boxes: Sequence[Box], arrows: Iterable[Arrow], *, within: str = "") -> str:
    """The picture.

    Args:
        title: what it is of.
        boxes: the stages, each name once, up to `MOST`.
        arrows: between them.
        within: what its ids begin with where it becomes part of a page. It then has no colours and no paper of its own,
            and each stage is a button that carries its name and state as `data-stage` and `data-state`.
    """
    drawn = [arrow for arrow in arrows if {arrow.source, arrow.target} <= {box.name for box in boxes}]
    lines = [_wrapped(arrow.label) for arrow in drawn]
    placed = _placed(boxes, drawn, lines)
    marks: list[str] = []
    seen = _Extent()
    for arrow, points in zip(drawn, placed.arrows, strict=True):
        marks += _arrow(arrow, points, seen, tip=f"{within}tip")
    for text, middle in zip(lines, placed.labels, strict=True):
        marks += [_label(text, middle, seen)] if middle else []
    for box, middle in zip(boxes, placed.boxes, strict=True):
        marks += _box(box, middle, seen, live=bool(within))
    left, top, width, height = seen.frame(_PADDING)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(width)}" height="{_n(height)}" '
        f'viewBox="{_n(left)} {_n(top)} {_n(width)} {_n(height)}" role="{"group" if within else "img"}" '
        f'aria-labelledby="{within}title {within}desc">'
    )
    tip = f'<marker id="{within}tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" '
    paper = f'<rect class="paper" x="{_n(left)}" y="{_n(top)}" width="{_n(width)}" height="{_n(height)}" rx="6"/>'
    style = _STYLE + (_STALE if any(box.state == "stale" for box in boxes) else "")
    return "\n".join(
        [
            head,
            f'<title id="{within}title">{_text(title)}</title>',
            f'<desc id="{within}desc">{_text(_described(boxes, drawn))}</desc>',
            *([] if within else [f"<style>{style}</style>"]),
            f'<defs>{tip}orient="auto"><path class="tip" d="M0,0.5 8,4 0,7.5z"/></marker></defs>',
            *([] if within else [paper]),
            *marks,
            "</svg>",
            "",
        ]
    )


@dataclass(frozen=True, slots=True)
class _Places:
    """Where everything goes: the middles of boxes, the points of arrows, the middles of their labels."""

    boxes: list[Point]
    arrows: list[list[Point]]
    labels: list[Point | None]


def _placed(boxes: Sequence[Box], arrows: Sequence[Arrow], lines: Sequence[Sequence[str]]) -> _Places:
    """Find places; a label has one as if it were a box on the way, so that it stands on its own arrow."""
    import graphlay

    graph = graphlay.Graph()
    for position, box in enumerate(boxes):
        width, height = _size(box)
        graph.node(("box", position), width=width, height=height)
    at = {box.name: position for position, box in enumerate(boxes)}
    for position, (arrow, text) in enumerate(zip(arrows, lines, strict=True)):
        source, target = ("box", at[arrow.source]), ("box", at[arrow.target])
        if not text:
            graph.edge(source, target)
            continue
        graph.node(("label", position), width=max(map(_small, text)) + 8, height=_ROW * len(text) + 4)
        graph.edge(source, ("label", position))
        graph.edge(("label", position), target)
    found = graphlay.layout(graph, options=_OPTIONS)
    middles = {
        name: (node["center"]["x"], node["center"]["y"]) for name, node in zip(graph.ids, found.nodes, strict=True)
    }
    ways = iter([[(point["x"], point["y"]) for point in edge["points"]] for edge in found.edges])
    return _Places(
        [middles["box", position] for position in range(len(boxes))],
        [[*next(ways), *(next(ways) if text else [])] for text in lines],
        [middles.get(("label", position)) for position in range(len(lines))],
    )


def _size(box: Box) -> tuple[float, float]:
    width = max(_width(box.name, _NAME * 1.08), _small(box.below), _small(box.room)) + 28
    return max(64.0, round(width)), 48.0 if box.below else 36.0


def _box(box: Box, middle: Point, seen: _Extent, *, live: bool) -> list[str]:
    (width, height), (x, y) = _size(box), middle
    seen.take(x - width / 2, y - height / 2, width, height)
    look = f" {_LOOKS[box.state]}" if box.state in _LOOKS else ""
    said = f"{box.name}: {box.below}" if box.below else box.name
    place = f'x="{_n(x - width / 2)}" y="{_n(y - height / 2)}" width="{_n(width)}" height="{_n(height)}"'
    rows = [f'<text class="name" x="{_n(x)}" y="{_n(y - 3 if box.below else y + 5)}">{_text(box.name)}</text>']
    if box.below:
        rows.append(f'<text class="small" x="{_n(x)}" y="{_n(y + 14)}">{_text(box.below)}</text>')
    group = f"<g><title>{_text(said)}</title>"
    if live:
        names = f'data-stage="{_text(box.name)}" data-state="{_text(box.state)}" aria-label="{_text(said)}"'
        group, look = f'<g class="stage" {names} role="button" tabindex="-1">', ""
    return [group, f'<rect class="box{look}" {place} rx="8"/>', *rows, "</g>"]


def _arrow(arrow: Arrow, points: Sequence[Point], seen: _Extent, *, tip: str) -> list[str]:
    for x, y in points:
        seen.take(x, y, 0, 0)
    said = f"{arrow.source} -> {arrow.target}"
    look = "line" if arrow.label else "line need"
    return [
        f"<g><title>{_text(said)}{_text(f': {arrow.label}') if arrow.label else ''}</title>",
        f'<path class="{look}" marker-end="url(#{tip})" d="{_path(points)}"/></g>',
    ]


def _label(lines: Sequence[str], middle: Point, seen: _Extent) -> str:
    x, y = middle
    width, height = max(map(_small, lines)), _ROW * len(lines)
    seen.take(x - width / 2, y - height / 2, width, height)
    top = y - height / 2 + 11
    rows = "".join(
        f'<tspan x="{_n(x)}" y="{_n(top + _ROW * at)}">{_text(line)}</tspan>' for at, line in enumerate(lines)
    )
    ground = f'x="{_n(x - width / 2)}" y="{_n(y - height / 2)}" width="{_n(width)}" height="{_n(height)}"'
    return f'<rect class="paper" {ground}/><text class="label">{rows}</text>'


def _path(points: Sequence[Point]) -> str:
    """A line through the points, its corners rounded."""
    (x, y), *_ = points
    steps = [f"M{_n(x)},{_n(y)}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        near = min(_CORNER, math.dist(before, corner) / 2, math.dist(corner, after) / 2)
        start, end = _towards(corner, before, near), _towards(corner, after, near)
        steps.append(f"L{_n(start[0])},{_n(start[1])}Q{_n(corner[0])},{_n(corner[1])} {_n(end[0])},{_n(end[1])}")
    x, y = points[-1]
    return "".join([*steps, f"L{_n(x)},{_n(y)}"])


def _towards(start: Point, end: Point, far: float) -> Point:
    part = far / (math.dist(start, end) or 1)
    return start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part


class _Extent:
    """The room that has been taken."""

    def __init__(self) -> None:
        self._left = self._top = math.inf
        self._right = self._bottom = -math.inf

    def take(self, x: float, y: float, width: float, height: float) -> None:
        self._left, self._top = min(self._left, x), min(self._top, y)
        self._right, self._bottom = max(self._right, x + width), max(self._bottom, y + height)

    def frame(self, padding: float) -> tuple[float, float, float, float]:
        """Left, top, width and height of all of it, with some room around."""
        if self._left > self._right:
            return 0, 0, 2 * padding, 2 * padding
        width, height = self._right - self._left, self._bottom - self._top
        return self._left - padding, self._top - padding, width + 2 * padding, height + 2 * padding


def _described(boxes: Sequence[Box], arrows: Sequence[Arrow]) -> str:
    """The picture in words."""
    stages = "; ".join(f"{box.name} ({box.below})" if box.below else box.name for box in boxes)
    flows = "; ".join(
        f"{one.source} to {one.target}" + (f": {one.label}" if one.label else ", a declared need") for one in arrows
    )
    return f"Stages: {stages}." + (f" What flows: {flows}." if flows else "")


def _wrapped(label: str) -> list[str]:
    """Names in lines; a long one is not broken."""
    lines: list[str] = []
    for name in label.split(", ") if label else []:
        if lines and len(lines[-1]) + len(name) + 2 <= _LINE:
            lines[-1] += f", {name}"
        else:
            lines[-1:] = [*(f"{line}," for line in lines[-1:]), name]
    return lines


def _small(text: str) -> float:
    return _width(text, _SMALL)


def _width(text: str, size: float) -> float:
    """How wide the text may get in a common font without serifs."""
    return size * sum(map(_letter, text))


def _letter(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.05
    if letter in _NARROW:
        return 0.42
    return 0.95 if letter in _WIDE else 0.74 if letter.isupper() else 0.62


def _text(text: str) -> str:
    return escape(_UNPRINTABLE.sub("�", text))


def _n(number: float) -> str:
    return f"{round(number, 1) + 0.0:g}"  # `+ 0.0` makes 0 of -0
