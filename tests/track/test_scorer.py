"""Models that are packed with the stages before them: they take raw rows, and say what the notebook says of them."""

from __future__ import annotations

import copy
import subprocess
import sys

import mlflow
import numpy as np
import pandas as pd
import pytest
from late_models import Registry
from notebooks_factory import pipeline
from recording import record_in_this_process

from stagebook.errors import UsageError
from stagebook.track.scorer import save_scorer
from stagebook.track.slices import feature_slice

pytestmark = pytest.mark.timeout(600)

SETUP = """\
import pandas as pd
from sklearn.linear_model import LogisticRegression

def squared(column):
    return column**2
"""
TABLE = "table = pd.read_csv('data.csv')"
MEANS = "means = table.groupby('shop')['size'].mean().rename('usual').reset_index()"
FEATURES = """\
table['big'] = table['size'] > limit
means['usual'] += 0.0
X = table.merge(means, on='shop', how='left').assign(square=squared(table['size']))
X['quote'] = X['shop'].eq('north') & X['size'].gt(0)  # "quoted" \\\\ \"\"\"so\"\"\"
X = X[['size', 'big', 'usual', 'square', 'quote']]
"""
TRAIN = """\
%%stage train model=model.predict_proba features={features}
columns = ['size', 'big', 'usual', 'square', 'quote']
model = LogisticRegression().fit(X[columns], table.loc[X.index, 'late'])
chances = model.predict_proba(X[columns])
"""


def cells(features=FEATURES, *, named="features", means=MEANS):
    return [
        ("parameters", "limit = 0.5"),
        ("setup", SETUP),
        ("stage:load", TABLE),
        ("stage:means", means),
        ("stage:features", features),
        ("", TRAIN.format(features=named)),
        ("", "chances"),
    ]


@pytest.fixture
def registry(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    record_in_this_process(monkeypatch)
    return Registry(tmp_path)


def test_it_says_of_raw_rows_what_the_notebooks_model_says(registry, monkeypatch):
    registry.run(cells(), parameters={"limit": 0.2})
    [version] = registry.versions()
    assert version.tags["stagebook.example"] == "table"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{registry.home}/mlflow.db")
    folder = mlflow.artifacts.download_artifacts("models:/late/1")
    signature = mlflow.models.get_model_info(folder).signature
    assert [column.name for column in signature.inputs] == ["size", "shop"]
    raw = pd.read_csv(registry.folder / "data.csv")
    table = raw.assign(big=raw["size"] > 0.2, square=raw["size"] ** 2)
    table["usual"] = raw.groupby("shop")["size"].transform("mean")
    table["quote"] = raw["shop"].eq("north") & raw["size"].gt(0)
    columns = ["size", "big", "usual", "square", "quote"]
    from sklearn.linear_model import LogisticRegression

    expected = LogisticRegression().fit(table[columns], raw["late"]).predict_proba(table[columns])
    said = mlflow.pyfunc.load_model(folder).predict(raw[["size", "shop"]])
    assert np.allclose(said, expected)
    code = (
        "import sys; sys.modules['stagebook'] = None; import mlflow, pandas;"
        f"print(mlflow.pyfunc.load_model({folder!r}).predict(pandas.DataFrame({{'size': [0.3], 'shop': ['south']}})))"
    )
    alone = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd="/")
    assert alone.returncode == 0, alone.stderr
    assert alone.stdout.startswith("[[0.")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model in MLflow's format that says what it is given."""
    folder = tmp_path_factory.mktemp("model") / "model"

    class Same(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input: pd.DataFrame, params=None):
            return model_input["x"].to_numpy()

    mlflow.pyfunc.save_model(str(folder), python_model=Same(), pip_requirements=["mlflow"])
    return folder


ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0] * 30, "unused": 0.0})


def saved(folder, model, code, *, rows=ROWS, taken=None, named="", own=None):
    """Save a scorer of these feature stages; its folder."""
    names = {"pd": pd, "table": rows.copy(), **copy.deepcopy(taken or {})}
    exec(code, names)
    save_scorer(
        folder / "scorer",
        features={"setup": "import pandas as pd", "code": code, "rows": named},
        taken={"table": rows, **(taken or {})},
        table=("X", names["X"], ["x"]),
        predict=lambda given: given["x"].to_numpy(),
        model=model,
        requirements=["mlflow"],
        code=own,
    )
    return folder / "scorer"


class TestScorer:
    def test_it_takes_the_columns_that_are_used_and_no_other(self, tmp_path, model):
        folder = saved(tmp_path, model, 'X = table.assign(x=table["a"] * 2)')
        loaded = mlflow.pyfunc.load_model(str(folder))
        assert [column.name for column in loaded.metadata.signature.inputs] == ["a"]
        assert list(loaded.predict(pd.DataFrame({"a": [5.0]}))) == [10.0]

    def test_times_with_a_zone_come_without_one(self, tmp_path, model):
        rows = pd.DataFrame({"at": pd.date_range("2026-01-01", periods=90, freq="h", tz="America/New_York")})
        folder = saved(tmp_path, model, 'X = table.assign(x=table["at"].dt.hour.astype(float))', rows=rows)
        noon = pd.DataFrame({"at": pd.to_datetime(["2026-01-01 17:00"])})
        assert list(mlflow.pyfunc.load_model(str(folder)).predict(noon)) == [12.0]

    def test_what_it_takes_beside_the_rows_is_as_it_was_each_time(self, tmp_path, model):
        code = 'more["by"] += 1\nX = table.assign(x=table["a"] * more["by"].iloc[0])'
        folder = saved(tmp_path, model, code, taken={"more": pd.DataFrame({"by": [1.0]})})
        loaded = mlflow.pyfunc.load_model(str(folder))
        assert [list(loaded.predict(pd.DataFrame({"a": [1.0]}))) for _ in range(2)] == [[2.0], [2.0]]

    def test_modules_of_the_users_own_go_with_it(self, tmp_path, model, monkeypatch):
        own = tmp_path / "own_features.py"
        own.write_text("def twice(column):\n    return column * 2\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        code = 'import own_features\nX = table.assign(x=own_features.twice(table["a"]))'
        folder = saved(tmp_path / "away", model, code, own=[str(own)])
        own.unlink()
        asked = f"import mlflow, pandas; model = mlflow.pyfunc.load_model({str(folder)!r});"
        asked += "print(model.predict(pandas.DataFrame({'a': [4.0]})))"
        alone = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=False, cwd="/")
        assert alone.stdout.strip() == "[8.]", alone.stderr

    @pytest.mark.parametrize(
        ("code", "named", "told"),
        [
            ('X = table.assign(x=table["a"] - table["a"].mean())', "", "depends on the other rows that it is given"),
            ('X = table[table["a"] > 1].assign(x=1.0)', "", "it is not clear which table holds the rows to score"),
            ('X = table[table["a"] > 1].assign(x=1.0)', "table", "there is to be one answer for each row"),
            ("X = table.assign(x=pd.Series(range(120)) / len(table))", "", "depends on the other rows"),
        ],
    )
    def test_what_would_be_another_answer_is_refused(self, tmp_path, model, code, named, told):
        with pytest.raises(ValueError, match=told):
            saved(tmp_path, model, code, named=named)


class TestSlice:
    def test_it_is_the_code_of_the_stages_and_what_of_setup_they_use(self):
        found = feature_slice(facts_of(cells(), limit=0.2), pipeline(cells()), ["features"], "")
        assert found["setup"].startswith("limit = 0.2\n")
        assert "def squared" in found["setup"]
        assert sorted(found["taken"]) == ["means", "table"]
        assert "X" in found["made"]

    @pytest.mark.parametrize(
        ("setup", "features", "cell"),
        [("import os", "X = [table]\n%time X", 3), ("files = !ls", "X = [table, files]", 1)],
    )
    def test_magics_that_count_are_refused(self, setup, features, cell):
        given = [("setup", setup), ("stage:load", "table = 1"), ("stage:f", features), ("stage:train", "print(X)")]
        told = f"cell {cell}, which `features` need, holds a magic or a shell line"
        with pytest.raises(UsageError, match=told):
            feature_slice(facts_of(given), pipeline(given), ["f"], "")

    def test_magics_that_stand_alone_in_setup_are_left_out(self):
        given = [
            ("setup", "%load_ext stagebook\nimport os"),
            ("stage:load", "table = 1"),
            ("stage:f", "X = os.sep, table"),
        ]
        assert feature_slice(facts_of(given), pipeline(given), ["f"], "")["setup"] == "import os"


def facts_of(given, **parameters):
    """What `run.json` says of a run of these cells, as far as it counts here."""
    found = pipeline(given)
    stages = [
        {
            "stage": stage.name,
            "inputs": {name: f"b#{name}" for name in found.inputs[stage.name]},
            "outputs": {name: f"b#{name}" for name in found.outputs[stage.name]},
        }
        for stage in found.stages
    ]
    edges = [{"source": edge.source, "target": edge.target, "names": list(edge.names)} for edge in found.edges]
    return {"stages": stages, "edges": edges, "parameters": parameters}
