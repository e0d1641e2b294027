"""Some of the corpus, by some of the targets; `make verify` has all of it by all targets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.verify.corpus import entries, line_of, verified

SAMPLE = {
    "closures_and_counters": {"local": "ran", "python": "ran"},
    "dataclasses_over_cells": {"python": "ran", "kedro": "ran"},
    "display_updated_later": {"local": "ran", "python": "refused"},
    "exec_and_eval": {"local": "ran", "python": "refused"},
    "file_by_a_computed_name": {"local": "ran", "python": "ran"},
}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What came of each, two at once."""
    folder = tmp_path_factory.mktemp("corpus")
    chosen = [one for one in entries() if one.name in SAMPLE]
    with ThreadPoolExecutor(2) as pool:
        work = {one.name: pool.submit(verified, one, folder / one.name, tuple(SAMPLE[one.name])) for one in chosen}
        yield {name: one.result() for name, one in work.items()}


@pytest.mark.parametrize("name", SAMPLE)
@pytest.mark.timeout(600)
def test_it_is_the_same_or_refused_with_its_place(found, name):
    verification, wrong = found[name]
    assert not wrong, line_of(name, verification, wrong)
    assert {one.target: one.became for one in verification.columns} == SAMPLE[name]


def test_there_are_enough():
    names = [one.name for one in entries()]
    assert len(set(names)) == len(names) >= 100
