"""A run somewhere else, beside one of this machine: the same record, outputs and events, but for places and times."""

from __future__ import annotations

import json

from stagebook.events import event_to_json

CELLS = [
    ("parameters", "n = 3"),
    ("setup", "import random\nimport numpy as np\nimport pandas as pd"),
    ("stage:load", "df = pd.DataFrame({'x': range(n)})\nrandom.seed(1)"),
    ("stage:left", "left = df.x.sum() + random.random()"),
    ("stage:right", "right = df.assign(y=df.x ** 2)"),
    ("", "%%stage join metrics=total\ntotal = float(left + right.y.sum())\nprint(total)"),
    ("stage:late", "df.loc[0, 'x'] = 7\nlines = (str(x) for x in df.x)"),
    ("stage:last", "print(list(lines), random.random())"),
]
PLACES = ("started", "ended", "duration", "id", "folder", "output", "store", "home", "memory", "phases", "run", "runs")


def same_run(bench_in, folder, *, cells=CELLS, **elsewhere):
    """Run the same cells here and elsewhere, and see that it is the same; the bench of the second."""
    benches = []
    for name, options in (("here", {}), ("there", elsewhere)):
        (folder / name).mkdir()
        bench = bench_in(folder / name)
        bench.done = bench.run(cells, jobs=2, **options)
        benches.append(bench)
    here, there = benches
    assert there.done.state == "done", there.done
    texts = [json.loads(bench.done.text().replace(str(bench.folder), "")) for bench in benches]
    assert _lasting(texts[1]) == _lasting(texts[0])
    for number in range(1, len(cells) + 1):
        assert there.printed(there.done, number) == here.printed(here.done, number)
    kinds = [sorted(json.dumps(_plain(event), default=repr) for event in bench.events) for bench in benches]
    assert kinds[1] == kinds[0]
    return there


def _lasting(facts):
    """What `run.json` says, without places and times, and without setup cells: kernels made ready have run them."""
    if isinstance(facts, dict):
        if "cells" in facts:
            facts = facts | {"cells": [cell for cell in facts["cells"] if cell["number"] > 2]}
        return {name: _lasting(value) for name, value in facts.items() if name not in PLACES}
    return [_lasting(one) for one in facts] if isinstance(facts, list) else facts


def _plain(event):
    facts = event_to_json(event)
    return [facts["event"], facts.get("stage"), facts.get("number"), facts.get("state"), facts.get("reason")]
