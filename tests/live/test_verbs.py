"""The verbs of `%pipeline` that bring something into the kernel, explain, and run in the background."""

from __future__ import annotations

import pytest
from notebooks_factory import written

from stagebook.run.api import run_notebook

CELLS = [
    ("parameters", "depth = 2"),
    ("setup", "class Tree:\n    def __init__(self, depth):\n        self.depth = depth"),
    ("stage:load", "raw = list(range(depth))"),
    ("stage:clean", "tidy = [value + 1 for value in raw]"),
    ("stage:train", "tree = Tree(sum(tidy))"),
    ("stage:score", "auc = tree.depth / 10", {"metrics": ["auc"]}),
]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A notebook that has run with two depths, and the ids of its runs."""
    path = written(tmp_path_factory.mktemp("ran"), CELLS)
    return path, [run_notebook(path, track=False, parameters={"depth": depth}).id for depth in (3, 2)]


@pytest.fixture
def say(ipython, ran, monkeypatch, capsys):
    """What `%pipeline` prints for this line, in the notebook's kernel; the kernel's names are taken away before."""
    monkeypatch.setenv("JPY_SESSION_NAME", str(ran[0]))
    for name in ("depth", "Tree", "raw", "tidy", "tree", "auc"):
        ipython.user_ns.pop(name, None)

    def said(line):
        capsys.readouterr()
        ipython.run_line_magic("pipeline", line)
        return capsys.readouterr().out

    return said


def test_load_brings_what_a_stage_has_made_in_the_last_run(ipython, say, ran):
    told = say("load clean")
    assert ipython.user_ns["tidy"] == [1, 2]
    assert told == f"tidy (list of 2) of `clean`, from run {ran[1][1]} (depth = 2)\n"


def test_load_brings_it_from_an_earlier_run(ipython, say, ran):
    assert ran[1][0] in say(f"load clean --run {ran[1][0]}")
    assert ipython.user_ns["tidy"] == [1, 2, 3]
    say("load score --run last~1")
    assert ipython.user_ns["auc"] == 0.6


def test_enter_brings_setup_and_what_the_stage_takes_and_one_goes_on_from_there(ipython, say, ran):
    told = say("enter score --run last~1")
    assert ipython.user_ns["tree"].depth == 6
    assert ipython.user_ns["depth"] == 3, "parameters have the run's values"
    assert isinstance(ipython.user_ns["tree"], ipython.user_ns["Tree"])
    assert told.startswith("You are where `score` starts: setup has run; tree (Tree) is there, from run")
    assert told.rstrip().endswith("Go on with cell 6.")
    assert "raw" not in ipython.user_ns


def test_what_needs_setup_says_so(say):
    told = say("load train")
    assert "made of `Tree`, which setup defines. Run the setup cells, or: %pipeline enter train" in told


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("load", "Name the stage: %pipeline load STAGE."),
        ("load clena", "There is no stage `clena` in notebook.ipynb. Did you mean `clean`?"),
        ("enter clean --run last~7", "There is no `last~7`"),
        ("load clean --rnu last", "%pipeline load: No such option"),
        ("why", "%pipeline why: Missing argument 'STAGE'"),
        ("cache", "Say what is wanted: %pipeline cache on, or off."),
        ("cache on", "The cache is for notebooks"),
        ("notebook nowhere.ipynb", "There is no notebook at nowhere.ipynb."),
        ("cancel", "Nothing runs in the background."),
        ("run --only clena", "There is no stage `clena` in notebook.ipynb. Did you mean `clean`?"),
        ("run -p dpeth 3", "notebook.ipynb has no parameter `dpeth`. Did you mean `depth`?"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(say, line, told):
    assert told in say(line)


def test_help_lists_the_verbs_and_each_has_its_own(say):
    assert "enter     STAGE [--run RUN]: setup and what the stage takes" in say("help")
    assert "Usage: %pipeline why [OPTIONS] NOTEBOOK STAGE" in say("why --help")
    assert "--run RUN" in say("load --help")


def test_why_says_what_has_changed_line_by_line(ran, say):
    path, (_, last) = ran
    text = path.read_text()
    try:
        path.write_text(text.replace("value + 1", "value + 2"))
        told = say("why train")
        assert "train is stale: its input `tidy` comes from `clean`, which runs" in told
        assert f"Before it, clean runs: its code changed since run {last}" in told
        assert "    -tidy = [value + 1 for value in raw]\n    +tidy = [value + 2 for value in raw]" in told
        told = say("load clean")
        assert "Since that run, something has changed: `clean` would run again: its code changed" in told
    finally:
        path.write_text(text)
    assert say("why train").startswith("train is up to date: unchanged since run")


def test_run_goes_on_in_the_background_and_says_how_it_ends(say, ipython):
    told = say("run -p depth 4")
    assert "runs in the background. End it: %pipeline cancel" in told
    assert ipython.run_cell("1 + 1").success, "the prompt is free"
    say("wait")
    say("load score")
    assert ipython.user_ns["auc"] == 1.0


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("%pipeline wh", {"why"}),
        ("%pipeline why cl", {"clean"}),
        ("%pipeline run --only tr", {"train"}),
        ("%pipeline run -p de", {"depth"}),
        ("%pipeline run --fo", {"--force"}),
        ("%pipeline load clean --run last~", {"last~1"}),
        ("%%stage tr", {"train"}),
        ("%%stage train met", {"metrics="}),
        ("%%stage train needs=lo", {"load"}),
    ],
)
def test_tab_offers_what_may_stand_there(say, ipython, line, offered):
    _, found = ipython.complete("", line, len(line))
    assert offered <= {word.lstrip("%") for word in found}


def test_stage_help_has_examples(ipython, capsys):
    ipython.run_line_magic("pinfo", "%%stage")
    told = capsys.readouterr().out
    assert "%%stage train metrics=auc timeout=600" in told
    assert 'gate="auc >= 0.8"' in told


def test_a_kernel_that_does_not_know_its_notebook_is_told_once(ipython, monkeypatch, capsys, ran):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    ipython.run_line_magic("pipeline", "check")
    assert "Name it, once for all: %pipeline notebook NOTEBOOK.ipynb" in capsys.readouterr().out
    try:
        ipython.run_line_magic("pipeline", f"notebook {ran[0]}")
        ipython.run_line_magic("pipeline", "check")
        assert "no findings" in capsys.readouterr().out
    finally:
        vars(ipython).pop("_stagebook_notebook", None)
