"""Secret parameters reach the code, and nothing else: every byte that is written anywhere is searched for them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
import pytest
from notebooks_factory import notebook, written
from platformdirs import user_cache_path
from recording import record_in_this_process
from secrecy import ODD, PLAIN, leaking_files, leaks

from stagebook.book.secrets import MASK
from stagebook.events import Notice, event_to_json
from stagebook.progress import progress_for
from stagebook.run.api import run_notebook
from stagebook.run.identity import stage_parts
from stagebook.run.plan import Planner
from stagebook.run.sweep import Objective
from stagebook.run.sweeping import SweepRequest, sweep_notebook
from stagebook.store.blobs import Store

GIVEN = {"api_token": PLAIN, "note": ODD}
PARAMETERS = (
    "parameters",
    "from stagebook import Secret\napi_token = ''\nnote: Secret | None = None\ndepth: int = 2",
)
SETUP = (
    "setup",
    "import hashlib, html, os, sys\nfrom IPython.display import HTML, JSON, display\n\n"
    "class Client:\n    def __init__(self, key):\n        self.key = key\n\n"
    "client = Client(api_token)\nos.environ['API_NOTE'] = note or ''",
)
SHOWN = """%%stage show metrics=size
import ipywidgets
print('it is', api_token, end='')
print(note, file=sys.stderr)
print(f'{note!r}', [note], {'a': note})
display(HTML(f'<i title="{html.escape(note)}">{html.escape(note, quote=False)}</i>'))
display(JSON({'key': [note, api_token]}))
display(ipywidgets.Text(value=note))
size = len(note) + depth
client.__dict__"""
DIGEST = "print(hashlib.sha256((api_token + (note or '')).encode()).hexdigest())"
CELLS = [
    PARAMETERS,
    SETUP,
    ("", SHOWN),
    ("stage:right", DIGEST),
    ("", "%%stage wrong retries=1\nraise ValueError(f'{api_token} and {note!r} are wrong')"),
    ("", "%%stage skipped when=\"len(api_token) > 50 or note == ''\"\nprint(1)"),
    ("stage:define", "def call():\n    return len(api_token)\nnumbers = [1, 2]"),
    ("stage:use", "print(call())"),
    ("", '%%stage each foreach="n in numbers"\nprint(n, note)\nassert n == 1, api_token'),
]


@pytest.fixture
def place(monkeypatch):
    """A folder with all that is written in it: the notebook's folder, a home, temporary files; paths are short."""
    tables = list(user_cache_path("stagebook", appauthor=False).glob("mlflow-*.db"))
    with tempfile.TemporaryDirectory(prefix="sb-") as root:
        folders = {name: Path(root, name) for name in ("work", "home", "tmp")}
        for folder in folders.values():
            folder.mkdir()
        home = folders["home"]
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.setenv("TMPDIR", str(folders["tmp"]))
        monkeypatch.setattr(tempfile, "tempdir", None)
        for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
            monkeypatch.setenv(name, str(home / name.lower()))
        for file in tables:  # MLflow takes seconds to make them
            shutil.copy(file, user_cache_path("stagebook", appauthor=False, ensure_exists=True))
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        monkeypatch.chdir(folders["work"])
        yield Path(root)


@pytest.fixture
def run(place, capfd, monkeypatch):
    """Run cells in this process, recorded in MLflow; whatever is written or said must hold no secret."""
    record_in_this_process(monkeypatch)

    def start(cells, **options):
        events = []
        progress = progress_for(sys.stdout, as_json=False)
        done = run_notebook(written(place / "work", cells), listeners=(events.append, progress), **options)
        progress.close()
        said = capfd.readouterr()
        assert not leaks("".join(json.dumps(event_to_json(one), default=repr) for one in events).encode())
        assert not leaks(said.out.encode())
        assert not leaks(said.err.encode())
        assert not leaks(repr(done).encode())
        assert leaking_files(place) == []
        return done, events

    return start


def texts(path, tag=None):
    """What the code cells put out as text; with a tag, the sources of cells that have it."""
    node = nbformat.read(path, as_version=4)
    nbformat.validate(node)
    if tag:
        return [cell.source for cell in node.cells if tag in cell.metadata.get("tags", [])]
    return [
        "".join(out.get("text", "") or out.get("evalue", "") for out in cell.outputs)
        for cell in node.cells
        if cell.cell_type == "code"
    ]


def by_stage(run):
    return {stage.stage: stage for stage in run.stages}


def right(api_token=PLAIN, note=ODD):
    return hashlib.sha256((api_token + note).encode()).hexdigest()


def test_a_run_that_shows_its_secrets_leaves_none_of_them(run, place):
    done, events = run(CELLS, parameters={**GIVEN, "depth": 3})
    stages = by_stage(done)
    shown = texts(done.output)
    assert {name: stage.state for name, stage in stages.items()} == {
        **dict.fromkeys(["show", "right", "define", "use"], "done"),
        **dict.fromkeys(["wrong", "each"], "failed"),
        "skipped": "skipped",
    }
    assert done.metrics == {"size": len(ODD) + 3}
    assert right() in shown[4]
    assert f"it is {MASK}" in shown[3]
    assert stages["wrong"].reason == f"cell 5, line 2: ValueError: {MASK} and '{MASK}' are wrong"
    assert stages["skipped"].reason.endswith(f"is false (api_token = {MASK}, note = {MASK})")
    assert f"1 {MASK}" in shown[-1]
    assert "10" in shown[8]
    assert MASK in next(one.message for one in events if isinstance(one, Notice) and "try 2 of 2" in one.message)
    told = json.loads((done.folder / "run.json").read_text())
    assert told["parameters"] == {"api_token": MASK, "note": MASK, "depth": 3}
    assert texts(done.output, "injected-parameters") == [
        f'# Parameters\napi_token = "{MASK}"\nnote = "{MASK}"\ndepth = 3'
    ]
    assert json.loads(done.output.read_text())["metadata"]["papermill"]["parameters"]["api_token"] == MASK
    database = (place / "work" / ".stagebook" / "mlflow.db").read_bytes()
    assert MASK.encode() in database


def test_the_same_secret_reuses_and_another_runs_what_reads_it(run, place):
    cells = [PARAMETERS, SETUP, ("stage:right", DIGEST), ("stage:other", "print(depth)")]
    first, _ = run(cells, parameters=GIVEN)
    again, _ = run(cells, parameters=GIVEN)
    assert [stage.state for stage in again.stages] == ["reused", "reused"]
    assert right() in texts(again.output)[3]
    other, _ = run(cells, parameters={**GIVEN, "api_token": f"{PLAIN}-new"})
    stages = by_stage(other)
    assert stages["right"].state == "done"
    assert stages["right"].reason == f"parameter `api_token` changed since run {first.id}"
    assert right(f"{PLAIN}-new") in texts(other.output)[3]
    assert len(list((place / "work" / ".stagebook" / "records" / "results").iterdir())) == len(
        {stage.fingerprint for stage in (*again.stages, *other.stages)}
    )


def test_fingerprints_are_made_with_the_users_key(place, monkeypatch):
    path = written(place / "work", [PARAMETERS, SETUP, ("stage:right", DIGEST)])
    found = []
    for key in ("one", "two"):
        monkeypatch.setenv("STAGEBOOK_KEY_FILE", str(place / key))
        planner = Planner(_pipeline(path), GIVEN, Store.at(place / "store"))
        found.append(stage_parts(planner.pipeline, GIVEN, planner.imports)["right"])
    one, two = found
    assert {part for part in one if one[part] != two[part]} == {"parameter:api_token", "parameter:note"}


def _pipeline(path):
    from stagebook.book.pipeline import load_pipeline

    return load_pipeline(path)


def test_no_digest_of_the_injected_cell_tells_the_secret(run, place):
    cells = [PARAMETERS, SETUP, ("stage:right", DIGEST)]
    done, _ = run(cells, parameters=GIVEN)
    other, _ = run(cells, parameters={"api_token": "another one", "note": "and this"})
    codes = [
        [cell["code"] for cell in json.loads(blob.read_bytes())["cells"]]
        for blob in (place / "work" / ".stagebook" / "blobs").rglob("*")
        if blob.is_file() and blob.read_bytes().startswith(b'{"cells"')
    ]
    assert len(codes) == 2
    assert codes[0] == codes[1]
    assert done.stages[0].fingerprint != other.stages[0].fingerprint


def test_a_secret_that_the_parameters_cell_reads_is_masked_too(run, monkeypatch):
    monkeypatch.setenv("THE_TOKEN", PLAIN)
    cells = [("parameters", "import os\ntoken = os.environ['THE_TOKEN']"), ("stage:a", "print(token)")]
    done, _ = run(cells)
    assert MASK in texts(done.output)[1]
    assert done.parameters == {"token": MASK}
    failing = [cells[0], ("setup", "assert not token, token"), ("stage:a", "print(token)")]
    done, _ = run(failing)
    assert by_stage(done)["a"].reason == f"cell 2, line 1: AssertionError: {MASK}"


def test_a_secret_made_of_several_is_masked_in_its_parts(run):
    cells = [("parameters", "credentials = {}"), ("stage:a", "print(credentials['key'], credentials['user'])")]
    done, _ = run(cells, parameters={"credentials": {"key": PLAIN, "user": "me"}})
    assert texts(done.output)[2] == f"{MASK} me\n"


def test_kernels_of_other_names_leave_no_history(place, monkeypatch):
    monkeypatch.setattr("stagebook.run.warm.pools.Pools.of", lambda *_: None)  # an ordinary kernel, then
    monkeypatch.setenv("JUPYTER_PATH", str(place / "home"))
    folder = place / "home" / "kernels" / "other"
    folder.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Other", "language": "python"}))
    document = notebook([PARAMETERS, SETUP, ("stage:right", DIGEST)])
    document["metadata"]["kernelspec"]["name"] = "other"
    path = place / "work" / "notebook.ipynb"
    path.write_text(json.dumps(document))
    done = run_notebook(path, parameters=GIVEN, track=False)
    assert right() in texts(done.output)[3]
    assert len(list(place.rglob("history.sqlite"))) == 1  # IPython makes it as it starts
    assert leaking_files(place) == []


def test_sweeps_leave_no_secret(place, capfd, monkeypatch):
    record_in_this_process(monkeypatch)
    cells = [PARAMETERS, SETUP, ("", "%%stage a metrics=auc\nauc = depth\nprint(note, hash(api_token))")]
    path = written(place / "work", cells)
    given = (("depth", "1,2"), *GIVEN.items())
    events = []
    best = Objective("auc", "maximize")
    for trials in (None, 2):
        request = SweepRequest(path, given, objective=best, trials=trials)
        done = sweep_notebook(request, listeners=(events.append,))
        assert (done.state, len(done.points), done.secrets) == ("done", 2, ("api_token", "note"))
    changed = (("depth", "1,2"), ("api_token", "another one"))
    assert sweep_notebook(SweepRequest(path, (*changed, ("note", ODD)), objective=best)).folder.name != done.folder.name
    said = capfd.readouterr()
    assert not leaks((said.out + said.err + json.dumps([event_to_json(one) for one in events], default=repr)).encode())
    assert leaking_files(place) == []
    asked = SweepRequest(path, (("api_token", "x"), ("api_token", "y")))
    with pytest.raises(Exception, match=r"`api_token` is given twice"):
        sweep_notebook(asked)


def command(name, *words, place, **variables):
    """A command's end; what it says holds no secret, nor does what it writes."""
    program = str(Path(sys.executable).with_name(name))
    environment = {**os.environ, "CI": "1", **variables}
    options = {"env": environment, "stdin": subprocess.DEVNULL, "capture_output": True, "check": False}
    done = subprocess.run([program, *words], cwd=place / "work", **options)
    assert not leaks(done.stdout + done.stderr)
    assert leaking_files(place) == []
    done.said = done.stdout.decode() + done.stderr.decode()
    return done


def test_commands_tell_no_secret(place):
    path = written(
        place / "work", [*CELLS[:2], ("stage:right", DIGEST), ("stage:wrong", "raise ValueError(note, depth)")]
    )
    given = ("--secret", "api_token", "-p", "note", ODD)

    def stagebook(*words, **variables):
        return command("stagebook", *words, place=place, **variables)

    assert stagebook("check", path.name).returncode == 0
    assert stagebook("run", path.name, *given, "--json", "--no-track", API_TOKEN=PLAIN).returncode == 1
    run = stagebook("run", path.name, *given, "--no-track", "--profile", API_TOKEN=f"{PLAIN}2")
    assert "right: runs (parameter `api_token` changed since run" in run.said
    assert f"ValueError: ('{MASK}', 2)" in run.said
    plan = stagebook("plan", path.name, *given, "--format", "json", API_TOKEN=PLAIN)
    assert "parameter:api_token" not in plan.said  # that result is still there
    status = stagebook("status", path.name, *given, API_TOKEN=f"{PLAIN}3")
    assert f"api_token = '{MASK}'" in status.said
    assert "stagebook run notebook.ipynb --secret note --secret api_token" in status.said
    assert stagebook("runs", path.name, "--format", "json").said.count('"api_token"') == 2
    assert stagebook("diff", "last~1", "last").returncode == 0  # that a secret was another one is not kept
    sweep = stagebook("sweep", path.name, "-p", "depth", "1,2", *given, "--no-track", API_TOKEN=PLAIN)
    assert sweep.returncode == 1


def test_wrong_uses_of_secrets_are_told_without_them(place):
    path = written(place / "work", [("parameters", "token: int = 1\ndepth = 2"), ("stage:a", "print(token, depth)")])

    def said(*words, **variables):
        done = command("stagebook", "plan", path.name, *words, place=place, **variables)
        assert done.returncode == 2
        return done.said

    assert "takes the environment variable TOKEN, which is not set" in said("--secret", "token")
    assert "`token` takes an int, and what is given" in said("--secret", "token", TOKEN=PLAIN)
    assert "`token` takes an int, and what is given" in said("-p", "token", PLAIN)
    assert "`token` is given twice" in said("--secret", "token", "-p", "token", PLAIN, TOKEN="1")
    assert "`depth` is not secret" in said("--secret", "depth", DEPTH=PLAIN)
    assert "no parameter `tokens`" in said("--secret", "tokens", TOKENS=PLAIN)


def test_a_terminal_is_asked_and_does_not_show_the_answer(place):
    pty = pytest.importorskip("pty", exc_type=ImportError)
    path = written(place / "work", [("parameters", "token = ''"), ("stage:a", "print(token)")])
    program = str(Path(sys.executable).with_name("stagebook"))
    process, terminal = pty.fork()
    if not process:
        os.execv(program, [program, "plan", str(path), "--secret", "token"])
    said = b""
    while b"token: " not in said:
        said += os.read(terminal, 1024)
    os.write(terminal, f"{PLAIN}\n".encode())
    while b"1 stage to run" not in said:
        said += os.read(terminal, 1024)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) in (0, -1)  # it is hung up on as it ends
    assert not leaks(said)


def test_papermill_writes_no_secret(place):
    document = notebook(CELLS)
    (place / "work" / "notebook.ipynb").write_text(json.dumps(document))
    given = ("-p", "api_token", PLAIN, "-r", "note", ODD, "--engine", "stagebook")
    done = command("papermill", "notebook.ipynb", "out.ipynb", *given, place=place)
    assert done.returncode == 1
    assert f"ValueError: {MASK} and " in done.said
    assert right() in "".join(texts(place / "work" / "out.ipynb"))
    (source,) = texts(place / "work" / "out.ipynb", "injected-parameters")
    assert source.splitlines() == ["# Parameters", f'api_token = "{MASK}"', f'note = "{MASK}"']
    again = command("papermill", "out.ipynb", "again.ipynb", "--engine", "stagebook", place=place)
    assert "has a mask in place of `api_token`" in again.said
    assert "--secret api_token" in again.said
    assert not (place / "work" / "again.ipynb").exists()
    shutil.copy(place / "work" / "out.ipynb", place / "work" / "notebook.ipynb")
    done = command("stagebook", "run", "notebook.ipynb", "--no-track", place=place)
    assert "has a mask in place of `api_token`" in done.said


def test_a_notebook_without_secrets_is_put_out_as_ever(run):
    done, _ = run([("parameters", "depth = 2"), ("stage:a", "print(depth)")], parameters={"depth": 3})
    assert texts(done.output, "injected-parameters") == ["# Parameters\ndepth = 3\n"]
