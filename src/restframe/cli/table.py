"""Rows as a table to read, written while they stream: a result of any length needs the memory of one batch."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from restframe.cli.reporting import clean, display_width
from restframe.cli.text import texts
from restframe.result import Result

# So many rows decide how wide the columns are; a wider value further down pushes its own line only.
_LOOK_AHEAD = 1000

Write = Callable[[str], object]
Cells = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Style:
    """expanded : a line per value instead of a line per row. colour : a terminal's dim and bold are used."""

    expanded: bool = False
    colour: bool = False
    null: str = "NULL"
    limit: int | None = None

    def dim(self, text: str) -> str:
        return f"\x1b[2m{text}\x1b[0m" if self.colour else text

    def bold(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self.colour else text


def write_table(result: Result, write: Write, style: Style) -> None:
    """Write a result's rows, and how many they are; the result is closed when the limit is reached."""
    rows = _rows(result, style)
    shown = itertools.islice(rows, style.limit) if style.limit is not None else rows
    count = (
        _write_expanded(result, shown, write, style) if style.expanded else _write_aligned(result, shown, write, style)
    )
    more = style.limit is not None and next(rows, None) is not None
    result.close()
    plural = "" if count == 1 else "s"
    write(f"(the first {count:,} row{plural}; there are more)\n" if more else f"({count:,} row{plural})\n")


def _rows(result: Result, style: Style) -> Iterator[Cells]:
    types = [column.type for column in result.columns]
    for batch in result.batches():
        for start in range(0, batch.num_rows, _LOOK_AHEAD):
            part = batch.slice(start, _LOOK_AHEAD)
            columns = [texts(column, type_) for column, type_ in zip(part.columns, types, strict=True)]
            yield from zip(*columns, strict=True)


def _write_aligned(result: Result, rows: Iterator[Cells], write: Write, style: Style) -> int:
    names = [clean(column.name) for column in result.columns]
    to_the_right = [column.type.is_number for column in result.columns]
    first = list(itertools.islice(rows, _LOOK_AHEAD))
    widths = [
        max(display_width(name), *(display_width(_shown(row[i], style)) for row in first), 0)
        for i, name in enumerate(names)
    ]
    write(_trimmed(style.dim(" │ ").join(style.bold(_centred(n, w)) for n, w in zip(names, widths, strict=True))))
    write(style.dim("─" + "─┼─".join("─" * width for width in widths) + "─") + "\n")
    count = 0
    for row in itertools.chain(first, rows):
        cells = [
            _padded(value, width, right, style) for value, width, right in zip(row, widths, to_the_right, strict=True)
        ]
        write(_trimmed(style.dim(" │ ").join(cells)))
        count += 1
    return count


def _write_expanded(result: Result, rows: Iterator[Cells], write: Write, style: Style) -> int:
    names = [clean(column.name) for column in result.columns]
    width = max(map(display_width, names))
    count = 0
    for row in rows:
        count += 1
        write(style.dim(f"─[ {count:,} ]{'─' * 40}") + "\n")
        for name, value in zip(names, row, strict=True):
            shown = style.dim(style.null) if value is None else clean(value)
            write(f"{style.bold(name + ' ' * (width - display_width(name)))}{style.dim(' │ ')}{shown}\n")
    return count


def _shown(value: str | None, style: Style) -> str:
    return style.null if value is None else clean(value)


def _padded(value: str | None, width: int, right: bool, style: Style) -> str:
    shown = _shown(value, style)
    fill = " " * (width - display_width(shown))
    if value is None:
        shown = style.dim(shown)
    return fill + shown if right else shown + fill


def _centred(name: str, width: int) -> str:
    fill = width - display_width(name)
    return " " * (fill // 2) + name + " " * (fill - fill // 2)


def _trimmed(line: str) -> str:
    return " " + line.rstrip() + "\n"
