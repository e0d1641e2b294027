"""Which names a cell binds to numbers that say how good a model is."""

from __future__ import annotations

import ast

import pytest

from stagebook.book.scores import scores_of
from stagebook.book.verbs import known_in

IMPORTS = "import numpy as np\nfrom sklearn.metrics import *\nfrom sklearn import metrics\n"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("auc = roc_auc_score(y, p)", ["auc"]),
        ("auc: float = metrics.roc_auc_score(y, p)", ["auc"]),
        ("r2, mae = r2_score(y, p), mean_absolute_error(y, p)", ["r2", "mae"]),
        ("score = model.fit(X, y).score(X_test, y_test)", ["score"]),
        ("rmse = np.sqrt(mean_squared_error(y, p))", ["rmse"]),
        ("rmse = mean_squared_error(y, p) ** 0.5", ["rmse"]),
        ("off = round(1 - accuracy_score(y, p), 3)", ["off"]),
        ("cv = cross_val_score(model, X, y).mean()", ["cv"]),
        ("f1 = f1_score(y, p, average='macro')", ["f1"]),
        ("folds = cross_val_score(model, X, y)", []),
        ("f1 = f1_score(y, p, average=None)", []),
        ("errors = mean_squared_error(y, p, multioutput='raw_values')", []),
        ("matrix = confusion_matrix(y, p)", []),
        ("table = pd.DataFrame({'auc': [roc_auc_score(y, p)]})", []),
        ("def report():\n    auc = roc_auc_score(y, p)", []),
        ("scaled = X * accuracy_score(y, p)", []),
        ("print(accuracy_score(y, p))", []),
        ("loss = torch.nn.CrossEntropyLoss()", []),
    ],
)
def test_scores(source, names):
    tree = ast.parse(IMPORTS + source)
    assert list(scores_of(tree, known_in([tree]))) == names
