"""Ploomber: a script in percent format for each task, run as a notebook; values are handed on as pickles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from benchmarks.forms import printed
from benchmarks.peers.model import Commands, Peer, Situation
from benchmarks.workloads.model import Step, Workload

PARALLEL = "ploomber.executors.Parallel"


def _files(workload: Workload) -> Mapping[str, str]:
    scripts = {f"{step.name}.py": _script(workload, step) for step in workload.steps}
    tasks = [_task(workload, step) for step in workload.steps]
    pipeline = {"executor": {"dotted_path": PARALLEL}, "tasks": tasks}
    # JSON is YAML
    files = {"pipeline.yaml": json.dumps(pipeline, indent=1), "out/.keep": "", **scripts}
    return files | ({"env.yaml": json.dumps(dict(workload.parameters))} if workload.parameters else {})


def _task(workload: Workload, step: Step) -> Mapping[str, object]:
    product = {"nb": f"out/{step.name}.ipynb", "values": f"out/{step.name}.pickle"}
    task: dict[str, object] = {"source": f"{step.name}.py", "product": product}
    if asked := workload.asks(step):
        task["params"] = {name: f"{{{{{name}}}}}" for name in asked}
    return task


def _script(workload: Workload, step: Step) -> str:
    upstream = [source.name for source in workload.sources(step)]
    asked = "".join(f"{name} = None\n" for name in workload.asks(step))
    loads = "".join(
        f'with open(upstream["{source.name}"]["values"], "rb") as file:\n    {source.name} = pickle.load(file)\n'
        for source in workload.sources(step)
    )
    takes = "".join(f'{name} = {workload.source(name, step).name}["{name}"]\n' for name in workload.takes(step))
    made = ", ".join(f'"{name}": {name}' for name in workload.makes(step))
    return (
        f'# %% tags=["parameters"]\nupstream = {upstream or None}\nproduct = None\n{asked}\n'
        f"# %%\nimport pickle\n\n{workload.setup}\n# %%\n{loads}{takes}\n# %%\n{step.code}\n\n"
        f'# %%\nwith open(product["values"], "wb") as file:\n'
        f"    pickle.dump({{{made}}}, file, protocol=pickle.HIGHEST_PROTOCOL)\n"
    )


def _commands(_: Workload, __: Situation) -> Commands:
    return [["ploomber", "build"]]


def _told(folder: Path, _: str) -> str:
    return printed(sorted((folder / "out").glob("*.ipynb")))


PEER = Peer(
    name="ploomber",
    title="Ploomber (parallel executor)",
    package="ploomber",
    requirements=("ploomber>=0.23",),
    files=_files,
    commands=_commands,
    told=_told,
    variables=lambda _: {"PLOOMBER_STATS_ENABLED": "false", "PLOOMBER_VERSION_CHECK_DISABLED": "true"},
    isolates=True,
    caches=True,
)
