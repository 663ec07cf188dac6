"""INSERT, UPDATE, DELETE and MERGE: what goes into a column fits it, or is refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from restframe import errors


@pytest.fixture
def staff(redshift: Any) -> Any:
    redshift.table(
        "staff", "id int, name varchar(5), code char(3), pay decimal(6,2), since date, doc super",
        "1, 'Ann', 'a', 10.00, '2020-01-01', null", "2, 'Bob', 'b', 20.00, null, null",
    )  # fmt: skip
    redshift.table("raises", "id int, more decimal(6,2)", "1, 5.00", "3, 7.00")
    return redshift


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("insert into staff values (9, 'Cy', 'c', 1.239, '20200131', json_parse('{\"a\": 1}'))",
         (9, "Cy", "c", Decimal("1.24"), dt.date(2020, 1, 31), '{"a":1}')),
        ("insert into staff (pay, id) values (3, 9)", (9, None, None, Decimal("3.00"), None, None)),
        ("insert into staff (id, name, code) values (9, 'ab       ', 'x  ')", (9, "ab   ", "x", None, None, None)),
        ("insert into staff (id, name) values (9, upper('xy') || 1)", (9, "XY1", None, None, None, None)),
        ("insert into staff (id, doc) values (9, '{\"a\":1}')", (9, None, None, None, None, '"{\\"a\\":1}"')),
        ("insert into staff (id, doc) values (9, 5)", (9, None, None, None, None, "5")),
        ("insert into staff (id, since) select 9, timestamp '2020-02-03 10:00'",
         (9, None, None, None, dt.date(2020, 2, 3), None)),
        ("insert into staff (id, name) select 9, name from staff where id = 1", (9, "Ann", None, None, None, None)),
        ("insert into staff (id, pay) with w as (select 9 as n) select n, n / 4.0 from w",
         (9, None, None, Decimal("2.25"), None, None)),
        ("insert into staff (id, name) values (9, null)", (9, None, None, None, None, None)),
        ("insert into staff (id, name) values (9, default)", (9, None, None, None, None, None)),
        ("insert into public.staff (ID, \"Name\") values (9, 'x')", (9, "x", None, None, None, None)),
    ],
)  # fmt: skip
def test_inserts(staff: Any, text: str, expected: tuple[object, ...]) -> None:
    assert staff.rows(text) == [(1,)]
    assert staff.row("select * from staff where id = 9") == expected


def test_several_rows_and_default_values(staff: Any) -> None:
    assert staff.rows("insert into staff (id) values (7), (8), (9)") == [(3,)]
    assert staff.rows("insert into staff default values") == [(1,)]
    assert staff.row("select count(*), count(id) from staff") == (6, 5)


def test_identity_columns_fill_themselves(redshift: Any) -> None:
    redshift.connection.execute("CREATE SEQUENCE public.s")
    redshift.table("t", "n bigint, a int, b int", identities=("n",))
    redshift.connection.execute("ALTER TABLE public.t ALTER n SET DEFAULT nextval('public.s')")
    redshift.rows("insert into t values (10, 20), (30, 40)")
    redshift.rows("insert into t select 50, 60")
    assert redshift.rows("select n, a, b from t order by n") == [(1, 10, 20), (2, 30, 40), (3, 50, 60)]
    redshift.forget_tables()
    redshift.connection.execute("DROP SEQUENCE public.s")


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("insert into staff (id, name) values (1, 'toolong')", "value too long for type character varying(5)", 41),
        ("insert into staff (id, name) values (1, 'ééé')", "value too long for type character varying(5)", 41),
        ("insert into staff (code) values ('abcd')", "value too long for type character(3)", 34),
        ("update staff set name = 'toolong'", "value too long for type character varying(5)", 25),
    ],
)
def test_literals_that_are_too_long_are_refused_at_their_place(
    staff: Any, text: str, message: str, position: int
) -> None:
    with pytest.raises(errors.StringDataRightTruncation) as caught:
        staff.translate(text)
    assert (caught.value.message, caught.value.position) == (message, position)


@pytest.mark.parametrize(
    "text",
    [
        "insert into staff (id, name) select id, name || 'xxx' from staff",
        "insert into staff (id, name) values (1, 'abc' || 'def')",
        "insert into staff (id, code) select id, 'abcd' || id from staff",
        "update staff set name = name || '12345' where id = 1",
        "merge into staff using raises on staff.id = raises.id when matched then update set name = name || '12345' "
        "when not matched then insert (id) values (raises.id)",
    ],
)
def test_values_that_are_too_long_are_refused_by_the_engine(staff: Any, text: str) -> None:
    with pytest.raises(Exception, match=r"\[22001\] value too long for type character"):
        staff.rows(text)
    assert staff.row("select count(*), max(name) from staff") == (2, "Bob")


def test_decimals_that_do_not_fit_are_refused_by_the_engine(staff: Any) -> None:
    for text in ("insert into staff (pay) values (12345.5)", "update staff set pay = pay * 1000"):
        with pytest.raises(Exception, match=r"(?i)out of range|could not"):
            staff.rows(text)


def test_text_known_to_fit_is_not_measured_again(staff: Any) -> None:
    assert "store_text" not in staff.translate("insert into staff (name) select name from staff").sql
    assert "store_text" in staff.translate("insert into staff (name) select name || 'x' from staff").sql


def test_updates(staff: Any) -> None:
    staff.rows("update staff set pay = pay + 0.005, name = 'Z' where id = 1")
    staff.rows("update staff set pay = pay + r.more from raises r where staff.id = r.id")
    staff.rows("update staff s set code = default, since = '1/2/2021' where s.id = 2")
    assert staff.rows("select id, name, code, pay, since from staff order by id") == [
        (1, "Z", "a", Decimal("15.01"), dt.date(2020, 1, 1)), (2, "Bob", None, Decimal("20.00"), dt.date(2021, 1, 2)),
    ]  # fmt: skip


def test_deletes(staff: Any) -> None:
    assert staff.rows("delete from staff using raises where staff.id = raises.id") == [(1,)]
    assert staff.rows("delete from staff where name in (select name from staff)") == [(1,)]
    assert staff.rows("delete from public.raises") == [(2,)]


def test_merge(staff: Any) -> None:
    staff.rows(
        "merge into staff using raises as r on staff.id = r.id "
        "when matched then update set pay = pay + r.more "
        "when not matched then insert values (r.id, 'New', 'n', r.more, null, null)"
    )
    assert staff.rows("select id, name, pay from staff order by id") == [
        (1, "Ann", Decimal("15.00")), (2, "Bob", Decimal("20.00")), (3, "New", Decimal("7.00")),
    ]  # fmt: skip
    staff.rows(
        "merge into staff using raises on staff.id = raises.id "
        "when matched then delete when not matched then insert (id) values (raises.id)"
    )
    assert staff.rows("select id from staff") == [(2,)]


def test_what_is_read_and_written(staff: Any) -> None:
    translation = staff.translate("insert into staff (id) select id from raises")
    assert translation.writes.engine_name == "staff"
    assert [table.engine_name for table in translation.reads] == ["raises"]
    assert staff.translate("delete from staff using raises where true").writes.engine_name == "staff"


@pytest.mark.parametrize(
    ("text", "condition", "position"),
    [
        ("insert into nosuch values (1)", errors.UndefinedTable, 13),
        ("insert into staff (nosuch) values (1)", errors.UndefinedColumn, 20),
        ("insert into staff (id, id) values (1, 2)", errors.DuplicateColumn, 24),
        ("insert into staff (id) values (1, 2)", errors.SyntaxError, None),
        ("insert into staff (id, name) values (1)", errors.SyntaxError, 24),
        ("insert into raises values (1, 2, 3)", errors.SyntaxError, None),
        ("insert into raises values (1), (1, 2)", errors.SyntaxError, None),
        ("insert into raises select 1, 2, 3", errors.SyntaxError, None),
        ("insert into raises (id) select 1 returning id", errors.NotSupportedError, None),
        ("insert into raises values (1, 1) on conflict do nothing", errors.NotSupportedError, None),
        ("insert overwrite into raises values (1, 1)", errors.Error, None),
        ("update staff set nosuch = 1", errors.UndefinedColumn, 18),
        ("update staff set id = 1, id = 2", errors.SyntaxError, 26),
        ("update staff set (id, name) = (1, 'x')", errors.NotSupportedError, None),
        ("update staff", errors.SyntaxError, None),
        ("update staff set id = nosuch", errors.UndefinedColumn, 23),
        ("update staff set id = 1 returning id", errors.NotSupportedError, None),
        ("delete from staff where nosuch = 1", errors.UndefinedColumn, 25),
        ("delete from staff returning id", errors.NotSupportedError, None),
        ("merge into staff using raises on staff.id = raises.id when matched then do nothing", errors.Error, None),
    ],
)
def test_what_is_refused(staff: Any, text: str, condition: type[errors.Error], position: int | None) -> None:
    with pytest.raises(condition) as caught:
        staff.translate(text)
    assert caught.value.position is not None
    if position is not None:
        assert caught.value.position == position


# Long lists of literals


def test_a_bulk_insert_goes_around_the_tree_with_the_same_rules(staff: Any) -> None:
    rows = ", ".join(f"({i}, 'n{i % 1000}', 'c', {i / 8}, '2020-01-0{i % 9 + 1}', null)" for i in range(1, 2001))
    translation = staff.translate(f"insert into staff values {rows}")
    assert translation.rows is not None
    assert len(translation.sql) < 1000
    assert staff.rows(f"insert into staff values {rows}") == [(2000,)]
    assert staff.row("select name, code, pay, since, doc from staff where id = 1001") == (
        "n1", "c", Decimal("125.13"), dt.date(2020, 1, 3), None,
    )  # fmt: skip


def test_a_bulk_insert_measures_text(staff: Any) -> None:
    rows = ", ".join(f"({i}, 'name')" for i in range(1000))
    with pytest.raises(Exception, match=r"\[22001\] value too long for type character varying\(5\)"):
        staff.rows(f"insert into staff (id, name) values {rows}, (1000, 'toolong')")
    with pytest.raises(errors.SyntaxError, match="more expressions than target columns"):
        staff.rows(f"insert into staff (id) values {rows}")
    with pytest.raises(errors.SyntaxError, match="more target columns than expressions"):
        staff.rows(f"insert into staff (id, name, code) values {rows}")


def test_numbers_for_text_in_a_bulk_insert_become_the_text_of_their_value(staff: Any) -> None:
    rows = ", ".join(f"({i}, 00{i % 10})" for i in range(1000))
    staff.rows(f"insert into staff (id, name) values {rows}")
    assert staff.row("select name from staff where id = 7") == ("7",)
