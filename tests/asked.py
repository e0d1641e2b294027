"""Days of requests to a model, as its service logs them; and the notebook that makes it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import numpy as np
import pandas as pd

DAY = timedelta(days=1)
FIRST = datetime(2026, 11, 2, tzinfo=timezone.utc)
TRAIN = [
    ("parameters", "moved = 0.0\nseed = 0"),
    ("setup", "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression"),
    (
        "stage:load",
        "rng = np.random.default_rng(seed)\n"
        "trips = pd.DataFrame({'delay': rng.normal(moved, 1, 1500), 'seats': rng.normal(size=1500)})\n"
        "trips['late'] = trips['delay'] + rng.normal(0, 0.3, 1500) > moved",
    ),
    (
        "",
        "%%stage train model=model metrics=accuracy gate='accuracy > 0.6'\n"
        "model = LogisticRegression().fit(trips[['delay', 'seats']], trips['late'])\n"
        "accuracy = model.score(trips[['delay', 'seats']], trips['late'])",
    ),
]


def ask(log, day, *, moved=0.0, rows=800, usual=0.0, seed=None):
    """Put a day's requests into the log, as the service of a model would for which a delay of `usual` is usual."""
    rng = np.random.default_rng(day if seed is None else seed)
    moment = FIRST + day * DAY
    delay = rng.normal(moved, 1, rows)
    frame = pd.DataFrame(
        {
            "stagebook.time": pd.to_datetime([moment + timedelta(seconds=one) for one in range(rows)], utc=True),
            "stagebook.request": [f"{day}-{one}" for one in range(rows)],
            "stagebook.row": np.zeros(rows, dtype="i4"),
            "stagebook.version": "1",
            "stagebook.latency": 0.001,
            "delay": delay,
            "seats": rng.normal(size=rows),
            "prediction": delay > usual,
        }
    )
    folder = log / f"day={moment:%Y-%m-%d}"
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(folder / f"{day:06}-a.parquet")
    return frame
