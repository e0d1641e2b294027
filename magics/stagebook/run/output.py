"""The output notebook: the whole source notebook, every cell's outputs, timings and status in their own place."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from stagebook.book.cells import INJECTED, tags_of
from stagebook.events import Event, StageFinished
from stagebook.model import Cell, Pipeline
from stagebook.run.as_papermill import notebook_text
from stagebook.run.files import write_text
from stagebook.run.job import CellRecord, JobCell, StageResult
from stagebook.run.widgets import as_metadata, shown

_SHARE = 10
"""After a save of a second, the next one waits for ten: a notebook with many stages is not written for each of them."""


class OutputNotebook:
    """Fills in a notebook as stages finish; a listener.

    Args:
        node: the notebook (nbformat 4), plain or nbformat's own, changed in place.
        pipeline: what it was read as.
        cells: per cell index in `node`, the cell as kernels get it.
        run: the run's id.
        path: where to save as stages finish; None to leave that to somebody else.
    """

    def __init__(
        self, node: Any, pipeline: Pipeline, cells: Mapping[int, JobCell], *, run: str, path: Path | None
    ) -> None:
        self.node = node
        self.pipeline = pipeline
        self.cells = cells
        self.run = run
        self.path = path
        self._is_due = False
        self._is_saved = False
        self._next = 0.0
        self._displays: dict[int, list[tuple[str | None, Any]]] = {}
        self._results: dict[str, StageResult] = {}
        self._roles: dict[int, Cell] = {cell.index: cell for cell in pipeline.cells}
        for index, cell in enumerate(node["cells"]):
            if cell["cell_type"] == "code":
                cell["outputs"], cell["execution_count"] = [], None
                role = self._roles.get(index)
                explored = role is not None and role.role in ("exploration", "test")
                self._mark(cell, role.role if explored and role else "not run")
        setup = {cell.index for cell in pipeline.cells if cell.role in ("parameters", "setup")}
        setup |= {index for index in cells if INJECTED in tags_of(node["cells"][index])}
        self._setup = sorted(setup)

    def __call__(self, event: Event) -> None:
        """Take in a finished stage's cells, and save now and then."""
        if isinstance(event, StageFinished) and event.result is not None:
            self._results[event.stage] = event.result
            self._fill_stage(event)
            self._is_due = True
        if self._is_due and self.path is not None and time.monotonic() >= self._next:
            self.save()

    def save(self) -> None:
        """Write the notebook as it stands, unless that has been done."""
        if self._is_saved and not self._is_due:
            return
        if self._results:
            self._fill_preamble()
            self._fill_widgets()
            self._update_displays()
        if self.path is not None:
            began = time.monotonic()
            write_text(self.path, notebook_text(self.node))
            self._next = time.monotonic() + _SHARE * (time.monotonic() - began)
            self._is_saved = True
        self._is_due = False

    def _fill_stage(self, event: StageFinished) -> None:
        result: StageResult = event.result
        indexes = [cell.index for cell in self.pipeline.stage(event.stage).cells]
        records = list(result.cells)
        for index in indexes:
            record = _taken(records, self.cells[index].code)
            if record is not None:
                self._fill(index, record, "failed" if record.failed else event.state, event.stage)
            elif self.cells[index].source.strip() and event.state != "skipped":
                self._mark(self.node["cells"][index], "not run", event.stage)
            else:
                self._mark(self.node["cells"][index], event.state, event.stage)
        if result.failure is not None:
            self._show_failure(indexes, result)

    def _fill_preamble(self) -> None:
        """Setup ran in every kernel; what is shown is what it put out before the first stage in order."""
        for stage in self.pipeline.stages:
            result = self._results.get(stage.name)
            if result is None or not result.cells:
                continue
            records = list(result.cells)
            for index in self._setup:
                record = _taken(records, self.cells[index].code)
                if record is not None:
                    self._fill(index, record, "failed" if record.failed else "done", None)
            return

    def _fill_widgets(self) -> None:
        """The state of the widgets that the cells show, whichever run made them; a source's own may be out of date."""
        models = {name: model for result in self._results.values() for name, model in result.widgets.items()}
        found = shown(models, (out for cell in self.node["cells"] for out in cell.get("outputs", ())))
        self.node["metadata"].pop("widgets", None)
        if found:
            self.node["metadata"]["widgets"] = as_metadata(found)

    def _update_displays(self) -> None:
        """What a cell shows under a display id is shown wherever an earlier one used that."""
        shown: dict[str, list[Any]] = {}
        for _, outputs in sorted(self._displays.items()):
            for name, output in outputs:
                for earlier in shown.get(name, ()) if name else ():
                    earlier["data"], earlier["metadata"] = output["data"], output["metadata"]
                if name and output["output_type"] != "update_display_data":
                    shown.setdefault(name, []).append(output)

    def _fill(self, index: int, record: CellRecord, state: str, stage: str | None) -> None:
        cell = self.node["cells"][index]
        outputs = [self._own(output) for output in record.outputs]
        self._displays[index] = [(output.pop("transient", {}).get("display_id"), output) for output in outputs]
        cell["outputs"] = [output for output in outputs if output["output_type"] != "update_display_data"]
        cell["execution_count"] = record.execution_count
        self._mark(cell, state, stage, record)

    def _own(self, output: dict[str, Any]) -> Any:
        """An output as the notebook has them: Papermill goes through nbformat's own."""
        if type(self.node) is dict:
            return {**output}
        import nbformat

        return nbformat.from_dict(output)  # type: ignore[no-untyped-call]

    def _show_failure(self, indexes: list[int], result: StageResult) -> None:
        """Where the failure is none that Jupyter showed (a timeout, a dead kernel), put it where one looks for it."""
        failure = result.failure
        cells = [self.node["cells"][index] for index in indexes]
        cells += [
            self.node["cells"][index] for index, role in self._roles.items() if role.role in ("parameters", "setup")
        ]
        if failure is None or any(output["output_type"] == "error" for cell in cells for output in cell["outputs"]):
            return
        numbers = {self._roles[index].number: index for index in indexes}
        index = numbers.get(failure.cell, indexes[-1])
        text = f"{failure.message} {failure.remedy}".strip()
        told = {"ename": failure.name, "evalue": failure.message, "traceback": [f"{failure.name}: {text}"]}
        self.node["cells"][index]["outputs"].append(self._own({"output_type": "error", **told}))
        self._mark(self.node["cells"][index], "failed", result.stage)

    def _mark(self, cell: Any, state: str, stage: str | None = None, record: CellRecord | None = None) -> None:
        """Papermill's own timings, for tools that read them, and our state, which tells more than Papermill's can."""
        ran = {"run": self.run, "state": state}
        papermill: dict[str, Any] = {"exception": None, "start_time": None, "end_time": None, "duration": None}
        papermill["status"] = "pending"
        if stage is not None:
            ran["stage"] = stage
        if record is not None:
            start = datetime.fromisoformat(record.started)
            papermill |= {
                "start_time": start.isoformat(),
                "end_time": (start + timedelta(seconds=record.duration)).isoformat(),
                "duration": record.duration,
                "exception": record.failed,
                "status": "failed" if record.failed else "completed",
            }
        cell["metadata"]["papermill"] = papermill
        cell["metadata"]["stagebook_run"] = ran


def _taken(records: list[CellRecord], code: str) -> CellRecord | None:
    """The first record of this code, taken out of the list, so that a cell that stands twice gets each its own."""
    for position, record in enumerate(records):
        if record.code == code:
            return records.pop(position)
    return None
