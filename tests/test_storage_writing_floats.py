"""The kernel that prints floating point numbers, against Python's own shortest texts."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from restframe.storage.writing import batches, texts
from restframe.types import SqlType


def printed(array: pa.Array, name: str) -> list[str]:
    layout = batches.layout(SqlType(name), str.encode, binary=False)
    data = bytes(batches.rows(pa.RecordBatch.from_arrays([array], names=["a"]), [layout], message=False))
    found, at = [], 0
    while at < len(data):
        (size,) = struct.unpack_from(">i", data, at + 2)
        found.append(data[at + 6 : at + 6 + size].decode())
        at += 6 + size
    return found


def same_as_python(numbers: npt.NDArray[np.float64]) -> None:
    assert printed(pa.array(numbers), "float8") == [texts.float8(number) for number in numbers.tolist()]


@given(st.lists(st.floats()))
def test_any_numbers(numbers: list[float]) -> None:
    same_as_python(np.array(numbers, np.float64))


def test_random_bits() -> None:
    bits = np.random.default_rng(1).integers(0, 2**64, 50_000, np.uint64)
    same_as_python(bits.view(np.float64))


def test_powers_of_two_whose_neighbours_are_not_equally_far() -> None:
    powers = 2.0 ** np.arange(-1074, 1024)
    same_as_python(np.concatenate([powers, np.nextafter(powers, 0), np.nextafter(powers, np.inf)]))


def test_powers_of_ten_and_short_decimals() -> None:
    powers = np.array([float(f"1e{power}") for power in range(-323, 309)])
    short = np.arange(-5000, 5000) / 100
    same_as_python(np.concatenate([powers, short, np.nextafter(powers, 0), np.arange(2**53 - 100, 2**53 + 200, 1.0)]))


def test_random_bits_of_small_floats() -> None:
    bits = np.random.default_rng(2).integers(0, 2**32, 20_000, np.uint32)
    numbers = bits.view(np.float32)
    numbers = numbers[np.isfinite(numbers)]
    found = printed(pa.array(numbers), "float4")
    assert np.array_equal(np.array(found, np.float32), numbers)
    assert [len(text) for text in found] == [len(texts.float4(number)) for number in numbers.tolist()]
