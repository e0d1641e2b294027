"""`stagebook suggest` as a command: what it prints and writes, and what it refuses."""

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.notebooks_factory import notebook, written

from stagebook.cli import main

CELLS = [
    ("", "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression"),
    ("", "strength = 1.0"),
    ("", "df = pd.read_csv('x.csv')\ndf = df.dropna()\ndf = df.drop_duplicates()"),
    ("", "df.head()"),
    ("keep", "# fit\nX, y = df[['a']], df['y']\nmodel = LogisticRegression(C=strength)\nmodel.fit(X, y)"),
]
GOLDEN = Path(__file__).with_name("golden")


def stagebook(*arguments):
    result = CliRunner().invoke(main, [str(one) for one in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def cell_tags(path):
    return [cell["metadata"].get("tags", []) for cell in json.loads(path.read_text())["cells"]]


def test_it_shows_cells_graph_and_how_to_accept(monkeypatch):
    monkeypatch.chdir(GOLDEN)
    before = Path("churn.ipynb").read_bytes()
    result = stagebook("suggest", "churn.ipynb")
    assert (result.exit_code, result.stdout) == (0, Path("churn.txt").read_text(encoding="utf-8"))
    assert Path("churn.ipynb").read_bytes() == before


def test_what_it_writes_is_a_pipeline_and_jupyters_own_layout(tmp_path):
    import nbformat

    path = tmp_path / "churn.ipynb"
    path.write_bytes((GOLDEN / "churn.ipynb").read_bytes())
    assert stagebook("suggest", path, "--write").exit_code == 0
    assert stagebook("show", path).stdout in (GOLDEN / "churn.txt").read_text(encoding="utf-8")
    assert path.read_text(encoding="utf-8") == nbformat.writes(nbformat.read(path, as_version=4)) + "\n"


DIFF = """\
--- notebook.ipynb
+++ notebook.ipynb
@@ cell 1 @@ import pandas as pd
+setup
@@ cell 2 @@ strength = 1.0
+parameters
@@ cell 3 @@ df = pd.read_csv('x.csv')
+stage:load
@@ cell 5 @@ X, y = df[['a']], df['y']
 keep
+stage:train
"""


def test_diff_shows_the_tags_and_writes_nothing(tmp_path):
    path = written(tmp_path, CELLS)
    assert stagebook("suggest", path, "--format", "diff").stdout == DIFF
    assert cell_tags(path) == [[], [], [], [], ["keep"]]


def test_write_shows_the_tags_and_adds_them(tmp_path):
    path = written(tmp_path, CELLS)
    result = stagebook("suggest", path, "--write")
    assert (result.exit_code, result.stdout) == (0, f"{DIFF}notebook.ipynb: 4 tags written.\n")
    assert cell_tags(path) == [["setup"], ["parameters"], ["stage:load"], [], ["keep", "stage:train"]]
    assert stagebook("show", path).exit_code == 0


def test_write_for_some_cells_adds_their_tags_alone(tmp_path):
    path = written(tmp_path, CELLS)
    result = stagebook("suggest", path, "--write", "--cells", "1, 3-4")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "notebook.ipynb: 2 tags written.")
    assert cell_tags(path) == [["setup"], [], ["stage:load"], [], ["keep"]]


def test_errors_that_some_cells_alone_would_have_are_told(tmp_path):
    result = stagebook("suggest", written(tmp_path, CELLS), "--cells", "3,5")
    assert result.exit_code == 0
    assert "To be mended by hand:\ncell 3, line 1: error SB202: `pd` is read here" in result.stdout


def test_what_is_written_leaves_the_rest_of_the_file_alone(tmp_path):
    path = tmp_path / "windows.ipynb"
    text = json.dumps(notebook(CELLS), indent=4).replace("\n", "\r\n") + "\r\n"
    path.write_bytes(f"\ufeff{text}".encode())
    assert stagebook("suggest", path, "--write").exit_code == 0
    after = path.read_bytes().decode()
    assert after.startswith("\ufeff{\r\n")
    assert after.replace("\r\n", "").count("\n") == 0
    lines = [line for line in after.splitlines() if "setup" in line or "stage:" in line or '"parameters"' in line]
    assert len(lines) == 4
    assert len(after.splitlines()) == len(text.splitlines()) + 4 + 3 * 3


def test_permissions_and_links_stay(tmp_path):
    path = written(tmp_path, CELLS)
    path.chmod(0o640)
    link = tmp_path / "link.ipynb"
    link.symlink_to(path)
    assert stagebook("suggest", link, "--write").exit_code == 0
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert cell_tags(path)[0] == ["setup"]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link.ipynb", "notebook.ipynb"]


def test_a_file_that_changed_in_between_is_left_alone(tmp_path):
    from stagebook.errors import UsageError
    from stagebook.run.files import rewrite

    path = written(tmp_path, CELLS)
    with pytest.raises(UsageError, match="has changed since it was read"):
        rewrite(path, "new", known="old")
    assert cell_tags(path)[0] == []
    assert [one.name for one in tmp_path.iterdir()] == ["notebook.ipynb"]


def test_a_file_that_cannot_be_written_exits_2_and_says_so(tmp_path):
    path = written(tmp_path, CELLS, f"{'n' * 249}.ipynb")  # with no room for the name of a file beside it
    result = stagebook("suggest", path, "--write")
    assert (result.exit_code, "cannot be written: File name too long" in result.stderr) == (2, True)
    assert cell_tags(path)[0] == []


def test_json_has_every_part(tmp_path):
    found = json.loads(stagebook("suggest", written(tmp_path, CELLS), "--format", "json").stdout)
    assert found["cells"][2] == {
        "number": 3,
        "index": 2,
        "role": "stage",
        "stage": "load",
        "tag": "stage:load",
        "new": True,
        "why": "loads; makes df",
        "metrics": [],
        "code": "df = pd.read_csv('x.csv')",
    }
    assert found["edges"] == [{"source": "load", "target": "train", "names": ["df"]}]
    assert (found["errors"], found["hints"]) == ([], [])


def test_a_tagged_notebook_says_that_there_is_nothing_to_suggest(tmp_path):
    path = written(tmp_path, CELLS)
    stagebook("suggest", path, "--write")
    before = path.read_bytes()
    result = stagebook("suggest", path, "--write")
    told = "notebook.ipynb: nothing to suggest. Every cell has its role, or only looks.\n"
    assert (result.exit_code, result.stdout) == (0, told)
    assert path.read_bytes() == before
    assert "To accept" not in stagebook("suggest", path).stdout


WRONG_CELLS = {
    "x": "`x` is none",
    "3-": "`3-` is none",
    "0": "code cells 1 to 5; --cells names 0",
    "4-9": "code cells 1 to 5; --cells names 4-9",
    "5-3": "--cells names 5-3",
    "4": "no tag is suggested for --cells 4",
    "": "`` is none",
}


@pytest.mark.parametrize(("cells", "told"), WRONG_CELLS.items())
def test_cells_that_there_are_not_exit_2_with_a_message(tmp_path, cells, told):
    result = stagebook("suggest", written(tmp_path, CELLS), "--cells", cells)
    assert (result.exit_code, told in result.stderr) == (2, True)


UNREADABLE = {"no JSON": "# Title", "no code": json.dumps(notebook([])), "truncated": json.dumps(notebook(CELLS))[:-9]}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_exits_2_with_a_message(tmp_path, text):
    path = tmp_path / "broken.ipynb"
    path.write_text(text)
    result = stagebook("suggest", path)
    assert (result.exit_code, "broken.ipynb" in result.stderr, "Traceback" in result.output) == (2, True, False)
