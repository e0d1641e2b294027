"""A small notebook with a module of its own, data, and a model; and materials as they are gathered of one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.notebooks_factory import written

from stagebook.image.materials import Materials, Origin, SealedModel

CELLS = [
    ("parameters", "rows: int = 200\nseed = 3"),
    (
        "setup",
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression\n\nimport shapes",
    ),
    (
        "stage:make",
        "rng = np.random.default_rng(seed)\n"
        "table = pd.DataFrame(rng.normal(size=(rows, 3)), columns=list('abc')).round(3)\n"
        "table = table + shapes.shift(pd.read_csv('data/shift.csv'))",
    ),
    (
        "stage:fit",
        "late = table['a'] + table['b'] > 0.2\n"
        "model = LogisticRegression().fit(table, late)\n"
        "accuracy = float(model.score(table, late))\n"
        "mean = float(table.to_numpy().mean())",
        {"metrics": ["accuracy", "mean"], "model": "model.predict_proba"},
    ),
]
MODULE = "def shift(frame):\n    return float(frame['by'].sum())\n"
NAME = "story.ipynb"


def made(folder):
    """The notebook's path, in a folder of this name, with all that it needs."""
    folder.mkdir(exist_ok=True)
    (folder / "data").mkdir()
    (folder / "data/shift.csv").write_text("by\n0.5\n0.25\n")
    (folder / "shapes.py").write_text(MODULE)
    return written(folder, CELLS, NAME)


def stagebook(*words, folder, **variables):
    """The command, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "stagebook", *map(str, words)],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
    )


def metrics_in(home: Path) -> dict[str, float]:
    """The metrics of the last run that is kept there."""
    last = sorted(home.glob("runs/*/run.json"))[-1]
    return {
        name: value
        for stage in json.loads(last.read_text(encoding="utf-8"))["stages"]
        for name, value in stage["metrics"].items()
    }


MODEL = SealedModel(
    "late flights",
    "3",
    "ONNX Runtime",
    "0123456789abcdef0123456789abcdef",
    {"about.json": b"{}\n", "model.onnx": b"\x08\x0a", "model/MLmodel": b"flavors: {}\n"},
)
LOCK = "# a lock\nclick==8.5.1 \\\n    --hash=sha256:00\n"


def materials(target="train", **changed):
    """What a context is made of."""
    model = None if target == "train" else MODEL
    return Materials(
        **{
            "target": target,
            "notebook": "Late flights.ipynb",
            "lock": LOCK,
            "wheels": {"stagebook-0.1.0-py3-none-any.whl": b"PK"},
            "base": "docker.io/library/python:3.11-slim",
            "python": "3.11",
            "uv": "0.13.9",
            "document": b'{"cells": []}\n' if target == "train" else b"",
            "modules": {"shapes.py": b"x = 1\n", "parts/deep.py": b""} if target == "train" else {},
            "origin": Origin("abc123-changed", "d1", "20260101-120000-abcdef", "2026-01-01T12:00:00+00:00"),
            "model": model,
            "parameters": {"rows": "200", "seed": "3"} if target == "train" else {},
            **changed,
        }
    )
