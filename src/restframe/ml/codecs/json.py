"""application/json and application/jsonlines, requests and answers.

An instance is a row: a list of numbers, {"features": [..]}, {"data": {"features": {"values": [..]}}}, or the sparse
form of the last with `keys` (positions from 0) and `shape`.

https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.ml.codecs import csv
from restframe.ml.codecs.vectors import SparseVector, stack

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]


_decode = json.JSONDecoder().decode


def parse(body: bytes, first_line: int = 1) -> Any:
    """The JSON value of a whole body; DataError with line and column when it is none."""
    try:
        return _decode(body.decode("utf-8-sig"))
    except RecursionError as error:
        raise errors.DataError("not JSON: nested too deeply") from error
    except json.JSONDecodeError as error:
        place = f"line {first_line + error.lineno - 1}, column {error.colno}"
        raise errors.DataError(f"not JSON: {error.msg[:1].lower()}{error.msg[1:]} at {place}") from error
    except ValueError as error:  # not UTF-8, or an integer of thousands of digits
        raise errors.DataError(f"not JSON: {str(error)[:100]}") from error


def decode(body: bytes) -> FloatArray:
    """The rows of {"instances": [..]} or of a plain list of instances, (n, d) float64; null is NaN."""
    if not body.strip():
        return _rows([])
    parsed = parse(body)
    instances = parsed.get("instances") if isinstance(parsed, dict) else parsed
    if not isinstance(instances, list):
        raise errors.DataError('a JSON request is a list of instances, or an object with the list "instances"')
    return _rows(instances)


def decode_lines(body: bytes) -> FloatArray:
    """The rows of one instance a line; empty lines are skipped."""
    return _rows(lines(body))


def encode(points: npt.NDArray[np.generic]) -> bytes:
    """The short form: {"instances": [{"features": [..]}]}."""
    return b'{"instances":[' + _instances(points, b",") + b"]}"


def encode_lines(points: npt.NDArray[np.generic]) -> bytes:
    return _instances(points, b"\n") + b"\n" * bool(len(points))


def encode_scores(scores: FloatArray) -> bytes:
    """{"scores": [{"score": x}, ..]}, with null for NaN."""
    return b'{"scores":[' + _score_objects(scores, b",") + b"]}"


def encode_score_lines(scores: FloatArray) -> bytes:
    return _score_objects(scores, b"\n") + b"\n" * bool(len(scores))


def decode_scores(body: bytes) -> FloatArray:
    parsed = parse(body)
    if not isinstance(parsed, dict) or not isinstance(parsed.get("scores"), list):
        raise errors.DataError('a JSON answer is an object with the list "scores"')
    return _scores(parsed["scores"])


def decode_score_lines(body: bytes) -> FloatArray:
    return _scores(lines(body))


def lines(body: bytes) -> list[Any]:
    return [parse(line, number) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]


def _instances(points: npt.NDArray[np.generic], between: bytes) -> bytes:
    return _each(points, b'{"features":[', b"]}", between)


def _score_objects(scores: FloatArray, between: bytes) -> bytes:
    return _each(scores.reshape(-1, 1), b'{"score":', b"}", between)


def _each(table: npt.NDArray[np.generic], before: bytes, after: bytes, between: bytes) -> bytes:
    """Rows of numbers as JSON, each between `before` and `after`: CSV's numbers are JSON's, but for the missing."""
    import numpy as np

    if not len(table):
        return b""
    if np.isinf(table).any():
        raise errors.NumericValueOutOfRange("JSON has no infinite numbers")
    text = csv.encode(table)[:-1]
    if np.isnan(table).any():
        text = b"\n".join(b",".join(field or b"null" for field in line.split(b",")) for line in text.split(b"\n"))
    return before + text.replace(b"\n", after + between + before) + after


def _scores(objects: list[Any]) -> FloatArray:
    import numpy as np

    try:
        return np.array([one["score"] for one in objects], dtype=np.float64).reshape(len(objects))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise errors.DataError('an answer\'s scores are objects with the number "score"') from error


def _rows(instances: list[Any]) -> FloatArray:
    return stack([_vector(instance, number) for number, instance in enumerate(instances, 1)], "instance")


def _vector(instance: Any, number: int) -> list[Any] | SparseVector:
    """The features in any of the forms an instance has."""
    if isinstance(instance, dict):
        data = instance.get("data", instance)
        features = data.get("features") if isinstance(data, dict) else data
        if isinstance(features, dict):
            return _tensor(features, number)
        if isinstance(features, list):
            return features
    elif isinstance(instance, list):
        return instance
    elif isinstance(instance, int | float):
        return [instance]
    raise errors.DataError(f'instance {number} has no list "features"')


def _tensor(features: dict[str, Any], number: int) -> list[Any] | SparseVector:
    values, keys, shape = features.get("values"), features.get("keys"), features.get("shape")
    if not isinstance(values, list):
        raise errors.DataError(f'instance {number} has no list "values"')
    if keys is None:
        return values
    if not (isinstance(keys, list) and isinstance(shape, list) and len(shape) == 1):
        raise errors.DataError(f'instance {number} is sparse: it needs the list "keys" and a "shape" of one number')
    return SparseVector(keys, values, shape[0])
