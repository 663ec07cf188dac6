"""Aggregate and window functions."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from restframe import errors


@pytest.fixture
def sales(redshift: Any) -> Any:
    redshift.table(
        "sales", "id int, seller varchar(5), qty int, price decimal(8,2), day date, ok bool",
        "1, 'a', 10, 1.50, '2024-01-01', true", "2, 'a', 20, 2.50, '2024-01-02', false",
        "3, 'b', 30, null, '2024-01-03', true", "4, 'b', 30, 4.00, '2024-01-04', null",
        "5, null, null, 9.99, '2024-01-05', true",
    )  # fmt: skip
    return redshift


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("count(*)", 5),
        ("count(qty)", 4),
        ("count(distinct qty)", 3),
        ("sum(qty)", 90),
        ("avg(qty)", 22),
        ("avg(distinct qty)", 20),
        ("avg(price)", Decimal("4.49")),
        ("min(seller) || max(seller)", "ab"),
        ("any_value(1)", 1),
        ("median(qty)", 25.0),
        ("percentile_cont(0.25) within group (order by qty)", 17.5),
        ("percentile_cont(0.25) within group (order by qty desc)", 30.0),
        ("percentile_disc(0.5) within group (order by qty)", 20),
        ("approximate percentile_disc(0.5) within group (order by qty)", 20),
        ("approximate count(distinct seller)", 2),
        ("median(day)", dt.datetime(2024, 1, 3)),
        ("round(stddev(qty), 4)", 9.5743),
        ("round(stddev_pop(qty), 4)", 8.2916),
        ("var_samp(qty)", pytest.approx(91.6666667)),
        ("var_pop(qty)", 68.75),
        ("bool_and(ok)", False),
        ("bool_or(ok)", True),
        ("bit_and(id)", 0),
        ("bit_or(id)", 7),
        ("listagg(seller)", "aabb"),
        ("listagg(seller, ', ') within group (order by id desc)", "b, b, a, a"),
        ("listagg(distinct seller, '|') within group (order by seller)", "a|b"),
        ("listagg(distinct qty, '|') within group (order by qty desc)", "30|20|10"),
        ("listagg(id, '') within group (order by seller, id desc)", "21435"),
        ("listagg(nullif(seller, 'a'), '-')", "b-b"),
        ("sum(case when seller = 'a' then qty else 0 end) / count(*)", 6),
        ("max(qty) - min(qty) + 1", 21),
    ],
)  # fmt: skip
def test_aggregates(sales: Any, expression: str, expected: object) -> None:
    assert sales.row(f"select {expression} from sales") == (expected,)


def test_aggregates_of_nothing(sales: Any) -> None:
    row = sales.row("select count(*), sum(qty), avg(qty), listagg(seller, ','), avg(price) from sales where id > 9")
    assert row == (0, None, None, None, None)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("sum(qty) over (order by id rows unbounded preceding)", [10, 30, 60, 90, 90]),
        ("avg(qty) over (partition by seller)", [15, 15, 30, 30, None]),
        ("avg(price) over (partition by seller)", [Decimal("2.00")] * 2 + [Decimal("4.00")] * 2 + [Decimal("9.99")]),
        ("count(*) over (partition by seller)", [2, 2, 2, 2, 1]),
        ("row_number() over (order by id desc)", [5, 4, 3, 2, 1]),
        ("rank() over (order by qty)", [1, 2, 3, 3, 5]),
        ("dense_rank() over (order by qty)", [1, 2, 3, 3, 4]),
        ("ntile(2) over (order by id)", [1, 1, 1, 2, 2]),
        ("percent_rank() over (order by id)", [0, 0.25, 0.5, 0.75, 1]),
        ("cume_dist() over (order by id)", [0.2, 0.4, 0.6, 0.8, 1]),
        ("lag(qty) over (order by id)", [None, 10, 20, 30, 30]),
        ("lag(qty, 2, 0) over (order by id)", [0, 0, 10, 20, 30]),
        ("lag(price, 1) ignore nulls over (order by id)",
         [None, Decimal("1.50"), Decimal("2.50"), Decimal("2.50"), Decimal("4.00")]),
        ("lead(qty) over (order by id)", [20, 30, 30, None, None]),
        ("first_value(price ignore nulls) over (partition by seller order by id "
         "rows between unbounded preceding and unbounded following)",
         [Decimal("1.50")] * 2 + [Decimal("4.00")] * 2 + [Decimal("9.99")]),
        ("last_value(id) over (partition by seller order by id "
         "rows between unbounded preceding and unbounded following)",
         [2, 2, 4, 4, 5]),
        ("nth_value(id, 2) over (partition by seller order by id "
         "rows between unbounded preceding and unbounded following)",
         [2, 2, 4, 4, None]),
        ("ratio_to_report(qty) over (partition by seller)",
         [pytest.approx(1 / 3), pytest.approx(2 / 3), 0.5, 0.5, None]),
        ("median(qty) over (partition by seller)", [15, 15, 30, 30, None]),
        ("percentile_disc(0.5) within group (order by id desc) over (partition by seller)", [2, 2, 4, 4, 5]),
        ("listagg(id, ',') within group (order by id desc) over (partition by seller)",
         ["2,1", "2,1", "4,3", "4,3", "5"]),
        ("sum(sum(qty)) over (partition by seller)", [30, 30, 60, 60, None]),
    ],
)  # fmt: skip
def test_windows(sales: Any, expression: str, expected: list[object]) -> None:
    group = " group by id, seller" if "sum(sum" in expression else ""
    assert [value for _, value in sales.rows(f"select id, {expression} from sales{group} order by id")] == expected


@pytest.mark.parametrize(
    ("expression", "condition"),
    [
        ("sum(seller)", errors.UndefinedFunction),
        ("avg(day)", errors.UndefinedFunction),
        ("sum(qty, id)", errors.UndefinedFunction),
        ("count()", errors.UndefinedFunction),
        ("percentile_cont(0.5)", errors.SyntaxError),
        ("listagg(seller, qty::varchar)", errors.SyntaxError),
        ("listagg(distinct seller, ',') within group (order by id)", errors.NotSupportedError),
        ("rank()", errors.SyntaxError),
        ("sum(qty) over (order by id)", errors.SyntaxError),
        ("sum(qty) ignore nulls over ()", errors.NotSupportedError),
        ("abs(qty) over ()", errors.WrongObjectType),
    ],
)
def test_what_is_refused(sales: Any, expression: str, condition: type[errors.Error]) -> None:
    with pytest.raises(condition) as caught:
        sales.translate(f"select {expression} from sales")
    assert caught.value.position is not None
