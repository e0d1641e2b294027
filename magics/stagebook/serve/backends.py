"""What answers: a package loaded into memory, by ONNX Runtime or by MLflow."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from stagebook.errors import StagebookError
from stagebook.serve.bare import Bare, asked_of, may_load
from stagebook.serve.packages import MODEL, ONNX, Package
from stagebook.serve.refusals import MalformedError, MismatchError, RefusedError, UnscorableError
from stagebook.serve.schema import Batch, Column, Schema

_FEW = 256
"""Rows that are asked about on one core."""
_ROWS = 5
"""Rows of an example that are asked about one by one."""


class Backend(Protocol):
    """Answers requests for one version."""

    quick: bool
    """Whether a few rows take so little time that they need no thread."""

    def predict(self, batch: Batch) -> Any:
        """Predictions as plain values.

        Raises:
            RefusedError: the model does not take the rows.
        """

    def predict_message(self, body: bytes, content_type: str) -> Any:
        """The same, of a body that only MLflow can read.

        Raises:
            RefusedError: it cannot, or the model does not take it.
        """


def loaded(package: Package) -> Backend:
    """The package, ready to answer.

    Raises:
        StagebookError: it cannot be loaded.
    """
    try:
        return _Pyfunc(package) if package.layout is None else _Onnx(package)
    except Exception as error:  # a model's own code raises what it likes
        cause = str(error).strip().partition("\n")[0] or type(error).__name__
        raise StagebookError(f"{package.model} version {package.version} cannot be loaded: {cause}") from error


class _Onnx:
    """Asks ONNX Runtime, on one core: several are used by several requests."""

    quick = True

    def __init__(self, package: Package) -> None:
        import onnxruntime

        assert package.layout is not None
        assert package.schema is not None
        self._layout, self._schema = package.layout, package.schema
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        options.enable_cpu_mem_arena = False  # it would keep the largest batch's memory
        path = str(package.folder / ONNX)
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._outputs = [self._session.get_outputs()[self._layout.output].name]

    def predict(self, batch: Batch) -> Any:
        from stagebook.serve.onnx import feed_of

        if self._layout.single and batch.matrix is not None:
            feed = {"X": batch.matrix.astype(self._layout.types[0], copy=False)}
        else:
            feed = feed_of(batch.values, self._layout, self._schema)
        answers = self._session.run(self._outputs, feed)[0]
        answers = answers.astype(bool) if self._layout.flags else answers
        return answers.reshape(-1).tolist() if self._layout.flat else answers.tolist()

    def predict_message(self, body: bytes, content_type: str) -> Any:  # noqa: ARG002 - a Backend's
        raise MalformedError("The model takes rows of plain columns.")


class _Pyfunc:
    """Asks the model itself; by MLflow, unless it was seen to say the same without."""

    quick = False

    def __init__(self, package: Package) -> None:
        _forget_modules_of_others(package.folder / MODEL)
        self._schema = package.schema
        self._model: Any = None
        if package.bare is not None and may_load():
            self._ask: Any = asked_of(package.bare, package.folder / MODEL)
        else:
            import mlflow.pyfunc

            self._model = mlflow.pyfunc.load_model(str(package.folder / MODEL))
            self._ask = _shorter(self._model, package)
        self._few = _on_one_core(self._ask, package)

    def predict(self, batch: Batch) -> Any:
        assert self._schema is not None
        ask = self._few if batch.count <= _FEW else self._ask
        try:
            return plain(ask(_given(batch, self._schema)))
        except RefusedError:
            raise
        except Exception as error:  # a model's own code raises what it likes
            raise _refused(error, _missing_in(batch)) from error

    def predict_message(self, body: bytes, content_type: str) -> Any:
        import json

        from mlflow.exceptions import MlflowException
        from mlflow.pyfunc import scoring_server

        assert self._model is not None  # only a model with a schema is asked without MLflow

        try:
            server: Any = scoring_server  # it has no types
            answer = server.invocations(body, content_type, self._model, self._model.metadata.get_input_schema())
        except MlflowException as error:
            raise _refused(error, []) from error
        except Exception as error:  # as above
            raise MalformedError("The body is not in one of the formats of MLflow's scoring protocol.") from error
        if answer.status != 200:
            raise MalformedError("The body is not in one of the formats of MLflow's scoring protocol.")
        found = json.loads(answer.response)
        return found.get("predictions", found) if isinstance(found, dict) else found


def _given(batch: Batch, schema: Schema) -> Any:
    """What the model takes: a frame, or an array."""
    if schema.tensor:
        import numpy as np

        return batch.matrix if batch.matrix is not None else np.column_stack(batch.values)
    import pandas as pd

    names: Any = [column.name for column in schema.columns] if schema.named else range(len(batch.columns))
    if batch.matrix is not None:
        return pd.DataFrame(batch.matrix, columns=names, copy=False)
    if schema.named:
        names = [column.name for column in batch.columns]
    made = {
        name: _times(column, values, batch.first) if column.type == "datetime" else values
        for name, column, values in zip(names, batch.columns, batch.values, strict=True)
    }
    return pd.DataFrame(made, copy=False)


def _times(column: Column, values: Any, first: int) -> Any:
    """Texts as times without a time zone: in UTC, where the model was made of times that had one."""
    import pandas as pd

    texts = pd.Series(values, dtype=object)
    try:
        try:
            times = pd.to_datetime(texts, format="ISO8601", utc=column.zoned)
        except ValueError:
            times = pd.to_datetime(texts, utc=column.zoned)
        if column.zoned:
            times = times.dt.tz_localize(None)
        if times.dt.tz is not None:
            raise ValueError
        return times.dt.as_unit("ns")
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise MismatchError(_no_times(column, texts, first)) from None


def _no_times(column: Column, texts: Any, first: int) -> str:
    """Which of the texts is no time, or that they have a time zone where none is taken."""
    import pandas as pd

    unknown = pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce").isna() & texts.notna()
    if not unknown.any():
        return f"Column `{column.name}` holds times with a time zone, and takes none: write 2013-07-01T08:30:00."
    row, zone = first + int(unknown.to_numpy().argmax()), ", in UTC or with a time zone" if column.zoned else ""
    return f"Column `{column.name}` holds what is no time in row {row}: write 2013-07-01T08:30:00{zone}."


def _shorter(model: Any, package: Package) -> Any:
    """The way to the model behind MLflow's check of the schema, which ours has done; MLflow's where they differ.

    That check, which copies the frame column by column, costs as much as all else. Both ways are asked of the example.
    """
    behind = getattr(model, "_predict_fn", None)
    if behind is None or package.schema is None or package.schema.tensor:
        return model.predict
    return behind if _same(behind, model.predict, package) else model.predict


def is_alike(bare: Bare, package: Package) -> bool:
    """Whether the package's model says of its example, and of each of its rows, the same without MLflow as with it."""
    import mlflow.pyfunc
    import numpy as np

    folder = package.folder / MODEL
    model, ask = mlflow.pyfunc.load_model(str(folder)), asked_of(bare, folder)

    def answer(rows: Any) -> Any:
        said = ask(rows)
        if type(said) is not np.ndarray:
            raise TypeError  # what else there is, MLflow turns into JSON
        return said

    return _same(answer, model.predict, package, one_by_one=True)


def _same(one: Any, other: Any, package: Package, *, one_by_one: bool = False) -> bool:
    """Whether both say the same of the package's example, all at once, and of its rows."""
    made = _example_of(package)
    if made is None:
        return False
    parts = [made, *(made[place : place + 1] for place in range(min(len(made), _ROWS * one_by_one)))]
    try:
        return all(plain(one(part)) == plain(other(part)) for part in parts)
    except Exception:  # whatever it is, MLflow's way is the one that is described
        return False


def _example_of(package: Package) -> Any:
    """The package's example as the model takes it; None where it has none that fits."""
    from stagebook.serve.protocol import rows_in
    from stagebook.serve.schema import fitted

    if package.schema is None or package.example is None:
        return None
    try:
        return _given(fitted(rows_in(package.example), package.schema), package.schema)
    except RefusedError:
        return None


def _on_one_core(ask: Any, package: Package) -> Any:
    """The same for a few rows, without threads of OpenMP: to wake them costs more than they do for these.

    Other requests have the other cores. As it is, where that is another answer, or there is no such library.
    """
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return ask
    said = _example_said(ask, package)  # all that it takes is loaded by then
    threads = ThreadpoolController().select(user_api="openmp")
    if said is None or not threads.lib_controllers:
        return ask

    def alone(rows: Any) -> Any:
        with threads.limit(limits=1):
            return ask(rows)

    return alone if _example_said(alone, package) == said else ask


def _example_said(ask: Any, package: Package) -> Any:
    """What is said of the package's example; None where that cannot be had."""
    rows = _example_of(package)
    if rows is None:
        return None
    try:
        return plain(ask(rows))
    except Exception:  # a model's own code raises what it likes
        return None


def plain(answers: Any) -> Any:
    """Predictions as values that JSON has, as MLflow's scoring server turns them into."""
    import numpy as np

    if type(answers) is np.ndarray:
        return answers.tolist()
    import json
    from io import StringIO

    from mlflow.pyfunc import scoring_server

    server: Any = scoring_server  # it has no types
    text = StringIO()
    server.predictions_to_json(answers, text)
    return json.loads(text.getvalue())["predictions"]


def _refused(error: Exception, missing: list[str]) -> RefusedError:
    """What the sender is told of an error of the model's: not its text, which may hold rows or paths."""
    if getattr(error, "error_class", None) == "SCHEMA_ENFORCEMENT_FAILED":
        return MismatchError("The input does not fit the model's signature: /openapi.json shows an example.")
    told = "The model does not take these rows."
    if missing:
        told += f" There are missing values in {', '.join(f'`{name}`' for name in missing)}."
    return UnscorableError(told)


def _missing_in(batch: Batch) -> list[str]:
    """The columns with missing values."""
    import numpy as np

    found = []
    for column, values in zip(batch.columns, batch.values, strict=True):
        if (None in values) if isinstance(values, list) else (values.dtype.kind == "f" and np.isnan(values).any()):
            found.append(column.name)
    return found


def _forget_modules_of_others(folder: Path) -> None:
    """Modules that came with another version are imported anew: they go by the same names.

    What is being answered by that version goes on with the modules that it has.
    """
    import sys

    models = folder.parent.parent
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and models in Path(file).parents:
            del sys.modules[name]
    sys.path[:] = [entry for entry in sys.path if models not in Path(entry).parents]
