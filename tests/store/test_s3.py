"""A store on S3: what several write at once, and what becomes of it where the server or the way to it fails."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from s3 import serving

from stagebook.errors import StoreError
from stagebook.store.blobs import Store

pytest.importorskip("s3fs", reason="install it with `pip install 'stagebook[s3]'`")


@pytest.fixture(scope="module")
def running():
    with serving("bucket") as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_MAX_ATTEMPTS", "3")  # waits become longer each time
        yield server


@pytest.fixture
def server(running, tmp_path, monkeypatch):
    monkeypatch.setenv("STAGEBOOK_CACHE", str(tmp_path / "cache"))
    yield running
    running.fault = lambda *_: ""
    running.asked.clear()


@pytest.fixture
def store(server, request):
    return Store.at(f"s3://bucket/{request.node.name}")


@pytest.fixture
def another(store, tmp_path, monkeypatch):
    """To be called: the store, as a machine sees it that has no copies."""

    def see():
        monkeypatch.setenv("STAGEBOOK_CACHE", str(tmp_path / "another cache"))
        return Store.at(store.location)

    return see


def test_what_is_written_is_read_elsewhere(store, another):
    digest = store.put(b"content")
    store.put_record("results/a/1", {"x": 1})
    there = another()
    assert (there.get(digest), there.record("results/a/1"), there.record("results/b/1")) == (b"content", {"x": 1}, None)
    assert [name for name, _ in there.records("results/a")] == ["results/a/1"]
    there.remove("records/results/a/1.json")
    assert (store.record("results/a/1"), store.files("records")) == (None, [])


def test_many_write_the_same_and_nothing_is_torn_or_lost(server, store, another):
    contents = [bytes([number]) * 200_000 for number in range(6)]
    texts = {"x" * 50_000, "y" * 50_000}
    over = threading.Event()

    def write(text):
        mine = Store.at(store.location)
        digests = [mine.put(content) for content in contents]
        for number in range(6):
            mine.put_record("last/same", {"text": text})
            mine.put_record(f"results/{text[0]}/{number}", {"text": text})
        return digests

    def read():
        mine, seen = Store.at(store.location), set()
        while not over.is_set():
            found = mine.record("last/same")
            seen.add(found["text"] if found else None)
        return seen

    with ThreadPoolExecutor(5) as threads:
        reading = threads.submit(read)
        written = [one.result() for one in [threads.submit(write, text) for text in (*texts, *texts)]]
        over.set()
        assert reading.result() <= {None, *texts}
    there = another()
    assert [there.get(digest) for digest in written[0]] == contents
    assert written == [written[0]] * 4
    assert len(there.files("records/results")) == 12
    assert len(there.files("blobs")) == 6


@pytest.mark.parametrize("fault", ["500", "503", "drop"])
def test_what_fails_for_a_moment_is_tried_again(server, store, another, fault):
    asked = Counter()

    def first_time(*request):
        asked[request] += 1
        return fault if asked[request] == 1 else ""

    server.fault = first_time
    digest = store.put(b"content")
    store.put_record("a", {"x": 1})
    there = another()
    assert (there.has(digest), there.get(digest), there.record("a")) == (True, b"content", {"x": 1})
    assert len(there.files("blobs")) == 1
    assert asked.most_common(1)[0][1] > 1


def test_an_upload_that_dies_half_way_is_not_there(server, store, another):
    server.fault = lambda method, path: "half" if method == "PUT" and "/blobs/" in path else ""
    content = b"c" * 1_000_000
    with pytest.raises(StoreError, match=r"The store s3://bucket/.* cannot be written: .*"):
        store.put(content)
    server.fault = lambda *_: ""
    assert (store.files("blobs"), store.files("tmp")) == ([], [])
    digest = store.put(content)
    assert another().get(digest) == content


def test_parts_of_a_big_upload_are_not_taken_for_the_whole(server, store):
    def write(file):
        with file.open("wb") as opened:
            opened.truncate(101 * 2**20)
        return True

    parts = []

    def second_part(method, path):
        if method == "PUT" and "/blobs/" in path:
            parts.append(path)
        return "drop" if len(parts) > 1 and method == "PUT" else ""

    server.fault = second_part
    with pytest.raises(StoreError, match="cannot be written"):
        store.put_file(write)
    server.fault = lambda *_: ""
    assert len(parts) > 1
    assert store.files("blobs") == []


def test_a_damaged_copy_is_had_again_and_damage_on_the_server_is_told(server, store, another):
    digest = store.put(b"content")
    there = another()
    there.get(digest)
    there.blob_path(digest).write_bytes(b"cut off")
    assert there.get(digest) == b"content"
    name = next(key for key in server.keys("bucket") if store.location.rpartition("/")[2] in key)
    server.replace("bucket", name, b"cut off")
    there.blob_path(digest).unlink()
    with pytest.raises(StoreError, match="is damaged"):
        there.get(digest)


def test_no_bucket_and_no_credentials_are_told(server, monkeypatch):
    import s3fs

    with pytest.raises(StoreError, match="cannot be read: there is no bucket `none` \\(make it, or name another\\)"):
        Store.at("s3://none/prefix").files("blobs")
    with pytest.raises(StoreError, match="cannot be written: The specified bucket does not exist"):
        Store.at("s3://none/prefix").put(b"content")
    s3fs.S3FileSystem.clear_instance_cache()  # a connection remembers what it was opened with
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(StoreError, match="Unable to locate credentials \\(set AWS_ACCESS_KEY_ID and"):
        Store.at("s3://bucket/prefix").record("a")
    s3fs.S3FileSystem.clear_instance_cache()
