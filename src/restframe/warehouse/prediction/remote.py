"""Rows to a remote endpoint and answers back: header-less CSV, in requests of bounded size.

https://docs.aws.amazon.com/redshift/latest/dg/r_create_model_use_cases.html#r_byom_create_model_remote_inference
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv

from restframe import errors
from restframe.catalog.models import Model
from restframe.ml.codecs import decode_scores
from restframe.types import SqlType
from restframe.warehouse.prediction import answers

if TYPE_CHECKING:
    from restframe.jobs import Service


def invoke_rows(
    jobs: Service, model: Model, arguments: Sequence[pa.Array], max_request_bytes: int
) -> list[Callable[[SqlType], pa.Array]]:
    """The requests that ask a model about these rows, in order; each call makes one and returns its answers."""
    rows = pa.table(list(arguments), names=[str(i) for i in range(len(arguments))])
    return [partial(_invoke, jobs, model, body, count) for body, count in _bodies(rows, model, max_request_bytes)]


def _bodies(rows: pa.Table, model: Model, max_bytes: int) -> Iterator[tuple[bytes, int]]:
    """Request bodies with the number of rows in each, none above the limits."""
    body = _csv(rows)
    fits = len(body) <= max_bytes and rows.num_rows <= (model.max_batch_rows or rows.num_rows)
    if fits or rows.num_rows == 1:
        yield body, rows.num_rows
        return
    pieces = max(-(-len(body) // max_bytes), -(-rows.num_rows // (model.max_batch_rows or rows.num_rows)), 2)
    size = max(1, rows.num_rows // pieces)
    for start in range(0, rows.num_rows, size):
        yield from _bodies(rows.slice(start, size), model, max_bytes)


def _csv(rows: pa.Table) -> bytes:
    """One line per row, no header, NULL as an empty field."""
    out = io.BytesIO()
    pyarrow.csv.write_csv(rows, out, pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed"))
    return out.getvalue()


def _invoke(jobs: Service, model: Model, body: bytes, count: int, returns: SqlType) -> pa.Array:
    assert model.endpoint is not None
    answer, content_type = jobs.invoke(model.endpoint, body, "text/csv", "text/csv")
    if content_type.partition(";")[0].strip().lower() == "text/csv":
        texts = answer.decode("utf-8", "replace").splitlines()
        _check_count(len(texts), count, model.endpoint)
        return answers.from_texts([text.strip().strip('"') for text in texts], returns, model.endpoint)
    scores = np.asarray(decode_scores(answer, content_type), np.float64)
    _check_count(len(scores), count, model.endpoint)
    return answers.from_numbers(scores, returns)


def _check_count(found: int, wanted: int, endpoint: str) -> None:
    if found != wanted:
        raise errors.EndpointFailed(f'endpoint "{endpoint}" answered {found} values for {wanted} rows')
