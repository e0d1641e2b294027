"""Tables for people: rows under heads, in columns for a terminal, as Markdown, as HTML; nothing in them is trusted."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from html import escape

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of what there is to say: rows under column heads, changed lines of code by their titles, remarks below."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    code: tuple[tuple[str, tuple[str, ...]], ...] = ()
    below: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """What a notebook shows as HTML, and a terminal as text."""

    text: str
    html: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def short(value: str | None) -> str:
    """The value if it is not long, its beginning if it is; `none` for None."""
    if value is None:
        return "none"
    return value if len(value) <= 60 else f"{value[:59]}…"


def widths_of(rows: Rows) -> list[int]:
    """How wide the columns of these rows are."""
    return [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []


def aligned(rows: Rows, widths: Sequence[int] | None = None) -> list[str]:
    """The rows in columns, of these widths if they are given."""
    wide = widths_of(rows) if widths is None else widths
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(row, wide, strict=True)).rstrip() for row in rows]


def markdown_section(section: Section, *, plain: Container[str]) -> list[str]:
    """The section as Markdown: its table, code folded away, remarks.

    Args:
        section: what to show.
        plain: heads of the columns whose cells are words rather than code.
    """
    lines = ["", f"**{section.title}**"] if section.title else []
    if section.rows:
        lines += ["", markdown_row(map(_plain, section.heads)), markdown_row(["---"] * len(section.heads))]
        lines += [markdown_row(_cells(section.heads, row, plain)) for row in section.rows]
    for title, code in section.code:
        fence = "`" * max(3, *(_ticks(line) + 1 for line in code))
        lines += ["", f"<details><summary>{escape(title)}</summary>", "", f"{fence}diff", *code, fence, ""]
        lines += ["</details>"]
    return [*lines, *(line for text in section.below for line in ("", _plain(text)))]


def markdown_row(cells: Iterable[str]) -> str:
    """A row of a table, its cells as Markdown has them."""
    return f"| {' | '.join(cells)} |"


def markdown_code(text: str) -> str:
    """As code, which Markdown leaves alone, whatever backticks it holds."""
    ticks = "`" * (_ticks(text) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{space}{text}{space}{ticks}".replace("\n", " ")


def html_section(section: Section) -> str:
    """The section as a table: colours and lines are those of the page it is shown in."""
    parts = []
    if section.rows:
        caption = f"<caption style='text-align:left'><b>{escape(section.title)}</b></caption>" if section.title else ""
        heads = "".join(f"<th scope='col' {_LEFT}>{escape(head)}</th>" for head in section.heads)
        rows = "".join(f"<tr>{_html_cells(row)}</tr>" for row in section.rows)
        parts.append(f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>")
    elif section.title:
        parts.append(f"<p><b>{escape(section.title)}</b></p>")
    parts += [f"<p>{escape(text)}</p>" for text in section.below]
    return "\n".join(parts)


_LEFT = "style='text-align:left'"


def _html_cells(row: Sequence[str]) -> str:
    first, *others = row
    return f"<th scope='row' {_LEFT}>{escape(first)}</th>" + "".join(
        f"<td {_LEFT}>{escape(cell)}</td>" for cell in others
    )


def _cells(heads: Sequence[str], row: Sequence[str], plain: Container[str]) -> Iterable[str]:
    for head, text in zip(heads, row, strict=True):
        yield (_plain(text) if head in plain or not text else markdown_code(text).replace("|", "\\|"))


def _plain(text: str) -> str:
    return escape(text, quote=False).replace("|", "\\|").replace("\n", " ")


def _ticks(text: str) -> int:
    """The longest run of backticks."""
    return max((len(run) for run in "".join(one if one == "`" else " " for one in text).split()), default=0)
