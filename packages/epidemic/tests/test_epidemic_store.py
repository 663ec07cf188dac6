"""Tables in and out of a warehouse, whole or not at all."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pyarrow as pa
import pytest

from restframe_epidemic import errors
from restframe_epidemic.directory import Directory
from restframe_epidemic.store import Store


def holidays(**named: str) -> pa.Table:
    return pa.table({"date": pa.array(list(named.values())).cast(pa.date32()), "name": list(named)})


def names(store: Store) -> list[str]:
    names: list[str] = store.query("SELECT name FROM epidemic.holiday ORDER BY date").column(0).to_pylist()
    return names


def test_rows_take_the_place_of_those_they_are_for(tmp_path: Path) -> None:
    with Store(tmp_path / "w") as store:
        store.prepare()
        store.prepare()  # again, it changes nothing
        store.replace("epidemic.holiday", holidays(may="2021-05-01", june="2021-06-01"))
        store.replace("epidemic.holiday", holidays(july="2021-07-01"), {"name": "june"})
        assert names(store) == ["may", "july"]
        store.replace("epidemic.holiday", holidays(), {"name": "may"})
        assert names(store) == ["july"]
        assert list((store.lake / "spool").iterdir()) == []


def test_what_fails_leaves_the_table_as_it_was(tmp_path: Path) -> None:
    with Store(tmp_path / "w") as store:
        store.prepare()
        store.replace("epidemic.holiday", holidays(may="2021-05-01"))
        with pytest.raises(RuntimeError), store.transaction():
            store.replace("epidemic.holiday", holidays(june="2021-06-01"))
            raise RuntimeError
        assert names(store) == ["may"]


def test_what_a_killed_process_left_in_the_spool_is_cleared(tmp_path: Path) -> None:
    with Store(tmp_path / "w") as store:
        store.keep("kept/day.parquet", holidays(may="2021-05-01"))
        store.keep("spool/left.parquet", holidays(may="2021-05-01"))
    with Store(tmp_path / "w") as store:
        assert sorted(path.name for path in store.lake.rglob("*.parquet")) == ["day.parquet"]


def test_only_names_become_part_of_a_statement(tmp_path: Path) -> None:
    with Store(tmp_path / "w") as store:
        store.prepare()
        with pytest.raises(errors.UsageError, match="is no name"):
            store.replace("epidemic.holiday; DROP TABLE x", holidays())
        with pytest.raises(errors.UsageError, match="is no name"):
            store.load("epidemic.holiday", ['date", "name'], [tmp_path / "x.parquet"])


def test_a_file_of_statements_is_one_transaction_and_is_named_when_it_fails(tmp_path: Path) -> None:
    (tmp_path / "bad.sql").write_text("CREATE SCHEMA half; SELECT nothing FROM nowhere;")
    with Store(tmp_path / "w") as store:
        with pytest.raises(errors.DataError, match=r"bad\.sql: .*nowhere"):
            store.run_file(tmp_path / "bad.sql")
        assert store.run("SELECT count(*) FROM information_schema.schemata WHERE schema_name = 'half'").scalar() == 0


def test_a_warehouse_that_is_open_elsewhere_is_told(tmp_path: Path) -> None:
    with Store(tmp_path / "w"), pytest.raises(errors.UsageError, match="open in another process") as refused:
        Store(tmp_path / "w")
    assert refused.value.hint is not None and "restframe serve" in refused.value.hint


def test_an_engine_that_takes_little_memory_for_a_while(tmp_path: Path) -> None:
    def limit(store: Store) -> str | None:
        assert isinstance(store.connection, Directory)
        return store.connection.warehouse.settings.memory_limit

    with Store(tmp_path / "w") as store:
        store.prepare()
        with pytest.raises(ZeroDivisionError), store.bounded():
            assert limit(store) == "240MB"
            store.replace("epidemic.holiday", holidays(may="2021-05-01"))
            raise ZeroDivisionError
        assert limit(store) is None
        assert names(store) == ["may"]


def test_a_warehouse_that_another_process_takes_meanwhile_is_told(tmp_path: Path) -> None:
    told = r'another process opened the warehouse ".*/w" when this command had closed it for a moment'
    with Store(tmp_path / "w") as store, contextlib.ExitStack() as other:
        with pytest.raises(errors.UsageError, match=told) as refused, store.bounded():
            store.close()
            other.enter_context(Store(tmp_path / "w"))
        assert refused.value.hint is not None and "give the same command again" in refused.value.hint
        with pytest.raises(errors.UsageError, match=told):  # an optional step does not end a day
            store.run("SELECT 1")


def test_what_is_published_says_what_it_means(tmp_path: Path) -> None:
    meanings = """
        SELECT table_name, column_name, remarks FROM svv_columns
        WHERE table_schema = 'epidemic_published' AND column_name IN ('change', 'available') ORDER BY 1, 2
    """
    untold = """
        SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = 'epidemic_published' AND relkind IN ('r', 'v')
            AND obj_description(pg_class.oid, 'pg_class') IS NULL
    """
    told = [
        (
            "hospital_demand",
            "available",
            "Those of them that patients with the disease may have: compare demand with these",
        ),
        ("local_gap", "change", "events / expected: .8 is a fifth fewer"),
        ("treatment_gap", "change", "events / expected: .8 is a fifth fewer"),
    ]
    with Store(tmp_path / "w") as store:
        for _ in range(2):  # as an earlier version may have said something else
            store.prepare()
            assert store.run(meanings).fetchall() == told
            assert store.run(untold).fetchall() == []
            store.run("COMMENT ON COLUMN epidemic_published.treatment_gap.change IS 'percent'")
