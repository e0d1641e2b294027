"""What a monitor has reported, window by window: kept in a file, shown as a chart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stagebook.drift.card import BEFORE, NOW
from stagebook.drift.told import number, percent
from stagebook.drift.windows import TimeWindow
from stagebook.errors import StoreError
from stagebook.run.files import write_text

if TYPE_CHECKING:
    from jinja2 import Template

_FILE = "history.json"
_WIDTH, _HEIGHT, _LEFT, _LOW = 640, 130, 40, 24

Retrained = Literal["", "promoted", "unchanged", "rejected", "failed"]
Step = Literal["record", "tell", "retrain"]


@dataclass(frozen=True, slots=True)
class Reported:
    """What a monitor said of a window.

    Attributes:
        start: its first moment, ISO 8601 in UTC.
        end: the moment at which it was over.
        version: the model version whose training data was what data was before.
        rows: that were scored in it.
        share: of drifted features; None where there were too few rows to say.
        detected: whether the data as a whole has drifted.
        drifted: the columns that have, the worst first.
        scores: by column.
        performance: of the predictions, where labels were there.
        before: the same of the training data.
        page: the card's file, relative to the history.
        note: why nothing is said, or what else one should know.
        retrained: what became of the retraining that it started.
        todo: what is still to be done for it: after a crash, or as a server was away.
    """

    start: str
    end: str
    version: str
    rows: int = 0
    share: float | None = None
    detected: bool = False
    drifted: tuple[str, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    performance: Mapping[str, float] = field(default_factory=dict)
    before: Mapping[str, float] = field(default_factory=dict)
    page: str = ""
    note: str = ""
    retrained: Retrained = ""
    todo: tuple[Step, ...] = ()

    @property
    def window(self) -> TimeWindow:
        """The window."""
        return TimeWindow(datetime.fromisoformat(self.start), datetime.fromisoformat(self.end))

    @property
    def said(self) -> str:
        """`drift: 3 of 12 columns have drifted (4,120 rows, version 3); retraining: promoted`."""
        verdict = "drift" if self.detected else "no drift" if self.share is not None else "no verdict"
        retrained = f"; retraining: {self.retrained}" if self.retrained else ""
        return f"{verdict}: {self.note} ({self.rows:,} rows, version {self.version}){retrained}"


class History:
    """The windows that were reported, in a folder; shown in a notebook, a chart.

    Args:
        folder: where it is kept.
        model: whose it is.
    """

    def __init__(self, folder: Path, model: str) -> None:
        self.folder = folder
        self.model = model

    @property
    def reported(self) -> tuple[Reported, ...]:
        """All of them, the oldest first.

        Raises:
            StoreError: the file cannot be read.
        """
        path = self.folder / _FILE
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            return tuple(
                Reported(**{**one, "drifted": tuple(one["drifted"]), "todo": tuple(one["todo"])})
                for one in told["windows"]
            )
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{path} is no monitor's history ({error}). Restore it, or remove it.") from error

    @property
    def done(self) -> datetime | None:
        """The end of the last window that was reported."""
        reported = self.reported
        return reported[-1].window.end if reported else None

    def add(self, one: Reported) -> None:
        """Keep it; a window that is there already is replaced.

        Raises:
            StoreError: it cannot be written.
        """
        windows = {kept.end: kept for kept in self.reported} | {one.end: one}
        told = {"model": self.model, "windows": [asdict(windows[end]) for end in sorted(windows)]}
        self.folder.mkdir(parents=True, exist_ok=True)
        write_text(self.folder / _FILE, json.dumps(told, indent=1))
        write_text(self.folder / "history.html", history_page(self))

    def _repr_html_(self) -> str:
        return history_chart(self.model, self.reported)

    def __repr__(self) -> str:
        reported = self.reported
        drifted = sum(one.detected for one in reported)
        return f"<History of {self.model}: {len(reported)} windows, {drifted} with drift>"


def history_page(history: History) -> str:
    """The chart and a table as a page of its own, with links to the windows' cards."""
    head = (
        '<meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f'<meta name="viewport" content="width=device-width"><title>Drift of {escape(history.model)}</title>'
    )
    style = "font:14px system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em"
    body = history_chart(history.model, history.reported, links=True)
    return f'<!doctype html><html lang="en"><head>{head}</head><body style="{style}">{body}</body></html>'


def history_chart(model: str, reported: Sequence[Reported], *, links: bool = False) -> str:
    """The share of drifted columns over the windows, and what was said of each; HTML that needs no script or network.

    Args:
        model: the model's name.
        reported: what was said, the oldest first.
        links: whether the cards' pages are beside it.
    """
    told = [one for one in reported if one.share is not None]
    metrics = dict.fromkeys(name for one in reported for name in one.performance)
    return _template().render(
        model=model,
        picture=_picture(told) if told else "",
        width=_WIDTH,
        height=_HEIGHT,
        reported=[*reversed(reported)],
        metrics=list(metrics),
        links=links,
        percent=percent,
        number=number,
    )


def _picture(told: Sequence[Reported]) -> str:
    """The shares as an image, its data in its address: a bar for each window, filled where the whole has drifted."""
    from base64 import b64encode

    step = (_WIDTH - _LEFT) / len(told)
    high = _HEIGHT - _LOW
    parts = []
    for share in (0.0, 0.5, 1.0):
        y = 4 + (high - 4) * (1 - share)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH}" stroke="#888" stroke-opacity=".4"/>')
        parts.append(f'<text x="{_LEFT - 4}" y="{y + 4:.1f}" text-anchor="end">{share:.0%}</text>')
    for position, one in enumerate(told):
        height = (high - 4) * (one.share or 0.0)
        x, width = _LEFT + position * step + step * 0.15, max(step * 0.7, 1)
        colour = NOW if one.detected else BEFORE
        parts.append(
            f'<rect x="{x:.1f}" y="{high - max(height, 1):.1f}" width="{width:.1f}" height="{max(height, 1):.1f}" '
            f'fill="{colour}"/>'
        )
    for position in sorted({0, len(told) // 2, len(told) - 1}):
        x = _LEFT + position * step + step / 2
        anchor = "start" if position == 0 else "end" if position == len(told) - 1 else "middle"
        x = _LEFT if anchor == "start" else _WIDTH if anchor == "end" else x
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - 6}" text-anchor="{anchor}">{told[position].window}</text>')
    start = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif" '
    picture = f'{start}font-size="11" fill="#888">{"".join(parts)}</svg>'
    return "data:image/svg+xml;base64," + b64encode(picture.encode()).decode()


@cache
def _template() -> Template:
    from importlib.resources import files

    from jinja2 import Environment

    text = (files("stagebook.drift") / "history.html").read_text(encoding="utf-8")
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)
