"""Chips on cells, in a real Lab; `test_panel.py` has them in a real Notebook."""

from __future__ import annotations

import pytest
from tests.lab.conftest import replaced

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


def test_every_code_cell_says_its_role(staged):
    opened = staged
    opened.expect_chips(STAGED)
    color = {n: opened.chip(n).evaluate("chip => chip.className.match(/color(\\d)/)?.[1]") for n in range(1, 9)}
    assert color == {1: None, 2: None, 3: "1", 4: None, 5: "2", 6: "2", 7: "2", 8: None}
    assert opened.chip(6).get_attribute("aria-label") == "Pipeline role: stage clean, continued"
    assert opened.chip(6).get_attribute("title") == "Continues stage “clean”: cells that share a name are one stage."
    assert opened.our_errors() == []


def test_a_notebook_without_roles_is_left_alone(shared_page, lab):
    opened = replaced(shared_page, lab, "plain.ipynb")
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


# The last one is Lab's own default, so that the page is as it was.
@pytest.mark.parametrize("windowing", ["full", "defer", "none", "contentVisibility"])
def test_chips_stay_with_their_cells_while_a_long_notebook_is_scrolled(shared_page, lab, windowing):
    shared_page.setting("@jupyterlab/notebook-extension:tracker", "windowingMode", windowing)
    opened = replaced(shared_page, lab, "long.ipynb")
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


def pick(opened, cell, *typed):
    """Open a cell's picker, at its chip or in its toolbar, and choose by keyboard."""
    opened.model(f"notebook.deselectAll(); notebook.activeCellIndex = {cell}; notebook.mode = 'command'")
    opened.page.evaluate("jupyterapp.commands.execute('stagebook:pick-stage')")
    field = opened.page.get_by_role("combobox", name="Stage")
    opened.expect(field).to_be_focused()
    for keys in typed:
        opened.page.keyboard.press(keys) if keys in ("Enter", "Escape", "ArrowDown") else field.fill(keys)
    opened.expect(field).to_have_count(0)


def tags(opened, cell):
    return opened.model(f"return cells.get({cell}).getMetadata('tags') ?? null")


def undo(opened):
    opened.model("notebook.activate(); await jupyterapp.commands.execute('notebook:undo-cell-action')")


def test_a_click_on_a_chip_offers_the_stages_there_are(staged):
    staged.chip(4).click()
    picker = staged.page.get_by_role("dialog", name="What the cell is in the pipeline")
    staged.expect(picker.get_by_role("option")).to_have_text(
        ["load", "clean", "setup", "parameters", "test of load", "test of clean", "none (exploration)now"]
    )
    picker.get_by_role("option", name="clean", exact=True).click()
    staged.expect_chips([*STAGED[:4], "clean", "clean (cont.)", *STAGED[6:]])
    assert tags(staged, 4) == ["stage:clean"]


def test_a_new_stage_is_typed_and_one_undo_takes_it_back(staged):
    staged.wait_for_kernel()
    staged.model("cells.get(4).sharedModel.setSource('df.head()')")
    pick(staged, 4, "look", "Enter")
    staged.expect_chips([*STAGED[:4], "look", *STAGED[5:]])
    undo(staged)
    staged.expect_chips(STAGED)
    assert tags(staged, 4) is None
    assert staged.model("return cells.get(4).sharedModel.getSource()") == "df.head()"


def test_a_stage_that_a_line_names_is_renamed_in_the_line(staged):
    pick(staged, 5, "tidy", "Enter")
    staged.expect_chips([*STAGED[:5], "tidy", "clean", *STAGED[7:]])
    source = staged.model("return cells.get(5).sharedModel.getSource()")
    assert source.startswith("\n%%stage tidy retries=2\nlate")
    assert tags(staged, 5) is None


def test_alt_click_extends_a_stage_to_the_next_cell(staged):
    staged.chip(3).click(modifiers=["Alt"])
    staged.expect_chips([*STAGED[:4], "load (cont.)", *STAGED[5:]])
    assert staged.model("return notebook.activeCellIndex") == 4
    assert tags(staged, 4) == ["stage:load"]


def test_a_picked_stage_is_written_to_all_selected_cells_as_one_step(staged):
    staged.wait_for_kernel()
    staged.model("notebook.deselectAll(); notebook.activeCellIndex = 3; notebook.extendContiguousSelectionTo(4)")
    staged.page.evaluate("jupyterapp.commands.execute('stagebook:pick-stage')")
    staged.page.get_by_role("combobox", name="Stage").fill("fetch")
    staged.page.keyboard.press("Enter")
    staged.expect_chips([*STAGED[:3], "fetch", "fetch (cont.)", *STAGED[5:]])
    undo(staged)
    staged.expect_chips(STAGED)


def test_options_are_asked_for_and_checked(staged):
    staged.chip(3).click()
    staged.page.get_by_role("button", name="Options …").click()
    form = staged.page.get_by_role("form", name="Options of stage load")
    form.get_by_label("retries").fill("often")
    form.get_by_role("button", name="Save").click()
    staged.expect(form.get_by_role("alert").filter(has_text="retries takes a whole number from 0.")).to_be_visible()
    form.get_by_label("retries").fill("2")
    form.get_by_label("metrics").fill("rows, columns")
    form.get_by_role("button", name="Save").click()
    staged.expect(form).to_have_count(0)
    options = staged.model("return cells.get(3).getMetadata('stagebook')")
    assert options == {"metrics": ["rows", "columns"], "retries": 2}


def test_split_cells_go_on_with_their_stage_and_merged_ones_have_one(staged):
    staged.wait_for_kernel()
    staged.model("cells.get(3).sharedModel.setSource('a = 1\\nb = 2')")
    staged.model("notebook.activeCellIndex = 3; notebook.mode = 'edit'")
    staged.model("notebook.activeCell.editor.setCursorPosition({line: 1, column: 0})")
    staged.model("await jupyterapp.commands.execute('notebook:split-cell-at-cursor')")
    staged.expect_chips([*STAGED[:4], "load (cont.)", *STAGED[4:]])
    staged.model("await jupyterapp.commands.execute('notebook:merge-cell-above')")
    staged.expect_chips(STAGED)


def test_without_roles_the_active_cell_alone_offers_the_picker(shared_page, lab):
    opened = replaced(shared_page, lab, "plain.ipynb")
    opened.model("notebook.activeCellIndex = 1")
    opened.expect(opened.page.locator(".jp-Cell [data-jp-item-name='stagebook-pick']")).to_have_count(1)
    opened.expect(opened.page.locator(".stagebook-Status:visible")).to_have_count(0)
    pick(opened, 1, "load", "Enter")
    opened.expect_chips([None, "load", "exploration"])
