"""What cannot be exported, built or served is refused in a sentence, with what to do, and nothing is left half done."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.image.story import materials, stagebook
from tests.notebooks_factory import written

from stagebook.cli import main
from stagebook.errors import StagebookError, UsageError
from stagebook.export.writing import write
from stagebook.image.context import context
from stagebook.image.engines import checked_tag, secrets_of
from stagebook.image.locking import locked, uv_program
from stagebook.image.requirements import Needed, needs_of_imports, needs_of_model, own_needs

PYTHON = ".".join(map(str, sys.version_info[:2]))


def said(*words):
    """The command's exit status and what it says."""
    done = CliRunner().invoke(main, ["export", "image", *map(str, words)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output + done.stderr


def plain_notebook(folder, code="x = 1\nprint(x)", **options):
    return written(folder, [("stage:a", code, options)])


class TestEngines:
    def test_without_one_nothing_is_written_where_it_is_to_build(self, tmp_path, monkeypatch):
        notebook = plain_notebook(tmp_path)
        monkeypatch.setenv("PATH", str(tmp_path))
        status, told = said(notebook, "--target", "train", "--build")
        assert status == 2
        assert "`docker` is not on PATH, `podman` is not on PATH" in told
        assert "leave out --build" in told
        assert not (tmp_path / "notebook-image-train").exists()

    def test_one_that_fails_is_told_with_its_own_words(self, tmp_path, monkeypatch):
        docker = tmp_path / "docker"
        docker.write_text("#!/bin/sh\necho the daemon sleeps >&2\nexit 1\n")
        docker.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
        status, told = said(plain_notebook(tmp_path), "--target", "train", "--build", "--engine", "docker")
        assert status == 2
        assert "`docker` does not answer (the daemon sleeps). Start it" in told

    def test_a_base_that_is_not_there_is_named(self, tmp_path, monkeypatch):
        podman = tmp_path / "podman"
        podman.write_text('#!/bin/sh\n[ "$1" = version ]\n')  # knows no image, and cannot build
        podman.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        base = f"images.invalid/python:{PYTHON}@sha256:{'0' * 64}"
        status, told = said(
            plain_notebook(tmp_path), "--target", "train", "--build", "--engine", "podman", "--base", base
        )
        assert status == 2
        assert f"The base image {base} is not here" in told
        assert (tmp_path / "notebook-image-train/Dockerfile").is_file()

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (["--tag", "Upper/Case:1"], "is no tag of an image"),
            (["--tag", "a b"], "is no tag of an image"),
            (["--tag", "x:" + "y" * 129], "is no tag of an image"),
            (["--no-engine", "--build"], "--no-engine goes with neither"),
            (["--push"], "--push needs --tag"),
            (["--engine", "rocket"], "rocket"),
            (["--target", "dance"], "dance"),
            (["--target", "train", "--base", "not an image"], "names no image"),
            (["--target", "train", "--base", "x@sha256:12"], "64 hexadecimal digits"),
            (["--target", "train", "--python", "three"], "is no version of Python"),
            (["--target", "train", "--base", "python:3.9-slim"], "Python 3.9, and Stagebook needs 3.10 or newer"),
            (["--target", "train", "--model", "models:/m/1"], "--model is for serve, score and monitor"),
            (["--target", "score", "--no-log"], "--no-log is for serve"),
        ],
    )
    def test_what_it_cannot_be_told_is_refused(self, tmp_path, words, told):
        status, output = said(plain_notebook(tmp_path), *words)
        assert status == 2
        assert told in output
        assert not list(tmp_path.glob("notebook-image-*"))

    @pytest.mark.parametrize(
        "tag", ["flights", "flights:1.2-rc_1", "localhost:5000/team/flights:3", "ghcr.io/a/b__c", "A.example/x"]
    )
    def test_tags_that_engines_take_are_taken(self, tag):
        assert checked_tag(tag) == tag

    @pytest.mark.parametrize(
        "secret", ["token", "id=x", "src=y", "id=netrc,src=/no/such/file", f"id=tokn,src={__file__}"]
    )
    def test_a_secret_is_a_file(self, secret):
        with pytest.raises(UsageError, match="--secret"):
            secrets_of("podman", [secret])


class TestRequirements:
    def test_an_import_that_no_distribution_provides_is_named(self, tmp_path):
        status, told = said(plain_notebook(tmp_path, "import sklaern\nx = sklaern"), "--target", "train", "--no-engine")
        assert status == 2
        assert "`sklaern`, which no installed distribution provides" in told
        assert "Did you mean `sklearn`?" in told

    def test_an_import_in_a_module_of_ones_own_is_found_there(self):
        with pytest.raises(StagebookError, match=r"^helpers.py imports `nowhere`"):
            needs_of_imports({"nowhere": "helpers.py"}, {})

    def test_a_module_can_be_of_several_distributions(self):
        found = needs_of_imports({"google": ""}, {"google": ["protobuf", "google-auth"]})
        assert [one.name for one in found] == ["google-auth", "protobuf"]

    def test_a_model_needs_a_lean_mlflow(self):
        found = needs_of_model("mlflow==3.17.2\nscikit_learn==1.9.1  # pinned\n\n", called="m")
        assert {one.name: one.version for one in found} == {"mlflow-skinny": "==3.17.2", "scikit-learn": "==1.9.1"}

    def test_one_that_answers_by_itself_needs_none(self):
        found = needs_of_model("mlflow==3.17.2\nskops==0.14.0\nscikit-learn==1.9.1\n", called="m", bare=True)
        own = own_needs("serve", "pyfunc", bare=True, log=False)
        assert [one.name for one in found] == ["scikit-learn"]
        assert not {"mlflow", "mlflow-skinny", "pyarrow"} & {one.name for one in own}
        assert {"pandas", "cloudpickle"} <= {one.name for one in own}

    @pytest.mark.parametrize("line", ["-e .", "thing @ https://example.invalid/thing.whl", "./thing"])
    def test_a_model_that_names_a_place_is_refused(self, line):
        with pytest.raises(StagebookError, match="which an image cannot be locked to"):
            needs_of_model(line, called="models:/x/1")

    @pytest.mark.parametrize(
        ("needed", "told"),
        [
            (Needed("stagebook-no-such-package", "==1", "models:/m/1"), "a package of your own"),
            (Needed("click", "==0.0.1", "models:/m/1"), "needed by models:/m/1"),
        ],
    )
    def test_what_cannot_be_resolved_is_said_with_who_needs_it(self, needed, told):
        with pytest.raises(StagebookError, match=f"cannot be locked for Python {PYTHON}") as caught:
            locked([needed], {}, python=PYTHON, program=uv_program(), strict=False, wheels={}, local=[])
        assert told in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_a_model_that_fits_no_version_of_the_target_python_is_refused(self):
        needed = [Needed("numpy", "==1.21.0", "models:/m/1")]
        with pytest.raises(StagebookError, match="cannot be locked for Python 3.13"):
            locked(needed, {}, python="3.13", program=uv_program(), strict=False, wheels={}, local=[])

    def test_another_version_than_the_run_had_is_refused(self, story, tmp_path):
        path = next((story.parent / ".stagebook/runs").glob("*/run.json"))
        text = path.read_text(encoding="utf-8")
        facts = json.loads(text)
        for stage in facts["stages"]:
            stage["packages"] = {"pandas": "0.1"}
        try:
            path.write_text(json.dumps(facts), encoding="utf-8")
            status, told = said(story, "--target", "train", "--no-engine", "--out", tmp_path / "out")
        finally:
            path.write_text(text, encoding="utf-8")
        assert status == 2
        assert "had pandas 0.1" in told
        assert not (tmp_path / "out").exists()


class TestModels:
    def test_a_notebook_that_registers_none_needs_to_be_told_which(self, tmp_path):
        status, told = said(plain_notebook(tmp_path), "--target", "serve", "--no-engine")
        assert status == 2
        assert "no stage registers a model" in told
        assert "--model models:/NAME@champion" in told

    def test_one_that_is_not_registered_is_named(self, story, tmp_path):
        done = stagebook("export", "image", story.name, "--model", "models:/stroy@champion", folder=story.parent)
        assert done.returncode == 2
        assert "stroy" in done.stderr
        assert "Traceback" not in done.stderr


class TestFolders:
    def test_other_files_in_the_way_are_not_written_over(self, tmp_path):
        folder = tmp_path / "out"
        folder.mkdir()
        (folder / "Dockerfile").write_text("FROM mine\n")
        notebook = plain_notebook(tmp_path)
        status, told = said(notebook, "--target", "train", "--no-engine", "--out", folder)
        assert status == 2
        assert "Dockerfile was not left as an export wrote it" in told
        assert sorted(path.name for path in folder.iterdir()) == ["Dockerfile"]
        assert said(notebook, "--target", "train", "--no-engine", "--out", folder, "--force")[0] == 0
        assert (folder / "Dockerfile").read_text() != "FROM mine\n"

    def test_what_an_export_did_not_make_comes_into_no_image_by_itself(self, tmp_path):
        folder = tmp_path / "out"
        (folder / "app").mkdir(parents=True)
        (folder / "app/.env").write_text("PASSWORD=1\n")
        (folder / "notes.txt").write_text("mine\n")  # the Dockerfile copies none of what lies here
        words = (plain_notebook(tmp_path), "--target", "train", "--no-engine", "--out", folder)
        status, told = said(*words)
        assert status == 2
        assert "the export did not make app/.env: it would be in the image" in told
        assert sorted(path.name for path in folder.rglob("*")) == [".env", "app", "notes.txt"]
        assert said(*words, "--force")[0] == 0
        (folder / "app/.env").unlink()
        assert said(*words)[0] == 0
        assert (folder / "notes.txt").is_file()

    def test_a_full_disk_leaves_nothing_half_written(self, tmp_path, monkeypatch):
        files = context(materials("train"))
        written_before: list[Path] = []
        put = Path.write_bytes

        def full(path, content):
            if len(written_before) == 3:
                raise OSError(28, "No space left on device")
            written_before.append(path)
            return put(path, content)

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(StagebookError, match="No space left on device"):
            write(files, tmp_path / "out", exporter="image")
        assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]

    def test_a_dry_run_writes_nothing(self, tmp_path):
        status, told = said(plain_notebook(tmp_path), "--target", "train", "--no-engine", "--dry-run")
        assert status == 0
        assert "Would write" in told
        assert not (tmp_path / "notebook-image-train").exists()


class TestTheCommandThatBuilds:
    def test_is_told_where_no_engine_is(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        status, told = said(plain_notebook(tmp_path), "--target", "train", "--tag", "a/b:1", "--tag", "a/b:2")
        assert status == 0
        folder = tmp_path / "notebook-image-train"
        assert told.splitlines()[-1] == f"Build it: docker build --tag a/b:1 --tag a/b:2 {folder}"

    def test_is_of_the_engine_that_is_there(self, tmp_path, monkeypatch):
        podman = tmp_path / "podman"
        podman.write_text("#!/bin/sh\n")
        podman.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setenv("SSL_CERT_FILE", str(podman))
        told = said(plain_notebook(tmp_path), "--target", "train", "--engine", "podman")[1]
        assert told.splitlines()[-1].startswith("Build it: podman build --format docker ")
        assert f"--secret id=ca,src={podman} " in told
