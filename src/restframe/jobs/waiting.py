"""Waiting for what other threads bring about."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_GLANCE_S = 0.5  # how often somebody who may give up is asked


def wait_for(
    changed: threading.Condition,
    is_so: Callable[[], bool],
    timeout_s: float | None,
    given_up: threading.Event | None,
) -> None:
    """Return when it is so, when the time is over, or soon after somebody has given up.

    changed : is notified when it may have become so
    """
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    with changed:
        while not is_so() and not (given_up is not None and given_up.is_set()):
            left = float("inf") if deadline is None else deadline - time.monotonic()
            if left <= 0:
                return
            left = left if given_up is None else min(left, _GLANCE_S)
            changed.wait(None if left == float("inf") else left)
