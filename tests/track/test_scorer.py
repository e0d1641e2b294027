"""Models that are packed with the stages before them: they take raw rows, and say what the notebook says of them."""

from __future__ import annotations

import subprocess
import sys

import mlflow
import numpy as np
import pandas as pd
import pytest
from late_models import Registry
from recording import record_in_this_process

from stagebook.events import Notice

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
X = X[['size', 'big', 'usual', 'square', 'quote', 'late']]
"""
TRAIN = """\
%%stage train model=model.predict_proba features={features}
columns = ['size', 'big', 'usual', 'square', 'quote']
model = LogisticRegression().fit(X[columns], X['late'])
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


def notices(registry, given):
    events = []
    registry.run(given, listeners=(events.append,))
    return [event.message for event in events if isinstance(event, Notice)]


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


def test_features_that_depend_on_other_rows_are_refused(registry):
    own = FEATURES.replace("> limit", "> table['size'].mean()")
    [told] = notices(registry, cells(own))
    assert "what it says of a row depends on the other rows that it is given" in told
    assert registry.versions() == []


def test_features_that_leave_rows_out_are_refused(registry):
    [told] = notices(registry, cells(FEATURES + "X = X[X['size'] > -1]\n"))
    assert "it is not clear which table holds the rows to score: name one in `rows` (`means`, `table`)" in told
    [told] = notices(registry, cells(FEATURES + "X = X[X['size'] > -1]\n", named="features rows=table"))
    assert "there is to be one answer for each row" in told
    assert registry.versions() == []


def test_a_magic_in_a_feature_stage_is_refused(registry):
    [told] = notices(registry, cells(FEATURES + "%time X = X\n"))
    assert "cell 5 of `features` holds a magic or a shell line" in told
