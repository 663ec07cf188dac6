"""Series as SageMaker's DeepAR takes them: JSON Lines, plain or in gzip, and Parquet.

One series a line, {"start": "2019-01-01 00:00:00", "target": [4, "NaN", null], "cat": [0], "dynamic_feat": [[..]]}; in
Parquet the same names are columns.

https://docs.aws.amazon.com/sagemaker/latest/dg/deepar.html#deepar-inputoutput
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from restframe import errors
from restframe.ml.algorithm import Channel
from restframe.ml.codecs import json
from restframe.ml.codecs.media_types import parse_media_type
from restframe.ml.forecasting import lines, parquet
from restframe.ml.forecasting.series import Series

if TYPE_CHECKING:
    import numpy.typing as npt

_PARQUET_TYPES = ("application/x-parquet", "parquet")
_JSON_TYPES = ("application/jsonlines", "application/json", "application/x-gzip", "json")

_PARQUET_START = b"PAR1"
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?")
_ZONE = re.compile(r"(Z|UTC|[+-]\d\d(:?\d\d)?)$", re.IGNORECASE)
_FIRST_TIME, _AFTER_LAST_TIME = np.datetime64("0001-01-01T00:00:00"), np.datetime64("10000-01-01T00:00:00")
_LARGEST_NUMBER = 1e30  # its square is no float32, and what is larger is an accident
_MAX_NUMBERS = 1 << 27  # of one channel: a gigabyte
_NUMBERS_PER_SERIES = 50  # what a series takes beside its numbers
_MAX_CATEGORIES = 100
_MAX_CATEGORY = 999_999
_MAX_FEATURES = 10_000


def read(name: str, channel: Channel) -> list[Series]:
    """All series of a channel, alike in categories and features; hidden objects and Spark's _SUCCESS are skipped.

    name : of the channel, for messages

    DataError naming object, line and reason when one is not right, or when there is none at all.
    """
    found: list[Series] = []
    room = _MAX_NUMBERS
    for where, content in channel.objects:
        file = where.rpartition("/")[2]
        if file.startswith(".") or "_SUCCESS" in file:
            continue
        with _at(f'"{where[:200]}"'):
            for one in _series(content, _is_parquet(file, content, channel.content_type), found[:1]):
                room -= len(one) + one.features.size + _NUMBERS_PER_SERIES
                if room < 0:
                    raise errors.DataError(f'the channel "{name[:100]}" has more than {_MAX_NUMBERS} numbers')
                found.append(one)
    if not found:
        raise errors.DataError(f'the channel "{name[:100]}" has no series')
    return found


def from_json(fields: Any) -> Series:
    """One series from its JSON object; other fields than the known ones are ignored.

    Every feature is as long as every other and at least as long as the target. DataError saying what is wrong.
    """
    if not isinstance(fields, Mapping):
        raise errors.DataError('a series is an object with "start" and "target"')
    for field in ("start", "target"):
        if field not in fields:
            raise errors.DataError(f'the series has no "{field}"')
    item = fields.get("item_id")
    target = _numbers(fields["target"], "target")
    return Series(
        start=_start(fields["start"]),
        target=target,
        categories=_categories(fields.get("cat")),
        features=_features(fields.get("dynamic_feat"), len(target)),
        item=item if isinstance(item, str) else None,
    )


@contextmanager
def _at(place: str) -> Iterator[None]:
    """Put the place before the message of a DataError."""
    try:
        yield
    except errors.DataError as error:
        raise errors.DataError(f"{place}: {error.message}", hint=error.hint) from error


def _is_parquet(file: str, content: bytes, content_type: str | None) -> bool:
    if file.endswith(".parquet"):
        return True
    if file.endswith((".json", ".json.gz", ".jsonl", ".jsonl.gz")):
        return False
    if content_type is None:
        return content.startswith(_PARQUET_START)
    media_type = parse_media_type(content_type)[0]
    if media_type not in _PARQUET_TYPES + _JSON_TYPES:
        raise errors.DataError(
            f'the content type "{content_type[:100]}" is none of series',
            hint=f"Use {', '.join(_JSON_TYPES + _PARQUET_TYPES)}.",
        )
    return media_type in _PARQUET_TYPES


def _series(content: bytes, is_parquet: bool, first: list[Series]) -> Iterator[Series]:
    """The series of one object, each compared with the first of the channel, if there is one already."""
    for number, row in parquet.rows(content) if is_parquet else lines.lines(content):
        with _at(f"{'row' if is_parquet else 'line'} {number}"):
            one = from_json(json.parse(row.rstrip(), number) if isinstance(row, bytes) else row)
            if len(one.features) and one.features.shape[1] != len(one):
                raise errors.DataError(
                    f'"dynamic_feat" has {one.features.shape[1]} numbers a feature, "target" has {len(one)}',
                    hint="For training each feature is as long as the target.",
                )
            first = first or [one]
            _compare(first[0], one)
        yield one


def _compare(first: Series, one: Series) -> None:
    for field, expected, count in (
        ("cat", len(first.categories), len(one.categories)),
        ("dynamic_feat", len(first.features), len(one.features)),
    ):
        if count != expected:
            raise errors.DataError(f'"{field}" has {count} entries, in the first series {expected}')


def _start(value: Any) -> np.datetime64:
    """datetime64[s] of a text, or of a date or datetime64 as Parquet has them."""
    if isinstance(value, str):
        shown = value[:100]
        if not _DATE.fullmatch(value):
            zone = _DATE.match(value) and _ZONE.search(value)
            raise errors.DataError(
                f'"start" is "{shown}", {"which has a time zone" if zone else "not a date"}',
                hint="Write YYYY-MM-DD HH:MM:SS or the date alone, without a time zone.",
            )
    elif not isinstance(value, date | np.datetime64):
        raise errors.DataError('"start" is not a date written as text')
    try:
        time = np.datetime64(value, "s")
    except ValueError as error:
        raise errors.DataError(f'"start" is "{str(value)[:100]}", a date that does not exist') from error
    if not _FIRST_TIME <= time < _AFTER_LAST_TIME:
        raise errors.DataError('"start" is missing or not between the years 1 and 9999')
    return time


def _numbers(values: Any, field: str) -> npt.NDArray[np.float64]:
    """float64 of a list of numbers in which null and any "NaN" are NaN, or of an array."""
    if isinstance(values, np.ndarray):
        numbers = values.astype(np.float64)
    elif isinstance(values, list):
        if not set(map(type, values)) <= {int, float}:
            values = [_number(value, position, field) for position, value in enumerate(values)]
        try:
            numbers = np.array(values, dtype=np.float64)
        except OverflowError as error:
            raise errors.DataError(f'"{field}" has a number that is too large') from error
    else:
        raise errors.DataError(f'"{field}" is not a list of numbers')
    # NaN is the greatest for neither comparison
    if len(numbers) and (np.fmax.reduce(numbers) > _LARGEST_NUMBER or np.fmin.reduce(numbers) < -_LARGEST_NUMBER):
        raise errors.DataError(f'"{field}" has a number beyond {_LARGEST_NUMBER:g}')
    return cast("npt.NDArray[np.float64]", numbers)


def _number(value: Any, position: int, field: str) -> float:
    if value is None or (isinstance(value, str) and value.lower() == "nan"):
        return float("nan")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    shown = f'"{value[:100]}"' if isinstance(value, str) else type(value).__name__
    raise errors.DataError(f'"{field}" has {shown} at position {position}, which is not a number')


def _categories(value: Any) -> tuple[int, ...]:
    """Of a list, or of one number, as older clients write it."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    if not all(type(one) is int and 0 <= one <= _MAX_CATEGORY for one in values):
        raise errors.DataError(f'"cat" is not a list of whole numbers from 0 to {_MAX_CATEGORY}')
    if len(values) > _MAX_CATEGORIES:
        raise errors.DataError(f'"cat" has {len(values)} entries, the limit is {_MAX_CATEGORIES}')
    return tuple(values)


def _features(value: Any, length: int) -> npt.NDArray[np.float32]:
    """(m, length or longer) float32, without gaps."""
    if value is None or (isinstance(value, list) and not value):
        return np.empty((0, length), np.float32)
    if not isinstance(value, list):
        raise errors.DataError('"dynamic_feat" is not a list of lists of numbers')
    if len(value) > _MAX_FEATURES:
        raise errors.DataError(f'"dynamic_feat" has {len(value)} features, the limit is {_MAX_FEATURES}')
    rows = [_numbers(row, "dynamic_feat") for row in value]
    for number, row in enumerate(rows):
        if len(row) != len(rows[0]) or len(row) < length:
            raise errors.DataError(
                f'"dynamic_feat" has {len(row)} numbers in feature {number}, '
                + (f'"target" has {length}' if len(row) < length else f"{len(rows[0])} in feature 0")
            )
        if np.isnan(row).any():
            raise errors.DataError(f'"dynamic_feat" has missing values in feature {number}')
    return np.array(rows, np.float32)
