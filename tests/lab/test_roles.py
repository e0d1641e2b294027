"""A chip says what a run does: Python's reader and the front end take the same table for true."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stagebook.book.cells import read_cells

TABLE = Path(__file__).resolve().parents[2] / "extension/src/__tests__/roles.json"


@pytest.mark.parametrize("case", json.loads(TABLE.read_text()), ids=lambda case: json.dumps(case["cells"]))
def test_roles_are_as_the_chips_show_them(case):
    cells = [
        {"cell_type": "code", "metadata": {"tags": tags}, "source": source, "id": str(index)}
        for index, (tags, source) in enumerate(case["cells"])
    ]
    read, findings = read_cells({"cells": cells})
    roles = dict.fromkeys(range(len(cells)))
    roles |= {one.cell.index: " ".join(filter(None, [one.cell.role, one.cell.stage])) for one in read}
    wrong = {finding.place.cell for finding in findings if finding.place}
    roles |= {one.cell.index: "unclear" for one in read if one.cell.number in wrong}
    assert list(roles.values()) == case["roles"]
