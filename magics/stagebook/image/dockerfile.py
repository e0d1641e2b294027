"""The Dockerfile of a target: packages first, then Stagebook, then the notebook or the model, then labels.

So that what changes often stands last, and a change of code builds again in seconds. Packages are installed where they
stay: copied from another stage, they would have to be read twice at each build.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from stagebook.image.materials import Materials

UV = "ghcr.io/astral-sh/uv"
PORT = 8080
MODEL = "/srv/model/sealed"
DATA = "/data"
USER = 10001

_WITH_TESTS = ("joblib", "numpy", "pandas", "pyarrow", "scipy", "sklearn")
_UNUSED = (
    *("pyarrow/include", "pyarrow/src", "pyarrow/libarrow_flight.so*", "pyarrow/libarrow_python_flight.so*"),
    *("pyarrow/_flight.*", "pyarrow/_pyarrow_cpp_tests.*"),
    *("numpy/_core/include", "numpy/_core/lib", "numpy/random/lib", "numpy/distutils", "mlflow/server/js"),
    *("onnxruntime/transformers", "onnxruntime/quantization", "onnxruntime/tools"),
)
"""Of packages that answer requests: tests, headers, and what neither a model nor a request log reaches."""


def dockerfile(materials: Materials) -> str:
    """The Dockerfile's text."""
    blocks = [_head(materials), _packages(materials), _own(materials), _content(materials), _start(materials)]
    return "\n\n".join([*blocks, _labels(materials)]) + "\n"


def _head(materials: Materials) -> str:
    return f"""\
# {_says(materials)} Made by `stagebook export image`; README.md says how to build and run it.
ARG BASE={materials.base}

FROM {UV}:{materials.uv} AS uv

# Stagebook, and packages that no index has, each as its wheel.
FROM ${{BASE}} AS own
ENV UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 PYC_INVALIDATION_MODE=UNCHECKED_HASH
COPY wheels/ /wheels/
RUN --mount=type=bind,from=uv,source=/uv,target=/bin/uv \\
    uv venv --quiet --python python3 /opt/venv && \\
    uv pip install --offline --no-cache --no-index --no-deps --python /opt/venv/bin/python3 \\
        --target /opt/own /wheels/*.whl"""


def _says(materials: Materials) -> str:
    model = materials.model
    if model is None:
        return f"Runs {materials.notebook}."
    called = f"models:/{model.name}/{model.version}"
    if materials.target == "monitor":
        return f"Watches what a service of {model.name} is asked."
    return f"{'Serves' if materials.target == 'serve' else 'Scores files with'} {called}, by {model.backend}."


def _packages(materials: Materials) -> str:
    pruned = f" && \\\n{_pruning()}" if materials.target in ("serve", "score") else ""
    return f"""FROM ${{BASE}}
ENV UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 PYC_INVALIDATION_MODE=UNCHECKED_HASH \\
    VIRTUAL_ENV=/opt/venv
RUN python3 -c 'import sys; v = "%d.%d" % sys.version_info[:2]; sys.exit(v != "{materials.python}" and \\
    "The base has Python " + v + ", and the lock is for {materials.python}: export again with --python " + v)'
COPY requirements.lock /opt/requirements.lock
# An index of your own, its certificate and its password come in by mounts, and stay out of all layers.
RUN --mount=type=bind,from=uv,source=/uv,target=/bin/uv \\
    --mount=type=cache,target=/root/.cache/uv \\
    --mount=type=secret,id=uv,target=/etc/uv/uv.toml \\
    --mount=type=secret,id=netrc,target=/root/.netrc \\
    --mount=type=secret,id=ca,target=/run/secrets/ca \\
    if [ -s /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca; fi && \\
    uv venv --quiet --python python3 /opt/venv && \\
    uv pip install --require-hashes --only-binary :all: --no-deps --requirement /opt/requirements.lock && \\
    echo /opt/own > /opt/venv/lib/python{materials.python}/site-packages/own.pth{pruned}"""


def _pruning() -> str:
    tested = " -o ".join(f"-path '*/{name}/*'" for name in _WITH_TESTS)
    unused = " \\\n        ".join(" ".join(_UNUSED[at : at + 4]) for at in range(0, len(_UNUSED), 4))
    return (
        "    find /opt/venv/lib -type f \\( -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' -o -name '*.pyi' \\\n"
        "        -o -name '*.c' -o -name '*.h' -o -name '*.hpp' -o -name '*.cpp' \\) -delete && \\\n"
        f"    find /opt/venv/lib -type d -name tests \\( {tested} \\) -prune -exec rm -rf {{}} + && \\\n"
        f"    cd /opt/venv/lib/python*/site-packages && rm -rf \\\n        {unused}"
    )


def _own(materials: Materials) -> str:
    folder = "/app/.stagebook" if materials.target == "train" else DATA
    return f"""COPY --from=own /opt/own /opt/own
ENV PATH=/opt/own/bin:/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp \\
    OMP_WAIT_POLICY=passive MLFLOW_DISABLE_TELEMETRY=true
RUN mkdir -p {folder} && chmod 1777 {folder}"""


def _content(materials: Materials) -> str:
    if materials.target == "train":
        return "WORKDIR /app\nCOPY app/ /app/"
    if materials.target == "monitor":
        return f"WORKDIR {DATA}"
    return f"WORKDIR {DATA}\nCOPY model/ {MODEL}/"


def _start(materials: Materials) -> str:
    lines = [f"USER {USER}:{USER}"]
    if materials.target == "serve" and materials.log:
        lines.append(f"VOLUME {json.dumps([DATA])}")
    if materials.target == "serve":
        lines += [f"EXPOSE {PORT}", _health()]
    lines += ["STOPSIGNAL SIGTERM", f"ENTRYPOINT {json.dumps(list(entrypoint(materials)))}"]
    if materials.target == "score":
        lines.append('CMD ["--help"]')
    return "\n".join(lines)


def _health() -> str:
    command = ["python3", "-m", "stagebook.serve.healthy", str(PORT)]
    return f"HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD {json.dumps(command)}"


def entrypoint(materials: Materials) -> Sequence[str]:
    """The command that the image starts with."""
    model = materials.model
    if model is None:
        return ("stagebook", "run", materials.notebook)
    if materials.target == "monitor":
        return ("stagebook", "monitor", f"models:/{model.name}@champion")
    if materials.target == "score":
        return ("stagebook", "score", "--digest", model.digest, MODEL)
    log = ("--log", f"{DATA}/requests") if materials.log else ("--no-log",)
    return (
        *("stagebook", "serve", MODEL, "--digest", model.digest),
        *("--host", "0.0.0.0", "--port", str(PORT), *log),
    )


def labels(materials: Materials) -> dict[str, str]:
    """What the image says of itself."""
    origin, model = materials.origin, materials.model
    told = {
        "org.opencontainers.image.title": f"{materials.stem}-{materials.target}",
        "org.opencontainers.image.description": _says(materials),
        "org.opencontainers.image.revision": origin.revision,
        "org.opencontainers.image.created": origin.created,
        "org.opencontainers.image.version": "" if model is None else model.version,
        "org.opencontainers.image.base.name": materials.base,
        "stagebook.target": materials.target,
        "stagebook.notebook": origin.notebook,
        "stagebook.run": origin.run,
        "stagebook.model": "" if model is None else f"models:/{model.name}/{model.version}",
        "stagebook.model.digest": "" if model is None else model.digest,
    }
    return {name: value for name, value in told.items() if value}


def _labels(materials: Materials) -> str:
    lines = [f"{name}={json.dumps(value).replace('$', chr(92) + '$')}" for name, value in labels(materials).items()]
    return "LABEL " + " \\\n    ".join(lines)
