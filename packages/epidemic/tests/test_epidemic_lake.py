"""Rows on their way through the disk: the lake's Parquet, and the spill between a raw file and it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from restframe_epidemic.pipeline.lake import Lake, Manifest
from restframe_epidemic.pipeline.spill import Spill
from restframe_epidemic.sources import Source, read_file

REPORTS = """
uri = "reports.csv"
format = "csv"
key = ["day", "place"]
date = "day"
partition = "month"
cadence = "daily"
licence = "none"
attribution = "invented"

[columns]
place = { type = "varchar(8)" }
day = { type = "date" }
cases = { type = "bigint" }
"""


def source(directory: Path) -> Source:
    (directory / "reports.toml").write_text(REPORTS)
    return read_file(directory / "reports.toml")


def with_gaps(values: list[object], kind: pa.DataType) -> pa.Array:
    return pa.array([None if at % 7 == 3 else value for at, value in enumerate(values)], kind)


def test_rows_of_every_type_come_out_of_the_lake_as_they_went_in(tmp_path: Path) -> None:
    numbers = np.random.default_rng(1).permutation(np.arange(-3_000, 3_000)).tolist()
    rows = pa.table(
        {
            "text": with_gaps([f"É{number}" * (number % 3) for number in numbers], pa.string()),
            "same": pa.repeat(pa.scalar("reports.csv"), len(numbers)),
            "bigint": with_gaps([number * 2**50 for number in numbers], pa.int64()),
            "int": with_gaps([number * 2**18 for number in numbers], pa.int32()),
            "smallint": with_gaps(numbers, pa.int16()),
            "float8": with_gaps([number / 7 for number in numbers], pa.float64()),
            "short": with_gaps([Decimal(number) / 100 for number in numbers], pa.decimal128(10, 2)),
            "eighteen": with_gaps([Decimal(number) * 10**14 for number in numbers], pa.decimal128(18, 0)),
            "long": with_gaps([Decimal(number) * 10**30 for number in numbers], pa.decimal128(38, 4)),
            "date": with_gaps(numbers, pa.int32()).cast(pa.date32()),
            "boolean": with_gaps([number % 2 == 0 for number in numbers], pa.bool_()),
        }
    )
    lake = Lake(tmp_path / "lake", source(tmp_path))
    kept = Manifest(partitions={"2021-01-01": [lake.write_rows("2021-01-01", rows)]})
    assert lake.rows(kept, "2021-01-01", 0, 1) == rows


def test_a_spill_gives_partitions_back_in_pieces(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    days = pa.array(rng.integers(-40, 40, 3_000), pa.int32()).cast(pa.date32())  # around 1970, in both directions
    rows = pa.table({"place": [f"p{n}" for n in rng.integers(0, 50, 3_000)], "day": days, "cases": range(3_000)})
    with Spill(source(tmp_path), tmp_path / "spill", most=4) as spill:
        for at in range(0, 3_000, 500):
            spill.add(rows.slice(at, 500))
            spill._write()
        assert spill.partitions() == ["1969-11-01", "1969-12-01", "1970-01-01", "1970-02-01"]
        december = rows.filter(pc.and_(pc.equal(pc.year(days), 1969), pc.equal(pc.month(days), 12)))
        for pieces in (1, 2, 4, 8):
            cut = [spill.rows("1969-12-01", piece, pieces) for piece in range(pieces)]
            assert pa.concat_tables(cut).sort_by("cases") == december
            keys = [set(zip(piece["place"].to_pylist(), piece["day"].to_pylist(), strict=True)) for piece in cut]
            assert sum(map(len, keys)) == len(set.union(*keys))  # rows with one key are never apart
            if pieces >= spill.most:
                assert all(piece == piece.sort_by("cases") for piece in cut)
    assert not (tmp_path / "spill").exists()
