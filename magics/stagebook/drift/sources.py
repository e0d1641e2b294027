"""Tables by what people call them: a file, a model version's training data, a stage's output, a log of requests."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.drift.tables import Table, file_table, picked, table_of
from stagebook.errors import StagebookError, UsageError, did_you_mean

if TYPE_CHECKING:
    from stagebook.track.lineage import Lineage

MODEL = "models:/"
_OUTPUT = re.compile(r"(?P<notebook>.+\.ipynb):(?P<name>[^\W\d]\w*)")


@dataclass(frozen=True, slots=True)
class Window:
    """The requests of a log that are meant: those from `since` on and before `until`; None for no bound."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A table and what it is called."""

    table: Table
    name: str


def source_named(
    text: str,
    *,
    home: Path,
    also: Collection[str] = (),
    window: Window = Window(),
    values: Mapping[str, Any] | None = None,
) -> Source:
    """The table that a text names.

    Of a model's training data, the columns that it takes are meant; of a log of requests, the inputs.

    Args:
        text: a name among `values`, a file, the folder of a log of requests, `models:/NAME@ALIAS` for what that version
            was trained on, or `NOTEBOOK.ipynb:NAME` for what a stage of it made last.
        also: columns that are meant, too.
        home: the folder with the runs' record, whose MLflow is asked unless `MLFLOW_TRACKING_URI` names another.
        window: of a log, the requests that are meant.
        values: what names stand for; none where there are no names.

    Raises:
        StagebookError: there is no such table.
    """
    if values is not None and text in values:
        return Source(table_of(values[text], text), text)
    if text.startswith(MODEL):
        return _training_data(text, home, also)
    output = _OUTPUT.fullmatch(text)
    if output:
        return Source(table_of(_stage_output(Path(output["notebook"]), output["name"]), text), text)
    path = Path(text)
    if path.is_dir():
        return Source(_requests(path, window, also), f"the requests in {path.name}")
    if values is not None and not path.suffix:
        raise UsageError(f"There is no `{text}`.{did_you_mean(text, values)}")
    return Source(file_table(path), path.name)


def training_data(lineage: Lineage) -> Source:
    """The table that a model version was made of: the one that its signature and its example come from.

    Raises:
        StagebookError: it is not known, or no longer in its store.
    """
    from stagebook.store.blobs import Store
    from stagebook.store.references import ValueRef
    from stagebook.store.values import load

    called = f"{MODEL}{lineage.model}/{lineage.version}"
    name = lineage.tags.get("stagebook.example", "")
    contents = [
        values[name]
        for stage in reversed(lineage.stages)
        for values in (stage["inputs"], stage["outputs"])
        if name in values
    ]
    if not contents:
        why = "; ".join(lineage.missing) or "no table that it takes was found when it was registered"
        raise StagebookError(f"What {called} was trained on is not known ({why}). Give the data itself.")
    bundle, _, kept_as = contents[0].partition("#")
    store = Store.at(lineage.facts["store"])
    try:
        value = load([ValueRef(bundle, kept_as, (kept_as,), "")], store, namespace={})[kept_as]
    except StagebookError as error:
        remedy = f"Run {Path(lineage.facts['notebook']).name} again, or give the data itself."
        raise StagebookError(
            f"What {called} was trained on is not in {store.shown} any more ({error}). {remedy}"
        ) from error
    return Source(table_of(value, name), f"{name} of {called}")


def _training_data(text: str, home: Path, also: Collection[str]) -> Source:
    from mlflow.models import get_model_info

    from stagebook.track.lineage import lineage_of, version_named
    from stagebook.track.place import client_for, is_recorded, recording_at, tracking_uri

    if not is_recorded(home):  # MLflow would make a registry there
        remedy = "Go to the notebook's folder, or name the registry with MLFLOW_TRACKING_URI."
        raise UsageError(f"There is no registry at {home / 'mlflow.db'} that knows {text}. {remedy}")
    client = client_for(home)
    version = version_named(client, text)
    found = training_data(lineage_of(client, version))
    with recording_at(tracking_uri(home)):
        signature = get_model_info(f"{MODEL}{version.name}/{version.version}").signature
    taken = signature.inputs.input_names() if signature is not None and signature.inputs.has_input_names() else []
    return Source(picked(found.table, [*taken, *also]) if taken else found.table, found.name)


def _stage_output(notebook: Path, name: str) -> Any:
    from stagebook.book.pipeline import load_pipeline
    from stagebook.run.kept import outputs_of
    from stagebook.store.values import load

    pipeline = load_pipeline(notebook)
    makers = [stage.name for stage in pipeline.stages if name in stage.names.binds]
    if not makers:
        known = [made for stage in pipeline.stages for made in stage.names.binds]
        raise UsageError(f"No stage of {notebook.name} makes `{name}`.{did_you_mean(name, known)}")
    kept = outputs_of(notebook, makers[-1])
    if name not in kept.values:
        why = kept.unstorable.get(name, "no other stage reads it, so that it is not kept")
        raise UsageError(f"`{name}` of stage `{makers[-1]}` is not in {kept.store.shown}: {why}.")
    return load([kept.values[name]], kept.store, namespace={})[name]


def _requests(folder: Path, window: Window, also: Collection[str]) -> Table:
    from stagebook.drift.requests import INPUT, is_input, read_requests

    frame = read_requests(folder, since=window.since, until=window.until)
    inputs = frame[[name for name in frame.columns if is_input(name) or name in also]]
    return table_of(inputs.rename(columns=lambda name: name.removeprefix(INPUT)), folder.name)
