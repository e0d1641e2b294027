"""What an exporter made is written whole, and over nothing that somebody has edited since."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stagebook.errors import StagebookError
from stagebook.export.writing import MANIFEST, EditedError, states, write

FILES = {"a.py": b"a = 1\n", "conf/b.yml": b"b: 1\n"}


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def put(out, files, **more):
    return {one.path: one.state for one in write(files, out, exporter="one", **more)}


def contents(out):
    return {one.relative_to(out).as_posix(): one.read_bytes() for one in out.rglob("*") if one.is_file()}


def test_files_are_written_with_a_list_of_them_beside(out):
    assert put(out, FILES) == {"a.py": "new", "conf/b.yml": "new"}
    found = contents(out)
    assert json.loads(found.pop(MANIFEST))["files"]["one"].keys() == FILES.keys()
    assert found == FILES


def test_what_would_be_written_is_told_and_nothing_is(out):
    assert [one.state for one in states(FILES, out, exporter="one")] == ["new", "new"]
    assert not out.exists()


def test_a_second_time_what_is_the_same_stays_and_what_is_no_more_goes(out):
    put(out, FILES)
    assert put(out, {"a.py": b"a = 2\n"}) == {"a.py": "changed", "conf/b.yml": "removed"}
    assert contents(out).keys() == {"a.py", MANIFEST}
    assert put(out, {"a.py": b"a = 2\n"}) == {"a.py": "unchanged"}


@pytest.mark.parametrize("known", [True, False])
def test_an_edited_file_stays_and_so_do_the_others(out, known):
    if known:
        put(out, FILES)
    (out / "conf").mkdir(parents=True, exist_ok=True)
    (out / "conf/b.yml").write_bytes(b"mine")
    before = contents(out)
    with pytest.raises(EditedError, match=r"conf/b.yml was not left as an export wrote it. Nothing is written") as told:
        put(out, {"a.py": b"a = 2\n", "conf/b.yml": b"b: 2\n"})
    assert told.value.paths == ("conf/b.yml",)
    assert contents(out) == before
    assert put(out, {"conf/b.yml": b"b: 2\n"}, overwrite=True)["conf/b.yml"] == "edited"
    assert contents(out)["conf/b.yml"] == b"b: 2\n"


def test_an_edited_file_that_is_made_no_more_stays(out):
    put(out, FILES)
    (out / "a.py").write_bytes(b"mine")
    assert put(out, {"conf/b.yml": b"b: 1\n"}) == {"conf/b.yml": "unchanged"}
    assert contents(out)["a.py"] == b"mine"


def test_an_edit_that_is_what_is_written_is_none(out):
    put(out, FILES)
    (out / "a.py").write_bytes(b"a = 2\n")
    assert put(out, {**FILES, "a.py": b"a = 2\n"})["a.py"] == "unchanged"


def test_exporters_share_a_folder(out):
    put(out, FILES)
    write({"c.txt": b"c"}, out, exporter="two")
    assert put(out, {}) == {"a.py": "removed", "conf/b.yml": "removed"}
    assert contents(out).keys() == {"c.txt", MANIFEST}


def test_a_crash_in_between_leaves_nothing_that_passes_for_edited(out, monkeypatch):
    put(out, FILES)
    real = Path.replace

    def failing(path, target):
        if Path(target).name == "b.yml":
            raise OSError(28, "No space left on device")
        return real(path, target)

    new = {"a.py": b"a = 2\n", "conf/b.yml": b"b: 2\n"}
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", failing)
        with pytest.raises(StagebookError, match="No space left"):
            put(out, new)
    assert not [name for name in contents(out) if name.endswith(".part")]
    assert put(out, new) == {"a.py": "unchanged", "conf/b.yml": "changed"}


def test_a_link_is_not_followed(out, tmp_path):
    theirs = tmp_path / "theirs.py"
    theirs.write_bytes(b"theirs")
    out.mkdir()
    (out / "a.py").symlink_to(theirs)
    with pytest.raises(StagebookError, match="leads elsewhere"):
        put(out, FILES, overwrite=True)
    assert theirs.read_bytes() == b"theirs"


def test_a_damaged_list_makes_files_pass_for_edited(out):
    put(out, FILES)
    (out / MANIFEST).write_text("{")
    with pytest.raises(EditedError):
        put(out, {**FILES, "a.py": b"a = 2\n"})


def test_a_folder_that_is_a_file_is_told(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(StagebookError, match="out"):
        put(tmp_path / "out", FILES)
