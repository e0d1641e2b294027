"""Codecs and other plug-ins are found by their name, a third party's through its entry point."""

from __future__ import annotations

import pytest

from stagebook import registry
from stagebook.errors import UsageError
from stagebook.registry import names, plugin
from stagebook.run.runners.local import LocalRunner
from stagebook.store.blobs import Store
from stagebook.store.codecs.array import ArrayCodec
from stagebook.store.codecs.frame import FrameCodec
from stagebook.store.values import keep, load

CODEC = """
class NoteCodec:
    name = "note"
    def handles(self, kind): return kind.__name__ == "Note"
    def write(self, value, path): return bool(path.write_text(value))
    def read(self, path): return path.read_text()
codec = NoteCodec()
"""


@pytest.fixture
def third_party(tmp_path, monkeypatch):
    """An installed package with a codec and a runner, as its installer leaves it."""
    (tmp_path / "notes_codec.py").write_text(CODEC)
    info = tmp_path / "notes-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: notes\nVersion: 1.0\n")
    codecs = "[stagebook.codec]\nnote = notes_codec:codec\nframe = notes_codec:codec\n"
    (info / "entry_points.txt").write_text(f"{codecs}[stagebook.runner]\nfar = builtins:int\n")
    monkeypatch.syspath_prepend(tmp_path)
    registry._others.cache_clear()
    yield
    registry._others.cache_clear()


class Note(str):
    """What the third party's codec handles."""

    __slots__ = ()


def test_the_codecs_that_values_are_kept_with_are_there():
    assert [plugin("codec", name).name for name in names("codec")] == ["array", "frame"]
    assert isinstance(plugin("codec", "frame"), FrameCodec)
    assert isinstance(plugin("codec", "array"), ArrayCodec)


def test_a_runner_is_found_by_its_name():
    assert plugin("runner", "local") is LocalRunner


def test_a_third_partys_codec_is_found_through_its_entry_point(third_party, tmp_path):
    codec = plugin("codec", "note")
    assert codec.write("text", tmp_path / "file")
    assert codec.read(tmp_path / "file") == "text"


def test_values_are_kept_with_a_third_partys_codec(third_party, tmp_path):
    store = Store(tmp_path / "store")
    kept = keep({"note": Note("text")}, store, namespace={}, setup={})
    assert [path.read_bytes() for path in (tmp_path / "store/blobs").rglob("*") if path.is_file()].count(b"text") == 1
    assert load(kept.refs.values(), store, namespace={}) == {"note": "text"}


def test_a_third_party_cannot_take_the_place_of_a_built_in_one(third_party):
    assert isinstance(plugin("codec", "frame"), FrameCodec)


def test_entry_points_of_one_kind_are_not_those_of_another(third_party):
    with pytest.raises(UsageError, match=r"There is no runner `note`\. There is: `dask`, `far`, `local`, `prefect`\."):
        plugin("runner", "note")


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("codec", "frames", "There is no codec `frames`. Did you mean `frame`?"),
        ("codec", "arrray", "There is no codec `arrray`. Did you mean `array`?"),
        ("runner", "locla", "There is no runner `locla`. Did you mean `local`?"),
        ("codec", "zzz", "There is no codec `zzz`. There is: `array`, `frame`."),
    ],
)
def test_an_unknown_name_is_answered_with_the_closest_one(kind, name, message):
    with pytest.raises(UsageError) as raised:
        plugin(kind, name)
    assert str(raised.value) == message


def test_an_unknown_name_may_be_close_to_a_third_partys(third_party):
    with pytest.raises(UsageError, match="Did you mean `note`?"):
        plugin("codec", "notes")
