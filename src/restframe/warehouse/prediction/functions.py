"""The prediction functions of models: what the engine calls when a statement scores rows."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from restframe import errors
from restframe.catalog.models import Model
from restframe.engine import Connection
from restframe.ml.algorithm import RowPredictor
from restframe.types import SqlType
from restframe.warehouse.prediction import answers
from restframe.warehouse.prediction.asking import ask
from restframe.warehouse.prediction.memo import Memo

if TYPE_CHECKING:
    from restframe.jobs import Service
    from restframe.ml.algorithm import Predictor

# Sets of arguments a memo keeps: of a model in this process, as long as it is loaded; of others, for a statement.
_KEPT_FOR_GOOD = 1 << 18
KEPT_FOR_A_STATEMENT = 1 << 20
# Rows that are worth a request of their own, when several can be under way at once.
_ROWS_PER_REQUEST = 4_096


class PredictionFunctions:
    """Every model's function in the engine: made with the model, and again whenever the warehouse opens.

    An engine function knows its model and, by its first argument, the statement it is called in; the statement's
    memo answers what it has answered before.
    """

    def __init__(self, jobs: Service, connections: int) -> None:
        """connections : requests to remote endpoints that may be under way at once"""
        self._jobs = jobs
        self._connections = connections
        self._statements: weakref.WeakValueDictionary[int, StatementCalls] = weakref.WeakValueDictionary()
        self._loaded: dict[int, tuple[Predictor, Memo]] = {}

    def register(self, model: Model, connection: Connection) -> None:
        """Make a model's function callable, as part of the connection's transaction."""

        def call(token: pa.ChunkedArray, *arguments: pa.ChunkedArray) -> pa.Array:
            if not len(token):
                return pa.array([], model.return_type.arrow_type)
            statement = self._statements.get(token[0].as_py())
            if statement is None:
                raise errors.InternalError(f'model "{model.name}" was called outside a statement')
            return statement.answers(model, [_one_array(column) for column in arguments])

        connection.create_function(model.engine_function, call, [SqlType("int8"), *model.arguments], model.return_type)

    def forget(self, model: Model) -> None:
        """Let go of what is kept for a model that is no more."""
        self._loaded.pop(model.id, None)

    def open_statement(self, token: int, check_cancelled: Callable[[], None]) -> StatementCalls:
        """Calls made under this token are one statement's, for as long as the returned object is held."""
        calls = StatementCalls(self, check_cancelled)
        self._statements[token] = calls
        return calls

    def is_remote(self, model: Model) -> bool:
        return model.endpoint is not None and self._jobs.predictor(model.endpoint) is None

    def memo_for(self, model: Model, check_cancelled: Callable[[], None]) -> Memo:
        """A new memo for a remote endpoint, which may change its mind between statements.

        A model in this process cannot, so its memo lives as long as it does.
        """
        assert model.endpoint is not None
        returns = model.return_type
        predictor = self._jobs.predictor(model.endpoint)
        if predictor is None:
            return Memo(
                lambda arguments: self._ask(model, returns, arguments, check_cancelled),
                returns.arrow_type,
                KEPT_FOR_A_STATEMENT,
            )
        known = self._loaded.get(model.id)
        if known is not None and known[0] is predictor:
            return known[1]
        memo = Memo(lambda arguments: _predict(predictor, arguments, returns), returns.arrow_type, _KEPT_FOR_GOOD)
        self._loaded[model.id] = (predictor, memo)
        return memo

    def _ask(
        self, model: Model, returns: SqlType, arguments: Sequence[pa.Array], check_cancelled: Callable[[], None]
    ) -> pa.Array:
        assert model.endpoint is not None
        rows = max(_ROWS_PER_REQUEST, -(-len(arguments[0]) // self._connections))
        if model.max_batch_rows is not None:
            rows = min(rows, model.max_batch_rows)
        requests = self._jobs.requests(model.endpoint, arguments, rows)
        found = ask(requests, self._connections, check_cancelled)
        return pa.concat_arrays([answers.from_answers(one, returns, model.endpoint) for one in found])


class StatementCalls:
    """The model calls of one statement."""

    def __init__(self, functions: PredictionFunctions, check_cancelled: Callable[[], None]) -> None:
        self._functions = functions
        self._check_cancelled = check_cancelled
        self._lock = threading.Lock()
        self._memos: dict[int, Memo] = {}
        self._failures: dict[int, errors.Error] = {}

    def answers(self, model: Model, arguments: Sequence[pa.Array]) -> pa.Array:
        """An answer per row; rows whose arguments are all NULL are not asked and are NULL.

        Once a model has failed it fails for the rest of the statement: the engine takes a failure in a constant for
        no answer and calls again.
        """
        self._check_cancelled()
        if model.id in self._failures:
            raise self._failures[model.id]
        try:
            return self._answers(model, arguments)
        except errors.Error as error:
            self._failures[model.id] = error
            raise

    def _answers(self, model: Model, arguments: Sequence[pa.Array]) -> pa.Array:
        memo = self._memo(model)
        if not any(argument.null_count for argument in arguments):
            return memo(arguments)
        asked = pc.is_valid(arguments[0])
        for argument in arguments[1:]:
            asked = pc.or_(asked, pc.is_valid(argument))
        known = memo([argument.filter(asked) for argument in arguments])
        # Row i of the answer is the number of asked rows up to i, less one; NULL where it was not asked.
        rows = np.cumsum(np.asarray(asked)) - 1
        return known.take(pa.array(rows, mask=~np.asarray(asked)))

    def is_remote(self, model: Model) -> bool:
        """Whether asking the model means a request."""
        return self._functions.is_remote(model)

    def _memo(self, model: Model) -> Memo:
        with self._lock:
            memo = self._memos.get(model.id)
            if memo is None:
                memo = self._memos[model.id] = self._functions.memo_for(model, self._check_cancelled)
            return memo


def _predict(predictor: Predictor, arguments: Sequence[pa.Array], returns: SqlType) -> pa.Array:
    """Ask a model in this process; rows with a NULL among their arguments are NULL when it has no use for them."""
    if not isinstance(predictor, RowPredictor):
        raise errors.EndpointFailed("the model forecasts series of values, and cannot be asked about rows")
    if len(arguments) != predictor.feature_count:
        raise errors.EndpointFailed(
            f"the model takes {predictor.feature_count} values a row, and its function has {len(arguments)}"
        )
    points = np.column_stack([_floats(argument) for argument in arguments])
    scores = np.full(len(points), np.nan)
    complete = ~np.isnan(points).any(axis=1)
    scores[complete] = predictor.predict(points[complete])
    return answers.from_numbers(scores, returns)


def _floats(argument: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    try:
        return np.asarray(pc.cast(argument, pa.float64()).to_numpy(zero_copy_only=False))
    except pa.ArrowNotImplementedError as error:
        raise errors.DatatypeMismatch(f"the model takes numbers, not {argument.type}") from error
    except pa.ArrowInvalid as error:
        raise errors.InvalidTextRepresentation(f"the model takes numbers: {str(error)[:100]}") from error


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
