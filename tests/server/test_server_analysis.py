"""What the panel is told of a notebook as it is on the screen."""

from __future__ import annotations

import copy
import json

import pytest
from tests.notebooks_factory import notebook, written
from tests.server.answers import FILE, WRONG, shape_of

from stagebook.lab.analysis import analysis_of
from stagebook.lab.suggesting import suggestion_of


def states(found):
    return {stage["name"]: stage["state"] for stage in found["stages"]}


class TestOfANotebookThatHasRun:
    def test_what_stands_as_it_ran_is_fresh_and_what_was_edited_is_not(self, ran):
        document = ran.document
        found = analysis_of(document, ran.file)
        assert found["saved"]
        assert states(found) == {"load": "fresh", "train": "fresh", "report": "fresh"}
        assert (found["run_all"], found["summary"]) == ("", [["fresh", "3 fresh"]])
        document["cells"][3]["source"] += "\nscore += 1"
        edited = analysis_of(document, ran.file)
        assert not edited["saved"]
        assert states(edited) == {"load": "fresh", "train": "stale", "report": "failed"}  # which is how it last ended
        assert "score += 1" in edited["stages"][1]["reason"]
        assert edited["run_all"] == "Run 2 stages"

    def test_a_comment_changes_the_notebook_and_no_state(self, ran):
        document = ran.document
        document["cells"][3]["source"] += "  # one tenth"
        found = analysis_of(document, ran.file)
        assert not found["saved"]
        assert found["run_all"] == ""

    def test_other_parameters_are_taken_into_account(self, ran):
        found = analysis_of(ran.document, ran.file, parameters={"depth": "4"})
        assert states(found)["train"] == "stale"
        assert found["next"].endswith("-p depth 4   (2 to run, 1 to reuse)")

    def test_wrong_parameters_leave_the_graph_and_say_why_there_are_no_states(self, ran):
        found = analysis_of(ran.document, ran.file, parameters={"depth": "many"})
        assert states(found) == dict.fromkeys(("load", "train", "report"), "")
        assert "depth" in found["trouble"]
        assert found["picture"]
        assert found["run_all"] == ""

    def test_a_notebook_with_errors_keeps_its_graph(self, ran):
        document = ran.document
        document["cells"][4]["source"] = "%%stage report\nprint(score, model"
        found = analysis_of(document, ran.file)
        first = found["findings"][0]
        assert (first["code"], first["cell"]["id"], first["line"]) == ("SB101", "id-4", 2)
        assert states(found) == dict.fromkeys(("load", "train", "report"), "")
        assert found["trouble"] == ""


def test_graph_and_parameters_are_told(tmp_path):
    cells = [("parameters", "depth: int = 3  # 1..20\nkind = 'a'  # one of: a, b\napi_key = 'x'\nwhen = now()")]
    cells += [("stage:load", "rows = [depth]", {"retries": 2}), ("stage:show", "print(rows, kind, api_key, when)")]
    found = analysis_of(notebook(cells), tmp_path / "n.ipynb", within="mine-")
    assert found["edges"] == [{"source": "load", "target": "show", "names": ["rows"], "label": "rows"}]
    assert found["stages"][0]["options"] == {"retries": 2}
    assert found["stages"][0]["actions"]["from"] == "Run from here (2 stages)"
    assert found["stages"][1]["reads"] == [{"name": "rows", "source": "load"}]
    assert 'id="mine-title"' in found["picture"]
    by_name = {one["name"]: one for one in found["parameters"]}
    assert (by_name["depth"]["low"], by_name["depth"]["high"], by_name["depth"]["text"]) == (1, 20, "3")
    assert (by_name["kind"]["choices"], by_name["kind"]["default"]) == (["a", "b"], "a")
    assert (by_name["api_key"]["secret"], by_name["api_key"]["default"], by_name["api_key"]["text"]) == (True, None, "")
    assert (by_name["when"]["literal"], by_name["when"]["text"]) == (False, "")
    assert not (tmp_path / ".stagebook").exists()


@pytest.mark.parametrize("cells", [[], [("", "x = 1")], [("setup", "import math")]])
def test_a_notebook_without_stages_is_no_error(tmp_path, cells):
    found = analysis_of(notebook(cells), tmp_path / "n.ipynb")
    assert (found["stages"], found["edges"], found["picture"], found["findings"]) == ([], [], "", [])
    assert [cell["number"] for cell in found["cells"]] == [1] * len(cells)


def test_a_fix_is_data_that_mends_the_notebook(tmp_path):
    document = notebook(WRONG)
    for _ in range(5):
        found = analysis_of(document, tmp_path / "n.ipynb")
        fixes = [fix for one in found["findings"] for fix in one["fixes"]]
        if not fixes:
            break
        document = copy.deepcopy(document)
        for edit in fixes[0]["edits"]:
            cell = next(cell for cell in document["cells"] if cell["id"] == edit["cell"])
            cell["metadata"]["tags"] = cell["metadata"].get("tags", []) if edit["tags"] is None else edit["tags"]
            cell["source"] = cell["source"] if edit["source"] is None else edit["source"]
    assert found["findings"] == []
    assert [cell["metadata"]["tags"] for cell in document["cells"]] == [
        ["setup"],
        ["setup"],
        ["stage:load"],
        ["stage:train"],
    ]
    assert document["cells"][3]["source"] == "print(half(rows))"


def test_of_kales_tags_no_fix_is_told_as_they_are_other_words(tmp_path):
    cells = [("imports", "import math"), ("", "n = 1"), ("block:a block:b", "x = 1"), ("skip", "y = 1")]
    found = analysis_of(notebook(cells), tmp_path / "n.ipynb")
    assert found["findings"]
    assert [one["fixes"] for one in found["findings"]] == [[]] * len(found["findings"])


def test_a_suggestion_has_the_ids_of_cells(tmp_path):
    found = suggestion_of(notebook([("", "import math"), ("", "x = math.pi")]), tmp_path / "n.ipynb")
    assert [cell["id"] for cell in found["cells"]] == ["id-0", "id-1"]


def test_numbers_that_json_does_not_have_are_null(tmp_path):
    from stagebook.lab.plain import numbers, plain

    assert numbers({"a": float("nan"), "b": 1}) == {"a": None, "b": 1}
    assert plain({"x": (1, float("inf"), {1: tmp_path})}) == {"x": [1, None, {"1": repr(tmp_path)}]}


def test_answers_have_the_shape_that_the_front_ends_tests_read(answers):
    known = json.loads(FILE.read_text(encoding="utf-8"))
    for name in known.keys() | answers.keys():
        assert shape_of(answers.get(name)) == shape_of(known.get(name)), f"{name}: run python -m tests.server.answers"


def test_what_is_not_there_yet_is_not_saved(tmp_path):
    path = written(tmp_path, [("stage:a", "x = 1\nprint(x)")])
    document = json.loads(path.read_text())
    assert analysis_of(document, path)["saved"]
    assert not analysis_of(document, tmp_path / "other.ipynb")["saved"]
