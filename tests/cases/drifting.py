"""A pipeline that compares two tables, closes a gate on that, and branches."""

LOAD = """
import numpy as np
import pandas as pd
rng = np.random.default_rng(0)
january = pd.DataFrame({"delay": rng.normal(size=300), "carrier": rng.choice(["AA", "UA"], 300)})
july = january.assign(delay=january["delay"] + shift)
"""
CELLS = [
    ("parameters", "shift = 0.0"),
    ("stage:load", LOAD),
    ("", "%%stage watch drift=january:july gate='drift.share < 0.9'\nprint(len(july))\nlen(january)"),
    ("", "%%stage retrain when=drift.detected\nprint(f'retrained, as {drift.share:.0%} have drifted')"),
]
