"""A training notebook of two branches: what does not depend on one another can be done at the same time."""

from __future__ import annotations

from benchmarks.workloads.model import Step, Workload

SETUP = """\
import json

import numpy as np
import pandas as pd
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.metrics import roc_auc_score
"""

LOAD = """\
random = np.random.default_rng(7)
table = pd.DataFrame(random.normal(size=(200_000, 12)), columns=[f"x{number}" for number in range(12)])
table["shop"] = random.choice(["north", "south", "east", "west"], size=len(table))
"""

FEATURES = """\
table["product"] = table["x0"] * table["x1"]
table["usual"] = table.groupby("shop")["x2"].transform("mean")
chance = 1 / (1 + np.exp(-table["product"] - table["x3"] + 0.5 * table["x4"] ** 2))
table["bought"] = (np.random.default_rng(8).random(len(table)) < chance).astype(int)
"""

SPLIT = """\
columns = [name for name in table.columns if name not in ("shop", "bought")]
train, test = table.iloc[:12_000], table.iloc[150_000:]
"""

FOREST = """\
forest = RandomForestClassifier(n_estimators=100, min_samples_leaf=5, random_state=1)
forest.fit(train[columns], train["bought"])
forest_chance = forest.predict_proba(test[columns])[:, 1]
"""

BOOSTING = """\
boosting = GradientBoostingClassifier(n_estimators=80, max_depth=3, random_state=1)
boosting.fit(train[columns], train["bought"])
boosting_chance = boosting.predict_proba(test[columns])[:, 1]
"""

EVALUATE = """\
aucs = {
    "forest": float(roc_auc_score(test["bought"], forest_chance)),
    "boosting": float(roc_auc_score(test["bought"], boosting_chance)),
}
called = {"forest": float((forest_chance > threshold).mean()), "boosting": float((boosting_chance > threshold).mean())}
"""

CHOOSE = """\
best = max(aucs, key=aucs.get)
score, share = round(aucs[best], 6), round(called[best], 6)
print("RESULT " + json.dumps({"best": best, "score": score, "share": share, "edition": 1}))
"""


def branches() -> Workload:
    """Two models trained on one table, independent of each other, about ten seconds of work in all."""
    return Workload(
        name="branches",
        title="a training notebook with two branches, about 10 s of work",
        setup=SETUP,
        steps=(
            Step("load", (LOAD,)),
            Step("features", (FEATURES,)),
            Step("split", (SPLIT,)),
            Step("train_forest", (FOREST,)),
            Step("train_boosting", (BOOSTING,)),
            Step("evaluate", (EVALUATE,)),
            Step("choose", (CHOOSE,)),
        ),
        parameters={"threshold": 0.5},
        sweep=("threshold", (0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9)),
        metrics=("score", "share"),
    )
