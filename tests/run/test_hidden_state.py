"""What stages share without naming it flows as it does in one kernel: random state, settings, variables, files."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from stagebook.run.api import plan_notebook

SEEDED = [
    ("setup", "import random\nimport numpy as np\nrandom.seed(1)\nnp.random.seed(1)"),
    ("stage:a", "print(np.random.rand(), random.random())"),
    ("stage:b", "print(np.random.rand())"),
    ("stage:c", "print(random.random())"),
    ("stage:d", "print('draws nothing')"),
]


def one_kernel(cells, capsys):
    """What each stage prints where all run in one process."""
    namespace, printed = {}, []
    for cell in cells:
        exec(cell[1], namespace)
        printed.append(capsys.readouterr().out)
    return printed


def test_random_state_flows_in_notebook_order(bench, capsys):
    run = bench.run(SEEDED, jobs=2)
    assert [bench.printed(run, number) for number in range(1, 6)] == one_kernel(SEEDED, capsys)


def test_a_library_that_draws_unseen_is_put_in_order(bench, capsys):
    cells = [
        ("setup", "import numpy as np\nfrom sklearn.utils import shuffle"),
        ("stage:seed", "np.random.seed(3)"),
        ("stage:a", "print(shuffle(list('abcdef')))"),
        ("stage:b", "print(shuffle(list('abcdef')))"),
    ]
    run = bench.run(cells, jobs=2)
    assert [bench.printed(run, number) for number in range(1, 5)] == one_kernel(cells, capsys)
    assert "`b` goes on from `a`: NumPy's global random state." in plan_notebook(bench.path).notes
    cells[1] = ("stage:seed", "np.random.seed(4)")
    run = bench.run(cells, jobs=2)
    assert bench.printed(run, 4) == one_kernel(cells, capsys)[3]
    assert bench.ran() == ["seed", "a", "b"], "what was learned orders the next run from the start"


def test_what_an_import_draws_is_not_drawn_again_by_stages_that_only_take_the_module(bench):
    (bench.folder / "own.py").write_text("import random\nimport numpy as np\nrandom.random()\nnp.random.rand()")
    cells = [
        ("stage:load", "import random\nimport numpy as np\nimport own\nrandom.seed(1)\nnp.random.seed(1)"),
        ("stage:draw", "print(own.__name__, random.random(), np.random.rand())"),
        ("stage:look", "print(own.__name__)"),
    ]
    run = bench.run(cells, jobs=1)
    assert bench.printed(run, 2) == "own 0.13436424411240122 0.417022004702574\n"
    assert bench.ran().count("look") == 1


SETTINGS = [
    ("pd.set_option('display.precision', 2)", "print(pd.DataFrame({'a': [1.23456]}))"),
    ("np.set_printoptions(precision=2)", "print(np.array([1.23456]))"),
    ("np.seterr(all='raise')", "print(np.geterr())"),
    ("matplotlib.rcParams['lines.linewidth'] = 7", "print(matplotlib.rcParams['lines.linewidth'])"),
    ("sklearn.set_config(display='text')", "print(sklearn.get_config()['display'])"),
    ("decimal.getcontext().prec = 4", "print(decimal.Decimal(1) / 3)"),
    ("warnings.filterwarnings('error')", "try:\n    warnings.warn('x')\nexcept UserWarning:\n    print('raised')"),
    ("os.environ['STAGEBOOK_T'] = '1'", "print(os.environ.get('STAGEBOOK_T'))"),
    ("os.environ.pop('PATH')", "print('PATH' in os.environ)"),
    ("os.makedirs('sub', exist_ok=True); os.chdir('sub')", "print(os.path.basename(os.getcwd()))"),
    ("sys.path.insert(0, 'lib')", "print(sys.path[0])"),
    ("locale.setlocale(locale.LC_ALL, 'POSIX')", "print(locale.setlocale(locale.LC_ALL))"),
]


def test_a_setting_made_in_a_stage_holds_from_there_on_and_not_before(bench):
    setup = "import decimal, locale, os, sys, warnings\nimport matplotlib, sklearn\nimport numpy as np, pandas as pd"
    cells = [("setup", setup)]
    for number, (change, look) in enumerate(SETTINGS):
        parts = (("before", look), ("change", change), ("after", look))
        cells += [(f"stage:{name}_{number}", source) for name, source in parts]
    (bench.folder / "elsewhere").mkdir()
    script = "\nprint('--')\n".join([setup, *(f"{change}\n{look}" for change, look in SETTINGS)])
    told = subprocess.run(
        [sys.executable, "-c", script],
        cwd=bench.folder / "elsewhere",
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("--\n")[1:]
    run = bench.run(cells, jobs=2)
    assert run.state == "done"
    assert [bench.printed(run, 3 * number + 4) for number in range(len(SETTINGS))] == told
    for number in range(len(SETTINGS)):
        assert bench.printed(run, 3 * number + 2) != told[number], "what stands above it sees nothing of it"


def test_what_modules_set_when_they_are_imported_orders_nothing(bench):
    (bench.folder / "own.py").write_text("import os\nos.environ['OWN'] = '1'\n")
    bench.run([("stage:a", "import own"), ("stage:b", "print(1)")], jobs=2)
    assert not [note for note in plan_notebook(bench.path).notes if "variables" in note]


def test_a_stage_that_failed_for_want_of_what_an_earlier_one_sets_runs_again(bench):
    cells = [
        ("setup", "import os, time"),
        ("stage:a", "time.sleep(1)\nos.environ['STAGEBOOK_T'] = 'x'"),
        ("stage:b", "print(os.environ['STAGEBOOK_T'])"),
    ]
    run = bench.run(cells, jobs=2)
    assert (run.state, bench.printed(run, 3)) == ("done", "x\n")


class TestFiles:
    WRITE = "name = 'x' + '.txt'\npathlib.Path(name).write_text('{}')"

    def test_a_file_whose_name_no_code_spells_out_makes_an_order(self, bench):
        cells = [
            ("setup", "import pathlib, time"),
            ("stage:w", "time.sleep(1)\n" + self.WRITE.format("one")),
            ("stage:r", "path = 'x.' + 'txt'\nprint(pathlib.Path(path).read_text())"),
        ]
        assert bench.printed(bench.run(cells, jobs=2), 3) == "one\n"
        cells[1] = ("stage:w", self.WRITE.format("two"))
        run = bench.run(cells, jobs=2)
        assert bench.printed(run, 3) == "two\n"
        assert bench.ran() == ["w", "r"]

    def test_a_listed_folder_makes_an_order(self, bench):
        (bench.folder / "out").mkdir()
        cells = [
            ("setup", "import pathlib, time\nfolder = pathlib.Path('out')"),
            ("stage:w", "time.sleep(1)\n(folder / 'a').touch()\n(folder / 'b').touch()"),
            ("stage:r", "print(sorted(path.name for path in folder.iterdir()))"),
        ]
        assert bench.printed(bench.run(cells, jobs=2), 3) == "['a', 'b']\n"

    def test_a_folder_that_a_stage_makes_and_removes_is_nothing_that_it_depends_on(self, bench):
        code = (
            "import os, tempfile\nwith tempfile.TemporaryDirectory() as own:\n    made = os.path.join(own, 'a')\n"
            "    open(made, 'w').close()\n    os.path.exists(os.path.join(own, 'b'))\n"
            "    print(os.listdir(own), open(made).read())"
        )
        run = bench.run([("stage:a", code)])
        assert dict(run.stages[0].files) == {}
        assert set(bench.states(bench.run()).values()) == {"reused"}

    def test_a_folder_that_a_stage_makes_and_leaves_is_looked_at_again(self, bench):
        cells = [("stage:a", "import os\nos.makedirs('out', exist_ok=True)\nprint(sorted(os.listdir('out')))")]
        assert bench.printed(bench.run(cells), 1) == "[]\n"
        (bench.folder / "out/added").touch()
        assert bench.printed(bench.run(), 1) == "['added']\n"

    def test_an_added_file_in_a_listed_folder_is_noticed(self, bench):
        (bench.folder / "in").mkdir()
        (bench.folder / "in/a").touch()
        cells = [("stage:a", "import os\nprint(sorted(os.listdir('in')))")]
        bench.run(cells)
        assert bench.states(bench.run()) == {"a": "reused"}
        (bench.folder / "in/b").touch()
        run = bench.run()
        assert bench.printed(run, 1) == "['a', 'b']\n"
        assert bench.reason(run, "a").startswith("the list of files in in/ changed")

    def test_two_that_append_do_so_in_notebook_order(self, bench):
        append = "with open('l' + 'og', 'a') as file:\n    file.write('{}')"
        cells = [
            ("setup", "import time"),
            ("stage:a", "time.sleep(1)\n" + append.format("a")),
            ("stage:b", append.format("b")),
            ("stage:c", "print(open('lo' + 'g').read())"),
        ]
        run = bench.run(cells, jobs=3)
        assert (run.state, bench.printed(run, 4)) == ("done", "ab\n")

    def test_a_file_that_a_later_stage_overwrites_is_read_before(self, bench):
        cells = [
            ("setup", "import pathlib, time\nx = pathlib.Path('x' + '')"),
            ("stage:w", "x.write_text('first')"),
            ("stage:r", "time.sleep(0.7)\nprint(x.read_text())"),
            ("stage:o", "x.write_text('second')"),
        ]
        run = bench.run(cells, jobs=3)
        assert (run.state, bench.printed(run, 3)) == ("done", "first\n")
        assert (bench.folder / "x").read_text() == "second"
        assert set(bench.states(bench.run(jobs=3)).values()) == {"reused"}
        cells[2] = ("stage:r", "print(x.read_text() + '!')")
        run = bench.run(cells, jobs=3)
        assert bench.printed(run, 3) == "first!\n"
        assert (bench.folder / "x").read_text() == "second"

    @pytest.mark.parametrize(
        "delays",
        [((0, 1.5), (0.7, 0), (0.7, 0)), ((0, 1.2), (0, 0.4), (0, 0.8))],
        ids=["written over before its writer has ended", "put back while its writer is at work"],
    )
    def test_however_stages_meet_in_a_file_the_outcome_is_that_of_one_kernel(self, bench, delays):
        code = ("x.write_text('first')", "print(x.read_text())", "x.write_text('second')")
        cells = [("setup", "import pathlib, time\nx = pathlib.Path('x' + '')")]
        for name, (before, after), line in zip("wro", delays, code, strict=True):
            cells.append((f"stage:{name}", f"time.sleep({before})\n{line}\ntime.sleep({after})"))
        run = bench.run(cells, jobs=3)
        assert (run.state, bench.printed(run, 3)) == ("done", "first\n")
        assert (bench.folder / "x").read_text() == "second"
        assert set(bench.states(bench.run(jobs=3)).values()) == {"reused"}

    def test_a_file_that_was_there_before_and_was_overtaken_is_put_back(self, bench):
        (bench.folder / "x").write_text("original")
        cells = [
            ("setup", "import pathlib, time\nx = pathlib.Path('x' + '')"),
            ("stage:r", "time.sleep(1)\nprint(x.read_text())"),
            ("stage:o", "x.write_text('second')"),
        ]
        run = bench.run(cells, jobs=2)
        assert (run.state, bench.printed(run, 2)) == ("done", "original\n")
        assert (bench.folder / "x").read_text() == "second"

    def test_a_stage_that_runs_again_appends_once(self, bench):
        cells = [
            ("setup", "import operator"),
            ("stage:make", "d = {'n': 1}\nchange = operator.methodcaller('update', n=2)"),
            ("stage:hidden", "import time\ntime.sleep(1)\nchange(d)"),
            ("stage:look", "with open('lo' + 'g', 'a') as file:\n    file.write(str(d))"),
        ]
        run = bench.run(cells, jobs=2)
        assert bench.ran().count("look") == 2
        assert run.state == "done"
        assert (bench.folder / "log").read_text() == "{'n': 2}"

    def test_a_file_that_setup_reads_is_noticed(self, bench):
        (bench.folder / "conf").write_text("1")
        bench.run([("setup", "conf = open('con' + 'f').read()"), ("stage:a", "print(conf)")])
        (bench.folder / "conf").write_text("2")
        assert bench.printed(bench.run(), 2) == "2\n"


class TestVariables:
    CELLS = (
        ("setup", "import os"),
        ("stage:a", "print(os.environ.get('STAGEBOOK_T'), os.getenv('STAGEBOOK_U', 'none'))"),
        ("stage:b", "print('reads none')"),
    )

    def test_a_variable_that_a_stage_reads_is_part_of_what_it_depends_on(self, bench, monkeypatch):
        monkeypatch.setenv("STAGEBOOK_T", "one")
        bench.run(self.CELLS)
        assert set(bench.states(bench.run()).values()) == {"reused"}
        monkeypatch.setenv("STAGEBOOK_T", "two")
        run = bench.run()
        assert bench.printed(run, 2) == "two none\n"
        assert bench.states(run)["b"] == "reused"
        assert bench.reason(run, "a").startswith("environment variable `STAGEBOOK_T` changed")
        monkeypatch.setenv("STAGEBOOK_U", "set")
        assert bench.printed(bench.run(), 2) == "two set\n"

    def test_its_value_is_nowhere_in_the_store(self, bench, monkeypatch):
        monkeypatch.setenv("STAGEBOOK_T", "s3cr3t-value")
        bench.run([("stage:a", "import os\nlength = len(os.environ['STAGEBOOK_T'])"), ("stage:b", "print(length)")])
        kept = [path.read_bytes() for path in (bench.folder / ".stagebook").rglob("*") if path.is_file()]
        assert kept
        assert not any(b"s3cr3t-value" in content for content in kept)

    def test_what_libraries_read_is_theirs(self, bench, monkeypatch):
        bench.run([("stage:a", "import tempfile\nprint(tempfile.gettempdir() != '')")])
        monkeypatch.setenv("TMPDIR", str(bench.folder))
        assert bench.states(bench.run()) == {"a": "reused"}
        assert os.environ["TMPDIR"] == str(bench.folder)


THREADS = """
from concurrent.futures import ThreadPoolExecutor
import os
def look(number):
    os.environ.get(f"FILE_{number}")
    return open(f"data/{number}.txt").read()
with ThreadPoolExecutor(8) as pool:
    texts = list(pool.map(look, range(300)))
"""


def test_what_many_threads_read_at_once_is_all_known(bench):
    (bench.folder / "data").mkdir()
    for number in range(300):
        (bench.folder / f"data/{number}.txt").write_text(str(number))
    bench.run([("stage:read", THREADS)])
    (record,) = (bench.folder / ".stagebook/records/results").rglob("*.json")
    told = record.read_text()
    assert [number for number in range(300) if f'"data/{number}.txt"' not in told] == []
    assert [number for number in range(300) if f'"FILE_{number}"' not in told] == []
