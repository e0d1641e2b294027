"""Waiting for what may never answer, though it takes the call."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent import futures
from typing import TypeVar

_T = TypeVar("_T")


def within(seconds: float, call: Callable[[], _T]) -> _T:
    """What `call` returns, or raises; it is left alone in a thread of its own where it takes longer.

    Args:
        seconds: how long it is waited for.
        call: what cannot be given a time-out itself.

    Raises:
        TimeoutError: it takes longer.
    """
    future: futures.Future[_T] = futures.Future()

    def go() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # it is raised where it is waited for
            future.set_exception(error)

    threading.Thread(target=go, name="stagebook-waiting", daemon=True).start()
    done, _ = futures.wait([future], timeout=seconds)
    if not done:
        raise TimeoutError(f"there is no answer in {seconds:g} seconds")
    return future.result()
