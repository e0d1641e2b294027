"""The graph as SVG: what it says, that it is the same each time, and that a browser shows all of its text."""

from __future__ import annotations

import os
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from tests.notebooks_factory import pipeline

from stagebook.book.draw import draw
from stagebook.book.picture import MOST, Arrow, Box, svg_of
from stagebook.errors import UsageError

SVG = "{http://www.w3.org/2000/svg}"
LONG = "clean_and_join_everything_that_there_is_under_a_name_of_some_length"
BOXES = [
    Box("load", "reused"),
    Box(LONG, "done", "12.3 s"),
    Box("训练模型", "failed", "0.1 s"),
    Box("plot", "skipped"),
    Box("WWMM@%WWMM", "not run"),
]
ARROWS = [
    Arrow("load", LONG, f"df, {LONG}, <b> & 'c' and 3 more"),
    Arrow("load", "plot"),
    Arrow(LONG, "训练模型", "X"),
    Arrow("训练模型", "WWMM@%WWMM", "model"),
    Arrow("plot", "WWMM@%WWMM", "state:numpy.random"),
]
AGAIN = """
from stagebook.book.picture import svg_of
from tests.book.test_picture import ARROWS, BOXES
print(svg_of("again", BOXES, ARROWS), end="")
"""


def titles(svg):
    return [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}title")]


def test_it_says_stages_states_and_what_flows_as_text_too():
    root = ElementTree.fromstring(svg_of("run <1>", BOXES, ARROWS))
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "title desc"
    assert root[0].text == "run <1>"
    assert "load (reused)" in root[1].text
    assert f"{LONG} (done · 12.3 s)" in root[1].text
    assert "plot to WWMM@%WWMM: state:numpy.random" in root[1].text
    assert "load to plot, a declared need" in root[1].text
    texts = ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]
    assert {"load", "reused", LONG, "done · 12.3 s", "failed · 0.1 s", "not run", "model"} <= set(texts)


def test_each_state_has_a_look_and_a_need_is_dashed():
    root = ElementTree.fromstring(svg_of("run", BOXES, ARROWS))
    looks = {}
    for group in root.iter(f"{SVG}g"):
        looks[group[0].text] = group[1].get("class")
    assert looks["load: reused"] == "box reused"
    assert looks[f"{LONG}: done · 12.3 s"] == "box done"
    assert looks["训练模型: failed · 0.1 s"] == "box failed"
    assert looks["plot: skipped"] == looks["WWMM@%WWMM: not run"] == "box idle"
    assert looks["load -> plot"] == "line need"
    assert looks["训练模型 -> WWMM@%WWMM: model"] == "line"


def test_it_is_the_same_in_every_process():
    drawn = {
        subprocess.run(
            [sys.executable, "-c", AGAIN],
            capture_output=True,
            check=True,
            env={**environment(), "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert drawn == {svg_of("again", BOXES, ARROWS).encode()}


def environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONIOENCODING": "utf-8"}


def test_a_notebook_is_drawn_with_the_edges_that_are_inferred():
    cells = [("stage:a", "x = 1"), ("stage:b", "y = x"), ("", "%%stage c needs=a\nprint(y)")]
    assert titles(draw(pipeline(cells), "svg")) == [
        "Stages of notebook.ipynb",
        "a -> b: x",
        "a -> c",
        "b -> c: y",
        "a",
        "b",
        "c",
    ]


@pytest.mark.parametrize("boxes", [[], [Box("alone")], [Box("a"), Box("b")]])
def test_few_stages_without_edges_are_drawn_too(boxes):
    assert titles(svg_of("few", boxes, []))[1:] == [box.name for box in boxes]


def test_what_xml_cannot_hold_is_not_in_it():
    ElementTree.fromstring(svg_of("a\x00b", [Box("x\x1b[31m\ud800")], []))


def test_more_stages_than_can_be_read_are_refused_with_what_to_do():
    many = pipeline([(f"stage:s{number}", "print(1)") for number in range(MOST + 1)])
    with pytest.raises(UsageError, match="301 stages, and 300 are the most.*--format dot"):
        draw(many, "svg")


@pytest.fixture
def page(browser):
    one = browser.new_page()
    yield one
    one.close()


LOOKING = """
() => {
  const of = shape => shape.getBBox()
  const inside = (a, b) => a.x >= b.x && a.y >= b.y
    && a.x + a.width <= b.x + b.width && a.y + a.height <= b.y + b.height
  const svg = document.querySelector("svg"), all = svg.viewBox.baseVal, out = []
  const boxes = [...svg.querySelectorAll("rect.box")], labels = [...svg.querySelectorAll("text.label")]
  for (const box of boxes)
    for (const text of box.parentNode.querySelectorAll("text"))
      if (!inside(of(text), of(box))) out.push(text.textContent)
  for (const text of svg.querySelectorAll("text"))
    if (!inside(of(text), all)) out.push("outside: " + text.textContent)
  for (const text of labels)
    for (const box of boxes) {
      const a = of(text), b = of(box)
      if (a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height)
        out.push("over a box: " + text.textContent)
    }
  return out
}
"""


def test_a_browser_shows_all_text_within_its_box_and_labels_beside_boxes(page):
    page.set_content(svg_of("shown", BOXES, ARROWS))
    assert page.evaluate(LOOKING) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground_in_light_and_in_dark_mode(page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_content(svg_of("shown", BOXES, ARROWS))
    pairs = page.evaluate(
        """() => [...document.querySelectorAll("rect.box")].flatMap(box =>
             [...box.parentNode.querySelectorAll("text")].map(text =>
               [getComputedStyle(text).fill, getComputedStyle(box).fill]))
           .concat([[getComputedStyle(document.querySelector("text.label")).fill,
                     getComputedStyle(document.querySelector("rect.paper")).fill]])"""
    )
    assert len(pairs) == 11
    for text, ground in pairs:
        assert contrast(text, ground) >= 4.5, (text, ground)


def contrast(one, other):
    """As WCAG 2 defines it."""
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour):
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
