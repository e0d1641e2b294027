"""Models in a registry, made ready once for all tests; MLflow's own server; services that several tests ask."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.serve.services import Service

CODE = '''
import pathlib, time
import mlflow.pyfunc, pandas
from mlflow.models import set_model

class Wait(mlflow.pyfunc.PythonModel):
    """Says what it was given; waits while a file is there, and fails where it is told to."""

    def predict(self, context, model_input: pandas.DataFrame, params=None):
        if (model_input["text"] == "fail").any():
            raise ValueError(f"/secret/place {model_input}")
        for text in model_input["text"].dropna():
            while text.startswith("/") and pathlib.Path(text).exists():
                time.sleep(0.01)
        kinds = [f"{kind}" for kind in model_input.dtypes]
        said = [f"{row}" for row in model_input.astype(object).values.tolist()]
        return pandas.DataFrame({"said": said, "kinds": "|".join(kinds)})

set_model(Wait())
'''
MATRIX = [[0.5, -1.25, 3.0, 0.0], [1.5, 2.0, -0.5, 8.0], [0.0, 0.25, 1.0, -2.0]]
NAMES = ["a", "b", "c", "d"]


class Registry:
    """Registered models in a sqlite file: `linear` (two versions), `forest`, `array` and `code`."""

    def __init__(self, folder):
        import mlflow
        from mlflow import MlflowClient

        from stagebook.track.tables import tables_at

        self.folder = folder
        self.home = folder / ".stagebook"
        self.home.mkdir()
        self.uri = f"sqlite:///{self.home / 'mlflow.db'}"
        mlflow.set_tracking_uri(self.uri)
        with tables_at(self.uri):
            self.client = MlflowClient(self.uri)
        self.experiment = self.client.create_experiment("serve", artifact_location=(folder / "kept").as_uri())

    def add(self, name, save):
        """Register what `save` writes as a new version, and call it the champion."""
        import mlflow
        from mlflow import MlflowClient

        mlflow.set_tracking_uri(self.uri)
        with mlflow.start_run(experiment_id=self.experiment):
            logged = save()
        version = mlflow.register_model(logged.model_uri, name).version
        MlflowClient(self.uri).set_registered_model_alias(name, "champion", version)

    def call(self, name, alias, version):
        self.client.set_registered_model_alias(name, alias, version)


@pytest.fixture(scope="session")
def registry(tmp_path_factory):
    """The models, all of them prepared in a cache of the tests' own."""
    folder = tmp_path_factory.mktemp("serving")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STAGEBOOK_CACHE", str(folder / "cache"))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        made = Registry(folder)
        _fill(made)
        for variable in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):  # MLflow sets them for its children
            patch.delenv(variable, raising=False)
        yield made


def _fill(registry):
    import mlflow
    import pandas as pd
    from mlflow.models import infer_signature

    from stagebook.serve.preparing import _prepared
    from stagebook.serve.versions import reference_named

    table, numbers = _table()
    for model in _models(table):
        registry.add("linear", lambda model=model: _logged(model, table, "predict_proba"))
    registry.add("forest", lambda: _logged(_forest(table), table, "predict"))
    registry.add("array", lambda: _logged(_on_arrays(numbers), numbers, "predict"))
    code = registry.folder / "code.py"
    code.write_text(CODE, encoding="utf-8")
    example = pd.DataFrame({"x": [0.5, 1.5], "n": [1, 2], "yes": [True, False], "text": ["u", "v"]}).assign(
        when=pd.to_datetime(["2013-07-01", "2013-07-02"])
    )
    registry.add(
        "code",
        lambda: mlflow.pyfunc.log_model(
            name="model",
            python_model=str(code),
            signature=infer_signature(example, pd.DataFrame({"said": ["x"], "kinds": ["y"]})),
            input_example=example,
            pip_requirements=["mlflow"],
        ),
    )
    for name in ("linear/1", "linear/2", "forest", "array", "code"):
        _prepared(registry.uri, reference_named(name))
    registry.call("linear", "champion", "1")


def _table():
    import numpy as np
    import pandas as pd

    numbers = np.random.default_rng(0).normal(size=(200, 4)).round(3)
    return pd.DataFrame(numbers, columns=NAMES), numbers


def _models(table):
    from sklearn.linear_model import LogisticRegression

    return [LogisticRegression().fit(table, table["a"] + way * table["b"] > 0) for way in (1, -1)]


def _forest(table):
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(10, random_state=0).fit(table, table["a"] * table["b"])


def _on_arrays(numbers):
    from sklearn.linear_model import Ridge

    return Ridge().fit(numbers, numbers.sum(axis=1))


def _logged(model, table, method):
    import mlflow.sklearn
    from mlflow.models import infer_signature

    return mlflow.sklearn.log_model(
        model,
        name="model",
        signature=infer_signature(table, getattr(model, method)(table)),
        input_example=table[:5],
        pyfunc_predict_fn=method,
        pip_requirements=["scikit-learn"],
        serialization_format="cloudpickle",
    )


_PEERS = """
import json, sys, socket
import mlflow, uvicorn
from fastapi import FastAPI
from mlflow.pyfunc import load_model, scoring_server
mlflow.set_tracking_uri(sys.argv[1])
app = FastAPI()
for name in sys.argv[2:]:
    app.mount(f"/{name}", scoring_server.init(load_model(f"models:/{name}@champion")))
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="critical")).run(sockets=[listening])
"""


@pytest.fixture(scope="session")
def peers(registry):
    """The port of MLflow's own scoring servers, each below its model's name."""
    command = [sys.executable, "-c", _PEERS, registry.uri, "linear", "forest", "array", "code"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=quiet, text=True)
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="session")
def services(registry, peers):
    """A service for each model, for tests that leave it as it is; the peers come up meanwhile."""
    found = {name: Service(registry.folder, name, "--no-log") for name in ("linear", "forest", "array", "code")}
    yield found
    for service in found.values():
        service.stop()


@pytest.fixture
def serving(registry):
    """Starts services that end with the test."""
    started = []

    def start(*words, folder=registry.folder, **variables):
        started.append(Service(folder, *words, **variables))
        return started[-1]

    yield start
    for service in started:
        service.stop()
