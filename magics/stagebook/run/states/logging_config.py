"""What `logging.basicConfig`, `setLevel` and `disable` set."""

from __future__ import annotations

import logging
import sys
from typing import Any


class LoggingConfig:
    """Levels, and the root logger's handlers; a handler of a kind unknown here cannot be carried.

    Libraries set levels on import, so that they count where the stage's own code uses `logging`.
    """

    name = "setting:logging"
    module = "logging"

    def get(self) -> Any:
        """Levels by logger, what is disabled, and the handlers."""
        loggers = logging.Logger.manager.loggerDict
        levels = {
            name: one.level for name, one in sorted(loggers.items()) if isinstance(one, logging.Logger) and one.level
        }
        handlers = [_described(handler) for handler in logging.root.handlers]
        return (logging.root.level, levels, logging.root.manager.disable, handlers)

    def put(self, value: Any) -> None:
        """Set all of it."""
        level, levels, disabled, handlers = value
        logging.root.setLevel(level)
        for name, one in levels.items():
            logging.getLogger(name).setLevel(one)
        logging.disable(disabled)
        logging.root.handlers[:] = [_made(described) for described in handlers]


def _described(handler: Any) -> Any:
    formatter = handler.formatter
    text, dates = (formatter._fmt, formatter.datefmt) if type(formatter) is logging.Formatter else (None, None)
    if type(handler) is logging.FileHandler:
        return ("file", handler.baseFilename, handler.level, text, dates)
    for name in ("stderr", "stdout"):
        if type(handler) is logging.StreamHandler and handler.stream is getattr(sys, name):
            return ("stream", name, handler.level, text, dates)
    return handler


def _made(described: Any) -> logging.Handler:
    kind, where, level, text, dates = described
    handler = logging.FileHandler(where) if kind == "file" else logging.StreamHandler(getattr(sys, where))
    handler.setLevel(level)
    if text is not None:
        handler.setFormatter(logging.Formatter(text, dates))
    return handler


state = LoggingConfig()
