"""Text files as COPY reads them: every format and conversion option, and every kind of wrong line."""

from __future__ import annotations

import codecs
import csv
import datetime
import io
from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from restframe import errors
from restframe.storage.loading.columns import Conversion
from restframe.storage.loading.faults import Fault
from restframe.storage.loading.fields import Column
from restframe.storage.loading.text import Layout, TextReader
from restframe.types import parse_type

pytestmark = pytest.mark.usefixtures("either_way")

PIPES = Layout()
CSV = Layout(delimiter=ord(","), quote=ord('"'))
ESCAPE = Layout(escape=True)
QUOTED = Layout(remove_quotes=True)


def read(
    data: bytes | str,
    types: str | Sequence[str],
    layout: Layout = PIPES,
    not_null: Sequence[int] = (),
    block_bytes: int = 1 << 20,
    **conversion: Any,
) -> tuple[list[tuple[Any, ...]], list[Fault]]:
    """The good rows and the faults of a file; types separated by semicolons."""
    data = data.encode() if isinstance(data, str) else data
    types = types.split(";") if isinstance(types, str) else types
    columns = [Column(f"c{i}", parse_type(text), i in not_null) for i, text in enumerate(types)]
    rows, faults = [], []
    pieces = [data[i : i + block_bytes] for i in range(0, len(data), block_bytes)]
    for batch in TextReader(layout, columns, Conversion(**conversion)).read(pieces, block_bytes=block_bytes):
        batch.rows.validate(full=True)
        rows += list(zip(*(column.to_pylist() for column in batch.rows.columns), strict=True))
        faults += batch.faults
    return rows, faults


def rows(*arguments: Any, **options: Any) -> list[tuple[Any, ...]]:
    found, faults = read(*arguments, **options)
    assert faults == []
    return found


def value(text: bytes | str, type_: str, **conversion: Any) -> Any:
    """What one field becomes."""
    data = text.encode() if isinstance(text, str) else text
    ((found,),) = rows(data + b"\n", type_, **conversion)
    return found


def reason(text: bytes | str, type_: str, **options: Any) -> tuple[int, str]:
    """Why one line is refused."""
    data = text.encode() if isinstance(text, str) else text
    found, (fault,) = read(data + b"\n", type_, **options)
    assert found == []
    return fault.code, fault.reason


# Lines


def test_lines_and_fields() -> None:
    assert rows("1|a\n2|b\n", "int;varchar") == [(1, "a"), (2, "b")]
    assert rows("1|a\r\n2|b\r\n", "int;varchar") == [(1, "a"), (2, "b")]
    assert rows("1|a\n2|b", "int;varchar") == [(1, "a"), (2, "b")]
    assert rows("1|a\n2|b\r", "int;varchar") == [(1, "a"), (2, "b")]
    assert rows("", "int;varchar") == []


def test_a_delimiter_may_end_the_line() -> None:
    assert rows("1|a|\n2|b|\r\n", "int;varchar") == [(1, "a"), (2, "b")]
    assert reason("1|a||", "int;varchar") == (1202, "Extra column(s) found")


def test_a_return_inside_a_line_is_data() -> None:
    assert rows("1|a\rb\n", "int;varchar") == [(1, "a\rb")]


def test_headers_are_skipped_in_each_file() -> None:
    assert rows("x|y\n1|a\n", "int;varchar", Layout(ignore_header=1)) == [(1, "a")]
    assert rows("x|y\n", "int;varchar", Layout(ignore_header=5)) == []


def test_lines_are_counted_with_headers_and_blank_ones() -> None:
    _, (fault,) = read("h\n\n1\nx\n", "int", Layout(ignore_header=1, ignore_blank_lines=True))
    assert fault.line == 4


def test_blank_lines() -> None:
    assert rows("1|a\n\n\r\n2|b\n", "int;varchar", Layout(ignore_blank_lines=True)) == [(1, "a"), (2, "b")]
    assert read("1|a\n\n", "int;varchar")[1][0].reason == "Delimiter not found"
    assert rows("\n1\n", "int") == [(None,), (1,)]


def test_missing_columns() -> None:
    assert reason("1", "int;varchar") == (1214, "Delimiter not found")
    filled = rows("1\n", "int;varchar(9);char(9);int", Layout(fill_record=True))
    assert filled == [(1, "", None, None)]
    assert rows("1\n", "int;varchar(9)", Layout(fill_record=True), empty_as_null=True) == [(1, None)]
    assert reason("1", "int;int", layout=Layout(fill_record=True), not_null=[1])[0] == 1213


def test_a_byte_order_mark_is_no_data() -> None:
    assert rows(b"\xef\xbb\xbf1\n", "int") == [(1,)]


@pytest.mark.parametrize(
    ("encoding", "codec"), [("utf16", "utf-16"), ("utf16le", "utf-16-le"), ("utf16be", "utf-16-be")]
)
def test_other_encodings(encoding: Any, codec: str) -> None:
    data = "1|Tōkyō\n2|😀\n".encode(codec)
    assert rows(data, "int;varchar", Layout(encoding=encoding), block_bytes=3) == [(1, "Tōkyō"), (2, "😀")]


def test_a_file_in_another_encoding_than_it_says() -> None:
    with pytest.raises(errors.CorruptObject, match="no byte order mark"):
        read("1|a\n".encode("utf-16-le"), "int;varchar", Layout(encoding="utf16"))
    with pytest.raises(errors.CorruptObject, match="not in the encoding UTF16LE"):
        read(b"1|a\n.", "int;varchar", Layout(encoding="utf16le"))


# CSV


def test_csv_quotes() -> None:
    assert rows('"a, b","say ""hi"""\n', "varchar;varchar", CSV) == [("a, b", 'say "hi"')]
    assert rows('"two\nlines",x\r\n', "varchar;varchar", CSV) == [("two\nlines", "x")]
    assert rows(' "a" \t, b \n', "varchar;varchar", CSV) == [("a", " b ")]
    assert rows('"",\n', "varchar;varchar", CSV) == [("", "")]
    assert rows('"1","2020-01-02"\n', "int;date", CSV) == [(1, datetime.date(2020, 1, 2))]
    assert rows("%a, b%,x\n", "varchar;varchar", Layout(ord(","), ord("%"))) == [("a, b", "x")]


def test_csv_lines_are_counted_through_quoted_ones() -> None:
    _, (fault,) = read('"a\nb\nc",1\nd,x\n', "varchar;int", CSV)
    assert (fault.line, fault.column) == (4, "c1")


@pytest.mark.parametrize("line", ['a"b,1', '"a"b,1', '"a" "b",1'])
def test_csv_quotes_in_the_wrong_place(line: str) -> None:
    good, (fault,) = read(f"{line}\nc,2\n", "varchar;int", CSV)
    assert good == [("c", 2)]
    assert (fault.code, fault.reason) == (1214, "Invalid quote formatting for CSV")


def test_csv_quote_that_never_ends() -> None:
    good, (fault,) = read('x,1\n"abc,2\nd,3\n', "varchar;int", CSV)
    assert good == [("x", 1)]
    assert (fault.line, fault.reason) == (2, "Invalid quote formatting for CSV")


# ESCAPE and REMOVEQUOTES; the examples are the manual's


def test_escape() -> None:
    data = "1|The quick brown fox\\\njumped over the lazy dog.\n2| A\\\\B\\\\C\n3| A \\| B \\| C\n"
    assert rows(data, "int;varchar", ESCAPE) == [
        (1, "The quick brown fox\njumped over the lazy dog."),
        (2, " A\\B\\C"),
        (3, " A | B | C"),
    ]
    assert rows("\\N|\\\\N|x\\012\n", "varchar;varchar;varchar", ESCAPE) == [(None, None, "x012")]


def test_an_escaped_return_stays() -> None:
    assert rows("1|a\\\r\n", "int;varchar", ESCAPE) == [(1, "a\r")]


@pytest.mark.parametrize(
    ("field", "loaded"),
    [
        ('"The delimiter is a pipe (|) character"', "The delimiter is a pipe (|) character"),
        ("'Black'", "Black"),
        ('"White"', "White"),
        ("Blue'", "Blue'"),
        ("' ' 'Black' ' '", " ' 'Black' ' "),
        ("' '", " "),
    ],
)
def test_remove_quotes(field: str, loaded: str) -> None:
    assert rows(f"{field}|1\n", "varchar;int", QUOTED) == [(loaded, 1)]
    assert rows(f"1|{field}\r\n", "int;varchar", QUOTED) == [(1, loaded)]


@pytest.mark.parametrize("field", ["'Blue", '"Blue'])
def test_quotes_without_an_end(field: str) -> None:
    good, (fault,) = read(f"{field}|1\nx|2\n", "varchar;int", QUOTED)
    assert good == [("x", 2)]
    assert (fault.code, fault.reason) == (1214, "Delimited value missing end quote")


def test_escape_with_remove_quotes() -> None:
    layout = Layout(escape=True, remove_quotes=True)
    assert rows("4|'A Midsummer Night\\'s Dream'\n", "int;varchar", layout) == [(4, "A Midsummer Night's Dream")]


# FIXEDWIDTH


def test_fixed_width() -> None:
    layout = Layout(widths=(3, 12, 2, 6))
    data = "1  Toyota Park IL0\n5  Gillette    MA68756\r\n7  Zürich      CH8001\n"
    assert rows(data, "int;varchar;char(2);int", layout, trim_blanks=True) == [
        (1, "Toyota Park", "IL", 0),
        (5, "Gillette", "MA", 68756),
        (7, "Zürich", "CH", 8001),
    ]


def test_fixed_width_lines_of_the_wrong_length() -> None:
    layout = Layout(widths=(2, 3))
    assert reason("1 ", "int;varchar", layout=layout)[0] == 1203
    assert reason("1 abcd", "int;varchar", layout=layout) == (
        1216,
        "Missing newline: Unexpected character 0x64 found at location 5",
    )


# Numbers


@pytest.mark.parametrize(
    ("text", "type_", "expected"),
    [
        ("7", "int", 7), ("-7", "int", -7), ("+7", "int", 7), ("007", "int", 7), (" 7 ", "int", 7), ("", "int", None),
        ("   ", "int", None), ("32767", "smallint", 32767), ("-32768", "smallint", -32768),
        ("2147483647", "int", 2147483647), ("-2147483648", "int", -2147483648),
        ("9223372036854775807", "bigint", 9223372036854775807), ("0" * 30 + "5", "bigint", 5),
        ("-9223372036854775808", "bigint", -9223372036854775808),
        ("20.259", "decimal(8,2)", Decimal("20.25")), ("-20.259", "decimal(8,2)", Decimal("-20.25")),
        (".5", "decimal(8,2)", Decimal("0.50")), ("5.", "decimal(8,2)", Decimal("5.00")),
        ("+1", "decimal(8,2)", Decimal("1.00")), ("999999.999", "decimal(8,2)", Decimal("999999.99")),
        ("", "decimal(8,2)", None), ("0000000000001", "decimal(1,0)", Decimal("1")),
        ("12345678901234567890.123", "decimal(30,2)", Decimal("12345678901234567890.12")),
        ("-" + "0" * 5000 + "7." + "9" * 5000, "decimal(38,37)", Decimal("-7." + "9" * 37)),
        ("9" * 38, "decimal(38,0)", Decimal("9" * 38)), ("-." + "9" * 37, "decimal(37,37)", Decimal("-0." + "9" * 37)),
        ("1.5", "float", 1.5), ("1e5", "float", 100000.0), ("-1.5E-3", "float", -0.0015), (" .5 ", "float", 0.5),
        ("0.30000000000000004", "float", 0.30000000000000004), ("inf", "float", float("inf")),
        ("-Infinity", "float", float("-inf")), ("", "float", None), ("16777217", "real", 16777216.0),
        ("t", "bool", True), ("TRUE", "bool", True), ("y", "bool", True), ("Yes", "bool", True), ("1", "bool", True),
        ("f", "bool", False), ("false", "bool", False), ("n", "bool", False), ("NO", "bool", False),
        ("0", "bool", False), ("", "bool", None),
    ],
)  # fmt: skip
def test_numbers(text: str, type_: str, expected: Any) -> None:
    assert value(text, type_) == expected


def test_not_a_number_is_a_float() -> None:
    assert str(value("NaN", "float")) == "nan"


LONG_OVERFLOW = "Overflow (Long valid range -9223372036854775808 to 9223372036854775807)"


@pytest.mark.parametrize(
    ("text", "type_", "code", "expected"),
    [
        ("x", "int", 1207, "Invalid digit, Value 'x', Pos 0, Type: Integer"),
        ("12a", "int", 1207, "Invalid digit, Value 'a', Pos 2, Type: Integer"),
        ("1.5", "bigint", 1207, "Invalid digit, Value '.', Pos 1, Type: Long"),
        ("1_000", "int", 1207, "Invalid digit, Value '_', Pos 1, Type: Integer"),
        ("1e3", "int", 1207, "Invalid digit, Value 'e', Pos 1, Type: Integer"),
        ("-", "smallint", 1207, "Invalid digit, Value '-', Pos 0, Type: Short"),
        ("1 2", "int", 1207, "Invalid digit, Value ' ', Pos 1, Type: Integer"),
        ("32768", "smallint", 1222, "Overflow (Short valid range -32768 to 32767)"),
        ("-2147483649", "int", 1222, "Overflow (Integer valid range -2147483648 to 2147483647)"),
        ("9223372036854775808", "bigint", 1222, LONG_OVERFLOW),
        ("9" * 40, "bigint", 1222, LONG_OVERFLOW),
        ("1e5", "decimal(8,2)", 1207, "Invalid digit, Value 'e', Pos 1, Type: Decimal"),
        ("1.2.3", "decimal(8,2)", 1207, "Invalid digit, Value '.', Pos 3, Type: Decimal"),
        (".", "decimal(8,2)", 1207, "Invalid digit, Value '.', Pos 0, Type: Decimal"),
        ("1000000", "decimal(8,2)", 1204, "Overflow (valid range of NUMERIC(8,2))"),
        ("1" * 39, "decimal(38,0)", 1204, "Overflow (valid range of NUMERIC(38,0))"),
        ("1x", "decimal(38,0)", 1207, "Invalid digit, Value 'x', Pos 1, Type: Decimal"),
        ("1e", "float", 1207, "Invalid digit, Value 'e', Pos 1, Type: Double"),
        ("0x10", "float", 1207, "Invalid digit, Value 'x', Pos 1, Type: Double"),
        ("1e400", "float", 1204, "Overflow (valid range of DOUBLE PRECISION)"),
        ("1e40", "real", 1204, "Overflow (valid range of REAL)"),
        ("maybe", "bool", 1210, "Unknown boolean format"),
        ("2", "bool", 1210, "Unknown boolean format"),
    ],
)  # fmt: skip
def test_wrong_numbers(text: str, type_: str, code: int, expected: str) -> None:
    assert reason(text, type_) == (code, expected)


def test_decimals_are_rounded_on_request() -> None:
    assert value("20.259", "decimal(8,2)", round_decimals=True) == Decimal("20.26")
    assert value("-20.255", "decimal(8,2)", round_decimals=True) == Decimal("-20.26")
    assert value("20.2549", "decimal(8,2)", round_decimals=True) == Decimal("20.25")
    assert reason("999999.995", "decimal(8,2)", round_decimals=True)[0] == 1204


decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**11), max_value=10**11, places=6)


@given(st.lists(decimals, min_size=1), st.integers(0, 6), st.booleans())
@settings(max_examples=100, deadline=None)
def test_decimals_equal_pythons(numbers: list[Decimal], scale: int, rounded: bool) -> None:
    data = "".join(f"{number}\n" for number in numbers)
    for precision in (18, 30):
        found = rows(data, f"decimal({precision},{scale})", round_decimals=rounded)
        how = ROUND_HALF_UP if rounded else ROUND_DOWN
        assert [v for (v,) in found] == [n.quantize(Decimal(1).scaleb(-scale), rounding=how) for n in numbers]


@given(st.lists(st.floats(allow_nan=False), min_size=1))
@settings(max_examples=100, deadline=None)
def test_floats_keep_every_bit(numbers: list[float]) -> None:
    assert [v for (v,) in rows("".join(f"{number!r}\n" for number in numbers), "float")] == numbers


# Text


def test_empty_text_and_nulls() -> None:
    assert rows("|\\N\n", "varchar;varchar") == [("", None)]
    assert rows("|x\n", "varchar;varchar", null=b"x") == [("", None)]
    assert rows("|\\N\n", "varchar;varchar", null=b"") == [(None, "\\N")]
    assert rows("|  \n", "varchar;varchar", empty_as_null=True) == [(None, "  ")]
    assert rows("|  \n", "varchar;varchar", blanks_as_null=True) == [("", None)]
    assert rows("a \t|  \n", "varchar;varchar", trim_blanks=True) == [("a", "")]
    assert rows("NULL|\\N\n", "int;varchar", null=b"NULL") == [(None, "\\N")]


def test_a_null_string_may_be_a_number() -> None:
    assert rows("0|0|0|7\n", "int;decimal(5,2);varchar;int", null=b"0") == [(None, None, None, 7)]


def test_lengths_are_bytes() -> None:
    assert value("12345", "varchar(5)") == "12345"
    assert value("öö", "varchar(4)") == "öö"
    assert reason("ööö", "varchar(5)") == (1204, "String length exceeds DDL length")
    assert reason("123", "char(2)") == (1204, "Char length exceeds DDL length")
    assert value("ööö", "varchar(5)", truncate_columns=True) == "öö"
    assert value("123", "char(2)", truncate_columns=True) == "12"
    assert value("a" * 65535, "varchar(max)") == "a" * 65535


def test_char_has_no_trailing_blanks_and_only_ascii() -> None:
    assert value("ab   ", "char(2)") == "ab"
    assert reason("é", "char(5)") == (
        1220,
        "Multibyte character not supported for CHAR (Hint: Try using VARCHAR). Invalid char: c3 a9",
    )


@pytest.mark.parametrize(
    ("data", "sequence", "number"),
    [
        (b"\xa4", "a4", 3), (b"\xff", "ff", 3), (b"\xe2\x82", "e2 82", 2), (b"\xe2\x28\xa1", "e2 28", 4),
        (b"\xed\xa0\x80", "ed a0 80", 5), (b"\xf4\x90\x80\x80", "f4 90 80 80", 8), (b"\xf8\x88\x80\x80\x80", "f8", 1),
        (b"\xc0\x80", "c0 80", 9),
    ],
)  # fmt: skip
def test_bytes_that_are_not_utf8(data: bytes, sequence: str, number: int) -> None:
    words = "String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: "
    assert reason(b"ab" + data, "varchar") == (1220, f"{words}{sequence} (error {number})"[:100])


def test_bytes_that_are_not_utf8_can_be_replaced() -> None:
    assert value(b"a\xe2\x28\xa1\xffz", "varchar", replacement=ord("^")) == "a^(^^z"
    assert value("Tōkyō".encode(), "varchar", replacement=ord("?")) == "Tōkyō"


@given(st.binary(max_size=12).filter(lambda data: not set(data) & set(b"\n\r|\0")))
@example(b"\xef\xbb\xbf")
@settings(max_examples=300, deadline=None)
def test_utf8_is_what_python_says_it_is(data: bytes) -> None:
    found, faults = read(data + b"|1\n", "varchar;int", null=b"none")
    try:
        # the mark at the beginning of a file is none of its text
        assert found == [(data.removeprefix(codecs.BOM_UTF8).decode(), 1)]
    except UnicodeDecodeError:
        assert [fault.code for fault in faults] == [1220]


def test_nul_bytes() -> None:
    assert reason(b"a\0b|1", "varchar;int") == (1216, "Missing newline: Unexpected character 0x00 found at location 1")
    assert rows(b"\0|1\n", "varchar;int", null=b"\0") == [(None, 1)]
    assert reason(b"a\0|1", "varchar;int", null=b"\0")[0] == 1218


# Dates and times: see also test_storage_loading_datetimes


def test_default_date_and_time_formats() -> None:
    assert value("2020-02-29", "date") == datetime.date(2020, 2, 29)
    assert value("2020-02-29 11:12:13", "date") == datetime.date(2020, 2, 29)
    assert value("2020-02-29 23:59:59.123456", "timestamp") == datetime.datetime(2020, 2, 29, 23, 59, 59, 123456)
    utc = datetime.UTC
    assert value("2020-02-29 23:59:59-08", "timestamptz") == datetime.datetime(2020, 3, 1, 7, 59, 59, tzinfo=utc)
    assert value("2020-02-29 23:59:59", "timestamptz") == datetime.datetime(2020, 2, 29, 23, 59, 59, tzinfo=utc)
    assert value("23:59:59.5", "time") == datetime.time(23, 59, 59, 500000)
    assert value("", "date") is None
    assert reason("2021-02-29", "date") == (1205, "Invalid date format or value [YYYY-MM-DD]")
    assert reason("20210228", "date") == (1205, "Invalid date format or value [YYYY-MM-DD]")
    assert reason("2021-02-28T00:00:00", "timestamp") == (
        1206,
        "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]",
    )


def test_wrong_dates_can_be_null() -> None:
    assert value("00/00/00 00:00:00", "date", accept_any_date=True) is None
    assert value("soon", "timestamp", accept_any_date=True, time_format="auto") is None


# Other types


def test_super_varbyte_and_timetz() -> None:
    assert rows('{"a": [1.50]};x\n', "super;varchar", Layout(ord(";"))) == [('{"a": [1.50]}', "x")]
    assert reason("{a}", "super") == (1224, "Invalid JSON for the super data type")
    assert reason("NaN", "super")[0] == 1224
    assert value("6162", "varbyte") == b"ab"
    assert reason("xyz", "varbyte")[0] == 1223
    assert reason("61 2", "varbyte")[0] == 1223
    assert reason("616263", "varbyte(2)") == (1204, "String length exceeds DDL length")
    assert value("10:11:12-08", "timetz") == "10:11:12-08"


def test_a_type_that_cannot_be_loaded() -> None:
    with pytest.raises(errors.NotSupportedError, match='COPY cannot load column "c0" of type interval'):
        read("1\n", "interval")


# Faults


def test_a_fault_tells_everything() -> None:
    faults = read("1|0\n22|zwölf\n", "int;int")[1]
    assert faults == [
        Fault(
            line=2, column="c1", type="int4", length="0", position=3, raw_line="22|zw..lf", raw_value="zw..lf",
            code=1207, reason="Invalid digit, Value 'z', Pos 0, Type: Integer", values=("22", "zw..lf"),
        )
    ]  # fmt: skip


def test_the_first_wrong_column_is_told() -> None:
    assert [fault.column for fault in read("x|y|z\n", "varchar;int;int")[1]] == ["c1"]


def test_not_null() -> None:
    good, (fault,) = read("1|\n|2\n", "int;int", not_null=[0])
    assert good == [(1, None)]
    assert (fault.line, fault.column, fault.code, fault.reason) == (2, "c0", 1213, "Missing data for not-null field")


def test_a_long_field_is_cut_in_the_fault() -> None:
    _, (fault,) = read("x" * 3_000_000 + "|1\n", "int;int")
    assert (len(fault.raw_line), len(fault.raw_value), len(fault.values[0])) == (1024, 1024, 1024)
    assert fault.reason == "Invalid digit, Value 'x', Pos 0, Type: Integer"


@pytest.mark.parametrize("layout", [Layout(), CSV])
def test_a_line_of_more_than_four_megabytes(layout: Layout) -> None:
    data = "1\n" + "x" * (5 << 20) + "\n3\n" + "y" * (5 << 20)
    good, faults = read(data, "int", layout)
    assert good == [(1,), (3,)]
    assert [(fault.line, fault.code) for fault in faults] == [(2, 1216), (4, 1216)]


# The same rows whatever the pieces are, and the same as others read


texts = st.text(st.characters(blacklist_characters="\0\r", blacklist_categories=("Cs",)), max_size=8)
tables = st.lists(st.tuples(texts, st.integers(-(2**31), 2**31 - 1), texts), max_size=8)


def written(table: Sequence[Sequence[Any]], terminator: str = "\n") -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator=terminator).writerows(table)
    return file.getvalue()


@given(tables, st.sampled_from(["\n", "\r\n"]), st.integers(1, 9))
@settings(max_examples=200, deadline=None)
def test_csv_of_pythons_writer_comes_back(table: Any, terminator: str, block_bytes: int) -> None:
    data = written(table, terminator)
    assert rows(data, "varchar;int;varchar", CSV, null=b"\xff", block_bytes=block_bytes) == table


def escaped(text: str) -> str:
    return "".join("\\" + letter if letter in "\\|\n'\"" else letter for letter in text)


@given(tables, st.booleans(), st.integers(1, 9))
@settings(max_examples=200, deadline=None)
def test_escaped_text_comes_back(table: Any, quoted: bool, block_bytes: int) -> None:
    mark = "'" if quoted else ""
    data = "".join(f"{mark}{escaped(a)}{mark}|{b}|{mark}{escaped(c)}{mark}\n" for a, b, c in table)
    layout = Layout(escape=True, remove_quotes=quoted)
    assert rows(data, "varchar;int;varchar", layout, null=b"\xff", block_bytes=block_bytes) == table


LAYOUTS = [
    Layout(), CSV, ESCAPE, QUOTED, Layout(escape=True, remove_quotes=True), Layout(widths=(1, 2, 3)),
    Layout(fill_record=True, ignore_blank_lines=True, ignore_header=1), Layout(ord(","), ord('"'), fill_record=True),
]  # fmt: skip
hostile = st.lists(
    st.sampled_from([b"|", b",", b"\n", b"\r", b'"', b"'", b"\\", b" ", b"1", b"ab", b"\xc3", b"\0"]), max_size=30
)


@given(hostile.map(b"".join), st.sampled_from(LAYOUTS), st.integers(1, 7))
@settings(max_examples=500, deadline=None)
def test_pieces_change_nothing(data: bytes, layout: Layout, block_bytes: int) -> None:
    assert read(data, "varchar;int;varchar", layout, block_bytes=block_bytes) == read(
        data, "varchar;int;varchar", layout
    )


@given(st.lists(st.tuples(st.integers(-99, 99), texts, decimals, st.dates(), st.datetimes()), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_the_same_rows_as_the_engines_own_reader(tmp_path_factory: pytest.TempPathFactory, table: Any) -> None:
    path = tmp_path_factory.mktemp("csv") / "data.csv"
    table = [(a, b.replace("\n", " ") + ".", c, d, e) for a, b, c, d, e in table]
    path.write_bytes(written(table).encode())
    types = ["int", "varchar(100)", "decimal(18,6)", "date", "timestamp"]
    columns = {f"c{i}": text for i, text in enumerate(types)}
    theirs = duckdb.sql(
        "SELECT * FROM read_csv($path, columns = $columns, delim = ',', quote = '\"', escape = '\"', header = false, "
        "auto_detect = false, new_line = '\\n')",
        params={"path": str(path), "columns": columns},
    ).fetchall()
    assert rows(path.read_bytes(), types, CSV) == theirs
