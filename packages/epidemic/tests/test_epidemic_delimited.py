"""Lines of delimited files: Arrow's reader and the one that goes line by line say the same of them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from restframe_epidemic import sources
from restframe_epidemic.pipeline import delimited
from restframe_epidemic.pipeline.streams import Block, RawFile

DECLARATION = """
uri = "reports.csv"
format = "csv"
key = ["place", "cases"]
vintage = "2021-01-01"
cadence = "once"
licence = "none"
attribution = "invented"
nulls = ["", "NA"]
columns.place = { type = "varchar(9)" }
columns.cases = { type = "bigint" }
columns.note = { type = "varchar(9)" }
"""
HEADER = ["place", "cases", "note"]

values = st.one_of(
    st.sampled_from(['"x"', '"a,b"', '"a""b"', 'a"b', '"a"b', ' "x"', '"a', '"', "-5", "NA", "é", "\r", '"x\r"']),
    st.text(alphabet='ab"1 ', max_size=4),
)
lines = st.one_of(
    st.sampled_from(["", "a,1,c", "b,2,d"]),  # most are rows
    st.lists(values, min_size=1, max_size=4).map(",".join),
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> sources.Source:
    directory = tmp_path_factory.mktemp("declared")
    (directory / "reports.toml").write_text(DECLARATION)
    return sources.read(directory)["reports"]


def plain(rows: delimited.Rows) -> tuple[list[int], list[tuple[object, ...]], list[tuple[int, str]]]:
    columns = [rows.columns.column(name).cast(pa.string()).to_pylist() for name in HEADER]
    return rows.line.tolist(), list(zip(*columns, strict=True)), rows.malformed


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.lists(lines, min_size=1, max_size=6), st.sampled_from(["\n", "\r\n"]), st.booleans())
@example(["a,1,c", 'b,2,"d'], "\n", False)  # a quote that the end of the block leaves open
@example(['a,1,"c', 'd",2,e', "", "b,2,d"], "\n", True)  # one that goes on, and a blank line
@example(["a,1,c\rb,2,d", ""], "\n", True)
def test_arrow_and_line_by_line(source: sources.Source, texts: list[str], end: str, ended: bool) -> None:
    data = (end.join(texts) + end * ended).encode()
    block = Block(data, 2, data.count(b"\n") + (not data.endswith(b"\n")))
    reader = delimited._Reader(source, HEADER, "reports.csv")
    if data.strip():
        assert plain(reader.rows(block)) == plain(reader._line_by_line(data, block))


@pytest.mark.parametrize("size_bytes", [4, 16, 4096])
def test_blank_lines_wait_for_what_follows(tmp_path: Path, size_bytes: int) -> None:
    path = tmp_path / "reports.csv"
    path.write_bytes(b"\xef\xbb\xbfa,1\n\n\r\n\nb,2\r\n\nc,3\n\n\r\n\n")
    blocks = list(RawFile(path, "reports.csv", lambda size: None).blocks(size_bytes))
    assert b"".join(block.data for block in blocks).rstrip() == b"a,1\n\n\r\n\nb,2\r\n\nc,3"
    numbers = [(block.line, block.lines) for block in blocks]
    assert [line for line, _ in numbers] == [1 + sum(lines for _, lines in numbers[:at]) for at in range(len(numbers))]
    if size_bytes == 4096:
        assert [block.data for block in blocks] == [b"a,1\n\n\r\n\nb,2\r\n\nc,3\n"]
