"""The text of a context: golden, the same for the same materials, and nothing in it that was not given."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from tests.image.story import MODEL, materials

from stagebook.image.context import context
from stagebook.image.dockerfile import dockerfile, entrypoint, labels
from stagebook.image.materials import TARGETS, Origin

GOLDEN = Path(__file__).resolve().parents[1] / "golden/image"
TEXTS = ("Dockerfile", ".dockerignore", "README.md", "compose.yaml")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", TEXTS)
def test_text_is_as_it_was(target, name):
    """Write it anew with `python -m tests.image.golden`."""
    found = context(materials(target))[name].decode()
    assert found == (GOLDEN / target / name.lstrip(".")).read_text(encoding="utf-8")


@pytest.mark.parametrize("target", TARGETS)
def test_same_materials_make_the_same_bytes(target):
    assert list(context(materials(target)).items()) == list(context(materials(target)).items())


@pytest.mark.parametrize("target", TARGETS)
def test_all_that_is_copied_is_there_and_not_ignored(target):
    files = context(materials(target))
    text = files["Dockerfile"].decode()
    sources = re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE)
    assert sources
    ignored = files[".dockerignore"].decode().splitlines()
    for source in sources:
        assert any(path == source or path.startswith(source) for path in files)
        assert f"!{source.rstrip('/')}" in ignored


def test_training_has_the_notebook_and_its_modules():
    files = context(materials("train"))
    assert files["app/Late flights.ipynb"] == b'{"cells": []}\n'
    assert files["app/shapes.py"] == b"x = 1\n"
    assert "app/parts/deep.py" in files


@pytest.mark.parametrize("target", ["serve", "score"])
def test_model_is_started_by_its_digest(target):
    words = list(entrypoint(materials(target)))
    assert words[words.index("--digest") + 1] == MODEL.digest
    assert {f"model/{path}" for path in MODEL.files} <= context(materials(target)).keys()


def test_monitor_has_no_model_and_no_notebook():
    assert not [path for path in context(materials("monitor")) if path.startswith(("model/", "app/"))]


@pytest.mark.parametrize("target", TARGETS)
def test_what_changes_often_stands_last(target):
    """Packages before Stagebook before code before labels: a change of one builds again what is behind it alone."""
    text = dockerfile(materials(target))
    places = [text.index("COPY requirements.lock"), text.index("COPY --from=own"), text.index("\nLABEL ")]
    content = re.search(r"^COPY (app|model)/", text, re.MULTILINE)
    if content is not None:
        places.insert(2, content.start())
    assert places == sorted(places)


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_runs_as_root_or_through_a_shell(target):
    text = dockerfile(materials(target))
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", text, re.MULTILINE)
    (start,) = re.findall(r"^ENTRYPOINT (.+)$", text, re.MULTILINE)
    assert json.loads(start)[0] == "stagebook"
    assert "apt" not in text
    assert text.index("USER ") > text.rindex("RUN ")


def test_packages_are_installed_with_hashes_and_from_wheels_alone():
    text = dockerfile(materials("serve"))
    install = text[text.index("uv pip install --require-hashes") :].partition("&&")[0]
    assert {"--require-hashes", "--no-deps", "--only-binary"} <= set(install.split())


def test_secrets_come_by_mounts():
    text = dockerfile(materials("train"))
    assert re.findall(r"type=secret,id=(\w+)", text) == ["uv", "netrc", "ca"]
    assert not re.search(r"^(ARG|ENV) .*(TOKEN|PASSWORD|INDEX)", text, re.MULTILINE)


def test_unknown_origins_are_no_labels():
    assert "org.opencontainers.image.created" in labels(materials("serve"))
    found = labels(materials("serve", origin=Origin()))
    assert not {"org.opencontainers.image.created", "org.opencontainers.image.revision", "stagebook.run"} & found.keys()


def test_a_label_is_no_expression():
    assert "\\$HOME" in dockerfile(materials("serve", origin=Origin(run="$HOME")))


def test_service_without_a_log_has_no_volume():
    text = dockerfile(materials("serve", log=False))
    assert "--no-log" in entrypoint(materials("serve", log=False))
    assert "VOLUME" not in text
    assert 'VOLUME ["/data"]' in dockerfile(materials("serve"))


@pytest.mark.parametrize("target", TARGETS)
def test_readme_says_how_to_build_it(target):
    text = context(materials(target))["README.md"].decode()
    (docker,) = re.findall(r"^docker build .+$", text, re.MULTILINE)
    assert shlex.split(docker) == ["docker", "build", "--tag", materials(target).tag, "."]
    assert re.search(r"^podman build --format docker ", text, re.MULTILINE)


@pytest.mark.parametrize("target", TARGETS)
def test_compose_file_is_hardened(target):
    import yaml

    told = yaml.safe_load(context(materials(target))["compose.yaml"])
    for name, service in told["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["image"], name
    wanted = {"train": {"train"}, "score": {"score"}}.get(target, {"service", "mlflow", "monitor"})
    assert told["services"].keys() == wanted


@pytest.mark.parametrize("target", ["serve", "monitor"])
def test_the_monitor_of_the_loop_can_write_where_mlflow_keeps_files_and_nowhere_else_in_the_store(target):
    import yaml

    services = yaml.safe_load(context(materials(target))["compose.yaml"])["services"]
    root = services["mlflow"]["environment"]["MLFLOW_DEFAULT_ARTIFACT_ROOT"]
    bound = [one for one in services["monitor"]["volumes"] if isinstance(one, dict)]
    assert [f"file://{one['target']}" for one in bound if not one["read_only"]] == [root]
    port = services["mlflow"]["ports"][0].removeprefix("127.0.0.1:").removesuffix(":5000")
    assert f"localhost:{port}" in services["mlflow"]["environment"]["MLFLOW_SERVER_ALLOWED_HOSTS"]
