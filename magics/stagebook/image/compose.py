"""`compose.yaml`: the service, MLflow and the monitor beside one another, or a training run, hardened alike."""

from __future__ import annotations

import shlex

from stagebook.image.dockerfile import DATA, PORT
from stagebook.image.materials import Materials

_HARD = """\
x-hardened: &hardened
  read_only: true
  cap_drop: [ALL]
  security_opt: ["no-new-privileges:true"]
  tmpfs: [/tmp]
  init: true
"""
_HOME = "${STAGEBOOK_HOME:-/STAGEBOOK_HOME-is-not-set}"
"""Not `:?`, which Compose would mind where the service alone is started, too: what is not there is told of then."""
_ARTIFACTS = f"{_HOME}/mlartifacts"
_MLFLOW_PORT = "${STAGEBOOK_MLFLOW_PORT:-5000}"
_SURROUNDINGS = f"""\
# STAGEBOOK_HOME: the folder .stagebook beside the notebook, as an absolute path
# STAGEBOOK_KEY: the file with the key that signed what is in it
# STAGEBOOK_USER: the number of the user whose these are
# STAGEBOOK_PORT, STAGEBOOK_MLFLOW_PORT: where they answer on this machine, if not at {PORT} and 5000
"""
_KEY = """\
secrets:
  key:
    file: ${STAGEBOOK_KEY:-/STAGEBOOK_KEY-is-not-set}
"""


def compose(materials: Materials) -> str:
    """The file's text."""
    if materials.target == "train":
        return _train(materials)
    if materials.target == "score":
        return _score(materials)
    return _loop(materials)


def _train(materials: Materials) -> str:
    return f"""# docker compose run --rm train -p NAME VALUE
{_HARD}
services:
  train:
    <<: *hardened
    image: {materials.tag}
    build: .
    user: "${{STAGEBOOK_USER:-10001}}"
    network_mode: none
    volumes:
      # The folders that the notebook reads from, and the one that its results go to.
      - ${{DATA:-./data}}:/app/data:ro
      - ${{RESULTS:-./results}}:/app/.stagebook
"""


def _score(materials: Materials) -> str:
    return f"""# docker compose run --rm score IN.parquet OUT.parquet
{_HARD}
services:
  score:
    <<: *hardened
    image: {materials.tag}
    build: .
    user: "${{STAGEBOOK_USER:-10001}}"
    network_mode: none
    volumes:
      - ${{FILES:-./files}}:{DATA}
"""


def _loop(materials: Materials) -> str:
    """The service, and what watches it; each is built in its own context, this one or the one beside it."""
    model = materials.model
    assert model is not None
    serves = materials.target == "serve"
    image = {target: f"{materials.stem}-{target}:{model.version}" for target in ("serve", "monitor")}
    other = "monitor" if serves else "serve"
    build = {True: "\n    build: .", False: ""}
    return f"""\
# The loop: the service, MLflow, and the monitor, which compares what the one is asked with what the other knows.
#   docker compose up service                   the service alone: it needs nothing else
#   docker compose --profile loop up            all of it
# `{image[other]}` is built in a context of its own:
#   {shlex.join(["stagebook", "export", "image", materials.notebook, "--target", other, "--build"])}
{_SURROUNDINGS}{_HARD}
services:
  service:
    <<: *hardened
    image: {image["serve"]}{build[serves]}
    user: "${{STAGEBOOK_USER:-10001}}"
    ports: ["127.0.0.1:${{STAGEBOOK_PORT:-{PORT}}}:{PORT}"]
    environment:
      STAGEBOOK_SERVE_TOKEN: ${{STAGEBOOK_SERVE_TOKEN:-}}
    volumes: [requests:{DATA}]

  mlflow:
    <<: *hardened
    profiles: [loop]
    image: {image["monitor"]}{build[not serves]}
    user: "${{STAGEBOOK_USER:-10001}}"
    entrypoint: [python3, -m, mlflow, server, --host, 0.0.0.0, --port, "5000", --workers, "1"]
    environment:
      MLFLOW_BACKEND_STORE_URI: sqlite:///{_HOME}/mlflow.db
      MLFLOW_DEFAULT_ARTIFACT_ROOT: file://{_ARTIFACTS}
      MLFLOW_SERVER_ALLOWED_HOSTS: mlflow:5000,localhost:{_MLFLOW_PORT},127.0.0.1:{_MLFLOW_PORT}
    ports: ["127.0.0.1:{_MLFLOW_PORT}:5000"]
    # Under its own path: MLflow keeps the whole paths of what it has recorded.
    volumes:
      - {_bound(_HOME, read_only=False)}

  monitor:
    <<: *hardened
    profiles: [loop]
    image: {image["monitor"]}
    user: "${{STAGEBOOK_USER:-10001}}"
    command: [--log, /requests/requests]
    depends_on: [service, mlflow]
    environment:
      MLFLOW_TRACKING_URI: http://mlflow:5000
      STAGEBOOK_KEY_FILE: /run/secrets/key
      STAGEBOOK_WEBHOOK: ${{STAGEBOOK_WEBHOOK:-}}
    secrets: [key]
    volumes:
      - requests:/requests:ro
      - watched:{DATA}
      - {_bound(_HOME, read_only=True)}
      # What it tells MLflow of a window: the client writes where the experiment keeps its files.
      - {_bound(_ARTIFACTS, read_only=False)}

volumes:
  requests:
  watched:
{_KEY}"""


def _bound(folder: str, *, read_only: bool) -> str:
    """A folder under its own path; one that is not there is not made."""
    lines = ("type: bind", f"source: {folder}", f"target: {folder}", f"read_only: {str(read_only).lower()}")
    return "\n        ".join((*lines, "bind: {create_host_path: false}"))
