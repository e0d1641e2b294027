"""What the verbs do in a kernel that has just been started, in which nothing is imported yet."""

from __future__ import annotations

from notebooks_factory import written

from stagebook.run.api import run_notebook

CELLS = [
    ("stage:draw", "import numpy as np\nnp.random.seed(3)\nfirst = np.random.rand()"),
    ("stage:again", "second = np.random.rand()"),
    ("test:again", "# between 0 and 1\nassert 0 <= second < 1\nassert second != first"),
    ("test:again", "# never\nassert second > 2"),
]


def test_enter_goes_on_with_generators_as_they_were_and_tests_leave_the_kernel_as_it_is(tmp_path, by_hand):
    notebook = written(tmp_path, CELLS)
    run_notebook(notebook, track=False)
    kernel = by_hand(notebook)
    kernel.run("%load_ext stagebook")
    told = kernel.run("%pipeline enter again").text
    assert "You are where `again` starts" in told
    kernel.run("by_hand = np.random.rand()")
    kernel.run("%pipeline load again")
    assert kernel.value("by_hand == second") == "True"
    before = kernel.value("__import__('signal').getsignal(15)")
    told = kernel.run("%pipeline test").text
    assert "passed   again: between 0 and 1" in told
    assert "E   AssertionError: assert" in told
    assert kernel.value("__import__('signal').getsignal(15)") == before
    shown = kernel.run("%pipeline").data[0]
    assert shown["image/svg+xml"].startswith("<svg")
    assert "draw" in shown["text/plain"]
