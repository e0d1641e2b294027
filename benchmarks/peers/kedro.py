"""Kedro: a project of one pipeline, a node for each step, under the parallel runner; values stay in shared memory."""

from __future__ import annotations

import json
from collections.abc import Mapping

from benchmarks.forms import module
from benchmarks.peers.model import Commands, Peer, Situation, output
from benchmarks.workloads.model import Step, Workload

PROJECT = """\
[tool.kedro]
package_name = "bench"
project_name = "bench"
kedro_init_version = "1.0.0"
source_dir = "src"
"""

REGISTRY = """\
from kedro.pipeline import node, pipeline

from bench import steps


def register_pipelines():
    return {{"__default__": pipeline([
{nodes}
    ])}}
"""


def _files(workload: Workload) -> Mapping[str, str]:
    nodes = "\n".join(f"        {_node(workload, step)}," for step in workload.steps)
    return {
        "pyproject.toml": PROJECT,
        "src/bench/__init__.py": "",
        "src/bench/settings.py": "",
        "src/bench/steps.py": module(workload),
        "src/bench/pipeline_registry.py": REGISTRY.format(nodes=nodes),
        "conf/base/catalog.yml": "{}",
        "conf/base/parameters.yml": json.dumps(dict(workload.parameters)),
        "conf/local/.keep": "",
    }


def _node(workload: Workload, step: Step) -> str:
    """Datasets are named after the step that makes them, too: a node may not change one and keep its name."""
    inputs = [f"{workload.source(name, step).name}_{name}" for name in workload.takes(step)]
    inputs += [f"params:{name}" for name in workload.asks(step)]
    made = [f"{step.name}_{name}" for name in workload.makes(step)]
    return f"node(steps.{step.name}, inputs={inputs or None}, outputs={made or None}, name={step.name!r})"


def _commands(_: Workload, __: Situation) -> Commands:
    return [["kedro", "run", "--runner=ParallelRunner"]]


PEER = Peer(
    name="kedro",
    title="Kedro (ParallelRunner)",
    package="kedro",
    requirements=("kedro>=1.0",),
    files=_files,
    commands=_commands,
    told=output,
    variables=lambda _: {"KEDRO_DISABLE_TELEMETRY": "1", "KEDRO_LOGGING_CONFIG": ""},
)
