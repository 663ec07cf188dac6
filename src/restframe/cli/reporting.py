"""Errors and notices as psql prints them."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path
from typing import TextIO

from restframe import errors
from restframe.cli.arguments import directory_option
from restframe.result import Notice

# Of a long line, this much is shown around the place of an error.
_EXCERPT = 72


def report(error: errors.Error, text: str = "", stream: TextIO | None = None) -> None:
    """Print an error; with the text it happened in, the line and a caret under the place."""
    stream = stream or sys.stderr
    print(f"ERROR:  {error.message}", file=stream)
    if text and error.position is not None and 1 <= error.position <= len(text) + 1:
        for line in _place(text, error.position):
            print(line, file=stream)
    if error.detail:
        print(f"DETAIL:  {error.detail}", file=stream)
    if error.hint:
        print(f"HINT:  {error.hint}", file=stream)
    print(f"SQLSTATE:  {error.sqlstate}", file=stream)


def name_server(error: errors.WarehouseLocked, directory: Path) -> None:
    """Say it in the hint when it is a server that has the directory open."""
    from restframe.server import record

    server = record.read(directory)
    if server is not None:
        where = directory_option(directory)
        error.hint = (
            f"restframe serve (process {server.pid}) has it open. Be its client, as restframe env{where} tells how, "
            f"or end it with restframe stop{where}."
        )


def say(notice: Notice, stream: TextIO | None = None) -> None:
    stream = stream or sys.stderr
    print(f"{notice.severity}:  {notice.message}", file=stream)
    if notice.hint:
        print(f"HINT:  {notice.hint}", file=stream)


def _place(text: str, position: int) -> tuple[str, str]:
    """`LINE 3: select nmae from t` and the caret below it; `position` counts from 1."""
    before = text[: position - 1]
    number = before.count("\n") + 1
    start = before.rfind("\n") + 1
    end = text.find("\n", start)
    line = text[start : end if end >= 0 else len(text)].replace("\t", " ").rstrip("\r")
    column = position - 1 - start
    cut = max(0, column - _EXCERPT // 2) if len(line) > _EXCERPT else 0
    shown = line[cut : cut + _EXCERPT]
    head = f"LINE {number}: " + ("..." if cut else "")
    tail = "..." if cut + _EXCERPT < len(line) else ""
    return head + clean(shown) + tail, " " * (len(head) + display_width(clean(shown[: column - cut]))) + "^"


def clean(text: str) -> str:
    """Text that a terminal shows and does not obey: control characters become escapes such as `\\x1b` and `\\n`."""
    if text.isprintable():
        return text
    return "".join(character if _harmless(character) else _escape(character) for character in text)


def _harmless(character: str) -> bool:
    # Zs: other blanks; Cf has the marks that reorder text, Cn and Co what no font shows
    return character.isprintable() or unicodedata.category(character) in ("Zs", "Co", "Cn")


def _escape(character: str) -> str:
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character) or (
        f"\\x{ord(character):02x}" if ord(character) < 256 else f"\\u{ord(character):04x}"
    )


def display_width(text: str) -> int:
    """Columns a terminal needs for a text."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
