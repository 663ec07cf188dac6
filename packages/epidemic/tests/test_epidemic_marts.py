"""The measures on claims whose answers were found by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from restframe_epidemic import errors
from restframe_epidemic.gaps import claims, marts
from restframe_epidemic.gaps.marts import Parameters, Period
from restframe_epidemic.store import Store

YEAR = Parameters(
    date(2017, 1, 1),
    date(2018, 12, 31),
    date(2018, 7, 1),
    periods=(Period("2018", date(2018, 1, 1), date(2018, 12, 31)),),
)
Span = tuple[str, str | None]


def day(text: str) -> date:
    """`07-05` is of 2018."""
    return date.fromisoformat(text if len(text) == 10 else f"2018-{text}")


class Claims:
    """Claims under construction; everybody is enrolled from 2016 on, 50 years old, and lives in `here`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.rows: dict[str, list[dict[str, Any]]] = {
            "drug": [
                {"code": code, "molecule": molecule, "class": "diabetes"}
                for code, molecule in (("A", "metformin"), ("B", "glipizide"), ("AB", "metformin"), ("AB", "glipizide"))
            ],
            "drug_class": [{"class": "diabetes", "condition": "diabetes", "adherent_at": 0.8}],
            "condition": [{"code_prefix": "E11", "condition": "diabetes", "specialty": "endocrinology"}],
        }

    def patient(self, token: str, *enrolled: Span, born: int = 1968, **columns: Any) -> None:
        self.rows.setdefault("patient", []).append(
            {"token": token, "birth_year": born, "location": "here", "income": None, "death_date": None} | columns
        )
        for start, end in enrolled or (("2016-01-01", None),):
            spell = {"token": token, "start_date": day(start), "end_date": day(end) if end else None}
            self.rows.setdefault("eligibility", []).append(spell)

    def fill(
        self, token: str, drug: str, when: str, supply: int, status: str = "paid", back: str = "", copay: str = "0"
    ) -> None:
        kept = self.rows.setdefault("pharmacy_claim", [])
        reversed_date = day(back) if back else None
        kept.append(
            {"claim": f"R{len(kept)}", "token": token, "drug": drug, "fill_date": day(when), "days_supply": supply}
            | {"status": status, "reversed_date": reversed_date, "copay": Decimal(copay)}
        )

    def visit(self, token: str, when: str, *codes: str, through: str = "") -> None:
        kept = self.rows.setdefault("medical_claim", [])
        padded = [*codes, None, None, None, None][:4]
        kept.append(
            {"claim": f"M{len(kept)}", "line": 1, "token": token, "from_date": day(when)}
            | {"through_date": day(through or when)}
            | {f"diagnosis_{at}": code for at, code in enumerate(padded, 1)}
        )

    def measure(self, mart: str, parameters: Parameters = YEAR) -> None:
        for table in ("patient", "eligibility", "pharmacy_claim", "medical_claim", "drug", "drug_class", "condition"):
            self.store.run(f"DELETE FROM epidemic_claims.{table}")
            if table in self.rows:
                rows = self.rows[table]
                columns = {name: [row[name] for row in rows] for name in rows[0]}
                types = {"income": pa.decimal128(12, 2), "copay": pa.decimal128(10, 2), "days_supply": pa.int32()}
                types |= {"line": pa.int32(), "birth_year": pa.int32()}
                dates = [name for name in columns if name.endswith("_date")]
                types |= dict.fromkeys(dates, pa.date32())
                arrays = {name: pa.array(values, types.get(name, None)) for name, values in columns.items()}
                texts = {n: a.cast(pa.string()) if pa.types.is_null(a.type) else a for n, a in arrays.items()}
                self.store.replace(f"epidemic_claims.{table}", pa.table(texts))
        marts.run(self.store, parameters, [mart])

    def rows_of(self, query: str) -> list[tuple[Any, ...]]:
        return self.store.run(query).fetchall()

    def covered(self) -> dict[str, tuple[int, int]]:
        """Days covered, and days of the treatment period, by patient."""
        found = self.rows_of("SELECT token, covered, days FROM epidemic_gaps.adherence_patient")
        return {token: (covered, days) for token, covered, days in found}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("marts") / "warehouse") as opened:
        opened.prepare()
        opened.run(claims.schema())
        yield opened


@pytest.fixture
def given(store: Store) -> Claims:
    return Claims(store)


def test_pdc_of_the_worked_examples_of_pqa(given: Claims) -> None:
    """https://www.pqaalliance.org/assets/Measures/pdc-dr.js.txt, examples 1 to 5; the year is 2018."""
    for number in range(1, 6):
        given.patient(f"pqa{number}")
    given.fill("pqa1", "A", "01-01", 90)  # to 03-31
    given.fill("pqa1", "B", "04-01", 90)  # to 06-29
    given.fill("pqa2", "A", "01-01", 90)
    given.fill("pqa2", "B", "01-01", 90)  # another drug: not shifted, the same 90 days
    given.fill("pqa2", "A", "12-31", 90)  # ours, for fills on a second day: one day more
    given.fill("pqa3", "A", "03-25", 90)  # to 06-22
    given.fill("pqa3", "A", "07-05", 90)  # to 10-02
    given.fill("pqa3", "A", "09-25", 90)  # from 10-03 to 12-31
    given.fill("pqa4", "A", "01-01", 90)  # to 03-31
    given.fill("pqa4", "A", "03-25", 90)  # from 04-01 to 06-29
    given.fill("pqa4", "A", "07-05", 90)  # to 10-02
    given.fill("pqa4", "A", "10-15", 90)  # to 12-31, 78 days of it
    given.fill("pqa5", "A", "10-04", 30)
    given.fill("pqa5", "A", "11-01", 30)
    given.fill("pqa5", "A", "12-15", 30)  # begun 88 days before the end: not in the measure

    given.measure("adherence")

    assert given.covered() == {"pqa1": (180, 365), "pqa2": (91, 365), "pqa3": (270, 282), "pqa4": (348, 365)}
    assert given.rows_of("SELECT * FROM epidemic_gaps.adherence") == [
        ("2018", "here", "diabetes", 4, 2, Decimal("0.663334"), Decimal("0.794156"), Decimal("122.000"))
    ]


def test_pdc_counts_what_was_dispensed_to_whom_it_should(given: Claims) -> None:
    for token in ("reversed", "single", "same day", "unknown drug", "no supply", "combined", "early"):
        given.patient(token)
    given.patient("child", born=2001)
    given.patient("just grown up", born=2000)
    for token in ("reversed", "child", "just grown up", "early"):
        given.fill(token, "A", "01-01", 30)
        given.fill(token, "A", "01-21", 30)  # ten days early: from 01-31 to 03-01
    given.fill("reversed", "A", "06-01", 30, "reversed", back="06-05")
    given.fill("reversed", "A", "07-01", 30, "rejected")
    given.fill("early", "A", "06-01", 30)
    given.fill("single", "A", "01-01", 300)
    given.fill("same day", "A", "01-01", 30)
    given.fill("same day", "A", "01-01", 30)
    given.fill("unknown drug", "Z", "01-01", 30)
    given.fill("unknown drug", "Z", "02-01", 30)
    given.fill("no supply", "A", "01-01", 0)
    given.fill("no supply", "A", "02-01", 30)
    given.fill("combined", "AB", "01-01", 30)
    given.fill("combined", "A", "01-16", 30)  # metformin from the combination first: from 01-31 to 03-01
    given.fill("nobody", "A", "01-01", 30)
    given.patient("unborn", born=2019)
    given.rows["eligibility"].append({"token": "nobody", "start_date": day("01-01"), "end_date": None})

    given.measure("adherence")

    assert given.covered() == {
        "reversed": (60, 365),
        "just grown up": (60, 365),
        "early": (90, 365),
        "combined": (60, 365),
    }
    assert given.rows_of("SELECT * FROM epidemic_gaps.unusable WHERE row_count > 0 ORDER BY 1, 2") == [
        ("eligibility", "unknown patient", 1),
        ("patient", "birth after the last claim: age unknown", 1),
        ("pharmacy_claim", "paid without a supply", 1),
        ("pharmacy_claim", "unknown drug code", 2),
        ("pharmacy_claim", "unknown patient", 1),
    ]


def test_pdc_ends_with_enrolment_and_death(given: Claims) -> None:
    given.patient("left", ("2017-01-01", "06-30"))
    given.patient("short break", ("2017-01-01", "03-31"), ("05-02", None))  # 31 days
    given.patient("long break", ("2017-01-01", "04-05"), ("05-08", None))  # 32 days: its first spell counts
    given.patient("back again", ("2017-01-01", "01-31"), ("03-11", None))  # its first spell is too short
    given.patient("died", death_date=day("05-31"))
    given.patient("backwards", ("06-30", "01-01"))
    given.patient("91 days", ("2017-01-01", "04-02"))
    given.patient("90 days", ("2017-01-01", "04-01"))
    tokens = ("left", "short break", "long break", "back again", "died", "backwards", "91 days", "90 days")
    for token in tokens:
        for when in ("01-01", "01-31", "07-01"):
            given.fill(token, "A", when, 30)

    given.measure("adherence")

    assert given.covered() == {
        "left": (60, 181),
        "short break": (90, 365),
        "long break": (60, 95),
        "died": (60, 151),
        "91 days": (60, 92),
    }
    backwards = (
        "SELECT row_count FROM epidemic_gaps.unusable WHERE reason = 'end before start' AND table_name = 'eligibility'"
    )
    assert given.rows_of(backwards) == [(1,)]


def test_leap_day_mpr_above_one_and_thresholds(given: Claims) -> None:
    for token in ("leap", "too much", "hiv"):
        given.patient(token)
    given.rows["drug"].append({"code": "V", "molecule": "dolutegravir", "class": "antiretrovirals"})
    given.rows["drug_class"].append({"class": "antiretrovirals", "condition": "hiv", "adherent_at": 0.9})
    given.fill("leap", "A", "2020-01-01", 59)  # to 02-28
    given.fill("leap", "A", "2020-03-01", 306)  # all but the 29th of February
    for _ in range(3):
        given.fill("too much", "A", "2020-01-01", 183)
    given.fill("too much", "A", "2020-07-01", 1)
    given.fill("hiv", "V", "2020-01-01", 100)
    given.fill("hiv", "V", "2020-04-10", 226)  # 326 of 366 days: .89

    year = Period("2020", date(2020, 1, 1), date(2020, 12, 31))
    given.measure("adherence", replace(YEAR, last_day=date(2020, 12, 31), periods=(year,)))

    assert given.rows_of(
        "SELECT token, covered, days, pdc, mpr, gap_days, adherent FROM epidemic_gaps.adherence_patient ORDER BY token"
    ) == [
        ("hiv", 326, 366, Decimal("0.890710"), Decimal("0.890710"), 40, 0),
        ("leap", 365, 366, Decimal("0.997268"), Decimal("0.997268"), 1, 1),
        ("too much", 366, 366, Decimal("1.000000"), Decimal("1.502732"), 0, 1),
    ]


def test_persistence_ends_with_the_first_long_gap_or_is_censored(given: Claims) -> None:
    for token in ("gap of 30", "gap of 31", "stops", "single", "stock", "other drug"):
        given.patient(token)
    given.patient("leaves", ("2017-01-01", "02-15"))
    given.fill("gap of 30", "A", "09-01", 30)  # to 09-30
    given.fill("gap of 30", "A", "10-31", 62)  # to the end of the year
    given.fill("gap of 31", "A", "09-01", 30)
    given.fill("gap of 31", "A", "11-01", 61)
    given.fill("stops", "A", "01-01", 30)
    given.fill("stops", "A", "01-31", 30)  # to 03-01
    given.fill("single", "A", "12-01", 20)  # to 12-20: 11 days are left
    given.fill("stock", "A", "01-01", 90)
    given.fill("stock", "A", "01-02", 90)  # from 04-01 to 06-29
    given.fill("stock", "A", "07-30", 155)  # 30 days later, to the end of the year
    given.fill("other drug", "A", "01-01", 30)
    given.fill("other drug", "B", "02-15", 320)  # to the end of the year
    given.fill("leaves", "A", "01-01", 30)  # 16 days before leaving

    given.measure("persistency")

    found = given.rows_of(
        """
        SELECT token, gap_days, days, discontinued FROM epidemic_gaps.persistence_patient
        WHERE gap_days < 90 ORDER BY token, gap_days
        """
    )
    assert found == [
        ("gap of 30", 30, 122, 0),
        ("gap of 30", 60, 122, 0),
        ("gap of 31", 30, 30, 1),
        ("gap of 31", 60, 122, 0),
        ("leaves", 30, 46, 0),
        ("leaves", 60, 46, 0),
        ("other drug", 30, 365, 0),
        ("other drug", 60, 365, 0),
        ("single", 30, 31, 0),
        ("single", 60, 31, 0),
        ("stock", 30, 365, 0),
        ("stock", 60, 365, 0),
        ("stops", 30, 60, 1),
        ("stops", 60, 60, 1),
    ]
    # at risk: 7 on day 30 (one stops), 6 on 31, 5 on 46, 4 on 60 (one stops), ...
    survival = given.rows_of(
        """
        SELECT days, at_risk, events, survival FROM epidemic_gaps.survival
        WHERE location = '*' AND gap_days = 30 ORDER BY days
        """
    )
    assert [row[:3] for row in survival] == [(30, 7, 1), (31, 6, 0), (46, 5, 0), (60, 4, 1), (122, 3, 0), (365, 2, 0)]
    assert [row[3] for row in survival] == pytest.approx([6 / 7, 6 / 7, 6 / 7, 6 / 7 * 3 / 4, 9 / 14, 9 / 14])
    assert given.rows_of(
        "SELECT patients, discontinued, survival_180 FROM epidemic_gaps.persistence WHERE gap_days = 30"
    ) == [(7, 2, pytest.approx(9 / 14))]


def test_survival_of_a_textbook(given: Claims) -> None:
    """Remission of 21 patients under 6-mercaptopurine (Freireich et al., Blood 21, 1963), of which textbooks compute
    the Kaplan-Meier estimate: Kleinbaum, Klein, Survival Analysis, table 2.1. Weeks are days here.
    """
    first = date(2018, 1, 1)
    relapses = (6, 6, 6, 7, 10, 13, 16, 22, 23)
    censored = (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)
    for number, days in enumerate(relapses):
        given.patient(f"r{number}")
        given.fill(f"r{number}", "A", "01-01", days)
    for number, days in enumerate(censored):
        given.patient(f"c{number}", ("2017-01-01", (first + timedelta(days - 1)).strftime("%m-%d")))
        given.fill(f"c{number}", "A", "01-01", 90)
    given.measure("persistency")
    found = given.rows_of(
        """
        SELECT days, at_risk, round(survival, 4) FROM epidemic_gaps.survival
        WHERE location = '*' AND gap_days = 30 AND events > 0 ORDER BY days
        """
    )
    assert found == [
        (6, 21, 0.8571),
        (7, 17, 0.8067),
        (10, 15, 0.7529),
        (13, 12, 0.6902),
        (16, 11, 0.6275),
        (22, 7, 0.5378),
        (23, 6, 0.4482),
    ]


def test_survival_falls_to_nothing_when_all_stop(given: Claims) -> None:
    given.patient("one")
    given.fill("one", "A", "01-01", 30)
    given.measure("persistency")
    assert given.rows_of("SELECT DISTINCT location, days, survival FROM epidemic_gaps.survival ORDER BY 1") == [
        ("*", 30, 0.0),
        ("here", 30, 0.0),
    ]


def test_refills_by_month(given: Claims) -> None:
    given.patient("one")
    given.fill("one", "A", "01-01", 30)
    given.fill("one", "A", "01-26", 30)  # five days early
    given.fill("one", "A", "03-01", 30)  # four days late
    given.measure("persistency")
    assert given.rows_of("SELECT month, refills, delay_days, gap_days FROM epidemic_gaps.refill ORDER BY month") == [
        (date(2018, 1, 1), 1, -5, 0),
        (date(2018, 3, 1), 1, 4, 4),
    ]


def test_switches_add_ons_and_lines(given: Claims) -> None:
    tokens = ("switches", "adds", "both at once", "after a long gap", "takes up again", "too recent", "by combination")
    for token in tokens:
        given.patient(token)
    given.fill("switches", "A", "01-01", 30)
    given.fill("switches", "B", "03-01", 30)  # the supply ended on 01-30: 30 days before
    given.fill("adds", "A", "01-01", 30)
    given.fill("adds", "B", "01-20", 30)
    given.fill("adds", "A", "01-31", 30)
    given.fill("both at once", "A", "01-01", 30)
    given.fill("both at once", "B", "01-01", 30)
    given.fill("after a long gap", "A", "01-01", 30)
    given.fill("after a long gap", "B", "03-03", 30)
    given.fill("takes up again", "A", "01-01", 30)
    given.fill("takes up again", "B", "02-01", 30)
    given.fill("takes up again", "A", "08-01", 30)  # filled again later: an add-on by the definition
    given.fill("too recent", "A", "11-15", 30)
    given.fill("too recent", "B", "12-15", 30)
    given.fill("by combination", "A", "01-01", 30)
    given.fill("by combination", "AB", "02-01", 30)

    given.measure("changes")

    assert given.rows_of(
        "SELECT token, kind, change_date, from_molecule, to_molecule FROM epidemic_gaps.change_patient ORDER BY token"
    ) == [
        ("adds", "add-on", date(2018, 1, 20), "metformin", "glipizide"),
        ("by combination", "switch", date(2018, 2, 1), "metformin", "glipizide"),
        ("switches", "switch", date(2018, 3, 1), "metformin", "glipizide"),
        ("takes up again", "add-on", date(2018, 2, 1), "metformin", "glipizide"),
    ]
    lines = given.rows_of(
        """
        SELECT token, line, start_date, end_date, regimen FROM epidemic_gaps.line_patient
        WHERE token IN ('switches', 'adds', 'both at once') ORDER BY token, line
        """
    )
    assert lines == [
        ("adds", 1, date(2018, 1, 1), date(2018, 1, 19), "metformin"),
        ("adds", 2, date(2018, 1, 20), date(2018, 3, 1), "glipizide + metformin"),
        ("both at once", 1, date(2018, 1, 1), date(2018, 1, 30), "glipizide + metformin"),
        ("switches", 1, date(2018, 1, 1), date(2018, 1, 30), "metformin"),
        ("switches", 2, date(2018, 3, 1), date(2018, 3, 30), "glipizide"),
    ]
    assert given.rows_of("SELECT patients, switches, add_ons FROM epidemic_gaps.change WHERE month = '2018-03-01'") == [
        (2, 1, 0)
    ]


def test_new_diagnoses_after_a_clean_look_back(given: Claims) -> None:
    for token in ("new", "old", "exactly a year", "a day less", "second position", "other disease"):
        given.patient(token)
    given.patient("recently enrolled", ("2017-07-01", None))
    given.patient("no longer enrolled", ("2015-01-01", "02-28"))
    given.patient("elsewhere", location="there")
    given.visit("new", "03-05", "E119")
    given.visit("new", "04-05", "E119")  # known by now
    given.visit("old", "2017-12-05", "E110")
    given.visit("old", "03-05", "E119")
    given.visit("exactly a year", "2017-03-04", "E119")  # 366 days before
    given.visit("exactly a year", "03-05", "E119")
    given.visit("a day less", "2017-03-05", "E119")  # 365 days before: within the look-back
    given.visit("a day less", "03-05", "E119")
    given.visit("second position", "03-31", "J06", "E1165")
    given.visit("other disease", "03-05", "E10", "I10")
    given.visit("recently enrolled", "03-05", "E119")
    given.visit("no longer enrolled", "03-05", "E119")
    given.visit("elsewhere", "03-05", "E119")

    given.measure("diagnosis", replace(YEAR, epidemic_start=date(2018, 3, 10)))

    march = "SELECT token FROM epidemic_gaps.diagnosis_patient WHERE diagnosed_date >= '2018-01-01' ORDER BY token"
    assert given.rows_of(march) == [("elsewhere",), ("exactly a year",), ("new",), ("second position",)]
    # in March 2017 two had their first diagnosis, of eight who had been enrolled for a year
    rows = given.rows_of(
        """
        SELECT new_diagnoses, member_months, rate, baseline_diagnoses, baseline_member_months, baseline_rate, ratio
        FROM epidemic_gaps.diagnosis WHERE location = 'here' AND month = '2018-03-01'
        """
    )
    assert rows == [(3, 6, 50000.0, 2, 7, pytest.approx(200000 / 7), pytest.approx(1.75))]


def test_a_shorter_look_back_takes_more_for_new(given: Claims) -> None:
    given.patient("recently enrolled", ("2017-07-01", None))
    given.visit("recently enrolled", "03-05", "E119")
    given.visit("recently enrolled", "11-05", "E119", through="11-01")
    given.measure("diagnosis", replace(YEAR, lookback_days=180))
    assert given.rows_of("SELECT diagnosed_date FROM epidemic_gaps.diagnosis_patient ORDER BY 1") == [
        (date(2018, 3, 5),),
        (date(2018, 11, 5),),
    ]
    assert given.rows_of(
        "SELECT row_count FROM epidemic_gaps.unusable WHERE table_name = 'medical_claim' AND row_count > 0"
    ) == [(1,)]


def test_abandonment_and_out_of_pocket(given: Claims) -> None:
    for token in ("pays", "leaves it", "comes back", "late reversal", "rejected", "rejected at first"):
        given.patient(token, income=Decimal("1000") if token == "pays" else None)
    given.fill("pays", "A", "03-01", 30, copay="10.00")
    given.fill("pays", "A", "03-31", 90, copay="50.00")
    given.fill("leaves it", "A", "03-01", 30, "reversed", back="03-15", copay="80.00")
    given.fill("leaves it", "A", "03-16", 30, copay="0.00")  # 15 days after
    given.fill("comes back", "A", "03-01", 30, "reversed", back="03-08", copay="30.00")
    given.fill("comes back", "A", "03-15", 30, copay="30.00")  # 14 days after
    given.fill("late reversal", "A", "03-01", 30, "reversed", back="03-16", copay="30.00")
    given.fill("rejected", "A", "03-01", 30, "rejected", copay="30.00")
    given.fill("rejected at first", "A", "03-01", 30, "rejected", copay="30.00")
    given.fill("rejected at first", "A", "03-01", 30, copay="30.00")

    given.measure("affordability")

    # ten claims, one of them presented again; abandoned: "leaves it", "rejected"
    assert given.rows_of(
        """
        SELECT patients, prescriptions, rejected, reversed, abandoned, out_of_pocket, out_of_pocket_30
        FROM epidemic_gaps.affordability
        """
    ) == [(6, 9, 2, 2, 2, Decimal("120.00"), Decimal("17.1429"))]
    assert given.rows_of("SELECT copay_from, prescriptions, abandoned FROM epidemic_gaps.abandonment ORDER BY 1") == [
        (0, 1, 0),
        (10, 2, 0),
        (30, 5, 1),
        (75, 1, 1),
    ]
    assert given.rows_of("SELECT * FROM epidemic_gaps.cost_burden") == [("2018", "here", 1, 1)]


def test_periods_are_the_same_days_before_the_epidemic() -> None:
    covid = Parameters(date(2018, 1, 1), date(2020, 12, 31), date(2020, 3, 15))
    assert marts.seasons(covid) == (
        Period("before", date(2019, 3, 15), date(2019, 12, 31)),
        Period("now", date(2020, 3, 15), date(2020, 12, 31)),
    )
    long = Parameters(date(2018, 1, 1), date(2024, 2, 29), date(2020, 3, 15))
    assert marts.seasons(long) == (
        Period("before", date(2019, 3, 2), date(2020, 2, 28)),
        Period("now", date(2023, 3, 2), date(2024, 2, 29)),
    )


def test_what_cannot_be_measured_is_refused(tmp_path: Path, given: Claims) -> None:
    with pytest.raises(errors.UsageError, match="must begin within the claims"):
        Parameters(date(2018, 1, 1), date(2018, 12, 31), date(2020, 3, 15))
    with pytest.raises(errors.UsageError, match='there is no measure "adherance"'):
        marts.run(given.store, YEAR, ["adherance"])
    given.store.run("DELETE FROM epidemic_claims.pharmacy_claim")
    given.store.run("DELETE FROM epidemic_claims.medical_claim")
    with pytest.raises(errors.NoData, match="there are no claims"):
        marts.run(given.store, YEAR)


def test_a_run_that_fails_leaves_the_tables_of_the_one_before(given: Claims) -> None:
    given.patient("one")
    given.fill("one", "A", "01-01", 30)
    given.fill("one", "A", "01-31", 30)
    given.measure("adherence")
    before = given.covered()
    given.store.run("ALTER TABLE epidemic_claims.drug_class RENAME COLUMN adherent_at TO gone")
    try:
        with pytest.raises(errors.DataError, match=r"adherence\.sql"):
            marts.run(given.store, YEAR, ["adherence"])
        assert given.covered() == before == {"one": (60, 365)}
    finally:
        given.store.run("ALTER TABLE epidemic_claims.drug_class RENAME COLUMN gone TO adherent_at")


def test_pdc_is_what_counting_day_by_day_gives(given: Claims) -> None:
    random = Random(5)
    start, end = date(2018, 1, 1), date(2018, 12, 31)
    expected: dict[str, tuple[int, int]] = {}
    for number in range(120):
        token = f"patient {number}"
        leaves = end if random.random() < 0.7 else start + timedelta(days=random.randrange(120, 364))
        given.patient(token, ("2017-01-01", leaves.isoformat()))
        fills = sorted(
            (start + timedelta(days=random.randrange(-40, 365)), random.choice(["A", "A", "A", "B", "AB"]), supply)
            for supply in random.choices([7, 30, 90], k=random.randrange(2, 12))
        )
        for when, drug, supply in fills:
            given.fill(token, drug, when.isoformat(), supply)
        counted = [fill for fill in fills if start <= fill[0] <= leaves]
        if len({when for when, _, _ in counted}) < 2 or (leaves - counted[0][0]).days < 91:
            continue
        stock: dict[str, date] = {}
        days: set[date] = set()
        for when, drug, supply in counted:
            for molecule in drug:
                first = max(when, stock.get(molecule, when))
                stock[molecule] = first + timedelta(days=supply)
                days |= {first + timedelta(days=k) for k in range(supply)}
        expected[token] = (sum(day <= leaves for day in days), (leaves - counted[0][0]).days + 1)

    given.measure("adherence")

    assert len(expected) > 80
    assert given.covered() == expected
