"""A population with claims in which known effects are planted, written as Parquet, a chunk of patients at a time.

The same design and places give the same files, bit for bit. What is finished is kept: begun again after an
interruption, the generator goes on with the first chunk that is missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from restframe_epidemic import errors
from restframe_epidemic.gaps.claims import patients as patients_
from restframe_epidemic.gaps.claims import providers as providers_
from restframe_epidemic.gaps.claims import therapy, visits
from restframe_epidemic.gaps.claims.design import Design, Effects, Places, conditions, reference

CHUNK = 50_000  # patients; part of what a seed means
PATIENTS = ("patient", "eligibility", "medical_claim", "pharmacy_claim")  # the tables that grow with their number
TABLES = ("condition", "drug_class", "drug", "provider", "affiliation", *PATIENTS)
_DESIGN = "design.json"


@dataclass(frozen=True, slots=True)
class Truth:
    """What was planted, for those who look for it.

    incidence : by place, from 0 to 1; delays are in proportion to it
    closed : the providers who closed when the epidemic began
    rows : by table
    """

    effects: Effects
    incidence: dict[str, float]
    closed: tuple[str, ...]
    rows: dict[str, int]


def generate(
    design: Design,
    places: Places,
    directory: Path,
    progress: Callable[[int, int], None] = lambda done, of: None,
    workers: int = 2,
) -> Truth:
    """Write the tables of epidemic_claims to `directory`/<table>/*.parquet; a patient more costs no memory.

    progress : is told the patients done, and of how many
    workers : threads, each with a chunk of its own; the files do not depend on their number
    UsageError when the directory holds another population.
    """
    _claim(directory, design.digest(places))
    providers = providers_.make(design, places)
    few = {name: pa.Table.from_pylist(reference(name)) for name in ("condition", "drug_class", "drug")}
    few |= providers_.tables(design, places, providers)
    for name, table in few.items():
        _write(table, _path(directory, name, 0))
    rows = {name: table.num_rows for name, table in few.items()}
    pool = ThreadPoolExecutor(workers)
    try:
        firsts = range(0, design.patients, CHUNK)
        made = pool.map(partial(_make, design, places, providers, directory), range(len(firsts)))
        for first in firsts:
            progress(first, design.patients)
            for name, count in next(made).items():
                rows[name] = rows.get(name, 0) + count
    finally:
        pool.shutdown(cancel_futures=True)
    progress(design.patients, design.patients)
    closed = tuple(np.asarray(providers.names)[providers.closed])
    return Truth(design.effects, dict(zip(places.location, places.incidence.tolist(), strict=True)), closed, rows)


def _claim(directory: Path, digest: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / _DESIGN
    if path.exists():
        if json.loads(path.read_text()).get("digest") != digest:
            raise errors.UsageError(
                f"{directory.name} holds claims of another design", hint="Give an empty directory, or the same options."
            )
        return
    unfinished = path.with_suffix(".partial")
    unfinished.write_text(json.dumps({"digest": digest}))
    unfinished.rename(path)


def _make(
    design: Design, places: Places, providers: providers_.Providers, directory: Path, chunk: int
) -> dict[str, int]:
    """Write a chunk's files, unless they are there; rows by table."""
    paths = {name: _path(directory, name, chunk) for name in PATIENTS}
    if not all(path.exists() for path in paths.values()):
        for name, table in _chunk(design, places, providers, chunk):
            _write(table, paths[name])
    return {name: pq.read_metadata(path).num_rows for name, path in paths.items()}


def _chunk(
    design: Design, places: Places, providers: providers_.Providers, chunk: int
) -> Iterator[tuple[str, pa.Table]]:
    random = np.random.default_rng([design.seed, 3, chunk])
    first = chunk * CHUNK
    n = min(CHUNK, design.patients - first)
    patients = patients_.make(design, places, random, first, n)
    yield from patients_.tables(design, places, patients, random).items()
    by_condition = []
    for condition in conditions():
        onset = patients_.onset(design, condition, patients, random)
        specialist = providers.choose(condition.specialty, patients.place, random.random(n))
        by_condition.append((condition, onset, specialist))
    yield "medical_claim", visits.table(design, patients, by_condition, providers, random, chunk)
    yield "pharmacy_claim", therapy.table(design, places, patients, by_condition, providers.names, random, chunk)


def _path(directory: Path, name: str, chunk: int) -> Path:
    return directory / name / f"{chunk:05d}.parquet"


def _write(table: pa.Table, path: Path) -> None:
    """The file is there whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_suffix(".partial")
    coded = [field.name for field in table.schema if pa.types.is_dictionary(field.type)]
    pq.write_table(table, unfinished, compression="snappy", use_dictionary=coded, store_schema=False)
    unfinished.rename(path)
