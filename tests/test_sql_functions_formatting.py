"""TO_CHAR, TO_DATE and TO_NUMBER against the manual, PostgreSQL's table of examples, and formatters written here."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe import errors

many = settings(max_examples=150, deadline=None)


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        ("timestamp '2024-01-31 22:11:10.345'", "YYYY-MM-DD HH24:MI:SS.MS", "2024-01-31 22:11:10.345"),
        ("timestamp '2024-01-31 22:11:10.345678'", "HH24:MI:SS:US", "22:11:10:345678"),
        ("timestamp '2024-01-31 22:11:10'", "Mon DD, YYYY", "Jan 31, 2024"),
        ("timestamp '2024-01-31 22:11:10'", "HH12:MI AM", "10:11 PM"),
        ("timestamp '2024-01-31 22:11:10'", "hh:mi p.m.", "10:11 p.m."),
        ("timestamp '2009-12-31 23:15:59'", "MONTH-DY-DD-YYYY HH12:MIPM", "DECEMBER -THU-31-2009 11:15PM"),
        ("timestamp '2009-12-31 23:15:59'", "DDD", "365"),
        ("timestamp '2022-05-16 23:15:59'", "ID", "1"),
        ("date '2009-12-31'", "MONTH", "DECEMBER "),
        ("date '2009-05-31'", "FMMonth|month|Month|", "May|may      |May      |"),
        ("date '2024-01-31'", "Day", "Wednesday"),
        ("date '2024-02-02'", "Day|FMDay|dy", "Friday   |Friday|fri"),
        ("date '2024-01-31'", "Q-IW", "1-05"),
        ("date '2024-01-07'", "D", "1"),
        ("timestamp '2008-02-18 02:36:48'", "cc", "21"),
        ("timestamp '2008-01-25 14:30'", "HH12:MI:SS TZ", "02:30:00 UTC"),
        ("date '2024-03-05'", "FMMM/FMDD/YY", "3/5/24"),
        ("date '2024-03-05'", "Y,YYY YYY Y", "2,024 024 4"),
        ("date '2021-01-03'", "IYYY-IW-ID", "2020-53-7"),
        ("date '2024-01-15'", "WW W", "03 3"),
        ("date '2024-08-01'", "RM|rm|FMRM", "VIII|viii|VIII"),
        ("date '2000-01-01'", "J", "2451545"),
        ("timestamp '2024-01-01 01:01:01'", "SSSS", "3661"),
        ("date '2024-01-01'", "DDth Mon, FMDDth", "01st Mon, 1st".replace("Mon", "Jan")),
        ("date '2024-01-12'", "DDTH", "12TH"),
        ("date '2024-01-12'", 'YYYY"year"MM"%"', "2024year01%"),
        ("date '2024-01-12'", "YYYY AD", "2024 AD"),
        ("time '13:05:00'", "HH12:MI am", "01:05 pm"),
        ("date '2024-01-12'", "YYYY-MM", "2024-01"),
        ("date '2024-01-12'", "", ""),
        ("date '2024-01-12'", "100% é", "100% é"),
    ],
)
def test_dates_to_text(redshift: Any, value: str, form: str, expected: str) -> None:
    assert redshift.value(f"to_char({value}, '{form}')") == expected


MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
FORMATTERS: dict[str, Any] = {
    "YYYY": lambda t: f"{t.year:04}",
    "YY": lambda t: f"{t.year % 100:02}",
    "MM": lambda t: f"{t.month:02}",
    "DD": lambda t: f"{t.day:02}",
    "DDD": lambda t: f"{t.timetuple().tm_yday:03}",
    "HH24": lambda t: f"{t.hour:02}",
    "HH12": lambda t: f"{(t.hour - 1) % 12 + 1:02}",
    "MI": lambda t: f"{t.minute:02}",
    "SS": lambda t: f"{t.second:02}",
    "MS": lambda t: f"{t.microsecond // 1000:03}",
    "US": lambda t: f"{t.microsecond:06}",
    "Q": lambda t: str((t.month + 2) // 3),
    "D": lambda t: str(t.isoweekday() % 7 + 1),
    "ID": lambda t: str(t.isoweekday()),
    "CC": lambda t: f"{(t.year + 99) // 100:02}",
    "IW": lambda t: f"{t.isocalendar().week:02}",
    "Mon": lambda t: MONTHS[t.month - 1][:3],
    "MON": lambda t: MONTHS[t.month - 1][:3].upper(),
    "Month": lambda t: f"{MONTHS[t.month - 1]:9}",
    "DAY": lambda t: f"{DAYS[t.weekday()].upper():9}",
    "Dy": lambda t: DAYS[t.weekday()][:3],
    "AM": lambda t: "AM" if t.hour < 12 else "PM",
    "pm": lambda t: "am" if t.hour < 12 else "pm",
    "J": lambda t: str(t.toordinal() + 1721425),
}


@given(
    st.datetimes(dt.datetime(1000, 1, 1), dt.datetime(2999, 12, 31)),
    st.lists(
        st.sampled_from(
            [
                "YYYY",
                "YY",
                "MM",
                "DD",
                "DDD",
                "HH24",
                "HH12",
                "MI",
                "SS",
                "MS",
                "US",
                "Q",
                "D",
                "ID",
                "CC",
                "IW",
                "Mon",
                "MON",
                "Month",
                "DAY",
                "Dy",
                "AM",
                "pm",
                "J",
            ]
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([" ", "-", "/", ":", ", "]),
)
@many
def test_dates_to_text_as_another_formatter_does_it(
    redshift: Any, moment: dt.datetime, patterns: list[str], separator: str
) -> None:
    form = separator.join(patterns)
    expected = separator.join(FORMATTERS[pattern](moment) for pattern in patterns)
    assert redshift.row(f"select to_char($1::timestamp, '{form}')", [moment]) == (expected,)


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        ("485", "999", " 485"),
        ("-485", "999", "-485"),
        ("148.5", "999.999", " 148.500"),
        ("148.5", "FM999.999", "148.5"),
        ("148.5", "FM999.990", "148.500"),
        ("1485", "9,999", " 1,485"),
        ("485", "9,999", "   485"),
        ("-485", "9,999", "  -485"),
        ("3148.5", "9G999D999", " 3,148.500"),
        ("0.1", "99.99", "   .10"),
        ("-0.1", "99.99", "  -.10"),
        ("-0.1", "FM9.99", "-.1"),
        ("0.1", "0.9", " 0.1"),
        ("12", "9990999.9", "    0012.0"),
        ("12", "FM9990999.9", "0012."),
        ("485", "9 9 9", " 4 8 5"),
        ("485", "999MI", "485 "),
        ("-485", "999MI", "485-"),
        ("-485", "FM999MI", "485-"),
        ("485", "SG999", "+485"),
        ("-485", "999PR", "<485>"),
        ("485", "999PR", " 485 "),
        ("-12", "S9999", "  -12"),
        ("485", "999S", "485+"),
        ("485", "\"Good number:\"999", "Good number: 485"),
        ("485.8", "\"Pre:\"999\" Post:\".999", "Pre: 485 Post:.800"),
        ("0", "999", "   0"),
        ("0", "FM999", "0"),
        ("0", "9.99", "  .00"),
        ("5678", "999", " ###"),
        ("7", "FM000", "007"),
        ("1234.5", "9,999.99", " 1,234.50"),
        ("-125.8", "999D99S", "125.80-"),
        ("-125.88", "$S999D99", "$-125.88"),
        ("-125.88", "$999D99PR", "$<125.88>"),
        ("618.80", "l99999D99", "$   618.80"),
        ("125", "RN", "           CXXV"),
        ("125", "FMRN", "CXXV"),
        ("618.80::decimal(8,2)", "rn", "          dcxix"),
        ("1.5e0", "9.9", " 1.5"),
        ("2.675", "9.99", " 2.68"),
    ],
)  # fmt: skip
def test_numbers_to_text(redshift: Any, value: str, form: str, expected: str) -> None:
    assert redshift.value(f"to_char({value}, '{form}')") == expected


@given(
    st.decimals(-(10**9), 10**9, places=4),
    st.integers(1, 11),
    st.integers(0, 4),
    st.integers(0, 11),
    st.booleans(),
)
@many
def test_numbers_to_text_as_another_formatter_does_it(
    redshift: Any, value: Decimal, width: int, places: int, zeros: int, grouped: bool
) -> None:
    signs = ["0" if width - place <= zeros else "9" for place in range(width)]
    form = "".join(
        sign + ("," if grouped and (width - place - 1) % 3 == 0 and place < width - 1 else "")
        for place, sign in enumerate(signs)
    )
    form += "." + "9" * places if places else ""
    assert redshift.value(f"to_char({value:f}::decimal(18,4), '{form}')") == formatted(value, form)


def formatted(value: Decimal, form: str) -> str:
    """PostgreSQL's to_char(numeric), digit by digit."""
    whole, _, fraction = form.partition(".")
    rounded = abs(value).quantize(Decimal(1).scaleb(-len(fraction)), ROUND_HALF_UP)
    digits, _, decimals = f"{rounded:f}".partition(".")
    width = sum(sign != "," for sign in whole)
    sign = "-" if value < 0 else " "
    if len(digits.lstrip("0")) > width:
        return (
            sign
            + "".join("," if one == "," else "#" for one in whole)
            + ("." + "#" * len(fraction) if fraction else "")
        )
    padded = iter(digits.lstrip("0").rjust(width, "0") if digits != "0" else "0" * width)
    shown, started = "", False
    for place, one in enumerate(whole):
        if one == ",":
            shown += "," if started else " "
            continue
        digit = next(padded)
        last = place == len(whole) - 1 and not fraction
        started = started or digit != "0" or one == "0" or last
        shown += digit if started else " "
    bare = shown.lstrip(" ")
    return (sign + bare).rjust(len(whole) + 1) + ("." + decimals if fraction else "")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("to_date('02 Oct 2001', 'DD Mon YYYY')", dt.date(2001, 10, 2)),
        ("to_date('31 jan 2024', 'DD Mon YYYY')", dt.date(2024, 1, 31)),
        ("to_date('20010631', 'YYYYMMDD')", dt.date(2001, 7, 1)),
        ("to_date('20010631', 'YYYYMMDD', false)", dt.date(2001, 7, 1)),
        ("to_date('2024-03-05 and more', 'YYYY-MM-DD')", dt.date(2024, 3, 5)),
        ("to_date('March 5, 2024', 'Month DD, YYYY')", dt.date(2024, 3, 5)),
        ("to_date('05/03/69', 'DD/MM/YY')", dt.date(2069, 3, 5)),
        ("to_date('05/03/70', 'DD/MM/YY')", dt.date(1970, 3, 5)),
        ("to_date('2024060', 'YYYYDDD')", dt.date(2024, 2, 29)),
        ("to_timestamp('2017', 'YYYY')::timestamp", dt.datetime(2017, 1, 1)),
        ("to_timestamp('2011-12-18 24:38:15', 'YYYY-MM-DD HH24:MI:SS')::timestamp",
         dt.datetime(2011, 12, 19, 0, 38, 15)),
        ("to_timestamp('2011-12-18 11:38:15.5 PM', 'YYYY-MM-DD HH12:MI:SS.MS AM')::timestamp",
         dt.datetime(2011, 12, 18, 23, 38, 15, 500000)),
        ("to_timestamp(null, 'YYYY')", None),
        ("to_number('12,454.8-', '99G999D9S')", Decimal("-12454.8")),
        ("to_number('$ 12,454.88', 'L 99G999D99')", Decimal("12454.88")),
        ("to_number('12.345', '99D999')", Decimal("12.345")),
        ("to_number('<12>', '99PR')", Decimal(-12)),
    ],
)  # fmt: skip
def test_text_to_dates_and_numbers(redshift: Any, expression: str, expected: object) -> None:
    assert redshift.value(expression) == expected


def test_reading_a_column(redshift: Any) -> None:
    redshift.table("t", "s varchar(20)", "'31/01/2024'", "'31/02/2024'", "null")
    assert redshift.rows("select to_date(s, 'DD/MM/YYYY') from t order by 1") == [
        (dt.date(2024, 1, 31),), (dt.date(2024, 3, 2),), (None,),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "expression",
    ["to_date('20010631', 'YYYYMMDD', true)", "to_date('hello', 'YYYY-MM-DD')", "to_number('abc', '999')"],
)
def test_what_cannot_be_read_is_an_error_of_the_engine(redshift: Any, expression: str) -> None:
    with pytest.raises(Exception, match=r"(?i)could not|out of range"):
        redshift.value(expression)


@pytest.mark.parametrize(
    ("expression", "condition"),
    [
        ("to_char(current_date, 'YY' || 'YY')", errors.NotSupportedError),
        ("to_date('x', 'IYYY')", errors.NotSupportedError),
        ("to_char(5, '9V9')", errors.NotSupportedError),
        ("to_char(5, '9.9.9')", errors.InvalidParameterValue),
        ("to_char(5, 'S9MI')", errors.InvalidParameterValue),
        ("to_date('x', 'YYYYYYYY')", errors.InvalidParameterValue),
        ("to_char(true, 'YYYY')", errors.UndefinedFunction),
    ],
)
def test_what_is_refused(redshift: Any, expression: str, condition: type[errors.Error]) -> None:
    with pytest.raises(condition) as caught:
        redshift.value(expression)
    assert caught.value.position is not None
