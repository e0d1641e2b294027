"""A comparison as a card for the notebook: one piece of HTML without scripts, style sheets or the network.

It stands in saved notebooks that nobody has trusted, where Jupyter takes out `<style>`, `<script>` and `<svg>`: so
styles are in attributes, and the small pictures are images of their own. It takes its colours from where it stands, in
light and in dark mode.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from stagebook.drift.result import ColumnDrift, Drift, is_distance
from stagebook.drift.told import number, percent

if TYPE_CHECKING:
    from jinja2 import Template

MOST_ROWS = 40
"""Columns that are shown in the card; more are named."""

_WIDTH, _HEIGHT = 132, 30
BEFORE, NOW = "#5b80cc", "#d4691f"
"""Colours of the two sides, which stand out from white and from black."""
_COLOURS = {"Drift": "#b3261e", "No drift": "#2e7d32", "No verdict": "#5f6368"}


def card(drift: Drift) -> str:
    """The card."""
    shown = [column for column in drift.columns if column.drifted or column.score is None or column.reference.shares]
    return _template().render(
        drift=drift,
        verdict=drift.verdict,
        told=summary(drift),
        colour=_COLOURS[drift.verdict],
        columns=[(column, _picture(column), score_told(column)) for column in shown[:MOST_ROWS]],
        more=[column.name for column in drift.columns if column not in shown[:MOST_ROWS]],
        before=BEFORE,
        now=NOW,
        performance=_performance(drift),
        percent=percent,
    )


def page(drift: Drift) -> str:
    """The card as a page of its own."""
    head = (
        '<meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        '<meta name="viewport" content="width=device-width"><title>Drift</title>'
    )
    style = "font:14px system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em"
    body = card(drift)
    return f'<!doctype html><html lang="en"><head>{head}</head><body style="{style}">{body}</body></html>'


def summary(drift: Drift) -> str:
    """What came of it, in a sentence: `3 of 12 columns have drifted (25 %)`."""
    tested = len(drift.tested)
    if not tested:
        return "no column could be tested"
    count = len(drift.drifted)
    have = "has" if count == 1 else "have"
    told = f"{count} of {tested} {'column' if tested == 1 else 'columns'} {have} drifted"
    roles = [column.role for column in drift.drifted if column.role != "feature"]
    return f"{told}, among them the {' and the '.join(roles)}" if roles else told


def score_told(column: ColumnDrift) -> str:
    """The score with its threshold, as in `0.31 (limit 0.1)`, `p = 0.004 (limit 0.05)`."""
    if column.score is None:
        return ""
    score = number(column.score) if column.score else "0"
    start = "" if is_distance(column.method) else "p = "
    return f"{start}{score} (limit {number(column.threshold or 0)})"


def _performance(drift: Drift) -> list[tuple[str, str, str]]:
    found = drift.performance
    if found is None:
        return []
    names = dict.fromkeys((*found.reference, *found.current))
    return [(name.replace("_", " "), _metric(found.reference, name), _metric(found.current, name)) for name in names]


def _metric(side: Mapping[str, float], name: str) -> str:
    return number(side[name]) if name in side else "-"


def _picture(column: ColumnDrift) -> str:
    """Both distributions as an image, its data in its address; empty where there is nothing to draw."""
    before, now = column.reference.shares, column.current.shares
    highest = max((*before, *now), default=0.0)
    if not highest:
        return ""
    step = _WIDTH / len(before)
    heights = [[_HEIGHT * share / highest for share in side] for side in (before, now)]
    drawn = _side_by_side(heights, step) if column.kind == "category" else _over_each_other(heights, step)
    picture = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}">{drawn}</svg>'
    return "data:image/svg+xml;base64," + b64encode(picture.encode()).decode()


def _side_by_side(heights: list[list[float]], step: float) -> str:
    width = max(step * 0.4, 0.5)
    paths = []
    for side, colour in zip((0, 1), (BEFORE, NOW), strict=True):
        bars = [
            f"M{position * step + step * 0.1 + side * width:.1f} {_HEIGHT}v{-height:.1f}h{width:.1f}v{height:.1f}z"
            for position, height in enumerate(heights[side])
        ]
        paths.append(f'<path d="{"".join(bars)}" fill="{colour}"/>')
    return "".join(paths)


def _over_each_other(heights: list[list[float]], step: float) -> str:
    paths = []
    for side, colour in zip(heights, (BEFORE, NOW), strict=True):
        steps = "".join(f"V{_HEIGHT - height:.1f}h{step:.1f}" for height in side)
        paths.append(f'<path d="M0 {_HEIGHT}{steps}V{_HEIGHT}z" fill="{colour}" fill-opacity=".45" stroke="{colour}"/>')
    return "".join(paths)


@cache
def _template() -> Template:
    from importlib.resources import files

    from jinja2 import Environment

    text = (files("stagebook.drift") / "card.html").read_text(encoding="utf-8")
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)
