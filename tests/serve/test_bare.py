"""Models of scikit-learn, and feature stages before them, answer without MLflow, and say what they say with it."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import mlflow
import pandas as pd
import pytest
from mlflow.models import infer_signature
from tests.serve.conftest import NAMES

from stagebook.serve.backends import plain
from stagebook.serve.packages import MODEL, folder_of, package_in
from stagebook.serve.preparing import _prepared
from stagebook.serve.refusals import MismatchError
from stagebook.serve.reloading import first
from stagebook.serve.schema import Rows, fitted
from stagebook.serve.scoring import score_file
from stagebook.serve.versions import reference_named
from stagebook.track.scorer import save_scorer

ALONE = """
import json, pathlib, sys
from stagebook.serve.backends import loaded
from stagebook.serve.packages import package_in
from stagebook.serve.protocol import rows_in
from stagebook.serve.schema import fitted

package = package_in(pathlib.Path(sys.argv[1]))
said = loaded(package).predict(fitted(rows_in(package.example), package.schema))
print(json.dumps({"said": said, "imported": sorted({"mlflow", "skops", "torch"} & sys.modules.keys())}))
"""
TRUSTED = [
    "functools.partial",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
]


@pytest.fixture(scope="module")
def table():
    import numpy as np

    return pd.DataFrame(np.random.default_rng(1).normal(size=(300, 4)), columns=NAMES)


@pytest.fixture(scope="module")
def boosted(table):
    """A model that does not convert to ONNX."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_iter=20).fit(table, table["a"] > table["b"])


def logged(model, table, form):
    return mlflow.sklearn.log_model(
        model,
        name="model",
        signature=infer_signature(table, model.predict_proba(table)),
        input_example=table[:5],
        pyfunc_predict_fn="predict_proba",
        pip_requirements=["scikit-learn"],
        serialization_format=form,
        skops_trusted_types=TRUSTED if form == "skops" else None,
    )


def package_of(registry, name):
    """The version's package, prepared."""
    return package_in(folder_of(_prepared(registry.uri, reference_named(name))))


def told_alone(package):
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(package.folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("form", ["skops", "cloudpickle"])
def test_a_model_that_does_not_convert_answers_without_mlflow(registry, table, boosted, form):
    registry.add(f"boosted-{form}", lambda: logged(boosted, table, form))
    package = package_of(registry, f"boosted-{form}/1")
    assert (package.layout, package.bare.method) == (None, "predict_proba")
    assert told_alone(package) == {"said": boosted.predict_proba(table[:5]).tolist(), "imported": []}


def test_feature_stages_before_a_model_answer_without_mlflow(registry, table, boosted, tmp_path):
    inner = tmp_path / "inner"
    mlflow.sklearn.save_model(
        boosted, str(inner), pyfunc_predict_fn="predict_proba", serialization_format="cloudpickle"
    )
    rows = table.rename(columns={"a": "raw"}).assign(place=[index % 3 for index in range(300)])
    code = "X = rows.join(more, on='place').assign(a=rows['raw'] * 2)\nmore['d'] = 0"
    more = pd.DataFrame({"times": [1.0, 2.0, 3.0]})
    made = rows.join(more, on="place").assign(a=rows["raw"] * 2)
    save_scorer(
        tmp_path / "scorer",
        features={"setup": "import pandas as pd", "code": code, "rows": "rows"},
        taken={"rows": rows, "more": more},
        table=("X", made, NAMES),
        predict=boosted.predict_proba,
        model=inner,
        requirements=["mlflow"],
    )

    def log():
        mlflow.log_artifacts(str(tmp_path / "scorer"), "model")
        return SimpleNamespace(model_uri=f"runs:/{mlflow.active_run().info.run_id}/model")

    registry.add("features", log)
    package = package_of(registry, "features/1")
    said = told_alone(package)
    theirs = mlflow.pyfunc.load_model(str(package.folder / MODEL))
    names = [column.name for column in package.schema.columns]
    assert said == {"said": plain(theirs.predict(rows[names][:5])), "imported": []}


def test_times_with_a_zone_are_taken_in_utc_where_the_notebooks_had_one(registry, tmp_path):
    from sklearn.ensemble import HistGradientBoostingClassifier

    rows = pd.DataFrame({"at": pd.date_range("2013-01-01", periods=300, freq="h", tz="America/New_York")})
    made = pd.DataFrame({"hour": rows["at"].dt.hour})
    model = HistGradientBoostingClassifier(max_iter=5).fit(made, made["hour"] > 12)
    inner = tmp_path / "inner"
    mlflow.sklearn.save_model(model, str(inner), pyfunc_predict_fn="predict", serialization_format="cloudpickle")
    save_scorer(
        tmp_path / "scorer",
        features={"setup": "import pandas as pd", "code": "X = pd.DataFrame({'hour': rows['at'].dt.hour})", "rows": ""},
        taken={"rows": rows},
        table=("X", made, ["hour"]),
        predict=model.predict,
        model=inner,
        requirements=["mlflow"],
    )

    def log():
        mlflow.log_artifacts(str(tmp_path / "scorer"), "model")
        return SimpleNamespace(model_uri=f"runs:/{mlflow.active_run().info.run_id}/model")

    registry.add("zoned", log)
    current = first(registry.uri, reference_named("zoned"))
    texts = ["2013-01-01T15:00:00", "2013-01-01 15:00:00+00:00", "2013-01-01T10:00:00-05:00", "2013-01-01T15:00:00Z"]
    late = ["2013-01-01T15:00:00-05:00", None]

    def said(values):
        return current.backend.predict(fitted(Rows(["at"], [values], len(values)), current.package.schema))

    assert said([*texts, *late]) == [False, False, False, False, True, False]
    with pytest.raises(MismatchError, match="in row 2: write 2013-07-01T08:30:00, in UTC or with a time zone"):
        said([texts[0], "soon"])
    rows.tail(24).to_parquet(tmp_path / "in.parquet")
    assert score_file(current, tmp_path / "in.parquet", tmp_path / "out.parquet", chunk=10).rows == 24
    scored = pd.read_parquet(tmp_path / "out.parquet")
    assert scored["prediction"].tolist() == model.predict(made.tail(24)).tolist()


def test_what_mlflow_says_in_another_way_is_asked_through_mlflow(registry):
    package = package_of(registry, "code/1")
    assert package.bare is None


def test_pickles_that_may_not_be_loaded_are_not(registry, table, boosted, monkeypatch):
    registry.add("forbidden", lambda: logged(boosted, table, "cloudpickle"))
    package = package_of(registry, "forbidden/1")
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    from stagebook.errors import StagebookError
    from stagebook.serve.backends import loaded

    with pytest.raises(StagebookError, match="is disallowed"):
        loaded(package)
