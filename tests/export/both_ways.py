"""Samples run in both ways: cell by cell in one IPython, and as the exported module; what each prints.

A process that has loaded the heavy packages forks for each, so that a hundred of them take seconds.

    python -m tests.export.both_ways FOLDER < samples.json > answers.json
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SECONDS = 60
"""For one sample in one way."""


def main(root: Path) -> None:
    """Answer for each sample of standard input: a JSON list of `{"name", "cells", "files", "module"}`."""
    samples = json.load(sys.stdin)
    for name in ("pandas", "IPython.core.interactiveshell"):
        importlib.import_module(name)  # before the forks
    shell = sys.modules["IPython.core.interactiveshell"].InteractiveShell
    shell.instance(config=_no_history()).run_cell("x = 1")  # it imports more when it is first used
    shell.clear_instance()
    gc.freeze()  # so that children do not copy what they only look through
    answers = {}
    for sample in samples:
        answers[sample["name"]] = [_forked(root / sample["name"], sample, work) for work in (_cell_by_cell, _as_module)]
    print(json.dumps(answers))


def _forked(folder: Path, sample: dict[str, Any], work: Callable[[dict[str, Any]], None]) -> str:
    """What a process prints that does this in an empty folder."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, text in sample["files"].items():
        (folder / name).write_text(text, encoding="utf-8")
    out = folder.with_suffix(".out")
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        try:
            with _standard_output(out):
                os.chdir(folder)
                sys.path[0] = str(folder)
                work(sample)
        finally:
            sys.stdout.flush()
            os._exit(0)
    os.waitpid(child, 0)
    return out.read_text(encoding="utf-8", errors="replace")


@contextlib.contextmanager
def _standard_output(path: Path) -> Iterator[None]:
    with path.open("w", encoding="utf-8") as stream:
        os.dup2(stream.fileno(), 1)
    sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123 - until the process ends
    yield


def _cell_by_cell(sample: dict[str, Any]) -> None:
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import CapturingDisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell

    class Silent(DisplayHook):
        def write_output_prompt(self) -> None:
            pass

        def write_format_data(self, *_: Any) -> None:
            pass

        def finish_displayhook(self) -> None:
            pass

    InteractiveShell.displayhook_class = Silent
    InteractiveShell.display_pub_class = CapturingDisplayPublisher
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    shell = InteractiveShell.instance(user_module=module, config=_no_history())
    sys.modules["pandas"].set_option("display.max_columns", 20)  # as where it is imported in a notebook
    shell.enable_gui = lambda *_: None
    shell.events.register("post_execute", _close_figures)
    shell.showtraceback = lambda *_, **__: print("ERROR", sys.exc_info()[0].__name__)
    for cell in sample["cells"]:
        if not shell.run_cell(cell, store_history=True).success:
            return


def _no_history() -> Any:
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    return config


def _close_figures() -> None:
    """As Jupyter's backend does when a cell is done."""
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def _as_module(sample: dict[str, Any]) -> None:
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    sys.argv = ["module.py"]
    try:
        exec(compile(sample["module"], "module.py", "exec"), vars(module))
    except Exception as error:
        traceback.print_exc()
        print("ERROR", type(error).__name__)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
