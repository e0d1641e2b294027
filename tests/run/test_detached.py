"""Jobs are found by what they leave on disk, and the old ones are forgotten."""

from __future__ import annotations

import json
import os
import platform
import time

import psutil
import pytest
from tests.notebooks_factory import written

from stagebook.errors import UsageError
from stagebook.run import detached
from stagebook.run.detached import EventLines, cancel_job, is_running, job_now, job_of, jobs_of, start_job

HERE = (os.getpid(), psutil.Process().create_time())
GONE = (os.getpid(), 1.0)  # another process had this number
STARTED = '{"event": "RunStarted", "run": "R"}\n'


@pytest.fixture
def book(tmp_path):
    return written(tmp_path, [("stage:a", "x = 1")])


def left(book, name, *, process=GONE, events="", errors="", notebook="notebook.ipynb", machine=None):
    """What a job has left."""
    folder = book.parent / ".stagebook/jobs" / name
    folder.mkdir(parents=True)
    facts = {"notebook": notebook, "words": ["run"], "started": "", "process": process}
    (folder / "job.json").write_text(json.dumps({**facts, "machine": machine or platform.node()}))
    (folder / "events.jsonl").write_text(events)
    (folder / "errors.txt").write_text(errors)
    return job_of(book, name)


@pytest.mark.parametrize(
    ("left_behind", "state", "told"),
    [
        ({"process": HERE, "events": STARTED}, "running", ""),
        ({"events": STARTED + '{"event": "RunFinished", "state": "rejected"}\n'}, "rejected", ""),
        ({"errors": "stagebook: There is no stage `b`."}, "refused", "There is no stage"),
        ({}, "died", "run it again to go on"),
        ({"events": STARTED, "errors": "Killed"}, "died", "Killed"),
        ({"events": STARTED, "machine": "elsewhere"}, "running", ""),
        ({"events": STARTED + '{"event": "RunFinished", "state": "done"}\n', "machine": "elsewhere"}, "done", ""),
    ],
)
def test_how_a_job_stands_is_read_from_its_process_and_its_files(book, left_behind, state, told):
    now = job_now(left(book, "1", **left_behind))
    assert now.state == state
    assert told in now.errors


def test_a_job_that_was_cancelled_before_it_said_anything_was_interrupted(book):
    job = left(book, "1")
    (job.folder / "cancelled").touch()
    assert job_now(job).state == "interrupted"


def test_jobs_of_another_notebook_and_odd_folders_are_left_out(book):
    left(book, "1")
    left(book, "2")
    left(book, "3", notebook="other.ipynb")
    (book.parent / ".stagebook/jobs/4").mkdir()
    assert [job.id for job in jobs_of(book)] == ["2", "1"]


def test_events_come_line_by_line_as_they_are_finished(book):
    job = left(book, "1", events=STARTED + "said by a library\n" + '{"event": "Notice", "mess')
    lines = EventLines(job)
    assert [(number, event["event"]) for number, event in lines.new()] == [(1, "RunStarted")]
    assert lines.new() == []
    with job.events.open("a") as file:
        file.write('age": "x"}\n')
    assert [number for number, _ in lines.new()] == [3]
    assert [number for number, _ in EventLines(job, after=1).new()] == [3]


def test_events_longer_than_what_is_read_at_once_come_whole(book, monkeypatch):
    monkeypatch.setattr(detached, "_MOST_READ", 64)
    notice = json.dumps({"event": "Notice", "message": "x" * 500}) + "\n"
    lines = EventLines(left(book, "1", events=STARTED + notice + STARTED))
    found = []
    while new := lines.new():
        found += new
    assert [number for number, _ in found] == [1, 2, 3]


def test_a_run_elsewhere_cannot_be_ended_here(book):
    with pytest.raises(UsageError, match="goes on on elsewhere"):
        cancel_job(left(book, "1", machine="elsewhere"))


def test_the_last_jobs_are_kept_and_those_that_go_on(book, monkeypatch):
    monkeypatch.setattr(detached, "_KEPT", 2)
    left(book, "0", process=HERE)
    for name in "123":
        left(book, name)
    (book.parent / ".stagebook/jobs/00").mkdir()
    job = start_job(book, ["run", "nothing.ipynb"], environment={})
    assert {one.id for one in jobs_of(book)} == {"0", "2", "3", job.id}
    assert (book.parent / ".stagebook/jobs/00").is_dir()  # it may have been begun just now
    while is_running(job):
        time.sleep(0.05)
    assert job_now(job).state == "refused"
    assert "There is no notebook at nothing.ipynb" in job_now(job).errors
