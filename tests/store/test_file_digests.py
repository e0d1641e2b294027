"""A file that was not touched is not read again; one that was is, whatever it looks like."""

from __future__ import annotations

import os
import time

import pytest

from stagebook.store.digests import digest_of, digest_of_file
from stagebook.store.file_digests import FileDigests


class Reader:
    """Digests files and counts how often it reads one."""

    def __init__(self):
        self.reads = 0

    def __call__(self, path):
        self.reads += 1
        return digest_of_file(path)


@pytest.fixture
def reader():
    return Reader()


@pytest.fixture
def digests(tmp_path, reader):
    """To be called for what a new process has."""
    return lambda **options: FileDigests(tmp_path / "memory", compute=reader, **options)


@pytest.fixture(scope="module")
def settled(tmp_path_factory):
    """Files that nobody has touched for more than two seconds."""
    folder = tmp_path_factory.mktemp("data")
    files = [folder / f"{number}.csv" for number in range(8)]
    for file in files:
        file.write_bytes(b"content")
    until = time.time() + 2.1
    while time.time() < until:
        time.sleep(0.1)
    return files


def test_an_untouched_file_is_read_once_by_all_processes(digests, reader, settled):
    for _ in range(3):
        memory = digests()
        assert memory.digest(settled[0]) == memory.digest(settled[0]) == digest_of(b"content")
        memory.save()
    assert reader.reads == 1


def test_a_file_written_just_now_is_read_each_time(digests, reader, tmp_path):
    path = tmp_path / "new.csv"
    path.write_bytes(b"content")
    for _ in range(2):
        memory = digests()
        assert memory.digest(path) == digest_of(b"content")
        memory.save()
    assert reader.reads == 2


def test_an_edit_of_the_same_size_within_the_same_second_is_noticed(digests, tmp_path):
    path = tmp_path / "new.csv"
    path.write_bytes(b"content")
    state = path.stat()
    memory = digests()
    memory.digest(path)
    path.write_bytes(b"c0ntent")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert memory.digest(path) == digest_of(b"c0ntent")


def test_an_edit_that_hides_behind_the_old_size_and_time_is_noticed(digests, settled):
    path = settled[1]
    state = path.stat()
    memory = digests()
    memory.digest(path)
    memory.save()
    path.write_bytes(b"c0ntent")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert digests().digest(path) == memory.digest(path) == digest_of(b"c0ntent")


def test_another_file_moved_into_its_place_is_noticed(digests, settled):
    memory = digests()
    memory.digest(settled[2])
    settled[3].write_bytes(b"c0ntent")
    settled[3].replace(settled[2])
    assert memory.digest(settled[2]) == digest_of(b"c0ntent")


def test_a_touched_file_is_read_again_and_is_the_same(digests, reader, settled):
    memory = digests()
    before = memory.digest(settled[4])
    settled[4].touch()
    assert memory.digest(settled[4]) == before
    assert reader.reads == 2


def test_what_is_no_file_has_no_digest(digests, tmp_path):
    assert digests().digest(tmp_path) is None
    assert digests().digest(tmp_path / "none") is None
    assert digests().digest(tmp_path / "no\0name") is None


def test_only_the_files_asked_for_last_are_remembered(digests, reader, settled):
    memory = digests(limit=2)
    for path in settled[5:8]:
        memory.digest(path)
    memory.save()
    again = digests()
    for path in (settled[6], settled[7], settled[5]):
        again.digest(path)
    assert reader.reads == 4


@pytest.mark.parametrize(
    "change", [lambda text: text.replace("content", "forged"), lambda text: text[:9], lambda _: "[]"]
)
def test_a_memory_that_was_changed_is_not_believed(digests, reader, settled, tmp_path, change):
    memory = digests()
    memory.digest(settled[5])
    memory.save()
    file = tmp_path / "memory/file-digests.json"
    file.write_text(change(file.read_text().replace(digest_of(b"content"), "content")))
    assert digests().digest(settled[5]) == digest_of(b"content")
    assert reader.reads == 2
