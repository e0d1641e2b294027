"""Arrays that share memory, in stages of their own: a write in one stage is seen wherever it would be in one kernel."""

from __future__ import annotations

import numpy as np
import pytest

HIDDEN = "def touch(x):\n    x[0] = 99\nhidden = [touch]"


@pytest.mark.parametrize(
    ("rows", "write"), [(10, "a[3] = 99"), (10_000, "b[1] = 99"), (10, "hidden[0](b)"), (10_000, "held['b'][1] = 99")]
)
def test_write_through_one_name_reaches_the_others(bench, rows, write):
    run = bench.run(
        [
            ("setup", f"import numpy as np\n{HIDDEN}"),
            ("stage:make", f"a = np.arange({rows}.)\nb = a[2:5]\nc = a.reshape(1, 2, -1)\nheld = {{'b': a[2:4]}}"),
            ("stage:write", write),
            ("stage:a", "print(a[:5])"),
            ("stage:b", "print(b)"),
            ("stage:c", "print(c[0, 0, :5])"),
            ("stage:held", "print(held['b'])"),
            ("stage:both", "b[2] = -1\nprint(a[4])"),
        ]
    )
    first = 2 if "hidden" in write else 3
    a = [0.0, 1.0, 2.0, 3.0, 4.0]
    a[first] = 99.0
    assert run.state == "done"
    assert bench.printed(run, 4) == f"{np.array(a)}\n"
    assert bench.printed(run, 5) == f"{np.array(a[2:5])}\n"
    assert bench.printed(run, 6) == f"{np.array(a)}\n"
    assert bench.printed(run, 7) == f"{np.array(a[2:4])}\n"
    assert bench.printed(run, 8) == "-1.0\n"


def test_write_to_one_half_does_not_rerun_what_reads_the_other(bench):
    cells = [
        ("setup", "import numpy as np"),
        ("stage:make", "left, right = np.split(np.arange(8.), 2)"),
        ("stage:write", "left[0] = 5"),
        ("stage:read", "print(right)"),
    ]
    bench.run(cells)
    cells[2] = ("stage:write", "left[0] = 6")
    bench.run(cells)
    assert bench.ran() == ["write"]


def test_map_of_a_file_is_written_through_and_read_where_it_was(bench):
    cells = [
        ("setup", "import numpy as np"),
        ("stage:make", "m = np.memmap('m.bin', 'f8', 'w+', shape=(1000,))\nhalf = m[500:]"),
        ("stage:write", "half[0] = 7\nhalf.flush()"),
        ("stage:file", "print(np.fromfile('m.bin')[500])", {"needs": ["write"]}),
        ("stage:map", "print(m[500], type(m).__name__)"),
    ]
    run = bench.run(cells)
    assert bench.printed(run, 4) == "7.0\n"
    assert bench.printed(run, 5) == "7.0 memmap\n"
    assert set(bench.states(bench.run()).values()) == {"reused"}
    cells[4] = ("stage:map", "print(m[500] + 1)")
    assert bench.printed(bench.run(cells), 5) == "8.0\n"


def test_map_whose_file_has_changed_is_made_again(bench):
    (bench.folder / "m.bin").write_bytes(bytes(8000))
    cells = [
        ("setup", "import numpy as np"),
        ("stage:open", "m = np.memmap('m.bin', 'f8', 'r')"),
        ("stage:read", "print(m.sum())"),
    ]
    bench.run(cells)
    (bench.folder / "m.bin").write_bytes(b"\1" + bytes(7999))
    run = bench.run()
    assert bench.states(run) == {"open": "done", "read": "done"}
