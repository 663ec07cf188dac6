"""What SQL sends to endpoints that are not ours, and reads from them: Arrow columns of any type, one value a row back.

Redshift writes CSV without a header and wants one value a line. MLflow's servers take CSV with a header or a JSON
object `dataframe_split`, and answer JSON. Both are served here; which one, the endpoint's registration says.

https://docs.aws.amazon.com/redshift/latest/dg/tutorial_remote_inference.html
https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/
"""

from __future__ import annotations

import json as json_text
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.ml.codecs import csv, json
from restframe.ml.codecs.media_types import parse_media_type

if TYPE_CHECKING:
    import pyarrow as pa


def encode_columns(columns: Sequence[pa.Array], content_type: str, names: Sequence[str] = ()) -> bytes:
    """Rows for an endpoint; NULL is an empty field in CSV and null in JSON.

    names : of the columns; they make a header line in CSV, and `dataframe_split` in JSON. Without them CSV has no
        header, and JSON is the short form with instances and features.
    """
    if names and len(names) != len(columns):
        raise errors.DataError(f"the endpoint takes {len(names)} columns, not {len(columns)}")
    media_type, _ = parse_media_type(content_type)
    if media_type == "text/csv":
        return csv.write(list(columns), list(names) or None)
    if media_type != "application/json":
        raise errors.NotSupportedError(f'content type "{content_type[:100]}" is not supported for endpoints')
    rows = list(zip(*(column.to_pylist() for column in columns), strict=True))
    if names:
        return _dumps({"dataframe_split": {"columns": list(names), "data": rows}})
    return _dumps({"instances": [{"features": row} for row in rows]})


def decode_values(body: bytes, content_type: str, count: int) -> pa.Array:
    """One value for each of `count` rows: text for CSV, else what JSON had; nested JSON stays JSON text.

    CSV answers are one value a line; one line with all values, as older XGBoost containers send, is understood too.
    JSON answers are a list, or an object with the list `predictions` or `scores`, or with one list; a value may be
    wrapped in a list or an object of one.

    DataError when the answer has another number of values, or is none of this.
    """
    media_type, _ = parse_media_type(content_type)
    if media_type == "application/json":
        values = _json_values(json.parse(body))
    elif media_type == "application/jsonlines":
        values = json.lines(body)
    elif media_type in ("text/csv", "text/plain"):
        values = _csv_values(body, count)
    else:
        raise errors.DataError(f'the answer has the content type "{content_type[:100]}"')
    if len(values) != count:
        raise errors.DataError(f"the answer has {len(values)} values for {count} rows")
    return _array([_bare(value) for value in values])


def _csv_values(body: bytes, count: int) -> list[str | None]:
    try:
        lines = body.decode("utf-8-sig").replace("\r\n", "\n").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise errors.DataError("the answer is not UTF-8 text") from error
    if len(lines) == 1 and count > 1 and lines[0].count(",") == count - 1:
        lines = lines[0].split(",")
    if lines == [""] and count == 0:
        return []
    return [_unquoted(line.strip()) for line in lines]


def _unquoted(line: str) -> str | None:
    if len(line) > 1 and line[0] == line[-1] == '"':
        return line[1:-1].replace('""', '"')
    return line or None


def _json_values(answer: Any) -> list[Any]:
    if isinstance(answer, dict):
        lists = [value for value in answer.values() if isinstance(value, list)]
        answer = answer.get("predictions", answer.get("scores", lists[0] if len(lists) == 1 else None))
    if not isinstance(answer, list):
        raise errors.DataError("the answer is JSON without a list of predictions")
    return answer


def _bare(value: Any) -> Any:
    """A value without the list or object of one around it; what stays nested becomes JSON text, for SUPER."""
    while isinstance(value, list | dict) and len(value) == 1:
        value = value[0] if isinstance(value, list) else next(iter(value.values()))
    return _dumps(value).decode() if isinstance(value, list | dict) else value


def _array(values: list[Any]) -> pa.Array:
    import pyarrow as pa

    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):  # texts among numbers, or huge integers
        return pa.array([value if value is None else _text(value) for value in values], pa.string())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _dumps(value).decode()


def _dumps(value: Any) -> bytes:
    return json_text.dumps(value, default=str, separators=(",", ":")).encode()
