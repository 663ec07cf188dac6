"""Reading the TOML that declares a source, with errors that name the file and the key."""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from restframe_epidemic import errors
from restframe_epidemic.privacy import tokens
from restframe_epidemic.sources.source import Column, Source, Wide, digest

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_TYPE = re.compile(
    r"(varchar)\((\d{1,5})\)|(decimal)\((\d{1,2}), ?(\d{1,2})\)|(bigint|int|smallint|float8|date|boolean)"
)
_DELIMITERS = {"csv": ",", "tsv": "\t", "psv": "|", "parquet": ""}
_PARTITIONS = ("day", "month", "year")
_OTHERWISE = ("reject", "null", "keep")
# What the engine itself keeps in staging, in the lake and in the quarantine goes by these names.
RESERVED = ("case_report", "loaded", "members", "quarantine", "spool")
_LONGEST_VARCHAR = 65_535
_LONGEST_URI = 1_000
_MOST_DIGITS = 38

# key -> the type of its value
_SOURCE: dict[str, type] = {
    "uri": str, "format": str, "key": list, "date": str, "partition": str, "vintage": str, "cadence": str,
    "licence": str, "attribution": str, "optional": bool, "header": list, "nulls": list, "columns": dict, "wide": dict,
    "rules": list, "may_follow": list, "delimiter": str, "decimal": str, "encoding": str,
}  # fmt: skip
_NEEDED = ("uri", "format", "key", "columns")
_COLUMN: dict[str, type | tuple[type, ...]] = {
    "name": str, "from": str, "type": str, "nullable": bool, "minimum": (int, float, str), "maximum": (int, float, str),
    "future": bool, "pattern": str, "values": list, "references": str, "otherwise": str, "format": str, "digits": int,
    "token": bool,
}  # fmt: skip


def read(directory: Path) -> dict[str, Source]:
    """The sources declared in a folder, each after those that it refers to.

    DataError when a declaration is wrong, or refers to what no other declares.
    """
    files = sorted(directory.glob("*.toml"))
    if not files:
        raise errors.UsageError(f'"{directory}" declares no sources', hint="A source is a file <name>.toml in it.")
    sources = {file.stem: read_file(file) for file in files}
    for source in sources.values():
        _check_references(source, sources)
    ordered: dict[str, Source] = {}
    while len(ordered) < len(sources):
        ready = [name for name in sources if name not in ordered and set(sources[name].references) <= set(ordered)]
        if not ready:
            raise errors.DataError(f"sources refer to each other in a circle: {', '.join(set(sources) - set(ordered))}")
        ordered |= {name: sources[name] for name in ready}
    return ordered


def _check_references(source: Source, sources: Mapping[str, Source]) -> None:
    for column in source.stored:
        if not column.references:
            continue
        other, _, name = column.references.partition(".")
        if other not in sources or name not in {each.name for each in sources[other].stored}:
            raise errors.DataError(f'{source.name}.toml: columns.{column.name}: no source has "{column.references}"')


def read_file(path: Path) -> Source:
    """The source that one file declares."""
    try:
        text = path.read_text(encoding="utf-8")
        given = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, nested without end
        raise errors.DataError(f"{path.name}: {str(error)[:200]}") from error
    try:
        return _source(path.stem, given, text)
    except _Wrong as error:
        raise errors.DataError(f"{path.name}: {error}", hint=error.hint) from error


class _Wrong(errors.Error):
    """A declaration's error, before the file is named."""


def _source(name: str, given: Mapping[str, Any], text: str) -> Source:
    if not _NAME.fullmatch(name):
        raise _Wrong("the file's name is no name of a table", hint="Small letters, digits and underscores.")
    if name in RESERVED:
        raise _Wrong("the engine has something else of this name", hint=f"All but {', '.join(RESERVED)}.")
    _check_keys("", given, _SOURCE)
    for needed in _NEEDED:
        if needed not in given:
            raise _Wrong(f'"{needed}" is missing')
    _check_choice("format", given["format"], tuple(_DELIMITERS))
    _check_choice("partition", given.get("partition", "day"), _PARTITIONS)
    key = tuple(given["key"])
    delimiter, decimal, encoding = _writing(given)
    columns = tuple(
        _column(f"columns.{each}", {"name": each, **column}, key, decimal) for each, column in _tables(given)
    )
    wide = _wide(given["wide"], key, decimal) if "wide" in given else None
    source = Source(
        name=name,
        uri=given["uri"],
        format=given["format"],
        columns=columns,
        header=tuple(given.get("header", [column.header for column in columns])),
        may_follow=tuple(given.get("may_follow", [])),
        key=key,
        date=given.get("date"),
        partition=given.get("partition", "day"),
        vintage=_date("vintage", given["vintage"]) if "vintage" in given else None,
        cadence=given.get("cadence", ""),
        licence=given.get("licence", ""),
        attribution=given.get("attribution", ""),
        optional=given.get("optional", False),
        wide=wide,
        order=tuple(_order(f"rules[{at}]", rule) for at, rule in enumerate(given.get("rules", []))),
        nulls=tuple(given.get("nulls", [""])),
        delimiter=delimiter,
        encoding=encoding,
        digest=digest(text),
    )
    _check(source)
    return source


def _writing(given: Mapping[str, Any]) -> tuple[str, str, str]:
    """How a delimited file is written: its delimiter, decimal sign and encoding."""
    delimiter = given.get("delimiter", _DELIMITERS[given["format"]])
    decimal, encoding = given.get("decimal", "."), given.get("encoding", "utf-8")
    if given["format"] == "parquet":
        for key in ("delimiter", "decimal", "encoding"):
            if key in given:
                raise _Wrong(f"{key}: a Parquet file has none")
        return delimiter, decimal, encoding
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter.isalnum() or delimiter in '"\r\n.-':
        raise _Wrong(f"delimiter: {delimiter[:100]!r} is none", hint='One character, such as ";".')
    _check_choice("decimal", decimal, (".", ","))
    if decimal == delimiter:
        raise _Wrong("decimal: the delimiter is the same", hint='Such files mostly have delimiter = ";".')
    ascii_bytes = bytes(range(128))
    try:
        if ascii_bytes.decode(encoding) != ascii_bytes.decode("ascii"):
            raise ValueError
    except (LookupError, ValueError):  # no codec, or one with zeros between the letters
        raise _Wrong(
            f"encoding: {encoding[:100]!r} is none that has ASCII in it", hint="utf-8, latin-1, windows-1252, gbk ..."
        ) from None
    return delimiter, decimal, encoding


def _tables(given: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    columns = given["columns"]
    if not columns or not all(isinstance(column, dict) for column in columns.values()):
        raise _Wrong('"columns" has a table for each column', hint='location = { from = "fips", type = "varchar(5)" }')
    return list(columns.items())


def _column(place: str, given: Mapping[str, Any], key: tuple[str, ...], decimal: str) -> Column:
    _check_keys(place, given, _COLUMN)
    name = given["name"]
    if not _NAME.fullmatch(name) or name in ("source_file", "source_line"):
        raise _Wrong(f'{place}: "{name[:100]}" is no name of a column')
    kind, size = _type(place, given.get("type"))
    otherwise = given.get("otherwise", "reject")
    _check_choice(f"{place}.otherwise", otherwise, _OTHERWISE)
    if not 0 <= given.get("digits", 0) <= _MOST_DIGITS:
        raise _Wrong(f"{place}.digits: 1 to {_MOST_DIGITS}")
    if name in key and otherwise != "reject":
        raise _Wrong(f"{place}.otherwise: a column of the key can only reject")
    if name in key and given.get("nullable"):
        raise _Wrong(f"{place}.nullable: a column of the key is never null")
    if "pattern" in given:
        _check_pattern(place, given["pattern"])
    if given.get("token") and (kind != "varchar" or size[0] < tokens.LENGTH):
        raise _Wrong(f"{place}.token: a token takes varchar({tokens.LENGTH}) or more")
    return Column(
        name=name,
        header=given.get("from", name),
        kind=kind,
        size=size,
        nullable=given.get("nullable", name not in key),
        minimum=_bound(f"{place}.minimum", kind, given.get("minimum")),
        maximum=_bound(f"{place}.maximum", kind, given.get("maximum")),
        future=given.get("future", False),
        pattern=given.get("pattern", ""),
        values=tuple(given.get("values", [])),
        references=given.get("references", ""),
        otherwise=otherwise,
        format=given.get("format", ""),
        digits=given.get("digits", 0),
        decimal=decimal,
        token=given.get("token", False),
    )


def _type(place: str, text: object) -> tuple[Any, tuple[int, ...]]:
    matched = _TYPE.fullmatch(text) if isinstance(text, str) else None
    if matched is None:
        raise _Wrong(
            f"{place}.type: {str(text)[:100]!r} is no type",
            hint="varchar(n), bigint, int, smallint, float8, decimal(p,s), date or boolean.",
        )
    kind, *digits = [part for part in matched.groups() if part is not None]
    size = tuple(map(int, digits))
    if kind == "varchar" and not 1 <= size[0] <= _LONGEST_VARCHAR:
        raise _Wrong(f"{place}.type: a varchar has 1 to {_LONGEST_VARCHAR} bytes")
    if kind == "decimal" and not max(size[1], 1) <= size[0] <= _MOST_DIGITS:
        raise _Wrong(f"{place}.type: a decimal has 1 to {_MOST_DIGITS} digits, and not more behind the point")
    return kind, size


def _bound(place: str, kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "date":
        return _date(place, value)
    if kind in ("varchar", "boolean") or isinstance(value, str) or not abs(value) < 2**63:
        raise _Wrong(f"{place}: a {kind} has no bound {str(value)[:100]!r}")
    return value


def _date(place: str, value: object) -> datetime.date:
    try:
        return datetime.date.fromisoformat(str(value))
    except ValueError:
        raise _Wrong(f"{place}: {str(value)[:100]!r} is no date", hint='As "2020-12-05".') from None


def _wide(given: Mapping[str, Any], key: tuple[str, ...], decimal: str) -> Wide:
    _check_keys("wide", given, {"column": dict, "value": dict})
    for part in ("column", "value"):
        if "name" not in given.get(part, {}):
            raise _Wrong(f'wide.{part}: "name" is missing')
    return Wide(
        _column("wide.column", given["column"], key, decimal), _column("wide.value", given["value"], key, decimal)
    )


def _order(place: str, given: Mapping[str, Any]) -> tuple[str, str]:
    if not isinstance(given, dict):
        raise _Wrong(f"{place}: a table", hint='rules = [{ order = ["admitted", "discharged"] }]')
    _check_keys(place, given, {"order": list})
    if len(given.get("order", [])) != 2:
        raise _Wrong(f"{place}.order: two columns, the second of which is not before the first")
    return given["order"][0], given["order"][1]


def _check(source: Source) -> None:
    """What one key says must go with what the others say."""
    names = [column.name for column in source.stored]
    kinds = {column.name: column.kind for column in source.stored}
    if len(set(names)) < len(names):
        raise _Wrong("two columns have the same name")
    for place, used in (("key", source.key), ("rules", sum(source.order, ())), ("date", (source.date,))):
        for name in used:
            if name is not None and name not in names:
                raise _Wrong(f'{place}: there is no column "{name[:100]}"')
    for column in source.columns:
        if column.header not in source.header:
            raise _Wrong(f'columns.{column.name}.from: "{column.header[:100]}" does not stand in the header')
    if len(set(source.header)) < len(source.header):
        raise _Wrong("header: a column stands there twice")
    if (source.date is None) == (source.vintage is None):
        raise _Wrong('either "date", a column, or "vintage", the day a source without one stands for, is needed')
    if source.date is not None and (kinds[source.date] != "date" or source.date not in source.key):
        raise _Wrong(f'date: "{source.date}" has to be a date and part of the key')
    for name in sum(source.order, ()):
        if kinds[name] != "date":
            raise _Wrong(f'rules: "{name}" is no date')
    parts = Path(source.uri).parts
    if source.uri.startswith("/") or ".." in parts or "://" in source.uri:
        raise _Wrong("uri: relative to the data directory, and inside it")
    if (
        not parts
        or len(source.uri) > _LONGEST_URI
        or "\0" in source.uri
        or any("**" in part and part != "**" for part in parts)
    ):
        raise _Wrong(f"uri: {source.uri[:100]!r} is no path and no pattern")


def _check_keys(place: str, given: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    at = f"{place}." if place else ""
    for key, value in given.items():
        if key not in known:
            raise _Wrong(f"{at}{key[:100]}: there is no such key", hint=f"There are {', '.join(known)}.")
        if not isinstance(value, known[key]) or (isinstance(value, bool) and known[key] is not bool):
            raise _Wrong(f"{at}{key}: {str(value)[:100]!r} is of the wrong type")
        if isinstance(value, list) and key != "rules" and not all(isinstance(item, str) for item in value):
            raise _Wrong(f"{at}{key}: a list of texts")


def _check_choice(place: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise _Wrong(f"{place}: {value[:100]!r} is none of {', '.join(choices)}")


def _check_pattern(place: str, pattern: str) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.match_substring_regex(pa.array([""]), f"^(?:{pattern})$")
    except pa.ArrowInvalid as error:
        raise _Wrong(f"{place}.pattern: {str(error)[:200]}", hint="As RE2 has them.") from error
