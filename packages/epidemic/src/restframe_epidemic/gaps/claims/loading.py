"""Claims into epidemic_claims: made-up ones from the generator's files, real ones from staging, under tokens."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from restframe_epidemic import errors
from restframe_epidemic.gaps.claims import schema
from restframe_epidemic.gaps.claims.design import reference
from restframe_epidemic.gaps.claims.generate import TABLES
from restframe_epidemic.privacy.tokens import Key, tokenise
from restframe_epidemic.store import Store

# Staging tables are named after their sources.
STAGED = {table: f"claims_{table.removesuffix('_claim')}" for table in TABLES}
_REFERENCE = ("condition", "drug_class", "drug")
# What stands in a table's column for what staging has: a fill without a drug is one of a drug that nobody knows.
_TAKEN = {"token": "patient AS token", "drug": "coalesce(drug, '') AS drug"}
_ROWS = 1 << 20


def load_generated(store: Store, directory: Path, progress: Callable[[int, int], None] = lambda done, of: None) -> None:
    """Put what `generate` wrote in place of all claims there are."""
    _replace(store, directory, progress)


def load_staged(
    store: Store,
    key: Key,
    say: Callable[[str], None] = lambda line: None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> None:
    """Put the payer's claims, as `ingest` left them in staging, in place of all claims there are.

    Patients get the tokens of `key`; their identifiers end here. A table whose source was not given is left empty, said
    in a line; conditions, classes and drugs are then those that come with the generator.
    NoData when nobody's enrolment has been ingested.
    """
    found = {
        name
        for (name,) in store.run("SELECT tablename FROM pg_tables WHERE schemaname = 'epidemic_staging'").fetchall()
    }
    for table in ("patient", "eligibility"):
        if STAGED[table] not in found:
            raise errors.NoData(
                f'there is no table "epidemic_staging.{STAGED[table]}"',
                hint="Ingest the claims first; see the sources claims_*.toml of the country.",
            )
    store.run(schema())
    with _spool(store) as spool:
        for table in TABLES:
            folder = spool / table
            folder.mkdir(parents=True, exist_ok=True)
            if STAGED[table] in found:
                _write(folder, _tokenised(store, table, key))
            elif table in _REFERENCE:
                say(f"{table}: not among the sources; the generator's are used")
                _write(folder, iter(pa.Table.from_pylist(reference(table)).to_batches()))
            else:
                say(f"{table}: not among the sources; left empty")
        _replace(store, spool, progress)


@contextlib.contextmanager
def _spool(store: Store) -> Iterator[Path]:
    """A folder for a while, without what a process that was killed left in it."""
    folder = store.private / "spool" / "claims"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tokenised(store: Store, table: str, key: Key) -> Iterator[pa.RecordBatch]:
    columns = [
        name
        for (name,) in store.run(
            """
            SELECT column_name FROM svv_columns WHERE table_schema = 'epidemic_claims' AND table_name = $1
            ORDER BY ordinal_position
            """,
            [table],
        ).fetchall()
    ]
    staged = ", ".join(_TAKEN.get(name, name) for name in columns)
    for batch in store.batches(f"SELECT {staged} FROM epidemic_staging.{STAGED[table]}"):
        if "token" in columns:
            at = columns.index("token")
            batch = batch.set_column(at, "token", tokenise(batch.column(at), key))
        yield batch


def _write(folder: Path, batches: Iterator[pa.RecordBatch]) -> None:
    """Write batches into files of at most about _ROWS rows; none when there are no rows."""
    writer: pq.ParquetWriter | None = None
    rows = files = 0
    for batch in batches:
        if writer is None or rows + batch.num_rows > _ROWS:
            if writer is not None:
                writer.close()
            writer = pq.ParquetWriter(folder / f"{files:05d}.parquet", batch.schema, store_schema=False)
            rows, files = 0, files + 1
        writer.write_batch(batch)
        rows += batch.num_rows
    if writer is not None:
        writer.close()


def _replace(store: Store, directory: Path, progress: Callable[[int, int], None]) -> None:
    """Put the files of a directory, by table, in place of what the tables hold, in one transaction."""
    store.run(schema())
    files = {table: sorted((directory / table).glob("*.parquet")) for table in TABLES}
    done, of = 0, sum(len(each) for each in files.values())
    progress(done, of)
    with store.transaction():
        for table in TABLES:
            store.run(f"DELETE FROM epidemic_claims.{table}")
            for file in files[table]:
                store.load(f"epidemic_claims.{table}", pq.read_schema(file).names, [file])
                done += 1
                progress(done, of)
