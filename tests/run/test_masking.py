"""Masks in what cells put out, and in cells that set parameters."""

import json

import pytest
from notebooks_factory import pipeline
from secrecy import ODD, PLAIN, leaks

from stagebook.book.secrets import MASK
from stagebook.run.job import CellRecord, Failure, StageResult
from stagebook.run.masking import Veil, mask_parameters, masked_source

KEY = "-----BEGIN KEY-----\nAAAAbbbbCCCC\nDDDDeeeeFFFF\n-----END KEY-----\n"


def put_out(*outputs, **more):
    return StageResult("a", "failed", cells=(CellRecord("", list(outputs), 1, "", 0.0),), **more)


def test_texts_of_all_outputs_are_masked():
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": f"the token is {PLAIN}, {PLAIN}\n"},
        {"output_type": "error", "ename": "ValueError", "evalue": PLAIN, "traceback": [f"\x1b[31m{PLAIN!r}\x1b[0m"]},
        {"output_type": "display_data", "metadata": {"a": PLAIN}, "data": {"text/html": [f"<b>{PLAIN}", "</b>"]}},
        {"output_type": "display_data", "metadata": {}, "data": {"application/json": {PLAIN: [1, PLAIN]}}},
        {"output_type": "display_data", "metadata": {}, "data": {"image/svg+xml": f"<svg>{PLAIN}</svg>"}},
    ]
    inner = [{"output_type": "stream", "name": "stdout", "text": PLAIN}]
    widgets = {"x": {"model_name": "OutputModel", "state": {"_view_name": "V", "label": PLAIN, "outputs": inner}}}
    result = Veil([PLAIN]).result(put_out(*outputs, decided=PLAIN, failure=Failure("E", PLAIN), widgets=widgets))
    assert not leaks(repr(result).encode())
    assert result.cells[0].outputs[0]["text"] == f"the token is {MASK}, {MASK}\n"
    assert outputs[0]["text"].startswith("the token is Z")  # what was given is left as it was


@pytest.mark.parametrize(
    "secret", ["stream", "stdout", "output_type", "text/html", "metadata", "OutputModel", "outputs"]
)
def test_a_secret_that_is_a_word_of_the_format_spoils_no_notebook(secret):
    stream = {"output_type": "stream", "name": "stdout", "text": f"-{secret}-"}
    data = {"output_type": "display_data", "metadata": {}, "data": {"text/html": secret}}
    state = {"_model_name": "OutputModel", "layout": "IPY_MODEL_1", "outputs": [stream]}
    widgets = {"x": {"model_name": "OutputModel", "state": state}}
    result = Veil([secret]).result(put_out(stream, data, widgets=widgets))
    shown = {**stream, "text": f"-{MASK}-"}
    assert result.cells[0].outputs == [shown, {**data, "data": {"text/html": MASK}}]
    assert result.widgets == {"x": {"model_name": "OutputModel", "state": {**state, "outputs": [shown]}}}


def test_pictures_are_left_whole():
    picture = {"output_type": "display_data", "metadata": {}, "data": {"image/png": f"iVBO{PLAIN}"}}
    assert Veil([PLAIN]).result(put_out(picture)).cells[0].outputs == [picture]


@pytest.mark.parametrize(
    ("secret", "text", "shown"),
    [
        ("abcdef", "abcdefg", f"{MASK}g"),
        ("abcde", "abcdefg", "abcdefg"),
        ("  abcdef\n", "<abcdef>", f"<{MASK}>"),
        ("abcdef", "ABCDEF", "ABCDEF"),
        ("12345678", "at 12345678", f"at {MASK}"),
    ],
)
def test_what_is_long_enough_is_found_anywhere(secret, text, shown):
    assert Veil([secret]).text(text) == shown


def test_numbers_are_masked_as_a_whole():
    assert Veil(["12345678"]).plain({"pin": 12345678, "other": 1234, "on": True}) == {
        "pin": MASK,
        "other": 1234,
        "on": True,
    }


def test_the_longer_of_two_secrets_is_masked_as_one():
    assert Veil(["abcdef", "abcdefgh"]).text("abcdefgh abcdef") == f"{MASK} {MASK}"


def test_a_secret_of_several_lines_is_found_line_by_line():
    shown = Veil([KEY]).text("".join(f"    {line}\n" for line in KEY.splitlines()))
    assert shown.split() == [MASK] * 4


def test_other_ways_of_writing_it_are_found():
    for form in (ODD, repr(ODD), json.dumps(ODD), json.dumps({"a": [ODD]}, ensure_ascii=False)):
        assert MASK in Veil([ODD]).text(form)
        assert not leaks(Veil([ODD]).text(form).encode())


def test_files_that_were_looked_for_in_vain_are_forgotten_where_their_names_hold_a_secret():
    files = {f"<b>{PLAIN}</b>": None, "missing.csv": None, "data.csv": "digest", f"{PLAIN}.csv": "digest"}
    kept = {"missing.csv": None, "data.csv": "digest", f"{PLAIN}.csv": "digest"}
    assert Veil([PLAIN]).result(put_out(files=files)).files == kept


def test_without_secrets_nothing_is_touched():
    result = put_out({"output_type": "stream", "name": "stdout", "text": "x"})
    assert Veil([]).result(result) is result


def test_cell_that_sets_parameters():
    source = '# Parameters\ndepth = 8\ntoken = "abc"\nkeys = [\n    "a",\n    "b",\n]\nempty = ""\n'
    shown = f'# Parameters\ndepth = 8\ntoken = "{MASK}"\nkeys = "{MASK}"\nempty = ""'
    assert masked_source(source, frozenset({"token", "keys", "empty", "other"})) == shown


def test_what_papermill_was_given_is_left_as_it_is():
    given = {"token": "abc", "depth": 8}
    cell = {"cell_type": "code", "metadata": {"tags": ["injected-parameters"]}, "source": "token = 'abc'\ndepth = 8"}
    node = {"metadata": {"papermill": {"parameters": given}}, "cells": [cell]}
    mask_parameters(node, pipeline([("parameters", "token = ''\ndepth = 1"), ("stage:a", "print(1)")]).parameters)
    assert given == {"token": "abc", "depth": 8}
    assert node["metadata"]["papermill"]["parameters"] == {"token": MASK, "depth": 8}
    assert cell["source"] == f'token = "{MASK}"\ndepth = 8'


def test_cell_that_is_no_python_is_not_shown():
    assert "abc" not in masked_source('token = = "abc"', frozenset({"token"}))
