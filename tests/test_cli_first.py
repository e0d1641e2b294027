"""What one meets first: `stagebook` alone, `stagebook doctor`, and what comes next at a command's end."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner
from notebooks_factory import written

from stagebook.cli import main

CELLS = [("stage:a", "x = 1"), ("test:a", "assert x")]


def said(*words):
    """Exit status, and what is said."""
    done = CliRunner().invoke(main, list(map(str, words)))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def in_terminal(*words, **variables):
    """What a command says where a person reads along."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "stagebook", *map(str, words)]
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, env={**os.environ, **variables})
    os.close(theirs)
    text = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:  # Linux says so at the end
            break
        if not more:
            break
        text += more
    os.close(ours)
    assert process.wait(60) == 0, text
    return text.decode().replace("\r\n", "\n")


class TestAlone:
    def test_it_names_each_notebook_how_it_stands_and_what_comes_next(self, tmp_path, monkeypatch):
        for name, cells in {
            "new": [("", "x = 1")],
            "broken": [("stage:a", "print(nowhere)")],
            "fresh": CELLS,
            "tagged": [("stage:b", "print(1)")],
        }.items():
            written(tmp_path, cells).rename(tmp_path / f"{name}.ipynb")
        monkeypatch.chdir(tmp_path)
        assert said("run", "fresh.ipynb", "--no-track")[0] == 0
        status, told = said()
        assert status == 0
        lines = [re.split(r"  +", line) for line in told.splitlines()[:4]]
        assert lines == [
            ["broken.ipynb", "1 finding", "stagebook check broken.ipynb"],
            ["fresh.ipynb", "1 stage, up to date", "stagebook runs fresh.ipynb"],
            ["new.ipynb", "no stages yet", "stagebook suggest new.ipynb"],
            ["tagged.ipynb", "1 stage, never run", "stagebook run tagged.ipynb"],
        ]

    def test_where_there_is_none_it_looks_one_folder_down(self, tmp_path, monkeypatch):
        (tmp_path / "books").mkdir()
        written(tmp_path / "books", CELLS)
        monkeypatch.chdir(tmp_path)
        assert "stagebook run books/notebook.ipynb" in said()[1]

    def test_an_empty_folder_says_how_to_begin(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert said()[1].startswith("There is no notebook here.")


class TestDoctor:
    @pytest.fixture
    def checks(self, tmp_path, monkeypatch):
        """What is found, by name, and the exit status."""
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        monkeypatch.chdir(tmp_path)

        def look(*words):
            status, told = said("doctor", "--json", *words)
            return {one["name"].split()[0]: one for one in json.loads(told)}, status

        return look

    def test_all_that_is_needed_is_in_order(self, checks):
        found, status = checks()
        wrong = {name: one for name, one in found.items() if one["state"] == "wrong"}
        assert (wrong, status) == ({}, 0)
        assert found["Kernel"]["says"].startswith("`python3` starts, with IPython ")
        assert "made by the first run" in found["Store"]["says"]

    def test_what_is_wrong_is_told_with_a_remedy(self, checks, tmp_path, monkeypatch):
        path = written(tmp_path, CELLS)
        document = json.loads(path.read_text())
        document["metadata"]["kernelspec"] = {"name": "gone", "display_name": "Gone", "language": "python"}
        path.write_text(json.dumps(document))
        key = tmp_path / "key"
        key.write_text("00" * 32)
        key.chmod(0o644)
        monkeypatch.setenv("STAGEBOOK_KEY_FILE", str(key))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:word@127.0.0.1:9")
        (tmp_path / "file").touch()
        found, status = checks(path, "--store", tmp_path / "file" / "store")
        assert status == 1
        wrong = {name for name, one in found.items() if one["state"] == "wrong"}
        assert wrong == {"Kernel", "Store", "Key", "MLflow"}
        assert all(found[name]["remedy"] for name in wrong)
        assert "ipykernel install --user --name gone" in found["Kernel"]["remedy"]
        assert found["MLflow"]["says"].startswith("the server at http://127.0.0.1:9 does not answer")
        assert "word" not in json.dumps(found)

    def test_what_is_missing_names_its_extra(self, checks, monkeypatch):
        monkeypatch.setitem(sys.modules, "kedro", None)
        found, status = checks()
        assert (found["kedro"]["state"], status) == ("missing", 0)
        assert found["kedro"]["remedy"] == "pip install 'stagebook[kedro]'"

    def test_without_a_commit_it_promises_none(self, checks, tmp_path):
        assert checks()[0]["git"]["state"] == "missing"
        for words in ("init", "-c user.name=a -c user.email=a commit --allow-empty -m a"):
            subprocess.run(["git", *words.split()], cwd=tmp_path, check=True, capture_output=True)
        assert checks()[0]["git"]["state"] == "ok"

    def test_it_reads_as_a_list(self, tmp_path, monkeypatch):
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        monkeypatch.chdir(tmp_path)
        status, told = said("doctor")
        assert status == 0
        assert told.startswith("ok  Python: Stagebook ")
        assert told.endswith("All that is needed is in order.\n")


def test_in_a_terminal_a_command_names_the_next_one_with_the_same_parameters(tmp_path):
    path = written(tmp_path, [("parameters", "n = 1"), ("stage:a", "x = n"), ("test:a", "assert x")])
    told = in_terminal("plan", path, "-p", "n", "2", NO_COLOR="1")
    assert told.endswith(f"\nNext: stagebook run {path} -p n 2   run it\n")
    assert "\x1b[1mstagebook plan" in in_terminal("check", path, NO_COLOR="", TERM="xterm")
    assert said("plan", path)[1].endswith("1 stage to run, 0 to reuse.\n")
