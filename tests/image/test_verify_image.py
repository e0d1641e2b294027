"""A notebook is the same in the image of it as in one kernel: with a parameter, a secret, files beside it, a module."""

from __future__ import annotations

import json
import os

import pytest
from tests.image.conftest import podman
from tests.image.story import stagebook
from tests.notebooks_factory import written

CELLS = [
    ("parameters", "n: int = 3\napi_token = ''"),
    ("setup", "from fractions import Fraction\n\nfrom helpers import twice"),
    (
        "stage:load",
        "rows = [Fraction(x, 2) for x in range(n)]\nwith open('data/n.txt') as file:\n    m = int(file.read())",
    ),
    ("stage:square", "area = side ** 2", {"foreach": "side in rows"}),
    ("stage:tell", "total = float(sum(area)) + m\nopen('total.txt', 'w').close()", {"metrics": ["total"]}),
    ("stage:use", "words = [str(twice(x)) for x in rows]\nlength = len(api_token) + len(open('total.txt').read())"),
]


@pytest.mark.skipif(
    os.environ.get("STAGEBOOK_IMAGES") != "all",
    reason="its image takes minutes: `make images`, or STAGEBOOK_IMAGES=all",
)
@pytest.mark.timeout(900)
def test_a_notebook_is_the_same_in_its_image_of_which_nothing_is_left(store, own_cache, key_file, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "n.txt").write_text("4")
    (tmp_path / "helpers.py").write_text("def twice(x):\n    return 2 * x\n")
    notebook = written(tmp_path, CELLS)
    words = ["--targets", "image", "-p", "n", "4", "--secret", "api_token", "--json"]
    done = stagebook("verify", notebook.name, *words, folder=tmp_path, API_TOKEN="Zx8k2QwPv7")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (column,) = json.loads(done.stdout)["columns"]
    assert (column["target"], column["became"]) == ("image", "ran")
    words = {name: (one["word"], one["compared"]) for name, one in column["stages"].items()}
    assert words == {"load": ("same", 2), "square": ("same", 1), "tell": ("same", 2), "use": ("same", 2)}
    assert "stagebook-verify" not in podman("images").stdout
    assert "Zx8k2QwPv7" not in done.stdout + done.stderr
