"""A real S3 server of this machine, for stores that are elsewhere, whose requests can be made to fail."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

Fault = Literal["403", "500", "503", "drop", "half", ""]
"""What a request comes to: an error, no answer, a connection that ends in the midst of it; nothing of that."""

_TOLD = {"403": "403 Forbidden", "500": "500 Internal Server Error", "503": "503 Slow Down"}


class Server:
    """An S3 server.

    Attributes:
        url: its address.
        fault: told a request's method and path, says what it comes to.
        asked: the method and path of each request.
    """

    def __init__(self) -> None:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Quiet(WSGIRequestHandler):
            protocol_version = "HTTP/1.1"

            def log(self, *_: Any, **__: Any) -> None:
                """Say nothing."""

        self._application = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.asked: list[tuple[str, str]] = []
        self.fault: Callable[[str, str], Fault] = lambda *_: ""

    def variables(self) -> dict[str, str]:
        """The environment by which clients find it."""
        return {
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def make_bucket(self, name: str) -> None:
        """Make a bucket."""
        self._client().create_bucket(Bucket=name)

    def keys(self, bucket: str) -> list[str]:
        """The names of what is in a bucket."""
        found = self._client().list_objects_v2(Bucket=bucket).get("Contents", [])
        return [one["Key"] for one in found]

    def remove(self, bucket: str, key: str) -> None:
        """Remove an object behind the clients' backs."""
        self._client().delete_object(Bucket=bucket, Key=key)

    def replace(self, bucket: str, key: str, content: bytes) -> None:
        """Put something else in its place."""
        self._client().put_object(Bucket=bucket, Key=key, Body=content)

    def close(self) -> None:
        """It is there no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _client(self) -> Any:
        import boto3

        return boto3.client("s3", endpoint_url=self.url, aws_access_key_id="owner", aws_secret_access_key="secret")

    def _answer(self, request: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        method, path = request["REQUEST_METHOD"], request["PATH_INFO"]
        fault = "" if "Credential=owner" in request.get("HTTP_AUTHORIZATION", "") else self.fault(method, path)
        self.asked.append((method, path))
        if not fault:
            return self._application(request, start)
        if fault in _TOLD:
            request["wsgi.input"].read(int(request.get("CONTENT_LENGTH") or 0))
            start(_TOLD[fault], [("Content-Length", "0")])
            return [b""]
        if fault == "half":
            request["wsgi.input"].read(int(request.get("CONTENT_LENGTH") or 0) // 2)
        request["werkzeug.socket"].shutdown(2)
        raise ConnectionError("as it was asked to")


@contextmanager
def serving(bucket: str) -> Iterator[Server]:
    """A server with a bucket; this process's environment, and what it starts, finds it."""
    from s3fs import S3FileSystem

    server = Server()
    before = {name: os.environ.get(name) for name in server.variables()}
    os.environ.update(server.variables())
    S3FileSystem.clear_instance_cache()  # connections remember what they were opened with
    try:
        server.make_bucket(bucket)
        yield server
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        server.close()
        S3FileSystem.clear_instance_cache()
