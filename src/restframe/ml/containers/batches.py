"""Forecasts that several threads want of one model at the same time, made together.

A forecaster that computes for ten series at once needs far less than ten times as long as for one. Nobody waits for
company: whoever finds the model idle computes at once, and those who come meanwhile are computed together next.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from restframe.ml.deepar import Asked

    Samples = npt.NDArray[np.float32]

# Of samples of series, each a row in the network's state: so many that more at once would save little.
_BATCH_ROWS = 2048


class Model(Protocol):
    """What this module needs of a model; ml.deepar.Model is one."""

    def sample(self, asked: Sequence[Asked]) -> list[Samples]: ...


class _Waiting:
    """A caller and its question.

    woken : set when the question is answered, and when it is the caller's turn to compute
    """

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.answer: Samples | Exception | None = None
        self.woken = threading.Event()


class Batches:
    """A model that may be asked from any thread. Who asks for much asks in parts, and lets others in between."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._waiting: deque[_Waiting] = deque()  # in the order they came; the first one computes

    def sample(self, asked: Asked) -> Samples:
        """(series, samples, steps) float32. What the model raises for this question reaches this caller alone."""
        mine = _Waiting(asked)
        with self._lock:
            self._waiting.append(mine)
            if self._waiting[0] is mine:
                mine.woken.set()
        mine.woken.wait()
        if mine.answer is None:
            self._compute()
        assert mine.answer is not None
        if isinstance(mine.answer, Exception):
            raise mine.answer
        return mine.answer

    def _compute(self) -> None:
        """Answer those who wait longest, and wake them and who computes next."""
        batch: list[_Waiting] = []
        try:
            batch = self._batch()
            answers = self._answers([waiting.asked for waiting in batch])
            for waiting, answer in zip(batch, answers, strict=True):
                waiting.answer = answer
        finally:
            # when this thread is interrupted, it leaves alone; the others' questions stay
            with self._lock:
                self._waiting.popleft()
                for waiting in batch[1:]:
                    if waiting.answer is not None:
                        self._waiting.remove(waiting)
                        waiting.woken.set()
                if self._waiting:
                    self._waiting[0].woken.set()

    def _batch(self) -> list[_Waiting]:
        """As many as are worth computing together; one at least."""
        batch: list[_Waiting] = []
        rows = 0
        with self._lock:
            for waiting in self._waiting:
                rows += len(waiting.asked.series) * waiting.asked.samples
                if batch and rows > _BATCH_ROWS:
                    break
                batch.append(waiting)
        return batch

    def _answers(self, asked: Sequence[Asked]) -> Sequence[Samples | Exception]:
        try:
            return self._model.sample(asked)
        except Exception as error:  # noqa: BLE001  (whose fault it is shows when each is computed by itself)
            return [error] if len(asked) == 1 else [answer for one in asked for answer in self._answers([one])]
