"""What answers is what the alias means: at the start, when it moves, and as far as is known when nobody can say."""

from __future__ import annotations

import asyncio
import http.client
import re
import shutil
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.serve.conftest import MATRIX, NAMES
from tests.serve.services import until
from tests.tracking_server import Server

from stagebook.errors import UsageError
from stagebook.serve.backends import loaded
from stagebook.serve.packages import folder_of, package_in
from stagebook.serve.preparing import _prepared, _version
from stagebook.serve.reloading import first
from stagebook.serve.running import Settings, serve
from stagebook.serve.schema import Batch, Column
from stagebook.serve.versions import UnknownError, UnreachableError, find, reference_named, shown_address

SPLIT = {"dataframe_split": {"columns": NAMES, "data": MATRIX}}


def test_the_first_line_says_where_what_with_what_why_and_where_the_log_is(services, registry):
    line = services["linear"].line
    assert line.startswith("Serving models:/linear@champion, version 1, at http://127.0.0.1:")
    assert " with ONNX Runtime, since its answers to 1029 rows are the model's" in line
    assert line.endswith("; no request log.\n")
    assert " with pyfunc, since it is code of its own" in services["code"].line


def test_the_process_that_asks_onnx_runtime_and_logs_loads_neither_mlflow_nor_pandas(serving, tmp_path):
    service = serving("linear", "--log", str(tmp_path / "log"), "--flush", "0.1")
    assert service.score(SPLIT).status == 200
    until(lambda: service.metric('stagebook_logged_requests_total{outcome="written"}') == 1)
    maps = Path(f"/proc/{service.process.pid}/maps").read_text(encoding="utf-8")
    assert "/onnxruntime/" in maps
    assert "/pyarrow/" in maps
    assert "/pandas/" not in maps
    assert "/sklearn/" not in maps


def test_an_alias_moves_and_no_request_fails(serving, registry):
    registry.call("linear", "moving", "1")
    service = serving("linear@moving", "--no-log", "--look", "0.2")
    statuses, versions, stop = [], set(), threading.Event()

    def ask():
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
        while not stop.is_set():
            answer = service.score(SPLIT, connection=connection)
            statuses.append(answer.status)
            versions.add((answer.headers["x-stagebook-model"], answer.body))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: len(statuses) > 20)
    registry.call("linear", "moving", "2")
    until(lambda: {model for model, _ in versions} == {"linear/1", "linear/2"})
    seen = len(statuses)
    until(lambda: len(statuses) > seen + 20)
    stop.set()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200}
    assert len(versions) == 2  # each version says its own, always
    assert service.metric('stagebook_reloads_total{outcome="done"}') == 1
    assert any(event["event"] == "another version answers" for event in service.events())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("linea", "There is no registered model `linea`. Did you mean `linear`?"),
        ("linear@champ", "No version of model `linear` is called @champ. There is: @champion"),
        ("linear/9", "Model `linear` has no version 9"),
        ("a:b", "`a:b` names no model version."),
    ],
)
def test_unknown_names_are_told_with_what_there_is(registry, name, told):
    with pytest.raises(UsageError, match=re.escape(told)):
        _version(registry.uri, reference_named(name))


def test_one_that_is_being_prepared_keeps_nobody_from_stopping(serving, registry):
    registry.call("linear", "halted", "1")
    service = serving("linear@halted", "--no-log", "--look", "0.1")
    assert service.score(SPLIT).status == 200
    shutil.rmtree(folder_of(find(registry.uri, reference_named("linear/2")).key), ignore_errors=True)
    registry.call("linear", "halted", "2")
    until(lambda: any("stagebook.serve.preparing" in " ".join(one.cmdline()) for one in _children(service)))
    began = time.monotonic()
    service.process.terminate()
    assert service.process.wait(timeout=60) == 0
    assert time.monotonic() - began < 3


def _children(service):
    import psutil

    return [one for one in psutil.Process(service.process.pid).children() if one.status() != psutil.STATUS_ZOMBIE]


def test_an_unknown_name_ends_the_command(serving, registry):
    service = serving("linear@champ", "--no-log")
    told = service.ended()
    assert told.startswith("stagebook: No version of model `linear` is called @champ. There is: @champion")
    assert len(told.splitlines()) == 1
    assert service.process.returncode == 2


def test_where_nothing_is_registered_that_is_said_and_no_registry_is_made(serving, tmp_path):
    told = serving("linear", "--no-log", folder=tmp_path).ended()
    assert told.startswith(f"stagebook: There is no registry at {tmp_path}/.stagebook/mlflow.db. Go to the notebook")
    assert not (tmp_path / ".stagebook").exists()


def test_an_address_of_another_machine_is_told(serving):
    service = serving("linear", "--host", "192.0.2.7")
    assert "Name an address of this machine with --host." in service.ended()
    assert service.process.returncode == 2


def test_a_log_that_cannot_be_written_ends_the_command_before_it_serves(serving, tmp_path):
    (tmp_path / "log").touch()
    service = serving("linear", "--log", str(tmp_path / "log"))
    assert service.ended() == f"stagebook: {tmp_path}/log is a file, and is to be a folder.\n"
    assert service.process.returncode == 2


def test_a_port_in_use_is_told(services, serving):
    service = serving("linear", "--port", str(services["linear"].port))
    assert "Name another --port" in service.ended()
    assert service.process.returncode == 2


@pytest.fixture
def server(registry, tmp_path):
    """The registry's file, behind a tracking server."""
    one = Server(tmp_path, store=registry.uri)
    one.start()
    yield one
    one.stop()


def test_a_server_is_asked_over_http_for_what_mlflow_says(server, registry):
    for name in ("linear@champion", "linear/2"):
        found = find(server.url, reference_named(name))
        assert found == _version(server.url, reference_named(name))
        assert found == replace(find(registry.uri, reference_named(name)), registry=server.url)
    for name in ("linear@nobody", "linear/9", "nothing"):
        with pytest.raises(UnknownError):
            find(server.url, reference_named(name))
    server.stop()
    with pytest.raises(UnreachableError):
        find(server.url, reference_named("linear"))


def test_without_its_registry_the_last_good_version_answers_and_is_marked_stale(serving, registry, tmp_path):
    """The command prepares the version, as the cache knows nothing yet; then its registry is gone, and comes back."""
    home = tmp_path / ".stagebook"
    home.mkdir()
    tables = home / "mlflow.db"
    shutil.copy(registry.home / "mlflow.db", tables)
    away = tables.with_suffix(".away")
    words = ("linear@champion", "--no-log", "--look", "0.2")
    variables = {"STAGEBOOK_CACHE": str(tmp_path / "cache")}

    service = serving(*words, folder=tmp_path, **variables)
    assert "version 1" in service.line
    assert "STALE" not in service.line
    assert "x-stagebook-stale" not in service.ask("GET", "/health").headers
    tables.rename(away)
    until(lambda: service.ask("GET", "/health").headers.get("x-stagebook-stale") == "true")
    assert service.metric("stagebook_model_stale") == 1
    assert service.score(SPLIT).status == 200

    again = serving(*words, folder=tmp_path, **variables)
    assert "STALE: " in again.line
    assert again.score(SPLIT).body == service.score(SPLIT).body
    assert any(event["event"] == "the version may be stale" for event in again.events())
    away.rename(tables)
    until(lambda: "x-stagebook-stale" not in again.ask("GET", "/health").headers)
    assert again.metric("stagebook_model_stale") == 0


def test_without_a_registry_and_a_last_good_version_there_is_nothing_to_serve(tmp_path, monkeypatch):
    monkeypatch.setenv("STAGEBOOK_CACHE", str(tmp_path / "empty"))
    with pytest.raises(UnreachableError, match="was not served before on this machine"):
        first(f"sqlite:///{tmp_path}/nothing.db", reference_named("linear"))


HELPED = """
import mlflow.pyfunc, pandas
from mlflow.models import set_model
import helper_of_tests

class Helped(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: pandas.DataFrame, params=None):
        return [helper_of_tests.SAID] * len(model_input)

set_model(Helped())
"""


def test_modules_that_came_with_a_version_are_its_own(registry, tmp_path, monkeypatch):
    """As when an alias moves: the second is loaded beside the first, which goes on."""
    import mlflow.pyfunc
    import pandas as pd
    from mlflow.models import infer_signature

    table = pd.DataFrame({"x": [1.0]})
    code, helper = tmp_path / "model.py", tmp_path / "helper_of_tests.py"
    code.write_text(HELPED)
    monkeypatch.syspath_prepend(tmp_path)
    for variable in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):  # MLflow sets them: they are to be as before
        monkeypatch.setenv(variable, registry.uri)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # else, within a second, the first is imported again
    for said in ("1", "2"):
        helper.write_text(f"SAID = 'version {said}'")
        registry.add(
            "helped",
            lambda: mlflow.pyfunc.log_model(
                name="model",
                python_model=str(code),
                code_paths=[str(helper)],
                signature=infer_signature(table, ["x"]),
                pip_requirements=["mlflow"],
            ),
        )
        del sys.modules["helper_of_tests"]  # the one that was logged: a service has none
    keys = [_prepared(registry.uri, reference_named(f"helped/{number}")) for number in (1, 2)]
    backends = [loaded(package_in(folder_of(key))) for key in keys]
    batch = Batch((Column("x", "double"),), 1, [[1.0]])
    assert [one.predict(batch) for one in (*backends, backends[0])] == [["version 1"], ["version 2"], ["version 1"]]


def test_in_a_kernel_a_service_is_refused(registry):
    async def begin():
        serve(Settings(registry.uri, reference_named("linear"), port=0), print)

    with pytest.raises(UsageError, match="Start it in a terminal"):
        asyncio.run(begin())


def test_a_password_in_the_registrys_address_is_not_told():
    address = "http://me:Zx8k2QwPv7@127.0.0.1:1"
    assert shown_address(address) == "http://127.0.0.1:1"
    with pytest.raises(UnreachableError) as told:
        _version(address, reference_named("linear"))
    assert "Zx8k2QwPv7" not in str(told.value)


def test_a_prepared_version_that_was_tampered_with_is_not_loaded(registry, tmp_path, monkeypatch):
    shutil.copytree(registry.folder / "cache", tmp_path / "cache")
    monkeypatch.setenv("STAGEBOOK_CACHE", str(tmp_path / "cache"))
    folder = folder_of(find(registry.uri, reference_named("forest")).key)
    assert package_in(folder) is not None
    model = next((folder / "model").glob("*.pkl"))
    model.write_bytes(model.read_bytes() + b".")
    assert package_in(folder) is None
    shutil.copytree(registry.folder / "cache", tmp_path / "cache", dirs_exist_ok=True)
    about = folder / "about.json"
    about.write_text(about.read_text(encoding="utf-8").replace('"forest"', '"linear"'), encoding="utf-8")
    assert package_in(folder) is None
