"""The log of a service at a URL: a copy of it is read."""

from __future__ import annotations

import fsspec
import pytest
from click.testing import CliRunner
from tests.asked import ask

from stagebook.cli import main
from stagebook.drift.requests import log_at, read_requests
from stagebook.errors import StagebookError


def test_it_is_read_as_the_folder_is(tmp_path):
    ask(tmp_path / "log", 0, rows=5)
    fsspec.filesystem("memory").put(str(tmp_path / "log"), "/bucket/log", recursive=True)
    with log_at("memory://bucket/log") as folder:
        assert read_requests(folder).equals(read_requests(tmp_path / "log"))
    assert not folder.exists()


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("memory://bucket/none", "There is no request log in the folder `memory://bucket/none`."),
        ("nosuch://ada:secret@bucket/log", "The request log at nosuch://bucket/log cannot be read (ValueError)."),
    ],
)
def test_where_there_is_none_it_is_told_without_passwords(place, told):
    with pytest.raises(StagebookError) as refused, log_at(place):
        pass
    assert told in str(refused.value)


def test_it_is_looked_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(main, ["monitor", "models:/late@champion", "--log", "memory://bucket/log"])
    assert (told.exit_code, "look at it with --once" in told.stderr) == (2, True)
