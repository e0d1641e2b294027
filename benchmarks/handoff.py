"""What it costs that a value crosses a stage, as a multiple of what writing it as Arrow IPC alone takes.

    python benchmarks/handoff.py [--size 1.0] [--repeat 5] [--json FILE]

Crossing is all that Stagebook does with the value between two stages: it is kept (written and digested), loaded in the
next stage (its digest checked, its file mapped), and compared, before and after that stage's cells, as is done with
values that the cells may have changed in place. The two are timed in turn, in one process, on one disk; medians count.
"""

from __future__ import annotations

import argparse
import gc
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np  # noqa: TID253 - a script, which needs all of them at once
import pandas as pd  # noqa: TID253
import pyarrow as pa  # noqa: TID253

from stagebook.store.blobs import Store
from stagebook.store.values import keep, load, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTS = ("keep", "load", "before", "after")


def mixed_frame(gigabytes: float) -> pd.DataFrame:
    """Floats (some missing), ints, strings, categories and dates, of about that size."""
    rows = int(gigabytes * 1e9 / 97)
    random = np.random.default_rng(0)
    frame = pd.DataFrame({f"float{number}": random.random(rows) for number in range(6)})
    frame.loc[::7, "float0"] = np.nan
    frame["id"] = np.arange(rows)
    frame["count"] = random.integers(0, 1000, rows, dtype="int32")
    frame["flag"] = random.random(rows) < 0.5
    frame["name"] = pd.Series([f"name {number:06}" for number in range(1000)]).sample(rows, replace=True).to_numpy()
    frame["kind"] = pd.Categorical.from_codes(random.integers(0, 4, rows, dtype="int8"), ["a", "b", "c", "d"])
    frame["when"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 10**8, rows), unit="s")
    return frame


def matrix_frame(gigabytes: float) -> pd.DataFrame:
    """A frame made of a matrix of floats, which lies in memory row by row."""
    return pd.DataFrame(np.random.default_rng(0).random((int(gigabytes * 1e9 / 160), 20))).rename(columns="x{}".format)


def array(gigabytes: float) -> Any:
    """An array of floats."""
    return np.random.default_rng(0).random((int(gigabytes * 1e9 / 800), 100))


VALUES: dict[str, Callable[[float], Any]] = {"frame": mixed_frame, "matrix frame": matrix_frame, "array": array}


def write_arrow(value: Any, path: Path) -> None:
    """The peer: pyarrow alone, as its documentation has it, without compression."""
    with pa.OSFile(str(path), "wb") as sink:
        if isinstance(value, pd.DataFrame):
            table = pa.Table.from_pandas(value)
            with pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)
        else:
            pa.ipc.write_tensor(pa.Tensor.from_numpy(value), sink)


def take_memory(folder: Path, size: int) -> None:
    """Have as much memory for files at hand as will be written: a virtual machine may have to get it from its host."""
    block = bytes(1 << 24)
    with (folder / "memory").open("wb") as file:
        for _ in range(size // len(block) + 1):
            file.write(block)
    (folder / "memory").unlink()


@contextmanager
def timed(seconds: dict[str, list[float]], part: str) -> Iterator[None]:
    """Note how long the block takes."""
    began = time.perf_counter()
    yield
    seconds.setdefault(part, []).append(time.perf_counter() - began)


def measure(value: Any, folder: Path, repeat: int) -> dict[str, Any]:
    """Medians of both ways, their ratio, and the size of the file that pyarrow writes."""
    gc.collect()
    seconds: dict[str, list[float]] = {}
    write_arrow(value, folder / "arrow")
    size = (folder / "arrow").stat().st_size
    for _ in range(repeat + 1):  # the first round warms up
        (folder / "arrow").unlink()
        take_memory(folder, size)
        with timed(seconds, "arrow"):
            write_arrow(value, folder / "arrow")
        (folder / "arrow").unlink()
        take_memory(folder, size)
        cross(value, Store(folder / "store"), seconds)
        shutil.rmtree(folder / "store")
        (folder / "arrow").touch()
    counted = {part: those[1:] for part, those in seconds.items()}
    crossing = [sum(parts) for parts in zip(*(counted[part] for part in PARTS), strict=True)]
    medians = {part: statistics.median(those) for part, those in counted.items()}
    medians["crossing"] = statistics.median(crossing)
    return {"bytes": size, "seconds": medians, "ratio": medians["crossing"] / medians["arrow"]}


def cross(value: Any, store: Store, seconds: dict[str, list[float]]) -> None:
    """Keep, load, and tell before and after whether it has changed."""
    names: dict[str, Any] = {"__name__": "__main__"}
    with timed(seconds, "keep"):
        kept = keep({"value": value}, store, namespace=names, setup={})
    with timed(seconds, "load"):
        loaded = load(kept.refs.values(), store, namespace=names)["value"]
    with timed(seconds, "before"):
        before = snapshot(loaded, namespace=names, setup={})
    with timed(seconds, "after"):
        same = before is not None and before.is_same(snapshot(loaded, namespace=names, setup={}))
    assert same


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, default=1.0, help="gigabytes of each value")
    parser.add_argument("--repeat", type=int, default=5, help="how often; medians count")
    parser.add_argument("--json", type=Path, help="a file to write the figures to")
    parser.add_argument("--folder", type=Path, help="where to write; a temporary folder otherwise")
    given = parser.parse_args()
    figures = {}
    for name, make in VALUES.items():
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            figures[name] = measure(make(given.size), Path(folder), given.repeat)
        seconds = figures[name]["seconds"]
        parts = ", ".join(f"{part} {seconds[part]:.3f}" for part in PARTS)
        print(
            f"{name}, {figures[name]['bytes'] / 1e9:.2f} GB: {figures[name]['ratio']:.2f} x Arrow IPC alone "
            f"({seconds['crossing']:.2f} s to {seconds['arrow']:.2f} s: {parts})",
            flush=True,
        )
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
