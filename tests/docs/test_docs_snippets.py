"""Commands and code in README and docs: all are read, those that say so are run."""

from __future__ import annotations

import ast
import doctest
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from tests.cases.docs_notebooks import FLIGHTS, KALE
from tests.docs.markdown import PAGES, ROOT, Block, all_blocks, blocks, prose
from tests.notebooks_factory import written

SHELL = ("", "sh", "bash", "console")
_COMMAND = re.compile(r"^(?:\$ )?(?:[A-Z_]+=\S+ )*(stagebook(?: .*)?)$", re.MULTILINE)
_SAID_AFTER = re.compile(r"(?<=\S)(?:\s+#\s|\s{2,}(?=[^-\s\"'])|\s+&$|\s[>|]\s).*$")
"""What stands behind a command: a comment, a description in a second column, what the shell takes."""

PAGES_THAT_RUN = [page for page in PAGES if any(block.language == "console" for block in blocks(page))]


def commands():
    for block in all_blocks(*SHELL):
        for found in _COMMAND.finditer(re.sub(r"\\\n\s*", "", block.text)):
            yield pytest.param(_SAID_AFTER.sub("", found[1]), id=f"{block}: {found[1][:60]}")


@pytest.mark.parametrize("command", list(commands()))
def test_command_is_one_that_stagebook_takes(command):
    from stagebook.cli import main

    words = shlex.split(command)[1:]
    group: click.Command = main
    context = click.Context(main, info_name="stagebook")
    while isinstance(group, click.Group) and words and not words[0].startswith("-"):
        name, found, words = group.resolve_command(context, words)
        assert found is not None, f"no command `{name}`"
        group = found
        if isinstance(found, click.Group):
            context = click.Context(found, parent=context, info_name=name)
    if not isinstance(group, click.Group):
        try:
            group.make_context(group.name, [word for word in words if word != "..."], parent=context)
        except click.exceptions.Exit:
            assert set(words) & {"--help", "-h"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_verbs_in_the_text_exist(page):
    from stagebook.cli import main

    told = set(re.findall(r"`stagebook ([a-z]+)\b[^`]*`", prose(page)))
    assert told - set(main.commands) == set()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)[^`]*`", prose(page))) - targets == set()


def python_of(text: str) -> str:
    """The code as IPython reads it, without lines that are its alone."""
    from IPython.core.inputtransformer2 import TransformerManager

    plain = "".join("\n" if line.startswith("%%") else line for line in text.splitlines(keepends=True))
    return TransformerManager().transform_cell(plain)


@pytest.mark.parametrize("block", all_blocks("python"), ids=str)
def test_python_is_python(block):
    compile(python_of(block.text), str(block), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("block", all_blocks("toml", "yaml", "json"), ids=str)
def test_settings_can_be_read(block):
    if block.language == "yaml":
        import yaml

        assert yaml.safe_load(block.text)
    elif block.language == "json":
        assert json.loads(block.text)
    elif sys.version_info >= (3, 11):
        import tomllib

        assert tomllib.loads(block.text)


@pytest.fixture
def folder(tmp_path):
    """Notebooks as the pages name them, and a `stagebook` that is this one."""
    written(tmp_path, FLIGHTS, "flights.ipynb")
    written(tmp_path, KALE, "kale.ipynb")
    shutil.copy(ROOT / "notebooks/untagged.ipynb", tmp_path)
    (tmp_path / "bin").mkdir()
    here = tmp_path / "bin/stagebook"
    here.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m stagebook "$@"\n')
    here.chmod(0o755)
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    path = f"{folder / 'bin'}{os.pathsep}{plain['PATH']}"
    return {**plain, "PATH": path, "COLUMNS": "120", "STAGEBOOK_NO_TRACK": "1"}


def steps(block: Block) -> list[tuple[str, str]]:
    """Each command of a console with what is shown below it."""
    parts = re.split(r"^\$ (.*)\n", block.text, flags=re.MULTILINE)
    assert parts[0] == "", f"{block} begins with no command"
    return list(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("page", PAGES_THAT_RUN, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_page_does_what_it_shows(page, folder):
    for block in blocks(page):
        if block.language == "console":
            for command, shown in steps(block):
                _run_as_shown(block, command, shown, folder)
        elif block.language == "python" and not re.search("^%", block.text, re.MULTILINE):
            done = subprocess.run(
                [sys.executable, "-c", block.text], cwd=folder, env=environment(folder), capture_output=True, text=True
            )
            assert done.returncode == 0, f"{block}: {done.stderr}"


def _run_as_shown(block: Block, command: str, shown: str, folder: Path) -> None:
    status = re.search(r"^\[status (\d+)\]\n", shown, re.MULTILINE)
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == int(status[1] if status else 0), f"{block}: {command}\n{done.stdout}"
    expected = re.sub(r"^\[status \d+\]\n", "", shown, flags=re.MULTILINE)
    if expected.strip():
        options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        fits = doctest.OutputChecker().check_output(expected, done.stdout, options)
        assert fits, f"{block}: {command}\nshown:\n{expected}\nis:\n{done.stdout}"
