"""Channels as objects: JSON Lines as DeepAR reads them, and beside them what makes requests of the same series."""

from __future__ import annotations

import dataclasses
import itertools
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from isal import isal_zlib

from restframe import errors
from restframe.ml.forecasting.reading import from_json
from restframe.ml.forecasting.series import Series

_GZIP = 31  # zlib's window bits that mean gzip


@dataclass(frozen=True, slots=True)
class Written:
    """gzip of JSON Lines. test : None when nothing is held back. whole : every series, features of the future too."""

    train: bytes
    test: bytes | None
    whole: bytes


def written(series: Sequence[Series], prediction_length: int, windows: int) -> Written:
    """The lines of all channels.

    The test has each series once for each window, so far that its last steps are those of the window, where anything
    was observed in them and before. DataError when the steps that are held back leave nothing to train on.
    """
    train, test, whole = _Lines(), _Lines(), _Lines()
    for one in series:
        line = _Line(one)
        whole.add(line.until(len(one), one.features.shape[1]))
        ends = [len(one) - window * prediction_length for window in range(windows, -1, -1)]
        if _observed(one, 0, ends[0]):
            train.add(line.until(ends[0]))
        for begin, end in itertools.pairwise(ends):
            if _observed(one, 0, begin) and _observed(one, begin, end):
                test.add(line.until(end))
    if not train.count:
        raise errors.DataError(
            f"nothing is left to train on: the longest series has {max(map(len, series))} steps, "
            f"and {windows} x {prediction_length} of them are held back for the test"
        )
    return Written(train.finish(), test.finish() if windows else None, whole.finish())


def read(data: bytes, items: Sequence[str]) -> dict[str, Series]:
    """What `written` wrote of whole series, under their names; ValueError or DataError for anything else."""
    try:
        lines = zlib.decompress(data, wbits=_GZIP).decode().splitlines()
    except zlib.error as error:
        raise ValueError(str(error)) from error
    found = [from_json(json.loads(line)) for line in lines]
    return {item: dataclasses.replace(one, item=item or None) for item, one in zip(items, found, strict=True)}


def written_time(time: np.datetime64) -> str:
    """2020-03-01 00:00:00"""
    return str(time.astype("datetime64[s]")).replace("T", " ")


def _observed(series: Series, first: int, end: int) -> bool:
    return 0 <= first < end and not bool(np.isnan(series.target[first:end]).all())


class _Lines:
    """Lines, compressed as they come."""

    def __init__(self) -> None:
        self.count = 0
        self._compressor = isal_zlib.compressobj(level=1, wbits=_GZIP)
        self._parts: list[bytes] = []

    def add(self, line: bytes) -> None:
        self._parts.append(self._compressor.compress(line))
        self.count += 1

    def finish(self) -> bytes:
        return b"".join([*self._parts, self._compressor.flush()])


class _Line:
    """A series as JSON, whose beginnings are cheap: its numbers become text once."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._target = _Numbers(series.target)
        self._features = [_Numbers(feature) for feature in series.features]

    def until(self, length: int, features: int | None = None) -> bytes:
        """The line of the first observations, and as many of the features unless more are asked for."""
        parts = [b'{"start":"', written_time(self._series.start).encode(), b'","target":', self._target.first(length)]
        if self._series.categories:
            parts += [b',"cat":', json.dumps(self._series.categories).encode()]
        if self._features:
            known = b",".join(one.first(length if features is None else features) for one in self._features)
            parts += [b',"dynamic_feat":[', known, b"]"]
        return b"".join([*parts, b"}\n"])


class _Numbers:
    """Numbers as JSON: null for NaN, and the fewest digits that give the same number."""

    def __init__(self, numbers: npt.NDArray[np.floating[Any]]) -> None:
        texts = pc.fill_null(pa.array(numbers, from_pandas=True).cast(pa.string()), "null")
        joined = pc.binary_join(pa.ListArray.from_arrays([0, len(texts)], texts), ",")
        self._text: bytes = joined[0].as_py().encode()
        self._ends = np.cumsum(pc.binary_length(texts).to_numpy() + 1) - 1

    def first(self, length: int) -> bytes:
        return b"[" + self._text[: self._ends[length - 1]] + b"]"
