"""What was refused or changed, and why: a table with a row for each value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_CUT = 200  # characters that are kept of a value

SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("source_file", pa.string()),
        ("source_line", pa.int64()),
        ("key", pa.string()),
        ("column_name", pa.string()),
        ("value", pa.string()),
        ("rule", pa.string()),
        ("action", pa.string()),
        ("new_value", pa.string()),
        ("reason", pa.string()),
    ]
)


def entries(
    source: str,
    file: str | pa.Array | None,
    line: NDArray[np.int64] | pa.Array | None,
    *,
    rule: str,
    action: str,
    reason: str,
    column: str | None = None,
    key: pa.Array | None = None,
    value: pa.Array | None = None,
    new_value: pa.Array | None = None,
) -> pa.Table:
    """Rows for the quarantine, of one rule. Arrays have one length; single values stand in every row.

    rule : type, null, minimum, maximum, future, length, pattern, values, reference, order, columns, duplicate or
        corrected
    action : rejected, the row is not in the table; changed, it is, with new_value; kept, it is as it was
    """
    arrays = [array for array in (file, line, key, value) if not isinstance(array, str | None)]
    size = len(arrays[0])

    def filled(given: object, kind: pa.DataType) -> pa.Array:
        if given is None or isinstance(given, str):
            return pa.repeat(pa.scalar(given, kind), size)
        return given if isinstance(given, pa.Array) else pa.array(given, kind)

    texts = [shortened(filled(each, pa.string())) for each in (key, value, new_value)]
    return pa.table(
        [
            filled(source, pa.string()),
            filled(file, pa.string()),
            filled(line, pa.int64()),
            texts[0],
            filled(column, pa.string()),
            texts[1],
            filled(rule, pa.string()),
            filled(action, pa.string()),
            texts[2],
            filled(reason[:500], pa.string()),
        ],
        schema=SCHEMA,
    )


def shortened(values: pa.Array) -> pa.Array:
    """To what the table holds: characters of up to four bytes would not fit into their varchar uncut."""
    short = pc.utf8_slice_codeunits(values, 0, _CUT)
    return pc.if_else(pc.less_equal(pc.binary_length(short), 250), short, pc.utf8_slice_codeunits(values, 0, 60))


def key_text(columns: Sequence[pa.Array]) -> pa.Array:
    """The values of a key with | between them; a missing one is empty."""
    texts = [pc.fill_null(column.cast(pa.string()), "") for column in columns]
    return pc.binary_join_element_wise(*texts, "|") if len(texts) > 1 else texts[0]
