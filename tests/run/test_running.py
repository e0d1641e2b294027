"""A pipeline run gives what Restart & Run All gives."""

from __future__ import annotations

import json
import socket
import tempfile
import threading
from collections import Counter

import nbformat
import pytest

from stagebook.run.api import plan_notebook
from stagebook.run.plan import Planner

CHAIN = [
    ("setup", "import math"),
    ("parameters", "start = 2"),
    ("stage:a", "x = start * 10\nprint('a', x)"),
    ("", "raise SystemError('exploration never runs')"),
    ("stage:b", "y = math.sqrt(x + 5)\nprint('b', y)"),
    ("stage:c", "print('c', x + y)"),
]


def test_values_flow_from_stage_to_stage(bench):
    run = bench.run(CHAIN)
    assert run.state == "done"
    assert bench.printed(run, 6) == "c 25.0\n"


def test_exploration_cells_are_left_out(bench):
    run = bench.run(CHAIN)
    assert bench.output(run)[3].outputs == []
    assert bench.output(run)[3].metadata.stagebook_run.state == "exploration"


def test_source_notebook_is_never_written_to(bench):
    before = bench.write(CHAIN).read_bytes()
    bench.run()
    assert bench.path.read_bytes() == before


def test_output_notebook_holds_every_cell_in_place_with_its_timing(bench):
    run = bench.run(CHAIN)
    cells = bench.output(run)
    assert [cell.source for cell in cells] == [source for _, source in CHAIN]
    assert cells[2].metadata.papermill.status == "completed"
    assert cells[2].metadata.papermill.duration > 0
    assert cells[2].metadata.stagebook_run == {"run": run.id, "stage": "a", "state": "done"}


def test_output_notebook_is_of_the_newest_minor_format(bench):
    run = bench.run(CHAIN)
    assert nbformat.read(run.output, as_version=nbformat.NO_CONVERT).nbformat_minor == 5


def test_cells_are_numbered_as_after_restart_and_run_all(bench):
    run = bench.run([("setup", "import math"), ("stage:a", "x = 1"), ("stage:b", "x")])
    assert [cell.execution_count for cell in bench.output(run)] == [1, 2, 3]
    assert bench.output(run)[2].outputs[0].execution_count == 3


def test_run_json_tells_stages_digests_and_versions(bench):
    run = bench.run(CHAIN)
    told = json.loads((run.folder / "run.json").read_text())
    assert told["state"] == "done"
    assert [stage["stage"] for stage in told["stages"]] == ["a", "b", "c"]
    assert set(told["stages"][0]["outputs"]) == {"x"}
    assert told["stages"][1]["inputs"]["x"] == told["stages"][0]["outputs"]["x"]
    assert {"python", "stagebook", "papermill"} <= told["versions"].keys()


def test_parameters_replace_defaults(bench):
    run = bench.run(CHAIN, parameters={"start": "3"})
    assert bench.printed(run, 3) == "a 30\n"
    assert run.parameters == {"start": 3}


def test_independent_stages_run_at_the_same_time(bench):
    with socket.create_server(("127.0.0.1", 0)) as server:
        meet = f"with socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 60) as met:\n    met.recv(1)"
        cells = [("setup", "import socket"), ("stage:a", f"me = 'a'\n{meet}"), ("stage:b", f"me = 'b'\n{meet}")]
        waiter = threading.Thread(target=_let_two_meet, args=(server,))
        waiter.start()
        assert bench.run(cells, jobs=2).state == "done"
        waiter.join()


def _let_two_meet(server):
    """Nobody goes on before both are there."""
    server.settimeout(60)
    met = [server.accept()[0] for _ in range(2)]
    for one in met:
        one.sendall(b"!")
        one.close()


def test_one_job_at_a_time_when_asked(bench):
    held = "import pathlib\nlock = pathlib.Path('lock')\nlock.touch(exist_ok=False)\nimport time; time.sleep(0.3)\n"
    held += "lock.unlink()"
    assert bench.run([("stage:a", held), ("stage:b", held), ("stage:c", held)], jobs=1).state == "done"


def test_stages_do_not_see_each_others_names(bench):
    run = bench.run([("stage:a", "secret = 1\nx = 2"), ("stage:b", "print(x, 'secret' in get_ipython().user_ns)")])
    assert bench.printed(run, 2) == "2 False\n"


def test_working_directory_is_the_notebooks_folder(bench):
    run = bench.run([("stage:a", "import os\nprint(os.getcwd())")])
    assert bench.printed(run, 1).strip() == str(bench.folder)


def test_modules_beside_the_notebook_can_be_imported(bench):
    (bench.folder / "own.py").write_text("answer = 42\n")
    run = bench.run([("stage:a", "import own\nprint(own.answer)")])
    assert bench.printed(run, 1) == "42\n"


@pytest.mark.parametrize(
    ("made", "look"),
    [
        ("import pandas as pd\nv = pd.DataFrame({'a': [1, 2], 'b': ['x', None]})", "v.shape, str(v.dtypes['a'])"),
        ("import numpy as np\nv = np.arange(5000.0).reshape(50, 100)", "v.sum(), v.flags.writeable"),
        ("class P:\n    def __init__(self, n): self.n = n\nv = P(3)", "type(v).__name__, v.n"),
        ("k = 5\ndef v(x): return x + k", "v(2)"),
        ("import functools\nv = functools.partial(lambda a, b: a * b, 4)", "v(5)"),
        ("v = {'deep': [{'set': {1, 2}, 'big': 10**40}]}", "v"),
    ],
)
def test_values_arrive_as_they_were(bench, made, look):
    run = bench.run([("stage:make", made), ("stage:look", f"print({look})")])
    namespace = {"__name__": "__main__"}
    exec(made, namespace)
    assert bench.printed(run, 2) == " ".join(map(str, _as_printed(eval(look, namespace)))) + "\n"


def _as_printed(value):
    return value if isinstance(value, tuple) else (value,)


def test_objects_shared_by_two_names_stay_shared(bench):
    cells = [
        ("stage:make", "a = {'n': 1}\nb = [a]"),
        ("stage:change", "b[0]['n'] = 2"),
        ("stage:look", "print(a['n'], b[0] is a)"),
    ]
    run = bench.run(cells)
    assert bench.printed(run, 3) == "2 True\n"


def test_branches_that_both_change_one_frame_are_ordered_as_in_the_notebook(bench):
    cells = [
        ("stage:load", "import pandas as pd\ndf = pd.DataFrame({'a': [1]})"),
        ("stage:one", "df['b'] = df['a'] + 1"),
        ("stage:two", "df['c'] = df['a'] + 2"),
        ("stage:look", "print(list(df.columns))"),
    ]
    run = bench.run(cells)
    assert bench.printed(run, 4) == "['a', 'b', 'c']\n"


def test_change_that_the_analysis_cannot_see_reaches_later_stages(bench):
    cells = [
        ("setup", "import operator"),
        ("stage:make", "d = {'n': 1}\nchange = operator.methodcaller('update', n=2)"),
        ("stage:hidden", "change(d)"),
        ("stage:look", "print(d)"),
    ]
    run = bench.run(cells, jobs=2)
    assert bench.printed(run, 4) == "{'n': 2}\n"


def test_change_that_was_learned_is_known_to_the_next_plan(bench):
    cells = [
        ("setup", "import operator"),
        ("stage:make", "d = {'n': 1}\nchange = operator.methodcaller('update', n=2)"),
        ("stage:hidden", "change(d)"),
        ("stage:look", "print(d)"),
    ]
    bench.run(cells, jobs=2)
    cells[1] = ("stage:make", "d = {'k': 0}\nchange = operator.methodcaller('update', n=2)")
    bench.run(cells, jobs=2)
    assert bench.ran() == ["make", "hidden", "look"]


def test_object_made_in_setup_and_used_up_by_stages_goes_from_one_to_the_next(bench):
    cells = [
        ("setup", "import numpy as np\nrng = np.random.default_rng(0)"),
        ("stage:a", "x = rng.integers(100)"),
        ("stage:b", "y = rng.integers(100)"),
        ("stage:c", "print(x, y)"),
    ]
    run = bench.run(cells)
    import numpy as np

    rng = np.random.default_rng(0)
    assert bench.printed(run, 4) == f"{rng.integers(100)} {rng.integers(100)}\n"


def test_magics_and_shell_lines_run_as_in_jupyter(bench):
    cells = [
        ("setup", "%load_ext stagebook\n%config InlineBackend.close_figures = True"),
        ("", "%%stage shown\nx = !echo hello\nprint(x[0])"),
        ("stage:awaited", "import asyncio\nz = await asyncio.sleep(0, 'slept')\nprint(z)"),
    ]
    run = bench.run(cells)
    assert (bench.printed(run, 2), bench.printed(run, 3)) == ("hello\n", "slept\n")


def test_metrics_are_read_from_names_and_dicts(bench):
    source = (
        "%%stage score metrics=auc,scores\nimport numpy as np\nauc = np.float64(0.5)\nscores = {'f1': 0.25, 'n': 3}"
    )
    run = bench.run([("", source)])
    assert run.metrics == {"auc": 0.5, "scores.f1": 0.25, "scores.n": 3.0}


def test_notebooks_of_format_3_run(bench):
    worksheet = nbformat.v3.new_worksheet(
        cells=[
            nbformat.v3.new_code_cell("x = 2", metadata={"tags": ["stage:a"]}),
            nbformat.v3.new_code_cell("print(x * 2)", metadata={"tags": ["stage:b"]}),
        ]
    )
    old = nbformat.v3.new_notebook(worksheets=[worksheet])
    bench.path.write_text(json.dumps(old))
    run = bench.run()
    assert bench.printed(run, 2) == "4\n"


@pytest.mark.parametrize(
    ("write", "read"),
    [
        ("pd.DataFrame({'a': [N]}).to_csv('x.csv', index=False)", "print(pd.read_csv('x.csv').a[0])"),
        ("open('x.txt', 'w').write('N')", "print(open('x.txt').read())"),
        ("!echo N > x.txt", "!cat x.txt"),
        ("pathlib.Path('own.py').write_text('n = N')", "import own\nprint(own.n)"),
    ],
    ids=["frame", "open", "shell", "module"],
)
def test_a_stage_that_reads_a_file_comes_after_the_one_that_writes_it(bench, write, read):
    cells = [
        ("setup", "import pathlib, time\nimport pandas as pd"),
        ("stage:w", "time.sleep(0.5)\n"),
        ("stage:r", read),
    ]
    for number in ("1", "2"):
        cells[1] = ("stage:w", f"time.sleep(0.5)\n{write.replace('N', number)}")
        run = bench.run(cells, jobs=2)
        assert bench.printed(run, 3).strip() == number


def test_a_declared_file_orders_its_stages_and_its_change_is_noticed(bench):
    writer = "import time, pathlib\ntime.sleep(0.5)\npathlib.Path('d').joinpath('y').write_text('{}')"
    cells = [
        ("stage:w", writer.format("1"), {"writes": "d/y"}),
        ("stage:r", "import subprocess\nprint(subprocess.getoutput('cat d/*'))", {"reads": "d/y"}),
    ]
    (bench.folder / "d").mkdir()
    assert bench.printed(bench.run(cells, jobs=2), 2) == "1\n"
    cells[0] = ("stage:w", writer.format("2"), {"writes": "d/y"})
    assert bench.printed(bench.run(cells, jobs=2), 2) == "2\n"


def test_what_a_closure_holds_goes_from_stage_to_stage(bench):
    made = "def adder():\n    total = 0\n    def add(x):\n        nonlocal total\n        total += x\n"
    made += "        return total\n    return add\nadd = adder()\nadd(5)"
    run = bench.run([("stage:a", made), ("stage:b", "print(add(1))"), ("stage:c", "print(add(1))")], jobs=2)
    assert (bench.printed(run, 2), bench.printed(run, 3)) == ("6\n", "7\n")


def test_cell_magics_below_the_stage_line_run(bench):
    run = bench.run([("", "%%stage a\n%%capture said\nprint('hidden')"), ("", "%%stage b\nprint(said.stdout)")])
    assert (bench.printed(run, 1), bench.printed(run, 2).strip()) == ("", "hidden")


def test_change_that_a_reused_result_made_reaches_later_stages_after_an_edit_is_undone(bench):
    cells = [
        ("setup", "import operator"),
        ("stage:make", "d = {'n': 1}\nchange = operator.methodcaller('update', n=2)"),
        ("stage:hidden", "change(d)"),
        ("stage:look", "print(d)"),
    ]
    bench.run(cells)
    bench.run([*cells[:2], ("stage:hidden", "len(d)"), cells[3]])
    bench.write([*cells[:3], ("stage:look", "print('now', d)")])
    assert {one.stage: one.action for one in plan_notebook(bench.path).decisions}["hidden"] == "reuse"
    assert bench.printed(bench.run(), 4) == "now {'n': 2}\n"


def test_many_stages_that_wait_for_a_kernel_are_not_judged_whenever_one_is_done(bench, monkeypatch):
    judged, judge = Counter(), Planner.judge

    def counted(planner, stage, *arguments, **named):
        judged[stage.name] += 1
        return judge(planner, stage, *arguments, **named)

    monkeypatch.setattr(Planner, "judge", counted)
    assert bench.run([(f"stage:s{number}", f"x{number} = {number}") for number in range(9)], jobs=1).state == "done"
    assert len(judged) == 9
    assert max(judged.values()) <= 3


def test_a_long_path_for_temporary_files_leaves_room_for_sockets(bench, tmp_path, monkeypatch):
    long = tmp_path / ("t" * 90)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    monkeypatch.setenv("TMPDIR", str(long))
    assert bench.run(CHAIN).state == "done"
