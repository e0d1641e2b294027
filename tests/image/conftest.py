"""A notebook that was run, and a container store of the tests' own; without an engine, what takes one is skipped."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.image.story import made, stagebook

BASE = Path(__file__).with_name("base.sh")
USER = "12345:12345"
HARD = ("--read-only", "--tmpfs", "/tmp", "--cap-drop=all", "--security-opt=no-new-privileges", "--network", "none")
TOKEN = "planted-8c1f5a72e9d04b36"
"""Stands in what is a secret while an image is built, and must be in none of its layers."""


@pytest.fixture(scope="session")
def own_cache(tmp_path_factory):
    """A cache of the tests' own, which commands inherit, and no registry but a notebook's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STAGEBOOK_CACHE", str(tmp_path_factory.mktemp("cache")))
        for variable in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "SOURCE_DATE_EPOCH"):
            patch.delenv(variable, raising=False)
        yield


@pytest.fixture(scope="session")
def story(tmp_path_factory, own_cache, key_file):
    """The notebook of `story`, run with a parameter, its model registered."""
    pytest.importorskip("onnxruntime", reason="install it with `pip install 'stagebook[onnx]'`")
    notebook = made(tmp_path_factory.mktemp("story"))
    done = stagebook("run", notebook.name, "-p", "rows", "150", "--promote", folder=notebook.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    return notebook


def podman(*words, check=True):
    """podman's answer, with its complaints about a missing systemd left out of nothing."""
    done = subprocess.run(["podman", *map(str, words)], capture_output=True, text=True)
    assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """A container store with a base image; STAGEBOOK_CONTAINERS names a folder in which it stays for the next time."""
    missing = [tool for tool in ("podman", "runc", "mmdebstrap") if shutil.which(tool, path=_path()) is None]
    if missing or os.geteuid():
        who = "" if os.geteuid() == 0 else " as root"
        pytest.skip(f"no container engine that can be used{who}: `apt-get install -y podman runc mmdebstrap`")
    uv = pytest.importorskip("uv", reason="install it with `pip install 'stagebook[image]'`")
    kept = os.environ.get("STAGEBOOK_CONTAINERS")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("containers")
    done = subprocess.run([BASE, folder, sys.executable, uv.find_uv_bin()], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTAINERS_STORAGE_CONF", str(folder / "storage.conf"))
        patch.setenv("CONTAINERS_CONF", str(folder / "containers.conf"))
        yield folder
        podman("rm", "--all", "--force", "--time", "0", check=False)
        if not kept:
            podman("system", "reset", "--force", check=False)


def _path():
    return os.environ.get("PATH", "") + os.pathsep + "/usr/sbin"  # where Debian has runc


class Images:
    """Images of the story, each built when it is first asked for, with secrets that must not be in it."""

    def __init__(self, notebook, folder):
        self.notebook = notebook
        self.told = {}
        self._netrc = folder / "netrc"
        self._netrc.write_text(f"machine packages.invalid login me password {TOKEN}\n")
        self.logins = folder / "auth.json"
        self.logins.write_text(json.dumps({"auths": {"images.invalid": {"auth": TOKEN}}}))

    def built(self, target, *words):
        """The tag of the image for a target."""
        tag = f"localhost/story-{target}:test"
        if tag not in self.told:
            self.told[tag] = self.build(target, tag, *words)
        return tag

    def build(self, target, tag, *words, engine="podman"):
        """Export and build; what the command said."""
        secrets = ["--secret", f"id=netrc,src={self._netrc}"] if engine == "podman" else []
        done = stagebook(
            *("export", "image", self.notebook.name, "--target", target, "--build", "--engine", engine, "--tag", tag),
            *(*secrets, *words),
            folder=self.notebook.parent,
            REGISTRY_AUTH_FILE=str(self.logins),
            UV_PASSWORD=TOKEN,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout + done.stderr


@pytest.fixture(scope="session")
def images(store, story, tmp_path_factory):
    """See `Images`."""
    return Images(story, tmp_path_factory.mktemp("secrets"))
