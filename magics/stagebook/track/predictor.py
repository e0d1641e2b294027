"""A model of no library that MLflow knows, as MLflow calls one. It is saved by value: to load it takes none of ours."""

from __future__ import annotations

from typing import Any

from mlflow.pyfunc.model import PythonModel  # noqa: TID253 - imported by what has MLflow loaded already


class Predictor(PythonModel):
    """Calls one method of a model.

    Args:
        model: the model.
        method: the method's name; a model without it is called itself.
    """

    def __init__(self, model: Any, method: str) -> None:
        self._model = model
        self._method = method

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow's names
        """What the model says of the input."""
        return getattr(self._model, self._method, self._model)(model_input)
