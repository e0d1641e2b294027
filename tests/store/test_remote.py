"""A store on a server does what one in a folder does; its blobs are copied here once, to be mapped."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ftp import serving

from stagebook.errors import CorruptBlobError, StoreError, UsageError
from stagebook.store.blobs import Store
from stagebook.store.digests import digest_of
from stagebook.store.gathering import gather
from stagebook.store.values import keep, load


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The copies of this machine; to be emptied for being another one."""
    path = tmp_path / "cache"
    monkeypatch.setenv("STAGEBOOK_CACHE", str(path))
    return path


@pytest.fixture
def server(tmp_path):
    """The folder that is served, and its URL."""
    folder = tmp_path / "served"
    folder.mkdir()
    with serving(folder) as url:
        yield folder, url


@pytest.fixture
def remote(server):
    return Store.at(f"{server[1]}/deep/prefix")


@pytest.fixture
def kept(server):
    """The store's files on the server."""
    return server[0] / "deep/prefix"


def elsewhere(store, monkeypatch, tmp_path):
    """The same store, seen from a machine that has no copies."""
    monkeypatch.setenv("STAGEBOOK_CACHE", str(tmp_path / "another machine"))
    return Store.at(store.location)


def test_blobs_come_back_here_and_elsewhere(remote, monkeypatch, tmp_path):
    digest = remote.put(b"content")
    other = elsewhere(remote, monkeypatch, tmp_path)
    for store in (remote, other):
        assert store.has(digest)
        assert store.get(digest) == b"content"
        assert store.verified_path(digest).read_bytes() == b"content"
    assert not other.has(digest_of(b"other"))


def test_it_is_laid_out_as_a_local_one_and_nothing_is_left_unfinished(remote, kept):
    digest = remote.put(b"content")
    remote.put_record("results/a/b", {"x": 1})
    files = sorted(path.relative_to(kept).as_posix() for path in kept.rglob("*") if path.is_file())
    assert files == [f"blobs/{digest[:2]}/{digest[2:]}", "records/results/a/b.json"]
    assert sorted(file.name for file in remote.files("blobs")) == files[:1]
    assert sorted(file.name for file in remote.files("records")) == files[1:]


def test_a_blob_is_downloaded_once(remote, kept, monkeypatch, tmp_path):
    digest = remote.put(b"content")
    other = elsewhere(remote, monkeypatch, tmp_path)
    other.get(digest)
    (kept / "blobs" / digest[:2] / digest[2:]).unlink()
    assert other.get(digest) == b"content"
    assert not other.has(digest)


@pytest.mark.parametrize("damage", [b"", b"cont", b"c0ntent"], ids=["emptied", "truncated", "same length"])
def test_a_damaged_blob_is_found_out_and_mended_by_the_next_put(remote, kept, monkeypatch, tmp_path, damage):
    digest = remote.put(b"content")
    (kept / "blobs" / digest[:2] / digest[2:]).write_bytes(damage)
    other = elsewhere(remote, monkeypatch, tmp_path)
    for read in (other.get, other.verified_path):
        with pytest.raises(CorruptBlobError, match=f"{digest}.*damaged"):
            read(digest)
    remote.put(b"content")
    assert other.get(digest) == b"content"


def test_a_damaged_copy_is_downloaded_again(remote):
    digest = remote.put(b"content")
    remote.blob_path(digest).write_bytes(b"c0ntent")
    assert remote.verified_path(digest).read_bytes() == b"content"


def test_a_missing_blob_is_named(remote):
    with pytest.raises(CorruptBlobError, match="has lost the blob"):
        remote.get(digest_of(b"never put"))


def test_records_come_newest_first_and_damaged_ones_not_at_all(remote, kept):
    for position, name in enumerate(["b", "a", "c", "d"]):
        remote.put_record(f"results/key/{name}", {"name": name})
        os.utime(kept / f"records/results/key/{name}.json", (position, position))
    (kept / "records/results/key/d.json").write_text('{"name": ')
    assert [name for name, _ in remote.records("results/key")] == ["results/key/c", "results/key/a", "results/key/b"]
    assert remote.record("results/key/d") is None
    assert remote.record("results/key/unknown") is None
    assert list(remote.records("results/unknown")) == []


def test_files_tell_their_size_and_age(remote):
    digest = remote.put(b"content")
    [file] = remote.files("blobs")
    assert file.size == 7
    assert abs(file.modified - time.time()) < 60
    remote.remove(file.name)
    remote.remove(file.name)
    assert not remote.has(digest)
    assert remote.files("blobs") == []


def test_values_survive(remote, monkeypatch, tmp_path):
    frame = pd.DataFrame({"x": range(3000)})
    refs = keep({"frame": frame, "list": [frame], "array": np.arange(3000)}, remote, namespace={}, setup={}).refs
    refs |= gather([refs, refs], remote, names=["array"])
    loaded = load(refs.values(), elsewhere(remote, monkeypatch, tmp_path), namespace={})
    assert loaded["list"][0] is loaded["frame"]
    pd.testing.assert_frame_equal(loaded["frame"], frame)
    assert [array.sum() for array in loaded["array"]] == [np.arange(3000).sum()] * 2


def test_a_connection_that_broke_is_made_anew(remote):
    digest = remote.put(b"content")
    remote._folder._system.ftp.close()  # as a server does to one that is idle
    assert remote.has(digest)


def test_a_server_that_is_not_there_is_an_error_that_names_it_without_the_password():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    store = Store.at(f"ftp://somebody:secret@127.0.0.1:{port}/prefix")
    uses = {
        "read": [lambda: store.record("a"), lambda: store.has("ab" * 16), lambda: store.get("ab" * 16)],
        "written": [lambda: store.put(b"x"), lambda: store.put_record("a", {})],
    }
    for verb, calls in uses.items():
        for call in calls:
            told = (
                rf"The store ftp://somebody:\*\*\*@127.0.0.1:{port}/prefix cannot be {verb}: Connection refused .is the"
            )
            with pytest.raises(StoreError, match=told):
                call()


def test_a_wrong_password_is_an_error_that_says_so(server):
    store = Store.at(server[1].replace("secret", "guess"))
    with pytest.raises(StoreError, match="cannot be read: 530 Authentication failed"):
        store.record("a")


def test_an_unknown_file_system_names_the_closest():
    with pytest.raises(UsageError, match="no file system that is known: `ftpp`. Did you mean `ftp`?"):
        Store.at("ftpp://host/prefix")


def test_a_missing_package_is_named_with_the_command_that_installs_it():
    with pytest.raises(UsageError, match="needs the package ocifs. Install it with: python -m pip install ocifs"):
        Store.at("oci://bucket/prefix")


def test_a_file_url_is_a_folder(tmp_path):
    store = Store.at(f"file://{tmp_path}/folder")
    assert store.is_local
    assert store.root == tmp_path / "folder"
    assert Store.at("relative").root == Path.cwd() / "relative"


def test_object_stores_are_written_at_once():
    """fsspec's memory: file system stands for those of which a file is there whole or not at all."""
    store = Store.at("memory://bucket/prefix")
    digest = store.put(b"content")
    store.put_record("results/a/b", {"x": 1})
    assert store.has(digest)
    assert store.record("results/a/b") == {"x": 1}
    assert [file.name for file in store.files("")] == [f"blobs/{digest[:2]}/{digest[2:]}", "records/results/a/b.json"]
