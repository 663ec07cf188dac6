"""Where rows come from and objects go: a warehouse of this process, or a server behind a DB-API connection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from restframe import errors
from restframe.storage.urls import ObjectUrl

if TYPE_CHECKING:
    from restframe.warehouse import Warehouse

_ROWS_AT_ONCE = 65_536


class Source(Protocol):
    def batches(self, query: str, parameters: Any) -> Iterator[pa.RecordBatch]:
        """The rows of a query; at least one batch, which may be empty."""

    def put(self, objects: Mapping[ObjectUrl, bytes], gone: ObjectUrl | None) -> None:
        """Store objects, and take one away that may not be there."""

    def get(self, url: ObjectUrl) -> bytes:
        """NoSuchKey or NoSuchBucket for what is not there."""


def source(given: Any) -> Source:
    """InterfaceError for what is neither a Warehouse nor a DB-API connection."""
    from restframe.warehouse import Warehouse  # whose import takes a second

    if isinstance(given, Warehouse):
        return _Local(given)
    if not callable(getattr(given, "cursor", None)):
        raise errors.InterfaceError("give a Warehouse, or a DB-API connection")
    if isinstance(getattr(given, "warehouse", None), Warehouse):
        return _Connected(given)
    return _Remote(given)


class _Local:
    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def batches(self, query: str, parameters: Any) -> Iterator[pa.RecordBatch]:
        with self._warehouse.session() as session, session.execute(query, parameters) as result:
            yield pa.RecordBatch.from_pylist([], schema=result.arrow_schema)
            yield from result.batches()

    def put(self, objects: Mapping[ObjectUrl, bytes], gone: ObjectUrl | None) -> None:
        with self._warehouse.storage.publish() as publication:
            for url, data in objects.items():
                publication.put(url, data)
            if gone is not None:
                publication.delete(gone)

    def get(self, url: ObjectUrl) -> bytes:
        return self._warehouse.storage.read(url)


class _Connected(_Local):
    """A connection of ours: its own session reads, so that its transaction and its temporary tables are seen."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection.warehouse)
        self._connection = connection

    def batches(self, query: str, parameters: Any) -> Iterator[pa.RecordBatch]:
        with self._connection.cursor() as cursor:
            cursor.execute(query, parameters)
            table = cursor.fetch_arrow()
        yield pa.RecordBatch.from_pylist([], schema=table.schema)
        yield from table.to_batches()


class _Remote:
    """Another driver's connection; the objects go where botocore finds S3 in the environment."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._client: Any = None

    def batches(self, query: str, parameters: Any) -> Iterator[pa.RecordBatch]:
        cursor = self._connection.cursor()
        try:
            # not every driver takes parameters when there are none
            cursor.execute(query, parameters) if parameters else cursor.execute(query)
            if cursor.description is None:
                raise errors.InterfaceError("the statement returns no rows")
            names = [column[0] for column in cursor.description]
            schema = None
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                batch = _batch(names, rows, schema)
                schema = batch.schema
                yield batch
        finally:
            cursor.close()

    def put(self, objects: Mapping[ObjectUrl, bytes], gone: ObjectUrl | None) -> None:
        for url, data in objects.items():
            self._s3.put_object(Bucket=url.bucket, Key=url.key, Body=data)
        if gone is not None:
            self._s3.delete_object(Bucket=gone.bucket, Key=gone.key)

    def get(self, url: ObjectUrl) -> bytes:
        from botocore.exceptions import ClientError

        try:
            data: bytes = self._s3.get_object(Bucket=url.bucket, Key=url.key)["Body"].read()
        except ClientError as error:
            raise errors.NoSuchKey(f'"{url}" cannot be read: {error}') from error
        return data

    @property
    def _s3(self) -> Any:
        if self._client is None:
            import botocore.session

            self._client = botocore.session.get_session().create_client("s3")
        return self._client


def _batch(names: list[str], rows: list[Any], schema: pa.Schema | None) -> pa.RecordBatch:
    """Rows of Python values in columns, in the types of the rows before them."""
    arrays = []
    for place, (name, values) in enumerate(zip(names, zip(*rows, strict=True), strict=True)):
        wanted = None if schema is None or pa.types.is_null(schema.types[place]) else schema.types[place]
        if wanted is not None and pa.types.is_decimal(wanted):
            wanted = None  # its digits may differ from batch to batch
        try:
            arrays.append(pa.array(values, wanted))
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            raise errors.DataError(f'column "{name}" has values of several types: {str(error)[:100]}') from error
    return pa.RecordBatch.from_arrays(arrays, names=names)
