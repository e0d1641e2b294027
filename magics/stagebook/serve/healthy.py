"""Whether a service on this machine is healthy: `python -m stagebook.serve.healthy [PORT]`, status 0 if it is.

A container's image has no curl, and needs none.
"""

from __future__ import annotations

import http.client
import sys

_PATIENCE = 3.0


def main() -> int:
    """Ask it."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    try:
        connection.request("GET", "/health")
        return 0 if connection.getresponse().status == 200 else 1
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
