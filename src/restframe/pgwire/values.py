"""One value to the bytes of a DataRow. Redshift's drivers have forms of their own for numeric, interval and varbyte."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from decimal import Context

from restframe.pgwire import oids
from restframe.storage.writing import texts
from restframe.storage.writing.values import PLAIN, Style, Writer, binary_writer, microseconds, text_writer
from restframe.types import SqlType
from restframe.warehouse.variables import Variables


def style_of(variables: Variables) -> Style:
    return Style(variables["timezone"], int(variables["extra_float_digits"]))


def writer(type_: SqlType, binary: bool, redshift: bool, style: Style = PLAIN) -> Writer:
    """What makes bytes of a value that is not NULL.

    The writer raises InvalidDatetime for a time, and NumericValueOutOfRange for a number, that the form cannot hold.
    """
    if not binary:
        return text_writer(type_, style, b"" if redshift else b"\\x")
    if redshift and type_.name == "numeric":
        return _scaled(type_.precision or 38, type_.scale or 0)
    if redshift and type_.name == "interval":
        return _interval
    return binary_writer(type_, None if type_.element is None else oids.element(type_.element, redshift))


def _interval(value: Sequence[int]) -> bytes:
    """Microseconds, days and months, as the Python driver unpacks them; days that do not fit become microseconds."""
    months, days, _ = value
    try:
        return struct.pack(">qhh", microseconds(value), days, months)
    except struct.error:
        return struct.pack(">qi", microseconds(value) + days * texts.DAY_US, months)


def _scaled(precision: int, scale: int) -> Writer:
    """Redshift's form: the number without its point in 8 bytes, or in 16 from 19 digits on."""
    size = 8 if precision <= 18 else 16
    return lambda value: int(value.scaleb(scale, _EXACT)).to_bytes(size, "big", signed=True)


_EXACT = Context(prec=80)
