"""Several requests under way at once, for a statement that may be cancelled meanwhile."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from restframe.jobs import Request

# How often a statement that waits for an endpoint looks whether it was cancelled.
_GLANCE_S = 0.02

_Finished = tuple[int, pa.Array | BaseException]


def ask(requests: Sequence[Request], at_once: int, check_cancelled: Callable[[], None]) -> list[pa.Array]:
    """The answers, in the order of the requests.

    Raises what the first request to fail raises, or `check_cancelled`; the others are then broken off. Nothing waits
    for them: a thread that is stuck in connecting to a server ends when the server's time is over, or with the process.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    finished: queue.SimpleQueue[_Finished] = queue.SimpleQueue()
    for place in range(len(requests)):
        waiting.put(place)

    def work() -> None:
        while True:
            try:
                place = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                finished.put((place, requests[place].answer()))
            except BaseException as error:  # noqa: BLE001  (raised where the answer is waited for)
                finished.put((place, error))

    for _ in range(min(at_once, len(requests))):
        threading.Thread(target=work, name="restframe-asking", daemon=True).start()
    answers: dict[int, pa.Array] = {}
    try:
        while len(answers) < len(requests):
            place, found = _next(finished, check_cancelled)
            if isinstance(found, BaseException):
                raise found
            answers[place] = found
    except BaseException:
        for request in requests:
            request.stop()
        raise
    return [answers[place] for place in range(len(requests))]


def _next(finished: queue.SimpleQueue[_Finished], check_cancelled: Callable[[], None]) -> _Finished:
    while True:
        try:
            return finished.get(timeout=_GLANCE_S)
        except queue.Empty:
            check_cancelled()
