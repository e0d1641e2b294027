"""One plain kernel, which runs a notebook's cells from top to bottom: `python -m stagebook.verify.plain JOB.json`.

Nothing of how Stagebook runs stages is used here: nbclient, an ordinary kernel, one cell after the other.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stagebook.run.gating import judged_gate
from stagebook.run.sockets import own_folder

Step = Mapping[str, Any]


class _FailedError(Exception):
    """A cell of the notebook has failed; the message says which, and how."""


class _Plain:
    """The kernel, and what is known of the stages so far.

    Args:
        client: nbclient's.
        job: `out`, where stages are told of, and `scratch`, a folder for answers.
    """

    def __init__(self, client: Any, job: Mapping[str, Any]) -> None:
        self.client = client
        self.out = Path(job["out"])
        self.answers = Path(job["scratch"], "answers")
        self.skipped: set[str] = set()
        self.metrics: dict[str, Mapping[str, float]] = {}

    def run(self, step: Step) -> bool:
        """Run a step; whether there is a next one."""
        if "ask" in step:
            self._ask({**step["ask"], "out": str(self.out)})
            return True
        name = step.get("stage", "")
        try:
            if self.skipped & {name, *step.get("upstream", ())} or not self._is_wanted(step):
                return self._skip(step)
            self._run_cells(step)
        except _FailedError as error:
            self._write({"stage": name, "state": "failed", "error": str(error), "values": {}, "metrics": {}})
            return False
        return self._end(step) if step.get("ends") else True

    def _is_wanted(self, step: Step) -> bool:
        return not step.get("when") or bool(self._ask({"do": "decide", "when": step["when"]}))

    def _skip(self, step: Step) -> bool:
        self.skipped.add(step["stage"])
        if step["ends"]:
            self._write({"stage": step["stage"], "state": "skipped", "error": "", "values": {}, "metrics": {}})
        return True

    def _run_cells(self, step: Step) -> None:
        cells, mapping = step.get("cells", [step]), step.get("foreach")
        if mapping is None:
            for cell in cells:
                self._run_cell(cell)
        else:
            asked = {**mapping, "takes": step["takes"], "makes": step["makes"]}
            for position in range(self._ask({"do": "take apart", **asked})):
                self._ask({"do": "begin element", **asked, "position": position})
                for cell in cells:
                    self._run_cell(cell)
                self._ask({"do": "end element", **asked})
            self._ask({"do": "gather", **asked})
        if step.get("ends") and step["closing"]:
            self._run_cell({"number": cells[-1]["number"], "source": step["closing"], "tags": []})

    def _end(self, step: Step) -> bool:
        """Tell of a stage that is done, and judge its gate."""
        asked = {name: step[name] for name in ("stage", "names", "metrics", "mapped")}
        told = self._ask({"do": "tell", **asked})
        self._write(told)
        self.metrics[step["stage"]] = told["metrics"]
        if not step["gate"]:
            return True
        before = [*step["upstream"], step["stage"]]
        known = {name: value for one in before for name, value in self.metrics.get(one, {}).items()}
        return judged_gate(step["gate"], known, None).passed

    def _run_cell(self, cell: Step) -> None:
        """Run a cell of the notebook.

        Raises:
            _FailedError: it fails.
        """
        import nbformat
        from nbclient.exceptions import CellExecutionError, DeadKernelError

        node: Any = nbformat.v4.new_code_cell(cell["source"], metadata={"tags": cell["tags"]})  # type: ignore[no-untyped-call]
        try:
            self._execute(node)
        except CellExecutionError as error:
            told = f"{error.ename}: {error.evalue}".strip().splitlines()[0]
            raise _FailedError(f"cell {cell['number']}: {told}") from error
        except DeadKernelError as error:
            raise _FailedError(f"cell {cell['number']}: the kernel died") from error

    def _ask(self, question: Mapping[str, Any]) -> Any:
        """Have the kernel answer, between the notebook's cells and outside of its history."""
        import nbformat

        text = json.dumps({"out": str(self.answers), **question})
        source = f"__import__('importlib').import_module('stagebook.verify.inside').answer({text!r})"
        node: Any = nbformat.v4.new_code_cell(source)  # type: ignore[no-untyped-call]
        self.answers.unlink(missing_ok=True)
        self._execute(node, in_history=False)
        return json.loads(self.answers.read_text(encoding="utf-8")) if self.answers.exists() else None

    def _execute(self, cell: Any, *, in_history: bool = True) -> None:
        self.client.nb.cells.append(cell)  # it stays: a later one may update what it has displayed
        self.client.execute_cell(cell, len(self.client.nb.cells) - 1, store_history=in_history)

    def _write(self, told: Any) -> None:
        with self.out.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(told) + "\n")


def main(job: Mapping[str, Any]) -> None:
    """Run the steps of a job, until one fails or a gate is closed.

    Args:
        job: `kernel`, `folder`, `steps`, `out` and `scratch`.
    """
    import nbformat
    from nbclient import NotebookClient

    node: Any = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    resources = {"metadata": {"path": job["folder"]}}
    client = NotebookClient(
        node, kernel_name=job["kernel"], timeout=None, startup_timeout=600, resources=resources, record_timing=False
    )
    with own_folder() as own:
        manager: Any = client.create_kernel_manager()
        manager.transport = "ipc" if sys.platform != "win32" else "tcp"
        manager.connection_file = str(Path(own, "kernel.json"))
        place = {"cwd": job["folder"], "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with client.setup_kernel(cleanup_kc=True, **place):
            plain = _Plain(client, job)
            for step in job["steps"]:
                if not plain.run(step):
                    break


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
