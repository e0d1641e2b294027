"""`%pipeline cache on`: results of stage cells that are run by hand are kept for runs, and taken from them.

What a stage has made is kept only if all that it read is accounted for: it stands on setup as a run would have it, and
takes what other stages have made from results that are kept. While its cells run, they see those names and their own,
and none that other cells have left, as in a run. All else is run as plain cells are, and the line below says why.
"""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.book.cells import MAGIC
from stagebook.book.normal import cell_code
from stagebook.book.pipeline import recalled_pipeline
from stagebook.errors import PipelineError, StagebookError
from stagebook.live.capture import Capture, put_out
from stagebook.live.document import LiveDocument
from stagebook.live.ground import Ground
from stagebook.live.visits import Visit, Visits
from stagebook.model import Cell, Pipeline
from stagebook.run import inside
from stagebook.run.job import CellRecord, JobCell
from stagebook.run.job_cells import job_cells
from stagebook.run.request import store_for
from stagebook.run.variables import variables
from stagebook.store.digests import digest_of

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult

_MAGICS_ONLY = re.compile(r"(\s*([%#?][^\n]*)?(\n|$))*")
_OF_IPYTHON = frozenset({"In", "Out", "get_ipython", "exit", "quit", "open"})


@dataclass(slots=True)
class _Running:
    """The cell that is being run: what the notebook is like with it, and whose it is."""

    pipeline: Pipeline | None = None
    cells: Mapping[int, JobCell] = field(default_factory=dict)
    cell: Cell | None = None
    began: float = field(default_factory=time.perf_counter)
    started: str = field(default_factory=lambda: datetime.now(timezone.utc).isoformat())
    refused: str = ""
    serves: bool = False

    @property
    def codes(self) -> list[str]:
        """Digests of the cells of parameters and setup, in order."""
        return [self.cells[cell.index].code for cell in self.pipeline.preamble] if self.pipeline else []


class Session:
    """The cells of one notebook, as they are run by hand.

    Args:
        shell: the kernel's IPython.
        notebook: the notebook's file.
    """

    def __init__(self, shell: Any, notebook: Path) -> None:
        self.notebook = notebook.resolve()
        self._shell = shell
        self._document = LiveDocument(self.notebook)
        store = store_for(self.notebook)
        carried = inside.attend(str(self.notebook.parent), store.location)
        self._ground = Ground(carried, clean=_is_clean(shell, self.notebook))
        self._visits = Visits(shell, store, carried, self._ground)
        self._visit: Visit | None = None
        self._running = _Running()
        self._setup_read: dict[str, str | None] = {}
        self._hidden: dict[str, Any] = {}
        self._capture = Capture(shell)
        shell.ast_transformers.append(self)

    def close(self) -> None:
        """Run stage cells as plain ones again."""
        inside.leave()
        self._capture.close()
        self._shell.ast_transformers.remove(self)

    def before(self, info: ExecutionInfo) -> None:
        """A cell is about to be run: see whose it is, and get ready to keep what it makes, or to serve it."""
        self._capture.begin()
        self._running = this = _Running()
        before, self._visit = self._visit, None
        try:
            found = self._document.with_cell(str(info.raw_cell), getattr(info, "cell_id", None))
            if found is None:
                this.refused = "the notebook was saved without this cell"
                return
            document, index = found
            this.pipeline = recalled_pipeline(document, self.notebook)
            this.cell = next((cell for cell in this.pipeline.cells if cell.index == index), None)
            if this.cell is not None and this.cell.role not in ("exploration", "test"):
                this.cells = job_cells(document, this.pipeline)
        except PipelineError:
            this.refused = "the notebook has findings: %pipeline check"
        except StagebookError as error:
            this.refused = str(error)
        if this.cell is not None and this.cell.role == "stage":
            self._enter(this, before)
            return
        inside.leave()
        if this.cell is not None and this.cell.role in ("parameters", "setup"):
            assert this.pipeline is not None
            inside.note(setup=this.cell.index == this.pipeline.preamble[0].index)

    def after(self, result: ExecutionResult) -> str:
        """A cell has been run: what has become of its result, in words; nothing for one of no stage."""
        inside.pause()
        this, visit = self._running, self._visit
        hidden = self._show_again(visit)
        source = str(result.info.raw_cell) if result.info is not None else ""
        try:
            if this.cell is None or this.cell.role in ("exploration", "test"):
                if not _MAGICS_ONLY.fullmatch(source):
                    self._ground.note_other()
                return f"not kept: {this.refused}" if this.refused and MAGIC.match(source) else ""
            if this.cell.role == "stage":
                return self._leave(this, visit) if result.success else self._failed(result, hidden)
            if result.success:
                self._note_setup(this)
            else:
                self._ground.note_other()
            return ""
        except StagebookError as error:
            return f"not kept: {error}"
        finally:
            self._ground.look(self.notebook.parent)

    def visit(self, node: ast.AST) -> ast.AST:
        """As a transformer of IPython's: what is served is not run, but put out."""
        if not self._running.serves:
            return node
        self._running.serves = False
        serve = f"__import__({__name__!r}, fromlist=['serve']).serve()"
        _served.append(self)
        return ast.parse(serve)

    def serve(self) -> None:
        """Put out what the cell had put out, and give the names what it had made."""
        visit = self._visit
        if visit is not None and visit.served is not None:
            self._visits.restore(visit)
            code = self._running.cells[visit.stage.cells[0].index].code
            put_out(output for cell in visit.served.cells if cell.code == code for output in cell.outputs)

    def _enter(self, this: _Running, before: Visit | None) -> None:
        """A stage's cell is about to be run."""
        assert this.pipeline is not None
        assert this.cell is not None
        variables.read = dict(self._setup_read)
        visit = self._visits.visit(this.pipeline, this.cells, this.cell, before=before, codes=this.codes)
        self._visit = visit
        if visit.refused:
            inside.leave()
        elif visit.served is not None:
            this.serves = True
        else:
            self._hide(this.pipeline, this.cell, visit)

    def _failed(self, result: ExecutionResult, hidden: Iterable[str]) -> str:
        """A stage's cell has failed: what there is to say, where that is for want of a name that was hidden."""
        self._visit = None
        inside.leave()
        told = str(result.error_in_exec or "")
        missed = [name for name in hidden if re.search(rf"\b{name}\b", told)]
        remedy = "tag the cell that makes it, or run this one after %pipeline cache off"
        return f"`{missed[0]}` was out of sight, as it is in a run: {remedy}" if missed else ""

    def _leave(self, this: _Running, visit: Visit | None) -> str:
        """A stage's cell has been run: keep what the stage has made, if it was the last one."""
        assert this.cell is not None
        if visit is None:
            return ""
        if visit.served is not None:
            missing = self._visits.missing(visit)
            told = f", without {', '.join(missing)}, which no cell reads" if missing else ""
            return f"from the store, {visit.told}{told}"
        if visit.refused:
            return f"not kept: {visit.refused}"
        visit.records.append(self._record(this))
        visit.after = this.cell.index
        if this.cell.index != visit.stage.cells[-1].index:
            return "goes on in the next cell"
        self._visit = None
        told = self._visits.keep(visit)
        inside.leave()
        return f"not kept: {told}" if told else "kept for runs"

    def _note_setup(self, this: _Running) -> None:
        assert this.pipeline is not None
        assert this.cell is not None
        job = this.cells[this.cell.index]
        self._ground.note(job, self._record(this), this.pipeline, this.codes, self._shell.user_ns)
        self._setup_read = dict(variables.read)

    def _record(self, this: _Running) -> CellRecord:
        """What came of the cell, numbered as a run from top to bottom would number it."""
        assert this.cell is not None
        number, duration = this.cell.number, round(time.perf_counter() - this.began, 4)
        outputs = self._capture.outputs()
        for output in outputs:
            if output["output_type"] == "execute_result":
                output["execution_count"] = number
        return CellRecord(this.cells[this.cell.index].code, outputs, number, this.started, duration, number=number)

    def _hide(self, pipeline: Pipeline, cell: Cell, visit: Visit) -> None:
        """Take the names away that a run would not have there, until the cell has run."""
        names = self._shell.user_ns
        seen = {*self._ground.names, *pipeline.inputs[visit.stage.name], *_OF_IPYTHON, *self._shell.user_ns_hidden}
        if cell.index != visit.stage.cells[0].index:
            seen |= visit.stage.names.binds.keys()
        self._hidden = {name: names[name] for name in list(names) if name not in seen and not name.startswith("_")}
        for name in self._hidden:
            del names[name]

    def _show_again(self, visit: Visit | None) -> tuple[str, ...]:
        """Bring the names back that were hidden, and tell which they were."""
        deleted = visit.stage.names.deletes if visit is not None else {}
        for name, value in self._hidden.items():
            if name not in deleted:
                self._shell.user_ns.setdefault(name, value)
        hidden, self._hidden = tuple(self._hidden), {}
        return hidden


_served: list[Session] = []


def serve() -> None:
    """What is run in place of a cell that is served."""
    _served.pop().serve()


def _is_clean(shell: Any, notebook: Path) -> bool:
    """Whether nothing has run in the kernel but magics, parameters and setup."""
    from stagebook.book.notebook import read_document

    earlier = [str(source) for source in shell.history_manager.input_hist_raw[1:]]
    others = [source for source in earlier if not _MAGICS_ONLY.fullmatch(source)]
    try:
        document = read_document(notebook)
        pipeline = recalled_pipeline(document, notebook)
    except StagebookError:
        return not others
    codes = {digest_of(cell_code(cell.source).encode()) for cell in pipeline.preamble}
    return all(digest_of(cell_code(source).encode()) in codes for source in others)
