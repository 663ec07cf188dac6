"""From what CREATE MODEL names to series on the grid of a frequency, as one object of Parquet.

Columns are found by their types: the first text names the item, the first date or timestamp is the time, the target
is named. Every item has a step for each `FREQUENCY` from its first row to its last; steps without a row are missing
values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from restframe import errors
from restframe.sql import QualifiedName, Translation, translate
from restframe.sql.statements.model import CreateForecastModel
from restframe.sql.statements.query import select_columns
from restframe.types import SqlType
from restframe.warehouse.forecasts.grid import check_horizon, check_kept, grid_of, kept_steps, parquet

if TYPE_CHECKING:
    import pyarrow as pa

    from restframe.warehouse.session import Session

MAX_ROWS = 20_000_000

_NUMBERS = ("int2", "int4", "int8", "float4", "float8", "numeric")
_TIMES = ("date", "timestamp", "timestamptz")
_TEXTS = ("varchar", "bpchar")
_CELLS = 3  # of a row: item, time, value


@dataclass(frozen=True, slots=True)
class Columns:
    """Places of the columns that count; item is None for a single series. `unused` are the names of the others."""

    item: int | None
    time: int
    target: int
    unused: tuple[str, ...]


def read(statement: CreateForecastModel, session: Session) -> bytes:
    """The series of the training data, checked, as Parquet.

    UndefinedColumn, DatatypeMismatch and what the query raises; DataError and InvalidParameterValue for rows that
    make no series; each with the place of the clause it is about.
    """
    translation, names, types = _source(statement, session)
    columns = find_columns(names, types, statement)
    for name in columns.unused:
        session.notice(f'column "{name}" is not used by MODEL_TYPE FORECAST')
    rows = _rows(translation, len(names), columns, types, statement, session)
    grid = grid_of(rows, statement)
    check_horizon(grid, statement)
    kept = kept_steps(grid.lengths, min(statement.settings.max_cells // _CELLS, MAX_ROWS))
    if kept < int(grid.lengths.max()):
        check_kept(kept, grid, statement)
        session.notice(f"of each series the last {kept} steps are used: MAX_CELLS allows no more")
    return parquet(grid, kept, str(statement.settings.frequency))


# Columns


def _source(
    statement: CreateForecastModel, session: Session
) -> tuple[Translation, tuple[str, ...], tuple[SqlType | None, ...]]:
    from restframe.warehouse.queries import SessionNames, prepare_models

    query = statement.training_data
    if isinstance(query, QualifiedName):
        table = SessionNames(session).relation(query)
        query = select_columns(query, tuple(table.columns))
    translation = translate(query, SessionNames(session))
    prepare_models(translation, session)
    return translation, translation.labels or (), translation.types


def find_columns(names: Sequence[str], types: Sequence[SqlType | None], statement: CreateForecastModel) -> Columns:
    """UndefinedColumn for the target, DatatypeMismatch when it is no number; InvalidDefinition without a time."""
    place = statement.places.get("TARGET")
    if statement.target not in names:
        raise errors.UndefinedColumn(
            f'column "{statement.target}" does not exist in the training data',
            position=place,
            hint=f"There are {', '.join(names)[:200]}.",
        )
    target = names.index(statement.target)
    kinds = [None if type_ is None else type_.name for type_ in types]
    if kinds[target] not in _NUMBERS:
        raise errors.DatatypeMismatch(
            f'TARGET column "{statement.target}" is of type {types[target]}, not a number', position=place
        )
    time = next((at for at, kind in enumerate(kinds) if kind in _TIMES), None)
    if time is None:
        raise errors.InvalidDefinition(
            "the training data has no column of type date or timestamp",
            position=statement.training_position,
            hint="MODEL_TYPE FORECAST takes the first one for the time of each row; cast it in a query, if need be.",
        )
    item = next((at for at, kind in enumerate(kinds) if kind in _TEXTS), None)
    unused = tuple(name for at, name in enumerate(names) if at not in (item, time, target))
    return Columns(item, time, target, unused)


# Rows


def _rows(
    translation: Translation,
    width: int,
    columns: Columns,
    types: Sequence[SqlType | None],
    statement: CreateForecastModel,
    session: Session,
) -> pa.Table:
    """item (text), time (microseconds), value (float64), in order of the first two."""
    import pyarrow as pa

    source = f"({translation.sql}) AS query({', '.join(f'c{place}' for place in range(width))})"
    count = session.connection.run(f"SELECT count(*) FROM {source}")[0][0]
    if count > MAX_ROWS:
        raise errors.ProgramLimitExceeded(
            f"the training data has {count} rows, and MODEL_TYPE FORECAST takes at most {MAX_ROWS}"
        )
    item = "''" if columns.item is None else f"c{columns.item}"
    if columns.item is not None and (types[columns.item] or _NO_TYPE).name == "bpchar":
        item = f"rtrim({item}, ' ')"
    time = f"c{columns.time}"
    if (types[columns.time] or _NO_TYPE).name == "timestamptz":
        time = f"timezone('UTC', {time})"
    batches = session.connection.stream(
        f"SELECT {item} AS item, CAST({time} AS TIMESTAMP) AS time, CAST(c{columns.target} AS DOUBLE) AS value "
        f"FROM {source} ORDER BY item NULLS FIRST, time NULLS FIRST"
    ).batches
    schema = pa.schema([("item", pa.string()), ("time", pa.timestamp("us")), ("value", pa.float64())])
    found = pa.Table.from_batches(_batches(batches, schema, session), schema)
    if not found.num_rows:
        raise errors.DataError("the training data has no rows", position=statement.training_position)
    for name, what in (("item", "item"), ("time", "time")):
        if found[name].null_count:
            raise errors.NotNullViolation(
                f"the training data has rows without {what}: {found[name].null_count} of {found.num_rows}",
                position=statement.training_position,
                hint="Leave them out by WHERE; only the target may be NULL, and means a missing value.",
            )
    return found


_NO_TYPE = SqlType("varchar")


def _batches(found: Iterable[pa.RecordBatch], schema: pa.Schema, session: Session) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    for batch in found:
        session.check_cancelled()
        columns = [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)
