"""Runs that are started from the panel, followed, cancelled, and found again."""

from __future__ import annotations

import json
import time

import pytest
from tests.notebooks_factory import written
from tests.server.jupyter import SECRET

WAITS = [("", "%%stage first\nx = 1"), ("", "%%stage second\nimport time\ntime.sleep(60)\nprint(x)")]


def kinds(events):
    return [event["event"] for event in events]


def test_a_run_tells_all_that_happens_until_its_end(ran):
    job, events, end = ran.done
    assert job["words"] == ["run", "flights.ipynb", "--no-track"]
    assert kinds(events)[0] == "RunStarted"
    assert kinds(events)[-1] == "RunFinished"
    assert [event["stage"] for event in events if event["event"] == "StageFinished"] == ["load", "train", "report"]
    assert end == {"state": "done", "run": events[0]["run"], "errors": ""}


def test_a_failing_stage_names_the_cell_and_the_line(ran):
    _, events, end = ran.failed
    failure = next(event["failure"] for event in events if event.get("state") == "failed" and "failure" in event)
    assert failure == {"cell": 5, "line": 3, "name": "ValueError", "message": "too deep", "remedy": ""}
    assert end["state"] == "failed"


def test_a_run_is_the_same_as_the_command_lines(server, ran):
    from stagebook.run.history import past_runs

    known = past_runs(ran.file.parent / ".stagebook", "flights.ipynb")
    assert [run["id"] for run in known] == [run["id"] for run in server.get("runs", path=ran.path)["runs"]]
    assert known[-1]["parameters"] == {"depth": 3, "hf_token": ""}


def test_following_goes_on_where_it_was(server, ran):
    job = ran.done[0]["job"]
    whole = server.follow(job, path=ran.path)
    third = whole[2][0]
    assert server.follow(job, path=ran.path, after=third) == whole[3:]
    assert server.ask("GET", f"jobs/{job}/events", path=ran.path, after=third).body.count(b"id: ") == len(whole) - 4


def test_the_log_of_a_run_has_its_cells_and_why_it_failed(server, ran):
    run = ran.failed[2]["run"]
    found = server.get(f"runs/{run}", path=ran.path)
    assert [(one["stage"], one["cell"]["number"], one["failed"]) for one in found["log"]] == [
        ("load", 3, False),
        ("train", 4, False),
        ("report", 5, True),
    ]
    assert found["log"][0]["text"] == "loaded 3"
    (failure,) = found["failures"]
    assert failure["cell"] == {"id": "id-4", "index": 4, "number": 5}
    assert (failure["line"], failure["name"], failure["message"]) == (3, "ValueError", "too deep")
    assert "raise ValueError('too deep')" in failure["traceback"]
    assert "\x1b" not in failure["traceback"]


def test_the_list_has_what_differs_and_metrics(server, ran):
    found = server.get("runs", path=ran.path)
    assert [run["state"] for run in found["runs"]] == ["failed", "done"]
    assert (found["metrics"], found["parameters"]) == (["score"], ["depth", "hf_token"])
    assert [run["metrics"]["score"] for run in found["runs"]] == [2.2, 0.6]
    assert found["mlflow"]["url"] is None


def test_two_runs_stand_side_by_side(server, ran):
    ids = [run["id"] for run in server.get("runs", path=ran.path)["runs"]]
    sections = server.get("compare", path=ran.path, run=[ids[1], ids[0]])["sections"]
    assert sections[0]["heads"] == ["run", ids[1], ids[0]]
    assert ["depth", "3", "11"] in next(one["rows"] for one in sections if one["title"] == "Parameters")


def test_the_output_notebook_is_given_and_shown_in_a_sandbox(server, ran):
    run = server.get("runs", path=ran.path)["runs"][1]
    model = server.get(f"runs/{run['id']}/notebook", path=ran.path)
    assert model["content"]["cells"][-1]["outputs"]
    assert not model["writable"]
    assert model["path"] == run["output"] == f"demo/.stagebook/runs/{run['id']}/flights.ipynb"
    page = server.ask("GET", run["page"], path=ran.path)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "sandbox" in page.headers["Content-Security-Policy"]
    assert b"doubled" in page.body


def test_values_and_pictures_of_a_stage(server, ran):
    found = server.get("values", path=ran.path, stage="load", run=ran.done[2]["run"])
    assert found["values"] == [{"name": "rows", "type": "list", "about": "3 long", "text": "[0, 1, 2]"}]
    assert server.get("figures", path=ran.path, stage="load")["figures"] == []
    wrong = server.ask("GET", "values", path=ran.path, stage="lode")
    assert wrong.status == 400
    assert "Did you mean `load`?" in wrong.facts["message"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"parameters": {"deep": "1"}}, "Did you mean `depth`?"),
        ({"parameters": {"depth": "many"}}, "depth"),
        ({"only": "trian"}, "Did you mean `train`?"),
        ({"secrets": {"depth": "1"}}, "is not secret"),
        ({"secrets": {"ld_preload": "evil.so"}}, "ld_preload"),
        ({"parameters": {"hf_token": "x"}}, "Give it as a secret"),
        ({"verb": "rm"}, "verb"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_starts(server, ran, asked, told):
    before = len(server.get("jobs", path=ran.path)["jobs"])
    answer = server.ask("POST", "jobs", {"path": ran.path, "verb": "run", **asked})
    assert answer.status == 400
    assert told in answer.facts["message"]
    assert "Traceback" not in answer.facts["message"]
    assert len(server.get("jobs", path=ran.path)["jobs"]) == before


def test_a_secret_reaches_the_run_and_is_written_nowhere(server, ran):
    job = ran.failed[0]
    assert job["words"][1:] == ["flights.ipynb", "-p", "depth", "11", "--secret", "hf_token", "--no-track"]
    values = server.get("values", path=ran.path, stage="load", run=ran.failed[2]["run"])["values"]
    assert values[0]["text"] == f"[{len(SECRET)}, 1, 2]"
    kept = [path for path in server.root.rglob("*") if path.is_file()]
    assert [path for path in kept if SECRET.encode() in path.read_bytes()] == []
    assert SECRET not in server.log()


def test_a_run_goes_on_when_the_server_is_killed_and_is_cancelled_by_another(server):
    path, folder = "left/notebook.ipynb", server.root / "left"
    folder.mkdir()
    written(folder, WAITS)
    job = server.post("jobs", {"path": path, "verb": "run", "track": False}, status=201)
    again = server.ask("POST", "jobs", {"path": path, "verb": "run", "track": False})
    assert again.status == 409
    events = folder / ".stagebook/jobs" / job["job"] / "events.jsonl"
    wait_for(lambda: '"stage": "second"' in events.read_text())
    server.kill()
    server.start()
    (found,) = server.get("jobs", path=path)["jobs"]
    assert found["running"]
    assert found["run"] == json.loads(events.read_text().splitlines()[0])["run"]
    assert server.get(f"runs/{found['run']}", path=path)["state"] == "running"
    assert server.ask("DELETE", f"jobs/{job['job']}", path=path).status == 202
    *told, (_, end) = server.follow(job["job"], path=path)
    assert end["state"] == "interrupted"
    assert [event["state"] for _, event in told if event["event"] == "StageFinished"] == ["done", "interrupted"]
    assert (folder / ".stagebook/.gitignore").read_text() == "*\n"


def wait_for(condition):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to pass")
