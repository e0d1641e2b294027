"""Answers of the real handlers, which the front end's tests read: `python -m tests.server.answers` writes them anew."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.notebooks_factory import notebook, written
from tests.server.jupyter import CELLS, ROOT, SECRET, JupyterServer, Ran, serving

from stagebook.drift.history import History, Reported

FILE = ROOT / "extension/src/__tests__/answers.json"
WRONG = [
    ("setup", "import math"),
    ("", "def half(x):\n    return x / 2"),
    ("stage:load stage:read", "rows = [1, 2]"),
    ("stage:train", "print(half(rovs))"),
]


def answers_of(server: JupyterServer, ran: Ran) -> dict[str, Any]:
    """An answer of each kind, by name."""
    path, runs = ran.path, server.get("runs", path=ran.path)
    ids = [run["id"] for run in runs["runs"]]
    job, events, end = ran.failed
    plain = notebook([("", "x = 1")])
    found = {
        "analyse": server.post("analyse", {"path": path, "notebook": ran.document, "parameters": {"depth": "4"}}),
        "analyse_wrong": server.post("analyse", {"path": "wrong.ipynb", "notebook": notebook(WRONG)}),
        "analyse_without_stages": server.post("analyse", {"path": "plain.ipynb", "notebook": plain}),
        "suggest": server.post("suggest", {"path": "plain.ipynb", "notebook": notebook(WRONG)}),
        "runs": runs,
        "run": server.get(f"runs/{ids[0]}", path=path),
        "compare": server.get("compare", path=path, run=[ids[1], ids[0]]),
        "job": job,
        "jobs": server.get("jobs", path=path),
        "events": events,
        "end": end,
        "values": server.get("values", path=path, stage="train"),
        "figures": server.get("figures", path=path, stage="train"),
        "monitors": server.get("monitors", path=path),
        "exporters": server.get("exporters"),
        "written": server.post("exporters/python/files", {"path": path, "folder": "flights-python"}),
        "error": server.ask("GET", "runs", path="none.ipynb").facts,
    }
    text = json.dumps(found).replace(str(server.root.resolve()), "/home/ada")
    anywhere: dict[str, Any] = json.loads(text)
    return anywhere


def watched(folder: Path) -> None:
    """Keep what monitors may have said of models of this folder; of one, what nobody can read."""
    history = History(folder / ".stagebook/monitors/flights", "flights")
    few = "12 rows are too few to say: 30 are needed."
    weeks = ("2026-10-05", "2026-10-12", "2026-10-19", "2026-10-26")
    for start, end, more in zip(
        weeks,
        weeks[1:],
        (
            {"rows": 12, "note": few},
            {"rows": 900, "share": 0.2, "drifted": ("temp",), "performance": {"accuracy": 0.8}},
            {"rows": 900, "share": 0.8, "detected": True, "drifted": ("temp", "dest"), "retrained": "promoted"},
        ),
        strict=False,
    ):
        facts: dict[str, Any] = more
        history.add(Reported(f"{start}T00:00:00+00:00", f"{end}T00:00:00+00:00", "1", **facts))
    (folder / ".stagebook/monitors/spoiled").mkdir()
    (folder / ".stagebook/monitors/spoiled/history.json").write_text("{}", encoding="utf-8")


def shape_of(value: Any) -> Any:
    """The keys and the types in an answer; of a list, those that its items have."""
    if isinstance(value, dict):
        return {key: shape_of(one) for key, one in value.items()}
    if isinstance(value, list):
        shapes = {json.dumps(shape_of(one), sort_keys=True) for one in value}
        return [json.loads(shape) for shape in sorted(shapes)]
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def ran_twice(server: JupyterServer) -> Ran:
    """A notebook in a folder of its own that has run well, and then with a stage that failed."""
    (server.root / "demo").mkdir()
    file = written(server.root / "demo", CELLS, "flights.ipynb")
    path = "demo/flights.ipynb"
    done = server.run(path)
    watched(server.root / "demo")
    return Ran(path, file, done, server.run(path, parameters={"depth": "11"}, secrets={"hf_token": SECRET}))


def main() -> None:
    """Write the file."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server:
        answers = answers_of(server, ran_twice(server))
    FILE.write_text(json.dumps(answers, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
