"""Rows of COPY TO: what a few in Python look like, so do many by kernels."""

from __future__ import annotations

import itertools
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe import errors
from restframe.result import Column
from restframe.storage.copying import SIGNATURE, TRAILER
from restframe.storage.copying.delimiting import copy_data
from restframe.storage.copying.lines_writer import LinesWriter
from restframe.storage.copying.writer import BinaryWriter, OutputLayout, Piece, RowWriter
from restframe.types import parse_type

COLUMNS = (Column("a", parse_type("varchar(100)")), Column("b", parse_type("int")))
CSV = OutputLayout(",", "", False, '"', '"')


def cut(piece: Piece) -> list[bytes]:
    places = [0, *piece.ends]
    assert places[-1] == len(piece.data)
    return [bytes(piece.data[start:end]) for start, end in itertools.pairwise(places)]


def batch(*rows: tuple[str | None, int | None]) -> pa.RecordBatch:
    texts, numbers = zip(*rows, strict=True)
    return pa.RecordBatch.from_arrays([pa.array(texts, pa.string()), pa.array(numbers, pa.int32())], names=["a", "b"])


def both(writer: RowWriter, rows: pa.RecordBatch) -> list[bytes]:
    few = cut(writer._few(writer._cells(rows)))
    assert cut(writer._many(rows)) == few
    return few


def test_text() -> None:
    rows = batch(("a\tb\nc\\\r\b\f\v", 1), (None, None), ("é", -2))
    writer = LinesWriter(OutputLayout(), COLUMNS)
    assert both(writer, rows) == [b"a\\tb\\nc\\\\\\r\\b\\f\\v\t1\n", b"\\N\t\\N\n", "é\t-2\n".encode()]
    assert both(LinesWriter(OutputLayout("|", ""), COLUMNS), batch(("a|\t", 1), (None, None))) == [
        b"a\\|\\t|1\n",
        b"|\n",
    ]


def test_csv() -> None:
    rows = batch(('say "no"', 1), ("", None), (None, 2), ("a,b", 3), ("x\ry", 4), ("\\.", 5))
    assert both(LinesWriter(CSV, COLUMNS), rows) == [
        b'"say ""no""",1\n', b'"",\n', b",2\n", b'"a,b",3\n', b'"x\ry",4\n', b"\\.,5\n"
    ]  # fmt: skip
    quoting = OutputLayout(";", "-", True, "'", "\\", (False, True))
    writer = LinesWriter(quoting, COLUMNS)
    assert both(writer, batch(("a'\\", 1), ("-", None))) == [b"'a\\'\\\\';'1'\n", b"'-';-\n"]
    assert [cut(piece) for piece in writer.start()] == [[b"a;b\n"]]


def test_a_column_alone_must_not_end_the_data() -> None:
    alone = pa.RecordBatch.from_arrays([pa.array(["\\.", "x"])], names=["a"])
    assert both(LinesWriter(CSV, COLUMNS[:1]), alone) == [b'"\\."\n', b"x\n"]


def test_binary_begins_with_a_header_and_ends_with_a_trailer() -> None:
    rows = batch(("x", 1), (None, None))
    for make in ("_few", "_many"):
        writer = BinaryWriter(COLUMNS)
        first = writer._many(rows) if make == "_many" else writer._few(writer._cells(rows))
        assert cut(first) == [
            SIGNATURE + bytes(8) + b"\0\2\0\0\0\1x\0\0\0\4\0\0\0\1",
            b"\0\2\xff\xff\xff\xff\xff\xff\xff\xff",
        ]
        assert [cut(piece) for piece in writer.end()] == [[TRAILER]]
    assert [cut(piece) for piece in BinaryWriter(COLUMNS).end()] == [[SIGNATURE + bytes(8) + TRAILER]]


def test_arrays_have_no_binary_form_here() -> None:
    from restframe.types import SqlType

    with pytest.raises(errors.NotSupportedError):
        BinaryWriter([Column("a", SqlType("array", element=SqlType("int4")))])


def test_large_batches_leave_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restframe.storage.copying.writer._PIECE_BYTES", 1000)
    rows = batch(*((f"{i:0100}", i) for i in range(100)))
    pieces = list(LinesWriter(OutputLayout(), COLUMNS).pieces(rows))
    assert len(pieces) > 5
    assert b"".join(bytes(piece.data) for piece in pieces) == b"".join(b"%0100d\t%d\n" % (i, i) for i in range(100))


def test_rows_as_messages() -> None:
    import numpy as np

    out = np.empty(13, np.uint8)
    copy_data(np.frombuffer(b"abc", np.uint8), np.array([2, 3]), out)
    assert out.tobytes() == b"d\0\0\0\6abd\0\0\0\5c"


CELLS = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@given(st.lists(st.tuples(CELLS, st.none() | st.integers(-(2**31), 2**31 - 1)), min_size=1, max_size=6), st.data())
def test_kernels_and_python_agree(rows: Any, data: st.DataObject) -> None:
    layout = data.draw(
        st.sampled_from(
            [OutputLayout(), OutputLayout("|", "x"), CSV, OutputLayout(",", "1", False, "'", "\\", (True, False))]
        )
    )
    both(LinesWriter(layout, COLUMNS), batch(*rows))
