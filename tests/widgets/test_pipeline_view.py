"""The live view's Python side: real runs, followed; what it says of stages; what it does when a button is pressed."""

from __future__ import annotations

import json
import os
import re
from xml.etree import ElementTree

import pytest
from tests.notebooks_factory import written
from tests.widgets.conftest import CELLS, SECRET

from stagebook.errors import UsageError
from stagebook.run.background import run_words
from stagebook.widgets.front import module_of
from stagebook.widgets.pipeline import pipeline_view
from stagebook.widgets.showing import show

SVG = "{http://www.w3.org/2000/svg}"


def test_a_run_is_followed_until_all_is_fresh(ran):
    assert {name: states[0] for name, states in ran.seen.items()} == dict.fromkeys(ran.view.states(), "never run")
    assert ran.seen["load"] == ["never run", "waiting", "running", "fresh"]
    for states in ran.seen.values():  # what lasts for less than a fifth of a second need not be seen
        assert [state for state in states if state != "running"] == ["never run", "waiting", "fresh"]
    assert not ran.view.is_running
    assert re.fullmatch(r"Run [\w-]+ is done\.", ran.view.now["said"])
    assert ran.view.now["summary"] == [["fresh", "3 fresh"]]
    assert (ran.view.now["all"], ran.view.now["trouble"], ran.view.now["stale"]) == ("", "", False)
    assert all(re.fullmatch(r"fresh · [\d.]+ s", stage["below"]) for stage in ran.view.stages)


def test_of_a_secret_a_mask_is_all_that_the_browser_gets(ran):
    assert ran.view.now["given"] == "depth = 4, hf_token = ••••••"
    assert SECRET not in json.dumps(ran.view.get_state())
    assert "--secret hf_token" in " ".join(ran.view.words_for("all", ""))
    assert SECRET not in " ".join(ran.view.words_for("all", ""))


def test_the_pane_says_why_where_from_where_to_and_what_the_buttons_do(ran):
    train = ran.view.details["train"]
    assert train["reason"].startswith("unchanged since run ")
    assert [cell["number"] for cell in train["cells"]] == [4]
    assert train["reads"] == [["rows", "load"]]
    assert dict(train["makes"])["score"] == "report"
    assert train["metrics"] == [["score", "0.8"]]
    assert [name for name, _ in train["facts"]] == ["took", "last ran", "in run"]
    assert train["actions"] == {"this": "Run this stage again", "from": "Run again from here (2 stages)"}


def test_values_are_shown_and_loaded_only_when_asked_for(ran):
    assert ran.view._shell.user_ns == {}
    answer = ran.press("values", stage="train")
    found = {value["name"]: value["text"] for value in answer["found"]}
    assert (answer["about"], found["score"]) == ("values", "0.8")
    assert ran.press("figures", stage="train")["found"] == []
    ran.press("load", stage="train")
    assert ran.view._shell.user_ns["model"] == {"deep": 4, "of": [16, 1, 2]}
    assert ran.view.now["said"].startswith("model (")


def test_the_picture_is_made_of_buttons_and_brings_no_style_of_its_own(ran):
    root = ElementTree.fromstring(ran.view.picture)
    stages = [one for one in root.iter(f"{SVG}g") if one.get("class") == "stage"]
    assert [one.get("data-stage") for one in stages] == ["load", "train", "report"]
    assert {one.get("role") for one in stages} == {"button"}
    assert stages[0].get("aria-label") == "load: fresh"
    assert root.find(f"{SVG}style") is None, "it would hold for the whole page"
    ids = [one.get("id") for one in root.iter() if one.get("id")]
    assert ids
    assert all(name.startswith(ran.view._within) for name in ids), "other pictures of the page have others"


def test_whoever_has_no_widgets_gets_a_still_picture_and_text(ran, capsys):
    forms = ran.view._still_forms()
    assert forms["image/svg+xml"].startswith('<svg data-stagebook="still" ')
    assert forms["image/svg+xml"].count(">fresh<") == 3
    assert "● train  (cell 4)  fresh" in forms["text/plain"]
    assert ran.view._repr_mimebundle_()[0]["text/plain"] == "Run this cell to see the stages of flights.ipynb live."
    show(ran.view)
    assert capsys.readouterr().out == f"{ran.view.as_text()}\n", "without a kernel there is nothing to show widgets"


@pytest.mark.parametrize(
    ("how", "stage", "words"),
    [
        ("all", "", []),
        ("this", "train", ["--only", "train", "--force"]),
        ("from", "train", ["--from", "train", "--force"]),
    ],
)
def test_buttons_run_with_what_the_last_run_was_given(ran, book, how, stage, words):
    given = ["-p", "depth", "4", "--secret", "hf_token", "--no-track"]
    assert ran.view.words_for(how, stage) == ["run", str(book), *words, *given]


def test_a_stage_that_never_ran_is_run_with_what_it_needs(opened):
    one = opened()
    assert one.view.words_for("this", "train")[2:] == ["--to", "train", "--no-track"]
    assert one.view.details["train"]["actions"] == {"this": "Run this stage and 1 before it", "from": ""}
    assert one.view.now["all"] == "Run 3 stages"
    assert one.press("values", stage="train")["trouble"].startswith("No run has a result of `train`.")


def test_a_change_of_the_file_is_noticed_when_somebody_does_something(opened):
    one = opened()
    view = one.view
    written(view._notebook.parent, [*CELLS, ("stage:more", "more = score")])
    os.utime(view._notebook, ns=(1, 1))
    assert not view.now["stale"]
    one.press("look")
    assert view.now["stale"]
    one.press("refresh")
    assert not view.now["stale"]
    assert list(view.states()) == ["load", "train", "report", "more"]
    assert 'data-stage="more"' in view.picture

    written(view._notebook.parent, [("stage:a", "print(nowhere)")])
    one.press("refresh")
    assert "cannot run as a pipeline" in view.now["trouble"]
    assert "`nowhere` is read here" in view.now["trouble"]


def test_a_failure_is_told_with_its_cell_and_a_cancelled_run_leaves_what_is_done(opened):
    slow = [("stage:first", "x = 1"), ("stage:slow", "import time\nprint(x)\ntime.sleep(600)"), ("stage:bad", "x / 0")]
    one = opened(slow)
    view = one.view
    told = []

    def cancel_once_alone(_):
        told.append(view.now["running"])
        if view.states() == {"first": "fresh", "slow": "running", "bad": "failed"}:
            view.cancel()

    view.observe(cancel_once_alone, "stages")
    one.run("--jobs", "2")
    assert view.states() == {"first": "fresh", "slow": "interrupted", "bad": "failed"}
    assert any(told), "while it runs, the view says so: its button is Cancel"
    assert not view.now["running"]
    assert "was interrupted" in view.now["said"]
    reason = {stage["name"]: stage["reason"] for stage in view.stages}["bad"]
    assert "cell 3, line 1: ZeroDivisionError: division by zero" in reason


def test_a_run_that_cannot_start_says_why(opened):
    one = opened()
    one.run("-p", "dept", "4")
    assert one.view.now["said"] == "The run could not be started."
    assert "Did you mean `depth`?" in one.view.now["trouble"]
    assert set(one.view.states().values()) == {"never run"}


def test_words_that_the_command_does_not_take_start_nothing(opened):
    view = opened().view
    with pytest.raises(UsageError, match="stagebook run: No such option"):
        view.start([*run_words(view._notebook), "--jbos", "2"])
    assert not view.is_running


def test_more_stages_than_a_picture_can_hold_are_listed(tmp_path):
    many = written(tmp_path, [(f"stage:s{number}", "print(1)") for number in range(301)])
    view = pipeline_view(many)
    assert view.picture == ""
    assert len(view.stages) == 301
    assert "image/svg+xml" not in view._still_forms()


@pytest.mark.parametrize("last", ["pipeline.js", "runs.js", "points.js"])
def test_the_files_of_a_widget_are_joined_to_one_module(last):
    joined = module_of("dom.js", "kernel.js", last)
    assert re.findall(r"^(?:import|export)\b.*", joined, re.MULTILINE) == ["export default { render };"]
    assert "export" not in module_of("graph.js").split("\n")[0]
