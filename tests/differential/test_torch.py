"""Training with PyTorch, cell by cell: random state, optimizers, gradients between stages."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.differential.corpus import read_script
from tests.differential.running import differences, same_environment

pytest.importorskip("torch", reason="install it with `pip install torch`")


def test_a_training_loop_over_stages_learns_what_it_learns_in_one_kernel(tmp_path):
    sample = read_script(Path(__file__).with_name("torch_training.py"))
    with same_environment():
        judged = differences(sample, tmp_path / "run")
    assert judged.verdict.verdict == "identical", judged.verdict
