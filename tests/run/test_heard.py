"""What a cell prints is told while it runs."""

from __future__ import annotations

import asyncio
import time

from stagebook.events import CellFinished, CellPrinted
from stagebook.run import heard
from stagebook.run.heard import Heard

SLOW = """
import time
print("epoch 1", flush=True)
time.sleep(1.5)
print(f"epoch 2 of {service_token}", flush=True)
time.sleep(1.5)
"""


def told_by(*steps, period=0.02):
    """The pieces that come of texts, and of seconds between them."""
    pieces = []

    async def run():
        gathers = Heard(pieces.append)
        for step in steps:
            if isinstance(step, str):
                gathers(step)
            else:
                await asyncio.sleep(step)
        gathers.close()
        await asyncio.sleep(3 * period)

    asyncio.run(run())
    return pieces


def test_lines_are_told_together_and_only_whole(monkeypatch):
    monkeypatch.setattr(heard, "PERIOD", 0.02)
    assert told_by("a\n", "b", 0.1, "c\nd", 0.1) == ["a\n", "bc\n"]


def test_a_progress_bar_is_told_at_its_carriage_returns(monkeypatch):
    monkeypatch.setattr(heard, "PERIOD", 0.02)
    assert told_by("\r10%", "\r20%", "\r30%", 0.1) == ["\r10%\r20%\r"]


def test_a_cell_that_prints_without_end_is_told_in_part(monkeypatch):
    monkeypatch.setattr(heard, "PERIOD", 0.005)
    pieces = told_by(*[one for number in range(40) for one in (f"{number:9}\n" * 1000, 0.02)])
    assert all(len(piece) <= heard.MOST + 4 for piece in pieces)
    assert heard.IN_ALL <= sum(map(len, pieces)) <= heard.IN_ALL + heard.MOST + 40
    assert pieces[-1].endswith("…\n")


def test_what_comes_as_the_cell_ends_is_left_to_its_outputs(monkeypatch):
    monkeypatch.setattr(heard, "PERIOD", 0.02)
    assert told_by("a\n") == []


def test_one_who_waits_reads_along_and_sees_no_secret(bench, monkeypatch):
    monkeypatch.setenv("SERVICE_KEY", "tulips-in-november")
    times = {}
    bench.listeners = (lambda event: times.setdefault(type(event), time.monotonic()),)
    run = bench.run([("parameters", "import os\nservice_token = os.environ['SERVICE_KEY']"), ("stage:train", SLOW)])
    assert run.state == "done", run
    printed = [event.text for event in bench.events if isinstance(event, CellPrinted)]
    assert printed == ["epoch 1\n", "epoch 2 of ••••••\n"]
    assert times[CellPrinted] < times[CellFinished] - 1.5
