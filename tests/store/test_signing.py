"""What this user's runs did not put into the store is never unpickled; nobody else can have signed it."""

from __future__ import annotations

import io
import json
import pathlib
import pickle
import subprocess
import sys

import numpy as np
import pytest

from stagebook.errors import StoreError, UnsignedBlobError
from stagebook.signing import is_signed, key_file, made_key_file, signed
from stagebook.store.blobs import Store
from stagebook.store.manifests import is_loadable, manifest_name, put_bundle
from stagebook.store.values import ValueRef, load


class Trap:
    def __reduce__(self):
        return (pathlib.Path.touch, (pathlib.Path("sprung"),))


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    """A trap that springs leaves a file here."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_key_that_is_handed_to_another_process_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("STAGEBOOK_KEY_FILE", str(tmp_path / "new" / "key"))
    assert made_key_file().is_file()


@pytest.fixture
def another_key(tmp_path, monkeypatch):
    """What is called with it is signed by somebody else."""

    def called(function, *arguments):
        with monkeypatch.context() as patch:
            patch.setenv("STAGEBOOK_KEY_FILE", str(tmp_path / "another key"))
            return function(*arguments)

    return called


def reference(bundle):
    return ValueRef(bundle, "a", ("a",), "list")


def refused(store, bundle, cause):
    with pytest.raises(UnsignedBlobError, match=f"{bundle} in the store {store.root}.*{cause}.*not loaded.*made again"):
        load([reference(bundle)], store, namespace={})
    assert not is_loadable(store, bundle)


def test_a_forged_bundle_whose_name_is_its_right_digest_is_never_unpickled(store, in_folder):
    bundle = store.put(pickle.dumps({"a": Trap()}))
    refused(store, bundle, "is not signed")
    assert not (in_folder / "sprung").exists()


def test_the_trap_would_spring(store, in_folder):
    load([reference(put_bundle(store, pickle.dumps({"a": Trap()})))], store, namespace={})
    assert (in_folder / "sprung").exists()


def test_a_bundle_that_somebody_else_signed_is_never_unpickled(store, in_folder, another_key):
    bundle = another_key(put_bundle, store, pickle.dumps({"a": Trap()}))
    refused(store, bundle, "signed with another key")
    assert not (in_folder / "sprung").exists()


def test_a_manifest_does_not_sign_for_another_bundle(store, in_folder):
    good = put_bundle(store, pickle.dumps({"a": 1}))
    bad = store.put(pickle.dumps({"a": Trap()}))
    store.put_record(manifest_name(bad), store.record(manifest_name(good)))
    refused(store, bad, "its manifest was changed")
    assert not (in_folder / "sprung").exists()


def test_a_changed_manifest_is_refused(shelf):
    ref = shelf.keep(a=[1]).refs["a"]
    record = shelf.store.record(manifest_name(ref.bundle))
    shelf.store.put_record(manifest_name(ref.bundle), {**record, "parts": ["0" * 32]})
    refused(shelf.store, ref.bundle, "its manifest was changed")


@pytest.mark.parametrize("damage", ["", "[]", "null", "{}", '{"signature": 1}', '{"signature": "é"}', '{"parts": ['])
def test_a_damaged_manifest_is_refused(shelf, damage):
    ref = shelf.keep(a=[1]).refs["a"]
    (shelf.store.root / "records" / f"{manifest_name(ref.bundle)}.json").write_text(damage)
    refused(shelf.store, ref.bundle, "signed")


def test_a_part_that_the_manifest_does_not_name_is_not_read(store):
    part = store.put_file(lambda path: bool(np.save(path.open("wb"), np.arange(9)) or True))

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return ("blob", 0, "array", part) if value is Trap else None

    stream = io.BytesIO()
    Pickler(stream).dump({"a": Trap})
    with pytest.raises(UnsignedBlobError, match=f"{part}.*in no signed manifest"):
        load([reference(put_bundle(store, stream.getvalue()))], store, namespace={})
    bundle = put_bundle(store, stream.getvalue(), parts=[part])
    assert load([reference(bundle)], store, namespace={})["a"].sum() == 36


def test_what_was_kept_is_loadable_until_a_part_of_it_is_gone(shelf):
    ref = shelf.keep(a=np.arange(5000)).refs["a"]
    assert is_loadable(shelf.store, ref.bundle)
    (part,) = shelf.store.record(manifest_name(ref.bundle))["parts"]
    shelf.store.blob_path(part).unlink()
    assert not is_loadable(shelf.store, ref.bundle)


def test_a_signature_holds_for_this_record_under_this_name():
    record = signed("results/a/b", {"x": 1, "y": [0.1, None, "é"]})
    assert is_signed("results/a/b", json.loads(json.dumps(record)))
    assert not is_signed("results/a/c", record)
    assert not is_signed("results/a/b", {**record, "x": 1.0})
    assert not is_signed("results/a/b", {**record, "z": 1})
    assert not is_signed("results/a/b", {"x": 1})


class TestKey:
    @pytest.fixture
    def path(self, tmp_path, monkeypatch):
        path = tmp_path / "folder" / "key"
        monkeypatch.setenv("STAGEBOOK_KEY_FILE", str(path))
        return path

    def test_it_is_made_when_something_is_signed_and_only_its_owner_can_read_it(self, path):
        assert not is_signed("a", {"signature": "0"})
        assert not path.exists()
        record = signed("a", {})
        assert path.stat().st_mode & 0o777 == 0o600
        assert list(path.parent.iterdir()) == [path]
        assert len(bytes.fromhex(path.read_text())) == 32
        assert is_signed("a", record)

    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
    def test_one_that_others_can_read_or_write_is_refused(self, path, mode):
        path.parent.mkdir()
        path.write_text("0" * 64)
        path.chmod(mode)
        for use in (lambda: signed("a", {}), lambda: is_signed("a", {"signature": "0"})):
            with pytest.raises(
                StoreError, match=f"key {path} can be read by others .its mode is {mode:04o}.*Delete it"
            ):
                use()

    @pytest.mark.parametrize("text", ["", "0" * 63, "0" * 65, "x" * 64, "0" * 64 + "\n" + "0" * 64])
    def test_a_damaged_one_is_refused(self, path, text):
        path.parent.mkdir()
        path.write_text(text)
        path.chmod(0o600)
        with pytest.raises(StoreError, match=f"key {path} is damaged.*Delete it"):
            signed("a", {})

    def test_one_that_cannot_be_made_is_an_error_that_says_what_to_do(self, path):
        path.parent.write_text("in the way")
        with pytest.raises(StoreError, match=f"key {path} cannot be.*: "):
            signed("a", {})

    def test_processes_that_start_at_once_agree_on_one(self, path):
        code = "from stagebook.signing import signed; print(signed('a', {})['signature'])"
        started = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
        assert len({one.communicate()[0] for one in started}) == 1

    def test_it_is_in_the_users_own_directory(self, monkeypatch):
        monkeypatch.delenv("STAGEBOOK_KEY_FILE")
        assert key_file().is_relative_to(pathlib.Path.home())
        assert key_file().parent.name == "stagebook"


def test_a_store_that_moves_stays_signed(shelf, tmp_path):
    ref = shelf.keep(a=[1]).refs["a"]
    shelf.store.root.rename(tmp_path / "elsewhere")
    assert load([ref], Store(tmp_path / "elsewhere"), namespace={}) == {"a": [1]}
