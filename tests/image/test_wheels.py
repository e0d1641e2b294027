"""What no index has goes into a context as a wheel: Stagebook, and what was installed from a folder."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from importlib.metadata import distribution

import pytest
from tests.image.test_image_refusals import said
from tests.notebooks_factory import written

from stagebook.errors import StagebookError
from stagebook.image.distributions import all_installed, closure_of
from stagebook.image.locking import uv_program
from stagebook.image.wheels import built, own_wheel, packed_again

METADATA = "Metadata-Version: 2.1\nName: Mine\nVersion: 1.0\nRequires-Dist: colorama==0.4.6\nRequires-Dist: click\n"


@pytest.fixture
def local(tmp_path, monkeypatch):
    """`mine`, installed from a folder, as pip leaves it."""
    site = tmp_path / "site-packages"
    info = site / "mine-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "mine.py").write_text("answer = 42\n")
    (info / "METADATA").write_text(METADATA)
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py2-none-any\nTag: py3-none-any\n")
    (info / "direct_url.json").write_text(json.dumps({"url": "file:///home/me/mine", "dir_info": {}}))
    names = ("mine.py", *(f"mine-1.0.dist-info/{one}" for one in ("METADATA", "WHEEL", "direct_url.json", "RECORD")))
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in names))
    monkeypatch.syspath_prepend(str(site))
    return site


def test_what_was_installed_from_a_folder_goes_along(local, tmp_path):
    notebook = written(tmp_path, [("stage:a", "import mine\nx = mine.answer\nprint(x)")])
    status, told = said(notebook, "--target", "train", "--no-engine")
    assert status == 0, told
    folder = tmp_path / "notebook-image-train"
    with zipfile.ZipFile(folder / "wheels/mine-1.0-py2.py3-none-any.whl") as wheel:
        assert sorted(wheel.namelist()) == sorted(
            ["mine.py", *(f"mine-1.0.dist-info/{one}" for one in ("METADATA", "WHEEL", "RECORD"))]
        )
    lock = (folder / "requirements.lock").read_text()
    assert "mine==" not in lock
    assert "colorama==0.4.6" in lock, "what it requires is locked"
    assert not any(b"/home/me" in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_one_that_is_damaged_is_named(local):
    (local / "mine.py").unlink()
    found = all_installed()["mine"]
    with pytest.raises(StagebookError, match=r"`Mine` is damaged here \(mine.py"):
        packed_again(found.found)


def test_same_installation_is_the_same_wheel_and_can_be_installed(tmp_path):
    name, content = packed_again(distribution("click"))
    assert packed_again(distribution("click")) == (name, content)
    (tmp_path / name).write_bytes(content)
    _install(tmp_path / name, tmp_path / "there")
    assert (tmp_path / "there/click/core.py").is_file()


def test_our_own_is_the_same_each_time_and_starts(tmp_path):
    name, content = own_wheel("train")
    assert own_wheel("train") == (name, content)
    with zipfile.ZipFile(io.BytesIO(content)) as wheel:
        names = wheel.namelist()
    assert "stagebook/image/context.py" in names
    assert not [one for one in names if one.startswith(("stagebook/lab/", "stagebook/labextension/"))]
    (tmp_path / name).write_bytes(content)
    _install(tmp_path / name, tmp_path / "there")
    command = [sys.executable, "-c", "import stagebook.cli; print(stagebook.__file__)"]
    done = subprocess.run(command, env={"PYTHONPATH": str(tmp_path / "there")}, capture_output=True, text=True)
    assert done.stdout.startswith(str(tmp_path / "there")), done.stderr


def test_all_data_files_of_ours_are_in_it():
    """What code reads beside itself; a suffix that is not listed would be missing in images alone."""
    from pathlib import Path

    import stagebook

    with zipfile.ZipFile(io.BytesIO(own_wheel("train")[1])) as wheel:
        names = set(wheel.namelist())
    root = Path(stagebook.__file__).parent
    there = {
        f"stagebook/{path.relative_to(root).as_posix()}"
        for path in root.rglob("*")
        if path.is_file() and not {"__pycache__", "lab", "labextension"} & set(path.relative_to(root).parts)
    }
    assert there <= names


def _install(wheel, target):
    command = [uv_program(), "pip", "install", "--quiet", "--offline", "--no-deps", "--python", sys.executable]
    subprocess.run([*command, "--target", str(target), str(wheel)], check=True)


def test_a_project_that_cannot_be_built_is_named_with_its_tools_words(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project\n")
    with pytest.raises(StagebookError, match="No wheel of `mine` can be built") as caught:
        built(tmp_path, "mine", uv_program(), created=0)
    assert "uv build --wheel" in str(caught.value)


def test_closure_has_what_extras_require():
    found = closure_of(["stagebook"], all_installed())
    assert {"stagebook", "pandas", "numpy", "click"} <= found
    assert "pytest" not in found
