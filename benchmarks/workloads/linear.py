"""A training notebook without branches: nothing can be done at the same time."""

from __future__ import annotations

from benchmarks.workloads.branches import FEATURES, FOREST, LOAD, SETUP, SPLIT
from benchmarks.workloads.model import Step, Workload

EVALUATE = """\
score = round(float(roc_auc_score(test["bought"], forest_chance)), 6)
share = round(float((forest_chance > threshold).mean()), 6)
"""

TELL = """\
verdict = score * share
print("RESULT " + json.dumps({"verdict": round(verdict, 6), "score": score, "share": share, "edition": 1}))
"""


def linear() -> Workload:
    """The steps of the notebook with two branches, less one branch."""
    return Workload(
        name="linear",
        title="a training notebook without branches",
        setup=SETUP,
        steps=(
            Step("load", (LOAD,)),
            Step("features", (FEATURES,)),
            Step("split", (SPLIT,)),
            Step("train_forest", (FOREST,)),
            Step("evaluate", (EVALUATE,)),
            Step("tell", (TELL,)),
        ),
        parameters={"threshold": 0.5},
        sweep=("threshold", (0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9)),
        metrics=("verdict",),
    )
