"""What a service logs can be read as one table; a kill loses no more than the last flush interval."""

from __future__ import annotations

import signal
import time
from datetime import datetime, timedelta, timezone

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.serve.conftest import MATRIX, NAMES
from tests.serve.services import until

from stagebook.drift.requests import REPLACES, day_folder, is_input, log_files, read_requests
from stagebook.errors import StoreError, UsageError
from stagebook.serve.entries import Entry
from stagebook.serve.requestlog import LogSettings, RequestLog
from stagebook.serve.schema import Column, Rows, Schema, fitted

SPLIT = {"dataframe_split": {"columns": NAMES, "data": MATRIX}}
SCHEMA = Schema((Column("x", "double"), Column("n", "long"), Column("text", "string")))
NOON = datetime(2026, 3, 4, 12, 0, 0, tzinfo=timezone.utc)


def entry(request, moment=NOON, *, predictions=None, version="1", size=10, text="u", schema=SCHEMA):
    names = [column.name for column in schema.columns]
    values = {"x": 0.5, "n": 7, "text": text, "prediction": 1.0}
    rows = Rows(names, [[values[name]] * 2 for name in names], 2)
    time_ = int(moment.timestamp() * 1e6)
    return Entry(time_, request, version, 0.25, fitted(rows, schema), predictions or [1.0, 2.0], size)


def written(folder, *entries, **settings):
    """Entries, each in a file of its own; the outcomes that were counted."""
    counted = []
    for one in entries:
        log = RequestLog(LogSettings(folder, every=3600, days=100_000, **settings), lambda *told: counted.append(told))
        log.start()
        log.add(one)
        log.close()
    return counted


def test_what_was_asked_and_said_is_in_the_log(serving, tmp_path):
    service = serving("linear", "--log", str(tmp_path / "log"))
    said = service.score(SPLIT, headers={"x-request-id": "mine-1"})
    assert said.headers["x-request-id"] == "mine-1"
    odd = service.score(SPLIT, headers={"x-request-id": "no id?"})
    assert odd.headers["x-request-id"] != "no id?"
    assert service.score({"dataframe_records": [{"a": 1.0}]}).status == 400
    service.stop()

    table = read_requests(tmp_path / "log")
    assert table[NAMES].to_numpy().tolist() == MATRIX * 2
    assert table[["prediction.0", "prediction.1"]].to_numpy().tolist() == said.json["predictions"] * 2
    assert table["stagebook.request"].tolist() == ["mine-1"] * 3 + [odd.headers["x-request-id"]] * 3
    assert table["stagebook.row"].tolist() == [0, 1, 2] * 2
    assert set(table["stagebook.version"]) == {"1"}
    assert (table["stagebook.latency"] > 0).all()
    age = datetime.now(timezone.utc) - table["stagebook.time"]
    assert (age < timedelta(minutes=5)).all()
    assert [name for name in table.columns if is_input(name) and not name.startswith(("stagebook", "pred"))] == NAMES


def test_a_stop_loses_nothing_that_was_answered(serving, tmp_path):
    service = serving("linear", "--log", str(tmp_path / "log"), "--flush", "3600")
    assert [service.score(SPLIT).status for _ in range(50)] == [200] * 50
    service.stop(signal.SIGTERM)
    assert len(read_requests(tmp_path / "log")) == 150


def test_a_kill_loses_no_more_than_the_last_flush_interval(serving, tmp_path):
    every = 1.0
    service = serving("linear", "--log", str(tmp_path / "log"), "--flush", str(every))
    answered = []
    ends = time.monotonic() + 3 * every
    while time.monotonic() < ends:
        answer = service.score(SPLIT)
        answered.append((time.time(), answer.headers["x-request-id"]))
    killed = time.time()
    service.stop(signal.SIGKILL)

    found = set(read_requests(tmp_path / "log")["stagebook.request"])
    lost = [moment for moment, request in answered if request not in found]
    assert found
    assert killed - min(lost, default=killed) < every + 1.0  # and the second that writing may take
    assert not [path for path in (tmp_path / "log").rglob("*") if path.is_file() and path.suffix != ".parquet"]


def test_secret_columns_are_left_out_or_told_by_a_digest(serving, tmp_path):
    service = serving("code", "--log", str(tmp_path / "log"), "--secret", "x", "--secret", "text=hash")
    row = {"x": 1.0, "n": 2, "yes": True, "text": "Zx8k2QwPv7", "when": "2013-07-01T08:30:00"}
    service.score({"dataframe_records": [row, {**row, "text": "other"}, row, {**row, "text": None}]})
    service.stop()
    table = read_requests(tmp_path / "log")
    assert "x" not in table.columns
    first, second, third, fourth = table["text"]
    assert first == third != second
    assert fourth is None or fourth != fourth  # missing, as pandas has it
    inputs = table.drop(columns=[name for name in table.columns if name.startswith("prediction")])
    assert "Zx8k2QwPv7" not in inputs.to_csv()  # the model itself may say what it will


def test_a_secret_column_that_the_model_does_not_have_is_an_error(serving, registry):
    service = serving("linear", "--secret", "aa")
    assert "no column `aa` to keep secret. Did you mean `a`?" in service.ended()
    assert service.process.returncode == 2


def test_only_the_days_and_columns_asked_for_are_read(tmp_path):
    days = [NOON, NOON + timedelta(days=1), NOON + timedelta(days=2)]
    written(tmp_path, *(entry(f"r{place}", day) for place, day in enumerate(days)))
    next(day_folder(tmp_path, days[0]).glob("*.parquet")).write_bytes(b"spoilt")  # it is not to be opened
    table = read_requests(tmp_path, since=days[1], until=days[2], columns=["n", "prediction"])
    assert table.to_dict("list") == {"n": [7, 7], "prediction": [1.0, 2.0]}
    assert len(read_requests(tmp_path, since=days[1] + timedelta(seconds=1))) == 2
    with pytest.raises(StoreError, match="cannot be read"):
        read_requests(tmp_path)
    with pytest.raises(UsageError, match="no time zone"):
        read_requests(tmp_path, since=datetime(2026, 3, 4))
    with pytest.raises(UsageError, match="no column `m`"):
        read_requests(tmp_path, since=days[1], columns=["m"])


def test_a_folder_without_a_log_is_an_error(tmp_path):
    with pytest.raises(UsageError, match="There is no request log"):
        read_requests(tmp_path)


@pytest.mark.parametrize(
    ("predictions", "columns"),
    [
        ([1, 2], {"prediction": [1, 2]}),
        (["late", "on time"], {"prediction": ["late", "on time"]}),
        ([[0.25, 0.75], [0.5, 0.5]], {"prediction.0": [0.25, 0.5], "prediction.1": [0.75, 0.5]}),
        ([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}], {"prediction.a": [1, 2], "prediction.b": ["x", "y"]}),
        ([1, "x"], {"prediction": ["1", '"x"']}),
        ([[[1]], [[2]]], {"prediction": ["[[1]]", "[[2]]"]}),
        ({"all": 3}, {"prediction": ['{"all": 3}', None]}),
    ],
)
def test_predictions_of_every_form_have_columns(tmp_path, predictions, columns):
    assert written(tmp_path, entry("r", predictions=predictions)) == [("written", 1)]
    table = read_requests(tmp_path)
    said = [name for name in table.columns if name.startswith("prediction")]
    assert table[said].astype(object).where(table[said].notna(), None).to_dict("list") == columns


def test_an_input_that_is_called_like_a_column_of_ours_has_another_name(tmp_path):
    schema = Schema((Column("prediction", "double"),))
    written(tmp_path, entry("r", schema=schema))
    assert {"input.prediction", "prediction"} <= set(read_requests(tmp_path).columns)


def test_versions_with_other_columns_are_read_together(tmp_path):
    written(tmp_path, entry("r"), entry("s", version="2", schema=Schema((Column("x", "double"),))))
    assert read_requests(tmp_path)["n"].isna().tolist() == [False, False, True, True]


def test_many_small_files_become_one_and_nothing_counts_twice(tmp_path, monkeypatch):
    monkeypatch.setattr("stagebook.serve.requestlog._MANY", 5)
    log = RequestLog(LogSettings(tmp_path, every=3600, days=100_000))
    log.start()
    for place in range(12):
        log.add(entry(f"r{place:02}"))
        log._pack()
        log._flush()
    log.close()
    day = day_folder(tmp_path, NOON)
    assert len(list(day.glob("*"))) == 4  # two merged, two small
    assert read_requests(tmp_path)["stagebook.request"].tolist() == [
        f"r{place:02}" for place in range(12) for _ in "ab"
    ]


def test_what_a_merged_file_replaces_does_not_count_and_is_removed_by_the_next_service(tmp_path):
    written(tmp_path, entry("r"), entry("s"))
    day = day_folder(tmp_path, NOON)
    small = sorted(day.glob("*.parquet"))
    table = pa.concat_tables(map(pq.read_table, small))  # and then it was killed, before it removed them
    import json

    told = {REPLACES: json.dumps([path.name for path in small]).encode()}
    pq.write_table(table.replace_schema_metadata(told), day / "120000-merged.parquet")
    assert len(read_requests(tmp_path)) == 4
    written(tmp_path, entry("t"))
    assert [path for path in small if path.exists()] == []
    assert len(log_files(day)) == 2


def test_days_that_are_too_old_are_removed(tmp_path):
    written(tmp_path, entry("old"))
    log = RequestLog(LogSettings(tmp_path, days=2))
    log.start()
    log.add(entry("new", datetime.now(timezone.utc)))
    log.close()
    assert set(read_requests(tmp_path)["stagebook.request"]) == {"new"}


def test_what_there_is_no_room_for_is_counted_and_dropped(tmp_path):
    counted = []
    log = RequestLog(LogSettings(tmp_path, days=100_000), lambda *told: counted.append(told))
    for place in range(5):
        log.add(entry(f"r{place}", size=30 << 20))
    log.start()
    log.close()
    assert sorted(counted) == [("dropped", 3), ("written", 2)]


def test_a_log_that_cannot_be_written_loses_its_rows_and_not_the_service(serving, tmp_path):
    service = serving("linear", "--log", str(tmp_path / "log"), "--flush", "0.1")
    service.score(SPLIT)
    until(lambda: service.metric('stagebook_logged_requests_total{outcome="written"}') == 1)
    folder = next((tmp_path / "log").iterdir())
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.write_text("in the way")
    assert service.score(SPLIT).status == 200
    until(lambda: service.metric('stagebook_logged_requests_total{outcome="dropped"}') == 1)
    assert any(event["event"] == "requests not logged" for event in service.events())
