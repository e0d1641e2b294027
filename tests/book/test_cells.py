"""Which part a cell plays: tags, `%%stage` lines, options, and Kale's dialect."""

import ast

import pytest
from tests.notebooks_factory import codes, findings, notebook, pipeline

from stagebook.book.cells import read_cells, without_magic
from stagebook.model import StageOptions


def roles(cells):
    """Each cell as "role" or "role name"."""
    read, _ = read_cells(notebook(cells))
    return [" ".join(filter(None, [one.cell.role, one.cell.stage])) for one in read]


def said(cells):
    """What reading the cells finds, as "CODE (cell, line) message remedy"."""
    _, found = read_cells(notebook(cells))
    return [f"{one.code} ({one.place.cell}, {one.place.line}) {one.message} {one.remedy}" for one in found]


def options_of(source, metadata=None, tags=""):
    return pipeline([(tags, source, metadata), ("stage:other", "1"), ("stage:third", "1")]).stage("a").options


SPELLINGS = [
    ("parameters", "x = 1", "parameters"),
    ("setup", "x = 1", "setup"),
    ("hide-input setup", "x = 1", "setup"),
    ("stage:load", "x = 1", "stage load"),
    ("stage:load stage:load", "x = 1", "stage load"),
    ("stage:load-2_b", "x = 1", "stage load-2_b"),
    ("stage:été", "x = 1", "stage été"),
    ("test:load", "x = 1", "test load"),
    ("", "x = 1", "exploration"),
    ("raises-exception", "x = 1", "exploration"),
    ("", "%%stage load", "stage load"),
    ("", "%%stage load\nx = 1", "stage load"),
    ("", "\n\n  %%stage load\nx = 1", "stage load"),
    ("", "%%stage\tload\r\nx = 1", "stage load"),
    ("", "%%stage 'load'\nx = 1", "stage load"),
    ("", "%%stage load needs=other\nx = 1", "stage load"),
    ("stage:load", "%%stage load\nx = 1", "stage load"),
    ("", "%%stagex load\nx = 1", "exploration"),
    ("", "%%stages\nx = 1", "exploration"),
    ("", "%stage load\nx = 1", "exploration"),
    ("", "'%%stage load'", "exploration"),
    ("", "x = '''\n%%stage load\n'''", "exploration"),
]


@pytest.mark.parametrize(("tags", "source", "role"), SPELLINGS)
def test_every_spelling_of_a_role(tags, source, role):
    assert roles([(tags, source)]) == [role]
    assert said([(tags, source)]) == []


def test_tag_with_a_space_after_its_colon_names_the_stage():
    cells = notebook([("", "x = 1")])
    cells["cells"][0]["metadata"]["tags"] = ["stage: load "]
    assert read_cells(cells)[0][0].cell.stage == "load"


def test_code_without_its_magic_keeps_its_line_numbers():
    code = without_magic("\n%%stage load needs=a\nx = 1")
    assert ast.parse(code).body[0].lineno == 3


WRONG = {
    "tag against magic": ("stage:a", "%%stage b\n1", ["SB102", "`stage:a`", "`%%stage b`", "Keep one"]),
    "two stages": ("stage:a stage:b", "1", ["SB102", "`stage:a`", "`stage:b`", "Keep one"]),
    "setup and stage": ("setup stage:a", "1", ["SB102", "`setup`", "`stage:a`"]),
    "stage and test of it": ("stage:a test:a", "1", ["SB102", "`test:a`"]),
    "setup and magic": ("setup", "%%stage a\n1", ["SB102", "`setup`", "`%%stage a`"]),
    "name of a digit": ("stage:2nd", "1", ["SB106", "`2nd`", "Start with a letter"]),
    "name with a dot": ("stage:a.b", "1", ["SB106", "`a.b`"]),
    "name with a slash": ("stage:../a", "1", ["SB106", "`../a`"]),
    "no name in the tag": ("stage:", "1", ["SB106", "`stage:` names no stage"]),
    "no name in the magic": ("", "%%stage\n1", ["SB106", "names no stage", "%%stage NAME"]),
    "options but no name": ("", "%%stage needs=a\n1", ["SB106", "names no stage"]),
    "name with a space": ("", "%%stage 'a b'\n1", ["SB106", "`a b`"]),
    "magic below blank lines": ("", "\n\n%%stage 2nd\n1", ["SB106 (1, 3)"]),
    "magic below a comment": ("", "# Load.\n%%stage a\n1", ["SB101 (1, 2)", "first line", "Move it"]),
    "magic below another": ("", "%%time\n\n%%stage a\n1", ["SB101 (1, 3)", "first line"]),
    "quotes left open": ("", "%%stage a needs='b\n1", ["SB104", "quot", "Close the quotes"]),
    "word that is no option": ("", "%%stage a needs = b\n1", ["SB103", "`needs`", "`needs=VALUE`"]),
    "comment on the magic's line": ("", "%%stage a #first\n1", ["SB103", "`#first`"]),
    "option twice": ("", "%%stage a retries=1 retries=2\n1", ["SB102", "`retries`", "twice"]),
    "unknown option": ("", "%%stage a need=b\n1", ["SB103", "`need`", "Did you mean `needs`?"]),
    "option unlike any": (
        "",
        "%%stage a colour=b\n1",
        ["SB103", "`colour`", "There is: `cache`, `drift`, `features`, `foreach`, `gate`, `metrics`"],
    ),
    "tag almost ours": ("Stage:a", "1", ["SB108", "`Stage:a`", "Did you mean `stage:a`?"]),
    "tag in the plural": ("tests:a", "1", ["SB108", "Did you mean `test:a`?"]),
    "parameter": ("parameter", "1", ["SB108", "Did you mean `parameters`?"]),
}


@pytest.mark.parametrize(("tags", "source", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_with_a_cell_is_said_with_place_cause_and_remedy(tags, source, words):
    found = said([(tags, source)])
    for word in words:
        assert word in found[0]


GOOD_VALUES = [
    ("needs=other", {"needs": ("other",)}),
    ("needs=other,third", {"needs": ("other", "third")}),
    ("needs='other, third'", {"needs": ("other", "third")}),
    ('needs="other"', {"needs": ("other",)}),
    ("timeout=90", {"timeout": 90.0}),
    ("timeout=0.5", {"timeout": 0.5}),
    ("retries=0", {"retries": 0}),
    ("retries=3", {"retries": 3}),
    ("cache=false", {"cache": False}),
    ("cache=OFF", {"cache": False}),
    ("cache=yes", {"cache": True}),
    ("reads='raw data.csv',b.csv", {"reads": ("raw data.csv", "b.csv")}),
    ("writes=model=1.bin", {"writes": ("model=1.bin",)}),
    ("resources=cores:2", {"resources": (("cores", 2.0),)}),
    ("resources=memory:1.5GiB,gpu:0.5", {"resources": (("gpu", 0.5), ("memory", 1.5 * 2**30))}),
    ("resources='cores: 2, memory: 4 GB'", {"resources": (("cores", 2.0), ("memory", 4e9))}),
    ("metrics=x retries=1", {"metrics": ("x",), "retries": 1}),
]


@pytest.mark.parametrize(("line", "options"), GOOD_VALUES)
def test_options_on_the_magic(line, options):
    assert options_of(f"%%stage a {line}\nx = 1") == StageOptions(**options)


@pytest.mark.parametrize(
    ("metadata", "options"),
    [
        ({"needs": ["other", "third"]}, {"needs": ("other", "third")}),
        ({"needs": "other"}, {"needs": ("other",)}),
        ({"needs": []}, {}),
        ({"timeout": 2}, {"timeout": 2.0}),
        ({"resources": {"memory": "4GB", "gpu": 1}}, {"resources": (("gpu", 1.0), ("memory", 4e9))}),
        ({"retries": 2}, {"retries": 2}),
        ({"cache": False}, {"cache": False}),
        ({}, {}),
    ],
)
def test_options_in_the_metadata(metadata, options):
    assert options_of("x = 1", metadata, "stage:a") == StageOptions(**options)


def test_same_option_in_metadata_and_magic_may_be_spelt_in_two_ways():
    metadata = {"needs": ["other", "third"], "retries": 2}
    options = options_of("%%stage a needs=other,third retries=2 cache=no\nx = 1", metadata)
    assert options == StageOptions(needs=("other", "third"), retries=2, cache=False)


def test_option_that_differs_between_magic_and_metadata_is_a_conflict():
    (found,) = said([("", "%%stage a retries=2\nx = 1", {"retries": 3})])
    assert found.startswith("SB102 (1, 1) Option `retries` stands on the magic and")


def test_options_of_all_cells_of_a_stage_are_its_own():
    made = pipeline([("", "%%stage a retries=2\n1"), ("", "%%stage a cache=no\n1"), ("stage:a", "1", {"retries": 2})])
    assert made.stage("a").options == StageOptions(retries=2, cache=False)


def test_option_that_differs_between_two_cells_of_a_stage_is_a_conflict():
    (found,) = findings([("", "%%stage a retries=2\n1"), ("", "%%stage a retries=3\n1")])
    assert (found.code, found.place.cell, found.stage) == ("SB102", 2, "a")
    assert "`retries`: 2 and 3" in found.message


BAD_VALUES = [
    ("needs", None, "names"),
    ("needs", 3, "names"),
    ("needs", ["a", 1], "names"),
    ("metrics", {"a": 1}, "names"),
    ("reads", True, "names"),
    ("writes", 1.5, "names"),
    ("timeout", "soon", "seconds"),
    ("timeout", "0", "above 0"),
    ("timeout", -1, "above 0"),
    ("timeout", "nan", "above 0"),
    ("timeout", "inf", "above 0"),
    ("timeout", True, "above 0"),
    ("timeout", None, "seconds"),
    ("timeout", [1], "seconds"),
    ("timeout", 10**400, "seconds"),
    ("retries", "-1", "whole number"),
    ("retries", 1.5, "whole number"),
    ("retries", "²", "whole number"),
    ("retries", True, "whole number"),
    ("retries", None, "whole number"),
    ("resources", "2", "amounts"),
    ("resources", "cores", "amounts"),
    ("resources", "cores:", "amounts"),
    ("resources", "cores:0", "amounts"),
    ("resources", "cores:2GB", "amounts"),
    ("resources", "cores:-1", "amounts"),
    ("resources", "memory:4", "amounts"),
    ("resources", "memory:4PB", "amounts"),
    ("resources", "my gpu:1", "amounts"),
    ("resources", 2, "amounts"),
    ("resources", {1: 1}, "amounts"),
    ("resources", {"cores": None}, "amounts"),
    ("cache", "perhaps", "true or false"),
    ("cache", 1, "true or false"),
    ("cache", None, "true or false"),
]


@pytest.mark.parametrize(("option", "value", "takes"), BAD_VALUES, ids=lambda value: str(value)[:20])
def test_value_that_an_option_cannot_have_is_a_finding(option, value, takes):
    (found,) = said([("stage:a", "x = 1", {option: value})])
    assert found.startswith(f"SB104 (1, 1) Option `{option}` takes ")
    assert takes in found
    assert found.endswith("Correct the value.")


@pytest.mark.parametrize("metadata", ["needs=a", ["needs"], 3])
def test_metadata_that_holds_no_options_is_a_finding(metadata):
    (found,) = said([("stage:a", "x = 1", metadata)])
    assert found.startswith("SB104 (1, 1) The metadata `stagebook` holds no options")


@pytest.mark.parametrize("tags", ["setup", "", "test:a"])
def test_option_of_a_cell_that_is_no_stage_has_no_effect(tags):
    (found,) = said([(tags, "x = 1", {"retries": 2})])
    assert found.startswith("SB108 (1, 1) Option `retries` has no effect")


# Kale

KALE = [
    ("imports", "import math"),
    ("functions", "def half(x):\n    return x / 2"),
    ("pipeline-parameters", "depth = 3"),
    ("skip", "%matplotlib inline"),
    ("block:load", "x = depth"),
    ("", "x = math.sqrt(x)"),
    ("skip", "x"),
    ("", "z = x"),
    ("step:train prev:load", "acc = half(z)"),
    ("pipeline-metrics", "print(acc)"),
]


def test_notebook_tagged_for_kale_reads_as_it_is():
    train = "stage train"
    load = "stage load"
    assert roles(KALE) == [
        *("setup", "setup", "parameters", "exploration"),
        *(load, load, "exploration", load, train, "stage pipeline-metrics"),
    ]


def test_notebook_tagged_for_kale_has_no_findings():
    assert findings(KALE) == []


def test_kale_previous_step_is_a_need():
    assert pipeline(KALE).stage("train").options.needs == ("load",)


def test_several_previous_steps_are_several_needs():
    cells = [("step:a", "1"), ("step:b", "1"), ("step:c prev:a prev:b", "1")]
    assert pipeline(cells).stage("c").options.needs == ("a", "b")


@pytest.mark.parametrize(
    ("source", "metrics"),
    [
        ("print(acc)", ("acc",)),
        ("print(acc)\nprint(loss)", ("acc", "loss")),
        ("acc\nloss", ("acc", "loss")),
        ("print('accuracy', acc)", ("acc",)),
        ("print(f'{acc:.2f} and {loss}')", ("acc", "loss")),
        ("print(acc)\nprint(acc)", ("acc",)),
        ("both = acc + loss\nprint(both)", ("both",)),
        ("print(round(acc, 2))", ()),
        ("print('done')", ()),
    ],
)
def test_metrics_are_the_names_that_kales_metrics_cell_prints(source, metrics):
    cells = [("step:train", "acc, loss = 0.9, 0.1"), ("pipeline-metrics", source)]
    assert pipeline(cells).stage("pipeline-metrics").options.metrics == metrics


def test_untagged_cell_after_the_metrics_adds_to_them():
    cells = [("step:train", "acc, loss = 0.9, 0.1"), ("pipeline-metrics", "print(acc)"), ("", "print(loss)")]
    assert pipeline(cells).stage("pipeline-metrics").options.metrics == ("acc", "loss")


def test_metrics_declared_beat_those_that_kales_cell_prints():
    cells = [("step:train", "acc, loss = 0.9, 0.1"), ("pipeline-metrics", "print(acc, loss)", {"metrics": "loss"})]
    assert pipeline(cells).stage("pipeline-metrics").options.metrics == ("loss",)


def test_stage_of_that_name_outside_kale_prints_no_metrics():
    cells = [("stage:train", "acc = 0.9"), ("stage:pipeline-metrics", "print(acc)")]
    assert pipeline(cells).stage("pipeline-metrics").options.metrics == ()


def test_stage_tag_without_its_colon_is_told():
    document = notebook([("", "y = 1")])
    document["cells"][0]["metadata"]["tags"] = ["stage a b"]
    (found,) = read_cells(document)[1]
    assert (found.code, found.remedy) == ("SB108", "Did you mean `stage:a_b`?")


@pytest.mark.parametrize("tag", ["limit:nvidia.com/gpu:2", "image:python:3.11", "label:team:x", "annotation:a:b"])
def test_kales_cluster_tags_have_no_effect_and_say_so(tag):
    (found,) = findings([(f"step:load {tag}", "print(1)")])
    assert (found.code, found.severity) == ("SB108", "warning")
    assert f"`{tag}`" in found.message


def test_kales_tags_beside_ours_are_no_dialect():
    assert roles([("stage:a", "1"), ("step:b", "1"), ("skip", "1")]) == ["stage a", "exploration", "exploration"]


def test_need_of_a_kale_step_that_is_not_there_is_a_finding():
    assert codes([("step:load", "print(1)"), ("step:train prev:laod", "print(2)")]) == ["SB205"]
