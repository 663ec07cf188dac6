"""JSON files to Arrow: objects and arrays one behind another, their members to columns by name or by path."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import numpy as np

from restframe.compiled import interpretable
from restframe.storage.loading.columns import Conversion
from restframe.storage.loading.faults import MAX_LINE_BYTES, Kind
from restframe.storage.loading.fields import Column, Fields
from restframe.storage.loading.jsonpath import Path
from restframe.storage.loading.reader import Encoding, RecordReader
from restframe.storage.loading.records import NULL

# Equals no text, because it is not UTF-8: JSON has its own null.
NO_NULL_STRING = b"\xff"


@dataclass(frozen=True, slots=True)
class JsonLayout:
    """
    option : whether names must match the columns' exactly, in any case, or the whole object is one SUPER value
    paths : a path for each column, instead of names
    """

    option: Literal["auto", "auto ignorecase", "noshred"] = "auto"
    paths: tuple[Path, ...] = ()
    ignore_header: int = 0
    encoding: Encoding = "utf8"


class JsonReader(RecordReader):
    def __init__(self, layout: JsonLayout, columns: Sequence[Column], conversion: Conversion) -> None:
        super().__init__(columns, conversion, layout.ignore_header, layout.encoding)
        self._pick = _picker(layout, columns)
        self._texts = [_json_text if column.type.name == "super" else _plain_text for column in columns]

    def _cut(self, fields: Fields, begin: int, final: bool, line: int) -> tuple[int, int, int]:
        fields.in_place = False
        raw = np.frombuffer(fields.raw, np.uint8)
        found: tuple[int, int, int] = split_json(
            raw, begin, len(raw), final, line, fields.bounds, fields.kinds, fields.details
        )
        self._fill(fields, found[0])
        return found

    def _fill(self, fields: Fields, rows: int) -> None:
        """Make a block out of the members' texts, column behind column."""
        import pyarrow as pa

        found = [self._members(fields, row) for row in range(rows)]
        try:
            array = pa.array([row[number] for number in range(len(self._columns)) for row in found], pa.large_string())
        except UnicodeEncodeError:  # JSON can write halves of surrogate pairs, UTF-8 cannot
            found = [self._encodable(fields, row, members) for row, members in enumerate(found)]
            array = pa.array([row[number] for number in range(len(self._columns)) for row in found], pa.large_string())
        offsets = np.frombuffer(array.buffers()[1], np.int64, len(array) + 1)
        data = array.buffers()[2]
        shape = len(self._columns), rows
        fields.starts[:, :rows] = offsets[:-1].reshape(shape)
        fields.ends[:, :rows] = offsets[1:].reshape(shape)
        if array.null_count:
            nulls = array.is_null().to_numpy(zero_copy_only=False).reshape(shape)
            fields.starts[:, :rows][nulls] = NULL
        fields.take(b"" if data is None else bytes(data)[: int(offsets[-1])])

    def _members(self, fields: Fields, row: int) -> Sequence[str | None]:
        """The text for each column; nothing but NULL when the record is refused."""
        start, stop = int(fields.bounds[row, 0]), int(fields.bounds[row, 1])
        kind = Kind(int(fields.kinds[row]))
        try:
            if kind == Kind.NONE:
                found = json.loads(
                    fields.raw[start:stop], parse_float=_Number, parse_int=_Number, parse_constant=_refuse
                )
                return [
                    None if member is None else text(member)
                    for text, member in zip(self._texts, self._pick(found), strict=True)
                ]
        except _Misplaced as error:
            kind = error.kind
        except (ValueError, RecursionError):
            kind = Kind.JSON_SYNTAX
        fields.mark(-1, row, kind)
        return [None] * len(self._columns)

    def _encodable(self, fields: Fields, row: int, members: Sequence[str | None]) -> Sequence[str | None]:
        try:
            "".join(member or "" for member in members).encode()
        except UnicodeEncodeError:
            fields.mark(-1, row, Kind.JSON_SYNTAX)
            return [None] * len(self._columns)
        return members


_OPEN_BRACE, _CLOSE_BRACE, _OPEN_BRACKET, _CLOSE_BRACKET = 123, 125, 91, 93
_SYNTAX, _TOO_LONG, _MAX = int(Kind.JSON_SYNTAX), int(Kind.LINE_TOO_LONG), MAX_LINE_BYTES


@interpretable("loading")
def split_json(
    block: Any, begin: int, end: int, final: bool, line: int, bounds: Any, kinds: Any, details: Any
) -> tuple[int, int, int]:
    """Objects and arrays with white space between them; anything else, up to its line's end, is a refused record.

    The line of a record is the one on which it ends. Arrays as in `records`.
    """
    row, i = 0, begin
    done = begin
    while row < len(kinds):
        while i < end and (block[i] == 32 or 9 <= block[i] <= 13):
            if block[i] == 10:
                line += 1
            i += 1
        done = i
        if i == end:
            break
        at, breaks, depth, kind = i, 0, 0, 0
        if block[i] == _OPEN_BRACE or block[i] == _OPEN_BRACKET:
            text = False
            while i < end:
                c = block[i]
                if c == 10:
                    breaks += 1
                if text:
                    if c == 92:
                        i += 1
                    elif c == 34:
                        text = False
                elif c == 34:
                    text = True
                elif c in (_OPEN_BRACE, _OPEN_BRACKET):
                    depth += 1
                elif c in (_CLOSE_BRACE, _CLOSE_BRACKET):
                    depth -= 1
                    if depth == 0:
                        break
                i += 1
            i = min(i + 1, end)
        else:
            while i < end and block[i] != 10 and block[i] != _OPEN_BRACE and block[i] != _OPEN_BRACKET:
                i += 1
            kind = _SYNTAX
            depth = 0 if i < end else 1
        if depth != 0 and not final:
            break
        if depth != 0:
            kind = _SYNTAX
        elif i - at > _MAX:
            kind = _TOO_LONG
        line += breaks
        bounds[row, 0], bounds[row, 1], bounds[row, 2] = at, i, line
        kinds[row] = kind
        details[row, 0], details[row, 1] = -1, 0
        row += 1
        done = i
    return row, done, line


# From a value to the members for the columns


class _Misplaced(Exception):
    """A path leads to where the record has something else."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(kind)
        self.kind = kind


def _picker(layout: JsonLayout, columns: Sequence[Column]) -> Callable[[Any], Sequence[Any]]:
    if layout.paths:
        return lambda record: [_follow(record, path) for path in layout.paths]
    if layout.option == "noshred":
        return lambda record: [record]
    names = [column.name for column in columns]
    if layout.option == "auto":
        return lambda record: [_object(record).get(name) for name in names]

    def ignoring_case(record: Any) -> Sequence[Any]:
        members = {key.lower(): value for key, value in _object(record).items()}
        return [members.get(name) for name in names]

    return ignoring_case


def _object(record: Any) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise _Misplaced(Kind.JSON_OBJECT)
    return record


def _follow(record: Any, path: Path) -> Any:
    """A missing name is NULL, a missing element an error; so says the manual."""
    for step in path:
        if record is None:
            return None
        if isinstance(step, str):
            record = _object(record).get(step)
        elif isinstance(record, list) and step < len(record):
            record = record[step]
        else:
            raise _Misplaced(Kind.JSON_PATH)
    return record


# From a member to the text that a column's type reads


class _Number(str):
    """A number as it was written, so that no digit is lost."""

    __slots__ = ()


def _refuse(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _plain_text(member: Any) -> str:
    if isinstance(member, _Number):
        return _without_exponent(member)
    if not isinstance(member, str):
        return _json_text(member)
    if "\0" in member:
        raise ValueError("a text cannot hold NUL")
    return member


_EXPONENT = re.compile(r"[eE]([+-]?[0-9]{1,3})$")


def _without_exponent(number: str) -> str:
    """1.5e3 as 1500, which integers and decimals can read."""
    return f"{Decimal(number):f}" if _EXPONENT.search(number) else str(number)


def _json_text(member: Any) -> str:
    """The member as JSON, without white space."""
    if isinstance(member, _Number):
        return str(member)
    if isinstance(member, dict):
        return (
            "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{_json_text(v)}" for key, v in member.items()) + "}"
        )
    if isinstance(member, list):
        return "[" + ",".join(map(_json_text, member)) + "]"
    return json.dumps(member, ensure_ascii=False)
