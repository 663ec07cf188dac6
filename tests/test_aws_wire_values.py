"""Times, numbers, blobs and texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe.aws.wire import values
from restframe.aws.wire.values import Unreadable

MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


@given(MOMENTS, st.sampled_from(["iso8601", "unixTimestamp"]))
def test_a_time_comes_back_to_the_millisecond(moment: datetime, form: str) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert values.time(values.time_text(moment, form), form) == moment


@given(MOMENTS)
def test_a_time_in_a_header_comes_back_to_the_second(moment: datetime) -> None:
    assert values.time(values.time_text(moment, "rfc822"), "rfc822") == moment.replace(microsecond=0)


@given(MOMENTS)
def test_a_time_in_json_comes_back_to_the_millisecond(moment: datetime) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert values.time_of_seconds(values.seconds_of_time(moment)) == moment


def test_times_are_written_as_the_protocols_want_them() -> None:
    moment = datetime(2024, 2, 29, 13, 5, 9, 123456, tzinfo=timezone(timedelta(hours=1)))
    assert values.time_text(moment, "iso8601") == "2024-02-29T12:05:09.123Z"
    assert values.time_text(moment, "rfc822") == "Thu, 29 Feb 2024 12:05:09 GMT"
    assert values.time_text(moment, "unixTimestamp") == "1709208309.123"
    assert values.time_text(1709208309.5, "iso8601") == "2024-02-29T12:05:09.500Z"
    assert values.time_text(datetime(2024, 2, 29), "iso8601") == "2024-02-29T00:00:00.000Z"


@pytest.mark.parametrize(
    ("text", "form", "moment"),
    [
        ("2024-02-29T13:05:09Z", "iso8601", datetime(2024, 2, 29, 13, 5, 9, tzinfo=UTC)),
        ("2024-02-29T13:05:09.5+01:00", "iso8601", datetime(2024, 2, 29, 12, 5, 9, 500_000, tzinfo=UTC)),
        ("2024-02-29T13:05:09.123456789Z", "iso8601", datetime(2024, 2, 29, 13, 5, 9, 123_456, tzinfo=UTC)),
        ("2024-02-29T13:05:09", "iso8601", datetime(2024, 2, 29, 13, 5, 9, tzinfo=UTC)),
        ("2024-02-29T13:05", "iso8601", datetime(2024, 2, 29, 13, 5, tzinfo=UTC)),
        ("2024-02-29", "iso8601", datetime(2024, 2, 29, tzinfo=UTC)),
        ("Thu, 29 Feb 2024 13:05:09 GMT", "rfc822", datetime(2024, 2, 29, 13, 5, 9, tzinfo=UTC)),
        ("Thu, 29 Feb 2024 13:05:09 +0100", "rfc822", datetime(2024, 2, 29, 12, 5, 9, tzinfo=UTC)),
        ("1709211909.25", "unixTimestamp", datetime(2024, 2, 29, 13, 5, 9, 250_000, tzinfo=UTC)),
    ],
)
def test_times_that_are_read(text: str, form: str, moment: datetime) -> None:
    assert values.time(text, form) == moment


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("", "iso8601"),
        ("yesterday", "iso8601"),
        ("2023-02-29T00:00:00Z", "iso8601"),
        ("0000-01-01T00:00:00Z", "iso8601"),
        ("0001-01-01T00:00:00+14:00", "iso8601"),
        ("2024-02-29T13:05:09Z; rm", "iso8601"),
        ("", "rfc822"),
        ("Thu, 99 Feb 2024 13:05:09 GMT", "rfc822"),
        ("1e300", "unixTimestamp"),
        ("NaN", "unixTimestamp"),
    ],
)
def test_times_that_are_none(text: str, form: str) -> None:
    with pytest.raises(Unreadable):
        values.time(text, form)


def test_whole_numbers_fit_their_type() -> None:
    assert values.whole_number("-2147483648", "integer") == -2147483648
    assert values.whole_number("9223372036854775807", "long") == 9223372036854775807
    for text, kind in [("2147483648", "integer"), ("9223372036854775808", "long"), ("9" * 5000, "long")]:
        with pytest.raises(Unreadable):
            values.whole_number(text, kind)
    for text in ["", "1.0", "0x1", "１", "1_000", " 1", "--1"]:
        with pytest.raises(Unreadable, match="is not a whole number"):
            values.whole_number(text, "integer")


@given(st.floats(allow_nan=False))
def test_a_number_comes_back(number: float) -> None:
    assert values.number(values.number_text(number)) == number


def test_numbers_that_are_none() -> None:
    for text in ["", "inf", "nan", "1e999", "1_0", "0x1p3", "1,5", "1" * 500]:
        with pytest.raises(Unreadable):
            values.number(text)


@given(st.binary())
def test_a_blob_comes_back(data: bytes) -> None:
    assert values.blob(values.blob_text(data)) == data


def test_a_blob_is_base64() -> None:
    for text in ["a", "a===", "ä", "YQ==!", "Y Q=="]:
        with pytest.raises(Unreadable, match="not valid base64"):
            values.blob(text)


def test_a_boolean_is_true_or_false() -> None:
    assert values.boolean("True") is True
    assert values.boolean("false") is False
    for text in ["", "1", "yes"]:
        with pytest.raises(Unreadable):
            values.boolean(text)


def test_an_error_repeats_little_of_what_came() -> None:
    assert values.shown("a" * 100) == "a" * 100
    assert values.shown("a" * 101) == "a" * 100 + "..."
    assert values.shown("a\x1b[31m\x00") == "a\ufffd[31m\ufffd"


def test_a_place_is_told_from_the_outside_in() -> None:
    error = Unreadable("the blob is not valid base64").inside("Value").inside("1").inside("Parameters")
    assert error.message == "the blob is not valid base64 at 'Parameters.1.Value'"


def test_of_many_problems_the_first_are_told() -> None:
    assert values.detected(["a"]) == "1 validation error detected: a"
    assert values.detected(["a", "b"]) == "2 validation errors detected: a; b"
    assert values.detected(["a"] * 5000) == f"5000 validation errors detected: {'a; ' * 10}..."
