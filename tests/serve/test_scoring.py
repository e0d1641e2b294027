"""A file is scored as its rows would be by the service; what was cut off goes on where it was."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest
from click.testing import CliRunner
from tests.serve.conftest import NAMES
from tests.serve.services import until

from stagebook.errors import StagebookError, UsageError
from stagebook.serve import scoring
from stagebook.serve.reloading import first
from stagebook.serve.scoring import score_file
from stagebook.serve.versions import reference_named


@pytest.fixture(scope="module")
def current(registry):
    return first(registry.uri, reference_named("linear/1"))


@pytest.fixture
def table():
    return pd.DataFrame({name: [place * step for step in range(25)] for place, name in enumerate(NAMES)}, dtype=float)


@pytest.mark.parametrize("source", ["in.parquet", "in.csv"])
@pytest.mark.parametrize("target", ["out.parquet", "out.csv"])
def test_a_file_is_scored_in_chunks(registry, services, table, tmp_path, monkeypatch, source, target):
    from stagebook.cli import main

    monkeypatch.chdir(registry.folder)
    written = table.to_parquet if source.endswith("parquet") else table.to_csv
    written(tmp_path / source, index=False)
    words = ["score", "linear/1", str(tmp_path / source), str(tmp_path / target), "--chunk", "10"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert done.output.startswith("25 rows scored, by version 1 with ONNX Runtime")
    read = pd.read_parquet if target.endswith("parquet") else pd.read_csv
    found = read(tmp_path / target)
    assert found[NAMES].astype(float).to_numpy().tolist() == table.to_numpy().tolist()
    said = services["linear"].score({"dataframe_split": {"columns": NAMES, "data": table.to_numpy().tolist()}})
    late = [chances[1] for chances in said.json["predictions"]]
    assert found["prediction.1"].tolist() == pytest.approx(late)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([source, target])


def test_what_was_cut_off_goes_on_where_it_was(current, table, tmp_path, monkeypatch):
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    table.to_parquet(source)
    asked = []
    scored = scoring._scored

    def dies(current, source, part, before):
        asked.append(before)
        if before == 20 and len(asked) == 3:
            raise KeyboardInterrupt
        return scored(current, source, part, before)

    monkeypatch.setattr(scoring, "_scored", dies)
    with pytest.raises(KeyboardInterrupt):
        score_file(current, source, target, chunk=10)
    assert not target.exists()
    done = score_file(current, source, target, chunk=10)
    assert (done.rows, done.reused) == (25, 20)
    assert asked == [0, 10, 20, 20]
    assert len(pd.read_parquet(target)) == 25


def test_what_was_killed_goes_on_where_it_was(registry, tmp_path):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    given = pd.DataFrame({"x": 0.5, "n": range(6), "yes": True, "text": "u", "when": "2013-07-01T00:00:00"})
    waiting = tmp_path / "waiting"
    waiting.touch()
    given.loc[4, "text"] = str(waiting)  # the model waits while it is there
    given.to_csv(source, index=False)
    command = [sys.executable, "-m", "stagebook", "score", "code", str(source), str(target), "--chunk", "1"]
    with subprocess.Popen(command, cwd=registry.folder, stdout=subprocess.DEVNULL) as process:
        try:
            until(lambda: len(list(tmp_path.glob("out.csv.parts/0*.parquet"))) == 4, seconds=90)
        finally:
            process.kill()
    waiting.unlink()
    assert not target.exists()
    done = subprocess.run(command, cwd=registry.folder, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("6 rows scored, 4 of them before, by version 1")
    assert len(pd.read_csv(target)) == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_memory_does_not_grow_with_a_file_of_one_row_group(tmp_path):
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    source, rows = tmp_path / "in.parquet", 1_000_000
    random = np.random.default_rng(0)
    pq.write_table(
        pa.table({name: random.normal(size=rows) for name in NAMES}), source, row_group_size=rows, use_dictionary=False
    )
    before = pa.total_allocated_bytes()
    held = [
        pa.total_allocated_bytes() - before for chunk in scoring._chunks(source, 10_000) if chunk.num_rows == 10_000
    ]
    assert len(held) == 100
    assert max(held) < source.stat().st_size / 2


def test_a_long_file_tells_how_far_it_is(registry, table, tmp_path, monkeypatch):
    from stagebook.cli import main
    from stagebook.commands import serving

    monkeypatch.setattr(serving, "_SELDOM", 0.0)
    monkeypatch.chdir(registry.folder)
    table.to_parquet(tmp_path / "in.parquet")
    words = ["score", "linear/1", str(tmp_path / "in.parquet"), str(tmp_path / "out.parquet"), "--chunk", "10"]
    done = CliRunner().invoke(main, words)
    assert done.stderr.splitlines() == [f"{rows} of 25 ({rows / 25:.0%}) rows scored" for rows in (10, 20, 25)]


def test_another_input_starts_anew(current, table, tmp_path, monkeypatch):
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    table.assign(a="x").to_parquet(source)
    with pytest.raises(UsageError, match="`a` holds text"):
        score_file(current, source, target, chunk=10)
    table.to_parquet(source)
    assert score_file(current, source, target, chunk=10).reused == 0


@pytest.mark.parametrize(
    ("source", "target", "told"),
    [
        ("in.txt", "out.csv", "neither .parquet nor .csv"),
        ("none.csv", "out.csv", "There is no file"),
        ("good.csv", "good.csv", r"good.csv is the input itself, which would be lost. Name another file"),
        ("head.csv", "out.csv", r"head.csv has no rows\.$"),
        ("junk.parquet", "out.csv", r"junk.parquet cannot be read: Parquet file size is 4 bytes"),
        ("latin.csv", "out.csv", "latin.csv cannot be read: it is not UTF-8"),
        ("good.csv", "a-file/out.csv", "out.csv cannot be written: Not a directory"),
        ("late.csv", "out.csv", r"late.csv, rows 11 to 20: Column `a` holds text in row 13: it takes numbers"),
        ("texts.parquet", "out.csv", r"texts.parquet, rows 1 to 1: Column `a` holds text in row 1"),
    ],
)
def test_what_cannot_be_scored_is_said_and_leaves_nothing_behind(current, table, tmp_path, source, target, told):
    (tmp_path / "a-file").touch()
    (tmp_path / "junk.parquet").write_text("junk")
    (tmp_path / "latin.csv").write_bytes("a,b,c,d\n1,2,3,\xe9\n".encode("latin-1"))
    table.to_csv(tmp_path / "good.csv", index=False)
    table[:0].to_csv(tmp_path / "head.csv", index=False)
    table.astype(object).where(table.index.to_series() != 12, "x", axis=0).to_csv(tmp_path / "late.csv", index=False)
    table.assign(a="1", b="1", c="1", d="1")[:1].to_parquet(tmp_path / "texts.parquet", index=False)
    with pytest.raises(StagebookError, match=told):
        score_file(current, tmp_path / source, tmp_path / target, chunk=10)
    assert (tmp_path / f"{target}.parts").exists() == (source == "late.csv")  # ten rows are done


def test_a_csv_file_as_spreadsheets_write_it(current, table, tmp_path):
    table[:3].to_csv(tmp_path / "in.csv", index=False, encoding="utf-8-sig")
    with (tmp_path / "in.csv").open("a") as file:
        file.write("\n")
    assert score_file(current, tmp_path / "in.csv", tmp_path / "out.csv", chunk=10).rows == 3


@pytest.mark.parametrize("source", ["in.parquet", "in.csv"])
def test_times_of_a_file_are_taken_as_they_are(registry, tmp_path, source):
    times = pd.to_datetime(["2013-07-01 08:30", "2013-07-01 08:30:00.5", None], format="ISO8601")
    given = pd.DataFrame({"x": 0.5, "n": 1, "yes": True, "text": "u", "when": times})
    written = given.to_parquet if source.endswith("parquet") else given.to_csv
    written(tmp_path / source, index=False)
    current = first(registry.uri, reference_named("code"))
    score_file(current, tmp_path / source, tmp_path / "out.parquet", chunk=10)
    said = pd.read_parquet(tmp_path / "out.parquet")["prediction.said"]
    assert "Timestamp('2013-07-01 08:30:00.500000')" in said[1]
    assert "NaT" in said[2]
