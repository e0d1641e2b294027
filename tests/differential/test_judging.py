"""What counts as the same, as a refusal and as a difference."""

from __future__ import annotations

import pytest
from notebooks_factory import pipeline
from tests.differential.comparing import CellText, Outcome, Verdict, judge, normal
from tests.differential.corpus import hazards, looking_cell, notebook, read_script
from tests.differential.report import Judged, as_table, target_is_met


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def outcome(*texts, look="x = builtins.int 12\n"):
    return Outcome((*(CellText(stdout=text) for text in texts), CellText(stdout=look)))


def test_equal_text_in_every_cell_is_identical():
    assert judge(outcome("a", "b"), outcome("a", "b")).verdict == "identical"


def test_other_text_is_a_difference_at_its_place():
    found = judge(outcome("a", "b"), outcome("a", "c"))
    assert found.verdict == "different"
    assert [(one.place, one.plain, one.staged) for one in found.differences] == [("cell 2, stdout", "b", "c")]


def test_another_value_of_a_variable_is_a_difference():
    found = judge(outcome("a"), outcome("a", look="x = builtins.int 13\n"))
    assert [one.place for one in found.differences] == ["variable x"]


def test_a_cell_that_did_not_run_is_a_difference():
    assert judge(outcome("a"), Outcome((CellText(), CellText()))).verdict == "different"


def test_what_differs_between_plain_runs_too_is_left_out_and_named():
    found = judge(outcome("1"), outcome("2"), again=outcome("3"))
    assert (found.verdict, found.excluded) == ("identical", ("cell 1, stdout",))


def test_what_only_stagebook_says_differently_counts_beside_what_is_left_out():
    found = judge(outcome("1", "b"), outcome("2", "c"), again=outcome("3", "b"))
    assert [one.place for one in found.differences] == ["cell 2, stdout"]


def test_cells_after_the_one_that_fails_in_the_plain_kernel_are_not_compared():
    failing = CellText(error="ValueError: no")
    plain = Outcome((CellText("a"), failing, CellText(), CellText()))
    assert judge(plain, Outcome((CellText("a"), failing, CellText("ran"), CellText()))).verdict == "identical"
    assert judge(plain, Outcome((CellText("a"), CellText(), CellText(), CellText()))).verdict == "different"


def test_a_pipeline_error_is_a_refusal_with_its_reason():
    found = judge(outcome("a"), Outcome((), refusal="`x` is read here, but never bound."))
    assert (found.verdict, found.reason) == ("refused", "`x` is read here, but never bound.")


def test_an_error_of_the_users_own_code_is_no_refusal():
    staged = Outcome((CellText(error="NameError: name 'x' is not defined"), CellText()))
    assert judge(outcome("a"), staged).verdict == "different"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("<A object at 0x7f5dbc3c8a50>", "<A object at 0x...>"),
        ("/tmp/ipykernel_123/456.py:1: UserWarning", "/tmp/ipykernel/cell.py:1: UserWarning"),
        ("fitted in 0.123s", "fitted in ... s"),
        ("Wall time: 4.5 ms", "Wall time: ... s"),
        ("elapsed:    0.1s", "elapsed:    ... s"),
        ("/tmp/run1/data.csv", "<folder>/data.csv"),
        ("accuracy 0.123", "accuracy 0.123"),
        ("3 samples", "3 samples"),
    ],
)
def test_addresses_and_durations_are_no_text(said, meant):
    assert normal(said, "/tmp/run1") == meant


def test_streams_are_joined_and_results_are_in_order():
    outputs = [
        stream("a"),
        stream("w", "stderr"),
        {"output_type": "display_data", "data": {"text/plain": "<Figure>", "image/png": "..."}},
        stream("b"),
        {"output_type": "execute_result", "data": {"text/plain": "42"}},
        {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["..."]},
    ]
    assert CellText.of(outputs) == CellText("ab", "w", ("<Figure>", "42"), "ValueError: no")


def judged(*words):
    return [Judged(f"s{number}", 3, Verdict(word), 1.0, 2.0) for number, word in enumerate(words)]


def test_target_allows_few_refusals_and_no_difference():
    assert target_is_met(judged(*["identical"] * 97, *["refused"] * 3))
    assert not target_is_met(judged(*["identical"] * 96, *["refused"] * 4))
    assert not target_is_met(judged(*["identical"] * 99, "different"))


def test_report_counts_verdicts():
    assert as_table(judged("identical", "refused")).endswith(
        "2 notebooks: 1 identical, 1 refused, 0 different (50.0 % identical)"
    )


def test_scripts_are_read_cell_by_cell(tmp_path):
    script = tmp_path / "plot_x.py"
    script.write_text(
        '"""\nTitle\n=====\n"""\n\n# License: none\n\n# %%\n# Some words\n# %%\n# More, then code\nx = 1\n'
        "# %% [markdown]\n# words\n# %%\n# %matplotlib inline\n# file\n# %%\n# file: own.py\n# y = 2\n#\n# z = 3\n"
        "##############################################################################\n# Old style\nprint(x)\n"
    )
    sample = read_script(script)
    assert sample.cells == ("# More, then code\nx = 1", "%matplotlib inline\n# file", "# Old style\nprint(x)")
    assert sample.files == {"own.py": "y = 2\n\nz = 3\n"}


def test_last_cell_looks_at_every_name_that_is_left():
    found = pipeline([("stage:a", "x = 1\ny = 2"), ("stage:b", "del y\nimport math")])
    looks = looking_cell(found)
    assert "told(x)" in looks
    assert "told(math)" in looks
    assert "told(y)" not in looks
    assert "are_there(['y'])" in looks


def test_every_hazard_is_a_notebook_of_several_stages():
    samples = hazards()
    assert len(samples) > 100
    assert all(len(sample.cells) >= 3 for sample in samples)
    assert all(notebook([*sample.cells])["cells"] for sample in samples)
