"""The parameters cell: defaults, kinds, comments, and values from a command line."""

import pytest
from tests.notebooks_factory import pipeline

from stagebook.book.parameters import checked
from stagebook.errors import UsageError


def parameters(source):
    return pipeline([("parameters", source), ("stage:a", "print(1)")]).parameters


def parameter(source):
    (found,) = parameters(source)
    return found


def given(source, text):
    """The value of parameter `x` when `text` is given for it."""
    return checked(parameters(source), {"x": text}, notebook="trips.ipynb")["x"]


KINDS = [
    ("x = 1", 1, "int", False),
    ("x = -1", -1, "int", False),
    ("x = 1.5", 1.5, "float", False),
    ("x = True", True, "bool", False),
    ("x = 'a'", "a", "str", False),
    ("x = [1, 2]", [1, 2], "list", False),
    ("x = {'a': 1}", {"a": 1}, "dict", False),
    ("x = (1, 2)", (1, 2), None, False),
    ("x = None", None, None, True),
    ("x: int = 1", 1, "int", False),
    ("x: float = 1", 1, "float", False),
    ("x: 'float' = 1", 1, "float", False),
    ("x: int | None = 1", 1, "int", True),
    ("x: None | int = None", None, "int", True),
    ("x: Optional[int] = None", None, "int", True),
    ("x: typing.Optional[int] = 3", 3, "int", True),
    ("x: Optional[list[int]] = None", None, "list", True),
    ("x: list[int] = []", [], "list", False),
    ("x: List[int] = []", [], "list", False),
    ("x: dict[str, list[int]] = {}", {}, "dict", False),
    ("x: int = None", None, "int", True),
    ("x: int | str = 1", 1, None, False),
    ("x: Literal['a', 'b'] = 'a'", "a", None, False),
    ("x: 'not python(' = 1", 1, None, False),
]


@pytest.mark.parametrize(("source", "value", "kind", "optional"), KINDS)
def test_default_and_kind(source, value, kind, optional):
    found = parameter("from typing import *\nimport typing\n" + source)
    assert (found.name, found.value, found.literal, found.kind, found.optional) == ("x", value, True, kind, optional)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("x = len('abc')", None),
        ("x: int = len('abc')", "int"),
        ("x = {[]: 1}", None),
        ("x = {**{}}", None),
        ("x = f'{1}'", None),
    ],
)
def test_default_that_is_no_literal_is_unknown(source, kind):
    found = parameter(source)
    assert (found.value, found.literal, found.kind) == (None, False, kind)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("a = b = 1", ["a", "b"]),
        ("a = 1; b = 2", ["a", "b"]),
        ("a = 1\na = 2", ["a"]),
        ("a: int", []),
        ("import os\na = 1", ["a"]),
        ("a, b = 1, 2", []),
        ("%matplotlib inline\na = 1", ["a"]),
    ],
)
def test_plain_assignments_are_parameters(source, names):
    assert [one.name for one in parameters(source)] == names


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("x = 1  # tree depth", "tree depth"),
        ("x = 1  #tree depth", "tree depth"),
        ("x: int = 1  ## tree depth #2", "tree depth #2"),
        ("x = '#'  # a sign", "a sign"),
        ("x = [\n    1,  # one\n]  # numbers", "numbers"),
        ("x = 1", ""),
        ("# above\nx = 1", ""),
        ("!ls # files\nx = 1  # depth", "depth"),
    ],
)
def test_comment_behind_a_parameter_is_its_help(source, text):
    assert parameter(source).help == text


def test_place_of_a_parameter_is_its_line():
    assert str(parameter("\n\nx = 1").place) == "cell 1, line 3"


GIVEN = [
    ("x = 1", "8", 8),
    ("x = 1", "-8", -8),
    ("x = 1", " 8 ", 8),
    ("x = 1", "08", 8),
    ("x = 1", "1_000", 1000),
    ("x = 1", 8, 8),
    ("x = 1.0", "8", 8.0),
    ("x = 1.0", "1e-3", 0.001),
    ("x = 1.0", "inf", float("inf")),
    ("x = 1.0", 8, 8.0),
    ("x = True", "false", False),
    ("x = True", "False", False),
    ("x = True", False, False),
    ("x = 'a'", "8", "8"),
    ("x = 'a'", "true", "true"),
    ("x = 'a'", "", ""),
    ("x = 'a'", "it's", "it's"),
    ("x = []", "[1, 'b']", [1, "b"]),
    ("x = {}", "{'a': 1}", {"a": 1}),
    ("x = None", "8", 8),
    ("x = None", "abc", "abc"),
    ("x = None", "none", None),
    ("x: int | None = 3", "none", None),
    ("x: int | None = 3", "4", 4),
    ("x: float = 1", "8", 8.0),
    ("x = len('')", "8", 8),
    ("x = (1, 2)", "(3, 4)", (3, 4)),
]


@pytest.mark.parametrize(("source", "text", "value"), GIVEN)
def test_given_value_is_read_as_its_kind_asks(source, text, value):
    read = given(source, text)
    assert (type(read), read) == (type(value), value)


WRONG = [
    ("x = 1", "deep", "`x` (default 1) takes an int, and 'deep' is none. It stands in cell 1, line 1."),
    ("x = 1", "1.5", "takes an int"),
    ("x = 1", "true", "takes an int"),
    ("x = 1", "none", "takes an int"),
    ("x = 1", True, "takes an int"),
    ("x = 1.0", "much", "(default 1.0) takes a float"),
    ("x = 1.0", False, "takes a float"),
    ("x = True", "1", "takes a bool (true or false)"),
    ("x = True", "perhaps", "takes a bool"),
    ("x = 'a'", 3, "takes a str"),
    ("x = []", "1, 2", "takes a list (written as [1, 2])"),
    ("x = {}", "a=1", 'takes a dict (written as {"a": 1})'),
    ("x: int = len('')", "deep", "Parameter `x` takes an int"),
]


@pytest.mark.parametrize(("source", "text", "words"), WRONG)
def test_value_of_the_wrong_kind_is_refused(source, text, words):
    with pytest.raises(UsageError) as error:
        given(source, text)
    assert words in str(error.value)


def test_unknown_parameter_names_the_closest():
    with pytest.raises(UsageError, match=r"trips\.ipynb has no parameter `dept`\. Did you mean `depth`\?"):
        checked(parameters("depth = 1\nseed = 2"), {"dept": 1}, notebook="trips.ipynb")


def test_unknown_parameter_unlike_any_lists_them():
    with pytest.raises(UsageError, match=r"There is: `depth`, `seed`\."):
        checked(parameters("seed = 2\ndepth = 1"), {"x": 1}, notebook="trips.ipynb")


def test_parameter_of_a_notebook_without_any_says_so():
    with pytest.raises(UsageError, match="no cell tagged `parameters`"):
        checked((), {"x": 1}, notebook="trips.ipynb")
