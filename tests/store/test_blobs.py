"""The store's floor: blobs under their digest, records under their name, and nothing half-written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stagebook.errors import CorruptBlobError, StagebookError, StoreError
from stagebook.store.blobs import Store
from stagebook.store.digests import digest_of, digest_of_file, digest_of_json
from stagebook.store.sinks import HashingSink


def blob_files(store: Store) -> list[Path]:
    return sorted(path for path in (store.root / "blobs").rglob("*") if path.is_file())


def start_python(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=300))
def test_what_was_put_comes_back_under_its_digest(store, content):
    digest = store.put(content)
    assert digest == digest_of(content)
    assert store.has(digest)
    assert store.get(digest) == content
    assert store.verified_path(digest).read_bytes() == content


def test_equal_content_is_kept_once(store, tmp_path):
    first = store.put(b"same")
    second = store.put(b"same")
    third = store.put_file(lambda path: bool(path.write_bytes(b"same")))
    assert first == second == third
    assert len(blob_files(store)) == 1


def test_a_file_that_its_writer_gives_up_is_not_kept(store):
    assert store.put_file(lambda path: bool(path.write_bytes(b"half")) and False) is None
    assert not (store.root / "blobs").exists()
    assert list((store.root / "tmp").iterdir()) == []


@pytest.mark.parametrize("lengths", [(), (0,), (5, 0, 7), (1 << 20, 3), (5 << 20, 1, 9 << 20), (3, 4 << 20)])
def test_what_is_digested_while_it_is_written_has_its_files_digest(store, lengths):
    parts = [bytes([number + 1]) * length for number, length in enumerate(lengths)]

    def write(sink: HashingSink) -> bool:
        for part in parts:
            assert sink.write(memoryview(part)) == len(part)
        return sink.tell() == sum(lengths)

    digest = store.put_stream(write)
    assert digest == digest_of(b"".join(parts)) == digest_of_file(store.blob_path(digest))
    assert bytes(store.verified_memory(digest)) == store.get(digest) == b"".join(parts)


def test_nothing_is_left_of_a_stream_that_is_given_up_or_raises(store):
    assert store.put_stream(lambda sink: sink.write(b"half") == 0) is None

    def write(sink: HashingSink) -> bool:
        sink.write(bytes(5 << 20))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store.put_stream(write)
    assert not (store.root / "blobs").exists()
    assert list((store.root / "tmp").iterdir()) == []


def test_nothing_is_left_of_a_writer_that_raises(store):
    def write(path: Path) -> bool:
        path.write_bytes(b"half")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store.put_file(write)
    assert not (store.root / "blobs").exists()
    assert list((store.root / "tmp").iterdir()) == []


def test_a_store_hides_itself_from_git(store):
    store.put(b"x")
    assert (store.root / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("damage", [b"", b"sho", b"Short and long"], ids=["emptied", "truncated", "same length"])
def test_a_damaged_blob_is_found_out_and_named(store, damage):
    digest = store.put(b"short and long")
    store.blob_path(digest).write_bytes(damage)
    for read in (store.get, store.verified_path, store.verified_memory):
        with pytest.raises(CorruptBlobError, match=f"{digest}.*damaged: its content has changed"):
            read(digest)


def test_putting_the_content_again_mends_a_damaged_blob(store):
    digest = store.put(b"content")
    store.blob_path(digest).write_bytes(b"dontent")
    assert store.put(b"content") == digest
    assert store.get(digest) == b"content"


def test_a_missing_blob_is_named(store):
    digest = digest_of(b"never put")
    assert not store.has(digest)
    for read in (store.get, store.verified_path, store.verified_memory):
        with pytest.raises(CorruptBlobError, match=f"has lost the blob {digest}"):
            read(digest)


def test_a_store_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("in the way")
    store = Store(tmp_path / "file" / "store")
    writes = {
        "put": lambda: store.put(b"x"),
        "put_file": lambda: store.put_file(lambda path: bool(path.write_bytes(b"x"))),
        "put_record": lambda: store.put_record("results/a", {}),
    }
    for write in writes.values():
        with pytest.raises(StoreError, match=f"The store {store.root} cannot be written: Not a directory"):
            write()


def test_a_store_that_cannot_be_there_is_empty(tmp_path):
    (tmp_path / "file").write_text("in the way")
    store = Store(tmp_path / "file" / "store")
    assert store.record("results/a") is None
    assert list(store.records("results")) == []
    with pytest.raises(CorruptBlobError, match="has lost"):
        store.get(digest_of(b"x"))


def test_a_blob_that_cannot_be_read_is_a_store_error(store):
    digest = digest_of(b"x")
    store.blob_path(digest).mkdir(parents=True)
    for read in (store.get, store.verified_path):
        with pytest.raises(StagebookError, match="cannot be read: Is a directory"):
            read(digest)


WRITE_SLOWLY = """
import sys, time
from pathlib import Path
from stagebook.store.blobs import Store
def write(path):
    with path.open("wb") as file:
        file.write(b"first half")
        file.flush()
        print("half", flush=True)
        time.sleep(60)
Store(Path(sys.argv[1])).put_file(write)
"""


def test_a_writer_killed_half_way_leaves_nothing_to_see(store):
    writer = start_python(WRITE_SLOWLY, store.root)
    assert writer.stdout is not None
    with writer:
        assert writer.stdout.readline() == "half\n"
        writer.send_signal(signal.SIGKILL)
    assert not (store.root / "blobs").exists()
    digest = store.put(b"first half")
    assert store.get(digest) == b"first half"


WRITE_MANY = """
import sys
from pathlib import Path
from stagebook.store.blobs import Store
store = Store(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(100000):
    store.put(b"%d" % number * 2000)
    store.put_record("results/last", {"number": number, "filler": "x" * 5000})
"""


def test_at_whatever_moment_a_writer_is_killed_all_that_is_visible_is_whole(store):
    for pause in (0.0, 0.01, 0.03):
        writer = start_python(WRITE_MANY, store.root)
        assert writer.stdout is not None
        with writer:
            writer.stdout.readline()
            time.sleep(pause)
            writer.kill()
        for path in blob_files(store):
            assert digest_of_file(path) == path.parent.name + path.name
        for path in (store.root / "records").rglob("*.json"):
            assert len(json.loads(path.read_text())["filler"]) == 5000


WRITE_SHARED_AND_OWN = """
import sys
from pathlib import Path
from stagebook.store.blobs import Store
store = Store(Path(sys.argv[1]))
for number in range(60):
    store.put(b"shared %d" % number * 500)
    store.put_file(lambda path: bool(path.write_bytes(b"shared file %d" % number)))
    store.put(f"{sys.argv[2]} {number}".encode())
    store.put_record("results/shared", {"writer": sys.argv[2]})
    assert store.record("results/shared")["writer"] in "abc"
"""


def test_processes_can_write_the_same_and_different_blobs_at_once(store):
    writers = [start_python(WRITE_SHARED_AND_OWN, store.root, name) for name in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.close()
    files = blob_files(store)
    assert len(files) == 60 + 60 + 3 * 60
    assert all(digest_of_file(path) == path.parent.name + path.name for path in files)
    assert list((store.root / "tmp").iterdir()) == []


def test_records_come_newest_first(store):
    for position, name in enumerate(["b", "a", "c"]):
        store.put_record(f"results/key/{name}", {"name": name})
        os.utime(store.root / "records" / "results" / "key" / f"{name}.json", (position, position))
    assert [record["name"] for _, record in store.records("results/key")] == ["c", "a", "b"]
    store.put_record("results/key/b", {"name": "b again"})
    assert [record["name"] for _, record in store.records("results/key")] == ["b again", "c", "a"]


@pytest.mark.parametrize("damage", [b"", b'{"name": "x', b"\xff\xfe\x00", b"null"])
def test_a_damaged_record_is_as_good_as_none(store, damage):
    store.put_record("results/key/good", {"name": "good"})
    store.put_record("results/key/bad", {"name": "bad"})
    (store.root / "records" / "results" / "key" / "bad.json").write_bytes(damage)
    assert store.record("results/key/bad") is None
    assert list(store.records("results/key")) == [("results/key/good", {"name": "good"})]


def test_an_unknown_record_is_none_and_an_unknown_folder_empty(store):
    assert store.record("results/key/none") is None
    assert list(store.records("results/key")) == []


def test_digests_tell_kinds_apart_and_do_not_care_for_the_order_of_keys():
    values = [1, 1.0, "1", True, None, "None", [], {}, ["1"], {"a": 1}, {"a": "1"}]
    assert len({digest_of_json(value) for value in values}) == len(values)
    assert digest_of_json({"a": 1, "b": 2}) == digest_of_json({"b": 2, "a": 1})


def test_a_files_digest_is_that_of_its_content(tmp_path):
    for content in (b"", b"x", b"long" * 100_000):
        (tmp_path / "file").write_bytes(content)
        assert digest_of_file(tmp_path / "file") == digest_of(content) == digest_of(content[:3], content[3:])
