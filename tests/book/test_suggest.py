"""What a notebook's cells would be: roles, cuts, names, reasons, and that nothing comes of them that is an error."""

import json
from pathlib import Path

import pytest
from tests.notebooks_factory import notebook

from stagebook.book.notebook import as_document
from stagebook.book.pipeline import examine
from stagebook.book.suggest import suggest
from stagebook.book.tagging import tagged
from stagebook.errors import NotebookError

PATH = Path("notebook.ipynb")


def document(*cells):
    """A notebook: text that begins with `# ` or `## ` is a heading, a pair is (tags, code), all else is code."""
    pairs = [cell if isinstance(cell, tuple) else ("", cell) for cell in cells]
    made = notebook(pairs)
    for cell in made["cells"]:
        if cell["source"].startswith(("# ", "## ", "### ")):
            cell.update(cell_type="markdown")
    return as_document(made, PATH)


def suggested(*cells):
    return suggest(document(*cells), PATH)


def tags(*cells):
    """The tags of the code cells, as they would be."""
    return [cell.tag for cell in suggested(*cells).cells]


def whys(*cells):
    return [cell.why for cell in suggested(*cells).cells]


IMPORTS = "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression"
LOAD = "df = pd.read_csv('x.csv')"
CLEAN = "df = df.dropna()\ndf['a'] = df['a'].astype(float)\ndf['b'] = df['b'].astype(float)"
TRAIN = "X, y = df[['a', 'b']], df['y']\nmodel = LogisticRegression(C=strength)\nmodel.fit(X, y)"
TRAIN1 = TRAIN.replace("strength", "1")
SCORE = "score = model.score(X, y)\nprint(score)"

# Per case: the code of the cell in question, and what it is, between imports and cells that load, train and score.
ROLES = {
    "head": ("df.head()", None),
    "info and shape": ("df.info()\ndf.shape", None),
    "a plot": ("df['a'].hist(bins=50)\nplt.show()", None),
    "a plot of something made for it": ("corr = df.corr()\nsns.heatmap(corr)", None),
    "a loop of plots": ("for column in df.columns:\n    plt.hist(df[column])", None),
    "prints": ("print(len(df))\nprint(df.dtypes)", None),
    "an assertion": ("#enough rows\nassert len(df) > 3\nassert df['y'].isin([0, 1]).all()", "test"),
    "an assertion of a score": (
        "assert LogisticRegression().fit(df[['a']], df['y']).score(df[['a']], df['y']) > 0",
        "test",
    ),
    "an assertion of what setup defines": ("assert pd.__version__", None),
    "no code": ("#nothing yet\n", None),
    "literals that nobody reads": ("z = 3", None),
    "no Python": ("df = df.", None),
    "an unclosed shell line": ("!ls data", None),
    "packages": ("!pip install pandas", None),
    "a function": ("def twice(x):\n    return 2 * x", "setup"),
    "a class and a lambda": ("class A:\n    pass\nb = lambda x: x", "setup"),
    "imports": ("import json\nfrom pathlib import Path", "setup"),
    "imports again": ("import pandas as pd", "setup"),
    "imports, if need be": ("try:\n    import rapidjson as json\nexcept ImportError:\n    import json", "setup"),
    "a style, as nothing was shown before": ("import seaborn as sns\nsns.set()\n%matplotlib inline", "setup"),
    "a change in place": ("df['c'] = df['a'] + df['b']", "stage"),
    "a change in place, and a look": ("df['c'] = df['a'] + df['b']\ndf.head()", "stage"),
    "a change in a loop": ("for column in ['a', 'b']:\n    df[column] = df[column].fillna(0)", "stage"),
    "a file written": ("df.to_csv('clean.csv')", "stage"),
    "a file opened to be written": ("with open('n.txt', 'w') as f:\n    f.write('n')", "stage"),
    "a picture written": ("df.plot()\nplt.savefig('a.png')", "stage"),
    "a score": ("cross_val_score(LogisticRegression(), df[['a']], df['y'])", "stage"),
}


@pytest.mark.parametrize(("code", "role"), ROLES.values(), ids=ROLES.keys())
def test_a_cell_has_the_role_that_its_code_asks_for(code, role):
    plots = (
        "import matplotlib.pyplot as plt\nimport seaborn as sns\nfrom sklearn.model_selection import cross_val_score"
    )
    found = tags(f"{IMPORTS}\n{plots}\nstrength = 1.0", LOAD, code, TRAIN, SCORE)
    assert (found[2] or "").partition(":")[0] == (role or "")
    assert found[0] == "setup"


NOT_SETUP = {
    "a function whose default a stage makes": "def f(x=df):\n    return x",
    "a function that a stage's cell has bound before": "def df():\n    return 1",
    "constants that a stage makes": "import math\ncolumns = df.columns",
    "a seed, which others have drawn before": "import numpy as np\nnp.random.seed(1)",
    "a style, as things were shown before": "df.plot()\nplt.style.use('x')",
    "another module under the same name": "import polars as pd",
    "all of a module, which may bind any name": "from unknown_module import *",
}


@pytest.mark.parametrize("code", NOT_SETUP.values(), ids=NOT_SETUP.keys())
def test_what_depends_on_its_place_is_not_moved_before_all_stages(code):
    assert (tags(IMPORTS, LOAD, code, "print(f, df, columns)", TRAIN1)[2] or "") != "setup"


def test_all_of_a_module_above_the_stages_is_setup():
    assert tags("from fastai.all import *\nnp.set_printoptions(3)", "x = load_data()\nx.save('y')")[0] == "setup"


def test_a_function_defined_twice_is_setup_once():
    found = tags("def f(x):\n    return x", "a = f(1)\nopen('a', 'w')", "def f(x):\n    return -x", "open(f(2), 'w')")
    assert [(tag or "").partition(":")[0] for tag in found] == ["setup", "stage", "stage", "stage"]


PARAMETERS = {
    "numbers": (["strength = 1.0", IMPORTS, LOAD, TRAIN], ["parameters", "setup"]),
    "below imports": ([IMPORTS, "strength = 1.0", LOAD, TRAIN], ["setup", "parameters"]),
    "those that look most like settings": (
        [IMPORTS, "colors = ['r', 'g']", "#parameters\nstrength = 1.0", LOAD, TRAIN + "\nopen(colors[0], 'w')"],
        ["setup", "setup", "parameters"],
    ),
    "not where they are set again": (
        [IMPORTS, "strength = 1.0", LOAD, "strength += 1", TRAIN],
        ["setup", "stage:load"],
    ),
    "not below a stage": ([IMPORTS, LOAD, "strength = 1.0", TRAIN], ["setup", "stage:load"]),
    "not beside code": (
        [IMPORTS, "strength = 1.0\nother = pd.Timestamp(strength)", LOAD, TRAIN],
        ["setup", "stage:load"],
    ),
}


@pytest.mark.parametrize(("cells", "first"), PARAMETERS.values(), ids=PARAMETERS.keys())
def test_plain_values_above_all_stages_are_parameters(cells, first):
    found = tags(*cells)
    assert found[: len(first)] == first
    assert found.count("parameters") == first.count("parameters")


def test_headings_cut_and_name_the_stages():
    found = tags(
        "# Churn", IMPORTS, "## 1. Get the data", LOAD, "## 2. Clean", CLEAN, "## 3. Train the model", TRAIN1, SCORE
    )
    assert found == ["setup", "stage:get_the_data", "stage:clean", "stage:train_the_model", "stage:train_the_model"]


def test_a_method_that_may_change_what_is_needed_is_no_look():
    build = "from k import Net\nmodel = Net(1)"
    assert [bool(tag) for tag in tags(build, "model.adapt(1)", "model.summary()", "model.save('m')")] == [1, 1, 0, 1]


def test_trainings_that_do_not_need_one_another_are_stages_side_by_side():
    both = [
        "## Near",
        "near = KNN().fit(X, y)\nprint(near)\nprint(X)",
        "## Far",
        "far = SVC().fit(X, y)\nprint(far)\nprint(X)",
    ]
    for cells, names in ((both, ["far", "near"]), (both[1::2], ["train_far", "train_near"])):
        found = suggested("from sklearn.all import KNN, SVC, load_data", "X, y = load_data('x')\nX = X + 1", *cells)
        assert [(edge.source, edge.target) for edge in found.pipeline.edges] == [("load", name) for name in names]


def test_without_headings_the_code_names_the_stages():
    many = [f"df['c{number}'] = df['a'] * {number}\ndf['d{number}'] = 1\ndf['e{number}'] = 2" for number in range(9)]
    assert dict.fromkeys(tags(IMPORTS, LOAD, *many, TRAIN1, SCORE)).keys() >= {
        "stage:load",
        "stage:train",
    }


def timed(seconds):
    """Metadata of a cell that took so long, as JupyterLab writes it."""
    return {
        "execution": {
            "iopub.execute_input": "2026-01-01T10:00:00.000000Z",
            "shell.execute_reply": f"2026-01-01T10:{int(seconds) // 60:02}:{seconds % 60:02}.000000Z",
        }
    }


DURATIONS = [timed(300), {"papermill": {"duration": 300.0, "status": "completed"}}]
SAME_WORK = ["a = f(1)\na2 = 1\na3 = 1", "b = f(a)\nb2 = 1\nb3 = 1", "c = f(b)\nc2 = 1\nc3 = 1"]


@pytest.mark.parametrize("metadata", DURATIONS, ids=["JupyterLab", "Papermill"])
def test_slow_cells_are_stages_apart(metadata):
    cells = ["from m import f", *SAME_WORK]
    made = document(*cells)
    assert len({cell.stage for cell in suggest(made, PATH).cells} - {None}) == 1
    for cell in made["cells"][1:3]:
        cell["metadata"] = dict(metadata)
    found = suggest(made, PATH).cells
    assert len({cell.stage for cell in found} - {None}) == 3
    assert found[1].why.startswith("took 300 s")


def test_no_cut_goes_through_a_large_value_if_that_can_be_avoided():
    made = document(IMPORTS, LOAD, CLEAN, "small = df.mean()\nX, y = small, small\nz = X", TRAIN1)

    def crossing(sizes):
        return {name for edge in suggest(made, PATH, sizes=sizes).pipeline.edges for name in edge.names}

    assert "df" in crossing(None)
    assert "df" not in crossing({"df": 10**10})


def test_cells_that_have_a_role_keep_it_and_others_go_with_them_or_between():
    cells = [
        ("setup", IMPORTS),
        ("stage:fetch", LOAD),
        CLEAN,
        ("", "%%stage learn\n" + TRAIN1),
        SCORE,
    ]
    found = suggested(*cells).cells
    assert [cell.has_it for cell in found] == [True, True, False, True, False]
    assert [found[at].tag for at in (0, 1, 3)] == ["setup", "stage:fetch", "stage:learn"]
    assert found[2].role == found[4].role == "stage"
    assert suggested(*cells).remaining == ()


def test_a_cell_between_cells_of_one_stage_belongs_to_it():
    found = tags(("stage:all", f"{IMPORTS}\n{LOAD}"), CLEAN, ("stage:all", TRAIN1))
    assert found == ["stage:all"] * 3


def test_a_notebook_tagged_for_kale_is_left_as_it_is():
    found = suggested(("imports", IMPORTS), ("block:load", LOAD), CLEAN, ("skip", "df.head()"))
    assert found.new == ()
    assert found.pipeline.stage("load").cells[-1].number == 3


def test_a_look_that_a_stage_depends_on_is_part_of_a_stage():
    found = suggested("import pandas as pd", LOAD, "top = df.head()\ntop", "top.to_csv('top.csv')")
    assert found.cells[2].role == "stage"


LEFT_OUT = {
    "nobody defines": (
        ["open(missing, 'w')", "print(1)\nopen('a', 'w')"],
        "reads `missing`, which no cell above makes",
    ),
    "a later cell makes": (["open(x, 'w')", "x = f'{1}'\nopen(x, 'w')"], "reads `x`, which no cell above makes"),
    "another stage deletes": (
        ["## A", "x = 1\ny = open(str(x), 'w')", "## B", "open('c', 'w')\ndel x", "## C", "open(str(x), 'w')"],
        "but stage `b` deletes it before",
    ),
}


@pytest.mark.parametrize(("cells", "why"), LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_a_cell_that_cannot_run_from_top_to_bottom_is_left_out_and_it_is_said_why(cells, why):
    found = suggested(*cells)
    assert found.remaining == ()
    assert any(cell.role == "exploration" and why in cell.why for cell in found.cells)
    assert any(cell.role == "stage" for cell in found.cells)


def test_cells_that_need_what_a_left_out_cell_makes_are_left_out_too():
    found = suggested("a = missing\na2 = 1", "b = a + 1\nb.fit()", "c = 1\nopen('c', 'w')")
    assert [cell.role for cell in found.cells] == ["exploration", "exploration", "stage"]
    assert found.cells[1].why == "reads `a`, which only cell 1 makes"


def test_errors_of_cells_that_have_a_role_remain_and_are_told():
    found = suggested(("stage:a", "print(missing)"), "x = 1\nopen('x', 'w')")
    assert [one.code for one in found.remaining] == ["SB201"]


HINTS = {
    "an import in a stage": (
        [IMPORTS, f"import json\n{LOAD}\ndf.to_csv('x')", "## Next", "json.dump(df.describe(), open('y', 'w'))"],
        ("cell 2, line 1", "json"),
    ),
    "packages in setup": (
        [f"!pip install x\n{IMPORTS}", LOAD, "df.to_csv('x')"],
        ("cell 1, line 1", "installs or fetches"),
    ),
    "settings beside imports": (
        [f"{IMPORTS}\nstrength = 1.0", LOAD, TRAIN],
        ("cell 1, line 3", "strength could be set for each run"),
    ),
}


@pytest.mark.parametrize(("cells", "hint"), HINTS.values(), ids=HINTS.keys())
def test_what_a_person_could_do_is_hinted_at(cells, hint):
    told = [(str(one.place), one.text) for one in suggested(*cells).hints]
    assert [place for place, text in told if hint[1] in text] == [hint[0]]


def test_a_report_keeps_what_its_pictures_are_made_of():
    found = tags("import pandas as pd", LOAD, "by_year = df.groupby('year').mean()", "by_year.plot()")
    assert [bool(tag) for tag in found] == [True, True, True, False]


def test_a_notebook_of_looks_has_no_stage():
    found = suggested("1 + 1", "print('hello')")
    assert (found.pipeline, found.new) == (None, ())


def test_another_language_and_a_notebook_without_code_are_refused():
    made = document("x = 1")
    made["metadata"] = {"kernelspec": {"name": "ir", "language": "R"}}
    with pytest.raises(NotebookError, match="is in r"):
        suggest(made, PATH)
    with pytest.raises(NotebookError, match="notebook.ipynb has no code cells"):
        suggest(document("# Title"), PATH)


def test_accepted_suggestions_are_final():
    made = document(IMPORTS, "strength = 1.0", "## Load", LOAD, "df.head()", "## Fit", CLEAN, TRAIN, SCORE)
    once = tagged(made, suggest(made, PATH))
    again = suggest(once, PATH)
    assert again.new == ()
    assert json.dumps(tagged(once, again)) == json.dumps(once)
    assert [one for one in examine(once, PATH)[1] if one.severity == "error"] == []


def test_a_long_notebook_has_no_more_stages_than_one_can_look_at():
    cells = [f"d{n + 1} = d{n}.assign(x=d{n}['x'] + {n})\nd{n + 1}['y'] = {n}" for n in range(60)]
    headed = [part for n, cell in enumerate(cells) for part in (f"## Part {n}", cell)]
    found = suggested("import pandas as pd", "d0 = pd.read_csv('x.csv')", *headed, "d60.to_csv('y.csv')")
    assert 3 <= len(found.pipeline.stages) <= 12
