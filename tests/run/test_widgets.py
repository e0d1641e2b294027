"""Widgets are seen in the output notebook as they were when their stage ran, also where it is reused."""

from __future__ import annotations

import nbformat
import pytest
from nbconvert import HTMLExporter

from stagebook.run.widgets import STATE, VIEW, shown

CELLS = [
    ("setup", "import ipywidgets as widgets\nfrom IPython.display import display"),
    (
        "stage:box",
        "slider = widgets.IntSlider(value=3, description='Depth')\nhidden = widgets.Text('never shown')\n"
        "box = widgets.HBox([slider, widgets.Label('Leaves')])\ndisplay(box)\nslider.value = 8\ndel slider, box",
    ),
    (
        "stage:output",
        "out = widgets.Output()\ndisplay(out)\nwith out:\n    print('inside')\n    display(widgets.FloatText(2.5))",
    ),
    (
        "stage:image",
        "import anywidget, traitlets\nclass Counter(anywidget.AnyWidget):\n    _esm = 'export default {render() {}}'\n"
        "    count = traitlets.Int(7).tag(sync=True)\n    pixels = traitlets.Bytes(b'1234').tag(sync=True)\n"
        "display(Counter())\ndel Counter",
    ),
    ("stage:plain", "print('no widget')"),
]


def models(run):
    node = nbformat.read(run.output, as_version=4)
    nbformat.validate(node)
    return node.metadata["widgets"][STATE]["state"]


def viewed(bench, run):
    """The ids of the models in the cells' outputs."""
    cells = bench.output(run)
    return [out["data"][VIEW]["model_id"] for cell in cells for out in cell.outputs if VIEW in out.get("data", {})]


def by_kind(found):
    return {model["model_name"]: model["state"] for model in found.values()}


@pytest.fixture
def runs(bench):
    first = bench.run(CELLS)
    return first, bench.run()


def test_widgets_are_in_the_output_notebook_as_they_were_at_the_end_of_their_stage(bench, runs):
    for run in runs:
        found = by_kind(models(run))
        assert len(viewed(bench, run)) == 3
        assert set(viewed(bench, run)) <= models(run).keys()
        assert (found["IntSliderModel"]["value"], found["IntSliderModel"]["description"]) == (8, "Depth")
        assert found["LabelModel"]["value"] == "Leaves"
        assert found["OutputModel"]["outputs"][0]["text"] == "inside\n"
        assert found["FloatTextModel"]["value"] == 2.5
        assert found["AnyModel"]["count"] == 7
        assert "LayoutModel" in found
        assert "TextModel" not in found
        assert [model["buffers"][0]["data"] for model in models(run).values() if "buffers" in model] == ["MTIzNA=="]
    assert models(runs[0]) == models(runs[1])
    assert set(bench.states(runs[1]).values()) == {"reused"}


def test_a_page_made_of_the_output_notebook_shows_its_widgets(runs):
    page, _ = HTMLExporter().from_filename(str(runs[1].output))
    assert f'<script type="{STATE}">' in page
    assert page.count(f'<script type="{VIEW}">') == 3


def test_widgets_of_stages_that_ran_and_of_reused_ones_stand_side_by_side(bench, runs):
    edited = [(tags, source.replace("value = 8", "value = 9")) for tags, source in CELLS]
    run = bench.run(edited)
    assert bench.ran() == ["box"]
    assert by_kind(models(run))["IntSliderModel"]["value"] == 9
    assert by_kind(models(run))["AnyModel"]["count"] == 7
    assert set(viewed(bench, run)) <= models(run).keys()
    assert len(models(run)) == len(models(runs[0]))


def test_a_notebooks_old_widgets_do_not_stay_where_no_cell_shows_them(bench):
    path = bench.write([("stage:plain", "print(1)")])
    node = nbformat.read(path, as_version=4)
    node.metadata["widgets"] = {STATE: {"state": {"old": {}}, "version_major": 2, "version_minor": 0}}
    nbformat.write(node, path)
    assert "widgets" not in nbformat.read(bench.run().output, as_version=4).metadata


def test_widget_that_a_later_stage_shows_is_seen_there_too(bench):
    cells = [
        ("setup", "import ipywidgets as widgets"),
        ("stage:make", "slider = widgets.IntSlider(value=3)\nslider"),
        ("stage:show", "slider.value += 1\ndisplay(slider)\nprint(slider.value)"),
    ]
    run = bench.run(cells)
    assert bench.printed(run, 3).endswith("4\n")
    assert set(viewed(bench, run)) <= models(run).keys()
    assert by_kind(models(run))["IntSliderModel"]["value"] == 4


def test_models_that_refer_to_each_other_are_each_found_once():
    views = [{"data": {VIEW: {"model_id": "a"}}}, {"output_type": "stream", "text": "IPY_MODEL_d"}]
    known = {name: {"state": {"other": f"IPY_MODEL_{other}"}} for name, other in ["ab", "ba", "cd", "da"]}
    assert list(shown(known, views)) == ["a", "b"]
