"""What a service says while it runs: a JSON object a line, on standard error."""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime, timezone

_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class JsonLines(logging.Formatter):
    """A record as a JSON object: time, level, what happened, and the facts that were given with it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line. An exception is told by its name alone: its text and its trace may hold rows."""
        told = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        told |= {name: value for name, value in vars(record).items() if name not in _USUAL}
        if record.exc_info and record.exc_info[0] is not None:
            told["cause"] = record.exc_info[0].__name__
        return json.dumps(told, default=str)


def log_as_json() -> None:
    """Have all of this process's records told so: ours from `info` on, libraries' from `warning` on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("stagebook").setLevel(logging.INFO)
