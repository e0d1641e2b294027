"""Which version of a registered model is meant, asked without MLflow's import wherever that can be.

A sqlite file is read, a tracking server asked over HTTP. All else is left to MLflow, in a process of its own
(`preparing`), which also says what there is where a name is unknown.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from stagebook.errors import StagebookError, UsageError
from stagebook.store.digests import digest_of_json

_FORM = re.compile(r"(?:models:/)?(?P<name>[^/:@]+)(?:@(?P<alias>[^/:@]+)|/(?P<version>\d+))?")
_FORMAT = 1
"""Of the folders in which versions are prepared."""
_PATIENCE = 10.0
_SPECIAL = ("INSECURE_TLS", "SERVER_CERT_PATH", "CLIENT_CERT_PATH", "AWS_SIGV4", "AUTH")


class UnreachableError(StagebookError):
    """The registry does not answer."""


class UnknownError(StagebookError):
    """The registry answers that there is no such model, version or alias."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What is to be served.

    Attributes:
        name: the registered model's.
        alias: whose version, wherever it moves; empty where `version` is given.
        version: its number, or empty.
    """

    name: str
    alias: str = ""
    version: str = ""

    def __str__(self) -> str:
        return f"models:/{self.name}@{self.alias}" if self.alias else f"models:/{self.name}/{self.version}"


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a registered model.

    Attributes:
        registry: the address of the registry that knows it.
        name: the registered model's.
        number: the version's.
        source: where its files are, as the registry says.
        created: when, in milliseconds.
    """

    registry: str
    name: str
    number: str
    source: str
    created: int

    @property
    def key(self) -> str:
        """The version's digest: names the folder in which it is prepared."""
        from importlib.metadata import PackageNotFoundError, version

        try:
            runtime = version("onnxruntime")
        except PackageNotFoundError:
            runtime = ""
        told = [_FORMAT, self.registry, self.name, self.number, self.source, self.created, runtime]
        return digest_of_json(told)


def reference_named(text: str) -> Reference:
    """What `models:/NAME@ALIAS`, `models:/NAME/3`, `NAME@ALIAS`, `NAME/3` or `NAME` (its champion) names.

    Raises:
        UsageError: it names nothing.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise UsageError(f"`{text}` names no model version. Write models:/NAME@ALIAS, models:/NAME/3 or NAME.")
    if match["version"]:
        return Reference(match["name"], version=match["version"])
    return Reference(match["name"], alias=match["alias"] or "champion")


def registry_address(home: Path) -> str:
    """Where models are registered: `MLFLOW_REGISTRY_URI`, else where runs are recorded."""
    from stagebook.track.place import tracking_uri

    return os.environ.get("MLFLOW_REGISTRY_URI") or tracking_uri(home)


def shown_address(address: str) -> str:
    """The address without a user's name and password."""
    parts = urlsplit(address)
    if "@" not in parts.netloc:
        return address
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def no_registry(path: str | Path) -> str:
    """What is said where nothing was registered yet."""
    remedy = "Go to the notebook's folder, or name the registry with --store or MLFLOW_TRACKING_URI."
    return f"There is no registry at {path}. {remedy}"


def is_asked_directly(registry: str) -> bool:
    """Whether `find` knows how to ask it."""
    if registry.startswith("sqlite:///"):
        return "?" not in registry
    return registry.startswith(("http://", "https://")) and not any(
        f"MLFLOW_TRACKING_{one}" in os.environ for one in _SPECIAL
    )


def find(registry: str, reference: Reference) -> Version:
    """The version that is meant now.

    Args:
        registry: its address, one that `is_asked_directly`.
        reference: what is meant.

    Raises:
        UnknownError: there is none.
        UnreachableError: the registry does not answer.
    """
    return _in_file(registry, reference) if registry.startswith("sqlite") else _at_server(registry, reference)


_BY_ALIAS = (
    "SELECT v.version, v.source, v.creation_time FROM registered_model_aliases a"
    " JOIN model_versions v ON v.name = a.name AND v.version = a.version WHERE a.name = ? AND a.alias = ?"
)
_BY_NUMBER = "SELECT version, source, creation_time FROM model_versions WHERE name = ? AND version = ?"


def _in_file(registry: str, reference: Reference) -> Version:
    path = registry.partition(":///")[2]
    if not Path(path).exists():
        raise UnreachableError(no_registry(path))
    try:
        with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=_PATIENCE)) as tables:
            query = _BY_ALIAS if reference.alias else _BY_NUMBER
            found = tables.execute(query, (reference.name, reference.alias or int(reference.version))).fetchall()
    except sqlite3.Error as error:
        raise UnreachableError(f"The registry {path} cannot be read ({error}).") from error
    if len(found) != 1:
        raise UnknownError(f"The registry has no {reference}.")
    number, source, created = found[0]
    return Version(registry, reference.name, str(number), source or "", int(created or 0))


def _at_server(registry: str, reference: Reference) -> Version:
    told = {"name": reference.name}
    if reference.alias:
        path, told["alias"] = "registered-models/alias", reference.alias
    else:
        path, told["version"] = "model-versions/get", reference.version
    found = _got(f"{registry.rstrip('/')}/api/2.0/mlflow/{path}?{urlencode(told)}", reference)["model_version"]
    created = int(found.get("creation_timestamp") or 0)
    return Version(registry, reference.name, str(found["version"]), str(found.get("source") or ""), created)


def _got(url: str, reference: Reference) -> dict[str, Any]:
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    request = Request(url)
    user, token = os.environ.get("MLFLOW_TRACKING_USERNAME"), os.environ.get("MLFLOW_TRACKING_TOKEN")
    if user:
        import base64

        pair = f"{user}:{os.environ.get('MLFLOW_TRACKING_PASSWORD', '')}"
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}")
    elif token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    try:
        with urlopen(request, timeout=_PATIENCE) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except HTTPError as error:
        try:
            code = json.load(error).get("error_code")
        except (ValueError, AttributeError, OSError):
            code = ""
        if code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise UnknownError(f"The registry has no {reference}.") from error
        raise UnreachableError(f"The registry answers with status {error.code}.") from error
    except (OSError, HTTPException, ValueError) as error:
        raise UnreachableError("The registry does not answer.") from error
