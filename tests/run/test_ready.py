"""Kernels that are prepared ahead: only where nothing can tell, and never one that is not fit."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest

from stagebook.events import StageFinished
from stagebook.run.job import JobCell
from stagebook.run.kernels import Kernel
from stagebook.run.prepared import Prepared, Setup
from stagebook.run.ready import Ready
from stagebook.run.warm.imports import is_timeless
from stagebook.run.warm.pool import Pool

IMPORTED = ["import os", "import numpy as np", "import warnings"]
TIMELESS = {
    "nothing": "",
    "imports": "import os\nimport numpy as np",
    "constants": "depth = 4\nnames = ['a', 'b']\nlimit: float = -1.5",
    "functions": "import os\ndef find(name, folder='.', *, deep=False) -> str:\n    return open(os.environ[name])",
    "options": "import warnings\nwarnings.filterwarnings('ignore', category=FutureWarning)",
    "a seed": "import numpy as np\nnp.random.seed(7)",
    "magics": "%matplotlib inline\n%load_ext stagebook",
}
TIMELY = {
    "an import that is not known to be harmless": "import own",
    "a file": "text = open('data.csv').read()",
    "a variable of the environment": "import os\nhome = os.environ['HOME']",
    "a default that is computed": "def find(text=open('data.csv').read()): pass",
    "a decorator": "@register\ndef find(): pass",
    "a class, whose body is run": "class Data:\n    text = open('data.csv').read()",
    "an option that is looked up": "import warnings\nwarnings.filterwarnings(open('how').read())",
    "something that is said": "print('hello')",
    "a shell line": "!ls",
    "a magic of somebody else's": "%load_ext own",
    "a condition": "if True:\n    x = 1",
    "no Python": ")",
}


@pytest.mark.parametrize("source", TIMELESS.values(), ids=TIMELESS)
def test_setup_that_does_the_same_at_any_time(source):
    assert is_timeless([source], IMPORTED)


@pytest.mark.parametrize("source", TIMELY.values(), ids=TIMELY)
def test_setup_that_may_not(source):
    assert not is_timeless(["x = 1", source], IMPORTED)


def prepared_ahead(bench):
    """The stages that found parameters and setup done."""
    phases = {e.stage: [p.name for p in e.result.phases] for e in bench.events if isinstance(e, StageFinished)}
    return [stage for stage, names in phases.items() if "imports" not in names]


CHAIN = [("stage:a", "a = n + 1"), ("stage:b", "b = a + 1"), ("stage:c", "print(b + 1, n)")]


@pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")
class TestStages:
    def test_stages_find_setup_done_from_the_second_on(self, bench):
        run = bench.run([("parameters", "n = 1"), ("setup", "import json"), *CHAIN])
        assert bench.printed(run, 5) == "4 1\n"
        assert prepared_ahead(bench) == ["b", "c"]

    def test_cells_are_counted_as_in_the_notebook(self, bench):
        run = bench.run([("parameters", "n = 1"), ("", "1"), ("setup", "import json"), *CHAIN])
        assert [cell.execution_count for cell in bench.output(run)] == [1, None, 3, 4, 5, 6]

    def test_setup_that_looks_at_something_runs_when_its_stage_does(self, bench):
        run = bench.run([("parameters", "n = 1"), ("setup", "import os\nhome = os.environ['HOME']"), *CHAIN])
        assert bench.printed(run, 5) == "4 1\n"
        assert prepared_ahead(bench) == []

    def test_a_stage_with_another_number_of_threads_gets_a_kernel_of_its_own(self, bench):
        cells = [("parameters", "n = 1"), CHAIN[0], (*CHAIN[1], {"resources": "cores:1"}), CHAIN[2]]
        assert bench.printed(bench.run(cells), 4) == "4 1\n"
        assert "b" not in prepared_ahead(bench)

    def test_nothing_is_left_of_kernels_that_nobody_took(self, bench, children):
        bench.run([("parameters", "n = 1"), ("stage:a", "a = 1 // (n - 1)"), *CHAIN[1:]])
        assert not [line for line in children() if "stagebook.run.warm" in line]


def test_a_kernel_that_has_died_meanwhile_is_not_taken(tmp_path):
    setup = Setup("python3", str(tmp_path), str(tmp_path / "store"), (JobCell(1, "n = 1", "n = 1"),), (), None, ())

    async def run():
        pool = Pool(sys.executable, str(tmp_path), imports=(), environment=dict(os.environ), spare=1)
        ready = Ready(2)
        try:
            await pool.take()  # so that what it has imported is known
            ready.expect("run", setup, pool, kernels=2)
            first = await ready.take(setup)
            for _, _, task in ready._entries:
                os.kill((await task).kernel._manager.provisioner.kernel.pid, signal.SIGKILL)
                await (await task).kernel._manager.provisioner.kernel.ended
            return first.is_set_up, await ready.take(setup)
        finally:
            await first.kernel.stop()
            await ready.drop("run")
            await pool.close()

    assert asyncio.run(asyncio.wait_for(run(), 120)) == (True, None)


def test_several_stages_can_ask_at_once_though_kernels_die(tmp_path):
    setup = Setup("python3", str(tmp_path), str(tmp_path / "store"), (), (), None, ())

    async def run():
        pool = Pool(sys.executable, str(tmp_path), imports=(), environment=dict(os.environ), spare=1)
        ready = Ready(3)
        try:
            await pool.take()
            ready.expect("run", setup, pool, kernels=3)
            victim = await ready._entries[0][2]
            os.kill(victim.kernel._manager.provisioner.kernel.pid, signal.SIGKILL)
            await victim.kernel._manager.provisioner.kernel.ended
            taken = await asyncio.gather(*(ready.take(setup) for _ in range(3)))
            for one in filter(None, taken):
                await one.kernel.stop()
            return [one is not None and one is not victim for one in taken]
        finally:
            await pool.close()

    assert sorted(asyncio.run(asyncio.wait_for(run(), 120))) == [False, True, True]


@pytest.mark.parametrize("is_forked", [True, False])
def test_kernels_end_by_themselves(tmp_path, is_forked):
    """One in eight took more than the five seconds that it is given, before."""
    if is_forked and sys.platform != "linux":
        pytest.skip("kernels are forked on Linux only")

    async def started(pool):
        setup = Setup("python3", str(tmp_path), str(tmp_path / "store"), (), (), None, ())
        prepared = Prepared(await Kernel.start("python3", folder=str(tmp_path), pool=pool), setup)
        await prepared.set_up()
        return prepared.kernel

    async def ended(kernel):
        provisioner = kernel._manager.provisioner
        process = provisioner.kernel if is_forked else provisioner.process
        await kernel.stop(gently=True)
        return await process.ended if is_forked else process.returncode

    async def run():
        pool = Pool(sys.executable, str(tmp_path), imports=(), environment=dict(os.environ), spare=1)
        try:
            kernels = await asyncio.gather(*(started(pool if is_forked else None) for _ in range(8)))
            return [await ended(kernel) for kernel in kernels]  # one by one: each has the cores to itself
        finally:
            await pool.close()

    assert set(asyncio.run(asyncio.wait_for(run(), 120))) == {0}
