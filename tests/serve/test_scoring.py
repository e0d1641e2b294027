"""A file is scored as its rows would be by the service; what was cut off goes on where it was."""

from __future__ import annotations

import pandas as pd
import pytest
from click.testing import CliRunner
from tests.serve.conftest import NAMES

from stagebook.errors import UsageError
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

    def dies(current, part, before):
        asked.append(before)
        if before == 20 and len(asked) == 3:
            raise KeyboardInterrupt
        return scored(current, part, before)

    monkeypatch.setattr(scoring, "_scored", dies)
    with pytest.raises(KeyboardInterrupt):
        score_file(current, source, target, chunk=10)
    assert not target.exists()
    done = score_file(current, source, target, chunk=10)
    assert (done.rows, done.reused) == (25, 20)
    assert asked == [0, 10, 20, 20]
    assert len(pd.read_parquet(target)) == 25


def test_another_input_starts_anew(current, table, tmp_path, monkeypatch):
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    table.assign(a="x").to_parquet(source)
    with pytest.raises(UsageError, match="`a` holds text"):
        score_file(current, source, target, chunk=10)
    table.to_parquet(source)
    assert score_file(current, source, target, chunk=10).reused == 0


@pytest.mark.parametrize(
    ("source", "target", "told"),
    [("in.txt", "out.csv", "neither .parquet nor .csv"), ("none.csv", "out.csv", "There is no file")],
)
def test_what_cannot_be_scored_is_said(current, tmp_path, source, target, told):
    with pytest.raises(UsageError, match=told):
        score_file(current, tmp_path / source, tmp_path / target, chunk=10)
