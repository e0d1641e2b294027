"""The search that the tests of secrets stand on finds what it is to find."""

import base64
import gzip
import html
import json
from urllib.parse import quote

import pytest
from secrecy import ODD, PLAIN, leaking_files, leaks

WRITTEN = [
    PLAIN,
    f'token = "{PLAIN}"',
    repr(ODD),
    json.dumps({"a": ODD}),
    html.escape(ODD),
    quote(ODD),
    ODD.encode("unicode_escape").decode(),
    PLAIN.encode().hex(),
    *(base64.b64encode(f"{'x' * shift}{ODD}".encode()).decode() for shift in range(4)),
    *(base64.b64encode(f"{'x' * shift}{PLAIN} and more".encode()).decode() for shift in range(4)),
]


@pytest.mark.parametrize("text", WRITTEN)
def test_a_secret_is_found_however_it_is_written(text):
    assert leaks(text.encode())


def test_what_holds_none_is_not_found():
    assert not leaks(b"Zx8k2QwPv Yt5m9RbLc 3")


def test_packed_files_and_names_of_files_are_looked_at(tmp_path):
    (tmp_path / "packed").write_bytes(gzip.compress(PLAIN.encode()))
    (tmp_path / PLAIN).mkdir()
    (tmp_path / "harmless").write_text("nothing")
    assert leaking_files(tmp_path) == sorted([str(tmp_path / "packed"), str(tmp_path / PLAIN)])
