"""Identifiers of patients in raw claims: they end where the file is read."""

from __future__ import annotations

import contextlib
import gzip
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from restframe_epidemic import country
from restframe_epidemic.gaps.claims import loading
from restframe_epidemic.pipeline import ingest
from restframe_epidemic.privacy import tokens
from restframe_epidemic.store import Store

SECRETS = ("MRN-Anna-0001", "MRN-Berta-0002", "MRN-Clara-0003", "MRN-Dora-0004")
# Clara's row has a line too much, Dora's a year of birth that is none; Berta stands twice.
PATIENTS = """patient|birth_year|sex|location|plan|income|death_date
MRN-Anna-0001|1950|F||gold||
MRN-Berta-0002|1960|F||gold||
MRN-Berta-0002|1961|F||gold||
MRN-Clara-0003|1970|F||gold|||surplus
MRN-Dora-0004|ninety|F||gold||
"""
SPELLS = """patient|plan|start_date|end_date
MRN-Anna-0001|gold|2019-01-01|
MRN-Berta-0002|gold|2019-13-01|
MRN-Dora-0004|gold|2019-01-01|2018-01-01
"""


class Watching:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    @contextlib.contextmanager
    def step(self, text: str, total: int) -> Iterator[Callable[[int], None]]:
        self.lines.append(text)
        yield lambda done: None


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> tokens.Key:
    key = tokens.Key(bytes(range(100, 132)))
    monkeypatch.setenv(tokens.KEY, key.secret.hex())
    return key


def holding(directory: Path, secret: bytes) -> list[str]:
    """The files with these bytes in them, also where they are compressed."""
    found = []
    for path in directory.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if path.suffix == ".gz":
                content += gzip.decompress(content)
            if path.suffix == ".parquet":
                content += repr(pq.read_table(path).to_pylist()).encode()
            if secret in content:
                found.append(str(path.relative_to(directory)))
    return found


def test_no_identifier_and_no_key_comes_into_the_warehouse(
    tmp_path: Path, key: tokens.Key, caplog: pytest.LogCaptureFixture
) -> None:
    claims = tmp_path / "data" / "claims"
    claims.mkdir(parents=True)
    (claims / "patient.psv").write_text(PATIENTS)
    (claims / "eligibility.psv.gz").write_bytes(gzip.compress(SPELLS.encode()))
    watching = Watching()
    sources = ["claims_patient", "claims_eligibility"]
    with caplog.at_level(logging.DEBUG), Store(tmp_path / "warehouse") as store:
        ingest.ingest(store, country.read("us"), tmp_path / "data", watching, only=sources)
        staged = store.run("SELECT patient FROM epidemic_staging.claims_patient ORDER BY source_line").fetchall()
        why = store.run("SELECT key, value, rule FROM epidemic.quarantine ORDER BY source, source_line").fetchall()
        loading.load_staged(store, key)
        loaded = store.run("SELECT count(*) FROM epidemic_claims.patient").scalar()
    tokens_of = tokens.tokenise(pa.array(SECRETS), key).to_pylist()
    assert {row[0] for row in staged} == {tokens_of[0], tokens_of[1], tokens_of[3]}
    assert loaded == 3
    assert {rule for _, _, rule in why} >= {"columns", "type"}
    said = "\n".join([*watching.lines, caplog.text])
    for secret in (*SECRETS, key.secret.hex()):
        assert holding(tmp_path / "warehouse", secret.encode()) == []
        assert secret not in said
        assert secret not in repr(why)
    assert holding(tmp_path / "warehouse", key.secret) == []
    # The search would have found them: it finds what is there.
    assert holding(tmp_path / "warehouse", tokens_of[0].encode()) != []
    found = sorted(holding(tmp_path / "data", b"MRN-Anna-0001"))
    assert found == ["claims/eligibility.psv.gz", "claims/patient.psv"]


def test_another_key_reads_the_files_anew(tmp_path: Path, key: tokens.Key, monkeypatch: pytest.MonkeyPatch) -> None:
    claims = tmp_path / "data" / "claims"
    claims.mkdir(parents=True)
    (claims / "patient.psv").write_text(PATIENTS)
    with Store(tmp_path / "warehouse") as store:
        for secret in (key.secret, bytes(32)):
            monkeypatch.setenv(tokens.KEY, secret.hex())
            ingest.ingest(store, country.read("us"), tmp_path / "data", Watching(), only=["claims_patient"])
        staged = store.run("SELECT patient FROM epidemic_staging.claims_patient").fetchall()
    expected = tokens.tokenise(pa.array(["MRN-Anna-0001"]), tokens.Key(bytes(32)))[0].as_py()
    assert expected in {row[0] for row in staged} and len(staged) == 3


def test_nothing_about_patients_lies_where_anybody_may_copy_from(tmp_path: Path, key: tokens.Key) -> None:
    """COPY asks for rights on tables alone: whoever may make a table reads every bucket."""
    claims = tmp_path / "data" / "claims"
    claims.mkdir(parents=True)
    (claims / "patient.psv").write_text(PATIENTS)
    with Store(tmp_path / "warehouse") as store:
        ingest.ingest(store, country.read("us"), tmp_path / "data", Watching(), only=["claims_patient"])
        assert store.run("SELECT count(*) FROM epidemic_staging.claims_patient").scalar() == 3
        token = tokens.tokenise(pa.array(["MRN-Anna-0001"]), key)[0].as_py().encode()
        bucket = store.lake.relative_to(tmp_path / "warehouse")
    kept = [Path(path) for path in holding(tmp_path / "warehouse", token) if path.endswith(".parquet")]
    assert kept and not [path for path in kept if path.is_relative_to(bucket)]
