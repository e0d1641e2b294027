"""Which parameters are secret, and what is shown of them."""

import json

import pytest
from tests.notebooks_factory import findings, pipeline

from stagebook.book.compare import compare_pipelines
from stagebook.book.draw import draw
from stagebook.book.parameters import checked
from stagebook.book.secrets import MASK, is_secret_name, shown_values, texts_of
from stagebook.errors import UsageError

SECRET = """
password passwd passphrase pwd db_password DB_PASSWORD password2 password_2 admin_passwords secret client_secret
secret_key secrets token hf_token github_token token_github accessToken api_token apikey api_key apiKey openai_api_key
api_key_openai api_keys access_key aws_secret_access_key private_key credential credentials gcp_credentials
encryption_key signing_key
"""
OPEN = """
tokens max_tokens n_tokens tokenizer tokenize max_token num_token token_count token_limit token_pattern token_length
pad_token eos_token eos_token_id mask_token stop_token password_length min_password_length password_file secret_name
secretary key keys primary_key sort_key monkey_key passwords_file compass author depth bypass
"""


@pytest.mark.parametrize("name", SECRET.split())
def test_secret_by_name(name):
    assert is_secret_name(name)


@pytest.mark.parametrize("name", OPEN.split())
def test_not_secret_by_name(name):
    assert not is_secret_name(name)


IMPORTS = "import stagebook\nfrom typing import *\nfrom stagebook import Secret\n"


def parameters(source):
    return pipeline([("parameters", source), ("stage:a", "print(1)")]).parameters


@pytest.mark.parametrize(
    ("source", "kind", "optional"),
    [
        ("x: Secret = ''", "str", False),
        ("x: 'Secret' = ''", "str", False),
        ("x: stagebook.Secret = ''", "str", False),
        ("x: Secret | None = None", "str", True),
        ("x: 'Secret | None' = None", "str", True),
        ("x: Optional[Secret] = None", "str", True),
        ("x: list[Secret] = []", "list", False),
        ("x: dict[str, 'Secret'] = {}", "dict", False),
    ],
)
def test_secret_by_annotation(source, kind, optional):
    (found,) = parameters(source if source.startswith("x: 'Secret") else f"{IMPORTS}{source}")
    assert (found.secret, found.kind, found.optional) == (True, kind, optional)


@pytest.mark.parametrize("source", ["x: str = ''", "x: SecretSanta = ''", "x = 'Secret'", "x: Literal['a'] = 'a'"])
def test_other_annotations_make_no_secret(source):
    (found,) = parameters(f"{IMPORTS}class SecretSanta: pass\n{source}")
    assert not found.secret


@pytest.mark.parametrize("source", ["token = None", "token = ''", "token: 'Secret | None' = None"])
@pytest.mark.parametrize("text", ["12345678", "true", "none", "[1]"])
def test_text_given_for_a_secret_is_the_secret(source, text):
    assert checked(parameters(source), {"token": text}, notebook="n.ipynb") == {"token": text}


def test_values_are_shown_as_masks_unless_they_are_empty():
    found = parameters("token = 'abc'\nsecret = ''\napi_key = input()\npassword = None\ndepth = 2")
    shown = {"token": MASK, "secret": "", "api_key": MASK, "password": None, "depth": 2}
    assert shown_values(found, {}) == shown
    assert shown_values(found, {"secret": "x", "password": "y"}) == {**shown, "secret": MASK, "password": MASK}


def test_a_secret_of_the_wrong_kind_is_not_quoted():
    with pytest.raises(UsageError, match=r"`token` takes an int, .*type str, is none. It stands in cell 1") as error:
        checked(parameters("token: int = 4711"), {"token": "hunter"}, notebook="n.ipynb")
    assert "hunter" not in str(error.value)
    assert "4711" not in str(error.value)


def test_a_mask_is_no_value():
    with pytest.raises(UsageError, match=r"a mask in place of `token`.* --secret token"):
        checked(parameters("token = ''"), {"token": MASK}, notebook="n.ipynb")


def test_texts_of_what_is_made_of_several():
    assert sorted(texts_of({"user": "me", "keys": ["a", ("b",)], "pin": 1234, "on": True})) == ["1234", "a", "b", "me"]


def test_default_in_the_notebook_is_a_finding():
    cells = [("parameters", "token = 'abc'\nsecret = ''\npassword = None\nx = 1"), ("stage:a", "print(x)")]
    found = [one for one in findings(cells) if one.code == "SB303"]
    assert [(str(one.place), "`token`" in one.message) for one in found] == [("cell 1, line 1", True)]
    assert "abc" not in found[0].message + found[0].remedy


def test_pictures_show_no_default():
    told = json.loads(draw(pipeline([("parameters", "token = 'abc'"), ("stage:a", "print(token)")]), "json"))
    assert told["parameters"] == [{"name": "token", "value": MASK, "kind": "str"}]


def test_notebooks_whose_secrets_differ_are_told_to_differ_without_them():
    one, other, none = (
        pipeline([("parameters", source), ("stage:a", "print(1)")])
        for source in ("token = 'abc'\nx = 1", "token = 'def'\nx = 1", "x = 1")
    )
    (found,) = compare_pipelines(one, other).parameters
    assert (found.name, found.before, found.now) == ("token", MASK, f"{MASK} (another)")
    (found,) = compare_pipelines(none, one).parameters
    assert (found.name, found.before, found.now) == ("token", None, MASK)
    (found,) = compare_pipelines(one, none).parameters
    assert (found.name, found.before, found.now) == ("token", MASK, None)
