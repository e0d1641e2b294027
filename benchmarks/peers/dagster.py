"""Dagster with dagstermill: a notebook for each op, in a process and a kernel of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.forms import bare_notebook, printed, setting
from benchmarks.peers.model import Commands, Peer, Situation
from benchmarks.workloads.model import Step, Workload

HEAD = """\
from pathlib import Path

from dagster import In, Out, fs_io_manager, job
from dagstermill import ConfigurableLocalOutputNotebookIOManager
from dagstermill.factory import define_dagstermill_op

HERE = Path(__file__).parent
"""

RESOURCES = """\
@job(resource_defs={
    "io_manager": fs_io_manager.configured({"base_dir": str(HERE / "values")}),
    "output_notebook_io_manager": ConfigurableLocalOutputNotebookIOManager(base_dir=str(HERE / "out")),
})
def bench():
"""


def _files(workload: Workload) -> Mapping[str, str]:
    notebooks = {f"{step.name}.ipynb": _notebook(workload, step) for step in workload.steps}
    ops = "\n".join(_op(workload, step) for step in workload.steps)
    calls = "\n".join(f"    {line}" for step in workload.steps for line in _call(workload, step))
    home = {"home/dagster.yaml": "telemetry:\n  enabled: false\n", "values/.keep": "", "out/.keep": ""}
    return {"pipeline.py": f"{HEAD}\n{ops}\n\n{RESOURCES}{calls}\n", **notebooks, **home}


def _notebook(workload: Workload, step: Step) -> str:
    asked = setting({name: workload.parameters[name] for name in workload.asks(step)})
    gives = "\n".join(f'dagstermill.yield_result({name}, output_name="{name}")' for name in workload.makes(step))
    cells = [
        (f"import dagstermill\n\n{workload.setup}", []),
        (setting(dict.fromkeys(workload.takes(step))) or "pass", ["parameters"]),
        (asked or "pass", []),
        *((cell, []) for cell in step.cells),
        (gives or "pass", []),
    ]
    return bare_notebook(cells)


def _op(workload: Workload, step: Step) -> str:
    ins = ", ".join(f'"{name}": In()' for name in workload.takes(step))
    outs = ", ".join(f'"{name}": Out()' for name in workload.makes(step))
    return (
        f'{step.name}_op = define_dagstermill_op("{step.name}_op", str(HERE / "{step.name}.ipynb"),\n'
        f'    ins={{{ins}}}, outs={{{outs}}}, output_notebook_name="{step.name}_notebook")'
    )


def _call(workload: Workload, step: Step) -> list[str]:
    """The op is called with the outputs that it takes; an op with several outputs gives them by name."""
    inputs = ", ".join(f"{name}={workload.source(name, step).name}.{name}" for name in workload.takes(step))
    return [f"{step.name} = {step.name}_op({inputs})"]


def _commands(_: Workload, __: Situation) -> Commands:
    return [["dagster", "job", "execute", "-f", "pipeline.py", "-j", "bench"]]


def _told(folder: Path, _: str) -> str:
    return printed(sorted((folder / "out").rglob("*.ipynb")))


PEER = Peer(
    name="dagster",
    title="Dagster with dagstermill",
    package="dagster",
    requirements=("dagster>=1.11", "dagstermill>=0.27"),
    files=_files,
    commands=_commands,
    told=_told,
    variables=lambda folder: {"DAGSTER_HOME": str(folder / "home")},
    isolates=True,
    kernel=False,  # it asks for an older jupyter-client
)
