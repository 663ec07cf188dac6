"""Which results are small is known before they are there, or not at all."""

from __future__ import annotations

import pytest
import sqlglot

from restframe.sql.size import at_most


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("select 1, 'a'", 1),
        ("select 1 where false", 1),
        ("select (select max(x) from t)", 1),
        ("select count(*), 1 + sum(x) from t join u on t.a = u.a", 1),
        ("select sum(x) from t having count(*) > 2", 1),
        ("select a from t order by b limit 10", 10),
        ("select a, count(*) from t group by a limit 3 offset 5", 3),
        ("with a as (select 1) select count(*) from a", 1),
        ("select * from t", None),
        ("select unnest([1, 2])", None),
        ("select max(unnest([1, 2]))", None),
        ("select generate_series(1, 3)", None),
        ("select count(*) from t group by a", None),
        ("select count(*) over () from t", None),
        ("select (select max(x) from t) from u", None),
        ("select a from t limit (select max(x) from t)", None),
        ("select a from t limit $1", None),
        ("select 1 union all select 2", None),
    ],
)
def test_how_many_rows_there_are_at_most(sql: str, rows: int | None) -> None:
    assert at_most(sqlglot.parse_one(sql, read="duckdb")) == rows
