"""Waiting for something to become true, with a reason when it does not."""

import os
import socket
import time


class Timeout(AssertionError):
    """What was waited for did not happen."""


def scale() -> float:
    """Slow machines set CDC_TIME_SCALE to stretch every limit."""
    return float(os.environ.get("CDC_TIME_SCALE", "1"))


def wait_until(condition, seconds: float, what: str, every: float = 0.05):
    """Calls `condition` until it returns something true and returns that; `what` may be a function giving text."""
    end = time.monotonic() + seconds * scale()
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise Timeout(f"not within {seconds:g} s: {what() if callable(what) else what}")
        time.sleep(every)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
