"""Redshift's types: every spelling, default lengths, and what is refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe import errors
from restframe.types import SqlType, from_engine_type, parse_type, read_boolean, read_type


@pytest.mark.parametrize(
    ("spelling", "shown"),
    [
        ("INT", "integer"),
        ("int8", "bigint"),
        ("float", "double precision"),
        ("Double  Precision", "double precision"),
        ("decimal", "numeric(18,0)"),
        ("NUMERIC(8, 2)", "numeric(8,2)"),
        ("decimal(10)", "numeric(10,0)"),
        ("varchar", "character varying(256)"),
        ("varchar(max)", "character varying(65535)"),
        ("CHARACTER VARYING(10)", "character varying(10)"),
        ("text", "character varying(256)"),
        ("char", "character(1)"),
        ("bpchar", "character(256)"),
        ("nchar(3)", "character(3)"),
        ("timestamp", "timestamp without time zone"),
        ("timestamp with time zone", "timestamp with time zone"),
        ("timetz", "time with time zone"),
        ("super", "super"),
        ("varbyte(16)", "binary varying(16)"),
    ],
)
def test_a_spelling_means_a_type(spelling: str, shown: str) -> None:
    assert str(parse_type(spelling)) == shown
    assert parse_type(shown) == parse_type(spelling)


@pytest.mark.parametrize(
    ("spelling", "error", "message"),
    [
        ("strange", errors.UndefinedObject, 'type "strange" does not exist'),
        ("varchar(70000)", errors.InvalidParameterValue, "cannot exceed 65535"),
        ("varchar(0)", errors.InvalidParameterValue, "at least 1"),
        ("numeric(39,0)", errors.InvalidParameterValue, "between 1 and 38"),
        ("numeric(5,6)", errors.InvalidParameterValue, "between 0 and 5"),
        ("geometry", errors.NotSupportedError, "geometry is not supported"),
        ("int)", errors.SyntaxError, "not written as a type"),
    ],
)
def test_what_is_no_type_is_refused(spelling: str, error: type[errors.Error], message: str) -> None:
    with pytest.raises(error, match=message):
        parse_type(spelling)


@given(st.text(max_size=30))
def test_any_text_is_a_type_or_an_error_of_ours(text: str) -> None:
    with contextlib.suppress(errors.Error):
        parse_type(text)


@pytest.mark.parametrize(
    ("engine", "type_"),
    [
        ("DECIMAL(10,6)", SqlType("numeric", precision=10, scale=6)),
        ("HUGEINT", SqlType("numeric", precision=38, scale=0)),
        ("TIMESTAMP WITH TIME ZONE", SqlType("timestamptz")),
        ("JSON", SqlType("super")),
        ("INTEGER[]", SqlType("super")),
        ("VARCHAR", SqlType("varchar", length=65535)),
    ],
)
def test_what_the_engine_answers_has_a_redshift_type(engine: str, type_: SqlType) -> None:
    assert from_engine_type(engine) == type_


def test_types_of_the_system_are_read_as_they_are_printed() -> None:
    for text in ("oid", '"char"', "name[]", "integer[]", "int2vector", "oidvector"):
        assert str(read_type(text)) == text
    assert read_type("int2vector").element == SqlType("int2")


@pytest.mark.parametrize(
    ("text", "said"),
    [("true", True), (" T ", True), ("ye", True), ("1", True), ("of", False), ("N", False), ("0", False)],
)
def test_what_texts_say_as_booleans(text: str, said: bool) -> None:
    assert read_boolean(text) is said


@pytest.mark.parametrize("text", ["", " ", "o", "yess", "2", "truth"])
def test_what_is_no_boolean(text: str) -> None:
    assert read_boolean(text) is None
