"""The text of an exported flow and its deployments: golden, clean to linters, what pools of containers take."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.notebooks_factory import notebook

from stagebook.book.notebook import read_document
from stagebook.book.pipeline import pipeline_of
from stagebook.errors import UsageError
from stagebook.export.exporter import exported_files

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden/prefect"
DEMO = ROOT / "notebooks/flights.ipynb"
SCHEDULED = {"cron": "0 6 * * 1"}


def files(cells, **options):
    """What is exported of cells, as text."""
    node, path = notebook(cells), Path("story.ipynb")
    return {
        name: text.decode() for name, text in exported_files("prefect", pipeline_of(node, path), node, options).items()
    }


def demo():
    document = read_document(DEMO)
    return exported_files("prefect", pipeline_of(document, DEMO), document, SCHEDULED)


def test_the_demo_is_as_it_was():
    """Write it anew: `stagebook export prefect notebooks/flights.ipynb --cron "0 6 * * 1" --out tests/golden/prefect`,
    with `--source ../flights.ipynb`."""
    assert {name: content.decode() for name, content in demo().items()} == {
        path.name: path.read_text(encoding="utf-8")
        for path in sorted(GOLDEN.iterdir())
        if not path.name.startswith(".")
    }


@pytest.mark.parametrize("words", [("check", "--select", "E,F,I,UP"), ("format", "--check")])
@pytest.mark.parametrize("options", [{}, {"task_runner": "dask"}])
def test_it_is_clean(tmp_path, words, options):
    many = "\n".join(f"parameter_number_{n}: int = {n}  # number {n}" for n in range(12))
    cells = [
        ("parameters", many + "\nmonths = [1, 2]\napi_token = ''"),
        ("stage:class", "x = 1"),
        ("stage:flow", "y = x"),
    ]
    (tmp_path / "flow.py").write_text(files(cells, **options)["flow.py"])
    command = [sys.executable, "-m", "ruff", *words, "--isolated", "--line-length", "88", "flow.py"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr


def test_options_of_stages_are_those_of_tasks():
    text = files([("", "%%stage a retries=2 timeout=30\nx = 1"), ("", "%%stage b needs=a\ny = 1")])["flow.py"]
    assert '@task(name="a", cache_policy=NO_CACHE, retries=2)' in text
    assert "Stage `a`, cell 1 of the notebook. It is ended after 30 s." in text
    assert "after_a = stages.add(a)\n    stages.add(b, after_a)" in text


def test_parameters_are_typed_as_the_notebook_says():
    code = "n: int = 3\nrate = 0.5\nname: str | None = None\nflags = {'a': 1}\nwhen = print\nfree = None"
    text = files([("parameters", code), ("stage:a", "x = [n, rate, name, flags, when, free]")])["flow.py"]
    for told in ("n: int = 3", "rate: float = 0.5", "name: str | None = None", "flags: dict = {'a': 1}", "free=None"):
        assert told in text
    assert "Not asked for, since the notebook works them out: when." in text


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"cron": "daily"}, "`daily` is no cron schedule of five fields. Write it as '0 6 * * 1'."),
        ({"name": "a/b"}, "Prefect takes no `a/b` as a name"),
        ({"task_runner": "ray"}, "option `task_runner` takes one of threads, dask"),
    ],
)
def test_what_prefect_does_not_take_is_refused(options, told):
    with pytest.raises(UsageError, match=told.replace("*", r"\*").replace(".", r"\.")):
        files([("stage:a", "x = 1")], **options)


@pytest.mark.parametrize(
    ("package", "pool", "where"),
    [
        ("prefect-docker", "docker", ("image",)),
        ("prefect-kubernetes", "kubernetes", ("job_manifest", "spec", "template", "spec", "containers", 0, "image")),
    ],
)
def test_pools_of_containers_take_its_image(package, pool, where):
    prefect = pytest.importorskip("prefect", reason="install it with `pip install 'stagebook[prefect]'`")
    import jsonschema
    import yaml
    from prefect.utilities.templating import apply_values

    known = Path(prefect.__file__).parent / "server/api/collections_data/views/aggregate-worker-metadata.json"
    template = json.loads(known.read_text())[package][pool]["default_base_job_configuration"]
    written = yaml.safe_load(files([("stage:a", "x = 1")], image="registry.example.com/story:1")["prefect.yaml"])
    assert written["pull"] == [{"prefect.deployments.steps.set_working_directory": {"directory": "/app/story-prefect"}}]
    variables = written["deployments"][0]["work_pool"]["job_variables"]
    jsonschema.validate(variables, {**template["variables"], "additionalProperties": False})
    found = apply_values(template["job_configuration"], {**variables, "command": "prefect flow-run execute"})
    for step in where:
        found = found[step]
    assert found == "registry.example.com/story:1"
