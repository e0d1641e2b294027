"""The service's OpenAPI description: of this version, with its columns and its example."""

from __future__ import annotations

from typing import Any

from stagebook.serve.packages import MODEL, Package
from stagebook.serve.protocol import CSV, JSON, PARQUET
from stagebook.serve.schema import Column, Schema

_JSON_TYPES = {
    "double": "number",
    "float": "number",
    "long": "integer",
    "integer": "integer",
    "boolean": "boolean",
    "string": "string",
    "datetime": "string",
}
_REFUSALS = {
    400: "The body is malformed, or not what the model takes",
    401: "The token is missing or wrong",
    408: "The body did not come in time",
    413: "The body is too large",
    429: "As many requests are being answered as may be: ask again",
    500: "Something went wrong in the service",
}


def description(package: Package, *, has_token: bool) -> dict[str, Any]:
    """An OpenAPI 3.1 document."""
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": package.model, "version": package.version, "description": _told(package)},
        "paths": {
            "/invocations": {"post": _invocations(package, has_token=has_token)},
            "/ping": {"get": _plain("Whether it answers", JSON)},
            "/health": {"get": _plain("Whether it answers, and which version", JSON)},
            "/version": {"get": _plain("MLflow's version", JSON)},
            "/metrics": {"get": _plain("Metrics for Prometheus", "text/plain", has_token=has_token)},
            "/openapi.json": {"get": _plain("This description", JSON, has_token=has_token)},
        },
        "components": {"schemas": {"Error": _ERROR}},
    }
    if has_token:
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        for path in ("/metrics", "/openapi.json", "/invocations"):
            for operation in document["paths"][path].values():
                operation["security"] = [{"token": []}]
    return document


_ERROR = {
    "type": "object",
    "required": ["error_code", "message"],
    "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}},
}


def _told(package: Package) -> str:
    return f"Scores rows with version {package.version} of `{package.model}`, by MLflow's scoring protocol."


def _plain(summary: str, media_type: str, *, has_token: bool = False) -> dict[str, Any]:
    responses: dict[str, Any] = {"200": {"description": summary, "content": {media_type: {}}}}
    if has_token:
        responses["401"] = _refusal(401)
    return {"summary": summary, "responses": responses}


def _invocations(package: Package, *, has_token: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"schema": _body(package.schema)}
    if package.example is not None:
        body["example"] = package.example
    answers = {"type": "object", "required": ["predictions"], "properties": {"predictions": {}}}
    responses: dict[str, Any] = {"200": {"description": "Predictions", "content": {JSON: {"schema": answers}}}}
    responses |= {str(status): _refusal(status) for status in _REFUSALS if status != 401 or has_token}
    responses["415"] = {"description": "A content type that is not taken", "content": {"text/plain": {}}}
    return {
        "summary": "Score rows",
        "requestBody": {"required": True, "content": {JSON: body, CSV: {}, PARQUET: {}}},
        "responses": responses,
    }


def _refusal(status: int) -> dict[str, Any]:
    content = {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"description": _REFUSALS[status], "content": content}


def _body(schema: Schema | None) -> dict[str, Any]:
    if schema is None:
        return {"type": "object"}
    lines = {"type": "array", "minItems": 1, "items": {"type": "array", "items": {}}}
    if not schema.named:
        number = {"type": "array", "minItems": len(schema.columns), "maxItems": len(schema.columns)}
        number["items"] = _value(schema.columns[0])
        rows = {"type": "array", "minItems": 1, "items": number}
        return _either({"inputs": rows}, {"instances": rows}, {"dataframe_split": _split(lines)})
    record = {
        "type": "object",
        "required": [column.name for column in schema.columns if column.required],
        "properties": {column.name: _value(column) for column in schema.columns},
    }
    records = {"type": "array", "minItems": 1, "items": record}
    return _either({"dataframe_split": _split(lines)}, {"dataframe_records": records}, {"instances": records})


def _split(lines: dict[str, Any]) -> dict[str, Any]:
    names = {"type": "array", "items": {"type": "string"}}
    return {"type": "object", "required": ["data"], "properties": {"columns": names, "data": lines}}


def _either(*forms: dict[str, Any]) -> dict[str, Any]:
    return {
        "oneOf": [
            {"type": "object", "required": list(form), "properties": form, "additionalProperties": False}
            for form in forms
        ]
    }


def _value(column: Column) -> dict[str, Any]:
    kind = _JSON_TYPES[column.type]
    return {"type": [kind, "null"] if column.missing and kind not in ("integer", "boolean") else kind}


def mlflow_version(package: Package) -> str:
    """MLflow's version here; where it is not installed, the one that the model was registered with."""
    import re
    from importlib.metadata import PackageNotFoundError, version

    for name in ("mlflow", "mlflow-skinny"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    text = (package.folder / MODEL / "MLmodel").read_text(encoding="utf-8")
    found = re.search(r"^mlflow_version: *(\S+)$", text, re.MULTILINE)
    return found[1] if found is not None else ""
