"""What inference requests and their answers look like in bytes: arrays on one side, a content type on the other.

text/csv                          one row a line, no header; an empty field is a missing value
application/json                  {"instances": [{"features": [..]}]}, or the long form with data, features, values
application/jsonlines             the same instances, one a line
application/x-recordio-protobuf   framed protobuf records, dense or sparse

Arrays are (n, d) float64; a missing value is NaN. Scores are (n,) float64, written out in full, except that
recordio answers carry float32 as SageMaker's do.

https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from restframe import errors
from restframe.ml.codecs import csv, json, recordio
from restframe.ml.codecs.media_types import accepted, parse_media_type

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

CSV = "text/csv"
JSON = "application/json"
JSON_LINES = "application/jsonlines"
RECORDIO = "application/x-recordio-protobuf"
CONTENT_TYPES = (CSV, JSON, JSON_LINES, RECORDIO)


@dataclass(frozen=True, slots=True)
class Records:
    """Rows of numbers: features (n, d) float64, and labels (n,) float64 where the bytes carry them."""

    features: FloatArray
    labels: FloatArray | None = None


def decode(body: bytes, content_type: str, *, label_size: int = 0) -> Records:
    """The rows of a request or of a training object; none for an empty body.

    label_size : 1 when CSV rows begin with a label; a `label_size` parameter of the content type wins.

    NotSupportedError for another content type; DataError naming line and column, or the record, for bytes that are
    not what the content type says.
    """
    media_type, parameters = parse_media_type(content_type)
    if media_type == CSV:
        return _split_label(csv.decode(body), parameters.get("label_size", str(label_size)))
    if media_type == JSON:
        return Records(json.decode(body))
    if media_type == JSON_LINES:
        return Records(json.decode_lines(body))
    if media_type == RECORDIO:
        return Records(*recordio.decode(body))
    raise _unsupported("content type", content_type)


def encode(points: npt.NDArray[np.generic], content_type: str, labels: FloatArray | None = None) -> bytes:
    """The bytes of a request: the reverse of `decode`.

    In recordio the array's kind chooses the tensor: float32, float64, or int32 for integers. Labels go in front of
    CSV rows and into recordio's label; JSON has no place for them.
    """
    media_type, _ = parse_media_type(content_type)
    if media_type == CSV:
        return csv.encode(points, labels)
    if media_type == RECORDIO:
        return recordio.encode(points, labels)
    if labels is None and media_type == JSON:
        return json.encode(points)
    if labels is None and media_type == JSON_LINES:
        return json.encode_lines(points)
    raise _unsupported("content type", content_type)


def check_accept(accept: str) -> str:
    """The content type in which scores go to a client with this Accept header; JSON when it does not say.

    NotSupportedError when it accepts none of ours.
    """
    media_type = accepted(accept, (JSON, CSV, JSON_LINES, RECORDIO))
    if media_type is None:
        raise _unsupported("accept type", accept)
    return media_type


def encode_scores(scores: FloatArray, accept: str = "") -> tuple[bytes, str]:
    """An answer as `check_accept` chooses its form, and its content type."""
    media_type = check_accept(accept)
    encoders = {
        JSON: json.encode_scores,
        CSV: csv.encode_scores,
        JSON_LINES: json.encode_score_lines,
        RECORDIO: recordio.encode_scores,
    }
    return encoders[media_type](scores), media_type


def decode_scores(body: bytes, content_type: str) -> FloatArray:
    """The scores of an answer: the reverse of `encode_scores`."""
    media_type, _ = parse_media_type(content_type)
    if media_type == CSV:
        return csv.decode_scores(body)
    if media_type == JSON:
        return json.decode_scores(body)
    if media_type == JSON_LINES:
        return json.decode_score_lines(body)
    if media_type == RECORDIO:
        return recordio.decode_scores(body)
    raise _unsupported("content type", content_type)


def _split_label(table: FloatArray, label_size: str) -> Records:
    if label_size == "0":
        return Records(table)
    if label_size != "1":
        raise errors.InvalidParameterValue(f'label_size must be 0 or 1, not "{label_size[:20]}"')
    if table.shape[0] and table.shape[1] < 2:
        raise errors.DataError("a row with a label needs at least two columns")
    return Records(table[:, 1:], table[:, 0]) if table.shape[0] else Records(table)


def _unsupported(what: str, given: str) -> errors.NotSupportedError:
    return errors.NotSupportedError(
        f'{what} "{given[:100]}" is not supported', hint=f"Use one of {', '.join(CONTENT_TYPES)}."
    )
