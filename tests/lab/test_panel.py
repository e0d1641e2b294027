"""The panel's story, in a real browser with a real server: tag, run, break, see the line, mend, cancel, compare."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.lab.conftest import opened
from tests.server.answers import watched

PATIENCE = 60_000
AXE = Path(__file__).resolve().parents[2] / "extension/node_modules/axe-core/axe.min.js"
SAVE = "jupyterapp.commands.execute('docmanager:save')"
MENDED = "part = len(rows)\nscore = depth / 10 + part"


class Story:
    """A notebook on the screen, the panel beside it."""

    def __init__(self, context, server):
        self.server = server
        self.page = context.new_page()
        self.opened = opened(self.page, server, "story.ipynb")
        self.path = self.opened.model("return jupyterapp.shell.currentWidget.context.path")
        self.panel = self.page.locator("#stagebook-panel")
        self.expect = self.opened.expect
        self.page.add_locator_handler(self.page.get_by_role("button", name="Save and run"), lambda save: save.click())
        self.show()

    def show(self):
        self.opened.wait_for_kernel()
        self.command("show-panel")
        self.expect(self.panel).to_be_visible()

    def reload(self):
        self.page.reload()
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=PATIENCE)
        self.show()

    def command(self, name):
        """Begin a command; one that asks is not waited for."""
        self.page.evaluate(f"void jupyterapp.commands.execute('stagebook:{name}')")

    def stage(self, name):
        return self.panel.locator(f".sb-graph .stage[data-stage='{name}']")

    def expect_states(self, **states):
        for name, state in states.items():
            self.expect(self.stage(name)).to_have_attribute("data-state", state, timeout=PATIENCE)

    def button(self, name, **options):
        return self.panel.get_by_role("button", name=name, **options)

    def pick(self, cell, name):
        self.opened.chip(cell).click()
        self.page.get_by_role("combobox", name="Stage").fill(name)
        self.page.keyboard.press("Enter")

    def write(self, cell, source):
        self.opened.model(f"cells.get({cell}).sharedModel.setSource({json.dumps(source)})")

    def run(self, button):
        """Press a button that runs; whether to save first is answered when it is asked."""
        self.button(button).click()

    def look(self, stage):
        pane = self.panel.get_by_role("region", name=f"Stage {stage}", exact=True)
        if not pane.is_visible():
            self.stage(stage).click()
        self.expect(pane).to_be_visible()
        return pane

    def unfold(self, section):
        """A section of the panel, open."""
        found = self.panel.locator(f"details[data-section='{section}']")
        if found.get_attribute("open") is None:
            found.locator("summary").first.click()
        return found

    def close(self):
        self.page.evaluate("jupyterapp.serviceManager.sessions.shutdownAll()")
        self.page.close()


@pytest.fixture(scope="module")
def story(context, lab):
    story = Story(context, lab)
    yield story
    story.close()


@pytest.fixture(scope="module")
def in_notebook(context, notebook_server):
    story = Story(context, notebook_server)
    yield story
    story.close()


def tag_three(story):
    story.opened.expect_chips(["parameters", "exploration", "exploration", "exploration"])
    for cell, name in ((1, "load"), (2, "train"), (3, "report")):
        story.pick(cell, name)
    story.opened.expect_chips(["parameters", "load", "train", "report"])
    story.expect_states(load="never run", train="never run", report="never run")


def break_and_find(story):
    """Make a cell fail, and go to the line that the panel names."""
    story.write(2, "part = len(rows)\nscore = depth / 0")
    story.expect_states(load="fresh", train="stale", report="stale")
    story.run("Run 2 stale stages")
    story.expect_states(load="fresh", train="failed")
    pane = story.look("train")
    story.expect(pane).to_contain_text("ZeroDivisionError: division by zero")
    pane.get_by_role("button", name="Go to cell 3, line 2").click()
    marked = "notebook.activeCell.editor.getSelection()"
    story.page.wait_for_function(
        f"(() => {{ const notebook = jupyterapp.shell.currentWidget.content; return {marked}.start.line === 1; }})()"
    )
    assert story.opened.model("return notebook.activeCellIndex") == 2
    story.expect(story.opened.state(2)).to_contain_text("failed here")
    story.button("Close stage train").click()


def mend_and_run(story):
    """Mend the cell that failed, and run from its stage on."""
    story.write(2, MENDED)
    story.look("train")
    story.run("Run from here")
    story.expect_states(load="fresh", train="fresh", report="fresh")
    story.button("Close stage train").click()


def test_three_cells_are_tagged_by_clicking_and_one_undo_takes_one_back(story):
    tag_three(story)
    story.opened.model("notebook.activate(); await jupyterapp.commands.execute('notebook:undo-cell-action')")
    story.opened.expect_chips(["parameters", "load", "train", "exploration"])
    story.expect(story.stage("report")).to_have_count(0)
    story.pick(3, "report")
    story.expect_states(report="never run")


def test_findings_lead_to_their_cell_and_are_mended_by_a_press(story):
    story.pick(1, "none")
    findings = story.panel.locator("details[data-section='findings']")
    story.expect(findings).to_contain_text("rows")
    story.expect(findings.get_by_role("button", name="Cell 3").first).to_be_visible()
    fix = findings.locator("[data-key^='fix-']").first
    story.expect(fix).to_be_visible()
    fix.click()
    story.expect(story.stage("train")).to_have_count(1)
    story.pick(1, "load")
    story.opened.expect_chips(["parameters", "load", "train", "report"])


def test_a_run_is_followed_on_graph_chips_and_log(story):
    story.run("Run 3 stages")
    story.expect_states(load="fresh", train="fresh", report="fresh")
    story.expect(story.opened.state(1)).to_contain_text("fresh · ")
    story.expect(story.button("All is fresh")).to_be_disabled()
    log = story.unfold("log")
    story.expect(log.get_by_role("log")).to_contain_text("report: done")
    story.expect(log.locator(".stagebook-Log-output")).to_contain_text("the score is 3.3")
    story.expect(story.page.locator("#jp-main-statusbar .stagebook-Status")).to_have_text("✓ 3 fresh")


def test_values_of_a_stage_are_looked_at(story):
    pane = story.look("train")
    pane.locator("details[data-section='values'] summary").click()
    story.expect(pane.locator(".sb-value code")).to_have_text("score", timeout=PATIENCE)
    story.expect(pane.locator(".sb-value pre")).to_have_text("3.3")
    story.page.keyboard.press("Escape")
    story.expect(pane).to_have_count(0)


def test_what_monitors_have_said_is_drawn(story):
    watched(story.server.folder)
    monitors = story.unfold("monitors")
    story.expect(monitors.locator(".stagebook-Section-count")).to_have_text("2, drift in 1")
    story.expect(monitors.locator("rect[data-kind='drift']")).to_have_count(1)
    story.expect(monitors.locator("rect[data-kind='promoted']")).to_have_count(1)
    story.expect(monitors.get_by_role("img", name="Share of drifted columns of flights, over time")).to_be_visible()
    story.expect(monitors.locator("tbody tr").first).to_contain_text("drift, in 80 % of the columns (temp, dest)")
    story.expect(monitors.get_by_role("alert")).to_contain_text("The history of spoiled cannot be read.")


def test_a_cell_that_fails_is_found_by_its_line(story):
    break_and_find(story)


def test_a_mended_stage_runs_from_there(story):
    mend_and_run(story)


def test_options_and_parameters_reach_the_run(story):
    story.opened.chip(2).click()
    story.page.get_by_role("button", name="Options …").click()
    story.page.get_by_label("metrics").fill("score")
    story.page.get_by_role("button", name="Save", exact=True).click()
    form = story.unfold("parameters")
    depth = form.get_by_label("depth")
    depth.fill("40")
    depth.press("Tab")
    story.expect(form.get_by_text("depth takes at least 1 and at most 20.")).to_be_visible()
    story.button("Run all again").click()
    story.expect(story.page.get_by_text("depth: mend it in the form, then run.").first).to_be_visible()
    depth.fill("7")
    depth.press("Tab")
    story.expect_states(train="stale")
    story.run("Run 2 stale stages")
    story.expect_states(train="fresh", report="fresh")
    story.reload()
    story.expect_states(train="fresh", report="fresh")
    story.expect(story.unfold("parameters").get_by_label("depth")).to_have_value("7")
    form.get_by_role("button", name="As in the notebook").click()
    story.expect_states(train="stale")
    story.run("Run 2 stale stages")
    story.expect_states(train="fresh", report="fresh")


def test_two_runs_are_compared(story):
    runs = story.unfold("runs")
    rows = runs.locator("tbody tr")
    runs.get_by_role("searchbox").fill("score=3")
    story.expect(rows).to_have_count(2)
    runs.get_by_role("button", name="score").click()
    story.expect(rows.locator("td:nth-last-child(2)")).to_have_text(["3.7", "3.3"])
    for box in runs.get_by_role("checkbox").all():
        box.check()
    runs.get_by_role("button", name="Compare 2 runs").click()
    story.expect(runs.locator(".sb-beside").first).to_contain_text("3.7")
    link = rows.first.get_by_role("link", name="Open the output notebook")
    with story.page.context.expect_page() as opening:
        link.click()
    story.expect(opening.value.locator("body")).to_contain_text("the score is 3.7")
    opening.value.close()


def test_a_run_is_cancelled_and_one_is_found_again_after_a_reload(story):
    gate = story.server.folder / "go"
    waiting = f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.05)\nscore = 1"
    waiting = f"print('waits for', {gate.name!r}, flush=True)\n{waiting}"
    story.write(2, waiting)
    story.expect_states(train="stale")
    story.run("Run 2 stale stages")
    story.expect_states(train="running")
    story.expect(story.opened.state(2)).to_contain_text("running")
    story.expect(story.unfold("log").locator(".stagebook-Log-output").last).to_have_text("waits for go")
    story.button("Cancel the run").click()
    story.expect_states(train="interrupted")
    story.run("Run 2 stages")
    story.expect_states(train="running")
    story.reload()
    story.expect_states(train="running")
    gate.touch()
    story.expect_states(train="fresh", report="fresh")


def test_a_run_in_a_terminal_is_seen(story):
    story.write(2, "score = 2")
    story.page.evaluate(SAVE)
    story.expect_states(load="fresh", train="stale")
    command = [sys.executable, "-m", "stagebook", "run", story.path, "--no-track"]
    subprocess.run(command, cwd=story.server.folder, check=True, capture_output=True)
    story.expect_states(load="fresh", train="fresh", report="fresh")


def test_the_pipeline_is_exported_previewed_and_written(story):
    story.write(2, "score = eval('depth / 10 + len(rows)')")
    story.page.evaluate(SAVE)
    story.command("export")
    dialog = story.page.get_by_role("dialog").filter(has_text=f"Export {story.path}")
    dialog.locator("#stagebook-exporter").select_option("python")
    dialog.get_by_role("button", name="Preview the files").click()
    story.expect(dialog.get_by_role("status")).to_contain_text("Cell 3, line 1 cannot be exported: `eval`")
    story.write(2, "score = depth / 10 + len(rows)")
    story.page.evaluate(SAVE)
    dialog.get_by_label("displays").select_option("print")
    dialog.get_by_role("button", name="Preview the files").click()
    story.expect(dialog.locator("summary")).to_contain_text("story.py")
    folder = dialog.get_by_role("textbox", name="Folder")
    story.expect(folder).to_have_value(f"{Path(story.path).stem}-python/")
    folder.fill("made/here")
    dialog.get_by_role("button", name="Write 1 file").click()
    story.expect(dialog.get_by_role("status")).to_contain_text("Written to made/here: ")
    (file,) = (story.server.folder / "made/here").glob("*story.py")
    done = subprocess.run([sys.executable, file, "--depth", "4"], capture_output=True, text=True, check=True)
    assert done.stdout == "the score is 3.4\n"
    file.write_text("mine")
    dialog.get_by_role("button", name="Write 1 file").click()
    story.expect(dialog.get_by_role("status")).to_contain_text("was not left as an export wrote it")
    assert file.read_text() == "mine"
    dialog.get_by_role("button", name="Overwrite").click()
    story.expect(dialog.get_by_role("status")).to_contain_text("Written to made/here: ")
    assert file.read_text() != "mine"
    dialog.get_by_role("button", name="Close").click()


def test_the_graph_is_used_with_the_keyboard(story):
    keys = story.page.keyboard
    story.stage("load").focus()
    keys.press("ArrowDown")
    story.expect(story.stage("train")).to_be_focused()
    keys.press("Enter")
    story.expect(story.panel.get_by_role("region", name="Stage train", exact=True)).to_be_visible()
    keys.press("Escape")
    story.expect(story.stage("train")).to_be_focused()
    story.button("Show as a list").click()
    story.expect(story.panel.locator(".sb-list button")).to_have_count(3)
    story.button("Show as a picture").click()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_no_serious_fault(story, theme):
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run `jlpm install` in extension/")
    story.page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
    story.page.wait_for_function(f"document.body.dataset.jpThemeName === '{theme}'")
    for section in ("log", "runs", "parameters"):
        story.unfold(section)
    story.look("train")
    story.page.add_script_tag(path=str(AXE))
    story.opened.chip(2).click()
    found = story.page.evaluate(
        "axe.run({ include: [['#stagebook-panel'], ['.stagebook-Chip'], ['.stagebook-Picker']] })"
    )
    serious = [
        f"{one['id']}: {node['html'][:200]} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
        if one["impact"] in ("serious", "critical")
    ]
    story.page.keyboard.press("Escape")
    story.button("Close stage train").click()
    assert serious == []


def test_nothing_went_wrong_in_lab(story):
    assert story.opened.our_errors() == []


def test_the_story_in_notebook(in_notebook):
    story = in_notebook
    tag_three(story)
    story.run("Run 3 stages")
    story.expect_states(load="fresh", train="fresh", report="fresh")
    break_and_find(story)
    mend_and_run(story)
    assert story.opened.our_errors() == []
