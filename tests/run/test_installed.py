"""Versions of what is installed are remembered, and never longer than they hold."""

from __future__ import annotations

import json
import os
import time

import pytest

from stagebook.run import installed
from stagebook.run.installed import Installed


def install(site, name, number, *, ago=60):
    """What a package manager leaves behind, some time ago."""
    info = site / f"{name}-{number}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n")
    (info / "RECORD").write_text(f"{name}/__init__.py,,\n")
    then = time.time() - ago
    os.utime(info, (then, then))


@pytest.fixture
def site(tmp_path, monkeypatch):
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.setattr("sys.path", [str(folder)])
    return folder


@pytest.fixture
def looks(monkeypatch):
    """The questions for which what is installed had to be read."""
    asked = []
    packages, version = installed._packages, installed._version
    monkeypatch.setattr(installed, "_packages", lambda tops: asked.append(sorted(tops)) or packages(tops))
    monkeypatch.setattr(installed, "_version", lambda name: asked.append(name) or version(name))
    return asked


def ask(folder, *tops):
    known = Installed(folder)
    found = known.packages(tops)
    known.save()
    return found


def test_what_has_been_found_is_found_again_without_looking(site, tmp_path, looks):
    install(site, "grapes", "1.0")
    assert ask(tmp_path, "grapes", "nuts") == {"grapes": ["package:grapes=1.0"], "nuts": []}
    assert ask(tmp_path, "grapes", "nuts") == {"grapes": ["package:grapes=1.0"], "nuts": []}
    assert ask(tmp_path, "grapes", "figs")["figs"] == []
    assert looks == [["grapes", "nuts"], ["figs"]]


def test_versions_by_distribution_are_remembered_too(site, tmp_path, looks):
    install(site, "grapes", "1.0")
    for _ in range(2):
        known = Installed(tmp_path)
        assert known.versions(["grapes", "nuts"]) == {"grapes": "1.0"}
        known.save()
    assert looks == ["grapes", "nuts"]


@pytest.mark.parametrize("how", ["newer", "more", "less", "again", "elsewhere"])
def test_a_change_of_what_is_installed_is_seen(site, tmp_path, looks, monkeypatch, how):
    install(site, "grapes", "1.0")
    ask(tmp_path, "grapes")
    if how == "newer":
        (site / "grapes-1.0.dist-info").rename(site / "gone")
        install(site, "grapes", "1.1")
    elif how == "more":
        install(site, "nuts", "2.0")
    elif how == "less":
        (site / "grapes-1.0.dist-info").rename(site / "gone")
    elif how == "again":
        os.utime(site / "grapes-1.0.dist-info", (1, 1))
    else:
        monkeypatch.setattr("sys.path", [str(tmp_path / "other"), str(site)])
    expected = {"newer": ["package:grapes=1.1"], "less": []}.get(how, ["package:grapes=1.0"])
    assert ask(tmp_path, "grapes") == {"grapes": expected}
    assert len(looks) == 2


def test_what_was_installed_just_now_is_not_remembered(site, tmp_path, looks):
    install(site, "grapes", "1.0", ago=0)
    ask(tmp_path, "grapes")
    ask(tmp_path, "grapes")
    assert len(looks) == 2


def test_what_others_have_written_does_not_count(site, tmp_path, looks):
    install(site, "grapes", "1.0")
    ask(tmp_path, "grapes")
    record = json.loads((tmp_path / "installed.json").read_text())
    record["packages"]["grapes"] = ["package:grapes=9.9"]
    (tmp_path / "installed.json").write_text(json.dumps(record))
    assert ask(tmp_path, "grapes") == {"grapes": ["package:grapes=1.0"]}


def test_where_there_is_no_folder_this_process_remembers(site, tmp_path, looks):
    install(site, "grapes", "1.0")
    for _ in range(2):
        assert Installed(tmp_path / "none").packages(["grapes"]) == {"grapes": ["package:grapes=1.0"]}
    assert looks == [["grapes"]]
    install(site, "nuts", "1.0")
    assert Installed(tmp_path / "none").packages(["nuts"]) == {"nuts": ["package:nuts=1.0"]}
