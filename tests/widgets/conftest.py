"""A notebook with runs, and views of it: as a notebook's kernel has them, without a browser."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.notebooks_factory import written

from stagebook.run.background import run_words
from stagebook.widgets.pipeline import PipelineView, pipeline_view

PARAMETERS = "depth: int = 3  # 1..20\nhf_token = ''"
CELLS = [
    ("parameters", PARAMETERS),
    ("setup", "import time\n\ndef doubled(x):\n    return 2 * x"),
    ("stage:load", "time.sleep(1)  # long enough to be seen running\nrows = [len(hf_token), 1, 2]"),
    ("", "%%stage train metrics=score\nscore = doubled(depth) / 10\nmodel = {'deep': depth, 'of': rows}"),
    ("", "%%stage report\nif depth > 9: raise ValueError('too deep')\nprint(score, model)"),
]
SECRET = secrets.token_hex(8)


@dataclass
class Watched:
    """A view, what each stage went through in it, and what it has said to the browser."""

    view: PipelineView
    seen: dict[str, list[str]] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)

    def press(self, do: str, **more: Any) -> dict[str, Any]:
        """Have the view do what a button in the browser asks for; its answer, if it is one."""
        before = len(self.sent)
        self.view._handle_custom_msg({"do": do, **more}, [])
        return self.sent[-1] if len(self.sent) > before else {}

    def run(self, *words: str, environment: dict[str, str] | None = None) -> None:
        """Run the notebook, and wait for its end."""
        self.view.start([*run_words(self.view._notebook), *words], environment)
        assert self.view.wait(120), "the run comes to an end"


def watched(view: PipelineView) -> Watched:
    """The view, from now on watched."""
    one = Watched(view)
    view.send = one.sent.append

    def note(_: Any) -> None:
        for name, state in view.states().items():
            if one.seen.setdefault(name, [state])[-1] != state:
                one.seen[name].append(state)

    note(None)
    view.observe(note, "stages")
    return one


class Shell:
    """As much of an IPython shell as values are loaded into."""

    def __init__(self) -> None:
        self.user_ns: dict[str, Any] = {}

    def push(self, values: dict[str, Any]) -> None:
        self.user_ns.update(values)


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("book"), CELLS, "flights.ipynb")


@pytest.fixture(scope="session")
def ran(book: Path) -> Watched:
    """A view in which the notebook has been run, with a secret; tests leave it as it is."""
    one = watched(pipeline_view(book, shell=Shell(), track=False))
    one.run("-p", "depth", "4", "--secret", "hf_token", environment={"HF_TOKEN": SECRET})
    return one


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Watched]:
    """A function that opens a view of a notebook of its own."""
    return lambda cells=CELLS: watched(pipeline_view(written(tmp_path, cells), track=False))
