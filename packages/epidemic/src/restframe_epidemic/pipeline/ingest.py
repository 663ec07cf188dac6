"""`ingest`: what is new in a country's raw files, into the lake, the warehouse and the engine's tables."""

from __future__ import annotations

import contextlib
import datetime
import errno
import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

import restframe.errors
from restframe_epidemic import country as countries
from restframe_epidemic import errors, sources
from restframe_epidemic.pipeline import loading
from restframe_epidemic.pipeline.lake import Lake, Manifest, Reading
from restframe_epidemic.pipeline.reading import Terms, Watching, read
from restframe_epidemic.pipeline.streams import sha256
from restframe_epidemic.privacy import tokens
from restframe_epidemic.sources import Source
from restframe_epidemic.store import Store

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one source.

    status : read, unchanged, absent, failed
    rows, refused, repeated : of the files that were read: rows accepted, entries of the quarantine, rows said again
    looked_for : of an absent one, what its files are called
    """

    source: str
    status: str
    files: int = 0
    rows: int = 0
    refused: int = 0
    repeated: int = 0
    error: errors.Error | None = None
    looked_for: str = ""


@dataclass(slots=True)
class _Sum:
    files: int = 0
    rows: int = 0
    refused: int = 0
    repeated: int = 0

    def add(self, reading: Reading) -> None:
        self.files += 1
        self.rows += reading.rows
        self.refused += reading.refused
        self.repeated += reading.repeated


def ingest(
    store: Store,
    country: countries.Country,
    data: Path,
    watching: Watching,
    *,
    only: Iterable[str] = (),
    today: datetime.date | None = None,
) -> list[Outcome]:
    """Read what changed, load it and fill the engine's tables. What failed is told in the outcomes; the rest goes on.

    data : directory that the sources' uris are relative to
    only : names of sources; all of the country when empty
    today : dates after it are refused; today's when None
    UsageError for a name that is none of the country's sources. Running it again, also after a stop at any moment,
    changes nothing but what had not been done.
    """
    declared = sources.read(country.sources)
    chosen = list(only) or list(declared)
    for name in chosen:
        if name not in declared:
            raise errors.UsageError(f'there is no source "{name[:100]}"', hint=f"There are {', '.join(declared)}.")
    day = today or datetime.datetime.now(datetime.UTC).date()
    outcomes = []
    with _translated("preparing the tables"):
        loading.prepare(store)
    for name in declared:
        if name in chosen:
            outcomes.append(_source(store, declared, declared[name], data, watching, day))
    with _translated("filling the tables"):
        _transform(store, country, watching)
    return outcomes


@contextlib.contextmanager
def _translated(what: str) -> Iterator[None]:
    """Errors of the disk, of Arrow and of the warehouse as errors of ours."""
    try:
        yield
    except (OSError, pa.ArrowException, restframe.errors.Error) as error:
        full = isinstance(error, restframe.errors.DiskFull) or getattr(error, "errno", None) == errno.ENOSPC
        hint = "Make room and run the command again; what is finished is kept." if full else None
        raise errors.DataError(f"{what}: {str(error)[:300]}", hint=hint or getattr(error, "hint", None)) from error


def _source(
    store: Store, declared: Mapping[str, Source], source: Source, data: Path, watching: Watching, today: datetime.date
) -> Outcome:
    try:
        with _translated(source.name):
            return _read_and_load(store, declared, source, data, watching, today)
    except errors.ServerError:  # without which no other source goes better
        raise
    except errors.Error as error:
        watching.say(str(error) + (f" ({error.hint})" if error.hint else ""))
        return Outcome(source.name, "failed", error=error)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:  # of a file such as nobody thought of
        logger.warning("%s failed", source.name, exc_info=True)
        told = errors.DataError(f"{source.name}: {type(error).__name__}: {str(error)[:200]}")
        watching.say(str(told))
        return Outcome(source.name, "failed", error=told)


def _read_and_load(
    store: Store, declared: Mapping[str, Source], source: Source, data: Path, watching: Watching, today: datetime.date
) -> Outcome:
    lake = _lake(store, source)
    manifest = lake.manifest()
    files = {path.relative_to(data).as_posix(): path for path in source.files(data)}
    terms = Terms(
        today,
        _known(store, declared, source, watching if files else None),
        tokens.load_key(store.folder) if source.identifies and files else None,
    )
    declaration = _declaration(source, terms)
    if manifest.declaration != declaration:
        gone = [name for name in manifest.files if name not in files]
        if gone:
            watching.say(f"{source.name}: rules changed, but {gone[0]} is gone: what was read before stays as it is")
        else:
            manifest = Manifest()
        manifest.declaration = declaration
    done = _Sum()
    failed: errors.Error | None = None
    for name, path in files.items():
        recorded = _unchanged(manifest, name, path, today, watching)
        if recorded is None:
            try:
                done.add(read(lake, manifest, name, path, terms, watching))
            except errors.Error as error:
                watching.say(f"{source.name}: {error}" + (f" ({error.hint})" if error.hint else ""))
                failed = error
        elif manifest.files[name] != recorded:
            manifest.files[name] = recorded
            lake.write_manifest(manifest)
    if not manifest.files and not files:
        return Outcome(source.name, "absent", looked_for=source.uri)
    if not files:
        watching.say(f"{source.name}: there is no file of it any more; what was read before stays as it is")
    lake.sweep(manifest)
    if manifest.files:
        with watching.step(f"{source.name}: loading", 0):
            loading.load(store, lake, manifest)
    if done.refused and not done.rows and not failed:
        failed = _nothing_right(store, source)
        watching.say(f"{failed} ({failed.hint})")
    status = "failed" if failed else "read" if done.files else "unchanged"
    return Outcome(source.name, status, done.files, done.rows, done.refused, done.repeated, failed)


def _nothing_right(store: Store, source: Source) -> errors.DataError:
    """A declaration that does not fit its file refuses all rows, most of them for the same reason."""
    (commonest,) = store.query(
        "SELECT reason, column_name, min(source_line) AS line FROM epidemic.quarantine"
        " WHERE source = $1 AND action = 'rejected' GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2 LIMIT 1",
        [source.name],
    ).to_pylist()
    place = f"{commonest['column_name']}, line {commonest['line']}" if commonest["column_name"] else commonest["line"]
    return errors.DataError(
        f"{source.name}: no row is right; most often, {commonest['reason']} ({place})",
        hint="epidemic.quarantine has all of them.",
    )


def _lake(store: Store, source: Source) -> Lake:
    """What names somebody stays out of the bucket, from which everybody who may COPY could read it."""
    return Lake(store.private if source.identifies else store.lake, source)


def _known(
    store: Store, declared: Mapping[str, Source], source: Source, watching: Watching | None
) -> dict[str, pa.Array]:
    """The values that columns may refer to, of the sources that are there; nobody watches where there is no file."""
    known = {}
    for column in source.stored:
        if column.references and column.references not in known:
            name, _, other = column.references.partition(".")
            lake = _lake(store, declared[name])
            manifest = lake.manifest()
            if manifest.partitions:
                known[column.references] = lake.values(manifest, other)
            elif watching is not None:
                watching.say(f"{source.name}: {column.name} is not checked, there is no {name}")
    return known


def _declaration(source: Source, terms: Terms) -> str:
    """Of what decides which rows are accepted, and how they look: the declaration, the values it refers to, the key."""
    digest = hashlib.sha256(source.digest.encode())
    if terms.key is not None:
        digest.update(terms.key.name.encode())
    for reference, allowed in sorted(terms.known.items()):
        digest.update(reference.encode())
        for value in sorted(text for text in allowed.to_pylist() if text is not None):
            digest.update(value.encode() + b"\0")
    return digest.hexdigest()[:16]


def _unchanged(manifest: Manifest, name: str, path: Path, today: datetime.date, watching: Watching) -> Reading | None:
    """What is recorded of a file, when it is still so; None when it has to be read."""
    recorded = manifest.files.get(name)
    status = path.stat()
    if recorded is None or recorded.size_bytes != status.st_size or (recorded.again and recorded.again <= str(today)):
        return None
    if recorded.mtime_ns == status.st_mtime_ns:
        return recorded
    with watching.step(f"{name}: comparing", status.st_size) as progress:
        same = sha256(path, progress) == recorded.sha256
    return replace(recorded, mtime_ns=status.st_mtime_ns) if same else None


def _transform(store: Store, country: countries.Country, watching: Watching) -> None:
    """Fill the engine's tables, when what they are made of has changed."""
    digest = hashlib.sha256()
    rows = store.query(f"SELECT source, item, file FROM {loading.LOADED} WHERE source <> '*' ORDER BY 1, 2")
    digest.update(repr(rows.to_pylist()).encode())
    code = (Path(__file__).with_name(name) for name in ("series.py", "mending.py"))
    for path in sorted((*country.folder.glob("*.*"), *code)):
        digest.update(path.name.encode() + path.read_bytes())
    wanted = {"transformed": digest.hexdigest()[:16]}
    if loading.loaded(store, "*") == wanted:
        return
    from restframe_epidemic.pipeline import incidence  # with numba, which is not needed when nothing has changed

    with watching.step("filling the tables", 0), store.transaction():
        notices = countries.transform(store, country)
        incidence.fill(store)
        loading.mark(store, "*", wanted)
    for notice in notices:
        watching.say(notice)
