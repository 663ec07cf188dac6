"""A country: a folder of data that says what its places, weeks and sources are. No code knows of any.

country.toml      name, week_ends (the weekday that ends a reporting week), targets (what hub files call them)
sources/*.toml    one Source each, see `sources/`
*.csv             small tables that come with the country, into epidemic_staging under the file's name
*.sql             from epidemic_staging into the tables of pipeline/sql/schema.sql
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from restframe_epidemic import errors

if TYPE_CHECKING:
    import pyarrow as pa

    from restframe_epidemic.store import Store

COUNTRIES = Path(__file__).parent / "countries"
DEFAULT = "us"
# What is forecast, and what a hub calls it unless the country says otherwise.
TARGETS = {"cases": "wk inc case", "deaths": "wk inc death"}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_READS = re.compile(r"\bepidemic_staging\.(\w+)", re.IGNORECASE)
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_COMMENT = re.compile(r"--[^\n]*")
_FILLS_PLACES = re.compile(r"\bINTO\s+epidemic\.location\b", re.IGNORECASE)
_KNOWN = {"name", "week_ends", "targets"}


@dataclass(frozen=True, slots=True)
class Country:
    """week_ends : weekday in English. targets : of TARGETS, what hub files call each"""

    folder: Path
    name: str
    week_ends: str
    targets: Mapping[str, str] = field(default_factory=lambda: TARGETS)

    @property
    def sources(self) -> Path:
        return self.folder / "sources"


def read(folder: Path | str) -> Country:
    """Of a folder, or of a country that comes with the package by its name. DataError for what it does not say."""
    path = Path(folder)
    if not (path / "country.toml").is_file() and (COUNTRIES / str(folder)).is_dir():
        path = COUNTRIES / str(folder)
    try:
        with (path / "country.toml").open("rb") as file:
            said = tomllib.load(file)
    except FileNotFoundError:
        here = ", ".join(sorted(path.parent.name for path in COUNTRIES.glob("*/country.toml")))
        raise errors.UsageError(
            f'"{str(folder)[:200]}" is no country: it has no country.toml',
            hint=f"Give the folder of a country, or the name of one that comes with the engine: {here}.",
        ) from None
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, nested without end
        raise errors.DataError(f"{path / 'country.toml'}: {str(error)[:200]}") from error
    unknown = sorted(set(said) - _KNOWN)
    if unknown or not {"name", "week_ends"} <= set(said):
        raise errors.DataError(
            f"{path / 'country.toml'}: name and week_ends are needed, targets may be there; "
            f"unknown: {', '.join(unknown)[:100] or 'none'}"
        )
    if said["week_ends"] not in WEEKDAYS:
        raise errors.DataError(
            f'{path / "country.toml"}: "{str(said["week_ends"])[:40]}" is no weekday', hint="Write monday, ..., sunday."
        )
    targets = said.get("targets", {})
    if not isinstance(said["name"], str) or not isinstance(targets, dict):
        raise errors.DataError(f"{path / 'country.toml'}: name is a text, targets a table")
    if not set(targets) <= set(TARGETS) or not all(isinstance(each, str) for each in targets.values()):
        raise errors.DataError(f"{path / 'country.toml'}: targets are the names of {' and '.join(TARGETS)}")
    targets = TARGETS | targets
    if len(set(targets.values())) < len(targets):
        raise errors.DataError(f"{path / 'country.toml'}: two targets have the same name")
    return Country(path, said["name"], said["week_ends"], targets)


def of(store: Store, given: str | None = None) -> Country:
    """The country of a command: the one that is given, else the warehouse's own, else the United States.

    UsageError when the warehouse was filled for another one, or when its own is no longer where it was.
    """
    row = _remembered(store)
    if given is not None or row is None:
        country = read(DEFAULT if given is None else given)
        _check(country, row)
        return country
    name, _, folder = row
    try:
        return read(folder)
    except errors.UsageError:
        raise errors.UsageError(
            f'the warehouse belongs to {name}, and "{folder[:200]}" is no longer there', hint="Say --country DIR."
        ) from None


def remember(store: Store, country: Country) -> None:
    """Let the warehouse belong to a country, as soon as it has its places. UsageError when it belongs to another."""
    import pyarrow as pa

    row = _remembered(store)
    _check(country, row)
    mine = _name(country), country.week_ends, _folder(country)
    if row != mine and store.run("SELECT count(*) FROM epidemic.location").scalar():
        columns = ("name", "week_ends", "folder")
        store.replace("epidemic.country", pa.table({name: [said] for name, said in zip(columns, mine, strict=True)}))


def _remembered(store: Store) -> tuple[str, str, str] | None:
    there = "SELECT 1 FROM information_schema.tables WHERE table_schema = 'epidemic' AND table_name = 'country'"
    if not store.run(there).fetchall():
        return None
    rows = store.run("SELECT name, week_ends, folder FROM epidemic.country").fetchall()
    return tuple(rows[0]) if rows else None


def _check(country: Country, row: tuple[str, str, str] | None) -> None:
    """A country may change its name, or move; what changes both is another one."""
    mine = _name(country), country.week_ends, _folder(country)
    if row is not None and row[:2] != mine[:2] and row[2] != mine[2]:
        raise errors.UsageError(
            f"the warehouse belongs to {row[0]}, not to {mine[0]}",
            hint="A warehouse has one country: take another --warehouse, or leave out --country.",
        )


def _name(country: Country) -> str:
    return country.name[:100]


def _folder(country: Country) -> str:
    """By name when it comes with the package, which may be installed elsewhere tomorrow."""
    path = country.folder.resolve()
    return path.name if path.parent == COUNTRIES.resolve() else str(path)


def transform(store: Store, country: Country) -> list[str]:
    """Fill the engine's tables from staging; the notices say what could not be filled, and why.

    All of it is one transaction. A file whose staging tables are not all there is left out, so that a source that is
    absent costs its own tables and nothing else.
    """
    from restframe_epidemic.pipeline import mending

    notices: list[str] = []
    places = False  # of this country: those of an earlier version's warehouse, which remembers none, may be another's
    with store.transaction():
        for path in sorted(country.folder.glob("*.csv")):
            _stage(store, path)
        there = set(
            store.query("SELECT table_name FROM information_schema.tables WHERE table_schema = 'epidemic_staging'")
            .column(0)
            .to_pylist()
        )
        for path in sorted(country.folder.glob("*.sql")):
            text = _COMMENT.sub("", _text(path))
            wanted = {name.lower() for name in _READS.findall(text)}
            missing = sorted(wanted - there)
            if missing:
                notices.append(f"{path.name} is left out: there is no {', '.join(missing)}")
            else:
                store.run_file(path)
                places = places or _FILLS_PLACES.search(text) is not None
        mending.mend(store)
        notices += mending.notices(store)
        store.replace("epidemic.calendar", _calendar(store, country.week_ends))
        if places:
            remember(store, country)
    return notices


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise errors.DataError(f"{path}: {error}") from error


_SQL_TYPES = {"int64": "bigint", "double": "float8", "date32[day]": "date", "bool": "boolean", "string": "varchar(512)"}


def _read_csv(path: Path) -> pa.Table:
    """Numbers, ISO dates, true and false are found by their look; all else is text, and so are codes such as 01."""
    import pyarrow.compute as pc
    from pyarrow import csv

    rows = csv.read_csv(path)
    kinds = dict.fromkeys(rows.column_names, "string")
    plain = csv.ConvertOptions(column_types=kinds, null_values=[""], strings_can_be_null=True)
    texts = csv.read_csv(path, convert_options=plain)
    for at, name in enumerate(rows.column_names):
        kind = str(rows.schema.types[at])
        codes = kind == "int64" and pc.any(pc.match_substring_regex(texts[at], r"^[+-]?0[0-9]")).as_py()
        if codes or kind not in _SQL_TYPES:
            rows = rows.set_column(at, name, texts[at])
    return rows


def _stage(store: Store, path: Path) -> None:
    """A CSV file as a table of epidemic_staging."""
    import pyarrow as pa

    try:
        rows = _read_csv(path)
    except pa.ArrowInvalid as error:
        raise errors.DataError(f"{path}: {str(error)[:200]}") from error
    wrong = [name for name in (path.stem, *rows.column_names) if not _NAME.fullmatch(name)]
    if wrong:
        raise errors.DataError(f'{path}: "{wrong[0][:100]}" is no name of a table or column')
    if path.stem == "loaded" or (path.parent / "sources" / f"{path.stem}.toml").exists():
        raise errors.DataError(
            f"{path}: a source, or the engine, has a table of the same name", hint="Both would be one table of staging."
        )
    table = f"epidemic_staging.{path.stem}"
    kinds = (f'"{column.name}" {_SQL_TYPES[str(column.type)]}' for column in rows.schema)
    store.run(f"DROP TABLE IF EXISTS {table}")
    store.run(f"CREATE TABLE {table} ({', '.join(kinds)})")
    store.replace(table, rows)


def _calendar(store: Store, week_ends: str) -> pa.Table:
    """From the first report's week to a year after the last one's."""
    import numpy as np
    import pyarrow as pa

    from restframe_epidemic.pipeline.series import beginning

    reported = store.query("SELECT DISTINCT date FROM epidemic.case_report").column(0).to_numpy()
    if not len(reported):
        return pa.table({"date": pa.array([], pa.date32()), "week_end": pa.array([], pa.date32())})
    days = np.arange(beginning(reported) - 6, reported.max().astype("datetime64[D]") + 366)
    weekday = (days.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    ends = days + (WEEKDAYS.index(week_ends) - weekday) % 7
    return pa.table({"date": pa.array(days), "week_end": pa.array(ends)})
