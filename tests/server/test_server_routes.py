"""Who may ask, of which notebooks, and what is said to those who may not, or ask wrongly."""

from __future__ import annotations

import http.cookies
import os

import pytest
from tests.notebooks_factory import notebook, written
from tests.server.jupyter import TOKEN

from stagebook.lab.places import notebook_at
from stagebook.lab.refusals import RefusedError

JOB = "20261130-101526-020f93"
GETS = [
    "runs",
    f"runs/{JOB}",
    f"runs/{JOB}/notebook",
    f"runs/{JOB}/page",
    "compare",
    "jobs",
    f"jobs/{JOB}/events",
    "values",
    "figures",
    "monitors",
    "exporters",
]
POSTS = ["analyse", "suggest", "jobs", "exporters/none/preview", "exporters/none/files"]
ALL = [
    *(("GET", route) for route in GETS),
    *(("POST", route) for route in POSTS),
    ("DELETE", f"jobs/{JOB}"),
]
LEAVING = ["../out.ipynb", "a/../../out.ipynb", "/etc/out.ipynb", "link.ipynb", "linked/out.ipynb"]
ABOUT_A_NOTEBOOK = [one for one in ALL if one[1] != "exporters"]


def asked(server, method, route, path, **headers):
    """What is answered to a request that is in order but for its path, or its headers."""
    query = {"path": path, "stage": "load", "run": [JOB, JOB] if route == "compare" else JOB}
    body = {"path": path}
    body |= {"notebook": notebook([])} if route in ("analyse", "suggest") else {}
    body |= {"verb": "run"} if route == "jobs" else {}
    given = {"Authorization": f"token {TOKEN}"} | headers
    body |= {"folder": "out"} if route.endswith("/files") else {}
    if method == "POST":
        return server.ask(method, route, body, headers=given)
    return server.ask(method, route, headers=given, **query)


@pytest.mark.parametrize(("method", "route"), ALL)
class TestWhoMayAsk:
    def test_nobody_without_a_token(self, server, method, route):
        assert asked(server, method, route, "notebook.ipynb", Authorization="").status == 403

    def test_nobody_with_a_wrong_token(self, server, method, route):
        assert asked(server, method, route, "notebook.ipynb", Authorization="token 123").status == 403

    def test_no_page_of_another_origin(self, server, cookies, method, route):
        headers = {"Authorization": "", "Cookie": cookies["all"], "X-XSRFToken": cookies["xsrf"]}
        assert asked(server, method, route, "notebook.ipynb", Origin="http://evil.example", **headers).status in (
            403,
            404,
        )


@pytest.mark.parametrize(("method", "route"), [one for one in ALL if one[0] != "GET"])
def test_who_comes_with_a_cookie_needs_the_xsrf_token(server, cookies, method, route):
    headers = {"Authorization": "", "Cookie": cookies["all"]}
    answer = asked(server, method, route, "notebook.ipynb", **headers)
    assert answer.status == 403
    assert "_xsrf" in answer.facts["message"]
    assert asked(server, method, route, "no.ipynb", **headers, **{"X-XSRFToken": cookies["xsrf"]}).status != 403


@pytest.fixture(scope="module")
def cookies(server):
    """Those that a browser has, once somebody has logged in."""
    found = http.cookies.SimpleCookie()
    logged_in = server.ask("GET", "exporters", headers={}, token=TOKEN)
    for line in logged_in.cookies:
        found.load(line)
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in found.items())
    for line in server.ask("GET", "/login", headers={"Cookie": cookie}, next="/nowhere").cookies:
        found.load(line)
    names = {name: morsel.value for name, morsel in found.items()}
    assert any(name.startswith("username-") for name in names)
    assert "_xsrf" in names
    return {"all": "; ".join(f"{name}={value}" for name, value in names.items()), "xsrf": names["_xsrf"]}


@pytest.mark.parametrize(("method", "route"), ABOUT_A_NOTEBOOK)
class TestPathsAreConfined:
    @pytest.mark.parametrize(
        "path", ["../out.ipynb", "a/../../out.ipynb", "/etc/out.ipynb", "link.ipynb", "linked/out.ipynb"]
    )
    def test_to_the_root_directory(self, server, outside, method, route, path):
        assert outside.exists()
        answer = asked(server, method, route, path)
        assert answer.status == 403
        assert "root directory" in answer.facts["message"]

    @pytest.mark.parametrize("path", [".hidden/in.ipynb", "no.ipynb/in.ipynb", "folder.ipynb"])
    def test_to_what_is_there_and_shown(self, server, outside, method, route, path):
        assert asked(server, method, route, path).status == 404

    @pytest.mark.parametrize("path", ["plain.txt", "a\0b.ipynb", ""])
    def test_to_notebooks(self, server, outside, method, route, path):
        assert asked(server, method, route, path).status in (
            400,
            404,
        )  # Tornado makes a blank of a null byte


@pytest.fixture(scope="module")
def outside(server, tmp_path_factory):
    """A notebook out of the root directory, which links lead to."""
    folder = tmp_path_factory.mktemp("outside")
    file = written(folder, [("stage:a", "x = 1")], "out.ipynb")
    (server.root / "link.ipynb").symlink_to(file)
    (server.root / "linked").symlink_to(folder)
    for name in (".hidden", "folder.ipynb"):
        (server.root / name).mkdir()
    written(server.root / ".hidden", [("stage:a", "x = 1")], "in.ipynb")
    (server.root / "plain.txt").write_text("{}")
    (server.root.parent / "out.ipynb").write_bytes(file.read_bytes())
    return file


def test_a_link_within_the_root_directory_is_followed(tmp_path):
    file = written(tmp_path, [])
    (tmp_path / "again.ipynb").symlink_to(file)
    assert notebook_at(tmp_path, "again.ipynb") == file.resolve()


def test_links_in_a_circle_and_long_names_are_not_there(tmp_path):
    (tmp_path / "a.ipynb").symlink_to(tmp_path / "b.ipynb")
    (tmp_path / "b.ipynb").symlink_to(tmp_path / "a.ipynb")
    for path in ("a.ipynb", f"{'x' * 300}.ipynb"):
        with pytest.raises(RefusedError) as refused:
            notebook_at(tmp_path, path)
        assert refused.value.status == 404


def test_hidden_notebooks_are_found_where_the_server_shows_them(tmp_path):
    (tmp_path / ".hidden").mkdir()
    file = written(tmp_path / ".hidden", [])
    assert notebook_at(tmp_path, f".hidden/{file.name}", hidden=True) == file.resolve()


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"{", 400, "no JSON"),
        (b'{"path": "n.ipynb", "notebook": NaN}', 400, "no JSON"),
        (b"\xff", 400, "no JSON"),
        (b"[" * 100_000, 400, "no JSON"),
        ([], 400, "AnalyseAsked"),
        ({"path": "n.ipynb"}, 400, "'notebook' is a required property"),
        ({"path": "n.ipynb", "notebook": {"nbformat": 4, "cells": [1]}}, 400, "notebook.cells.0"),
        ({"path": "n.ipynb", "notebook": {"nbformat": 4, "cells": [{}]}}, 400, "damaged"),
        ({"path": "n.ipynb", "notebook": {"nbformat": 2, "cells": []}}, 400, "nbformat 2"),
        (b" " * 16_000_001, 413, "Leave the outputs of cells out."),
    ],
)
def test_a_body_that_is_not_in_order_is_refused_in_plain_words(server, body, status, told):
    answer = server.ask("POST", "analyse", body)
    assert answer.status == status
    assert told in answer.facts["message"]
    assert "Traceback" not in answer.facts["message"]


def test_a_run_that_is_no_id_is_no_path(server, ran):
    for run in ("..%2F..%2Fetc", "last", os.curdir):
        assert server.ask("GET", f"runs/{run}", path=ran.path).status in (400, 404)
    assert server.ask("GET", "values", path=ran.path, stage="load", run="../x").status == 400
    assert server.ask("GET", "compare", path=ran.path, run=["last~1", "last"]).status == 400


def test_what_is_not_known_is_not_found(server, ran):
    for method, route in (("GET", f"runs/{JOB}"), ("GET", f"jobs/{JOB}/events"), ("DELETE", f"jobs/{JOB}")):
        answer = server.ask(method, route, path=ran.path)
        assert answer.status == 404
        assert JOB in answer.facts["message"]
    for route, body in (("preview", {}), ("files", {"folder": "out"})):
        answer = server.ask("POST", f"exporters/airflow/{route}", {"path": ran.path, **body})
        assert (answer.status, "airflow" in answer.facts["message"]) == (404, True)


def test_a_notebook_that_cannot_run_is_told_with_its_findings(server):
    written(server.root, [("stage:a", "print(nowhere)")], "wrong.ipynb")
    answer = server.ask("POST", "jobs", {"path": "wrong.ipynb", "verb": "run"})
    assert answer.status == 400
    assert "SB201: `nowhere` is read here" in answer.facts["message"]
