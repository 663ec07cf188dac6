"""Raw files into the lake and the warehouse: an invented country with two sources, and everything that goes wrong."""

from __future__ import annotations

import bz2
import contextlib
import datetime
import errno
import gzip
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from restframe_epidemic import country, errors
from restframe_epidemic.pipeline import rules, streams
from restframe_epidemic.pipeline.ingest import Outcome, ingest
from restframe_epidemic.sources import Source
from restframe_epidemic.store import Store

TODAY = datetime.date(2021, 3, 31)

PLACES = """
uri = "places.csv"
format = "csv"
key = ["place"]
vintage = "2021-01-01"
cadence = "once"
licence = "none"
attribution = "invented"

[columns]
place = { from = "Code", type = "varchar(4)", digits = 4 }
name = { from = "Name", type = "varchar(16)" }
people = { from = "People", type = "bigint", minimum = 1, otherwise = "null" }
"""

REPORTS = """
uri = "reports*"
format = "psv"
key = ["place", "day"]
date = "day"
cadence = "daily"
licence = "none"
attribution = "invented"

[columns]
place = { type = "varchar(4)", references = "places.place" }
day = { type = "date", minimum = "2021-01-01" }
cases = { type = "bigint", minimum = 0 }
deaths = { type = "bigint", minimum = 0, otherwise = "null" }
"""

LOCATION = """
DELETE FROM epidemic.location;
INSERT INTO epidemic.location (location, name, level, population)
SELECT place, name, 'parish', people FROM epidemic_staging.places;
"""

CASE_REPORT = """
DELETE FROM epidemic.case_report;
INSERT INTO epidemic.case_report (location, date, cases, deaths)
SELECT place, day, cases, deaths FROM epidemic_staging.reports;
"""


class Quiet:
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    @contextlib.contextmanager
    def step(self, text: str, total: int) -> Iterator[streams.Progress]:
        yield lambda size_bytes: None


class Scene:
    """A country, its raw files and its warehouse."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.data = directory / "raw"
        self.folder = directory / "borduria"
        (self.folder / "sources").mkdir(parents=True)
        self.data.mkdir()
        (self.folder / "country.toml").write_text('name = "Borduria"\nweek_ends = "sunday"\n')
        self.declare("places", PLACES)
        self.declare("reports", REPORTS)
        self.write("places.csv", "Code,Name,People\n1,Szohôd,52000\n2.0,Klow,31000\n")
        self.quiet = Quiet()

    def fill_tables(self) -> None:
        (self.folder / "location.sql").write_text(LOCATION)
        (self.folder / "case_report.sql").write_text(CASE_REPORT)

    def declare(self, name: str, text: str) -> None:
        (self.folder / "sources" / f"{name}.toml").write_text(text)

    def write(self, name: str, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        if name.endswith(".gz"):
            data = gzip.compress(data, mtime=0)
        (self.data / name).write_bytes(data)

    def reports(self, *lines: str, name: str = "reports.psv") -> None:
        self.write(name, "\n".join(["place|day|cases|deaths", *lines, ""]))

    def ingest(self, store: Store, today: datetime.date = TODAY, only: tuple[str, ...] = ()) -> dict[str, Outcome]:
        self.quiet.said.clear()
        outcomes = ingest(store, country.read(self.folder), self.data, self.quiet, today=today, only=only)
        return {outcome.source: outcome for outcome in outcomes}


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "warehouse") as store:
        yield store


def reports(store: Store) -> list[tuple[object, ...]]:
    rows = store.run(
        "SELECT place, CAST(day AS varchar), cases, deaths, source_file, source_line FROM epidemic_staging.reports"
        " ORDER BY place, day"
    )
    return [tuple(row) for row in rows.fetchall()]


def quarantine(store: Store, source: str = "reports") -> list[tuple[object, ...]]:
    rows = store.run(
        "SELECT source_file, source_line, key, column_name, value, rule, action, new_value FROM epidemic.quarantine"
        f" WHERE source = '{source}' ORDER BY source_file, source_line, column_name"
    )
    return [tuple(row) for row in rows.fetchall()]


def lake(store: Store) -> dict[str, int]:
    return {str(path.relative_to(store.lake)): path.stat().st_ino for path in store.lake.rglob("*") if path.is_file()}


def test_rows_arrive_with_the_file_and_line_they_came_from(scene: Scene, store: Store) -> None:
    scene.fill_tables()
    scene.reports("0001|2021-01-04|5|0", "0002|2021-01-04|7|1", "0001|2021-01-05|6|0")
    outcomes = scene.ingest(store)
    assert (outcomes["reports"].status, outcomes["reports"].rows, outcomes["reports"].refused) == ("read", 3, 0)
    assert reports(store) == [
        ("0001", "2021-01-04", 5, 0, "reports.psv", 2),
        ("0001", "2021-01-05", 6, 0, "reports.psv", 4),
        ("0002", "2021-01-04", 7, 1, "reports.psv", 3),
    ]
    places = store.run("SELECT place, name, people FROM epidemic_staging.places ORDER BY place").fetchall()
    assert [tuple(row) for row in places] == [("0001", "Szohôd", 52000), ("0002", "Klow", 31000)]
    files = sorted(path.relative_to(store.lake / "reports").parent.name for path in store.lake.glob("reports/*/*"))
    assert files == ["date=2021-01-04", "date=2021-01-05"]
    counts = store.run("SELECT location, CAST(date AS varchar), cases FROM epidemic.incidence ORDER BY 1, 2").fetchall()
    assert [tuple(row) for row in counts][:2] == [("0001", "2021-01-04", 5.0), ("0001", "2021-01-05", 1.0)]


def test_again_changes_nothing(scene: Scene, store: Store) -> None:
    scene.reports("0001|2021-01-04|5|0")
    scene.ingest(store)
    before = lake(store)
    outcomes = scene.ingest(store)
    assert {outcome.status for outcome in outcomes.values()} == {"unchanged"}
    assert lake(store) == before
    scene.reports("0001|2021-01-04|5|0")  # written anew, with the same content
    assert scene.ingest(store)["reports"].status == "unchanged"


def test_late_and_corrected_rows_merge(scene: Scene, store: Store) -> None:
    scene.reports("0001|2021-01-04|5|0", "0001|2021-01-05|6|0", name="reports_1.psv")
    scene.ingest(store)
    untouched = next((store.lake / "reports" / "date=2021-01-05").iterdir())
    scene.reports("0001|2021-01-04|4|0", "0002|2021-01-04|7|1", "0001|2021-01-05|6|0", name="reports_2.psv")
    outcome = scene.ingest(store)["reports"]
    assert (outcome.rows, outcome.repeated) == (3, 1)
    assert reports(store) == [
        ("0001", "2021-01-04", 4, 0, "reports_2.psv", 2),
        ("0001", "2021-01-05", 6, 0, "reports_1.psv", 3),
        ("0002", "2021-01-04", 7, 1, "reports_2.psv", 3),
    ]
    assert quarantine(store) == [
        ("reports_2.psv", 2, "0001|2021-01-04", None, "cases=5", "corrected", "changed", "cases=4")
    ]
    assert next((store.lake / "reports" / "date=2021-01-05").iterdir()) == untouched


def test_a_file_that_comes_late_does_not_undo_a_later_one(scene: Scene, store: Store) -> None:
    scene.reports("0001|2021-01-04|9|0", name="reports_2.psv")
    scene.ingest(store)
    scene.reports("0001|2021-01-04|5|0", "0001|2021-01-03|1|0", name="reports_1.psv")
    scene.ingest(store)
    assert [row[:3] for row in reports(store)] == [("0001", "2021-01-03", 1), ("0001", "2021-01-04", 9)]


def test_the_order_in_which_files_arrive_does_not_matter(scene: Scene, store: Store, tmp_path: Path) -> None:
    files = {
        "reports_1.psv": ["0001|2021-01-04|1|0", "0002|2021-01-04|1|0"],
        "reports_2.psv": ["0001|2021-01-04|2|0"],
        "reports_3.psv": ["0001|2021-01-04|2|0", "0002|2021-01-05|3|0"],
    }
    for name, lines in files.items():
        scene.reports(*lines, name=name)
    scene.ingest(store)
    other = Scene(tmp_path / "other")
    with Store(tmp_path / "other" / "warehouse") as second:
        for name, lines in files.items():
            other.reports(*lines, name=name)
            other.ingest(second)
        assert reports(second) == reports(store)


def test_content_that_changes_under_the_same_name_counts(scene: Scene, store: Store) -> None:
    scene.reports("0001|2021-01-04|5|0", "0002|2021-01-04|1|0", "9999|2021-01-04|1|0")
    scene.ingest(store)
    scene.reports("0001|2021-01-04|8|0")
    scene.ingest(store)
    # a place that is missing now keeps what it had reported
    assert [row[:3] for row in reports(store)] == [("0001", "2021-01-04", 8), ("0002", "2021-01-04", 1)]
    assert [row[5] for row in quarantine(store)] == ["corrected"]


def test_duplicate_rows(scene: Scene, store: Store) -> None:
    scene.reports("0001|2021-01-04|5|0", "0001|2021-01-04|5|0", "0002|2021-01-04|5|0", "0002|2021-01-04|6|0")
    outcome = scene.ingest(store)["reports"]
    assert (outcome.rows, outcome.repeated, outcome.refused) == (4, 1, 1)
    assert [row[:3] + row[5:] for row in reports(store)] == [("0001", "2021-01-04", 5, 2), ("0002", "2021-01-04", 6, 5)]
    assert quarantine(store) == [
        ("reports.psv", 4, "0002|2021-01-04", None, "cases=5", "duplicate", "rejected", "cases=6")
    ]


BROKEN = {
    "0001|2021-01-32|5|0": ("day", "2021-01-32", "type"),
    "0001|2021-01-04|5x|0": ("cases", "5x", "type"),
    "0001|2021-01-04|99999999999999999999|0": ("cases", "99999999999999999999", "type"),
    "0001|2021-01-04|-5|0": ("cases", "-5", "minimum"),
    "0001|2021-04-01|5|0": ("day", "2021-04-01", "future"),
    "0001|2020-12-31|5|0": ("day", "2020-12-31", "minimum"),
    "|2021-01-04|5|0": ("place", None, "null"),
    "0001||5|0": ("day", None, "null"),
    "0003|2021-01-04|5|0": ("place", "0003", "reference"),
    "00010|2021-01-04|5|0": ("place", "00010", "length"),
    "0001|2021-01-04|5": (None, "0001|2021-01-04|5", "columns"),
    "0001|2021-01-04|5|0|1": (None, "0001|2021-01-04|5|0|1", "columns"),
    '0001|2021-01-04|"5|0': (None, '0001|2021-01-04|"5|0', "columns"),
}


def test_a_row_that_breaks_a_rule_is_told_of(scene: Scene, store: Store) -> None:
    scene.reports(*BROKEN, "", "0002|2021-01-05|2|0")
    assert scene.ingest(store)["reports"].status == "read"
    assert [row[:3] + row[5:] for row in reports(store)] == [("0002", "2021-01-05", 2, 16)]
    told = [row for row in quarantine(store) if row[1] != 15]
    assert [(*row[3:6], row[6]) for row in told] == [(*entry, "rejected") for entry in BROKEN.values()]
    assert [row[1] for row in told] == list(range(2, 15))
    assert [row[3:] for row in quarantine(store) if row[1] == 15] == [(None, "", "columns", "rejected", None)]


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_blank_lines_at_the_end_are_nothing_to_tell_of(end: str, scene: Scene, store: Store) -> None:
    lines = ["place|day|cases|deaths", "0001|2021-01-04|1|0", "", "0002|2021-01-04|2|0", *(200 * [""])]
    scene.write("reports.psv", end.join(lines))
    outcome = scene.ingest(store)["reports"]
    assert (outcome.rows, outcome.refused) == (2, 1)
    assert [row[5] for row in reports(store)] == [2, 4]
    assert [row[1] for row in quarantine(store)] == [3]


def test_a_file_of_blank_lines_is_empty(scene: Scene, store: Store) -> None:
    scene.write("reports.psv", "\n\r\n\n")
    assert scene.ingest(store)["reports"].status == "failed"
    assert "reports: reports.psv: the file is empty (It has not even a header.)" in scene.quiet.said


@pytest.mark.parametrize("line", ["", "x", '"'], ids=["blank", "short", "quote"])
def test_a_file_of_lines_that_are_no_rows_is_refused_before_each_is_told_of(
    line: str, scene: Scene, store: Store
) -> None:
    """A few kilobytes of gzip may be millions of blank lines."""
    row = "0001|2021-01-05|1|0"
    scene.reports(row, *[line] * 100_001, row, name="reports_2.psv.gz")
    scene.reports("0002|2021-01-05|2|0", name="reports_1.psv")
    (outcome,) = scene.ingest(store, only=("reports",)).values()
    assert outcome.status == "failed"
    assert [row[0] for row in reports(store)] == ["0002"] and quarantine(store) == []
    assert str(outcome.error) == ("reports_2.psv.gz:3: from here on more than 100,000 lines are no rows of 4 columns")


def test_lines_that_are_rows_keep_their_numbers_without_any_other_damage(scene: Scene, store: Store) -> None:
    scene.reports("0001|2021-01-05|1|0", "0001|2021-01-06", "0002|2021-01-05|2|0")
    scene.ingest(store)
    assert [row[:3] + row[5:] for row in reports(store)] == [("0001", "2021-01-05", 1, 2), ("0002", "2021-01-05", 2, 4)]


def test_a_value_may_become_null_instead(scene: Scene, store: Store) -> None:
    scene.fill_tables()
    scene.reports("0001|2021-01-04|5|-3", "0001|2021-01-05|6|none")
    scene.write("places.csv", "Code,Name,People\n1,Szohôd,-52000\n2,Klow,NaN\n")
    scene.ingest(store)
    assert [row[2:4] for row in reports(store)] == [(5, None), (6, None)]
    assert [(row[3], row[4], row[5], row[6]) for row in quarantine(store)] == [
        ("deaths", "-3", "minimum", "changed"),
        ("deaths", "none", "type", "changed"),
    ]
    assert [(row[4], row[5], row[6]) for row in quarantine(store, "places")] == [
        ("-52000", "minimum", "changed"),
        ("NaN", "type", "changed"),
    ]
    people = store.run("SELECT population FROM epidemic.location").fetchall()
    assert [row[0] for row in people] == [None, None]


def test_a_spreadsheet_of_a_country_with_decimal_commas(scene: Scene, store: Store) -> None:
    scene.declare(
        "places",
        """
uri = "places.csv"
format = "csv"
delimiter = ";"
decimal = ","
encoding = "windows-1252"
key = ["place"]
vintage = "2020-01-01"
cadence = "yearly"
licence = "none"
attribution = "invented"
[columns]
place = { from = "Schlüssel", type = "varchar(8)" }
name = { type = "varchar(40)" }
share = { type = "float8" }
since = { type = "date", format = "%d.%m.%Y" }
""",
    )
    lines = ["Schlüssel;name;share;since", '0Ä1;"Süd; Ost";0,25;31.12.2019', "0Ä2;Œuf;1.234;01.02.2020"]
    scene.write("places.csv", b"\r\n".join([*(line.encode("windows-1252") for line in lines), b"0\x81;x;0,5;1.1.2020"]))
    scene.ingest(store, only=("places",))
    found = store.run("SELECT place, name, share, CAST(since AS varchar) FROM epidemic_staging.places").fetchall()
    assert [tuple(row) for row in found] == [("0Ä1", "Süd; Ost", 0.25, "2019-12-31")]
    assert [entry[1:2] + entry[3:6] for entry in quarantine(store, "places")] == [
        (3, "share", "1.234", "type"),  # twelve hundred, or a little more than one?
        (4, "place", "0\ufffd", "type"),
    ]


def test_bytes_that_are_no_text(scene: Scene, store: Store) -> None:
    scene.write("places.csv", b"Code,Name,People\n1,Szoh\xf4d,52000\n2,Klow,31000\n")
    scene.ingest(store)
    assert [(row[1], row[3], row[5]) for row in quarantine(store, "places")] == [(2, "name", "type")]


def test_a_line_that_is_neither_text_nor_a_row(scene: Scene, store: Store) -> None:
    scene.write("places.csv", b"Code,Name,People\n1,Szoh\xf4d\n2,Klow,31000\n")
    assert scene.ingest(store)["places"].status == "read"
    assert [(row[1], row[5]) for row in quarantine(store, "places")] == [(2, "columns")]


def test_a_file_that_grows_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "reports.csv"
    path.write_text("place,day\n")

    def grow(size_bytes: int) -> None:
        with path.open("a") as file:
            file.write("" if path.stat().st_size > 100 else 100 * "x")

    with pytest.raises(errors.DataError, match=r"reports\.csv: the file changed while it was read"):
        list(streams.RawFile(path, "reports.csv", grow).blocks())


def test_what_nobody_thought_of_costs_its_source_alone(
    scene: Scene, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.write("places.csv", "Code,Name,People\n1,Szohod,52000\n")
    scene.reports("0001|2021-01-04|5|0")
    apply = rules.apply

    def sometimes(source: Source, *given: Any, **named: Any) -> rules.Checked:
        if source.name == "places":
            raise OverflowError("Python int too large")
        return apply(source, *given, **named)

    monkeypatch.setattr(rules, "apply", sometimes)
    outcomes = scene.ingest(store)
    assert str(outcomes["places"].error) == "places: OverflowError: Python int too large"
    assert outcomes["reports"].status != "failed"


def test_a_name_cannot_move_the_cursor(scene: Scene, store: Store) -> None:
    scene.write("places.csv", b"Code\x1b[2J,Name,People\n")
    outcome = scene.ingest(store)["places"]
    assert "Code\\x1b[2J" in str(outcome.error)


def test_a_date_that_lay_ahead_is_read_when_its_day_has_come(scene: Scene, store: Store) -> None:
    scene.reports("0001|2021-03-31|5|0", "0001|2021-04-02|6|0")
    scene.ingest(store)
    assert len(reports(store)) == 1
    assert scene.ingest(store, datetime.date(2021, 4, 1))["reports"].status == "unchanged"
    assert scene.ingest(store, datetime.date(2021, 4, 2))["reports"].status == "read"
    assert len(reports(store)) == 2
    assert quarantine(store) == []


def test_a_new_place_counts_once_it_is_known(scene: Scene, store: Store) -> None:
    scene.reports("0003|2021-01-04|5|0")
    scene.ingest(store)
    assert reports(store) == []
    scene.write("places.csv", "Code,Name,People\n1,Szohôd,52000\n2,Klow,31000\n3,Bakhine,900\n")
    assert scene.ingest(store)["reports"].status == "read"
    assert [row[:3] for row in reports(store)] == [("0003", "2021-01-04", 5)]
    assert quarantine(store) == []


def test_other_columns_than_declared(scene: Scene, store: Store) -> None:
    scene.reports("0001|2021-01-04|5|0", name="reports_1.psv")
    drifted = {
        "place|day|cases": 'missing "deaths"',
        "place|day|cases|deaths|tests": 'new "tests"',
        "place|day|infections|deaths": 'missing "cases"; new "infections"',
        "place|day|deaths|cases": 'reordered: "cases" is column 4 instead of 3, "deaths" is column 3 instead of 4',
    }
    for header, told in drifted.items():
        scene.write("reports_2.psv", header + "\n0001|2021-01-05|6|0\n")
        outcome = scene.ingest(store)["reports"]
        assert outcome.status == "failed"
        assert isinstance(outcome.error, errors.SchemaDrift)
        assert str(outcome.error) == f"reports_2.psv:1: the columns are not those that reports.toml declares: {told}"
        assert [row[:3] for row in reports(store)] == [("0001", "2021-01-04", 5)]


def test_a_file_whose_name_is_no_utf8_is_refused_and_others_are_read(scene: Scene, store: Store) -> None:
    scene.reports("0001|2021-01-04|5|0")
    (scene.data / os.fsdecode(b"reports_\xff.psv")).write_bytes((scene.data / "reports.psv").read_bytes())
    outcomes = scene.ingest(store)
    assert (outcomes["reports"].status, outcomes["reports"].rows) == ("failed", 1)
    assert "reports: reports_\ufffd.psv: the file's name is no UTF-8 (Give it another name: tables hold it.)" in (
        scene.quiet.said
    )


def test_a_truncated_archive_loads_nothing(scene: Scene, store: Store) -> None:
    text = "place|day|cases|deaths\n" + "".join(f"0001|2021-01-04|{n}|0\n" for n in range(20000))
    pack = {"gz": gzip.compress, "bz2": bz2.compress, "zst": lambda data: pa.compress(data, "zstd", asbytes=True)}
    for kind, compress in pack.items():
        packed = compress(text.encode())
        (scene.data / f"reports.psv.{kind}").write_bytes(packed[:-100])
        outcome = scene.ingest(store)["reports"]
        assert outcome.status == "failed"
        assert f"ends early, at byte {len(packed) - 100} of {len(packed) - 100}" in str(outcome.error)
        assert not list((store.lake / "reports").rglob("*.parquet"))
        (scene.data / f"reports.psv.{kind}").unlink()


def test_every_compression_is_read(scene: Scene, store: Store) -> None:
    text = b"place|day|cases|deaths\n0001|2021-01-0%d|5|0\n"
    scene.write("reports_1.psv.gz", text % 4)
    scene.write("reports_2.psv.bz2", bz2.compress(text % 5))
    scene.write("reports_3.psv.zst", pa.compress(text % 6, "zstd", asbytes=True))
    scene.ingest(store)
    assert [row[1] for row in reports(store)] == ["2021-01-04", "2021-01-05", "2021-01-06"]


def test_two_archives_in_one_file(scene: Scene, store: Store) -> None:
    first = gzip.compress(b"place|day|cases|deaths\n0001|2021-01-04|5|0\n")
    (scene.data / "reports.psv.gz").write_bytes(first + gzip.compress(b"0002|2021-01-04|7|0\n"))
    scene.ingest(store)
    assert [row[:3] + row[5:] for row in reports(store)] == [("0001", "2021-01-04", 5, 2), ("0002", "2021-01-04", 7, 3)]


def test_a_parquet_file_that_ends_early(scene: Scene, store: Store) -> None:
    scene.declare("places", PLACES.replace('"places.csv"', '"places.parquet"').replace('"csv"', '"parquet"'))
    table = pa.table({"Code": [1.0, 2.0], "Name": ["Szohôd", "Klow"], "People": [52000.0, float("nan")]})
    pq.write_table(table, scene.data / "places.parquet")
    data = (scene.data / "places.parquet").read_bytes()
    (scene.data / "places.parquet").write_bytes(data[:-50])
    assert scene.ingest(store, only=("places",))["places"].status == "failed"
    (scene.data / "places.parquet").write_bytes(data)
    scene.ingest(store, only=("places",))
    places = store.run("SELECT place, people, source_line FROM epidemic_staging.places ORDER BY 1").fetchall()
    assert [tuple(row) for row in places] == [("0001", 52000, 1), ("0002", None, 2)]


def test_a_source_that_is_absent_stops_nothing(scene: Scene, store: Store) -> None:
    scene.fill_tables()
    outcomes = scene.ingest(store)
    assert outcomes["reports"].status == "absent"
    assert outcomes["places"].status == "read"
    assert outcomes["reports"].looked_for == "reports*"
    # whoever asked tells of all of them together
    assert [line for line in scene.quiet.said if line.startswith("reports")] == []
    assert store.run("SELECT count(*) FROM epidemic.location").fetchall()[0][0] == 2


def test_what_is_not_checked_is_told_of_files_that_are_there(scene: Scene, store: Store) -> None:
    (scene.data / "places.csv").unlink()
    scene.ingest(store)
    assert [line for line in scene.quiet.said if line.startswith("reports")] == []
    scene.reports("0001|2021-03-01|4|0")
    scene.ingest(store)
    assert [line for line in scene.quiet.said if line.startswith("reports")] == [
        "reports: place is not checked, there is no places"
    ]


def test_a_file_that_is_gone_is_told_and_its_rows_stay(scene: Scene, store: Store) -> None:
    scene.ingest(store)
    (scene.data / "places.csv").unlink()
    assert scene.ingest(store)["places"].status == "unchanged"
    assert "places: there is no file of it any more; what was read before stays as it is" in scene.quiet.said
    assert store.run("SELECT count(*) FROM epidemic_staging.places").fetchall()[0][0] == 2


def test_a_file_of_which_no_row_is_right_fails_with_the_commonest_reason(scene: Scene, store: Store) -> None:
    scene.reports("0001|2021-03-05|4|0")
    scene.ingest(store)
    scene.reports("0001|05.03.2021|4|0", "0002|06.03.2021|5|0", "0007|2021-03-06|5|0")
    error = scene.ingest(store)["reports"].error
    assert error is not None
    assert str(error) == "reports: no row is right; most often, day is no date (day, line 2)"
    assert error.hint == "epidemic.quarantine has all of them."
    assert store.run("SELECT cases FROM epidemic_staging.reports").fetchall() == [(4,)]


def test_files_with_nothing_in_them(scene: Scene, store: Store) -> None:
    scene.write("reports.psv", "")
    assert str(scene.ingest(store)["reports"].error) == "reports.psv: the file is empty"
    scene.reports()
    assert (scene.ingest(store)["reports"].status, reports(store)) == ("read", [])
    with pytest.raises(errors.UsageError, match='there is no source "weather"'):
        scene.ingest(store, only=("weather",))


def test_other_rules_judge_anew(scene: Scene, store: Store) -> None:
    scene.reports("0001|2021-01-04|5|0", "0001|2021-01-05|500|0")
    scene.ingest(store)
    scene.declare("reports", REPORTS.replace('cases = { type = "bigint"', 'cases = { type = "bigint", maximum = 100'))
    scene.ingest(store)
    assert [row[2] for row in reports(store)] == [5]
    assert [row[5] for row in quarantine(store)] == ["maximum"]


def test_blocks_end_anywhere(scene: Scene, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines keep their numbers over blocks, quotes that are not closed and windows' line ends."""
    monkeypatch.setattr("restframe_epidemic.pipeline.delimited.BLOCK_BYTES", 64)
    lines = [f'0001|{datetime.date(2021, 1, 4) + datetime.timedelta(days=n)}|"{n}"|0\r' for n in range(80)]
    lines[40] = '0001|2021-02-01|"5|0'
    scene.reports(*lines)
    scene.ingest(store)
    rows = reports(store)
    assert [row[2] for row in rows] == [n for n in range(80) if n != 40]
    assert [row[5] for row in rows] == [n + 2 for n in range(80) if n != 40]
    assert [(row[1], row[5]) for row in quarantine(store)] == [(42, "columns")]


def test_partitions_in_pieces_are_the_same_rows(
    scene: Scene, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut as if they were too large for memory, and finer when more arrives."""
    rng = random.Random(3)
    lines = [f"000{rng.randint(1, 2)}|2021-01-{rng.randint(4, 31):02}|{n}|0" for n in range(400)]
    other = Scene(tmp_path / "other")
    with Store(tmp_path / "other" / "warehouse") as second:
        for at, (first, last, cut) in enumerate([(0, 150, 1), (150, 250, 4), (250, 400, 8)]):
            scene.reports(*lines[first:last], name=f"reports_{at}.psv")
            other.reports(*lines[first:last], name=f"reports_{at}.psv")
            other.ingest(second)
            with monkeypatch.context() as patch:
                patch.setattr("restframe_epidemic.pipeline.reading.at_most", lambda size, cut=cut: min(cut, 4))
                patch.setattr("restframe_epidemic.pipeline.reading.needed", lambda size, most, cut=cut: cut)
                scene.ingest(store)
        assert len(list((store.lake / "reports" / "date=2021-01-04").iterdir())) > 1
        assert reports(store) == reports(second)
        assert sorted(quarantine(store)) == sorted(quarantine(second))
        assert len(quarantine(store)) > 100


def test_no_space_left(scene: Scene, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.reports("0001|2021-01-04|5|0")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("restframe_epidemic.pipeline.spill.Spill._write", full)
        outcome = scene.ingest(store)["reports"]
        assert str(outcome.error) == "reports: [Errno 28] No space left on device"
        assert outcome.error is not None
        assert outcome.error.hint == "Make room and run the command again; what is finished is kept."
    assert scene.ingest(store)["reports"].status == "read"
    assert len(reports(store)) == 1


def test_reports_that_came_in_bulk_are_told_of(scene: Scene, store: Store) -> None:
    scene.fill_tables()
    days = [datetime.date(2021, 1, 4) + datetime.timedelta(days=n) for n in range(40)]
    counts = [20 * (n + 1) + (300 if n >= 30 else 0) for n in range(40)]
    scene.reports(*(f"0001|{day}|{count}|0" for day, count in zip(days, counts, strict=True)))
    scene.ingest(store)
    rows = store.run("SELECT cases, flag FROM epidemic.incidence ORDER BY date").fetchall()
    assert [tuple(row) for row in rows[:2] + rows[29:32]] == [
        (20.0, None),
        (20.0, None),
        (pytest.approx(20 * (1 + 300 / 560)), "dump"),
        (20.0, "dump"),
        (20.0, None),
    ]
    assert sum(row[0] for row in rows) == pytest.approx(counts[-1])
    assert quarantine(store, "case_report") == [(None, None, "0001|2021-02-03", "cases", "300", "dump", "moved", None)]


def test_a_count_that_no_float_holds_stops_nothing(scene: Scene, store: Store) -> None:
    scene.fill_tables()
    scene.reports("0001|2021-01-04|4611686018427387905|0", "0002|2021-01-04|3|0", "0002|2021-01-05|5|0")
    assert scene.ingest(store)["reports"].status == "read"
    rows = store.run("SELECT cases FROM epidemic.incidence WHERE location = '0002' ORDER BY date").fetchall()
    assert [row[0] for row in rows] == [3, 2]
