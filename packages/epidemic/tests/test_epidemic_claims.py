"""Claims made up and real: the same for the same seed, resumed after an interruption, and what was planted is found."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from restframe_epidemic import cli, errors
from restframe_epidemic.gaps import marts
from restframe_epidemic.gaps.claims import generate as generate_
from restframe_epidemic.gaps.claims import loading
from restframe_epidemic.gaps.claims.design import Design, Effects, Places
from restframe_epidemic.gaps.claims.generate import PATIENTS, Truth, generate
from restframe_epidemic.privacy.tokens import Key, tokenise
from restframe_epidemic.store import Store

# Places of a country that there is not: three regions of four districts.
PLACES = Places(
    location=tuple(f"d{number}" for number in range(12)),
    parent=tuple(f"region {number // 4}" for number in range(12)),
    population=np.array([8.0, 4, 2, 1] * 3) * 10_000,
    incidence=np.linspace(0, 1, 12),
)
DESIGN = Design(patients=30_000, seed=7)


def digests(directory: Path) -> dict[str, str]:
    files = sorted(directory.rglob("*.parquet"))
    return {str(file.relative_to(directory)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def rows(directory: Path, table: str) -> pa.Table:
    return pq.read_table(directory / table)


def test_the_same_design_gives_the_same_files_whatever_happened_in_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate_, "CHUNK", 400)
    small = replace(DESIGN, patients=1000)
    generate(small, PLACES, tmp_path / "one")
    seen: list[tuple[int, int]] = []

    def interrupted(done: int, of: int) -> None:
        seen.append((done, of))
        if done == 800:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(small, PLACES, tmp_path / "other", interrupted)
    assert seen == [(0, 1000), (400, 1000), (800, 1000)]
    (tmp_path / "other" / "patient" / "00001.parquet").unlink()
    (tmp_path / "other" / "eligibility" / "00002.partial").write_bytes(b"half of a file")
    generate(small, PLACES, tmp_path / "other")

    assert digests(tmp_path / "one") == digests(tmp_path / "other")
    generate(replace(small, seed=8), PLACES, tmp_path / "third")
    different = digests(tmp_path / "third")
    same = [name for name, digest in digests(tmp_path / "one").items() if different[name] == digest]
    assert {name.split("/")[0] for name in same} <= {"condition", "drug", "drug_class", "affiliation"}
    with pytest.raises(errors.UsageError, match="holds claims of another design"):
        generate(replace(small, seed=8), PLACES, tmp_path / "one")


def test_claims_are_of_patients_and_providers_that_exist_and_of_days_on_which_they_were_enrolled(
    tmp_path: Path,
) -> None:
    truth = generate(replace(DESIGN, patients=2000, effects=Effects(closed=0.5)), PLACES, tmp_path)
    patient, fills, visits = (rows(tmp_path, name).to_pandas() for name in (PATIENTS[0], PATIENTS[3], PATIENTS[2]))
    provider, spell = rows(tmp_path, "provider").to_pandas(), rows(tmp_path, "eligibility").to_pandas()
    assert truth.rows == {name: rows(tmp_path, name).num_rows for name in truth.rows}
    assert patient.token.is_unique and patient.token.str.fullmatch("[0-9a-f]{32}").all()
    assert fills.claim.is_unique and not visits.duplicated(["claim", "line"]).any()
    assert set(fills.token) | set(visits.token) <= set(patient.token)
    assert set(fills.prescriber) | set(visits.provider) <= set(provider.provider)
    assert (visits.through_date >= visits.from_date).all()
    assert (visits.allowed == visits.paid + visits.patient_share).all()
    paid = fills[fills.status == "paid"].merge(spell, on="token")
    within = (paid.fill_date >= paid.start_date) & ((paid.fill_date <= paid.end_date) | paid.end_date.isna())
    assert within.groupby(paid.claim).any().all()
    closed = visits[visits.provider.isin(truth.closed)]
    assert max(closed.from_date) < date(2020, 3, 15)
    assert not provider[provider.provider.isin(truth.closed)].accepts_new.any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"patients": 0}, "at least one patient"),
        ({"epidemic_start": date(2017, 1, 1)}, "between the first and the last day"),
    ],
)
def test_designs_that_cannot_be(change: dict[str, object], message: str) -> None:
    with pytest.raises(errors.UsageError, match=message):
        replace(DESIGN, **change)  # type: ignore[arg-type]


def test_places_that_cannot_be() -> None:
    with pytest.raises(errors.NoData, match="no places"):
        Places((), (), np.zeros(0), np.zeros(0))
    with pytest.raises(errors.UsageError, match="between 0 and 1"):
        replace(PLACES, incidence=np.full(12, 2.0))


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Truth]]:
    """A warehouse with made-up claims, measured."""
    directory = tmp_path_factory.mktemp("claims")
    truth = generate(DESIGN, PLACES, directory / "files")
    with Store(directory / "warehouse") as store:
        store.prepare()
        loading.load_generated(store, directory / "files")
        first, last = marts.days_of_claims(store)
        chosen = ["diagnosis", "changes", "adherence", "persistency", "affordability", "demand", "access"]
        marts.run(store, marts.Parameters(first, last, DESIGN.epidemic_start), chosen)
        yield store, truth


def test_diagnoses_that_were_not_made_are_missed(measured: tuple[Store, Truth]) -> None:
    store, truth = measured
    found = store.frame(
        """
        SELECT sum(new_diagnoses) AS now, sum(baseline_rate * member_months / 100000) AS expected
        FROM epidemic_gaps.diagnosis WHERE month BETWEEN '2020-04-01' AND '2020-12-01'
        """
    )
    ratio = float(found.now[0]) / float(found.expected[0])
    # about 800 diagnoses now and 1,200 before: a standard error of 5 %
    assert ratio == pytest.approx(1 - truth.effects.fewer_diagnoses, rel=0.15)


def test_refills_come_later_where_incidence_is_high(measured: tuple[Store, Truth]) -> None:
    store, truth = measured
    found = store.frame(
        """
        SELECT location, CASE WHEN month < '2020-03-01' THEN 'before' ELSE 'now' END AS period,
            CAST(sum(delay_days) AS float8) / sum(refills) AS delay
        FROM epidemic_gaps.refill WHERE month < '2020-03-01' OR month >= '2020-06-01'
        GROUP BY 1, 2
        """
    ).pivot(index="location", columns="period", values="delay")
    incidence = np.array([truth.incidence[place] for place in found.index])
    slope = np.polyfit(incidence, found.now - found.before, 1)[0]
    # a refill that nobody fetched counts as one delay of a month more, whatever the incidence
    assert slope == pytest.approx(truth.effects.delay_days, rel=0.2)
    pdc = store.frame("SELECT location, period, class, mean_pdc, patients FROM epidemic_gaps.adherence")
    mean = pdc.groupby(["period", "location"]).apply(
        lambda rows: np.average(rows.mean_pdc.astype(float), weights=rows.patients), include_groups=False
    )
    drop = (mean["now"] - mean["before"]).loc[list(PLACES.location)].to_numpy()
    assert np.corrcoef(drop, PLACES.incidence)[0, 1] < -0.9


def test_the_switch_is_found(measured: tuple[Store, Truth]) -> None:
    store, truth = measured
    effects = truth.effects
    switched = store.run(
        """
        SELECT count(*) FROM epidemic_gaps.change_patient
        WHERE kind = 'switch' AND change_date >= '2020-03-15' AND from_molecule = $1 AND to_molecule = $2
        """,
        [effects.switch_from, effects.switch_to],
    ).scalar()
    at_risk = store.run(
        """
        SELECT count(DISTINCT line.token) FROM epidemic_gaps.line_patient AS line
        WHERE line.regimen = $1 AND line.start_date < '2020-03-15' AND line.end_date >= '2020-03-15'
        """,
        [effects.switch_from],
    ).scalar()
    # those whose therapy ends before their date do not get there, a few switch without the epidemic
    assert switched / at_risk == pytest.approx(effects.switched, abs=0.05)


def test_what_patients_leave_at_the_pharmacy_grows_with_the_copay(measured: tuple[Store, Truth]) -> None:
    store, truth = measured
    found = store.frame(
        """
        SELECT copay_from, CAST(sum(abandoned) AS float8) / sum(prescriptions) AS share,
            CAST(sum(mean_copay_30 * prescriptions) AS float8) / sum(prescriptions) AS copay,
            CAST(sum(prescriptions) AS float8) AS prescriptions
        FROM epidemic_gaps.abandonment GROUP BY copay_from
        """
    )
    slope, at_nothing = np.polyfit(found.copay, found.share, 1, w=np.sqrt(found.prescriptions))
    assert 10 * slope == pytest.approx(truth.effects.abandoned_per_10, rel=0.1)
    assert at_nothing == pytest.approx(truth.effects.abandoned, abs=0.005)


def test_providers_who_closed_are_known_and_half_of_the_visits_to_them_are_lost(measured: tuple[Store, Truth]) -> None:
    store, truth = measured
    reasons = dict(store.run("SELECT provider, reason FROM epidemic_gaps.left_out_provider").fetchall())
    closed = {name for name, reason in reasons.items() if reason == "closed"}
    # General practices have no specialty that a condition needs, and are left out for that.
    assert closed == {name for name in truth.closed if reasons[name] != "specialty of no condition"}
    assert len(closed) > 3
    found = store.frame(
        """
        SELECT patient.location, provider.specialty,
            CAST(sum(CASE WHEN from_date < '2020-01-01' THEN 1 ELSE 0 END) AS float8) AS before,
            CAST(sum(CASE WHEN from_date < '2020-01-01' AND reason = 'closed' THEN 1 ELSE 0 END) AS float8) AS shut,
            CAST(sum(CASE WHEN from_date >= '2020-04-01' THEN 1 ELSE 0 END) AS float8) AS now
        FROM epidemic_claims.medical_claim AS claim
        JOIN epidemic_claims.patient ON patient.token = claim.token
        JOIN epidemic_claims.provider ON provider.provider = claim.provider
        JOIN (SELECT DISTINCT specialty FROM epidemic_claims.condition) AS known
            ON known.specialty = provider.specialty
        LEFT JOIN epidemic_gaps.left_out_provider AS shut ON shut.provider = claim.provider
        WHERE from_date BETWEEN '2019-04-01' AND '2019-12-31' OR from_date >= '2020-04-01'
        GROUP BY 1, 2
        """
    )
    share = found.shut / found.before
    assert share.max() > 0.4 and (share == 0).any()
    slope, unhurt = np.polyfit(share, found.now / found.before, 1, w=np.sqrt(found.before))
    # Of those not lost a few look for another provider who has closed, too.
    assert truth.effects.lost - 0.05 < -slope / unhurt < truth.effects.lost + 0.25


def test_real_claims_are_loaded_from_staging_under_tokens(tmp_path: Path) -> None:
    key = Key(b"0123456789abcdef0123456789abcdef")
    with Store(tmp_path / "warehouse") as store:
        store.prepare()
        with pytest.raises(errors.NoData, match=r'no table "epidemic_staging\.claims_patient"'):
            loading.load_staged(store, key)
        store.run(
            """
            CREATE TABLE epidemic_staging.claims_patient (patient varchar(64), birth_year int, sex varchar(1),
                location varchar(16), plan varchar(32), income decimal(12,2), death_date date, source_file varchar(512),
                source_line bigint);
            CREATE TABLE epidemic_staging.claims_eligibility (patient varchar(64), plan varchar(32), start_date date,
                end_date date, source_file varchar(512), source_line bigint);
            CREATE TABLE epidemic_staging.claims_provider (provider varchar(16), specialty varchar(64),
                facility varchar(16), location varchar(16), accepts_new boolean, plans varchar(256),
                visits_per_week float8, source_file varchar(512), source_line bigint);
            CREATE TABLE epidemic_staging.claims_pharmacy (claim varchar(32), patient varchar(64),
                prescriber varchar(16), drug varchar(16), fill_date date, days_supply int, quantity decimal(10,2),
                status varchar(8), reversed_date date, copay decimal(10,2), source_file varchar(512),
                source_line bigint);
            INSERT INTO epidemic_staging.claims_patient VALUES
                ('123-45-6789', 1950, 'F', '17031', 'gold', 41000.5, NULL, 'a.psv.gz', 2);
            INSERT INTO epidemic_staging.claims_eligibility VALUES
                ('123-45-6789', 'gold', '2019-01-01', NULL, 'b.psv.gz', 2);
            INSERT INTO epidemic_staging.claims_provider VALUES
                ('P1', 'cardiology', NULL, NULL, true, 'gold silver', 40, 'c.psv.gz', 2);
            INSERT INTO epidemic_staging.claims_pharmacy VALUES
                ('R1', '123-45-6789', NULL, NULL, '2019-03-04', 30, 60, 'paid', NULL, 10, 'd.psv.gz', 2);
            """
        )
        left_behind = store.private / "spool" / "claims" / "drug"  # by a process that was killed
        left_behind.mkdir(parents=True)
        (left_behind / "00009.parquet").write_bytes(b"half of a file")

        said: list[str] = []
        loading.load_staged(store, key, said.append)
        loading.load_staged(store, key)  # again: nothing is doubled

        token = tokenise(pa.array(["123-45-6789"]), key)[0].as_py()
        assert store.run("SELECT * FROM epidemic_claims.patient").fetchall() == [
            (token, 1950, "F", "17031", "gold", pytest.approx(41000.5), None)
        ]
        assert store.run("SELECT token, start_date FROM epidemic_claims.eligibility").fetchall() == [
            (token, date(2019, 1, 1))
        ]
        assert store.run("SELECT specialty, location FROM epidemic_claims.provider").fetchall() == [
            ("cardiology", None)
        ]
        assert store.run("SELECT count(*) FROM epidemic_claims.drug").scalar() == 14
        # Of a drug that is not said, which staging keeps, the fill is there.
        assert store.run("SELECT token, drug, days_supply FROM epidemic_claims.pharmacy_claim").fetchall() == [
            (token, "", 30)
        ]
        assert "medical_claim: not among the sources; left empty" in said
        assert "drug: not among the sources; the generator's are used" in said
        assert not left_behind.exists()


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    warehouse = str(tmp_path / "warehouse")
    assert cli.main(["claims", "generate", "--warehouse", warehouse, "--patients", "300"]) == 1
    assert "there are no places for patients to live in" in capsys.readouterr().err
    with Store(warehouse) as store:
        store.run(
            """
            INSERT INTO epidemic.location (location, name, level, parent, population) VALUES
                ('XY', 'Somewhere', 'country', NULL, 30), ('XY-1', 'North', 'canton', 'XY', 20),
                ('XY-2', 'South', 'canton', 'XY', 10), ('XY-3', 'Nobody', 'canton', 'XY', NULL)
            """
        )
    assert cli.main(["claims", "generate", "--warehouse", warehouse, "--patients", "300", "--seed", "1"]) == 0
    assert "patient                     300 rows" in capsys.readouterr().out
    with Store(warehouse) as store:
        places = store.run("SELECT DISTINCT location FROM epidemic_claims.patient ORDER BY 1").fetchall()
        assert places == [("XY-1",), ("XY-2",)]
        assert store.run("SELECT count(*) FROM epidemic_claims.pharmacy_claim").scalar() > 0
        assert not (store.lake / "claims").exists() or not list((store.lake / "claims").iterdir())
