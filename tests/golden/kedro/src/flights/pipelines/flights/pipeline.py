"""The pipeline of flights.ipynb: a node for each stage."""

from kedro.pipeline import Node, Pipeline

from .nodes import (
    boosting,
    choose,
    collect_metrics,
    evaluate,
    features,
    linear,
    load,
    split,
)


def create_pipeline(**kwargs) -> Pipeline:
    """The nodes, joined by the datasets that they take and make."""
    return Pipeline(
        [
            Node(
                func=load,
                inputs=None,
                outputs=["flights", "weather", "planes"],
                name="load",
            ),
            Node(
                func=features,
                inputs=["flights", "weather", "planes"],
                outputs=["trips", "categories", "quantities"],
                name="features",
            ),
            Node(
                func=split,
                inputs={
                    "trips": "trips",
                    "categories": "categories",
                    "quantities": "quantities",
                    "late_after": "params:late_after",
                    "hold_out": "params:hold_out",
                    "test_share": "params:test_share",
                    "seed": "params:seed",
                },
                outputs=[
                    "X_train",
                    "X_test",
                    "y_train",
                    "y_test",
                    "late_share",
                    "days",
                    "held_out",
                ],
                name="split",
            ),
            Node(
                func=linear,
                inputs=["categories", "quantities", "X_train", "y_train"],
                outputs="linear_model",
                name="linear",
            ),
            Node(
                func=boosting,
                inputs={
                    "categories": "categories",
                    "quantities": "quantities",
                    "X_train": "X_train",
                    "y_train": "y_train",
                    "depth": "params:depth",
                    "learning_rate": "params:learning_rate",
                    "seed": "params:seed",
                },
                outputs="boosting_model",
                name="boosting",
            ),
            Node(
                func=evaluate,
                inputs=[
                    "X_test",
                    "y_test",
                    "late_share",
                    "linear_model",
                    "boosting_model",
                ],
                outputs=[
                    "auc_linear",
                    "auc_boosting",
                    "scores_linear",
                    "scores_boosting",
                ],
                name="evaluate",
            ),
            Node(
                func=choose,
                inputs=["linear_model", "boosting_model", "auc_linear", "auc_boosting"],
                outputs=["best_name", "best_model", "best_auc"],
                name="choose",
            ),
            Node(
                func=collect_metrics,
                inputs=[
                    "late_share",
                    "auc_linear",
                    "auc_boosting",
                    "scores_linear",
                    "scores_boosting",
                    "best_auc",
                ],
                outputs="metrics",
                name="metrics",
            ),
        ]
    )
