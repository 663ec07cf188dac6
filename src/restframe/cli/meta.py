"""Backslash commands: what a shell knows besides SQL."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from restframe import errors
from restframe.catalog.models import Model
from restframe.catalog.relations import ColumnDefinition, Relation
from restframe.cli.console import Console, Leave
from restframe.cli.reporting import clean
from restframe.result import Result
from restframe.types import SqlType

_TEXT = SqlType("varchar", length=65535)


def carry_out(console: Console, line: str) -> None:
    """Do what a line such as `\\d trips` says; SyntaxError for one that is no command."""
    name, *rest = line[1:].split(maxsplit=1)
    command = COMMANDS.get(name.rstrip(";"))
    if command is None:
        raise errors.SyntaxError(f'there is no command "\\{name[:40]}"', hint="\\? lists them.")
    command.run(console, _argument(rest[0] if rest else ""))


def _argument(text: str) -> str | None:
    """`name`, `'a file'` or nothing."""
    try:
        words = shlex.split(text.strip().rstrip(";"))
    except ValueError as error:
        raise errors.SyntaxError("a quote is not closed") from error
    if len(words) > 1:
        raise errors.SyntaxError("a backslash command takes one argument", hint="Put quotes around names with blanks.")
    return words[0] if words else None


# About what there is


def _describe(console: Console, name: str | None) -> None:
    if name is None:
        _relations(console, None)
        return
    schema, _, bare = name.lower().rpartition(".")
    relation = console.session.catalog.relation(schema or None, bare)
    header = f'{relation.kind.capitalize()} "{relation.schema}.{relation.name}"'
    comments = console.session.catalog.comments(relation.oid)
    names = ["column", "type", "nullable", "default", "encoding", "keys"]
    rows = [_column(column) for column in relation.columns]
    if comments.keys() - {None}:
        names.append("comment")
        rows = [(*row, comments.get(row[0], "")) for row in rows]
    _print_rows(console, names, rows, header)
    for line in [*([clean(comments[None])] if None in comments else []), *_about(relation)]:
        print(line)


def _column(column: ColumnDefinition) -> tuple[str | None, ...]:
    keys = ["DISTKEY"] * column.distkey + [f"SORTKEY {column.sortkey}"] * bool(column.sortkey)
    default = column.default
    if column.identity is not None:
        default = f"IDENTITY({column.identity.seed}, {column.identity.step})"
    return (
        column.name,
        str(column.type),
        "not null" if column.not_null else "",
        default or "",
        column.encoding or "",
        ", ".join(keys),
    )


def _about(relation: Relation) -> list[str]:
    if relation.definition is not None:
        return ["Definition:", *(f"  {clean(line)}" for line in relation.definition.splitlines())]
    if relation.kind == "system view":
        return []
    lines = [f"Distribution style: {relation.diststyle}"]
    if relation.sortstyle:
        lines.append(f"Sort style: {relation.sortstyle}")
    return lines


def _relations(console: Console, kind: str | None) -> None:
    catalog = console.session.catalog
    found = [relation for schema in catalog.schemas() for relation in catalog.relations(schema)]
    rows = [(one.schema, one.name, one.kind, one.owner) for one in found if kind is None or one.kind.endswith(kind)]
    _print_rows(console, ("schema", "name", "kind", "owner"), rows, None)


def _schemas(console: Console, _: str | None) -> None:
    _print_rows(console, ("schema",), [(name,) for name in console.session.catalog.schemas()], None)


def _models(console: Console, _: str | None) -> None:
    rows = [
        (
            model.schema,
            model.name,
            model.state,
            _signature(model),
            model.returns,
            model.endpoint,
        )
        for model in console.session.catalog.models()
    ]
    _print_rows(console, ("schema", "name", "state", "function", "returns", "endpoint"), rows, None)


def _signature(model: Model) -> str:
    """Nothing for a forecast, which has no function."""
    arguments = ", ".join(model.argument_types)
    return f"{model.function_schema}.{model.function_name}({arguments})" if model.function_name else ""


def _endpoints(console: Console, _: str | None) -> None:
    rows = [
        (one.name, one.status, one.model.artifact or one.model.url)
        for one in console.warehouse.jobs.endpoints.describe_all()
    ]
    _print_rows(console, ("endpoint", "status", "serves"), rows, None)


def _print_rows(
    console: Console, names: Sequence[str], rows: Sequence[tuple[str | None, ...]], header: str | None
) -> None:
    if header:
        print(header)
    console.show(Result.of_rows([(name, _TEXT) for name in names], rows))


# About how things are shown


def _timing(console: Console, argument: str | None) -> None:
    console.view.timing = _switched(console.view.timing, argument)
    print(f"Timing is {'on' if console.view.timing else 'off'}.")


def _expanded(console: Console, argument: str | None) -> None:
    expanded = _switched(console.view.style.expanded, argument)
    console.view.style = replace(console.view.style, expanded=expanded)
    print(f"Expanded display is {'on' if expanded else 'off'}.")


def _switched(now: bool, argument: str | None) -> bool:
    if argument is None:
        return not now
    if argument.lower() not in ("on", "off"):
        raise errors.InvalidParameterValue(f'"{argument[:40]}" is neither on nor off')
    return argument.lower() == "on"


def _format(console: Console, argument: str | None) -> None:
    if argument not in ("table", "csv", "json"):
        raise errors.InvalidParameterValue("the format is table, csv or json")
    console.view.format = argument


def _limit(console: Console, argument: str | None) -> None:
    if argument is None or not argument.isdecimal():
        raise errors.InvalidParameterValue("the limit is a number of rows, 0 for all")
    console.view.style = replace(console.view.style, limit=int(argument) or None)


def _output(console: Console, path: str | None) -> None:
    if console.view.output is not None:
        console.view.output.close()
        console.view.output = None
    if path is not None:
        try:
            console.view.output = Path(path).expanduser().open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise errors.OperationalError(f'cannot write "{path}": {error.strerror}') from error


def _include(console: Console, path: str | None) -> None:
    if path is None:
        raise errors.SyntaxError("which file?")
    if not console.run_file(str(Path(path).expanduser())):
        raise errors.ProgrammingError(f'"{path}" ended with an error')


def _help(console: Console, _: str | None) -> None:
    for name, command in COMMANDS.items():
        print(f"  \\{name + ' ' + command.takes:<22} {command.text}")
    print("  Statements end with a semicolon. Ctrl-C stops the running one, ctrl-D leaves.")


def _leave(console: Console, _: str | None) -> None:
    raise Leave


@dataclass(frozen=True, slots=True)
class Command:
    run: Callable[[Console, str | None], None]
    takes: str
    text: str


COMMANDS = {
    "d": Command(_describe, "[NAME]", "all tables and views, or the columns of one"),
    "dt": Command(lambda console, _: _relations(console, "table"), "", "tables"),
    "dv": Command(lambda console, _: _relations(console, "view"), "", "views"),
    "dn": Command(_schemas, "", "schemas"),
    "dm": Command(_models, "", "models and their functions"),
    "de": Command(_endpoints, "", "endpoints"),
    "x": Command(_expanded, "[on|off]", "one line per value instead of one per row"),
    "timing": Command(_timing, "[on|off]", "print how long each statement takes"),
    "format": Command(_format, "FORMAT", "table, csv or json"),
    "limit": Command(_limit, "ROWS", "show so many rows of a table; 0 is all"),
    "o": Command(_output, "[FILE]", "write rows to a file, or to the screen again"),
    "i": Command(_include, "FILE", "run a script"),
    "?": Command(_help, "", "this list"),
    "q": Command(_leave, "", "leave"),
}
