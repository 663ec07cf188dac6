"""Guessing passwords made slow: whoever fails often waits, longer each time, and nobody else does."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

_FREE = 3  # failures that cost nothing: people mistype
_FIRST_S = 0.25
_LONGEST_S = 5.0
_FORGOTTEN_S = 600.0
_MAX_KEPT = 10_000


class _Failures(NamedTuple):
    times: int
    last: float


class Throttle:
    """Failed logins by (address, user). Usable from any thread; what it remembers has a bound.

    clock : seconds that only grow
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[tuple[str, str], _Failures] = OrderedDict()

    def attempt(self, address: str, user: str) -> float:
        """Seconds to wait before an answer to this attempt, which counts as a failure until `succeeded`.

        So of many attempts made at once each finds the others, and whoever hangs up early gains nothing by it.
        """
        key, now = (address, user[:128]), self._clock()
        with self._lock:
            known = self._failures.pop(key, None)
            count = 0 if known is None or now - known.last > _FORGOTTEN_S else known.times
            self._failures[key] = _Failures(count + 1, now)
            if len(self._failures) > _MAX_KEPT:
                self._failures.popitem(last=False)
        return 0.0 if count < _FREE else min(_LONGEST_S, _FIRST_S * 2.0 ** min(count - _FREE, 16))

    def succeeded(self, address: str, user: str) -> None:
        with self._lock:
            self._failures.pop((address, user[:128]), None)
