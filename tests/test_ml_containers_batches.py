"""What threads ask of one model at the same time is computed together."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pytest

from restframe import errors
from restframe.ml.containers.batches import Batches
from restframe.ml.deepar import Asked
from restframe.ml.forecasting.series import Series

Samples = npt.NDArray[np.float32]


def question(*values: float, samples: int = 100, seed: int | None = None) -> Asked:
    start = np.datetime64("2020-01-01", "s")
    return Asked(tuple(Series(start, np.array([float(value)])) for value in values), samples, seed)


class Slow:
    """A model that says a series' last value again, when it is let; a negative one it refuses, with all beside it."""

    def __init__(self) -> None:
        self.let = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)
        self.batches: list[list[list[float]]] = []  # of each call, of each question

    def sample(self, asked: Sequence[Asked]) -> list[Samples]:
        values = [[float(series.target[-1]) for series in one.series] for one in asked]
        self.batches.append(values)
        self.begun.release()
        assert self.let.acquire(timeout=60)
        if min(map(min, values)) < 0:
            raise errors.DataError(f"{values} has a negative value")
        return [
            np.array(ends, np.float32)[:, None, None].repeat(one.samples, 1).repeat(2, 2)
            for one, ends in zip(asked, values, strict=True)
        ]


class Crowd:
    """Threads that ask the same model; each waits in line before the next comes."""

    def __init__(self, model: Slow) -> None:
        self.batches = Batches(model, workers=1)
        self.threads = ThreadPoolExecutor(32)

    def ask(self, *questions: Asked) -> list[float | str]:
        """What each got: its number, or the error's words. The first one is being computed when the others come."""
        model = self.batches._model
        assert isinstance(model, Slow)
        futures = []
        for number, one in enumerate(questions):
            futures.append(self.threads.submit(self._one, one))
            if number == 0:
                assert model.begun.acquire(timeout=60)
            else:
                while len(self.batches._waiting) < number:
                    threading.Event().wait(0.001)
        for _ in range(100):
            model.let.release()
        return [future.result(60) for future in futures]

    def _one(self, asked: Asked) -> float | str:
        try:
            return float(self.batches.sample(asked)[-1, -1, -1])
        except errors.DataError as error:
            return error.message


@pytest.fixture
def model() -> Slow:
    return Slow()


@pytest.fixture
def crowd(model: Slow) -> Crowd:
    return Crowd(model)


def test_who_comes_alone_does_not_wait(model: Slow) -> None:
    model.let.release()
    assert Batches(model).sample(question(5)).shape == (1, 100, 2)
    assert model.batches == [[[5.0]]]


def test_who_waits_at_the_same_time_is_computed_together(model: Slow, crowd: Crowd) -> None:
    assert crowd.ask(*(question(value) for value in range(6))) == [0, 1, 2, 3, 4, 5]
    assert model.batches == [[[0]], [[1, 2, 3, 4, 5]]]
    assert crowd.ask(question(7)) == [7]  # and afterwards it is idle again


def test_a_batch_is_not_larger_than_pays(model: Slow, crowd: Crowd) -> None:
    assert crowd.ask(*(question(value, samples=1000) for value in range(6)), question(6, samples=5000)) == [
        0,
        1,
        2,
        3,
        4,
        5,
        6,
    ]
    assert model.batches == [[[0]], [[1, 2]], [[3, 4]], [[5]], [[6]]]


def test_questions_become_one_but_for_those_with_a_seed(model: Slow, crowd: Crowd) -> None:
    asked = [question(0), question(1), question(2, 3), question(4, seed=1), question(5, samples=7), question(6, seed=1)]
    assert crowd.ask(*asked) == [0, 1, 3, 4, 5, 6]
    assert model.batches == [[[0]], [[1, 2, 3], [4], [5], [6]]]


def test_an_error_reaches_only_whose_it_is(model: Slow, crowd: Crowd) -> None:
    assert crowd.ask(question(0), question(1), question(-2), question(3)) == [
        0, 1, "[[-2.0]] has a negative value", 3,
    ]  # fmt: skip
    assert model.batches == [[[0]], [[1, -2, 3]], [[1]], [[-2]], [[3]]]


def test_an_error_of_who_computes_stops_nobody(crowd: Crowd) -> None:
    assert crowd.ask(question(-1), question(1), question(-2)) == [
        "[[-1.0]] has a negative value", 1, "[[-2.0]] has a negative value",
    ]  # fmt: skip


def test_a_thread_that_is_interrupted_leaves_the_others_to_the_next(model: Slow) -> None:
    batches = Batches(model, workers=1)
    let = threading.Event()
    counts: list[int] = []

    def interrupted(asked: Sequence[Asked]) -> list[Samples]:
        assert let.wait(60)
        counts.append(len(asked[0].series))
        if len(counts) == 2:
            raise KeyboardInterrupt
        (one,) = asked  # those that wait have become one
        return [np.array([series.target[-1] for series in one.series], np.float32)[:, None, None]]

    model.sample = interrupted  # type: ignore[method-assign]
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(batches.sample, question(0))
        while not batches._computing:
            threading.Event().wait(0.001)
        others = []
        for value in (1, 2, 3):
            others.append(threads.submit(batches.sample, question(value)))
            while len(batches._waiting) < value:
                threading.Event().wait(0.001)
        let.set()
        assert first.result(60)[0, 0, 0] == 0
        assert isinstance(others[0].exception(60), KeyboardInterrupt)
        assert [one.result(60)[0, 0, 0] for one in others[1:]] == [2, 3]
    assert counts == [1, 3, 2]


def test_each_processor_takes_its_share(model: Slow) -> None:
    batches = Batches(model, workers=2)
    with ThreadPoolExecutor(8) as threads:
        futures = [threads.submit(batches.sample, question(value)) for value in range(2)]
        assert model.begun.acquire(timeout=60)
        assert model.begun.acquire(timeout=60)
        for value in range(2, 8):
            futures.append(threads.submit(batches.sample, question(value)))
            while len(batches._waiting) < value - 1:
                threading.Event().wait(0.001)
        for _ in range(8):
            model.let.release()
        assert [future.result(60)[0, 0, 0] for future in futures] == list(range(8))
    assert sorted(model.batches[:2]) == [[[0]], [[1]]]
    assert max(len(batch[0]) for batch in model.batches) <= 3  # of the six who waited for two


def test_parts_of_a_question_are_computed_on_idle_processors_at_the_same_time(model: Slow) -> None:
    batches = Batches(model, workers=2)
    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(lambda: [part[0, 0, 0] for part in batches.samples(map(question, range(5)))])
        for begun in (2, 2, 1):  # none of them has an answer yet
            for _ in range(begun):
                assert model.begun.acquire(timeout=60)
            for _ in range(begun):
                model.let.release()
        assert future.result(60) == [0, 1, 2, 3, 4]
    assert batches._computing == 0


def test_parts_of_a_question_are_computed_one_by_one_where_no_processor_is_idle(model: Slow) -> None:
    batches = Batches(model, workers=1)
    for _ in range(3):
        model.let.release()
    parts = batches.samples(map(question, range(3)))
    assert next(parts)[0, 0, 0] == 0
    assert model.batches == [[[0]]]  # others may come in between
    assert [part[0, 0, 0] for part in parts] == [1, 2]
    assert model.batches == [[[0]], [[1]], [[2]]]


def test_an_error_of_a_part_is_the_error_of_the_question(model: Slow) -> None:
    for _ in range(3):
        model.let.release()
    with pytest.raises(errors.DataError, match="has a negative value"):
        list(Batches(model, workers=3).samples([question(1), question(-2), question(3)]))


def test_many_threads_each_get_their_own(model: Slow) -> None:
    batches = Batches(model)
    for _ in range(2000):
        model.let.release()
    with ThreadPoolExecutor(16) as threads:
        values = [float(value) for value in range(500)]
        found = list(threads.map(lambda value: float(batches.sample(question(value, samples=1))[0, 0, 0]), values))
    assert found == values
