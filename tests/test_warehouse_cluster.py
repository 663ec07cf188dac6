"""A warehouse that is paused takes no statements."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import restframe
from restframe import Warehouse, errors


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with restframe.open(tmp_path) as opened:
        yield opened


def test_a_paused_warehouse_takes_no_statements_until_it_is_resumed(warehouse: Warehouse) -> None:
    session = warehouse.session()
    assert warehouse.pause()
    assert not warehouse.pause()
    for call in (
        lambda: warehouse.sql("SELECT 1"),
        lambda: session.execute("SELECT 1"),
        lambda: session.execute_many("SELECT ?", [(1,)]),
        lambda: warehouse.session().execute("SELECT 1"),
    ):
        with pytest.raises(errors.WarehousePaused, match="is paused and takes no statements") as caught:
            call()
        assert caught.value.sqlstate == "57P03"
    assert warehouse.resume()
    assert not warehouse.resume()
    assert session.execute("SELECT 1").scalar() == 1


def test_a_transaction_goes_on_where_it_was(warehouse: Warehouse) -> None:
    session = warehouse.session()
    session.execute("BEGIN; CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
    warehouse.pause()
    with pytest.raises(errors.WarehousePaused):
        session.execute("COMMIT")
    warehouse.resume()
    session.execute("COMMIT")
    assert warehouse.sql("SELECT a FROM t").scalar() == 1


def test_a_result_that_is_being_read_is_read_to_its_end(warehouse: Warehouse) -> None:
    result = warehouse.session().execute("SELECT generate_series(1, 300000)")
    warehouse.pause()
    assert sum(len(batch) for batch in result.batches()) == 300_000


def test_what_is_said_about_the_cluster_survives_a_restart(tmp_path: Path) -> None:
    with restframe.open(tmp_path) as warehouse:
        created = warehouse.cluster.created
        warehouse.pause()
        warehouse.set_roles(
            lambda roles: [*roles, "arn:aws:iam::000000000000:role/a"], "arn:aws:iam::000000000000:role/a"
        )
    with restframe.open(tmp_path) as warehouse:
        assert warehouse.paused
        assert warehouse.cluster.created == created
        assert warehouse.cluster.iam_roles == ("arn:aws:iam::000000000000:role/a",)
        assert warehouse.cluster.default_iam_role == "arn:aws:iam::000000000000:role/a"
        warehouse.set_roles(lambda _: [], "")
        assert (warehouse.cluster.iam_roles, warehouse.cluster.default_iam_role) == ((), None)
