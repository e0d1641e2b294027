"""The demo, `notebooks/flights.ipynb`: its stages, without the exploration between them."""

from __future__ import annotations

import ast
import json
import shlex
from pathlib import Path

from benchmarks.workloads.model import Step, Workload

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
TELL = 'print("RESULT " + json.dumps({"best": best_name, "auc": round(best_auc, 5), "edition": 1}))'


def flights() -> Workload:
    """The demo's stages, parameters and setup; the last stage also prints the result."""
    cells = json.loads((NOTEBOOKS / "flights.ipynb").read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    tagged = [(cell["metadata"].get("tags", []), "".join(cell["source"])) for cell in code]
    setup = "\n".join(text for tags, text in tagged if "setup" in tags).replace("%load_ext stagebook\n", "")
    parameters = next(text for tags, text in tagged if "parameters" in tags)
    stages = [text for _, text in tagged if text.startswith("%%stage ")]
    *steps, last = _steps(stages)
    return Workload(
        name="flights",
        title="the flights demo",
        setup=f"import json\n\n{setup}",
        steps=(*steps, Step(last.name, (*last.cells, TELL))),
        parameters=_values(parameters),
        metrics=("best_auc",),
        options={last.name: _options(stages[-1])},
        files={f"data/{path.name}": path for path in sorted((NOTEBOOKS / "data").glob("*.parquet"))},
    )


def _steps(cells: list[str]) -> list[Step]:
    """The stages; cells that share a name are one."""
    found: dict[str, list[str]] = {}
    for cell in cells:
        magic, _, code = cell.partition("\n")
        found.setdefault(magic.split()[1], []).append(code)
    return [Step(name, tuple(code)) for name, code in found.items()]


def _options(cell: str) -> dict[str, str]:
    """The model that the stage registers, and its gate."""
    magic, _, _ = cell.partition("\n")
    words = (word.partition("=") for word in shlex.split(magic)[2:])
    return {name: value for name, _, value in words if name in ("model", "gate")}


def _values(code: str) -> dict[str, object]:
    """Names and values of a parameters cell."""
    return {
        line.target.id: ast.literal_eval(line.value)
        for line in ast.parse(code).body
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value is not None
    }
