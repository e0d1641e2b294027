"""The widgets in a real browser, with a real kernel: in JupyterLab and in Notebook; their colours in both themes."""

from __future__ import annotations

import json

import pytest
from tests.book.test_picture import contrast
from tests.lab.conftest import NOTEBOOKS, opened

from stagebook.book.picture import Arrow, Box, svg_of
from stagebook.widgets.front import style_of
from stagebook.widgets.standing import STATES

PATIENCE = 60_000


class Page:
    """The notebook on the screen, its cells run one by one."""

    def __init__(self, context, server):
        (server.folder / "staged-plainly.ipynb").write_text(NOTEBOOKS["staged-plainly.ipynb"])
        self.opened = opened(context.new_page(), server, "live.ipynb")
        self.page = self.opened.page
        kernel = "jupyterapp.shell.currentWidget.context.sessionContext.session?.kernel"
        self.page.wait_for_function(f"{kernel}?.connectionStatus === 'connected'", timeout=PATIENCE)

    def run(self, cell):
        self.opened.command("run-cell", cell=cell)

    def cell(self, number):
        return self.page.locator(f".jp-Cell[data-windowed-list-index='{number}']")

    def stage(self, name, cell=0):
        return self.cell(cell).locator(f".stage[data-stage='{name}']")

    def expect(self, locator):
        return self.opened.expect(locator)

    def close(self):
        self.page.evaluate("jupyterapp.serviceManager.sessions.shutdownAll()")
        self.page.close()


@pytest.fixture(scope="module")
def in_lab(context, lab):
    page = Page(context, lab)
    yield page
    page.close()


@pytest.fixture(scope="module")
def in_notebook(context, notebook_server):
    page = Page(context, notebook_server)
    yield page
    page.close()


def show_graph(page):
    page.run(0)
    page.expect(page.stage("train")).to_have_attribute("aria-label", "train: never run", timeout=PATIENCE)
    still = page.cell(0).locator(".jp-OutputArea-child:has(img[src*='data-stagebook'])")
    page.expect(still).to_be_hidden()


def test_in_lab_the_graph_is_used_with_the_keyboard_alone(in_lab):
    page, keys = in_lab, in_lab.page.keyboard
    show_graph(page)
    page.stage("load").focus()
    for key, name in (("ArrowDown", "train"), ("End", "report"), ("ArrowUp", "train")):
        keys.press(key)
        page.expect(page.stage(name)).to_be_focused()
    assert page.opened.model("return notebook.activeCellIndex") == 0, "the arrows are not Jupyter's here"
    keys.press("Enter")
    pane = page.cell(0).locator(".sb-pane")
    page.expect(pane.locator(".sb-reason")).to_have_text("its input `rows` comes from `load`, which runs")
    keys.press("Escape")
    page.expect(pane).to_have_count(0)
    page.expect(page.stage("train")).to_be_focused()
    keys.press(" ")
    button = pane.get_by_role("button", name="Run this stage and 1 before it")
    for _ in range(2):  # the first one closes the pane
        keys.press("Tab")
    page.expect(button).to_be_focused()
    keys.press("Enter")
    page.expect(page.stage("train")).to_have_attribute("data-state", "fresh", timeout=PATIENCE)
    page.expect(page.stage("report")).to_have_attribute("data-state", "never run")
    page.expect(page.cell(0).get_by_role("status").first).to_contain_text("is done.", timeout=PATIENCE)
    page.expect(page.stage("train").locator(".small")).to_contain_text("fresh · ")


def test_in_lab_values_are_looked_at_and_loaded_into_the_kernel(in_lab):
    page = in_lab
    pane = page.cell(0).locator(".sb-pane")
    pane.locator("summary", has_text="Values").click()
    page.expect(pane.locator(".sb-value code")).to_have_text("score")
    page.expect(pane.locator(".sb-value pre")).to_have_text("3.3")
    pane.get_by_role("button", name="Load its values").click()
    page.expect(page.cell(0).get_by_role("status").first).to_contain_text("score (")
    page.run(3)
    page.expect(page.cell(3).locator(".jp-OutputArea-output")).to_have_text("3.3")


def test_in_lab_a_form_runs_with_what_was_chosen(in_lab):
    page = in_lab
    page.run(1)
    page.expect(page.cell(1).get_by_text("1..20")).to_be_visible(timeout=PATIENCE)
    depth = page.cell(1).locator(".widget-readout")
    depth.fill("7")
    depth.press("Enter")
    page.cell(1).get_by_role("button", name="Run with these values").click()
    page.expect(page.cell(1).locator(".sb-given")).to_have_text("with depth = 7", timeout=PATIENCE)
    page.expect(page.stage("report", cell=1)).to_have_attribute("data-state", "fresh", timeout=PATIENCE)


def test_in_lab_runs_are_sorted_and_compared(in_lab):
    page = in_lab
    page.run(2)
    table = page.cell(2).locator(".sb-runs table").first
    page.expect(table.locator("tbody tr")).to_have_count(2, timeout=PATIENCE)
    head = table.get_by_role("button", name="score")
    for order, scores in (("descending", ["3.7", "3.3"]), ("ascending", ["3.3", "3.7"])):
        head.press("Enter")
        page.expect(table.locator("th", has_text="score")).to_have_attribute("aria-sort", order)
        page.expect(table.locator("tbody tr td:last-child")).to_have_text(scores)
        page.expect(head).to_be_focused()
    for box in table.locator("input").all():
        box.check()
    page.cell(2).get_by_role("button", name="Compare 2 runs").click()
    page.expect(page.cell(2).locator(".sb-beside")).to_contain_text("3.7 (+0.4)")
    assert page.opened.our_errors() == []


def test_in_notebook_the_graph_runs_at_the_press_of_a_button(in_notebook):
    page = in_notebook
    show_graph(page)
    page.cell(0).get_by_role("button", name="Run 3 stages").click()
    for name in ("load", "train", "report"):
        page.expect(page.stage(name)).to_have_attribute("data-state", "fresh", timeout=PATIENCE)
    page.stage("train").click()
    page.expect(page.cell(0).locator(".sb-pane .sb-state")).to_have_text("fresh")
    page.expect(page.cell(0).get_by_role("button", name="All is fresh")).to_be_disabled(timeout=PATIENCE)
    page.run(1)
    page.expect(page.cell(1).get_by_role("button", name="Run with these values")).to_be_visible(timeout=PATIENCE)
    page.run(2)
    page.expect(page.cell(2).locator(".sb-runs tbody tr")).to_have_count(1, timeout=PATIENCE)
    assert page.opened.our_errors() == []


COLOURS = """() => {
  const painted = (node, what) => getComputedStyle(node)[what]
  const rows = [...document.querySelectorAll(".stage")].flatMap(stage =>
    [...stage.querySelectorAll("text")].map(text =>
      [painted(text, "fill"), painted(stage.querySelector("rect"), "fill")]))
  const paper = painted(document.querySelector(".sb-pipeline"), "backgroundColor")
  rows.push([painted(document.querySelector("text.label"), "fill"), paper])
  for (const word of document.querySelectorAll("p, .sb-state")) rows.push([painted(word, "color"), paper])
  return rows
}"""


@pytest.mark.parametrize(
    ("scheme", "body"),
    [
        ("light", ""),
        ("dark", ""),
        ("light", "data-jp-theme-light='false'"),
        ("dark", "data-jp-theme-light='true'"),
        ("light", "class='vscode-dark'"),
    ],
)
def test_text_stands_out_in_the_theme_of_the_system_and_of_the_application(context, scheme, body):
    page = context.new_page()
    page.emulate_media(color_scheme=scheme)
    stages = svg_of("all", [Box(state, state) for state in STATES], [Arrow("stale", "fresh", "x")], within="x-")
    words = "".join(f"<span class='sb-state' data-state='{state}'>{state}</span>" for state in STATES)
    view = f"<div class='stagebook sb-pipeline'><p class='sb-quiet'>quiet</p>{words}{stages}</div>"
    page.set_content(f"<style>{style_of('theme.css', 'pipeline.css')}</style><body {body}>{view}</body>")
    found = page.evaluate(COLOURS)
    is_dark = "dark" in body or "false" in body or (not body and scheme == "dark")
    page.close()
    assert len(found) == 2 * len(STATES) + 1 + 1 + len(STATES)
    assert (json.dumps(found[-1][1]) == '"rgb(22, 25, 31)"') is is_dark
    for text, ground in found:
        assert contrast(text, ground) >= 4.5, (text, ground)
