"""The sample that the flights demo reads is the one its README describes."""

import hashlib
import re
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "notebooks" / "data"
README = (DATA / "README.md").read_text(encoding="utf-8")

COLUMNS = {
    "flights": {
        "time_hour": "timestamp[ms, tz=UTC]",
        "sched_dep_time": "int32",
        "sched_arr_time": "int32",
        "carrier": "string",
        "flight": "int32",
        "tailnum": "string",
        "origin": "string",
        "dest": "string",
        "distance": "int32",
        "dep_time": "int32",
        "dep_delay": "int32",
        "arr_time": "int32",
        "arr_delay": "int32",
        "air_time": "int32",
    },
    "weather": {
        "origin": "string",
        "time_hour": "timestamp[ms, tz=UTC]",
        "temp": "double",
        "dewp": "double",
        "humid": "double",
        "wind_dir": "double",
        "wind_speed": "double",
        "wind_gust": "double",
        "precip": "double",
        "pressure": "double",
        "visib": "double",
    },
    "planes": {
        "tailnum": "string",
        "year": "int32",
        "type": "string",
        "manufacturer": "string",
        "model": "string",
        "engines": "int32",
        "seats": "int32",
        "engine": "string",
    },
}
ROWS = {"flights": 100_000, "weather": 26_115, "planes": 3_322}
STATED = {
    name: {"rows": int(rows.replace(",", "")), "bytes": int(size.replace(",", "")), "digest": digest}
    for name, rows, size, digest in re.findall(
        r"^\| `(\w+)\.parquet` \| ([\d,]+) of [\d,]+ \| ([\d,]+) \| `(\w{64})` \|$", README, flags=re.MULTILINE
    )
}


def column(name, table):
    """One column of a shipped table, as Arrow."""
    from pyarrow import parquet

    return parquet.read_table(DATA / f"{table}.parquet", columns=[name])[name]


def test_readme_states_every_shipped_table():
    assert set(STATED) == set(COLUMNS) == {path.stem for path in DATA.glob("*.parquet")}


@pytest.mark.parametrize("table", COLUMNS)
def test_columns_and_types_are_those_described(table):
    from pyarrow import parquet

    schema = parquet.read_schema(DATA / f"{table}.parquet")
    assert {field.name: str(field.type) for field in schema} == COLUMNS[table]


@pytest.mark.parametrize("table", COLUMNS)
def test_readme_names_every_column(table):
    section = README.split(f"## {table}.parquet")[1].split("\n## ")[0]
    assert set(COLUMNS[table]) <= set(re.findall(r"`(\w+)`", section))


@pytest.mark.parametrize("table", COLUMNS)
def test_row_count_is_the_stated_one(table):
    from pyarrow import parquet

    assert parquet.read_metadata(DATA / f"{table}.parquet").num_rows == ROWS[table] == STATED[table]["rows"]


@pytest.mark.parametrize("table", COLUMNS)
def test_digest_and_size_match_the_file(table):
    content = (DATA / f"{table}.parquet").read_bytes()
    assert {"bytes": len(content), "digest": hashlib.sha256(content).hexdigest()} == {
        key: STATED[table][key] for key in ("bytes", "digest")
    }


def test_the_sample_stays_small():
    assert sum(path.stat().st_size for path in DATA.glob("*.parquet")) <= 3_000_000


def test_licence_is_named():
    assert "CC0" in README


def test_flights_cover_the_year_and_the_three_airports():
    from pyarrow import compute

    months = compute.month(column("time_hour", "flights"))
    assert sorted(months.unique().to_pylist()) == list(range(1, 13))
    assert sorted(column("origin", "flights").unique().to_pylist()) == ["EWR", "JFK", "LGA"]


def test_cancelled_flights_are_part_of_the_sample():
    assert column("arr_delay", "flights").null_count == 2_808


def test_weather_has_one_row_per_airport_and_hour():
    airports = column("origin", "weather").to_pylist()
    keys = list(zip(airports, column("time_hour", "weather").to_pylist(), strict=True))
    assert len(keys) == len(set(keys))


def test_aircraft_are_registered_once():
    tail_numbers = column("tailnum", "planes").to_pylist()
    assert len(tail_numbers) == len(set(tail_numbers))
