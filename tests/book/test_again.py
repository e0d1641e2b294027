"""What has been analysed before is used again, and nothing comes out otherwise for it."""

from __future__ import annotations

import copy
from collections import OrderedDict

import pytest
from tests.notebooks_factory import HERE, notebook

from stagebook.book import again
from stagebook.book.pipeline import examine

CELLS = [
    ("parameters", "depth = 3"),
    ("setup", "import numpy as np\ndef grow(rows):\n    rows.append(1)\n    return rows"),
    ("stage:load", "rows = []\nclass Kept:\n    def put(self, x):\n        self.x = x"),
    ("", "rows"),
    ("stage:clean", "clean = grow(rows)\nkept = Kept()"),
    ("stage:train", "kept.put(clean)\nscore = depth + len(clean)"),
    ("test:train", "assert score > grow([])[0]"),
    ("stage:report", "print(score, kept)"),
]
EDITS = [
    (1, "import numpy as np\ndef grow(rows):\n    return [*rows, 1]"),
    (2, "rows = []\nclass Kept:\n    def put(self, x):\n        pass"),
    (2, "rows = ["),
    (2, "rows = []\nclass Kept:\n    x = rows"),
    (4, "clean = rows\ndef grow(x):\n    global score\n    score = 1"),
    (5, "score = depth"),
    (1, "import numpy as np\ndef grow(rows):\n    rows.append(1)\n    return rows"),
    (3, "grow(rows)"),
]


@pytest.fixture(autouse=True)
def forgetful(monkeypatch):
    monkeypatch.setattr(again, "_kept", OrderedDict())


def test_after_each_edit_all_is_as_if_it_were_read_for_the_first_time(monkeypatch):
    document = notebook(CELLS)
    examine(document, HERE)
    for index, source in EDITS:
        document = copy.deepcopy(document)
        document["cells"][index]["source"] = source
        found = examine(document, HERE)
        with monkeypatch.context() as patch:
            patch.setattr(again, "_kept", OrderedDict())
            assert found == examine(document, HERE)


def test_only_the_edited_cell_is_analysed_again(monkeypatch):
    document = notebook(CELLS)
    examine(document, HERE)
    asked = []
    analyse = again.analyse
    monkeypatch.setattr(again, "analyse", lambda cells, **known: asked.append(cells[0][0]) or analyse(cells, **known))
    examine(document, HERE)
    assert asked == []
    document["cells"][5]["source"] += "\nmore = 1"
    examine(document, HERE)
    assert asked == [6]


def test_an_edit_of_setup_concerns_the_cells_that_call_what_was_edited(monkeypatch):
    setup = (
        "import numpy as np\ndef grow(x):\n    return rise(x)\ndef rise(x):\n    return x\ndef fall(x):\n    return x"
    )
    cells = [("setup", setup), ("stage:a", "a = grow([])"), ("stage:b", "b = fall(a)"), ("stage:c", "print(np.sum(b))")]
    document = notebook(cells)
    examine(document, HERE)
    asked = []
    analyse = again.analyse
    monkeypatch.setattr(again, "analyse", lambda cells, **known: asked.append(cells[0][0]) or analyse(cells, **known))
    for edited, concerned in (
        (f"{setup}\nlimit = 3", [1]),
        (f"\n{setup}", [1]),
        (setup.replace("return rise(x)", "return [x]"), [1, 2]),
        (setup.replace("def rise(x):\n    return x", "def rise(x):\n    x.append(1)"), [1, 2]),
        (setup.replace("def fall", "def full"), [1, 3]),
        (setup.replace("numpy", "pandas"), [1, 4]),
    ):
        asked.clear()
        document["cells"][0]["source"] = edited
        found = examine(document, HERE)
        assert asked == concerned
        with monkeypatch.context() as patch:
            patch.setattr(again, "_kept", OrderedDict())
            assert found == examine(document, HERE)


def test_the_oldest_is_forgotten(monkeypatch):
    monkeypatch.setattr(again, "_MOST", 2)
    first = again.parsed("a = 1")
    assert again.parsed("a = 1") is first
    again.parsed("b = 1")
    again.parsed("c = 1")
    assert again.parsed("a = 1") is not first
