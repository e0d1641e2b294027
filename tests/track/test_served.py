"""A model that a notebook's stage registers with `model=` is served: by ONNX Runtime, where it converts."""

from __future__ import annotations

import mlflow
import numpy as np
import pandas as pd
import pytest
from late_models import Registry
from recording import record_in_this_process

from stagebook.serve.reloading import first
from stagebook.serve.schema import Rows, fitted
from stagebook.serve.versions import reference_named

pytestmark = pytest.mark.timeout(600)

CELLS = [
    (
        "setup",
        "import pandas as pd\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.preprocessing import StandardScaler",
    ),
    ("stage:load", "table = pd.read_csv('data.csv')"),
    ("stage:split", "X, y = table[['size']].assign(twice=table['size'] * 2), table['late']"),
    (
        "",
        "%%stage train model=model.{method}\n"
        "model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y{flags})",
    ),
]


@pytest.mark.parametrize(("method", "flags"), [("predict_proba", ""), ("predict", " == 1")])
def test_a_notebooks_model_answers_by_onnx_runtime(tmp_path, monkeypatch, method, flags):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("STAGEBOOK_CACHE", str(tmp_path / "cache"))
    record_in_this_process(monkeypatch)
    registry = Registry(tmp_path)
    registry.run([(kind, text.format(method=method, flags=flags) if not kind else text) for kind, text in CELLS])
    [version] = registry.versions()
    assert version.tags["stagebook.serialization"] == "skops"
    current = first(f"sqlite:///{registry.home}/mlflow.db", reference_named("late/1"))
    assert current.package.backend == "ONNX Runtime", current.package.why
    rows = Rows(["size", "twice"], [[0.3, 2.5], [0.6, 5.0]], 2)
    said = current.backend.predict(fitted(rows, current.package.schema))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{registry.home}/mlflow.db")
    model = mlflow.pyfunc.load_model("models:/late/1")
    expected = model.predict(pd.DataFrame({"size": [0.3, 2.5], "twice": [0.6, 5.0]})).tolist()
    assert [type(one) for one in said] == [type(one) for one in expected]
    assert np.allclose(said, expected)
