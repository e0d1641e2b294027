"""How good predictions are where labels are there, by scikit-learn's metrics, before and now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from stagebook.drift.result import Performance

if TYPE_CHECKING:
    from stagebook.drift.tables import Table

_MANY_LABELS = 20
"""Different numbers from which on labels are quantities, not classes."""


def performance_of(reference: Table, current: Table, *, target: str, prediction: str) -> Performance | None:
    """How good the predictions are on each side that has both columns; None where neither has.

    Args:
        reference: what the data was before.
        current: what it is now.
        target: the column of the labels.
        prediction: the column of what was predicted: labels, numbers, or for two classes the chance of the second.
    """
    import pandas as pd

    pairs = []
    for table in (reference, current):
        if target in table.names and prediction in table.names:
            pair = pd.DataFrame({"label": table.column(target).to_numpy(), "said": table.column(prediction).to_numpy()})
            pairs.append(pair.dropna())
        else:
            pairs.append(pd.DataFrame({"label": [], "said": []}))
    if not any(len(pair) for pair in pairs):
        return None
    task = _task(pd.concat([pair for pair in pairs if len(pair)]))
    classes = sorted({label for pair in pairs for label in pair["label"].unique()}, key=str)
    before, now = (_measured(pair, task, classes) for pair in pairs)
    return Performance(task, before, now)


def _measured(pair: Any, task: str, classes: list[Any]) -> Mapping[str, float]:
    if not len(pair):
        return {}
    if task == "regression":
        return _regression(pair["label"], pair["said"])
    return _classification(pair["label"], pair["said"], classes)


def _task(pairs: Any) -> Literal["classification", "regression"]:
    import pandas as pd

    label = pairs["label"]
    numbers = pd.api.types.is_numeric_dtype(label.dtype) and not pd.api.types.is_bool_dtype(label.dtype)
    return "regression" if numbers and label.nunique() > _MANY_LABELS else "classification"


def _regression(label: Any, said: Any) -> Mapping[str, float]:
    from sklearn import metrics

    label, said = label.astype(float), said.astype(float)
    found = {
        "mean_error": float((said - label).mean()),
        "mean_absolute_error": float(metrics.mean_absolute_error(label, said)),
        "root_mean_squared_error": float(metrics.root_mean_squared_error(label, said)),
    }
    return found | ({"r2": float(metrics.r2_score(label, said))} if len(label) > 1 else {})


def _classification(label: Any, said: Any, classes: list[Any]) -> Mapping[str, float]:
    from sklearn import metrics

    found: dict[str, float] = {}
    if _is_chance(said, classes):
        late = (label == classes[-1]).astype(int)
        chance = said.astype(float)
        if late.nunique() == 2:
            found["roc_auc"] = float(metrics.roc_auc_score(late, chance))
            found["average_precision"] = float(metrics.average_precision_score(late, chance))
        found["brier"] = float(((chance - late) ** 2).mean())
        label, said = late, (chance >= 0.5).astype(int)
    label, said = label.map(str), said.map(str)
    found["accuracy"] = float(metrics.accuracy_score(label, said))
    found["f1"] = float(metrics.f1_score(label, said, average="macro", zero_division=0))
    return found


def _is_chance(said: Any, classes: list[Any]) -> bool:
    import pandas as pd

    if not pd.api.types.is_float_dtype(said.dtype) or len(classes) > 2:
        return False
    return bool(said.between(0, 1).all()) and not bool(said.isin([0.0, 1.0]).all())
