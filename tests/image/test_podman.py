"""Images as they are: built from what an export wrote, and run as one would who trusts nobody."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
import uuid
from pathlib import Path

import pytest
from tests.image.conftest import HARD, TOKEN, USER, podman
from tests.image.story import metrics_in, stagebook

pytestmark = pytest.mark.timeout(900)  # the first test that asks for an image waits until it is built

ASK = """
import http.client, json, sys
connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=30)
connection.request("POST", "/invocations", sys.stdin.read(), {"content-type": "application/json"})
answer = connection.getresponse()
print(json.dumps([answer.status, json.loads(answer.read())]))
"""
ROWS = [{"a": row / 20 - 1, "b": (row % 7) / 7, "c": 0.5} for row in range(40)]


def open_to_all(folder):
    """Let a container's user write to a folder of ours."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o777)
    return folder


class Container:
    """A service's container, until it is stopped."""

    def __init__(self, tag, *words):
        self.name = f"stagebook-{uuid.uuid4().hex[:8]}"
        podman("run", "--detach", "--name", self.name, *HARD, "--user", USER, *words, tag)

    def ask(self, rows):
        """Ask it from within: it has no network."""
        command = ["podman", "exec", "--interactive", self.name, "python3", "-c", ASK]
        done = subprocess.run(
            command, input=json.dumps({"dataframe_records": rows}), capture_output=True, text=True, check=False
        )
        return json.loads(done.stdout) if done.returncode == 0 else (0, done.stderr)

    def ready(self, within=60.0):
        """Wait until it is healthy, as its own check has it."""
        until = time.monotonic() + within
        while podman("healthcheck", "run", self.name, check=False).returncode:
            assert time.monotonic() < until, podman("logs", self.name, check=False)
            time.sleep(0.2)

    def stop(self):
        """Stop it by SIGTERM: the seconds that it took, and its exit status."""
        began = time.monotonic()
        podman("stop", "--time", "20", self.name)
        took = time.monotonic() - began
        status = int(podman("inspect", "--format", "{{.State.ExitCode}}", self.name).stdout)
        return took, status


@pytest.fixture(scope="module")
def log(images, story, tmp_path_factory):
    """What a service was asked, and said, and how it ended."""
    folder = open_to_all(tmp_path_factory.mktemp("served") / "data")
    service = Container(images.built("serve"), "--volume", f"{folder}:/data")
    service.ready()
    answered = service.ask(ROWS)
    refused = service.ask([{"a": "much", "b": 1, "c": 2}])
    inside = podman("exec", service.name, "sh", "-c", "touch /opt/x || id -u").stdout
    return folder / "requests", answered, refused, inside, service.stop()


class TestTheService:
    def test_answers_as_the_model_does(self, log, story, tmp_path):
        import pandas as pd

        _, (status, answer), *_ = log
        pd.DataFrame(ROWS).to_parquet(tmp_path / "in.parquet")
        done = stagebook("score", "story", tmp_path / "in.parquet", tmp_path / "out.parquet", folder=story.parent)
        assert done.returncode == 0, done.stderr
        expected = pd.read_parquet(tmp_path / "out.parquet").filter(like="prediction").to_numpy()
        assert status == 200
        assert answer["predictions"] == pytest.approx(expected, abs=1e-6)

    def test_refuses_what_does_not_fit(self, log):
        status, answer = log[2]
        assert status == 400
        assert "`a`" in answer["message"]

    def test_cannot_write_to_the_image_and_is_not_root(self, log):
        assert log[3] == "12345\n"

    def test_sigterm_ends_it_at_once_with_status_0(self, log):
        took, status = log[4]
        assert status == 0
        assert took < 5

    def test_logs_every_request_that_it_answered(self, log):
        import pandas as pd

        files = list(log[0].rglob("*.parquet"))
        assert sum(len(pd.read_parquet(file)) for file in files) == len(ROWS)

    def test_has_neither_jupyter_nor_sklearn_nor_mlflow(self, images):
        sought = ["IPython", "jupyter_core", "evidently", "sklearn", "mlflow", "pandas", "pip", "onnxruntime"]
        code = f"import importlib.util as u; print([one for one in {sought} if u.find_spec(one)])"
        done = podman("run", "--rm", "--entrypoint", "/opt/venv/bin/python3", images.built("serve"), "-c", code)
        assert done.stdout == "['onnxruntime']\n"

    def test_labels_say_where_it_is_from(self, images, story):
        found = json.loads(podman("image", "inspect", images.built("serve")).stdout)[0]["Labels"]
        assert found["stagebook.model"] == "models:/story/1"
        last = json.loads(next((story.parent / ".stagebook/runs").glob("*/run.json")).read_text())
        assert found["stagebook.notebook"] == last["provenance"]["notebook"]
        assert found["stagebook.run"] == last["id"]

    def test_a_model_that_was_changed_is_not_loaded(self, images, tmp_path):
        other = tmp_path / "model.onnx"
        other.write_bytes(b"another model")
        done = podman(
            *("run", "--rm", *HARD, "--volume", f"{other}:/srv/model/sealed/model.onnx:ro"),
            *("--tmpfs", "/data", images.built("serve")),
            check=False,
        )
        assert done.returncode == 2
        assert "model.onnx is missing, or not what was sealed" in done.stderr + done.stdout


@pytest.fixture(scope="module")
def trained(images, story, tmp_path_factory):
    """The folder of results of a run in the image."""
    results = open_to_all(tmp_path_factory.mktemp("trained") / "results")
    done = podman(
        *("run", "--rm", *HARD, "--user", USER, "--volume", f"{story.parent / 'data'}:/app/data:ro"),
        *("--volume", f"{results}:/app/.stagebook", images.built("train"), "-p", "rows", "150"),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return results


class TestTraining:
    def test_gives_the_metrics_that_it_gives_outside(self, trained, story):
        assert metrics_in(trained) == metrics_in(story.parent / ".stagebook")

    def test_is_recorded_and_its_model_registered(self, trained):
        import sqlite3

        with sqlite3.connect(trained / "mlflow.db") as tables:
            found = tables.execute("SELECT name, version FROM model_versions").fetchall()
        assert found == [("story", 1)]

    def test_changed_code_builds_again_what_is_behind_it_alone(self, images, story, trained):
        def layers(tag):
            return json.loads(podman("image", "inspect", tag).stdout)[0]["RootFS"]["Layers"]

        before = layers(images.built("train"))
        module = story.parent / "shapes.py"
        text = module.read_text()
        try:
            module.write_text(text + "\n\nMORE = 1\n")
            images.build("train", "localhost/story-train:changed")
        finally:
            module.write_text(text)
        after = layers("localhost/story-train:changed")
        assert after[:-1] == before[:-1]
        assert after[-1] != before[-1]


class TestAFile:
    def test_is_scored_as_outside(self, images, story, tmp_path):
        import pandas as pd

        files = open_to_all(tmp_path / "files")
        pd.DataFrame(ROWS).to_csv(files / "in.csv", index=False)
        done = podman(
            *("run", "--rm", *HARD, "--user", USER, "--volume", f"{files}:/data"),
            *(images.built("score"), "in.csv", "out.csv"),
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "40 rows scored" in done.stdout
        outside = stagebook("score", "story", files / "in.csv", tmp_path / "outside.csv", folder=story.parent)
        assert outside.returncode == 0, outside.stderr
        pd.testing.assert_frame_equal(pd.read_csv(files / "out.csv"), pd.read_csv(tmp_path / "outside.csv"))


@pytest.mark.skipif(
    os.environ.get("STAGEBOOK_IMAGES") != "all",
    reason="its image takes minutes: `make images`, or STAGEBOOK_IMAGES=all",
)
class TestTheMonitor:
    def test_looks_once(self, images, story, log, tmp_path, key_file):
        """On requests as the service logged them, said to be of some days ago: their window is over."""
        requests, watched = open_to_all(tmp_path / "requests"), open_to_all(tmp_path / "watched")
        _shifted(log[0], requests)
        home = tmp_path / "home"
        shutil.copytree(story.parent / ".stagebook", home)
        key = tmp_path / "key"
        shutil.copy(key_file, key)
        for path in (key, home, *home.rglob("*")):
            os.chown(path, 12345, 12345)
        place = story.parent / ".stagebook"
        done = podman(
            *("run", "--rm", *HARD, "--user", USER, "--env", "STAGEBOOK_KEY_FILE=/run/secrets/key"),
            *("--env", f"MLFLOW_TRACKING_URI=sqlite:///{place}/mlflow.db", "--volume", f"{key}:/run/secrets/key:ro"),
            *("--volume", f"{home}:{place}", "--volume", f"{requests}:/requests:ro", "--volume", f"{watched}:/data"),
            *(images.built("monitor"), "--log", "/requests", "--once", "--window", "1d"),
            check=False,
        )
        assert done.returncode in (0, 4), done.stdout + done.stderr
        assert "drift" in done.stdout
        assert (watched / ".stagebook/monitors/story/history.html").is_file()


def _shifted(log: Path, target: Path) -> None:
    """The log's rows three days earlier."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    for file in log.rglob("*.parquet"):
        table = pq.read_table(file, partitioning=None)
        at = table.schema.get_field_index("stagebook.time")
        times = table.column(at).to_pandas() - pd.Timedelta(days=3)
        shifted = table.set_column(at, table.schema.field(at), pa.array(times, table.schema.field(at).type))
        place = target / f"day={times.iloc[0]:%Y-%m-%d}" / file.name
        place.parent.mkdir(exist_ok=True)
        pq.write_table(shifted, place)


class TestLayers:
    @pytest.mark.parametrize("target", ["serve", "train", "score"])
    def test_hold_no_secret_no_path_of_this_machine_and_no_login(self, images, story, target, tmp_path, key_file):
        needles = {
            "a secret": TOKEN,
            "the notebook's folder": str(story.parent),
            "the environment": sys.prefix,
            "the project": str(Path(__file__).resolve().parents[2]),
            "the logins": str(images.logins),
            "the key": key_file.read_text().strip(),
        }
        tag = images.built(target)
        assert _found_in(tag, needles, tmp_path) == {}

    def test_that_hold_one_are_found(self, images, tmp_path):
        """The search is worth something: what is put into a layer, and removed in the next, is found."""
        (tmp_path / "Dockerfile").write_text(
            f"FROM {images.built('serve')}\nUSER 0:0\nRUN echo {TOKEN[:8]}{TOKEN[8:]} > /opt/x\nRUN rm /opt/x\n"
        )
        podman("build", "--layers", "--tag", "localhost/story-leaks:test", tmp_path)
        found = _found_in("localhost/story-leaks:test", {"a secret": TOKEN}, tmp_path)
        assert any(path.endswith("opt/x") for path in found["a secret"])


def _found_in(tag, needles, folder):
    """Where in an image each text is: in its configuration, and in the files of every layer."""
    archive = folder / f"{uuid.uuid4().hex}.tar"
    podman("save", "--format", "docker-archive", "--output", archive, tag)
    found: dict[str, set[str]] = {}

    def look(place, content):
        for name, needle in needles.items():
            if needle.encode() in content:
                found.setdefault(name, set()).add(place)

    with tarfile.open(archive) as outer:
        for member in outer:
            if not member.isfile():
                continue
            if not member.name.endswith(".tar"):
                look(member.name, outer.extractfile(member).read())
                continue
            with tarfile.open(fileobj=outer.extractfile(member)) as layer:
                for one in layer:
                    look(one.name, one.name.encode())
                    if one.isfile():
                        look(one.name, layer.extractfile(one).read())
    archive.unlink()
    return found


class TestDockersClient:
    def test_builds_by_podmans_socket(self, images, tmp_path, monkeypatch):
        if shutil.which("docker") is None:
            pytest.skip("no docker client on PATH: install it with `apt-get install -y docker.io`")
        images.built("serve")  # packages come from the cache: the client has no way to bring a certificate
        socket = tmp_path / "podman.sock"
        service = subprocess.Popen(
            ["podman", "system", "service", "--time=0", f"unix://{socket}"], stderr=subprocess.DEVNULL
        )
        try:
            until = time.monotonic() + 20
            while not socket.exists():
                assert time.monotonic() < until
                time.sleep(0.05)
            monkeypatch.setenv("DOCKER_HOST", f"unix://{socket}")
            told = images.build("serve", "localhost/story-serve:docker", engine="docker")
            assert "by docker" in told
        finally:
            service.kill()
            service.wait()
        podman("image", "exists", "localhost/story-serve:docker")
