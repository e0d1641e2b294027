"""A sealed folder is served by its manifest's digest, and what is not as it was sealed is not loaded."""

from __future__ import annotations

import pytest
from tests.image.story import stagebook

from stagebook.errors import StagebookError, UsageError
from stagebook.image.served import version_of
from stagebook.serve.sealing import sealed_in


@pytest.fixture(scope="module")
def version(story):
    return version_of("models:/story@champion", story.parent / ".stagebook")


@pytest.fixture
def folder(version, tmp_path):
    """The version's files, as an image has them."""
    for path, content in version.model.files.items():
        place = tmp_path / "sealed" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return tmp_path / "sealed"


def test_it_is_what_was_sealed(version, folder):
    found = sealed_in(folder, version.model.digest)
    assert (found.model, found.version, found.backend) == ("story", "1", "ONNX Runtime")
    assert found.example is not None


def test_same_version_is_sealed_under_the_same_digest(version, story):
    again = version_of("models:/story/1", story.parent / ".stagebook")
    assert again.model == version.model


def test_it_holds_no_place_of_this_machine(version, story):
    for path, content in version.model.files.items():
        assert str(story.parent).encode() not in content, path


@pytest.mark.parametrize("change", ["changed", "missing", "more", "link", "manifest"])
def test_what_is_not_as_it_was_is_not_loaded(version, folder, change):
    if change == "changed":
        (folder / "model.onnx").write_bytes(b"other")
    elif change == "missing":
        (folder / "model.onnx").unlink()
    elif change == "more":
        (folder / "model/code").mkdir()
        (folder / "model/code/numpy.py").write_text("")
    elif change == "link":
        (folder / "model/code").symlink_to("/tmp")
    else:
        (folder / "about.json").write_bytes(version.model.files["about.json"] + b" ")
    with pytest.raises(StagebookError, match="Nothing of it is loaded"):
        sealed_in(folder, version.model.digest)


def test_a_folder_without_a_manifest_is_named(tmp_path):
    with pytest.raises(UsageError, match="holds no model"):
        sealed_in(tmp_path, "0" * 32)


def test_command_refuses_another_digest(folder):
    done = stagebook("serve", "sealed", "--digest", "0" * 32, "--port", "0", folder=folder.parent)
    assert done.returncode == 2
    assert "is not what the digest" in done.stderr
    assert "Traceback" not in done.stderr


def test_command_scores_by_the_digest(version, folder):
    (folder.parent / "in.csv").write_text("a,b,c\n1,2,3\n0.5,-2,1\n")
    words = ["score", "--digest", version.model.digest, "sealed", "in.csv", "out.csv"]
    done = stagebook(*words, folder=folder.parent)
    assert done.returncode == 0, done.stderr
    assert "2 rows scored, by version 1 with ONNX Runtime" in " ".join(done.stdout.split())
    assert "prediction" in (folder.parent / "out.csv").read_text().splitlines()[0]
