"""An exported module does what its notebook does, or is not made."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cases.export_refusals import REFUSED
from tests.cases.exports import SAME
from tests.differential.corpus import hazards
from tests.export.hazards import both, exported, prepared
from tests.notebooks_factory import notebook

from stagebook.errors import StagebookError

HERE = Path("notebook.ipynb")
HAZARDS = [
    *("alias_changed_later", "append_and_inplace", "array_views", "asynchronous", "attribute_of_an_own_module"),
    *("augmented_assignment", "bound_methods_and_partials", "builtins_shadowed", "cached_function"),
    *("change_in_parallel_branches", "class_attributes", "closures_and_counters", "context_managers"),
    *("cycles_and_graphs", "dataclasses_over_cells", "decimal_context", "decorators", "default_argument_state"),
    *("defaultdict_and_setdefault", "enums_and_named_tuples", "environment_variables", "file_deleted_and_renamed"),
    *("function_attributes", "generators", "iterators_over_cells", "logging_config", "loop_variables_leak"),
    *("module_attribute_replaced", "module_search_path", "objects_dumped_elsewhere", "pyplot_over_two_cells"),
    *("query_with_local_names", "random_state_of_both", "threads", "two_closures_share_a_variable"),
]
"""One or two of each kind; `python -m tests.export.hazards` runs all."""


@pytest.fixture(scope="module")
def kept():
    """Each hazard to be run in both ways, or why it is refused."""
    return {one.name: prepared(one) for one in hazards()}


@pytest.fixture(scope="module")
def answers(kept, tmp_path_factory):
    """What each sample prints in both ways."""
    cases = [
        {
            "name": name,
            "cells": [cell[1] for cell in cells],
            "files": {},
            "module": exported(notebook(cells), HERE),
        }
        for name, cells in SAME.items()
    ]
    return both([*cases, *(kept[name] for name in HAZARDS)], tmp_path_factory.mktemp("both"))


@pytest.mark.parametrize("name", [*SAME, *HAZARDS])
def test_a_module_prints_what_its_cells_print(answers, name):
    plain, module = answers[name]
    assert module == plain
    assert plain.strip()


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_be_another_answer_is_refused_with_its_place(name):
    cells, told = REFUSED[name]
    with pytest.raises(StagebookError, match=r"^Cell \d+, line \d+ cannot be exported: ") as refused:
        exported(notebook(cells), HERE)
    assert told in str(refused.value)


def test_hazards_that_only_a_notebook_can_run_are_refused(kept):
    refused = {name for name, one in kept.items() if isinstance(one, str)}
    assert refused == {
        *("abstract_base_registration", "cell_magics", "class_redefined", "conditional_binding", "contextvars"),
        *("custom_magic_and_shell", "deleted_names", "deleted_then_read", "display_formatters"),
        *("display_updated_later", "environment_by_magic", "exceptions_kept", "exec_and_eval", "exec_of_made_up_text"),
        *("format_strings", "function_defined_before_what_it_uses", "functions_that_use_globals"),
        *("future_statements", "inheritance_over_cells", "last_result", "module_written_by_a_cell", "names_by_globals"),
        *("precision_magic", "pyplot_kept_open", "registry_by_decorator", "run_of_a_script"),
        *("weak_references_and_identity", "working_directory_by_magic", "wrapper_patched_in"),
    }
