"""Errors as psql prints them."""

from __future__ import annotations

import io

from restframe import errors
from restframe.cli.reporting import display_width, report


def _report(error: errors.Error, text: str = "") -> list[str]:
    stream = io.StringIO()
    report(error, text, stream)
    return stream.getvalue().splitlines()


def test_the_caret_stands_under_the_place() -> None:
    text = "select 1;\nselect nmae from trips"
    error = errors.UndefinedColumn('column "nmae" does not exist', position=18, hint="Is it a typing error?")
    assert _report(error, text) == [
        'ERROR:  column "nmae" does not exist',
        "LINE 2: select nmae from trips",
        "               ^",
        "HINT:  Is it a typing error?",
        "SQLSTATE:  42703",
    ]


def test_of_a_long_line_the_part_around_the_place_is_shown() -> None:
    text = "select " + "x, " * 100 + "oops from t"
    lines = _report(errors.SyntaxError("no", position=text.index("oops") + 1), text)
    assert lines[1].startswith("LINE 1: ...")
    assert lines[1][lines[2].index("^") :].startswith("oops")
    assert len(lines[1]) < 100


def test_the_caret_allows_for_wide_and_control_characters() -> None:
    text = "select '東京\x1b', oops"
    lines = _report(errors.SyntaxError("no", position=text.index("oops") + 1), text)
    assert "\x1b" not in lines[1]
    before = lines[1][: lines[1].index("oops")]
    assert len(lines[2]) - 1 == display_width(before)


def test_the_end_of_the_text_is_a_place_too() -> None:
    lines = _report(errors.SyntaxError("syntax error at end of input", position=9), "select (")
    assert lines[1:3] == ["LINE 1: select (", "                ^"]


def test_without_a_place_there_is_no_line() -> None:
    assert _report(errors.DiskFull("no room", detail="the disk is full"), "select 1") == [
        "ERROR:  no room",
        "DETAIL:  the disk is full",
        "SQLSTATE:  53100",
    ]
