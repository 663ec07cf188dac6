"""Date and time functions against the manual's examples."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from restframe import errors

TS = "timestamp '2024-01-31 22:11:10.345678'"


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("dateadd(month, 18, '2008-02-28')", at("2009-08-28")),
        ("dateadd(month, 1, '2008-04-30')", at("2008-05-30")),
        ("dateadd(m, 30, '2008-02-28')", at("2008-02-28 00:30")),
        ("dateadd(month, 12, '2016-02-29')", at("2017-02-28")),
        ("dateadd(year, 1, '2016-02-29')", at("2017-03-01")),
        ("dateadd(year, 4, '2016-02-29')", at("2020-02-29")),
        ("dateadd('qtr', -1, date '2024-05-31')", at("2024-02-29")),
        ("dateadd(hour, 12, time '13:24:55')", dt.time(1, 24, 55)),
        ("dateadd(week, 2, '2024-01-01')", at("2024-01-15")),
        ("dateadd(ms, 1500, '2024-01-01')", at("2024-01-01 00:00:01.5")),
        ("add_months('2008-03-31', 1)", at("2008-04-30")),
        ("add_months('2008-04-30', 1)", at("2008-05-31")),
        ("add_months('2024-02-29', 1)", at("2024-03-31")),
        ("add_months(timestamp '2024-01-31 10:30', 1)", at("2024-02-29 10:30")),
        ("add_months('2024-01-15', -2)", at("2023-11-15")),
        ("last_day('2024-02-10')", dt.date(2024, 2, 29)),
        ("next_day('2014-08-20', 'Tuesday')", dt.date(2014, 8, 26)),
        ("next_day('2014-08-20', 'We')", dt.date(2014, 8, 27)),
        ("months_between('1969-01-18', '1969-03-18')", -2.0),
        ("months_between('2014-08-31', '2014-09-30')", -1.0),
        ("months_between('2024-01-10', '2024-01-05')", pytest.approx(5 / 31)),
        ("date '2023-03-31' - interval '4 months'", at("2022-11-30")),
        ("date '2008-12-31' + interval '3 hours, 35 minutes'", at("2008-12-31 03:35")),
        ("date '2008-12-31' + interval '1w, 1h, 1m, 1s'", at("2009-01-07 01:01:01")),
        ("date '2008-12-31' + interval '0.5 days'", at("2008-12-31 12:00")),
        ("date '2008-12-31' + interval '52'", at("2008-12-31 00:00:52")),
        ("date '2008-12-31' + interval '1-2' year to month", at("2010-02-28")),
        ("timestamp 'epoch' + 1199217600 * interval '1 second'", at("2008-01-01 20:00")),
        ("interval '1 hour' / 4 + date '2024-01-01'", at("2024-01-01 00:15")),
        ("date '2024-01-31' + 1", dt.date(2024, 2, 1)),
        ("date '2024-01-31' - 31::bigint", dt.date(2023, 12, 31)),
        ("date '2024-01-31' - date '2024-01-01'", 30),
        ("timestamp '2024-01-31 10:00' + 1", at("2024-02-01 10:00")),
        ("timestamp '2024-01-31 12:00' - 0.5", at("2024-01-31 00:00")),
        ("timestamp '2024-01-02' - date '2024-01-01'", dt.timedelta(days=1)),
        ("time '15:24' - time '15:00'", dt.timedelta(minutes=24)),
        ("trunc(timestamp '2011-07-21 10:32:38')", dt.date(2011, 7, 21)),
        ("date(timestamp '2011-07-21 10:32:38')", dt.date(2011, 7, 21)),
        ("convert_timezone('America/New_York', '2024-01-01 12:00')", at("2024-01-01 07:00")),
        ("convert_timezone('EST', 'UTC', timestamp '2024-01-01 12:00')", at("2024-01-01 17:00")),
        ("(timestamp '2024-01-01 12:00' at time zone 'UTC') at time zone 'Asia/Tokyo'", at("2024-01-01 21:00")),
        ("to_char(timezone('Asia/Tokyo', timestamp '2024-01-01 12:00'), 'HH24')", "03"),
        ("date_cmp('2008-01-01', '2008-01-04')", -1),
        ("timestamp_cmp('2008-01-24 06:43:29', '2008-01-24 06:43:29')", 0),
        ("interval_cmp('3 days', '1 year')", -1),
    ],
)  # fmt: skip
def test_moving_through_time(redshift: Any, expression: str, expected: object) -> None:
    assert redshift.value(expression) == expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("datediff(week, '2009-01-01', '2009-12-31')", 52),
        ("datediff(week, '2024-01-06', '2024-01-08')", 1),
        ("datediff(hour, '2023-01-01', '2023-01-03 05:04:03')", 53),
        ("datediff(hour, '2009-01-01 08:30', '2009-01-01 10:00')", 2),
        ("datediff(year, '2008-12-31', '2009-01-01')", 1),
        ("datediff(qtr, '1998-07-01', '2008-06-05')", 39),
        ("datediff(day, date '2009-01-01', timestamp '2009-03-23 12:00')", 81),
        ("datediff(minute, time '20:00:00', time '21:00:00')", 60),
        ("datediff(century, '2000-12-31', '2001-01-01')", 1),
        ("datediff(day, '2024-01-02', '2024-01-01')", -1),
    ],
)  # fmt: skip
def test_datediff_counts_boundaries(redshift: Any, call: str, expected: int) -> None:
    assert redshift.value(call) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("extract(ms from timestamp '2009-09-09 12:08:43.101')", 101),
        ("extract(ms from time '18:25:33.123456')", 123),
        ("extract(us from time '18:25:33.123456')", 456),
        ("extract(sec from timestamp '2009-09-21 11:10:03.189717')", 3),
        ("date_part(sec, timestamp '2009-09-21 11:10:03.189717')", 3.189717),
        ("date_part(microsecond, timestamp '20220502 04:05:06.789')", 789000),
        ("extract(century from timestamp '2000-12-16 12:21:13')", 20),
        ("extract(century from timestamp '2001-12-16 12:21:13')", 21),
        ("extract(decade from timestamp '1999-02-16 20:38:40')", 200),
        ("extract(decade from timestamp '2010-02-16 20:38:40')", 202),
        ("extract(mil from timestamp '2000-12-16 12:21:13')", 2),
        ("date_part(minute, timestamp '20230104 04:05:06.789')", 5),
        ("date_part(week, timestamp '20220502 04:05:06.789')", 18),
        ("date_part(dayofweek, timestamp '20220502')", 1),
        ("date_part(dow, date '2024-01-07')", 0),
        ("date_part('w', date '2024-01-01')", 1),
        ("datepart(doy, date '2024-03-01')", 61),
        ("extract(epoch from timestamp '2024-01-01 00:00:00.9')", 1704067200),
        ("extract('quarter' from date '2024-05-01')", 2),
        ("date_part_year(date '2024-05-01')", 2024),
    ],
)  # fmt: skip
def test_parts(redshift: Any, expression: str, expected: float) -> None:
    assert redshift.value(expression) == expected


def test_extract_is_whole_and_date_part_is_double(redshift: Any) -> None:
    translation = redshift.translate("select extract(year from current_date), date_part(year, current_date)")
    assert [type_.name for type_ in translation.types] == ["int4", "float8"]
    assert redshift.value("extract(month from date '2024-05-01') / 2") == 2
    assert redshift.value("date_part(month, date '2024-05-01') / 2") == 2.5


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("second", "2024-01-31 22:11:10"),
        ("minute", "2024-01-31 22:11:00"),
        ("hour", "2024-01-31 22:00:00"),
        ("day", "2024-01-31 00:00:00"),
        ("week", "2024-01-29 00:00:00"),
        ("mon", "2024-01-01 00:00:00"),
        ("quarter", "2024-01-01 00:00:00"),
        ("decade", "2020-01-01 00:00:00"),
        ("millennium", "2001-01-01 00:00:00"),
    ],
)
def test_date_trunc(redshift: Any, part: str, expected: str) -> None:
    assert redshift.value(f"date_trunc('{part}', {TS})") == at(expected)


def test_date_trunc_of_a_date_is_a_timestamp(redshift: Any) -> None:
    assert redshift.value("date_trunc('month', date '2024-05-17')") == at("2024-05-01")


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ("date '2024-02-29'", dt.date(2024, 2, 29)),
        ("date '20220502'", dt.date(2022, 5, 2)),
        ("date '12-31-2008'", dt.date(2008, 12, 31)),
        ("date '1/8/1999'", dt.date(1999, 1, 8)),
        ("date 'January 8, 1999'", dt.date(1999, 1, 8)),
        ("date '08-Jan-1999'", dt.date(1999, 1, 8)),
        ("'2008-02-18 02:36:48'::date", dt.date(2008, 2, 18)),
        ("timestamp '20200430 04:05:06.789'", at("2020-04-30 04:05:06.789")),
        ("timestamp '04/30/2020 04:05 PM'", at("2020-04-30 16:05")),
        ("timestamp '2020-04-30T04:05:06Z'", at("2020-04-30 04:05:06")),
        ("timestamp 'epoch'", at("1970-01-01")),
    ],
)
def test_literals_in_many_forms(redshift: Any, literal: str, expected: object) -> None:
    assert redshift.value(literal) == expected


def test_columns_of_text_are_read_as_dates_in_the_same_forms(redshift: Any) -> None:
    redshift.table("t", "s varchar(30)", "'20220502'", "'2022-05-03'", "'5/4/2022'", "null")
    assert redshift.rows("select s::date from t order by 1") == [
        (dt.date(2022, 5, 2),), (dt.date(2022, 5, 3),), (dt.date(2022, 5, 4),), (None,),
    ]  # fmt: skip


def test_now(redshift: Any) -> None:
    row = redshift.row(
        "select getdate() <= sysdate, datediff(day, getdate(), current_date), dateadd(day, 1, 'today') > sysdate, "
        "'now'::timestamp = sysdate, extract(us from getdate()), 'tomorrow'::date - 'yesterday'::date"
    )
    assert row == (True, 0, True, True, 0, 2)
    assert [type_.name for type_ in redshift.translate("select getdate(), sysdate, current_timestamp").types] == [
        "timestamp", "timestamp", "timestamptz",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "condition"),
    [
        ("dateadd(fortnight, 1, current_date)", errors.InvalidParameterValue),
        ("dateadd(dow, 1, current_date)", errors.InvalidParameterValue),
        ("date_part('moon', current_date)", errors.InvalidParameterValue),
        ("extract(moon from current_date)", errors.InvalidParameterValue),
        ("next_day(current_date, 'Xday')", errors.InvalidParameterValue),
        ("interval '3 moons'", errors.InvalidParameterValue),
        ("interval 'soon'", errors.InvalidDatetime),
        ("date '2024-01-01' * 2", errors.UndefinedFunction),
        ("date_trunc('month', 5)", errors.UndefinedFunction),
        ("1::date", errors.CannotCoerce),
        ("current_date::int", errors.CannotCoerce),
    ],
)
def test_what_is_refused(redshift: Any, expression: str, condition: type[errors.Error]) -> None:
    with pytest.raises(condition) as caught:
        redshift.value(expression)
    assert caught.value.position is not None
