"""Chips on cells, in a real Lab and a real Notebook."""

from __future__ import annotations

import pytest

STAGED = [
    None,  # prose
    "parameters",
    "setup",
    "load",
    "exploration",
    "clean",
    "clean (cont.)",
    "test: clean",
    "unclear: stage:load, stage:clean",
]


@pytest.fixture(params=["lab", "notebook_server"])
def server(request):
    return request.getfixturevalue(request.param)


def test_every_code_cell_says_its_role_in_lab_and_notebook(open_notebook, server):
    opened = open_notebook(server, "staged.ipynb")
    opened.expect_chips(STAGED)
    color = {n: opened.chip(n).evaluate("chip => chip.className.match(/color(\\d)/)?.[1]") for n in range(1, 9)}
    assert color == {1: None, 2: None, 3: "1", 4: None, 5: "2", 6: "2", 7: "2", 8: None}
    assert opened.chip(6).get_attribute("aria-label") == "Pipeline role: stage clean, continued"
    assert opened.chip(6).get_attribute("title") == "Continues stage “clean”: cells that share a name are one stage."
    assert opened.our_errors() == []


def test_a_notebook_without_roles_is_left_alone(open_notebook, server):
    opened = open_notebook(server, "plain.ipynb")
    opened.model("cells.get(1).setMetadata('tags', ['setup'])")
    opened.expect_chips([None, "setup", "exploration"])
    opened.model("cells.get(1).setMetadata('tags', ['hide-input'])")
    opened.expect_chips([None, None, None])
    assert opened.page.locator(".stagebook-Chip").count() == 0
    assert opened.our_errors() == []


def test_a_tag_changes_the_chip(staged):
    staged.expect_chips(STAGED)
    staged.model("cells.get(4).setMetadata('tags', ['stage:load'])")
    staged.expect_chips([*STAGED[:4], "load (cont.)", *STAGED[5:]])


def test_typing_the_magic_changes_the_chip(staged):
    staged.page.locator(".jp-Cell[data-windowed-list-index='4'] .cm-content").click()
    staged.page.keyboard.press("Control+Home")
    staged.page.keyboard.type("%%stage look\n")
    staged.expect_chips([*STAGED[:4], "look", *STAGED[5:]])


def test_chips_follow_cells_that_are_deleted_restored_and_moved(staged):
    staged.wait_for_kernel()
    staged.command("delete-cell", cell=5)
    staged.expect_chips([*STAGED[:5], "clean", *STAGED[7:]])
    staged.command("undo-cell-action", cell=5)
    staged.expect_chips(STAGED)
    staged.command("move-cell-up", cell=5)
    staged.expect_chips([*STAGED[:4], "clean", "exploration", *STAGED[6:]])
    staged.command("change-cell-to-markdown", cell=4)
    staged.expect_chips([*STAGED[:4], None, "exploration", "clean", *STAGED[7:]])


@pytest.mark.parametrize("windowing", ["contentVisibility", "full", "defer", "none"])
def test_chips_stay_with_their_cells_while_a_long_notebook_is_scrolled(open_notebook, lab, windowing):
    opened = open_notebook(lab, "long.ipynb", windowing=windowing)
    assert opened.model("return notebook.notebookConfig.windowingMode") == windowing
    for cell, text in [(0, "s0"), (79, "s39 (cont.)"), (40, "s20"), (1, "s0 (cont.)")]:
        opened.model(f"await notebook.scrollToItem({cell}, 'center')")
        opened.expect(opened.chip(cell)).to_have_text(text)
        opened.expect(opened.chip(cell)).to_be_in_viewport()
        assert opened.inside_its_cell(cell)


def test_the_chip_is_in_line_with_the_code(staged):
    staged.expect_chips(STAGED)
    left = ".jp-Cell[data-windowed-list-index='3'] .jp-InputArea-editor"
    assert staged.chip(3).bounding_box()["x"] == pytest.approx(staged.page.locator(left).bounding_box()["x"], abs=1)
