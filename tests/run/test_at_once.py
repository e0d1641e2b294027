"""Several processes use one store at once, and lose nothing to each other nor to what removes meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys

from stagebook.store.blobs import Store
from stagebook.store.digests import digest_of

WORKER = """
import sys
from pathlib import Path
import numpy as np
from stagebook.run.presence import Presence
from stagebook.store.blobs import Store
from stagebook.store.gathering import gather
from stagebook.store.values import keep, load
root, name = Path(sys.argv[1]), sys.argv[2]
store = Store(root)
for turn in range(6):
    with Presence(root, f"{name}-{turn}", keys=set()):
        kept = {}
        for number in range(20):
            values = {"shared": np.arange(1000) + number, "own": [name, turn, number]}
            refs = keep(values, store, namespace={}, setup={}).refs
            kept[number] = (refs, gather([refs, refs], store))
        for number, (refs, lists) in kept.items():
            assert load(refs.values(), store, namespace={})["shared"][0] == number
            assert load(lists.values(), store, namespace={})["own"] == [[name, turn, number]] * 2
"""

COLLECTOR = """
import sys
from click.testing import CliRunner
from stagebook.cli import main
for _ in range(20):
    done = CliRunner().invoke(main, ["gc", sys.argv[1]])
    assert done.exit_code == 0, done.output
print("collected")
"""


def started(code, *arguments):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(*processes):
    """What they print, if all of them end well."""
    said = [process.communicate(timeout=240) for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), said
    return [out for out, _ in said]


def test_values_are_kept_and_loaded_while_others_keep_the_same_and_remove_what_nobody_needs(tmp_path):
    store = Store(tmp_path / "store")
    store.put(b"something")
    workers = [started(WORKER, store.root, name) for name in "abc"]
    collector = started(COLLECTOR, store.root)
    assert ended(*workers, collector)[-1] == "collected\n"
    ended(started(COLLECTOR, store.root))
    assert store.files("blobs") == store.files("tmp") == store.files("records/manifests") == []


def test_two_runs_of_one_notebook_at_once_both_end_well_and_leave_whole_results(bench):
    bench.write(
        [
            ("setup", "import numpy as np"),
            *((f"stage:s{number}", f"x{number} = np.arange(2000) + {number}") for number in range(3)),
            ("stage:end", "print(int(sum((x0 + x1 + x2))))"),
        ]
    )
    command = [sys.executable, "-m", "stagebook", "run", str(bench.path), "--no-track", "--jobs", "1"]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ended(*runs)
    kept = bench.folder / ".stagebook"
    for path in (path for path in (kept / "blobs").rglob("*") if path.is_file()):
        assert digest_of(path.read_bytes()) == path.parent.name + path.name
    for path in (kept / "records").rglob("*.json"):
        json.loads(path.read_text())
    third = bench.run()
    assert set(bench.states(third).values()) == {"reused"}
    assert bench.printed(third, 5) == f"{3 * sum(range(2000)) + 2000 * 3}\n"
