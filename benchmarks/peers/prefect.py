"""Prefect: a flow of cached tasks, with the server that each command starts for itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import indent

from benchmarks.peers.model import Commands, Peer, Situation, output
from benchmarks.workloads.model import Step, Workload

HEAD = """\
from prefect import flow, task
from prefect.cache_policies import INPUTS, TASK_SOURCE

cached = task(cache_policy=INPUTS + TASK_SOURCE, persist_result=True)
"""

MAIN = """\
if __name__ == "__main__":
    bench()
"""


def _files(workload: Workload) -> Mapping[str, str]:
    tasks = [_task(workload, step) for step in workload.steps]
    return {"flow.py": "\n\n".join([HEAD, workload.setup, *tasks, _flow(workload), MAIN])}


def _task(workload: Workload, step: Step) -> str:
    """A task takes the results of the tasks before it, each a dict of what that one made, and returns such a dict."""
    arguments = [source.name for source in workload.sources(step)]
    takes = "".join(f'{name} = {workload.source(name, step).name}["{name}"]\n' for name in workload.takes(step))
    made = ", ".join(f'"{name}": {name}' for name in workload.makes(step))
    body = indent(f"{takes}{step.code}\nreturn {{{made}}}", "    ")
    return f"@cached\ndef {step.name}({', '.join([*arguments, *workload.asks(step)])}):\n{body}\n"


def _flow(workload: Workload) -> str:
    """Futures are named apart from tasks, which a flow's local names would hide."""
    lines = [
        f"{step.name}_ = {step.name}.submit("
        + ", ".join([*(f"{source.name}_" for source in workload.sources(step)), *workload.asks(step)])
        + ")"
        for step in workload.steps
    ]
    arguments = ", ".join(f"{name}={value!r}" for name, value in workload.parameters.items())
    body = indent("\n".join([*lines, f"{workload.steps[-1].name}_.result()"]), "    ")
    return f"@flow\ndef bench({arguments}):\n{body}\n"


def _commands(_: Workload, __: Situation) -> Commands:
    return [["python", "flow.py"]]


def _variables(folder: Path) -> Mapping[str, str]:
    return {
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    }


PEER = Peer(
    name="prefect",
    title="Prefect (cached tasks, its own server started by each command)",
    package="prefect",
    # Newer fastapi lacks what 3.8 imports; with SQLAlchemy 2.1 its server does not come up in time.
    requirements=("prefect>=3.8,<3.9", "fastapi<0.151", "sqlalchemy<2.1"),
    files=_files,
    commands=_commands,
    told=output,
    variables=_variables,
    caches=True,
)
