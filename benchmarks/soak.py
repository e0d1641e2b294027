"""`stagebook serve` under an hour's worth of requests, as fast as they go: does its memory stay as it is?

    python -m benchmarks.soak [REQUESTS]

36,000 requests (ten a second for an hour), the request log on and written every second, to a model that ONNX Runtime
or scikit-learn answers for, over four connections to this machine alone, for ten minutes at most. Prints the memory
that is the service's own (USS) twelve times, and how it moved over the second half.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.serving import CONNECTIONS, ROWS, first_prediction, free_port, loaded, register, running

REQUESTS = 36_000
LONGEST = 600.0
"""Seconds after which no more is asked."""
PARTS = 12


def soaked(model: str, folder: Path, store: str, requests: int) -> None:
    """Ask a service of this model, and print its memory over time."""
    port = free_port()
    command = [sys.executable, "-m", "stagebook", "serve", f"models:/{model}/1", "--port", str(port), "--flush", "1"]
    body = json.dumps({"dataframe_records": [ROWS[model]]}).encode()
    began = time.monotonic()
    with running(command, folder, store) as process:
        first_prediction(port, body, began)
        service, held = psutil.Process(process.pid), []
        began, done = time.monotonic(), 0
        for _ in range(PARTS):
            if time.monotonic() - began > LONGEST:
                break
            done += len(loaded(port, body, requests // PARTS // CONNECTIONS * CONNECTIONS))
            held.append(service.memory_full_info().uss / 2**20)
        took = time.monotonic() - began
    half = held[len(held) // 2 :]
    print(f"{model}: {done:,} requests in {took:.0f} s; MB: {' '.join(f'{one:.0f}' for one in held)}")
    print(f"  second half: {half[-1] - half[0]:+.1f} MB, at most {max(half):.0f}")


def main() -> None:
    """Soak a service of each kind."""
    requests = int(sys.argv[1]) if sys.argv[1:] else REQUESTS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = f"sqlite:///{folder / 'mlflow.db'}"
        os.environ["STAGEBOOK_CACHE"] = str(folder / "cache")
        register(store)
        for model in ("linear", "boosted"):
            soaked(model, folder, store, requests)


if __name__ == "__main__":
    main()
