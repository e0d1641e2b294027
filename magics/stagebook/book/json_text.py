"""Adding to JSON as it is written in a file: what is there already keeps its layout, order and spelling."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an object in a text: where its key begins and ends, and where its value does."""

    key: str
    start: int
    key_end: int
    value: int
    end: int


@dataclass(frozen=True, slots=True)
class Edit:
    """What stands from `start` to `end` is to be `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is laid out, as told by one of its objects.

    Attributes:
        newline: what stands before each of its members: the end of a line, indentation; "" where all is on one line.
        step: the indentation of one more level.
        comma: what stands between members on one line.
        colon: what stands between key and value.
    """

    newline: str
    step: str
    comma: str
    colon: str

    def line(self, level: int) -> str:
        """What stands before a member of an object that lies so many levels deeper."""
        return self.newline + self.step * level if self.newline else ""

    @property
    def flat(self) -> Layout:
        """The same, on one line."""
        return replace(self, newline="")


def members_of(text: str, at: int) -> list[Member]:
    """The members of the object that begins at this place of a well-formed text."""
    found = []
    at = _after_space(text, at + 1)
    while text[at] != "}":
        key, key_end = _DECODER.raw_decode(text, at)
        value = _after_space(text, _after_space(text, key_end) + 1)
        _, end = _DECODER.raw_decode(text, value)
        found.append(Member(key, at, key_end, value, end))
        at = _after_comma(text, end)
    return found


def elements_of(text: str, at: int) -> list[tuple[int, int]]:
    """Where the elements of the array that begins at this place of a well-formed text begin and end."""
    found = []
    at = _after_space(text, at + 1)
    while text[at] != "]":
        _, end = _DECODER.raw_decode(text, at)
        found.append((at, end))
        at = _after_comma(text, end)
    return found


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _after_comma(text: str, at: int) -> int:
    at = _after_space(text, at)
    return _after_space(text, at + 1) if text[at] == "," else at


def layout_of(text: str, at: int, *, depth: int) -> Layout:
    """The layout of the file, told by an object with members that begins at this place, so many levels deep."""
    members = members_of(text, at)
    lead = text[at + 1 : members[0].start]
    colon = text[members[0].key_end : members[0].value]
    if "\n" not in lead:
        between = text[members[0].end : members[1].start] if len(members) > 1 else ", "
        return Layout("", "", between, colon)
    newline = "\r\n" if "\r\n" in lead else "\n"
    indentation = lead[lead.rfind("\n") + 1 :]
    return Layout(newline + indentation, indentation[: len(indentation) // depth], ", ", colon)


def with_member(text: str, at: int, key: str, value: str, layout: Layout, *, level: int) -> Edit:
    """The edit that adds a member to an object: where its key belongs if keys are sorted, else at the end.

    Args:
        text: the file's.
        at: where the object begins.
        key: the member's.
        value: as it is to be written.
        layout: the file's.
        level: how much deeper the object's members lie than those that told the layout.
    """
    members = members_of(text, at)
    entry = f"{json.dumps(key)}{layout.colon}{value}"
    if not members:
        end = _after_space(text, at + 1) + 1
        return Edit(at, end, f"{{{layout.line(level)}{entry}{layout.line(level - 1)}}}")
    between = _between(text, at, [(member.start, member.end) for member in members], layout)
    keys = [member.key for member in members]
    above = next((member.start for member in members if member.key > key), None)
    if above is not None and keys == sorted(keys):
        return Edit(above, above, entry + between)
    return Edit(members[-1].end, members[-1].end, between + entry)


def with_element(text: str, at: int, value: str, layout: Layout, *, level: int) -> Edit:
    """The edit that adds an element at the end of an array; see `with_member`."""
    elements = elements_of(text, at)
    if not elements:
        return Edit(at, _after_space(text, at + 1) + 1, list_of(value, layout, level=level))
    end = elements[-1][1]
    return Edit(end, end, _between(text, at, elements, layout) + value)


def list_of(value: str, layout: Layout, *, level: int) -> str:
    """An array of one element, which lies so many levels deeper than the members that told the layout."""
    return f"[{layout.line(level)}{value}{layout.line(level - 1)}]"


def is_flat(text: str, at: int) -> bool:
    """Whether the object or array that begins at this place has something in it, on the same line."""
    first = _after_space(text, at + 1)
    return text[first] not in "]}" and "\n" not in text[at:first]


def _between(text: str, at: int, parts: Sequence[tuple[int, int]], layout: Layout) -> str:
    """What stands between two parts of an object or an array, or would if there were two."""
    if len(parts) > 1:
        return text[parts[0][1] : parts[1][0]]
    lead = text[at + 1 : parts[0][0]]
    return f",{lead}" if "\n" in lead else layout.comma
