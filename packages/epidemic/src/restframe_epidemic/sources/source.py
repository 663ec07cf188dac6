"""What a source is: where its files lie, what their columns hold, which rows are accepted."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["varchar", "bigint", "int", "smallint", "float8", "decimal", "date", "boolean"]
Otherwise = Literal["reject", "null", "keep"]
Bound = int | float | datetime.date


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the staging table.

    name, header : in the table, in the file
    kind, size : the type and its numbers: varchar(size bytes), decimal(precision, scale)
    nullable : of a key's columns never
    minimum, maximum : both allowed; dates for dates
    future : whether a date may lie after the day of ingestion
    pattern : a regular expression for the whole of a text
    values : the only ones allowed, when not empty
    references : `source.column` whose values are the only ones allowed, when not empty; NULL is always allowed
    otherwise : what becomes of a value that breaks a rule: the row is rejected, the value becomes NULL, or all stays;
        the quarantine tells in each case
    format : of dates, for strptime; `ordinal` is a day number, 1 being 0001-01-01; ISO when empty
    digits : of codes that are written as numbers: 1001.0 with 5 digits is 01001; 0 for other columns
    decimal : what stands before the decimals of a number in a delimited file
    token : whether a keyed hash takes the place of the values before anything else happens to them
    """

    name: str
    header: str
    kind: Kind
    size: tuple[int, ...] = ()
    nullable: bool = True
    minimum: Bound | None = None
    maximum: Bound | None = None
    future: bool = False
    pattern: str = ""
    values: tuple[str, ...] = ()
    references: str = ""
    otherwise: Otherwise = "reject"
    format: str = ""
    digits: int = 0
    decimal: str = "."
    token: bool = False

    @property
    def type(self) -> str:
        """As SQL writes it."""
        return self.kind + (f"({','.join(map(str, self.size))})" if self.size else "")


@dataclass(frozen=True, slots=True)
class Wide:
    """The columns behind the declared ones become rows: `column` is made of a column's name in the file, `value` of
    what it holds. A column without a value makes no row."""

    column: Column
    value: Column


@dataclass(frozen=True, slots=True)
class Source:
    """
    name : of the file that declares it; the staging table is `epidemic_staging.<name>`
    uri : file or pattern, relative to the data directory. Files rank by name: the later one's rows win
    header : all columns of the file in their order (of a wide one: those before the columns that become rows)
    may_follow : columns that some of the publisher's files have behind those of the header
    key : columns that tell rows apart; with a date, it is one of them
    date : the column by which the lake is partitioned, into days, months or years; else all is dated `vintage`
    order : pairs of columns, the second not before the first
    nulls : what stands for a missing value in delimited files
    cadence, licence, attribution : for people; nothing depends on them
    delimiter, encoding : of delimited files; a character, a codec that has ASCII's characters at ASCII's bytes
    digest : of the declaration
    """

    name: str
    uri: str
    format: Literal["csv", "tsv", "psv", "parquet"]
    columns: tuple[Column, ...]
    header: tuple[str, ...]
    may_follow: tuple[str, ...]
    key: tuple[str, ...]
    date: str | None
    partition: Literal["day", "month", "year"]
    vintage: datetime.date | None
    cadence: str
    licence: str
    attribution: str
    optional: bool
    wide: Wide | None
    order: tuple[tuple[str, str], ...]
    nulls: tuple[str, ...]
    delimiter: str
    encoding: str
    digest: str

    @property
    def table(self) -> str:
        return f"epidemic_staging.{self.name}"

    @property
    def stored(self) -> tuple[Column, ...]:
        """The columns of the staging table that come from the file."""
        return self.columns + ((self.wide.column, self.wide.value) if self.wide else ())

    @property
    def identifies(self) -> bool:
        """Whether its files name somebody."""
        return any(column.token for column in self.stored)

    @property
    def references(self) -> tuple[str, ...]:
        """The sources that have to be read before this one."""
        return tuple(dict.fromkeys(column.references.split(".")[0] for column in self.stored if column.references))

    def files(self, directory: Path) -> list[Path]:
        """What there is of it, by name."""
        return sorted(path for path in directory.glob(self.uri) if path.is_file())


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
