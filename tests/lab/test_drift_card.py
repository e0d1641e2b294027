"""A comparison's card in a saved notebook that nobody has trusted, in light and in dark."""

import json

import numpy as np
import pandas as pd
import pytest

from stagebook.drift.api import drift

CONTRAST = 3
"""Between the text and its ground, in the card's quietest words."""


@pytest.fixture(scope="module")
def saved(lab):
    """The name of a notebook with a card in it, as a run saves it."""
    rng = np.random.default_rng(0)
    before = pd.DataFrame({"delay": rng.normal(size=2000), "carrier": rng.choice(["AA", "UA", "<b>"], 2000)})
    now = before.assign(delay=before["delay"] + 1)
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": drift(before, now)._repr_html_()}}
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "", "execution_count": None, "outputs": [output]}
    kernel = {"kernelspec": {"display_name": "Python", "language": "python", "name": "python3"}}
    book = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (lab.folder / "saved-card.ipynb").write_text(json.dumps(book))
    return "saved-card.ipynb"


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_a_saved_card_shows_all_without_being_trusted(context, lab, saved, theme):
    page = context.new_page()
    lab.set("@jupyterlab/apputils-extension", "themes", {"theme": theme})
    page.goto(lab.address(saved))
    output = page.locator(".jp-OutputArea-output")
    output.locator("table").wait_for(timeout=40_000)
    page.wait_for_function(f"document.body.dataset.jpThemeName === '{theme}'")
    assert page.evaluate("jupyterapp.shell.currentWidget.content.model.cells.get(0).trusted") is False
    assert "1 of 2 columns has drifted" in output.inner_text()
    pictures = output.locator("img")
    assert pictures.count() == 2
    assert pictures.evaluate_all("all => all.every(one => one.complete && one.naturalWidth === 132)")
    assert pictures.first.get_attribute("alt") == "delay: -0.028 ± 1 before, 0.972 ± 1 now"
    lowest = output.evaluate(CONTRAST_OF_TEXT)
    assert lowest >= CONTRAST

    page.evaluate("jupyterapp.serviceManager.sessions.shutdownAll()")
    page.close()


CONTRAST_OF_TEXT = """root => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b]
    .map(one => one / 255)
    .map(one => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = node => {
    const colour = rgb(getComputedStyle(node).backgroundColor);
    const seen = colour.length < 4 || colour[3] > 0 || !node.parentElement;
    return seen ? colour.slice(0, 3) : ground(node.parentElement);
  };
  const faded = (node, colour, under) => {
    let share = 1;
    for (let one = node; one !== root.parentElement; one = one.parentElement) {
      share *= Number(getComputedStyle(one).opacity);
    }
    return colour.map((part, at) => part * share + under[at] * (1 - share));
  };
  const texts = [...root.querySelectorAll('*')].filter(node =>
    [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim())
  );
  return Math.min(...texts.map(node => {
    const under = ground(node);
    const over = faded(node, rgb(getComputedStyle(node).color).slice(0, 3), under);
    const [one, other] = [light(over), light(under)];
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  }));
}"""
