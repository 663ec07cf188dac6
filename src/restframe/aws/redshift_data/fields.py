"""Rows as the Data API writes them, a text per row: lists of fields in JSON, or lines of CSV.

Built column by column, because a page has tens of thousands of fields.
https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_Field.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from restframe.aws.redshift_data.texts import texts
from restframe.result import Column
from restframe.types import SqlType

if TYPE_CHECKING:
    import pyarrow as pa


def json_rows(batch: pa.RecordBatch, columns: Sequence[Column]) -> pa.Array:
    """Per row a JSON list with a field per column: longValue for integers, doubleValue for floating point numbers,
    booleanValue, isNull, and stringValue for everything else."""
    fields = [_json_fields(array, column.type) for array, column in zip(batch.columns, columns, strict=True)]
    return _joined("[", fields, "]")


def csv_rows(batch: pa.RecordBatch, columns: Sequence[Column]) -> pa.Array:
    """Per row a line that ends with a line feed; NULL is nothing at all, an empty text a pair of quotes."""
    fields = [_csv_fields(array, column.type) for array, column in zip(batch.columns, columns, strict=True)]
    return _joined("", fields, "\n")


def _joined(head: str, fields: Sequence[pa.Array], tail: str) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    pieces: list[pa.Array | str] = [head]
    for place, field in enumerate(fields):
        pieces += [",", field] if place else [field]
    return pc.binary_join_element_wise(*[pa.scalar(one) if isinstance(one, str) else one for one in pieces], tail, "")


def _json_fields(column: pa.Array, type_: SqlType) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if type_.is_integer:
        head, shown, tail = '{"longValue":', column.cast(pa.string()), "}"
    elif type_.name == "bool":
        head, shown, tail = '{"booleanValue":', column.cast(pa.string()), "}"
    elif type_.name in ("float4", "float8"):
        head, shown, tail = '{"doubleValue":', _json_numbers(texts(column, type_)), "}"
    else:
        head, shown, tail = '{"stringValue":"', _escaped(texts(column, type_)), '"}'
    return pc.fill_null(pc.binary_join_element_wise(head, shown, tail, ""), '{"isNull":true}')


def _json_numbers(shown: pa.Array) -> pa.Array:
    """Whole numbers get a fraction, or clients would take them for integers; what JSON has no number for stands in
    quotes."""
    import pyarrow.compute as pc

    whole = pc.match_substring_regex(shown, "^-?[0-9]+$")
    if pc.any(whole).as_py():
        shown = pc.if_else(whole, pc.binary_join_element_wise(shown, ".0", ""), shown)
    odd = pc.match_substring_regex(shown, "N|y$")
    if not pc.any(odd).as_py():
        return shown
    return pc.if_else(odd, pc.binary_join_element_wise('"', shown, '"', ""), shown)


_CONTROL = {chr(code): f"\\u{code:04x}" for code in (*range(0x20), 0x7F)} | {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escaped(shown: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    if pc.any(pc.match_substring_regex(shown, '[\\x00-\\x1f\\x7f"\\\\]')).as_py():
        shown = pc.replace_substring(shown, "\\", "\\\\")
        shown = pc.replace_substring(shown, '"', '\\"')
        if pc.any(pc.match_substring_regex(shown, "[\\x00-\\x1f\\x7f]")).as_py():
            for sign, written in _CONTROL.items():
                shown = pc.replace_substring(shown, sign, written)
    return shown


def _csv_fields(column: pa.Array, type_: SqlType) -> pa.Array:
    import pyarrow.compute as pc

    shown = texts(column, type_)
    if type_.name in ("varchar", "bpchar", "super"):
        quoted = pc.binary_join_element_wise('"', pc.replace_substring(shown, '"', '""'), '"', "")
        shown = pc.if_else(pc.match_substring_regex(shown, '[",\\r\\n]|^$'), quoted, shown)
    return pc.fill_null(shown, "")
