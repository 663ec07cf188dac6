"""GetStatementResult and GetStatementResultV2: the rows of a statement, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from restframe.aws.http import Written
from restframe.aws.operation import Call, Input, Output
from restframe.aws.redshift_data import fields
from restframe.aws.redshift_data.columns import metadata
from restframe.aws.redshift_data.pages import Page, Place, cut
from restframe.aws.redshift_data.service import (
    asks_to_wait,
    caller,
    invalid,
    operations,
    read_token,
    write_token,
)
from restframe.aws.redshift_data.statements import find
from restframe.warehouse.runs import StoredResult

if TYPE_CHECKING:
    import pyarrow as pa


@operations("GetStatementResult", waits=asks_to_wait)
def get_statement_result(request: Input, call: Call) -> Output:
    """The rows of a finished statement in pages of 2 MiB; of a batch only by the ids of its sub-statements.

    DECIMAL, dates, times, intervals and SUPER are texts as Redshift prints them, VARBYTE is hexadecimal. Of columns,
    schemaName and tableName are empty and nullable is 1.
    ValidationException when there are no rows, or not yet; ResourceNotFoundException.
    https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_GetStatementResult.html
    """
    stored = _stored(request, call, "JSON")
    page = cut(stored, _start(request, call), lambda batch: fields.json_rows(batch, stored.columns))
    records = Written(b"[" + b",".join(map(_separated, page.rows)) + b"]")
    return {"Records": records, **_shared(request, call, stored, page)}


@operations("GetStatementResultV2", waits=asks_to_wait)
def get_statement_result_v2(request: Input, call: Call) -> Output:
    """The rows of a finished statement as CSV without a header, for statements with the ResultFormat CSV.

    One record a page. Lines end with a line feed, NULL is empty and an empty text `""`.
    Errors as of GetStatementResult.
    https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_GetStatementResultV2.html
    """
    stored = _stored(request, call, "CSV")
    page = cut(stored, _start(request, call), lambda batch: fields.csv_rows(batch, stored.columns))
    text = "".join("".join(rows.to_pylist()) for rows in page.rows)
    records = [{"CSVRecords": text}] if text else []
    return {"Records": records, "ResultFormat": "CSV", **_shared(request, call, stored, page)}


def _stored(request: Input, call: Call, format_: str) -> StoredResult:
    run, part = find(request["Id"], call, request.get("WaitTimeSeconds"))
    asked = run.request.labels.get("ResultFormat", "JSON")
    if asked != format_:
        other = "GetStatementResultV2" if asked == "CSV" else "GetStatementResult"
        raise invalid(f"The result format of the statement is {asked}. Use {other}.")
    if part is None and run.request.batch:
        raise invalid("Query does not have result. Please check query status with DescribeStatement.")
    return call.backend.warehouse.statements.result(run.id, part or 0, caller(call))


def _start(request: Input, call: Call) -> Place:
    token = request.get("NextToken")
    return Place(*read_token(call, request["Id"], token)) if token else Place()


def _shared(request: Input, call: Call, stored: StoredResult, page: Page) -> dict[str, Any]:
    following = page.next
    return {
        "ColumnMetadata": [metadata(column.name, column.type) for column in stored.columns],
        "TotalNumRows": stored.count,
        "NextToken": write_token(call, request["Id"], [following.batch, following.row]) if following else None,
    }


def _separated(rows: pa.Array) -> bytes:
    """The texts with commas between them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = pa.ListArray.from_arrays(pa.array([0, len(rows)], pa.int32()), rows)
    joined: bytes = pc.binary_join(whole, ",")[0].as_buffer().to_pybytes()
    return joined
