"""A run with its store on a server: kernels and plans here and on other machines use one another's results."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from ftp import serving

from stagebook.cli import main
from stagebook.run.api import plan_notebook

CELLS = [
    ("setup", "import numpy as np"),
    ("stage:make", "numbers = np.arange(5000)"),
    ("stage:use", "total = int(numbers.sum())\nprint(total)"),
    ("stage:end", "print(total + 1)"),
]


@pytest.fixture
def kept(tmp_path):
    """What is on the server."""
    return tmp_path / "served/prefix"


@pytest.fixture
def store(tmp_path, kept, monkeypatch):
    """The store's URL."""
    monkeypatch.setenv("STAGEBOOK_CACHE", str(tmp_path / "cache"))
    kept.parent.mkdir()
    with serving(kept.parent) as url:
        yield f"{url}/prefix"


@pytest.fixture
def another_machine(tmp_path, monkeypatch):
    """To be called: what is run afterwards has no copies of the store's blobs."""
    return lambda: monkeypatch.setenv("STAGEBOOK_CACHE", str(tmp_path / "another cache"))


def test_another_machine_reuses_everything_and_shows_the_same(bench, store, kept, another_machine):
    first = bench.run(CELLS, store=store)
    assert set(bench.states(first).values()) == {"done"}
    assert [path.name for path in (bench.folder / ".stagebook").iterdir()] == ["runs"]
    another_machine()
    assert {one.action for one in plan_notebook(bench.path, store=store).decisions} == {"reuse"}
    second = bench.run(store=store)
    assert set(bench.states(second).values()) == {"reused"}
    assert bench.printed(second, 3) == bench.printed(first, 3) == "12497500\n"
    third = bench.run([*CELLS[:3], ("stage:end", "print(total + 2, numbers[1])")], store=store)
    assert bench.states(third) == {"make": "reused", "use": "reused", "end": "done"}
    assert bench.printed(third, 4) == "12497502 1\n"
    assert list((kept / "tmp").iterdir()) == []


@pytest.mark.parametrize("damage", [b"damaged", None], ids=["damaged", "missing"])
def test_what_the_server_has_lost_is_made_again(bench, store, kept, another_machine, damage):
    bench.run(CELLS, store=store)
    for blob in [path for path in (kept / "blobs").rglob("*") if path.is_file()]:
        blob.unlink() if damage is None else blob.write_bytes(damage)
    another_machine()
    run = bench.run([*CELLS[:3], ("stage:end", "print(total + 3)")], store=store)
    assert run.state == "done"
    assert bench.printed(run, 4) == "12497503\n"


def test_the_command_takes_a_url_and_says_what_it_cannot_reach(bench, store):
    bench.write(CELLS)
    done = CliRunner().invoke(main, ["run", str(bench.path), "--store", store, "--no-track"])
    assert done.exit_code == 0, done.output
    planned = CliRunner().invoke(main, ["plan", str(bench.path), "--store", store])
    assert "reuse" in planned.output
    wrong = CliRunner().invoke(main, ["run", str(bench.path), "--store", store.replace("secret", "guess")])
    assert wrong.exit_code == 2
    assert wrong.stderr.startswith("stagebook: The store ftp://somebody:***@127.0.0.1")
    assert "guess" not in wrong.output
