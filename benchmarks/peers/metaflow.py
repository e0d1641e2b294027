"""Metaflow: a flow of the same steps, a process for each; `resume` takes up an earlier run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import indent

from benchmarks.forms import module
from benchmarks.peers.model import Commands, Peer, Situation, output
from benchmarks.workloads.model import Step, Workload


def levels(workload: Workload) -> list[list[Step]]:
    """The steps in the order in which they can run; those of one level depend on none of each other."""
    depth: dict[str, int] = {}
    for step in workload.steps:
        depth[step.name] = 1 + max((depth[source.name] for source in workload.sources(step)), default=-1)
    found: list[list[Step]] = [[] for _ in range(1 + max(depth.values()))]
    for step in workload.steps:
        found[depth[step.name]].append(step)
    return found


def _files(workload: Workload) -> Mapping[str, str]:
    names = ["from metaflow import FlowSpec, Parameter, step", "", "import steps", "", "", "class Bench(FlowSpec):"]
    parameters = [f"    {name} = Parameter({name!r}, default={value!r})" for name, value in workload.parameters.items()]
    ordered = levels(workload)
    methods = [
        _method(workload, step, joins=number > 0 and len(ordered[number - 1]) > 1, after=ordered[number + 1 :])
        for number, level in enumerate(ordered)
        for step in level
    ]
    flow = "\n".join(
        [*names, *parameters, "", "\n\n".join(methods), "", "", 'if __name__ == "__main__":', "    Bench()"]
    )
    return {"flow.py": f"{flow}\n", "steps.py": module(workload)}


def _method(workload: Workload, step: Step, *, joins: bool, after: Sequence[Sequence[Step]]) -> str:
    """One step of the flow. Values are attributes; where branches meet, their attributes are merged."""
    arguments = ", ".join(f"self.{name}" for name in [*workload.takes(step), *workload.asks(step)])
    made = "".join(f"self.{name}, " for name in workload.makes(step)).strip()
    call = f"steps.{step.name}({arguments})"
    lines = ["self.merge_artifacts(inputs)"] if joins else []
    lines.append(f"({made}) = {call}" if made else call)
    if after:
        lines.append(f"self.next({', '.join(f'self.{_called(workload, one)}' for one in after[0])})")
    head = f"@step\ndef {_called(workload, step)}(self{', inputs' if joins else ''}):"
    return indent(f"{head}\n{indent(chr(10).join(lines), '    ')}", "    ")


def _called(workload: Workload, step: Step) -> str:
    """Metaflow wants the first step called `start` and the last one `end`."""
    return {workload.steps[0].name: "start", workload.steps[-1].name: "end"}.get(step.name, step.name)


def _commands(_: Workload, situation: Situation) -> Commands:
    flow = ["python", "flow.py", "--no-pylint"]
    if situation == "nothing changed":
        return [[*flow, "resume"]]
    if situation == "last stage edited":
        return [[*flow, "resume", "end"]]
    return [[*flow, "run"]]


PEER = Peer(
    name="metaflow",
    title="Metaflow (`resume` where something is kept)",
    package="metaflow",
    requirements=("metaflow>=2.19",),
    files=_files,
    commands=_commands,
    told=output,
    variables=lambda folder: {"METAFLOW_DATASTORE_SYSROOT_LOCAL": str(folder), "USERNAME": "bench"},
    isolates=True,
    caches=True,
)
