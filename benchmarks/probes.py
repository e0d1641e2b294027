"""Measurements that are no workload: how a stage starts, what verification takes, what hand-off takes."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.environments import Environment
from benchmarks.forms import bare_notebook, notebook, printed
from benchmarks.measure import CommandFailedError, measured
from benchmarks.rows import Round, Row
from benchmarks.workloads import ALL as WORKLOADS

HANDOFF = Path(__file__).parent / "handoff.py"
IMPORTS = "import time\nimport pandas\nimport sklearn.ensemble"
STAGES = 6

ORDINARY = f"""
import time
from jupyter_client.manager import start_new_kernel

began = time.time()
manager, client = start_new_kernel()
client.execute_interactive({IMPORTS!r})
client.execute_interactive("print('STARTED', time.time())", output_hook=lambda message: print(
    message["content"].get("text", ""), flush=True))
client.stop_channels()
manager.shutdown_kernel(now=True)
print("BEGAN", began)
"""


def starts(number: int, environments: Mapping[str, Environment]) -> Round:
    """From a stage being given to a kernel, to its first cell running; and an ordinary kernel with the same imports.

    For Stagebook the median of a run's stages, which run one after another and have nothing to read.
    """
    stage = Row("starts", "start", "stagebook", number, _stage_start(environments["stagebook"]))
    kernel = Row("starts", "start", "ordinary kernel", number, _kernel_start(environments["papermill"]))
    return Round((stage, kernel))


def _stage_start(environment: Environment) -> float:
    cells = [(IMPORTS, ["setup"])]
    cells += [(f"print('STARTED', {one}, time.time())", [f"stage:stage{one}"]) for one in range(STAGES)]
    with tempfile.TemporaryDirectory() as name:
        Path(name, "notebook.ipynb").write_text(bare_notebook(cells), encoding="utf-8")
        given = _stages_given(environment, Path(name))
        told = printed(Path(name, "out").glob("*.ipynb"))
    ran = {f"stage{one}": float(when) for one, when in re.findall(r"STARTED (\d+) (\S+)", told)}
    return median(ran[stage] - given[stage] for stage in ran)


def _stages_given(environment: Environment, folder: Path) -> dict[str, float]:
    """Run the notebook there; the moments at which Stagebook told that a stage starts, by its name."""
    command = [str(environment.python), "-m", "stagebook", "run", "notebook.ipynb", "--out", "out", "--jobs", "1"]
    given: dict[str, float] = {}
    with subprocess.Popen(
        [*command, "--json"], cwd=folder, env=environment.variables(), stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout or ():
            event = json.loads(line)
            if event["event"] == "StageStarted":
                given[event["stage"]] = time.time()
    if process.returncode or len(given) != STAGES:
        raise CommandFailedError(f"`{' '.join(command)}` ended with status {process.returncode}")
    return given


def _kernel_start(environment: Environment) -> float:
    command = ["python", "-c", ORDINARY]
    with tempfile.TemporaryDirectory() as name:
        told = measured([command], folder=Path(name), variables=environment.variables()).output
    moments = {what: float(when) for what, when in re.findall(r"(STARTED|BEGAN) (\S+)", told)}
    return moments["STARTED"] - moments["BEGAN"]


def share(number: int, environments: Mapping[str, Environment]) -> Round:
    """Seconds of a cold run that verification and fingerprints took, and seconds of the whole, from the run's profile.

    No rows where Stagebook has no profiles yet, as an older source: the report then says that it was not measured.
    """
    environment, workload = environments["stagebook"], WORKLOADS["branches"]
    told = subprocess.run(
        [environment.python, "-m", "stagebook", "run", "--help"], capture_output=True, text=True, check=True
    )
    if "--profile" not in told.stdout:
        return Round(())
    with tempfile.TemporaryDirectory() as name:
        Path(name, "notebook.ipynb").write_text(notebook(workload), encoding="utf-8")
        command = ["stagebook", "run", "notebook.ipynb", "--out", "out", "--profile"]
        done = measured([command], folder=Path(name), variables=environment.variables())
        checking = verification_seconds(json.loads(Path(name, "out", "profile.json").read_text(encoding="utf-8")))
    rows = {"verification and fingerprints": checking, "whole run": done.seconds}
    return Round(tuple(Row("share", "cold", what, number, seconds) for what, seconds in rows.items()))


def verification_seconds(profile: Mapping[str, Any]) -> float:
    """Of a profile: seconds spent on what changed and which files were met, and on keeping results by fingerprint.

    Digests of values are made while they are written, and are part of saving them.
    """
    return float(profile["totals"]["verify"]) + float(profile["totals"]["record"])


def handoff(environment: Environment, *, size: float, repeats: int) -> Round:
    """What `handoff.py` measures, in Stagebook's environment; no rows where there is no such script."""
    if not HANDOFF.exists():
        return Round(())
    with tempfile.TemporaryDirectory() as name:
        figures = Path(name, "figures.json")
        command = ["python", str(HANDOFF), "--json", str(figures), "--size", str(size), "--repeat", str(repeats)]
        measured([command], folder=Path(name), variables=environment.variables())
        found = json.loads(figures.read_text(encoding="utf-8"))
    return Round(
        tuple(
            Row("handoff", value, contender, 1, figures["seconds"][part])
            for value, figures in found.items()
            for contender, part in (("stagebook", "crossing"), ("Arrow IPC alone", "arrow"))
        )
    )
