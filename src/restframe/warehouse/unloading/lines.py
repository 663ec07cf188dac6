"""How a row becomes a line of text: an expression that the engine computes, one string a row, line end included.

The strings of an Arrow batch lie behind one another in memory, so what the engine returns is the file's content
already. Texts of the user enter the expression as parameters.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from restframe import errors
from restframe.result import Column
from restframe.sql.statements.unload import Unload


@dataclass(slots=True)
class Line:
    """expression : over columns c0, c1, ... of the query
    parameters : the values of the expression's parameters
    header : what every file begins with
    """

    expression: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    header: bytes = b""

    def constant(self, text: str) -> str:
        """The parameter with this value, which must be used: an engine minds parameters it does not find."""
        known = next((name for name, value in self.parameters.items() if value == text), None)
        name = known or f"text{len(self.parameters)}"
        self.parameters[name] = text
        return f"${name}"


def line(statement: Unload, columns: Sequence[Column], numbers: Sequence[int]) -> Line:
    """The line of the query's columns with these numbers, in the statement's format.

    InvalidParameterValue when a fixed width specification does not fit the columns, DuplicateColumn for JSON without
    distinct names, NotSupportedError for a type the format cannot hold.
    """
    return _FORMATS[statement.format](statement, columns, numbers)


def text_of(number: int, column: Column) -> str:
    """A column as Redshift prints it; NULL stays NULL, except that of a SUPER value, which is JSON's.

    Numbers with a fraction have the 15 significant digits (6 for REAL) that PostgreSQL 8 gives them, and CHAR values
    the blanks that fill them up.
    """
    if column.type.name == "bpchar" and column.type.length:
        return f"rpad(c{number}, {column.type.length}, ' ')"
    return _TEXT_OF.get(column.type.name, "CAST({c} AS VARCHAR)").format(c=f"c{number}")


_FLOAT = (
    "CASE WHEN isfinite({c}) THEN format('{{:.DIGITSg}}', CAST({c} AS DOUBLE)) WHEN isnan({c}) THEN 'NaN' "
    "WHEN {c} > 0 THEN 'Infinity' WHEN {c} < 0 THEN '-Infinity' END"
)
_TEXT_OF = {
    "bool": "CASE WHEN {c} THEN 't' WHEN NOT {c} THEN 'f' END",
    # format() knows fmt's syntax, where doubled braces are needed once more
    "float4": _FLOAT.replace("DIGITS", "6"),
    "float8": _FLOAT.replace("DIGITS", "15"),
    "super": "coalesce(CAST(to_json({c}) AS VARCHAR), 'null')",
    "varbyte": "lower(hex({c}))",
}
_STRINGS = ("varchar", "bpchar", "super")
_IN_NUMBERS_AND_TIMES = frozenset("0123456789+-.: aefintyINxbcd")


def _joined(parts: Sequence[str], delimiter: str, out: Line) -> str:
    """concat() of the parts, which takes NULL for no text."""
    pieces = [parts[0]]
    for part in parts[1:]:
        pieces += [out.constant(delimiter), part]
    return f"concat({', '.join(pieces)}, {out.constant(chr(10))})"


# Delimited text


def _delimited(statement: Unload, columns: Sequence[Column], numbers: Sequence[int]) -> Line:
    out = Line()
    delimiter = statement.delimiter or "|"
    escaped = _escaped_letters(statement, delimiter)
    fields = []
    for number in numbers:
        text = text_of(number, columns[number])
        if columns[number].type.name in _STRINGS:
            for letter in escaped:
                text = f"replace({text}, {out.constant(letter)}, {out.constant(chr(92) + letter)})"
        if statement.add_quotes:
            text = f"""'"' || {text} || '"'"""
        fields.append(_null_as(text, statement.null, out))
    out.expression = _joined(fields, delimiter, out)
    if statement.header:
        names = [columns[number].name for number in numbers]
        for letter in escaped:
            names = [name.replace(letter, "\\" + letter) for name in names]
        quote = '"' if statement.add_quotes else ""
        out.header = _bytes(delimiter.join(f"{quote}{name}{quote}" for name in names))
    return out


def _escaped_letters(statement: Unload, delimiter: str) -> str:
    """What ESCAPE puts a backslash before; the backslash itself must come first."""
    if not statement.escape:
        return ""
    return "".join(dict.fromkeys("\\\n\r" + delimiter + ("\"'" if statement.add_quotes else "")))


def _null_as(text: str, null: str | None, out: Line) -> str:
    return text if not null else f"coalesce({text}, {out.constant(null)})"


# CSV


def _csv(statement: Unload, columns: Sequence[Column], numbers: Sequence[int]) -> Line:
    """A text is quoted when it has to be, and when it would be taken for NULL."""
    out = Line()
    delimiter = statement.delimiter or ","
    fields = []
    for number in numbers:
        text = text_of(number, columns[number])
        if columns[number].type.name in _STRINGS or delimiter in _IN_NUMBERS_AND_TIMES or statement.null:
            special = " OR ".join(
                f"contains({text}, {out.constant(letter)})" for letter in dict.fromkeys(delimiter + '"\n\r')
            )
            quoted = f"""'"' || replace({text}, '"', '""') || '"'"""
            text = f"CASE WHEN {special} OR {text} = {out.constant(statement.null or '')} THEN {quoted} ELSE {text} END"
        fields.append(_null_as(text, statement.null, out))
    out.expression = _joined(fields, delimiter, out)
    if statement.header:
        out.header = _bytes(delimiter.join(_csv_name(columns[number].name, delimiter) for number in numbers))
    return out


def _csv_name(name: str, delimiter: str) -> str:
    if not any(letter in name for letter in delimiter + '"\n\r'):
        return name
    return '"' + name.replace('"', '""') + '"'


# Fixed width


def _fixed_width(statement: Unload, columns: Sequence[Column], numbers: Sequence[int]) -> Line:
    if len(statement.widths) != len(numbers):
        raise errors.InvalidParameterValue(
            f"the fixed width specification has {len(statement.widths)} columns, the query has {len(numbers)}"
        )
    out = Line()
    fields = []
    for number, (_, width) in zip(numbers, statement.widths, strict=True):
        column = columns[number]
        if column.type.name == "varbyte":
            raise errors.NotSupportedError(f'column "{column.name}" of type varbyte cannot be unloaded to FIXEDWIDTH')
        null = statement.null or ""
        if len(null) > width and not column.type.is_text:
            null = ""  # as the manual has it
        text = f"coalesce({text_of(number, column)}, {out.constant(null)})"
        too_long = out.constant(f'a value of column "{column.name}" is longer than its width of {width} characters')
        fields.append(
            f"CASE WHEN length({text}) > {width} THEN CAST(error({too_long}) AS VARCHAR) "
            f"ELSE rpad({text}, {width}, ' ') END"
        )
    out.expression = f"concat({', '.join(fields)}, {out.constant(chr(10))})"
    return out


# JSON


def _json(statement: Unload, columns: Sequence[Column], numbers: Sequence[int]) -> Line:
    """One object a line. Booleans are the texts t and f, and what is no number in JSON is a text too."""
    out = Line()
    check_distinct([columns[number] for number in numbers], "JSON")
    fields = []
    for position, number in enumerate(numbers):
        column = columns[number]
        label = ("," if position else "{") + json.dumps(column.name, ensure_ascii=False) + ":"
        fields.append(f"{out.constant(label)}, coalesce({_json_of(number, column)}, 'null')")
    out.expression = f"concat({', '.join(fields)}, {out.constant('}' + chr(10))})"
    return out


def check_distinct(columns: Sequence[Column], format_: str) -> None:
    names = [column.name for column in columns]
    for name in names:
        if names.count(name) > 1:
            raise errors.DuplicateColumn(
                f'column "{name}" stands in the query twice, which {format_} cannot hold',
                hint="Give one of the columns an alias.",
            )


def _json_of(number: int, column: Column) -> str:
    text = text_of(number, column)
    kind = column.type.name
    if kind == "varbyte":
        raise errors.NotSupportedError(f'column "{column.name}" of type varbyte cannot be unloaded to JSON')
    if column.type.is_integer or kind in ("numeric", "super"):
        return text
    if kind in ("float4", "float8"):
        return f"CASE WHEN isfinite(c{number}) THEN {text} ELSE CAST(to_json({text}) AS VARCHAR) END"
    return f"CAST(to_json({text}) AS VARCHAR)"


_Maker = Callable[[Unload, Sequence[Column], Sequence[int]], Line]
_FORMATS: dict[str, _Maker] = {"text": _delimited, "csv": _csv, "fixedwidth": _fixed_width, "json": _json}


def _bytes(header: str) -> bytes:
    return header.encode() + b"\n"
