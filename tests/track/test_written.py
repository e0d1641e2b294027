"""Files that stages declare in `writes` are artifacts of the stages' runs, as each stage left them."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow import MlflowClient
from notebooks_factory import written

from stagebook.run.api import run_notebook
from stagebook.run.written import LARGEST, keep_written, written_files
from stagebook.store.digests import digest_of
from stagebook.track.files import artifact_name, artifact_names

MAKE = """\
%%stage make writes=model.txt,out/table.csv,../beside.txt
import pathlib
pathlib.Path("model.txt").write_text("one")
pathlib.Path("out").mkdir(exist_ok=True)
pathlib.Path("out/table.csv").write_text("1,2")
pathlib.Path("../beside.txt").write_text("beside")
pathlib.Path("undeclared.txt").write_text("mine")
model = 1"""
CHANGE = """\
%%stage change writes=model.txt
with open("model.txt", "r+") as file:
    file.write("two")
print(model)"""
LARGE = f"""\
%%stage large writes=large.bin
with open("large.bin", "wb") as file:
    file.truncate({LARGEST + 1})"""
BAD = """\
%%stage bad writes=half.txt
open("half.txt", "w").write("half")
1 / 0"""
PLAIN = """\
%%stage plain writes=plain.txt
open("plain.txt", "w").write("plain")"""
CELLS = [("", MAKE), ("", CHANGE), ("", LARGE), ("", BAD), ("", PLAIN)]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Two runs of a notebook, the second of which reuses what the first has made: MLflow, and their stages' runs."""
    from recording import record_in_this_process

    folder = tmp_path_factory.mktemp("recorded") / "notebooks"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        record_in_this_process(patch)
        path = written(folder, CELLS)
        runs = [run_notebook(path), run_notebook(path)]
    client = MlflowClient(f"sqlite:///{folder}/.stagebook/mlflow.db")
    return folder, client, [stages_of(client, run) for run in runs]


def stages_of(client, run):
    experiment = client.get_experiment_by_name("notebook").experiment_id
    [parent] = client.search_runs([experiment], filter_string=f"tags.`stagebook.run` = '{run.id}'")
    found = client.search_runs([experiment], filter_string=f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
    return {one.data.tags["stagebook.stage"]: one for one in found}


def contents(recorded, stage, folder="files"):
    """The artifacts of a stage's run, by name, with what is in them."""
    home, client, _ = recorded
    found = {}
    for one in client.list_artifacts(stage.info.run_id, folder):
        if one.is_dir:
            found |= contents(recorded, stage, one.path)
        else:
            found[one.path] = Path(client.download_artifacts(stage.info.run_id, one.path, str(home))).read_text()
    return found


def test_each_stage_has_its_files_as_it_left_them_though_a_later_one_writes_in_place(recorded):
    _, _, (stages, _) = recorded
    assert contents(recorded, stages["make"]) == {
        "files/model.txt": "one",
        "files/out/table.csv": "1,2",
        "files/_up/beside.txt": "beside",
    }
    assert contents(recorded, stages["change"]) == {"files/model.txt": "two"}


def test_a_large_file_is_named_with_its_digest_and_size(recorded):
    _, _, (stages, _) = recorded
    assert contents(recorded, stages["large"]) == {}
    digest = digest_of(bytes(LARGEST + 1))
    told = f"{digest}, 100000001 bytes; not kept, as it is larger than 100 MB"
    assert stages["large"].data.tags["stagebook.file.files/large.bin"] == told


def test_nothing_is_taken_of_a_stage_that_failed(recorded):
    _, _, (stages, _) = recorded
    assert stages["bad"].info.status == "FAILED"
    assert contents(recorded, stages["bad"]) == {}


def test_a_reused_stage_has_them_in_the_run_that_made_them(recorded):
    _, _, (first, second) = recorded
    assert second["plain"].data.tags["stagebook.state"] == "reused"
    assert contents(recorded, second["plain"]) == {}
    assert second["plain"].data.tags["stagebook.origin"]
    assert contents(recorded, first["plain"]) == {"files/plain.txt": "plain"}


def test_the_copies_are_gone_once_they_are_recorded(recorded):
    folder, *_ = recorded
    assert list((folder / ".stagebook/unrecorded").glob("[!.]*")) == []


def test_a_file_that_is_another_by_now_is_not_taken_for_what_the_stage_left(tmp_path):
    (tmp_path / "model.txt").write_text("of another program")
    keep_written(tmp_path / "kept", "make", {"model.txt": digest_of(b"one")}, base=tmp_path)
    [(stage, [file])] = written_files(tmp_path / "kept")
    assert (stage, file.copy, file.why) == ("make", None, "it was written to again before it could be copied")


def test_what_a_stage_left_the_first_time_goes_when_it_runs_again(tmp_path):
    for text in ("one", "two"):
        (tmp_path / "model.txt").write_text(text)
        keep_written(tmp_path / "kept", "make", {"model.txt": digest_of(text.encode())}, base=tmp_path)
        (tmp_path / "model.txt").write_text("later")
    [(_, [file])] = written_files(tmp_path / "kept")
    assert file.copy.read_text() == "two"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("model.bin", "files/model.bin"),
        ("./out/a b.csv", "files/out/a b.csv"),
        ("out/../model.bin", "files/model.bin"),
        ("../../etc/passwd", "files/_up/_up/etc/passwd"),
        ("a/../../b", "files/_up/b"),
        ("/srv/models/m.bin", "files/srv/models/m.bin"),
        ("größe/100%?#.txt", "files/größe/100___.txt"),
    ],
)
def test_a_file_is_called_by_its_path_which_leads_nowhere_else(path, name):
    assert str(artifact_name(path)) == name


def test_files_of_one_name_are_told_apart():
    assert [str(name) for name in artifact_names(["a?.txt", "a#.txt", "a%.txt"])] == [
        "files/a_.txt",
        "files/a_-2.txt",
        "files/a_-3.txt",
    ]
