"""pytest's plug-in: cells tagged `test:STAGE` are tests, `pytest flights.ipynb` runs them.

It is loaded wherever pytest and Stagebook are installed: nothing else of Stagebook is, until a notebook is met.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr

    from stagebook.run.cell_tests import CellTest
    from stagebook.run.testing import Tested, Testing

_OTHERS = ("nbval", "nbval_lax", "nbmake")
"""Options with which notebooks are tested by other plug-ins."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Our options, for the command line and the configuration file."""
    group = parser.getgroup("stagebook", "Cells of notebooks tagged `test:STAGE`")
    group.addoption("--stagebook-run", action="store_true", help="Run stale stages of tested notebooks first.")
    group.addoption("--stagebook-store", metavar="FOLDER|URL", help="Where results are kept [.stagebook beside it].")
    group.addoption(
        "--stagebook-parameter",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="Test results of runs with this parameter. May be given more than once.",
    )
    parser.addini("stagebook_run", "run stale stages of tested notebooks first", type="bool", default=False)
    parser.addini("stagebook_store", "where results of tested notebooks are kept", default="")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a notebook with test cells, unless another plug-in has been asked to run it."""
    if file_path.suffix != ".ipynb" or any(parent.config.getoption(name, default=False) for name in _OTHERS):
        return None
    if not _is_ours(file_path, named=parent.session.isinitpath(file_path)):
        return None
    collected: NotebookFile = NotebookFile.from_parent(parent, path=file_path)
    return collected


def _is_ours(path: Path, *, named: bool) -> bool:
    """Whether a notebook has test cells and stages; one that is named on the command line, either of them.

    What a run has put out is left alone unless it is named.
    """
    marks = (b'"test:', b'"stage:', b"%%stage") if named else (b'"test:',)
    content = path.read_bytes()
    if not any(mark in content for mark in marks):
        return False
    from stagebook.book.cells import read_cells
    from stagebook.book.notebook import read_document
    from stagebook.errors import NotebookError

    try:
        document = read_document(path)
    except NotebookError:
        return named
    roles = {one.cell.role for one in read_cells(document)[0]}
    if named:
        return bool(roles & {"stage", "test"})
    return roles >= {"stage", "test"} and not any("stagebook_run" in cell["metadata"] for cell in document["cells"])


class NotebookFile(pytest.File):
    """A notebook with test cells; its kernels live as long as its tests run."""

    testing: Testing

    def collect(self) -> Iterator[StageTests]:
        """The stages that have tests."""
        from stagebook.book.pipeline import load_pipeline
        from stagebook.errors import StagebookError
        from stagebook.run.cell_tests import cell_tests

        try:
            pipeline = load_pipeline(self.path)
            tests = cell_tests(pipeline) if pipeline.tests else ()
        except StagebookError as error:
            raise self.CollectError(_told(error)) from error
        for stage in dict.fromkeys(test.stage for test in tests):
            own = [test for test in tests if test.stage == stage]
            yield StageTests.from_parent(self, name=stage, tests=own)

    def setup(self) -> None:
        """Find what the tests that were selected stand on."""
        from stagebook.errors import StagebookError
        from stagebook.run.testing import Testing

        option, ini = self.config.getoption, self.config.getini
        cells = {item.test.cell for item in self.session.items if isinstance(item, CellItem) and item.notebook is self}
        try:
            self.testing = Testing(
                self.path,
                cells=cells,
                parameters=dict(option("stagebook_parameter")),
                store=option("stagebook_store") or ini("stagebook_store") or None,
                run=option("stagebook_run") or ini("stagebook_run"),
            )
            self.testing.__enter__()
        except StagebookError as error:
            pytest.fail(_told(error), pytrace=False)
        self.addfinalizer(lambda: self.testing.__exit__(None, None, None))


class StageTests(pytest.Collector):
    """A stage's tests."""

    def __init__(self, *, tests: list[CellTest], **node: Any) -> None:
        super().__init__(**node)
        self.tests = tests

    def collect(self) -> Iterator[CellItem]:
        """Its test cells, by the comments that they begin with; two that begin alike, with their numbers, too."""
        titles = Counter(test.title for test in self.tests)
        for test in self.tests:
            title = test.title if titles[test.title] == 1 else f"{test.title} (cell {test.cell})"
            yield CellItem.from_parent(self, name=title.replace("::", ":"), test=test)


class CellItem(pytest.Item):
    """A test cell."""

    def __init__(self, *, test: CellTest, **node: Any) -> None:
        super().__init__(**node)
        self.test = test

    @property
    def notebook(self) -> NotebookFile:
        """The notebook that it is in."""
        found = self.getparent(NotebookFile)
        assert found is not None, "a cell is collected from a notebook"
        return found

    def runtest(self) -> None:
        """Run the cell in a kernel of its own."""
        (tested,) = self.notebook.testing.outcomes({self.test.cell})
        if tested.output:
            self.add_report_section("call", "cell output", tested.output)
        if tested.outcome == "skipped":
            raise pytest.skip.Exception(tested.reason, _use_item_location=True)
        if tested.failure is not None:
            raise CellError(tested)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str | TerminalRepr:
        """What the cell raised, as pytest shows it for a function."""
        if isinstance(excinfo.value, CellError):
            return excinfo.value.shown(self.notebook.nodeid)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The notebook; lines count in cells only."""
        return self.path, 0, f"{self.test.stage}: {self.name}"


class CellError(Exception):
    """A test cell has failed, or could not be run."""

    def __init__(self, tested: Tested) -> None:
        super().__init__(str(tested.failure))
        self.tested = tested

    def shown(self, notebook: str) -> TerminalRepr:
        """The cell and the exception; `notebook` is what the notebook is called."""
        from _pytest._code.code import ReprEntry, ReprExceptionInfo, ReprFileLocation, ReprTraceback

        from stagebook.testtext import failure_lines

        failure = self.tested.failure
        assert failure is not None, "only a failed test raises this"
        path, message = f"{notebook}, cell {self.tested.cell}", f"{failure.name}: {failure.message}".rstrip(": ")
        place = ReprFileLocation(path, failure.line, failure.name) if failure.line else None
        lines = failure_lines(self.tested)
        entry = ReprEntry(lines, reprfuncargs=None, reprlocals=None, reprfileloc=place, style="long")
        trace = ReprTraceback([entry], extraline=None, style="long")
        return ReprExceptionInfo(reprtraceback=trace, reprcrash=ReprFileLocation(path, failure.line, message))


def _told(error: Exception) -> str:
    """The error, with what `check` finds where that is why."""
    from stagebook.text import findings_list

    return "\n".join([str(error), *filter(None, [findings_list(getattr(error, "findings", ()))])])
