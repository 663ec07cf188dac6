"""Asking a remote model about a column's distinct values before a query calls it row by row.

The engine calls a function with 2,048 rows at a time, which for an endpoint means a request for each. When a call is
sure to see every row of a table, and the rows repeat, a few large requests answer them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from restframe.catalog.models import Model
from restframe.engine.quoting import quoted
from restframe.sql import ModelCall, Translation
from restframe.warehouse.prediction.functions import KEPT_FOR_A_STATEMENT, StatementCalls

if TYPE_CHECKING:
    from restframe.warehouse.session import Session

# Below this many rows the function is called once anyway.
_WORTH_IT_ROWS = 2_048
# Up to this many rows every distinct value is worth a large request; above it only when rows repeat.
_ALWAYS_ROWS = 200_000
_REPEATS = 4
# Distinct rows that are read from the engine, and asked about, at a time.
_ROWS_AT_ONCE = 65_536


def prefetch(translation: Translation, calls: StatementCalls, session: Session) -> None:
    """Fill the statement's memos for the calls that are sure to see every row of a table."""
    planned = {}
    for call in translation.calls:
        if call.table is not None and call.every_row and not call.table.is_view:
            source = quoted(call.table.engine_schema, call.table.engine_name)
            planned[call.function.engine_name, source, call.columns] = call
    if not planned:
        return
    models = {model.engine_function: model for model in session.catalog.models()}
    for (function, source, _), call in planned.items():
        model = models[function]
        if calls.is_remote(model) and _rows_repeat(source, call, session):
            _ask(source, call, model, calls, session)


def _arguments(call: ModelCall) -> list[str]:
    """The arguments as the function will see them: cast to its types."""
    typed = zip(call.columns, call.function.arguments, strict=True)
    return [f"CAST({quoted(column)} AS {type_.engine_type})" for column, type_ in typed]


def _rows_repeat(source: str, call: ModelCall, session: Session) -> bool:
    rows = session.connection.run(f"SELECT count(*) FROM {source}")[0][0]
    if rows <= _ALWAYS_ROWS:
        return bool(rows > _WORTH_IT_ROWS)
    arguments = _arguments(call)
    one = arguments[0] if len(arguments) == 1 else f"row({', '.join(arguments)})"
    distinct = session.connection.run(f"SELECT approx_count_distinct({one}) FROM {source}")[0][0]
    return bool(distinct * _REPEATS <= rows and distinct <= KEPT_FOR_A_STATEMENT)


def _ask(source: str, call: ModelCall, model: Model, calls: StatementCalls, session: Session) -> None:
    stream = session.connection.stream(f"SELECT DISTINCT {', '.join(_arguments(call))} FROM {source}")
    waiting: list[pa.RecordBatch] = []
    for batch in stream.batches:
        waiting.append(batch)
        if sum(one.num_rows for one in waiting) >= _ROWS_AT_ONCE:
            _answer(waiting, model, calls)
            waiting = []
    if waiting:
        _answer(waiting, model, calls)


def _answer(batches: list[pa.RecordBatch], model: Model, calls: StatementCalls) -> None:
    rows = pa.Table.from_batches(batches).combine_chunks()
    calls.answers(model, [column.combine_chunks() for column in rows.columns])
