"""What skl2onnx leaves to be mended of trees: flags that are no integers, and which way missing values go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any


def integers_for_flags() -> AbstractContextManager[Any]:
    """While this is open, ONNX takes flags for the integers that they are: skl2onnx gives it some of boosted trees."""
    from unittest.mock import patch

    from onnx import helper

    make = helper.make_attribute

    def with_integers(key: str, value: Any, *rest: Any, **others: Any) -> Any:
        if isinstance(value, list) and any(isinstance(one, bool) for one in value):
            value = [int(one) if isinstance(one, bool) else one for one in value]
        return make(key, value, *rest, **others)

    return patch.object(helper, "make_attribute", with_integers)


def set_ways_of_missing(converted: Any, model: Any) -> None:
    """Have missing values go in a forest's trees as they go in scikit-learn's: skl2onnx sends them all to the right.

    Args:
        converted: the ONNX model, which is changed.
        model: scikit-learn's; where it holds more than one forest, nothing is changed.
    """
    nodes = [node for node in converted.graph.node if node.op_type.startswith("TreeEnsemble")]
    forests = [part for part in _parts(model) if _trees(part)]
    if len(nodes) != 1 or len(forests) != 1:
        return
    attributes = {attribute.name: attribute for attribute in nodes[0].attribute}
    ways = [tree.missing_go_to_left for tree in _trees(forests[0])]
    places = zip(attributes["nodes_treeids"].ints, attributes["nodes_nodeids"].ints, strict=True)
    leftward = [int(ways[tree][node]) for tree, node in places]
    given = attributes.get("nodes_missing_value_tracks_true")
    if given is None:
        from onnx import helper

        nodes[0].attribute.append(helper.make_attribute("nodes_missing_value_tracks_true", leftward))
    else:
        given.ints[:] = leftward


def thresholds(model: Any) -> dict[int, Any]:
    """The numbers at which the trees in a model part, by the place of the column in what the trees take."""
    import numpy as np

    found: dict[int, list[Any]] = {}
    for part in _parts(model):
        pairs = [(tree.feature, tree.threshold) for tree in _trees(part)]
        for grown in getattr(part, "_predictors", ()):  # of histogram-based boosting
            nodes = [predictor.nodes for predictor in grown]
            pairs += [(np.where(node["is_leaf"], -1, node["feature_idx"]), node["num_threshold"]) for node in nodes]
        for features, numbers in pairs:
            for place in set(features[features >= 0].tolist()):
                found.setdefault(place, []).append(numbers[features == place])
    together = {place: np.concatenate(numbers) for place, numbers in found.items()}
    return {place: numbers[np.isfinite(numbers)] for place, numbers in together.items()}


def _parts(model: Any) -> Iterator[Any]:
    """The model, and what it is made of if it is a pipeline."""
    yield model
    for _, step in getattr(model, "steps", ()):
        yield from _parts(step)


def _trees(part: Any) -> list[Any]:
    """The trees of a forest, or the one of a decision tree; none of all else."""
    estimators = getattr(part, "estimators_", None)
    if estimators is None:
        return [part.tree_] if hasattr(part, "tree_") else []
    flat = list(getattr(estimators, "flat", estimators))
    return [one.tree_ for one in flat] if all(hasattr(one, "tree_") for one in flat) else []
