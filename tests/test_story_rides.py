"""The second document's SQL: ten months of green taxi rides in, quarter-hour counts per vendor out."""

from __future__ import annotations

import csv
import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import restframe

TABLE = """
    create table taxischema.nyc_greentaxi (
        vendorid varchar(10), lpep_pickup_datetime timestamp, lpep_dropoff_datetime timestamp,
        store_and_fwd_flag char(1), ratecodeid int, pulocationid int, dolocationid int, passenger_count int,
        trip_distance decimal(8,2), fare_amount decimal(8,2), extra decimal(8,2), mta_tax decimal(8,2),
        tip_amount decimal(8,2), tolls_amount decimal(8,2), ehail_fee varchar(100),
        improvement_surcharge decimal(8,2), total_amount decimal(8,2), payment_type varchar(10),
        trip_type varchar(10), congestion_surcharge decimal(8,2)
    ) sortkey (vendorid);
"""


def unload_of_the_document(shared_data: Callable[[str], Path]) -> str:
    """The UNLOAD as the page prints it, with a prefix and a role where it has Python variables."""
    page = shared_data("../seeds/004_b12d6dfb812e5974.txt").read_text(encoding="utf-8")
    start = page.index('"UNLOAD(') + 1
    text = page[start : page.index('ALLOWOVERWRITE GZIP"', start)] + "ALLOWOVERWRITE GZIP"
    return text.replace("'\" + redshift_unload_path + \"'", "'s3://rides/unload_'").replace(
        "'\" + redshift_iam_role + \"'", "'role'"
    )


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rides")


def test_the_documents_statements_give_its_table_and_files(directory: Path, shared_data: Callable[[str], Path]) -> None:
    months = sorted(shared_data("green_taxi").glob("*.csv.gz"))
    source = directory / "s3" / "nyc-tlc" / "trip data"
    source.mkdir(parents=True)
    for month in months:
        with gzip.open(month) as packed, (source / month.stem).open("wb") as plain:
            shutil.copyfileobj(packed, plain)
    unload = unload_of_the_document(shared_data)

    with restframe.open(directory) as warehouse, warehouse.session() as session:
        session.execute("create schema taxischema;")
        session.execute(TABLE)
        loaded = session.execute(
            "COPY taxischema.nyc_greentaxi FROM 's3://nyc-tlc/trip data/green_tripdata_2020' "
            "IAM_ROLE 'role' csv ignoreheader 1 region 'us-east-1';"
        )
        assert (loaded.tag, loaded.statistics.rows) == ("COPY", 887_649)
        by_month = session.execute(
            "select to_char(lpep_pickup_datetime, 'YYYY-MM') as Pickup_YearMonth, count(*) as Ride_Count "
            "from taxischema.nyc_greentaxi group by 1 order by 1 desc;"
        )
        assert [column.name for column in by_month.columns] == ["pickup_yearmonth", "ride_count"]
        assert by_month.fetchall()[:3] == [("2041-08", 1), ("2021-01", 1), ("2020-12", 83_128)]
        # 37 % of the rows have no vendor; comparing the text with a number must not fail on them
        assert session.execute("select count(*) from taxischema.nyc_greentaxi where vendorid = 1").scalar() == 96_225
        session.execute(unload)

    files = sorted((directory / "s3" / "rides").iterdir())
    assert [file.name for file in files] == ["unload_0000_part_00.gz", "unload_0001_part_00.gz"]
    rows = []
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8", newline="") as text:
            lines = csv.reader(text)
            assert next(lines) == ["pickup_timestamp_norm", "vendor_1", "vendor_2"]
            rows += list(lines)
    inside = [row for row in rows if "2020-03-01" <= row[0] < "2021-01-01"]
    assert len(inside) == 28_018
    assert sum(int(row[1]) for row in rows) == 96_225
    assert sum(int(row[2]) for row in rows) == 460_276
