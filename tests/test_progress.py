"""What is seen while a run goes on, in a terminal that is narrow."""

from __future__ import annotations

from stagebook.events import RunStarted, StageFinished
from stagebook.progress import LiveTable


def test_in_a_narrow_terminal_only_the_reason_gives_way(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    table = LiveTable()
    table(RunStarted("r", "n.ipynb", ("features", "train"), {}, "runs/r"))
    table(StageFinished("features", "reused", "unchanged since run 20261201-050752-fe7989, and long before that", 0.0))
    table.close()
    shown = capsys.readouterr().out.splitlines()[-3:]
    assert [line.split()[1:3] for line in shown[1:]] == [["features", "reused"], ["train", "waiting"]]
    assert "unchanged since" in shown[1]
    assert shown[1].rstrip().endswith("…")
