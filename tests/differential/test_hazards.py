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
    "attribute_of_an_own_module",
    "cache_folder_removed",
    "cached_function",
    "change_in_parallel_branches",
    "change_through_an_unknown_function",
    "closures_and_counters",
    "dataclasses_over_cells",
    "decimal_context",
    "deleted_then_read",
    "display_updated_later",
    "environment_variables",
    "file_by_a_computed_name",
    "file_deleted_and_renamed",
    "file_overwritten_after_it_was_read",
    "file_written_over_cells",
    "frame_in_containers",
    "functions_that_use_globals",
    "generators",
    "logging_config",
    "module_search_path",
    "names_by_globals",
    "objects_dumped_elsewhere",
    "open_file_over_cells",
    "pandas_options",
    "pickled_model",
    "query_with_local_names",
    "random_state_of_both",
    "reseeding_in_the_middle",
    "sockets_over_cells",
    "state_of_an_own_module",
    "threads",
    "warning_filters",
    "wide_frame_shown",
    "working_directory",
    "wrapper_patched_in",
]
"""One or two of each kind. Kale loses the first, second and sixth, and cannot run functions that use globals."""


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Hazards under way, two at once, so that one's kernels start while another's wait."""
    folder = tmp_path_factory.mktemp("hazards")
    known = {one.name: one for one in hazards()}
    with same_environment(), ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(differences, known[name], folder / name, jobs=2) for name in SAMPLE}


@pytest.mark.parametrize("name", SAMPLE)
@pytest.mark.timeout(600)
def test_hazard(judged, name):
    one = judged[name].result()
    refusal = next(sample.refusal for sample in hazards() if sample.name == name)
    assert one.verdict.verdict == ("refused" if refusal else "identical"), as_table([one])
    assert refusal in one.verdict.reason
