"""Columns of rare types, whose values are made one by one in Python: SUPER, VARBYTE, TIMETZ, long DECIMALs."""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from restframe.storage.loading import numbers
from restframe.storage.loading.faults import Kind
from restframe.storage.loading.fields import Column, Fields

if TYPE_CHECKING:
    import pyarrow as pa

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ListedValues:
    """A column's values before the refused rows are taken out; see columns.Values."""

    type: pa.DataType
    data: list[Any]
    valid: Flags

    def array(self, keep: Flags | None) -> pa.Array:
        import pyarrow as pa

        data = self.data if keep is None else [value for value, kept in zip(self.data, keep, strict=True) if kept]
        return pa.array(data, self.type)


def wide_decimals(column: Column, rounded: bool, null: Any) -> Callable[[Fields, int], ListedValues]:
    """DECIMAL of more than 18 digits, which do not fit in 64 bits."""
    precision, scale = column.type.precision or 38, column.type.scale or 0
    context = Context(prec=100, rounding=ROUND_HALF_UP if rounded else ROUND_DOWN)
    unit, limit = Decimal(1).scaleb(-scale), Decimal(10) ** (precision - scale)

    def convert(fields: Fields, number: int) -> ListedValues:
        n = fields.rows
        valid = np.empty(n, np.bool_)
        numbers.number_texts(
            fields.block, fields.starts[number, :n], fields.ends[number, :n], null, number, False, valid,
            fields.kinds[:n], fields.details[:n],
        )  # fmt: skip
        data: list[Decimal | None] = [None] * n
        for row in np.flatnonzero(valid).tolist():
            value = _decimal(fields.text(number, row).decode("ascii"), scale)
            if value is not None:
                value = value.quantize(unit, context=context)
            if value is None or value.copy_abs() >= limit:
                fields.mark(number, row, Kind.OVERFLOW)
            else:
                data[row] = value
        return ListedValues(column.type.arrow_type, data, valid)

    return convert


def _decimal(text: str, scale: int) -> Decimal | None:
    """The number with one digit more than the scale, on which rounding depends; None when it is far too large."""
    whole, _, fraction = text.lstrip("+-").partition(".")
    whole = whole.lstrip("0")
    if len(whole) > 38:
        return None
    return Decimal(f"{'-' if text[0] == '-' else ''}{whole or 0}.{fraction[: scale + 1]}")


Rare = tuple[Callable[[Fields, int], ListedValues], "pa.DataType"]


def _listed(
    make: Callable[[str], Any], kind: Kind, null: Any, arrow_type: pa.DataType, limit: int | None = None
) -> Rare:
    """
    make : from the field's text; ValueError when it cannot be one
    limit : the largest length of a value
    """
    null_bytes = bytes(null)

    def convert(fields: Fields, number: int) -> ListedValues:
        data: list[Any] = [None] * fields.rows
        valid = np.zeros(fields.rows, np.bool_)
        for row in np.flatnonzero(fields.kinds[: fields.rows] == 0).tolist():
            text = fields.text(number, row)
            if text == null_bytes or not text.strip():
                continue
            try:
                data[row] = make(text.decode("utf-8").strip())
                valid[row] = True
            except (ValueError, RecursionError):
                fields.mark(number, row, kind)
            if limit is not None and valid[row] and len(data[row]) > limit:
                fields.mark(number, row, Kind.STRING_TOO_LONG)
        return ListedValues(arrow_type, data, valid)

    return convert, arrow_type


def _super(column: Column, null: Any) -> Rare:
    import pyarrow as pa

    return _listed(_json, Kind.JSON, null, pa.string())


def _refuse(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _json(text: str) -> str:
    json.loads(text, parse_constant=_refuse)
    return text


def _varbyte(column: Column, null: Any) -> Rare:
    import pyarrow as pa

    return _listed(binascii.unhexlify, Kind.HEX, null, pa.binary(), column.type.length)


_TIMETZ = re.compile(
    r"(?P<clock>([01]?\d|2[0-3]):[0-5]\d)(?P<seconds>:[0-5]\d(\.\d{1,6})?)?(?P<zone> ?(Z|[+-]\d{2}(:?\d{2})?))?",
    re.IGNORECASE,
)


def _timetz(column: Column, null: Any) -> Rare:
    import pyarrow as pa

    return _listed(_time_with_zone, Kind.TIME, null, pa.string())


def _time_with_zone(text: str) -> str:
    match = _TIMETZ.fullmatch(text)
    if match is None:
        raise ValueError(f"{text} is no time")
    return f"{match['clock']}{match['seconds'] or ':00'}{match['zone'] or '+00'}"


RARE: dict[str, Callable[[Column, Any], Rare]] = {"super": _super, "varbyte": _varbyte, "timetz": _timetz}
