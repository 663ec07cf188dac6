"""An iterator that runs ahead of its reader, in a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

_NOTICE_STOP_S = 0.01


class Prefetch(Generic[T]):
    """Holds at most `ahead` items that have not been taken. To be closed, by its reader or by whoever made it.

    check : called again and again while the reader waits; raises to stop waiting
    """

    def __init__(self, items: Generator[T], ahead: int, check: Callable[[], None]) -> None:
        self._items = items
        self._check = check
        self._queue: queue.Queue[T | _End] = queue.Queue(ahead)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="copy-prefetch", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            for item in self._items:
                if not self._put(item):
                    break
        except BaseException as raised:  # noqa: BLE001  (it is raised again where the items are read)
            error = raised
        finally:
            self._items.close()
            self._put(_End(error))

    def _put(self, item: T | _End) -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=_NOTICE_STOP_S)
                return True
            except queue.Full:
                continue
        return False

    def __iter__(self) -> Iterator[T]:
        while True:
            try:
                item = self._queue.get(timeout=_NOTICE_STOP_S)
            except queue.Empty:
                self._check()
                continue
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item

    def close(self) -> None:
        """Stop. What was held open is closed by then, unless it waits for somebody else; it is closed later then."""
        self._stopped.set()
        self._thread.join(timeout=5 * _NOTICE_STOP_S)


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error
