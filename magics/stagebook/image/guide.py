"""A context's README: what is in it, and the commands that build and run it."""

from __future__ import annotations

from stagebook.image.dockerfile import DATA, MODEL, PORT, labels
from stagebook.image.engines import build_command, shown
from stagebook.image.materials import Materials

_HARDENED = "--read-only --tmpfs /tmp --cap-drop=all --security-opt=no-new-privileges"


def guide(materials: Materials) -> str:
    """The file's text."""
    labelled = "\n".join(f"| `{name}` | {value} |" for name, value in labels(materials).items())
    command = ["stagebook", "export", "image", materials.notebook, "--target", materials.target]
    return f"""# {materials.stem}-{materials.target}

Written by `{shown(command)}`.
A second export replaces what the first one wrote, and stops where something was edited since.

## Build

```
{shown(build_command("docker", [materials.tag], ()))}
{shown(build_command("podman", [materials.tag], ()))}
```

Where packages come from an index of your own, its address, its password and its certificate are mounted while packages
are installed, and are in no layer: `--secret id=uv,src=uv.toml`, `--secret id=netrc,src=$HOME/.netrc`,
`--secret id=ca,src=ca.crt`.

## Run

{_run(materials)}

## What is in it

| | |
| --- | --- |
| `Dockerfile` | on `{materials.base}`: packages, then Stagebook, then {_content(materials)} |
| `requirements.lock` | every package, with hashes; nothing else is installed |
| `wheels/` | what no index has: Stagebook, and packages of your own |
| `compose.yaml` | the same with its surroundings |

| label | |
| --- | --- |
{labelled}
"""


def tag_in(text: str) -> str:
    """What the image is called where nobody gives it a name, as its context's README says."""
    first = next(line for line in text.splitlines() if line.startswith("docker build "))
    return first.split(" --tag ")[1].split()[0]


def _content(materials: Materials) -> str:
    return {
        "train": "the notebook, without outputs, and the modules that it imports",
        "monitor": "nothing: what it watches is given when it runs",
    }.get(materials.target, f"the model, at `{MODEL}`, which is started by its digest")


def _run(materials: Materials) -> str:
    tag = materials.tag
    if materials.target == "train":
        return f"""```
docker run --rm {_HARDENED} --network none --user "$(id -u)" \\
    -v "$PWD/data:/app/data:ro" -v "$PWD/results:/app/.stagebook" {tag}{_parameter(materials)}
```

Mount what the notebook reads where it reads it, below `/app`, and a folder at `/app/.stagebook` for its results, which
that user can write to. Results of an earlier run are used again where the same key signed them: mount it, and name it
in `STAGEBOOK_KEY_FILE`. With `MLFLOW_TRACKING_URI`, and a network, runs are recorded at a server."""
    if materials.target == "score":
        return f"""```
docker run --rm {_HARDENED} --network none --user "$(id -u)" \\
    -v "$PWD/files:{DATA}" {tag} january.parquet scored.parquet
```"""
    if materials.target == "monitor":
        return f"""```
docker run --rm {_HARDENED} --user "$(id -u)" -e MLFLOW_TRACKING_URI -e STAGEBOOK_KEY_FILE=/run/secrets/key \\
    -v "$KEY:/run/secrets/key:ro" -v "$PWD/.stagebook:$PWD/.stagebook:ro" -v "$PWD/requests:/requests:ro" \\
    -v "$PWD/.stagebook/mlartifacts:$PWD/.stagebook/mlartifacts" -v "$PWD/watched:{DATA}" \\
    {tag} --log /requests --once
```

It asks MLflow's server which version is in use and what it was trained on, and reads that from the store: the folder is
mounted under its own path, and the key that signed what is in it beside. What it tells of a window goes where MLflow's
experiment keeps its files: `mlartifacts`, unless the server says otherwise."""
    log = f" -v requests:{DATA}" if materials.log else ""
    told = f"Requests are logged to `{DATA}/requests`." if materials.log else "It logs no requests."
    return f"""```
docker run --rm --init {_HARDENED} \\
    -p 127.0.0.1:{PORT}:{PORT}{log} {tag}
curl localhost:{PORT}/invocations -H 'content-type: application/json' -d '{{"dataframe_records": [...]}}'
```

{told} With `-e STAGEBOOK_SERVE_TOKEN` it asks for a token.
What stands behind the image's name goes to `stagebook serve`: `--secret COLUMN` keeps a column out of the log. SIGTERM
ends it with status 0. For it alone, `docker compose up service`; with MLflow and the monitor, see `compose.yaml`."""


def _parameter(materials: Materials) -> str:
    first = next(iter(materials.parameters.items()), None)
    return "" if first is None else f" -p {first[0]} {first[1]}"
