"""Rows for other programs: CSV, JSON and Parquet, written while they stream."""

from __future__ import annotations

import contextlib
import csv
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, TextIO

from restframe import errors
from restframe.cli.text import json_texts, texts
from restframe.result import Result


class Sink(Protocol):
    """What rows are written to."""

    def write(self, text: str, /) -> object: ...


def write_csv(result: Result, stream: Sink) -> None:
    """A header line, then RFC 4180 with plain line ends; NULL and the empty text are both empty."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([column.name for column in result.columns])
    types = [column.type for column in result.columns]
    for batch in result.batches():
        columns = [texts(column, type_) for column, type_ in zip(batch.columns, types, strict=True)]
        writer.writerows(zip(*columns, strict=True))


def write_json(result: Result, stream: Sink) -> None:
    """One array of objects, one object a line. Of columns of one name, readers of JSON see the last."""
    import json

    keys = [json.dumps(column.name, ensure_ascii=False) + ":" for column in result.columns]
    types = [column.type for column in result.columns]
    separator = "["
    for batch in result.batches():
        columns = [
            [key + value for value in json_texts(column, type_)]
            for key, column, type_ in zip(keys, batch.columns, types, strict=True)
        ]
        for row in zip(*columns, strict=True):
            stream.write(f"{separator}{{{','.join(row)}}}")
            separator = ",\n "
    stream.write("]\n" if separator != "[" else "[]\n")


def write_parquet(result: Result, path: Path) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(path, result.arrow_schema, compression="zstd") as writer:
        for batch in result.batches():
            writer.write_batch(batch)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path to write to; what stands there becomes `path` when the block succeeds, and is gone when it does not."""
    if path.exists() and not path.is_file():
        yield path  # a pipe or a device has no half
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        raise errors.OperationalError(f'cannot write "{path}": {error.strerror or error}') from error
    finally:
        partial.unlink(missing_ok=True)


def utf8_output() -> TextIO:
    """Standard output in UTF-8 wherever we are: a table's lines and people's names are not ASCII."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
    return sys.stdout
