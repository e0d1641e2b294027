"""What a service says of a request that it does not score: a status, MLflow's error code, a sentence.

The sentence holds names of the model's own columns and nothing of the request, no path and no stack trace: it goes to
whoever asks.
"""

from __future__ import annotations

import json


class RefusedError(Exception):
    """A request that is not scored; `str(error)` is what its sender is told."""

    status = 400
    code = "BAD_REQUEST"
    media_type = "application/json"

    def body(self) -> bytes:
        """The answer's body, as MLflow's scoring server forms it."""
        return json.dumps({"error_code": self.code, "message": str(self)}).encode()


class MalformedError(RefusedError):
    """The body is not of one of the formats."""


class MismatchError(RefusedError):
    """The body is well formed, and not what the model's schema asks for."""

    code = "INVALID_PARAMETER_VALUE"


class UnscorableError(RefusedError):
    """The model itself does not take the rows."""


class UnauthorizedError(RefusedError):
    """The token is missing or wrong."""

    status = 401
    code = "UNAUTHENTICATED"


class LateError(RefusedError):
    """The body did not come in time."""

    status = 408
    code = "REQUEST_TIMEOUT"


class LargeError(RefusedError):
    """The body is too large."""

    status = 413
    code = "REQUEST_LIMIT_EXCEEDED"


class FullError(RefusedError):
    """As many requests are being answered as may be."""

    status = 429
    code = "RESOURCE_EXHAUSTED"


class FailedError(RefusedError):
    """Something of ours went wrong: the log says what."""

    status = 500
    code = "INTERNAL_ERROR"


class MediaTypeError(RefusedError):
    """A content type that is not taken: told in plain text, as MLflow's scoring server does."""

    status = 415
    media_type = "text/plain; charset=utf-8"

    def body(self) -> bytes:
        """The sentence itself."""
        return str(self).encode()
