"""Kernels forked from a template: which imports are done early, and that nothing else is different."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress

import psutil
import pytest

from stagebook.run.warm.command import can_be_forked
from stagebook.run.warm.imports import early_imports
from stagebook.run.warm.pool import NoTemplateError, Pool

CASES = {
    "imports": ("import os\nimport pandas as pd", ["import os", "import pandas as pd"]),
    "names of a package": ("from os.path import join as j, sep", ["from os.path import join as j, sep"]),
    "once": ("import os\nimport os", ["import os"]),
    "below definitions": ("def f():\n    return g()\nclass A:\n    x = 1\nimport os", ["import os"]),
    "below constants": ("N = 3\nx: int = -1\nnames = ['a', 'b']\nimport os", ["import os"]),
    "below options": (
        "import warnings\nwarnings.filterwarnings('ignore')\nimport os",
        ["import warnings", "import os"],
    ),
    "below harmless magics": ("%matplotlib inline\n%load_ext stagebook\nimport os", ["import os"]),
    "a docstring": ("'''About.'''\nimport os", ["import os"]),
    "relative ones never": ("from . import own\nimport os", ["import os"]),
    "not below a variable of the environment": ("import os\nos.environ['A'] = '1'\nimport sys", ["import os"]),
    "not below a call": ("import sys\nsys.path.insert(0, 'lib')\nimport os", ["import sys"]),
    "not below a computed value": ("import os\nx = os.getcwd()\nimport sys", ["import os"]),
    "not below another magic": ("%env A=1\nimport os", []),
    "not below a shell line": ("!pip install x\nimport os", []),
    "not below a decorated function": ("@register\ndef f(): pass\nimport os", []),
    "not below a subclass": ("class A(B): pass\nimport os", []),
    "not in a branch": ("if True:\n    import os\nimport sys", []),
    "no Python": ("import os\n)", []),
}


@pytest.mark.parametrize(("source", "found"), CASES.values(), ids=CASES)
def test_imports_that_may_be_done_before_anything_else(source, found):
    assert list(early_imports([source])) == found


def test_what_stands_in_a_cell_above_counts_for_those_below():
    assert early_imports(["import os", "open('x')", "import sys"]) == ("import os",)


@pytest.mark.parametrize(
    ("arguments", "system", "can"),
    [
        (["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"], "linux", True),
        (["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"], "darwin", False),
        (["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"], "win32", False),
        (["R", "-e", "IRkernel::main()", "--args", "{connection_file}"], "linux", False),
        (["python", "-m", "xpython", "-f", "{connection_file}"], "linux", False),
    ],
)
def test_kernels_that_can_be_forked(monkeypatch, arguments, system, can):
    monkeypatch.setattr(sys, "platform", system)
    assert can_be_forked(arguments) is can


def in_pool(folder, use, *, imports=(), spare=1):
    """What `use` returns, given a pool."""

    async def run():
        pool = Pool(sys.executable, str(folder), imports=imports, environment=dict(os.environ), spare=spare)
        try:
            return await asyncio.wait_for(use(pool), 120)
        finally:
            await pool.close()

    return asyncio.run(run())


class TestPool:
    def test_kernels_wait_until_they_are_asked_for(self, tmp_path):
        async def use(pool):
            pool.expect(3)
            first = await pool.take()
            waiting = list(pool._waiting)
            return first, waiting, await pool.take()

        first, waiting, second = in_pool(tmp_path, use)
        assert waiting == [second]
        assert first.pid != second.pid

    def test_several_can_be_asked_for_at_once(self, tmp_path):
        async def use(pool):
            kernels = await asyncio.gather(*(pool.take() for _ in range(4)))
            return {kernel.pid for kernel in kernels}

        assert len(in_pool(tmp_path, use)) == 4

    def test_no_more_are_forked_than_are_expected(self, tmp_path):
        async def use(pool):
            pool.expect(1)
            await pool.take()
            return len(pool._waiting)

        assert in_pool(tmp_path, use, spare=4) == 0

    def test_how_a_kernel_ended_is_known(self, tmp_path):
        async def use(pool):
            kernel = await pool.take()
            os.kill(kernel.pid, signal.SIGKILL)
            return await kernel.ended

        assert in_pool(tmp_path, use) == -signal.SIGKILL

    def test_without_a_template_there_is_no_kernel(self, tmp_path):
        async def use(pool):
            kernel = await pool.take()
            psutil.Process(kernel.pid).parent().kill()
            status = await kernel.ended
            with pytest.raises(NoTemplateError):
                await pool.take()
            return status, kernel.pid

        status, process = in_pool(tmp_path, use)
        assert status == -9
        with suppress(psutil.NoSuchProcess):
            psutil.Process(process).wait(timeout=20)  # it raises if the kernel lives on

    @pytest.mark.parametrize("seconds", [0, 0.01, 0.1, 0.5])
    def test_it_can_be_closed_while_the_template_starts(self, tmp_path, children, seconds):
        async def use(_):
            await asyncio.sleep(seconds)

        in_pool(tmp_path, use, imports=["import time", "import pandas"])
        assert not [line for line in children() if "stagebook.run.warm" in line]

    def test_nothing_is_left_when_it_is_closed(self, tmp_path, children):
        async def use(pool):
            pool.expect(3)
            await pool.take()

        in_pool(tmp_path, use, spare=2)
        assert not [line for line in children() if "stagebook.run.warm" in line]


PARENT = "import os, pathlib\nprint('warm' in pathlib.Path(f'/proc/{os.getppid()}/cmdline').read_text())"


@pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")
class TestStages:
    def test_stages_run_in_forked_kernels_with_what_setup_imports(self, bench):
        look = "import sys\nprint('decimal' in sys.modules)"
        run = bench.run([("setup", "import decimal"), ("stage:a", look), ("stage:b", PARENT)])
        assert (bench.printed(run, 2), bench.printed(run, 3)) == ("True\n", "True\n")

    def test_an_import_that_says_something_says_it_in_the_notebook(self, bench):
        run = bench.run([("setup", "import this"), ("stage:a", PARENT)])
        assert bench.printed(run, 1).startswith("The Zen of Python")
        assert bench.printed(run, 2) == "True\n"

    def test_a_module_beside_the_notebook_is_imported_by_each_kernel(self, bench):
        (bench.folder / "own.py").write_text("import os\npid = os.getpid()\n")
        run = bench.run([("setup", "import own"), ("stage:a", "import os\nprint(own.pid == os.getpid())")])
        assert bench.printed(run, 2) == "True\n"

    def test_a_module_beside_the_notebook_hides_an_installed_one(self, bench):
        (bench.folder / "iniconfig.py").write_text("mine = True\n")
        run = bench.run([("setup", "import iniconfig"), ("stage:a", "print(iniconfig.mine)")])
        assert bench.printed(run, 2) == "True\n"

    def test_a_package_that_starts_a_thread_is_imported_by_each_kernel(self, bench, monkeypatch):
        package = bench.folder / "site-packages" / "threading_package.py"
        package.parent.mkdir()
        package.write_text(
            "import os, threading, time\npid = os.getpid()\n"
            "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        )
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(package.parent), os.environ.get("PYTHONPATH", "")]))
        code = "import os\nprint(threading_package.pid == os.getpid(), 'decimal' in sys.modules)"
        run = bench.run(
            [("setup", "import threading_package\nimport decimal, sys"), ("stage:a", code), ("stage:b", PARENT)]
        )
        assert (bench.printed(run, 2), bench.printed(run, 3)) == ("True True\n", "True\n")

    def test_a_package_that_keeps_a_stream_writes_to_the_notebook(self, bench, monkeypatch):
        package = bench.folder / "site-packages" / "keeping_package.py"
        package.parent.mkdir()
        package.write_text("import sys\ndef say(file=sys.stdout):\n    print('hello', file=file)\n")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(package.parent), os.environ.get("PYTHONPATH", "")]))
        run = bench.run([("setup", "import keeping_package"), ("stage:a", "keeping_package.say()")])
        assert bench.printed(run, 2) == "hello\n"

    def test_a_variable_set_above_an_import_is_set_when_it_is_imported(self, bench, monkeypatch):
        package = bench.folder / "site-packages" / "asking_package.py"
        package.parent.mkdir()
        package.write_text("import os\nseen = os.environ.get('STAGEBOOK_T')\n")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(package.parent), os.environ.get("PYTHONPATH", "")]))
        setup = "import os\nos.environ['STAGEBOOK_T'] = 'set'\nimport asking_package"
        run = bench.run([("setup", setup), ("stage:a", "print(asking_package.seen)")])
        assert bench.printed(run, 2) == "set\n"

    def test_each_draws_numbers_of_its_own(self, bench):
        draw = "print(np.random.rand(), random.random())"
        run = bench.run([("setup", "import random\nimport numpy as np"), ("stage:a", draw), ("stage:b", draw)], jobs=2)
        first, second = bench.printed(run, 2).split(), bench.printed(run, 3).split()
        assert not {*first} & {*second}

    def test_numerical_libraries_work_in_them_with_all_their_threads(self, bench):
        setup = "import numpy as np\nfrom sklearn.ensemble import HistGradientBoostingClassifier"
        work = (
            "rng = np.random.default_rng(0)\nx = rng.normal(size=(2000, 20))\ny = x[:, 0] > 0\n"
            "model = HistGradientBoostingClassifier(max_iter=20).fit(x, y)\n"
            "print(model.score(x, y) > 0.9, (x.T @ x).shape)\n"
            "import threadpoolctl\nprint({one['num_threads'] for one in threadpoolctl.threadpool_info()})"
        )
        run = bench.run([("setup", setup), ("stage:a", work), ("stage:b", work)], jobs=2)
        threads = f"{{{len(os.sched_getaffinity(0))}}}"
        assert bench.printed(run, 2) == bench.printed(run, 3) == f"True (20, 20)\n{threads}\n"

    def test_a_stage_that_names_its_cores_has_as_many_threads(self, bench):
        look = (
            "%%stage {} resources=cores:1\nimport os, threadpoolctl\n"
            "print({{one['num_threads'] for one in threadpoolctl.threadpool_info()}}, os.environ['OMP_NUM_THREADS'])"
        )
        early = [("setup", "import numpy as np\nimport sklearn.cluster"), ("stage:a", look.format("a"))]
        assert bench.printed(bench.run(early), 2) == "{1} 1\n"
        late = [("stage:b", look.format("b").replace("import os,", "import os, numpy, sklearn.cluster,"))]
        assert bench.printed(bench.run(late), 1) == "{1} 1\n"

    def test_an_exit_of_the_process_is_told_with_its_status(self, bench):
        run = bench.run([("stage:a", "import os\nos._exit(3)")])
        assert "the kernel died (exit status 3)" in bench.reason(run, "a")

    def test_what_is_to_be_done_at_exit_is_done(self, bench):
        code = "import atexit, pathlib\natexit.register(lambda: pathlib.Path('ended').write_text('yes'))"
        bench.run([("stage:a", code)])
        assert (bench.folder / "ended").read_text() == "yes"
