"""What a model answers as values of the function's RETURNS type."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal, InvalidOperation

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from restframe import errors
from restframe.types import SqlType

# Doubles hold every decimal of this many digits.
_EXACT_DIGITS = 15


def from_numbers(numbers: NDArray[np.float64], returns: SqlType) -> pa.Array:
    """Scores as the type RETURNS names. DECIMAL and integers truncate, as Redshift does; NaN becomes NULL.

    NumericValueOutOfRange for a score the type cannot hold.
    """
    if returns.name == "numeric":
        return _decimals(numbers, returns)
    null = np.isnan(numbers)
    if returns.is_integer:
        whole = np.trunc(np.where(null, 0, numbers))
        bits = {"int2": 15, "int4": 31, "int8": 63}[returns.name]
        _check_range(np.abs(whole) < 2.0**bits, numbers, returns)
        return pa.array(whole.astype(np.int64), mask=null).cast(returns.arrow_type)
    if returns.name in ("float4", "float8"):
        return pa.array(numbers, mask=null).cast(returns.arrow_type)
    if returns.name == "bool":
        return pa.array(numbers != 0, mask=null)
    return _texts([None if np.isnan(x) else _text(x) for x in numbers.tolist()], returns)


def from_answers(found: pa.Array, returns: SqlType, endpoint: str) -> pa.Array:
    """An endpoint's answers, texts or numbers, as the type RETURNS names."""
    if pa.types.is_string(found.type) or pa.types.is_large_string(found.type):
        return from_texts([text or "" for text in found.to_pylist()], returns, endpoint)
    if pa.types.is_integer(found.type):
        if returns.name == "int8":
            return found.cast(pa.int64())
        if returns.is_text:
            return _texts([None if number is None else str(number) for number in found.to_pylist()], returns)
    return from_numbers(np.asarray(found.cast(pa.float64()).to_numpy(zero_copy_only=False)), returns)


def from_texts(texts: Sequence[str], returns: SqlType, endpoint: str) -> pa.Array:
    """Lines of a text answer as the type RETURNS names; an empty line is NULL.

    EndpointFailed when a line is no such value.
    """
    if returns.is_text:
        return _texts([text or None for text in texts], returns)
    if returns.name == "bool":
        return pa.array([_boolean(text, endpoint) for text in texts], pa.bool_())
    if returns.name == "numeric" and (returns.precision or 0) > _EXACT_DIGITS:
        return pa.array([_decimal(text, returns, endpoint) for text in texts], returns.arrow_type)
    if returns.name == "int8":
        return pa.array([_whole(text, returns, endpoint) for text in texts], pa.int64())
    try:
        numbers = np.array([float(text) if text else np.nan for text in texts], np.float64)
    except ValueError as error:
        raise _not_a_value(next(text for text in texts if not _is_number(text)), returns, endpoint) from error
    return from_numbers(numbers, returns)


def _decimals(numbers: NDArray[np.float64], returns: SqlType) -> pa.Array:
    """Truncated to the scale: the decimal digits a score prints with, cut and not rounded."""
    precision, scale = returns.precision or 18, returns.scale or 0
    null = np.isnan(numbers)
    magnitude = np.abs(np.where(null, 0.0, numbers))
    _check_range(magnitude < 10.0 ** (precision - scale), numbers, returns)
    if precision > 18:
        texts = (Decimal(repr(x)) if x == x else None for x in numbers.tolist())
        quantum = Decimal(1).scaleb(-scale)
        values = [None if text is None else text.quantize(quantum, ROUND_DOWN) for text in texts]
        return pa.array(values, returns.arrow_type)
    unit = 10.0**scale
    whole = np.floor(magnitude * unit)
    # The product is rounded, so the floor may be one off: k / unit is the double nearest to k units.
    whole += (whole + 1) / unit <= magnitude
    whole -= whole / unit > magnitude
    pairs = np.empty((len(numbers), 2), np.int64)
    pairs[:, 0] = np.where(numbers < 0, -whole, whole).astype(np.int64)
    pairs[:, 1] = pairs[:, 0] >> 63
    validity = None if not null.any() else pa.py_buffer(np.packbits(~null, bitorder="little"))
    return pa.Array.from_buffers(returns.arrow_type, len(numbers), [validity, pa.py_buffer(pairs)])


def _check_range(fits: NDArray[np.bool_], numbers: NDArray[np.float64], returns: SqlType) -> None:
    if not fits.all():
        value = numbers[np.argmin(fits)]
        raise errors.NumericValueOutOfRange(f"the model's answer {value:g} does not fit {returns}")


def _decimal(text: str, returns: SqlType, endpoint: str) -> Decimal | None:
    if not text:
        return None
    try:
        value = Decimal(text).quantize(Decimal(1).scaleb(-(returns.scale or 0)), ROUND_DOWN)
    except InvalidOperation as error:
        raise _not_a_value(text, returns, endpoint) from error
    if len(value.as_tuple().digits) > (returns.precision or 38):
        raise errors.NumericValueOutOfRange(f"the model's answer {text[:60]} does not fit {returns}")
    return value


def _whole(text: str, returns: SqlType, endpoint: str) -> int | None:
    """Exact beyond the integers a double can tell apart."""
    try:
        value = Decimal(text) if text else None
        whole = None if value is None else int(value) if abs(value) < 2**64 else 2**64
    except (InvalidOperation, ValueError) as error:
        raise _not_a_value(text, returns, endpoint) from error
    if whole is not None and not -(2**63) <= whole < 2**63:
        raise errors.NumericValueOutOfRange(f"the model's answer {text[:60]} does not fit {returns}")
    return whole


def _boolean(text: str, endpoint: str) -> bool | None:
    if not text:
        return None
    lowered = text.strip().rstrip(".").lower()
    if lowered in ("true", "t", "1", "1.0", "yes"):
        return True
    if lowered in ("false", "f", "0", "0.0", "no"):
        return False
    raise _not_a_value(text, SqlType("bool"), endpoint)


def _not_a_value(text: str, returns: SqlType, endpoint: str) -> errors.EndpointFailed:
    return errors.EndpointFailed(f'endpoint "{endpoint}" answered "{text[:60]}", which is no {returns}')


def _is_number(text: str) -> bool:
    try:
        return not text or isinstance(float(text), float)
    except ValueError:
        return False


def _text(value: float) -> str:
    return repr(int(value)) if value.is_integer() else repr(value)


def _texts(texts: Sequence[str | None], returns: SqlType) -> pa.Array:
    """Cut to the length in bytes, at a character, as a cast does."""
    most = returns.length
    if most is not None:
        texts = [text and text.encode()[:most].decode(errors="ignore") for text in texts]
    return pa.array(texts, returns.arrow_type)
