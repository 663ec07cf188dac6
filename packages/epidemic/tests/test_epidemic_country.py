"""A country is a folder; what is wrong with it is told with its file."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest

from restframe.errors import DiskFull
from restframe_epidemic import cli, country, errors, panel_reading
from restframe_epidemic.store import Store


def test_countries_that_come_with_the_package_have_names() -> None:
    us = country.read("us")
    assert (us.name, us.week_ends, us.targets["deaths"]) == ("United States", "saturday", "wk inc death")


def test_a_target_that_a_country_does_not_name_has_the_hubs_usual_name(tmp_path: Path) -> None:
    (tmp_path / "country.toml").write_text('name = "X"\nweek_ends = "sunday"\ntargets = {cases = "wk inc infection"}')
    assert country.read(tmp_path).targets == {"cases": "wk inc infection", "deaths": "wk inc death"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('name = "X"', "name and week_ends are needed", id="missing"),
        pytest.param('name = "X"\nweek_ends = "sunday"\ncapital = "Y"', "unknown: capital", id="unknown"),
        pytest.param('name = "X"\nweek_ends = "payday"', '"payday" is no weekday', id="weekday"),
        pytest.param("name = ", "country.toml: ", id="syntax"),
        pytest.param("a = " + 5000 * "[", "country.toml: ", id="nested"),
        pytest.param('name = 1\nweek_ends = "sunday"', "name is a text", id="name"),
        pytest.param('name = "X"\nweek_ends = "sunday"\ntargets = 1', "targets a table", id="targets"),
        pytest.param('name = "X"\nweek_ends = "sunday"\ntargets = {tests = "t"}', "cases and deaths", id="target"),
        pytest.param(
            'name = "X"\nweek_ends = "sunday"\ntargets = {cases = "c", deaths = "c"}', "same name", id="twice"
        ),
    ],
)
def test_a_country_that_is_described_badly_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "country.toml").write_text(text)
    with pytest.raises(errors.DataError, match=message):
        country.read(tmp_path)


def test_a_country_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "country.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(errors.DataError, match=r"country\.toml"):
        country.read(tmp_path)


@pytest.mark.parametrize(
    ("name", "header", "message"),
    [
        pytest.param("canton; DROP TABLE x.csv", "code", "is no name of a table or column", id="file"),
        pytest.param("canton.csv", "code bigint); DROP TABLE x; --", "is no name of a table or column", id="column"),
        pytest.param("reports.csv", "code", "has a table of the same name", id="source"),
    ],
)
def test_a_table_of_a_country_takes_no_place_that_is_not_its_own(
    tmp_path: Path, name: str, header: str, message: str
) -> None:
    (tmp_path / "country.toml").write_text('name = "X"\nweek_ends = "sunday"')
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "reports.toml").touch()
    (tmp_path / name).write_text(f"{header}\n1\n")
    with Store(tmp_path / "warehouse") as store:
        store.prepare()
        store.run("CREATE SCHEMA IF NOT EXISTS epidemic_staging")
        with pytest.raises(errors.DataError, match=message):
            country.transform(store, country.read(tmp_path))


def test_small_tables_keep_codes_and_what_is_no_number(tmp_path: Path) -> None:
    (tmp_path / "country.toml").write_text('name = "X"\nweek_ends = "sunday"')
    (tmp_path / "codes.csv").write_text(
        "code,number,short,share,day,open,nothing,clock\n"
        "01,1,NA,0.5,2020-01-31,true,,12:30\n"
        "10,-2,x,2,2020-02-01,false,,\n"
    )
    with Store(tmp_path / "warehouse") as store:
        store.prepare()
        country.transform(store, country.read(tmp_path))
        assert store.run("SELECT *, number + 1, share + 1, day + 1 FROM epidemic_staging.codes").fetchall() == [
            ("01", 1, "NA", 0.5, date(2020, 1, 31), True, None, "12:30", 2, 1.5, date(2020, 2, 1)),
            ("10", -2, "x", 2.0, date(2020, 2, 1), False, None, None, -1, 3.0, date(2020, 2, 2)),
        ]


def test_a_folder_without_a_country_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.UsageError, match=r"it has no country\.toml") as raised:
        country.read(tmp_path)
    assert "comes with the engine: marisma, us." in str(raised.value.hint)


def test_tables_are_filled_from_what_is_staged_and_the_rest_is_told(island: ModuleType, tmp_path: Path) -> None:
    with Store(tmp_path / "w") as store:
        store.prepare()
        notices = country.transform(store, country.read(island.COUNTRY))
        assert notices == [
            "age.sql is left out: there is no parishes",
            "measure.sql is left out: there is no measures",
            "place.sql is left out: there is no parishes",
            "report.sql is left out: there is no reports",
            "road.sql is left out: there is no roads",
        ]
        with pytest.raises(errors.NoData, match="no locations") as refused:
            panel_reading.read(store, country.read(island.COUNTRY))
        assert refused.value.hint == "Run `restframe-epidemic ingest` first."


def test_the_calendar_knows_in_which_week_a_day_is_reported(island: ModuleType, tmp_path: Path) -> None:
    with Store(tmp_path / "w") as store:
        store.prepare()
        store.run("INSERT INTO epidemic.case_report VALUES ('P-01', '2021-03-03', 1, 0)")  # a Wednesday
        country.transform(store, country.read(island.COUNTRY))
        weeks = store.run(
            "SELECT date::varchar, week_end::varchar FROM epidemic.calendar"
            " WHERE date BETWEEN '2021-03-06' AND '2021-03-08' ORDER BY date"
        ).fetchall()
    assert weeks == [("2021-03-06", "2021-03-07"), ("2021-03-07", "2021-03-07"), ("2021-03-08", "2021-03-14")]


def test_a_member_that_does_not_exist_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["forecast", "--warehouse", str(tmp_path / "w"), "--members", "oracle"]) == 1
    told = capsys.readouterr().err
    assert told.startswith('error: no member "oracle"\nhint: There are persistence, ')
    assert not (tmp_path / "w").exists()


def test_a_day_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["forecast", "--as-of", "2020-02-30"])
    assert '"2020-02-30" is no date such as 2020-09-12' in capsys.readouterr().err


def test_an_error_of_the_warehouse_is_told_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Store) -> None:
        raise DiskFull("no space left on the server's disk")

    monkeypatch.setattr(Store, "prepare", full)
    assert cli.main(["forecast", "--warehouse", str(tmp_path / "warehouse")]) == 1
    assert capsys.readouterr().err == "error: the warehouse: no space left on the server's disk\n"


def test_a_seed_is_not_negative(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["forecast", "--seed", "-1"])
    assert '"-1" is no whole number from 0 on' in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_told_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert cli.main(["forecast", "--warehouse", str(tmp_path / "file" / "warehouse")]) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: ") and told.count("\n") == 1


@pytest.fixture(scope="module")
def isle(island: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A warehouse with the places and reports of a country of a folder, and the command's words that lead to it."""
    folder = Path(tmp_path_factory.mktemp("isle"))
    island.write(folder / "raw", weeks=4)
    shutil.copytree(island.COUNTRY, folder / "pack")
    words = ["--warehouse", str(folder / "w")]
    ingest = ["ingest", *words, "--data", str(folder / "raw")]
    assert cli.main([*ingest, "--country", str(folder / "pack")]) == 0
    return folder, words


def test_a_warehouse_remembers_its_country(isle: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    folder, words = isle
    with Store(folder / "w") as store:
        assert store.run("SELECT name, week_ends FROM epidemic.country").fetchall() == [("Isle", "sunday")]
        assert country.of(store).folder == folder / "pack"
    assert cli.main(["ingest", *words, "--data", str(folder / "raw")]) == 0
    assert "unchanged" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["ingest", "forecast", "score", "run --daily"])
def test_another_country_than_the_warehouses_is_refused_before_anything_changes(
    isle: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """Marisma's weeks end on Sunday too."""
    folder, words = isle
    more = [] if command in ("forecast", "score") else ["--data", str(folder / "raw")]
    assert cli.main([*command.split(), *words, *more, "--country", "marisma"]) == 1
    assert capsys.readouterr().err == (
        "error: the warehouse belongs to Isle, not to Marisma\n"
        "hint: A warehouse has one country: take another --warehouse, or leave out --country.\n"
    )
    assert not (folder / "w" / "s3" / "epidemic-lake" / "districts").exists()


def test_a_country_may_move_or_change_its_name(isle: tuple[Path, list[str]], tmp_path: Path) -> None:
    folder, _ = isle
    shutil.copytree(folder / "w", tmp_path / "w")
    shutil.copytree(folder / "pack", tmp_path / "moved")
    renamed = (folder / "pack" / "country.toml").read_text().replace('"Isle"', '"Republic of the Isle"')
    with Store(tmp_path / "w") as store:
        country.remember(store, country.of(store, str(tmp_path / "moved")))
        assert country.of(store).folder == tmp_path / "moved"
        (tmp_path / "moved" / "country.toml").write_text(renamed)
        country.remember(store, country.of(store))
        assert country.of(store).name == "Republic of the Isle"
        shutil.rmtree(tmp_path / "moved")
        with pytest.raises(errors.UsageError, match=r"belongs to Republic of the Isle, and .* is no longer there"):
            country.of(store)
        with pytest.raises(errors.UsageError, match="not to Isle"):
            country.of(store, str(folder / "pack"))


def test_a_warehouse_without_places_belongs_to_nobody(island: ModuleType, tmp_path: Path) -> None:
    with Store(tmp_path / "w") as store:
        assert country.of(store).name == "United States"
        store.prepare()
        country.transform(store, country.read("us"))
        assert country.of(store, str(island.COUNTRY)).name == "Isle"


def test_places_that_nobody_remembers_do_not_become_those_of_a_country_without_files(
    island: ModuleType, tmp_path: Path
) -> None:
    """Earlier versions remembered no country, and a command without --country is one for the United States."""
    with Store(tmp_path / "w") as store:
        store.prepare()
        store.run("INSERT INTO epidemic.location (location, name, level) VALUES ('T', 'The isle', 'nation')")
        country.transform(store, country.of(store))
        assert country.of(store, str(island.COUNTRY)).name == "Isle"
