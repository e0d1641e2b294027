"""What imported modules are: versions of what is installed, content of what is the user's own."""

from __future__ import annotations

import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest

from stagebook.errors import KernelError
from stagebook.run.environment import describe_modules


@pytest.fixture
def project(tmp_path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def describe(module: str, folder: Path) -> str:
    return describe_modules([module], folder, python=sys.executable)[module]


def install(site: Path, name: str, number: str, files: dict[str, str], *, listed: bool = True) -> None:
    """What a package manager leaves behind."""
    record = "".join(f"{path},,\n" for path in files) if listed else ""
    info = f"{name}-{number}.dist-info"
    write(site, files | {f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n"})
    write(site, {f"{info}/RECORD": f"{record}{info}/METADATA,,\n"})


@pytest.fixture
def site(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.mark.parametrize("module", ["json", "os.path", "xml.etree.ElementTree", "sys", "__future__", "stagebook"])
def test_the_standard_library_is_covered_by_the_version_of_python(module, project):
    assert describe(module, project) == ""


def test_an_installed_package_is_its_version_whichever_of_its_modules_is_imported(project):
    assert describe("pandas", project) == f"package:pandas={version('pandas')}"
    assert describe("numpy.linalg", project) == f"package:numpy={version('numpy')}"


def test_a_distribution_may_be_called_otherwise_than_its_package(project):
    assert describe("sklearn.ensemble", project) == f"package:scikit-learn={version('scikit-learn')}"


def test_a_namespace_names_every_distribution_that_has_a_part_in_it(site, project):
    install(site, "north", "1.0", {"compass/north/__init__.py": ""})
    install(site, "south", "2.0", {"compass/south.py": ""})
    install(site, "astray", "3.0", {"compassion.py": "", "other/compass.py": ""})
    assert describe("compass.north", project) == "package:north=1.0\npackage:south=2.0"


def test_a_new_version_is_seen_at_once(site, project):
    install(site, "wheel-of-mine", "1.0", {"mine_only.py": ""})
    assert describe("mine_only", project) == "package:wheel-of-mine=1.0"
    (site / "wheel-of-mine-1.0.dist-info" / "METADATA").write_text("Name: wheel-of-mine\nVersion: 1.1\n")
    assert describe("mine_only", project) == "package:wheel-of-mine=1.1"


def test_what_is_not_to_be_found_is_empty(project):
    assert describe("no_such_module_anywhere", project) == ""
    assert describe("no_such_module_anywhere.part", project) == ""


def test_a_module_beside_the_notebook_is_its_content(project):
    write(project, {"helpers.py": "x = 1"})
    first = describe("helpers", project)
    assert first.startswith("module:helpers.py=")
    assert describe("helpers", project) == first
    write(project, {"helpers.py": "x = 2"})
    assert describe("helpers", project) != first


OWN = {
    "a module that it imports": {"helpers.py": "import deeper", "deeper.py": "x = 1"},
    "a module that a function imports": {"helpers.py": "def f():\n    from deeper import x", "deeper.py": "x = 1"},
    "a module two imports away": {"helpers.py": "import between", "between.py": "import deeper", "deeper.py": "x = 1"},
    "a module in a circle": {"helpers.py": "import deeper", "deeper.py": "import helpers"},
    "a package's own module": {"helpers/__init__.py": "", "helpers/deeper.py": "x = 1"},
    "a sub-package": {"helpers/__init__.py": "from . import sub", "helpers/sub/deeper.py": "x = 1"},
    "a folder without __init__": {"helpers/io/deeper.py": "x = 1"},
    "a package that it imports": {"helpers.py": "import tools.deeper", "tools/__init__.py": "", "tools/deeper.py": ""},
    "a package that a package imports": {
        "helpers/__init__.py": "from tools import deeper",
        "tools/__init__.py": "",
        "tools/sub/deeper.py": "",
    },
    "a module named as one of the standard library": {"helpers.py": "import colorsys", "colorsys.py": "import deeper",
                                                      "deeper.py": ""},
}  # fmt: skip


@pytest.mark.parametrize("files", OWN.values(), ids=OWN)
def test_the_content_counts_of(files, project):
    write(project, files)
    first = describe("helpers", project)
    (deeper,) = [name for name in files if name.endswith("deeper.py")]
    write(project, {deeper: "x = 3  # changed"})
    assert describe("helpers", project) != first
    write(project, files)
    assert describe("helpers", project) == first


def test_files_that_change_places_change_the_content(project):
    write(project, {"helpers/__init__.py": "", "helpers/a.py": "x = 1", "helpers/b.py": "x = 2"})
    first = describe("helpers", project)
    write(project, {"helpers/a.py": "x = 2", "helpers/b.py": "x = 1"})
    assert describe("helpers", project) != first


def test_the_same_files_elsewhere_are_the_same_content(tmp_path):
    for name in ("one", "two"):
        write(tmp_path / name, {"helpers/__init__.py": "import other", "helpers/a.py": "", "other.py": ""})
    assert describe("helpers", tmp_path / "one") == describe("helpers", tmp_path / "two")


def test_what_the_users_module_imports_of_installed_packages_counts_too(site, project):
    install(site, "thing", "1.0", {"thing.py": ""})
    write(project, {"helpers.py": "import between", "between.py": "import json, thing.part"})
    assert describe("helpers", project).splitlines()[2:] == ["package:thing=1.0"]


def test_a_module_that_does_not_parse_still_counts_with_its_content(project):
    write(project, {"helpers.py": "def broken("})
    first = describe("helpers", project)
    assert first.startswith("module:helpers.py=")
    write(project, {"helpers.py": "def broken(\0"})
    assert describe("helpers", project) != first


def test_a_file_beside_the_notebook_shadows_what_is_installed(project, site):
    install(site, "thing", "1.0", {"thing.py": ""})
    write(project, {"thing.py": "x = 1"})
    assert describe("thing", project).startswith("module:thing.py=")


def test_a_folder_of_data_does_not_shadow_what_is_installed(project, site):
    install(site, "thing", "1.0", {"thing/__init__.py": ""})
    write(project, {"thing/data.csv": "1"})
    assert describe("thing", project) == "package:thing=1.0"


def test_an_editable_install_is_its_content_not_its_version(tmp_path, monkeypatch, site, project):
    source = tmp_path / "checkout" / "src"
    write(source, {"workshop/__init__.py": "", "workshop/tools.py": "x = 1"})
    install(site, "workshop", "1.0", {"workshop.pth": str(source)})
    monkeypatch.syspath_prepend(source)  # as site does for each line of a .pth file
    first = describe("workshop.tools", project)
    assert "module:workshop/tools.py=" in first
    write(source, {"workshop/tools.py": "x = 2"})
    assert describe("workshop.tools", project) != first


def test_another_python_is_asked_for_what_it_has(tmp_path, project):
    (tmp_path / "pyvenv.cfg").write_text((Path(sys.prefix) / "pyvenv.cfg").read_text())
    (tmp_path / "lib").symlink_to(Path(sys.prefix) / "lib")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    write(project, {"helpers.py": "import pandas"})
    modules = ["helpers", "json", "pandas"]
    asked = describe_modules(modules, project, python=str(tmp_path / "bin" / "python"))
    assert asked == describe_modules(modules, project, python=sys.executable)


def test_a_python_that_cannot_be_asked_is_named(tmp_path, project):
    with pytest.raises(KernelError, match="nowhere cannot be started: No such file"):
        describe_modules(["json"], project, python=str(tmp_path / "nowhere"))
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho 'No module named stagebook' >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(KernelError, match="cannot be asked: No module named stagebook. Is stagebook installed there?"):
        describe_modules(["json"], project, python=str(broken))


def test_ten_modules_are_described_quickly(project):
    """A plan asks for them each time: parsing every list of files took over 2 s. CPU time, as others work, too."""
    modules = ["pandas", "numpy.linalg", "sklearn.ensemble", "matplotlib.pyplot", "scipy.stats", "pyarrow", "mlflow"]
    best = 10.0
    for _ in range(3):
        begun = time.process_time()
        described = describe_modules([*modules, "json", "papermill", "none"], project, python=sys.executable)
        best = min(best, time.process_time() - begun)
    assert len(described) == 10
    assert best < 0.5
