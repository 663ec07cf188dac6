"""Declarations of sources: what they may say, and what those of the US make of files."""

from __future__ import annotations

import contextlib
import datetime
import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from restframe_epidemic import country, errors, sources
from restframe_epidemic.pipeline.ingest import Outcome, ingest
from restframe_epidemic.pipeline.streams import Progress
from restframe_epidemic.store import Store

DECLARATION = """
uri = "reports.csv"
format = "csv"
key = ["place", "day"]
date = "day"
cadence = "daily"
licence = "none"
attribution = "invented"
columns.place = { type = "varchar(4)" }
columns.day = { type = "date" }
columns.cases = { type = "bigint", minimum = 0 }
"""


def declared(directory: Path, text: str) -> sources.Source:
    (directory / "reports.toml").write_text(text)
    return sources.read(directory)["reports"]


def test_a_declaration(tmp_path: Path) -> None:
    source = declared(tmp_path, DECLARATION)
    assert source.table == "epidemic_staging.reports"
    assert [(column.name, column.type, column.nullable) for column in source.stored] == [
        ("place", "varchar(4)", False),
        ("day", "date", False),
        ("cases", "bigint", True),
    ]
    assert source.header == ("place", "day", "cases")
    assert source.partition == "day"
    assert (source.cadence, source.licence, source.attribution) == ("daily", "none", "invented")


def test_what_only_people_read_may_be_left_out(tmp_path: Path) -> None:
    lines = [line for line in DECLARATION.splitlines() if not line.startswith(("cadence", "licence", "attribution"))]
    source = declared(tmp_path, "\n".join(lines))
    assert (source.cadence, source.licence, source.attribution) == ("", "", "")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('format = "csv"', "", 'reports.toml: "format" is missing'),
        ('cadence = "daily"', "cadence = 1", "reports.toml: cadence: '1' is of the wrong type"),
        ('cadence = "daily"', 'rhythm = "daily"', "reports.toml: rhythm: there is no such key"),
        ('"csv"', '"csv"\ndelimiter = ";;"', "reports.toml: delimiter: ';;' is none"),
        ('"csv"', '"csv"\ndecimal = ","', "reports.toml: decimal: the delimiter is the same"),
        ('"csv"', '"csv"\nencoding = "utf-16"', "reports.toml: encoding: 'utf-16' is none that has ASCII in it"),
        ('"csv"', '"parquet"\ndelimiter = ";"', "reports.toml: delimiter: a Parquet file has none"),
        ('"csv"', '"xls"', "reports.toml: format: 'xls' is none of csv, tsv, psv, parquet"),
        ('"bigint"', '"integer"', "reports.toml: columns.cases.type: 'integer' is no type"),
        ("minimum = 0", 'least = "0"', "reports.toml: columns.cases.least: there is no such key"),
        ("minimum = 0", 'minimum = "0"', "reports.toml: columns.cases.minimum: a bigint has no bound '0'"),
        ("minimum = 0", 'otherwise = "drop"', "columns.cases.otherwise: 'drop' is none of reject, null, keep"),
        ("minimum = 0", 'references = "a.b"', 'reports.toml: columns.cases: no source has "a.b"'),
        ('"varchar(4)"', '"varchar(4)", pattern = "("', "reports.toml: columns.place.pattern: Invalid regular"),
        ('"varchar(4)"', '"varchar(4)", otherwise = "null"', "columns.place.otherwise: a column of the key can only"),
        ('key = ["place", "day"]', 'key = ["place"]', 'date: "day" has to be a date and part of the key'),
        ('key = ["place", "day"]', 'key = ["town", "day"]', 'key: there is no column "town"'),
        ('key = ["place", "day"]', "key = [1]", "reports.toml: key: a list of texts"),
        ('date = "day"', "", 'either "date", a column, or "vintage"'),
        ('date = "day"', 'date = "day"\nvintage = "2021-01-01"', 'either "date", a column, or "vintage"'),
        ('uri = "reports.csv"', 'uri = "../reports.csv"', "uri: relative to the data directory, and inside it"),
        ('uri = "reports.csv"', "uri = ", "reports.toml: Invalid value"),
        ('uri = "reports.csv"', 'uri = ""', "uri: '' is no path and no pattern"),
        ('uri = "reports.csv"', f'uri = "{"a/" * 9000}"', "a/a/' is no path and no pattern"),
        ('uri = "reports.csv"', 'uri = "a**"', "uri: 'a**' is no path and no pattern"),
        ('uri = "reports.csv"', 'uri = "s3://bucket/key"', "uri: relative to the data directory, and inside it"),
        ('"bigint"', '"decimal(39,2)"', "columns.cases.type: a decimal has 1 to 38 digits"),
        ('"bigint"', '"decimal(2,3)"', "columns.cases.type: a decimal has 1 to 38 digits"),
        ('"varchar(4)"', '"varchar(0)"', "columns.place.type: a varchar has 1 to 65535 bytes"),
        ('"varchar(4)"', '"varchar(4)", digits = -1', "columns.place.digits: 1 to 38"),
        ('"varchar(4)"', '"varchar(4)", digits = true', "columns.place.digits: 'True' is of the wrong type"),
        ('"varchar(4)"', '"varchar(4)", pattern = "(?=a)"', "columns.place.pattern: Invalid regular expression"),
        ("minimum = 0", "minimum = 9223372036854775808", "columns.cases.minimum: a bigint has no bound"),
        ("minimum = 0", "minimum = nan", "columns.cases.minimum: a bigint has no bound 'nan'"),
        ('date = "day"', 'date = "day"\nrules = [1]', "rules[0]: a table"),
        ('date = "day"', 'date = "day"\nrules = [{order = ["day", "cases"]}]', 'rules: "cases" is no date'),
        ('uri = "reports.csv"', "uri = " + 5000 * "[", "reports.toml: "),
        ('uri = "reports.csv"', 'uri = "r"\nheader = ["place", "cases"]', 'columns.day.from: "day" does not stand in'),
    ],
    ids=range(38),
)  # fmt: skip
def test_a_wrong_declaration_names_file_and_key(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in DECLARATION
    with pytest.raises(errors.DataError) as raised:
        declared(tmp_path, DECLARATION.replace(old, new))
    assert told in str(raised.value)


@pytest.mark.parametrize("name", ["case_report", "loaded", "members", "quarantine", "spool"])
def test_a_source_does_not_go_by_a_name_that_the_engine_keeps_for_itself(tmp_path: Path, name: str) -> None:
    """A source `quarantine` would have swept those of all others out of the lake."""
    (tmp_path / f"{name}.toml").write_text(DECLARATION)
    with pytest.raises(errors.DataError, match=f"{name}.toml: the engine has something else of this name"):
        sources.read(tmp_path)


def test_sources_come_after_those_they_refer_to(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(DECLARATION.replace("minimum = 0", 'references = "b.cases"'))
    (tmp_path / "b.toml").write_text(DECLARATION)
    assert list(sources.read(tmp_path)) == ["b", "a"]
    (tmp_path / "b.toml").write_text(DECLARATION.replace("minimum = 0", 'references = "a.cases"'))
    with pytest.raises(errors.DataError, match="in a circle"):
        sources.read(tmp_path)


def test_no_declarations(tmp_path: Path) -> None:
    with pytest.raises(errors.UsageError, match="declares no sources"):
        sources.read(tmp_path)


JHU_COLUMNS = "UID,iso2,iso3,code3,FIPS,Admin2,Province_State,Country_Region,Lat,Long_,Combined_Key"
JHU = {
    "time_series_covid19_confirmed_US.csv": f"""{JHU_COLUMNS},1/22/20,1/23/20,12/5/20
84001001,US,USA,840,1001.0,Autauga,Alabama,US,32.5,-86.6,"Autauga, Alabama, US",0,1,2945
84080001,US,USA,840,80001.0,Out of AL,Alabama,US,0.0,0.0,"Out of AL, Alabama, US",0,0,7
84070002,US,USA,840,,Dukes and Nantucket,Massachusetts,US,41.4,-70.7,"Dukes and Nantucket,Massachusetts,US",0,0,9
84055001,US,USA,840,55001.0,Adams,Wisconsin,US,43.9,-89.8,"Adams, Wisconsin, US",,-2,x
""",
    "time_series_covid19_deaths_US.csv": f"""{JHU_COLUMNS},Population,1/22/2020,1/23/2020,12/5/2020
84001001,US,USA,840,1001,Autauga,Alabama,US,32.5,-86.6,"Autauga, Alabama, US",55869,0,0,42
16,AS,ASM,16,60,,American Samoa,US,-14.3,-170.1,"American Samoa, US",55641,0,0,0
""",
}

# In the layouts of the publishers; the numbers are invented.
MOBILITY = """country_region_code,country_region,sub_region_1,sub_region_2,metro_area,iso_3166_2_code,census_fips_code,\
place_id,date,retail_and_recreation_percent_change_from_baseline,grocery_and_pharmacy_percent_change_from_baseline,\
parks_percent_change_from_baseline,transit_stations_percent_change_from_baseline,\
workplaces_percent_change_from_baseline,residential_percent_change_from_baseline
US,United States,,,,,,ChIJCzYy5IS16lQRQrfeQ5K5Oxw,2020-02-15,6,2,15,3,2,-1
US,United States,Alabama,,,US-AL,,ChIJdf5LHzR_hogR6czIUzU0VV4,2020-02-15,5,2,39,7,2,-1
US,United States,Alabama,Autauga County,,,01001,ChIJrwElInlJjogRvWtUAcEJNkM,2020-02-15,5,7,,,-4,
US,United States,Wisconsin,Adams County,,,55001.0,ChIJnRvGHcpyAIgRKwLYRDDZZD4,2020-02-15,,,,,-101,
"""
TESTING_COLUMNS = (
    "state,state_name,state_fips,fema_region,overall_outcome,date,new_results_reported,total_results_reported"
)
TESTING = {
    "COVID-19_Diagnostic_Laboratory_Testing__PCR_Testing__Time_Series.csv": f"""{TESTING_COLUMNS},geocoded_state
AL,Alabama,01,Region 4,Negative,2020/03/01,96,96,POINT (-86.844521 32.756889)
AL,Alabama,01,Region 4,Positive,2020/03/01,16,16,POINT (-86.844521 32.756889)
""",
    "covid-19_diagnostic_lab_testing_20201122_2250.csv": "\ufeff"
    + f"""{TESTING_COLUMNS}
AL,Alabama,01,Region 4,Positive,2020/03/02,6,22
AL,Alabama,01,Region 4,Unknown,2020/03/02,6,22
""".replace("\n", "\r\n"),
}

CLAIMS = {
    "provider.psv": """provider|specialty|facility|location|accepts_new|plans|visits_per_week
D1|cardiology|F1|01001|true|gold|80
D2|cardiology|F1||f||
D3|cardiology|F1|99999|1||-5
D4|cardiology|F1|01001|maybe||5
""",
    "affiliation.psv": """provider|site|location|start_date|end_date
D1|S1|01001|2019-01-01|
D1|S2|01001|2019-06-01|2019-05-31
D9|S2|01001|2019-06-01|
""",
    "drug.psv": """code|molecule|class
00001|metformin|diabetes
""",
    "medical_claim.psv": """claim|line|patient|provider|facility|place_of_service|from_date|through_date|diagnosis_1\
|diagnosis_2|diagnosis_3|diagnosis_4|procedure_code|revenue_code|allowed|paid|patient_share
C1|1|ann|D1|F1|11|2019-03-04|2019-03-05|E119||||99213||120.50|100.5|20
C2|1|ann|D1|F1|11|2019-03-04|2019-03-03|E119||||99213||120.50|100.50|20.00
C3|1|ann|D1|F1|11|0019-03-04|2019-03-05|E119||||99213||120.50|100.50|20.00
C4|1|ann|D1|F1|11|2019-03-04|2019-03-05|E119||||99213||-120.50|many|20.00
""",
    "pharmacy_claim_1.psv": """claim|patient|prescriber|drug|fill_date|days_supply|quantity|status|reversed_date|copay
R1|ann|D1|00001|2019-03-04|30|60|paid||10.00
R2|ann|D1|77777|2019-03-05|30|60|paid||10.00
R3|ann|D1|00001|2019-03-06|-30|60|paid||10.00
R4|ann|D1|00001|2019-03-07|30|60|lost||10.00
R5|ann|D1||2019-03-08|30|60|paid||-10.00
""",
}  # fmt: skip

FEATURES = """fips,name
01001,Autauga
55001,Adams
"""


class Quiet:
    def say(self, text: str) -> None: ...

    @contextlib.contextmanager
    def step(self, text: str, total: int) -> Iterator[Progress]:
        yield lambda size_bytes: None


@pytest.fixture(scope="module")
def united_states(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, dict[str, Outcome]]]:
    """A warehouse with invented files of sources that the real data beside the checkout lack."""
    directory = tmp_path_factory.mktemp("us")
    folder = directory / "country"
    (folder / "sources").mkdir(parents=True)
    (folder / "country.toml").write_text('name = "United States"\nweek_ends = "saturday"\n')
    for path in country.read("us").sources.glob("*.toml"):
        (folder / "sources" / path.name).write_text(path.read_text())
    (folder / "sources" / "county_features.toml").write_text(
        'uri = "counties.csv"\nformat = "csv"\nkey = ["location"]\nvintage = "2019-12-31"\ncadence = "once"\n'
        'licence = "none"\nattribution = "invented"\n[columns]\nlocation = { from = "fips", type = "varchar(5)" }\n'
        'name = { type = "varchar(64)" }\n'
    )
    (directory / "raw" / "claims").mkdir(parents=True)
    (directory / "raw" / "counties.csv").write_text(FEATURES)
    (directory / "raw" / "2020_US_Region_Mobility_Report.csv").write_text(MOBILITY)
    for name, text in (JHU | TESTING).items():
        (directory / "raw" / name).write_text(text)
    for name, text in CLAIMS.items():
        (directory / "raw" / "claims" / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    with Store(directory / "warehouse") as store:
        today = datetime.date(2020, 12, 31)
        outcomes = ingest(store, country.read(folder), directory / "raw", Quiet(), today=today)
        yield store, {outcome.source: outcome for outcome in outcomes}


def rows(store: Store, query: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in store.run(query).fetchall()]


def told(store: Store, source: str) -> list[tuple[object, ...]]:
    return rows(
        store,
        "SELECT source_line, column_name, value, rule, action FROM epidemic.quarantine"
        f" WHERE source = '{source}' ORDER BY source_line, column_name, rule",
    )


def test_jhu_columns_become_days(united_states: tuple[Store, dict[str, Outcome]]) -> None:
    store, outcomes = united_states
    assert outcomes["jhu_cases"].status == "read"
    assert rows(store, "SELECT location, CAST(date AS varchar), cases FROM epidemic_staging.jhu_cases ORDER BY 2") == [
        ("01001", "2020-01-22", 0),
        ("01001", "2020-01-23", 1),
        ("01001", "2020-12-05", 2945),
    ]
    entries = told(store, "jhu_cases")
    assert [entry for entry in entries if entry[3] == "reference"] == [
        (3, "location", "80001.0", "reference", "rejected")
    ] * 3
    assert [entry for entry in entries if entry[0] == 4] == [(4, "location", None, "null", "rejected")] * 3
    assert [entry for entry in entries if entry[0] == 5] == [
        (5, "cases", "-2", "minimum", "rejected"),
        (5, "cases", "x", "type", "rejected"),
    ]
    assert rows(
        store, "SELECT location, CAST(date AS varchar), deaths FROM epidemic_staging.jhu_deaths WHERE deaths > 0"
    ) == [("01001", "2020-12-05", 42)]
    assert told(store, "jhu_deaths") == [(3, "location", "60", "reference", "rejected")] * 3


def test_a_claim_that_ends_before_it_starts_or_is_of_another_age(
    united_states: tuple[Store, dict[str, Outcome]],
) -> None:
    """A claim whose amount is none stays: who was seen, and for what, is known."""
    store, _ = united_states
    claims = rows(
        store, "SELECT claim, CAST(allowed AS varchar), CAST(paid AS varchar) FROM epidemic_staging.claims_medical"
    )
    assert sorted(claims) == [("C1", "120.50", "100.50"), ("C4", "-120.50", None)]
    assert told(store, "claims_medical") == [
        (3, "through_date", "2019-03-03", "order", "rejected"),
        (4, "from_date", "0019-03-04", "minimum", "rejected"),
        (5, "paid", "many", "type", "changed"),
    ]


def test_a_drug_that_is_unknown_is_told_of_and_stays(united_states: tuple[Store, dict[str, Outcome]]) -> None:
    store, _ = united_states
    fills = rows(store, "SELECT claim, drug, days_supply FROM epidemic_staging.claims_pharmacy ORDER BY 1")
    assert fills == [("R1", "00001", 30), ("R2", "77777", 30), ("R3", "00001", None), ("R5", None, 30)]
    assert told(store, "claims_pharmacy") == [
        (3, "drug", "77777", "reference", "kept"),
        (4, "days_supply", "-30", "minimum", "changed"),
        (5, "status", "lost", "values", "rejected"),
        (6, "copay", "-10.00", "minimum", "changed"),
        (6, "drug", None, "null", "kept"),
    ]


def test_a_provider_without_a_place_stays_and_is_nowhere(united_states: tuple[Store, dict[str, Outcome]]) -> None:
    store, _ = united_states
    providers = rows(
        store,
        "SELECT provider, location, accepts_new, visits_per_week FROM epidemic_staging.claims_provider ORDER BY 1",
    )
    assert providers == [
        ("D1", "01001", True, 80.0),
        ("D2", None, False, None),
        ("D3", None, True, None),
        ("D4", "01001", None, 5.0),
    ]
    assert told(store, "claims_provider") == [
        (3, "location", None, "null", "changed"),
        (4, "location", "99999", "reference", "changed"),
        (4, "visits_per_week", "-5", "minimum", "changed"),
        (5, "accepts_new", "maybe", "type", "changed"),
    ]


def test_an_affiliation_that_ends_before_it_starts(united_states: tuple[Store, dict[str, Outcome]]) -> None:
    store, _ = united_states
    assert rows(store, "SELECT provider, site FROM epidemic_staging.claims_affiliation") == [("D1", "S1")]
    assert told(store, "claims_affiliation") == [
        (3, "end_date", "2019-05-31", "order", "rejected"),
        (4, "provider", "D9", "reference", "rejected"),
    ]


def test_absent_sources_are_said_to_be(united_states: tuple[Store, dict[str, Outcome]]) -> None:
    _, outcomes = united_states
    absent = {name for name, outcome in outcomes.items() if outcome.status == "absent"}
    assert {"policies", "interventions", "hub_points"} <= absent


def test_mobility_of_counties(united_states: tuple[Store, dict[str, Outcome]]) -> None:
    store, _ = united_states
    columns = "location, CAST(date AS varchar), retail, grocery, parks, transit, workplaces, residential"
    assert rows(store, f"SELECT {columns} FROM epidemic_staging.mobility") == [
        ("01001", "2020-02-15", 5.0, 7.0, None, None, -4.0, None)
    ]
    assert told(store, "mobility") == [
        (2, "location", None, "null", "rejected"),  # the nation
        (3, "location", None, "null", "rejected"),  # a state
        (5, "workplaces", "-101", "minimum", "rejected"),
    ]


def test_tests_by_state_in_files_of_both_times(united_states: tuple[Store, dict[str, Outcome]]) -> None:
    store, outcomes = united_states
    assert (outcomes["testing"].files, outcomes["testing"].status) == (2, "read")
    assert rows(
        store,
        "SELECT state, CAST(date AS varchar), outcome, tests, tests_total FROM epidemic_staging.testing ORDER BY 2, 3",
    ) == [
        ("AL", "2020-03-01", "Negative", 96, 96),
        ("AL", "2020-03-01", "Positive", 16, 16),
        ("AL", "2020-03-02", "Positive", 6, 22),
    ]
    assert told(store, "testing") == [(3, "outcome", "Unknown", "values", "rejected")]


def test_the_real_files(covid_directory: Path, tmp_path: Path) -> None:
    """The static ones, which are small: every row is accepted, but for those of islands that have no county's row."""
    with Store(tmp_path / "warehouse") as store:
        names = ("county_features", "adjacency", "interventions")
        outcomes = ingest(store, country.read("us"), covid_directory, Quiet(), only=names)
        counted = {outcome.source: (outcome.rows, outcome.refused) for outcome in outcomes}
        assert counted == {"county_features": (3142, 0), "adjacency": (8759, 370), "interventions": (3273, 0)}
        day = "SELECT CAST(stay_at_home AS varchar) FROM epidemic_staging.interventions WHERE location = '01001'"
        assert rows(store, day) == [("2020-04-04",)]
