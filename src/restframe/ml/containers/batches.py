"""Forecasts that several threads want of one model at the same time, made together.

A forecaster that computes for ten series at once needs less than ten times as long as for one. Nobody waits for
company: whoever finds a processor idle computes at once, and those who come when all are taken are computed together
next.
"""

from __future__ import annotations

import dataclasses
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from restframe.ml.deepar import Asked

    Samples = npt.NDArray[np.float32]

# Samples of series, each a row in the network's state: so many that more at once would save little.
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
    """A model that may be asked from any thread. Who asks for much asks in parts, and lets others in between.

    workers : callers who compute at once, for themselves and for others; each takes its share of who waits
    """

    def __init__(self, model: Model, workers: int | None = None) -> None:
        self._model = model
        self._workers = workers or os.cpu_count() or 1
        self._computing = 0
        self._lock = threading.Lock()
        self._waiting: deque[_Waiting] = deque()  # in the order they came
        self._helpers = ThreadPoolExecutor(self._workers, "forecasting")  # its threads begin when there is work

    def idle(self) -> int:
        """Processors that nobody computes on."""
        return self._workers - self._computing

    def samples(self, parts: Iterable[Asked]) -> Iterator[Samples]:
        """The answer to each part of a question, in their order; at the same time, as far as processors are idle."""
        left = deque(parts)
        while left:
            mine = left.popleft()
            helpers = min(self.idle() - 1, len(left))
            others = [self._helpers.submit(self.sample, left.popleft()) for _ in range(helpers)]
            yield self.sample(mine)
            for other in others:
                yield other.result()

    def sample(self, asked: Asked) -> Samples:
        """(series, samples, steps) float32. What the model raises for this question reaches this caller alone."""
        mine = _Waiting(asked)
        with self._lock:
            if self._computing < self._workers:
                self._computing += 1
                mine.woken.set()
            else:
                self._waiting.append(mine)
        mine.woken.wait()
        if mine.answer is None:
            self._compute(mine)
        assert mine.answer is not None
        if isinstance(mine.answer, Exception):
            raise mine.answer
        return mine.answer

    def _compute(self, mine: _Waiting) -> None:
        """Answer this question and some that wait; then it is another's turn."""
        batch = [mine]
        try:
            batch += self._share(mine)
            for waiting, answer in zip(batch, self._answers([one.asked for one in batch]), strict=True):
                waiting.answer = answer
        finally:
            left = [one for one in batch[1:] if one.answer is None]  # when this thread was interrupted
            for waiting in batch[1:]:
                if waiting.answer is not None:
                    waiting.woken.set()
            with self._lock:
                self._waiting.extendleft(reversed(left))
                if self._waiting:
                    self._waiting.popleft().woken.set()
                else:
                    self._computing -= 1

    def _share(self, mine: _Waiting) -> list[_Waiting]:
        """Those who have waited longest, as many as are worth computing together."""
        found: list[_Waiting] = []
        rows = _rows(mine)
        with self._lock:
            count = len(self._waiting) // self._workers
            while self._waiting and len(found) < count and rows + _rows(self._waiting[0]) <= _BATCH_ROWS:
                found.append(self._waiting.popleft())
                rows += _rows(found[-1])
        return found

    def _answers(self, asked: Sequence[Asked]) -> Sequence[Samples | Exception]:
        groups = _groups(asked)
        answers: dict[int, Samples | Exception] = {}
        try:
            together = self._model.sample([_joined([asked[place] for place in places]) for places in groups])
        except Exception as error:  # noqa: BLE001  (whose fault it is shows when each is computed by itself)
            return [error] if len(asked) == 1 else [answer for one in asked for answer in self._answers([one])]
        for places, samples in zip(groups, together, strict=True):
            first = 0
            for place in places:
                answers[place] = samples[first : first + len(asked[place].series)]
                first += len(asked[place].series)
        return [answers[place] for place in range(len(asked))]


def _groups(asked: Sequence[Asked]) -> list[list[int]]:
    """Places of questions that become one: those with as many samples; each with a seed stays by itself."""
    groups: dict[tuple[int, int | None], list[int]] = {}
    for place, one in enumerate(asked):
        groups.setdefault((one.samples, None if one.seed is None else place), []).append(place)
    return list(groups.values())


def _joined(asked: Sequence[Asked]) -> Asked:
    return dataclasses.replace(asked[0], series=tuple(series for one in asked for series in one.series))


def _rows(waiting: _Waiting) -> int:
    return len(waiting.asked.series) * waiting.asked.samples
