"""A sample of the hazards, run as stages and in one plain kernel, gives the same; `make differential` runs all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.differential.corpus import hazards
from tests.differential.report import as_table
from tests.differential.running import differences, same_environment

SAMPLE = [
    "alias_changed_later",
    "append_and_inplace",
    "array_views",
    "cache_folder_removed",
    "change_in_parallel_branches",
    "change_through_an_unknown_function",
    "deleted_then_read",
    "display_updated_later",
    "environment_variables",
    "file_by_a_computed_name",
    "file_overwritten_after_it_was_read",
    "file_written_over_cells",
    "functions_that_use_globals",
    "generators",
    "logging_config",
    "module_search_path",
    "open_file_over_cells",
    "pandas_options",
    "pickled_model",
    "random_state_of_both",
    "reseeding_in_the_middle",
    "sockets_over_cells",
    "state_of_an_own_module",
    "warning_filters",
    "working_directory",
    "wrapper_patched_in",
]
"""One of each kind. Kale loses the first two and `change_in_parallel_branches`, and cannot run functions that use
globals."""


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Hazards under way, two at once, so that one's kernels start while another's wait."""
    folder = tmp_path_factory.mktemp("hazards")
    known = {one.name: one for one in hazards() if one.name in SAMPLE}
    with same_environment(), ThreadPoolExecutor(2) as pool:
        yield {name: (one.refusal, pool.submit(differences, one, folder / name, jobs=2)) for name, one in known.items()}


@pytest.mark.parametrize("name", SAMPLE)
@pytest.mark.timeout(600)
def test_hazard(judged, name):
    refusal, under_way = judged[name]
    one = under_way.result()
    assert one.verdict.verdict == ("refused" if refusal else "identical"), as_table([one])
    assert refusal in one.verdict.reason
