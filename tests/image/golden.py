"""Writes the golden texts of contexts anew: `python -m tests.image.golden`."""

from __future__ import annotations

from tests.image.story import materials
from tests.image.test_context import GOLDEN, TEXTS

from stagebook.image.context import context
from stagebook.image.materials import TARGETS

for target in TARGETS:
    files = context(materials(target))
    for name in TEXTS:
        place = GOLDEN / target / name.lstrip(".")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(files[name])
