"""A recipe is the same as long as the results would be, whatever the store holds."""

from __future__ import annotations

from click.testing import CliRunner
from tests.notebooks_factory import written

from stagebook.cli import main
from stagebook.run.recipe import recipe_of

LOAD = "rows = open('data.txt').read()[:n]"


def recipe(folder, code=LOAD, **given):
    return recipe_of(written(folder, [("parameters", "n = 3"), ("stage:load", code)]), parameters=given)


def test_it_changes_with_code_parameters_and_files_that_are_named(tmp_path):
    (tmp_path / "data.txt").write_text("one")
    first = recipe(tmp_path)
    found = {first, recipe(tmp_path, n=4), recipe(tmp_path, LOAD.replace("[:n]", "[n:]"))}
    (tmp_path / "data.txt").write_text("another")
    assert len({*found, recipe(tmp_path)}) == 4
    (tmp_path / "data.txt").write_text("one")
    assert recipe(tmp_path) == first


def test_it_does_not_change_with_comments_or_the_folder(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data.txt").write_text("one")
    assert recipe(tmp_path / "one") == recipe(tmp_path / "two", f"# as it came\n{LOAD}")
    assert [one.name for one in (tmp_path / "one").iterdir() if one.name.startswith(".")] == []


def test_the_command_prints_it_alone(tmp_path):
    path = written(tmp_path, [("parameters", "n = 3"), ("stage:load", "x = n")])
    told = CliRunner().invoke(main, ["plan", str(path), "--format", "key", "-p", "n", "4"])
    assert (told.exit_code, told.stdout.strip()) == (0, recipe_of(path, parameters={"n": "4"}))
