"""Registered models as text: where a version comes from, what was promoted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from stagebook.run.history import metrics_of
from stagebook.text import counted, moment

if TYPE_CHECKING:
    from stagebook.track.lineage import Lineage
    from stagebook.track.promotion import Promotion

_DIGITS = 12
_PROMOTED = "stagebook.promoted."


def lineage_text(lineage: Lineage) -> str:
    """A paragraph for each step back: version, run, stages, data, code; what is missing of it at the end."""
    aliases = " ".join(f"@{alias}" for alias in lineage.aliases)
    lines = [f"{lineage.model} {lineage.version} {aliases}".rstrip()]
    lines += [f"  {head:12}{text}" for head, text in _facts(lineage)]
    if lineage.stages:
        width = max(len(stage["stage"]) for stage in lineage.stages)
        lines += ["", f"  made by {counted(len(lineage.stages), 'stage')}"]
        for stage in lineage.stages:
            where = f"reused from run {stage['origin']}" if stage.get("origin") else stage["state"]
            lines.append(f"    {stage['stage']:{width}}  fingerprint {stage['fingerprint'][:_DIGITS]}  {where}")
    if lineage.data:
        width = max(map(len, lineage.data))
        lines += ["", f"  from {counted(len(lineage.data), 'file')}"]
        lines += [f"    {path:{width}}  {digest[:_DIGITS]}" for path, digest in lineage.data.items()]
    if lineage.missing:
        lines += ["", *(f"  missing: {one}" for one in lineage.missing)]
    return "\n".join(lines)


def promotion_text(done: Promotion) -> str:
    """That a version has an alias now, and what its gates said."""
    if done.before == done.version:
        return f"Version {done.version} of `{done.model}` is @{done.alias} already."
    after = f", after version {done.before}" if done.before else ", the first"
    lines = [f"Version {done.version} of `{done.model}` is @{done.alias} now{after}."]
    lines += [f"  gate of `{stage}`: {gate.condition} ({gate.told})" for stage, gate in done.gates.items()]
    return "\n".join(lines)


def _facts(lineage: Lineage) -> Iterator[tuple[str, str]]:
    """What there is to say in a line each."""
    facts, tags = lineage.facts, lineage.tags
    if facts:
        yield "run", f"{facts['id']}, {moment(facts['started'])}, by {facts['provenance']['user'] or 'somebody'}"
        yield "notebook", _code(lineage)
        yield "parameters", _values(facts["parameters"]) or "none"
        yield "metrics", _values({name: f"{value:.6g}" for name, value in metrics_of(facts).items()}, quoted=False)
    if "stagebook.flavor" in tags:
        form = tags.get("stagebook.serialization")
        example = tags.get("stagebook.example")
        yield "model", f"{tags['stagebook.flavor']}{f' ({form})' if form else ''}, {_signed(example)}"
    if "stagebook.note" in tags:
        yield "note", tags["stagebook.note"]
    for stage, gate in lineage.gates.items():
        yield "gate", f"`{stage}` {'passed' if gate['passed'] else 'closed'}: {gate['condition']} ({gate['told']})"
    for tag, told in sorted(tags.items()):
        if tag.startswith(_PROMOTED):
            note = json.loads(told)
            why = f": {note['why']}" if note["why"] else ""
            yield "alias", f"{tag.removeprefix(_PROMOTED)}, by {note['by']}, {moment(note['at'])}{why}"


def _code(lineage: Lineage) -> str:
    code = lineage.facts["provenance"]
    commit = f", git {code['commit'][:_DIGITS]}" if code["commit"] else ", in no git repository"
    changed = " with changes (changes.diff)" if code["changed"] else ""
    return f"{lineage.tags.get('stagebook.notebook', '')} {code['notebook'][:_DIGITS]}{commit}{changed}"


def _signed(example: str | None) -> str:
    return f"signature from `{example}`" if example else "no signature"


def _values(values: Mapping[str, Any], *, quoted: bool = True) -> str:
    return ", ".join(f"{name} = {value!r}" if quoted else f"{name} = {value}" for name, value in values.items())
