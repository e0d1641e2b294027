"""A notebook that trains a model, and what MLflow has registered of it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from mlflow import MlflowClient
from notebooks_factory import written

from stagebook.cli import main
from stagebook.run.api import run_notebook

GATE = "auc >= 0.6 and auc >= champion.auc - 0.001"
CELLS = [
    ("parameters", "depth = 3"),
    ("setup", "import pandas as pd\nfrom sklearn.ensemble import RandomForestClassifier"),
    ("stage:load", "table = pd.read_csv('data.csv')"),
    ("stage:prepare", "X = table[['size', 'shop', 'age']].assign(shop=table['shop'].eq('north'))\ny = table['late']"),
    (
        "",
        "%%stage train model=model.predict_proba\n"
        "model = RandomForestClassifier(5, max_depth=depth, random_state=0)\nmodel.fit(X, y)",
    ),
    ("", f'%%stage evaluate metrics=auc gate="{GATE}"\nauc = float(model.score(X, y))'),
]


def data(folder: Path) -> None:
    random = np.random.default_rng(0)
    size, age = random.normal(size=200), random.integers(0, 9, size=200)
    late = size + age / 3 > 1.5
    rows = [
        f"{size[row]:.6f},{'north' if row % 3 else 'south'},{age[row] if row % 5 else ''},{int(late[row])}"
        for row in range(200)
    ]
    (folder / "data.csv").write_text("\n".join(["size,shop,age,late", *rows]))


class Registry:
    """A notebook's folder and what MLflow has registered of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "late.ipynb"
        data(folder)
        self.write(CELLS)

    def write(self, cells):
        self.path = written(self.folder, cells, name="late.ipynb")

    def run(self, cells=None, **options):
        if cells is not None:
            self.write(cells)
        return run_notebook(self.path, **options)

    def command(self, *words):
        return CliRunner().invoke(main, [*words])

    @property
    def home(self):
        return self.folder / ".stagebook"

    @property
    def client(self):
        return MlflowClient(os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{self.home}/mlflow.db")

    def versions(self, name="late"):
        found = self.client.search_model_versions(f"name = '{name}'")
        return [self.client.get_model_version(name, one.version) for one in sorted(found, key=lambda one: one.version)]

    def aliases(self, name="late"):
        """The aliases and their versions; none where nothing is registered."""
        if not (self.home / "mlflow.db").exists():
            return {}
        models = [model for model in self.client.search_registered_models() if model.name == name]
        return {alias: int(version) for model in models for alias, version in model.aliases.items()}
