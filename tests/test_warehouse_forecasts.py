"""MODEL_TYPE FORECAST in SQL: from CREATE MODEL to SELECT FORECAST(model), and everything that may come in between."""

from __future__ import annotations

import dataclasses
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import restframe
from restframe import Warehouse, errors
from restframe.ml import artifact, deepar
from restframe.ml.forecasting.series import Series
from restframe.storage import ObjectUrl
from restframe.warehouse import Session
from restframe.warehouse.forecasts.keeper import Forecasts, _rows
from restframe.warehouse.forecasts.register import Record

SALES = (
    "create table sales (item varchar(10), day date, qty int, price decimal(8,2), note varchar(5))",
    """insert into sales select 'Item' || i, dateadd(day, d, '2024-01-01'::date), 10 * i + 5 * (d % 7) + d * 7919 % 3,
       1.5, 'x' from (select generate_series(0, 34) as d) a, (select generate_series(1, 2) as i) b""",
)
CREATE = """CREATE MODEL demand FROM (SELECT item, day, qty FROM sales) TARGET qty IAM_ROLE default
AUTO ON MODEL_TYPE FORECAST SETTINGS (S3_BUCKET 'forecasts', HORIZON 3, FREQUENCY 'D')"""
EVERYTHING = ObjectUrl("forecasts", "")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """With sales of two items on 35 days, and a model `demand` that is READY."""
    with restframe.open(tmp_path_factory.mktemp("forecasts") / "warehouse") as opened:
        for text in (*SALES, CREATE):
            opened.sql(text)
        wait_for(opened, "demand")
        yield opened


@pytest.fixture
def session(warehouse: Warehouse) -> Iterator[Session]:
    with warehouse.session() as opened:
        yield opened


def shown(session: Session | Warehouse, name: str) -> dict[str, str]:
    run = session.execute if isinstance(session, Session) else session.sql
    return dict(run(f"show model {name}").fetchall())


def wait_for(warehouse: Warehouse, name: str, state: str = "READY") -> dict[str, str]:
    """SHOW MODEL once the training has ended, and the model's objects are gone."""
    deadline = time.monotonic() + 300
    while (found := shown(warehouse, name))["Model State"] == "TRAINING" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert found["Model State"] == state, found
    return found


def wait_until_clean(warehouse: Warehouse) -> None:
    deadline = time.monotonic() + 60
    while list(warehouse.storage.list(EVERYTHING)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(warehouse.storage.list(EVERYTHING)) == []


def rows(session: Session, text: str) -> list[tuple[object, ...]]:
    return session.execute(text).fetchall()


# The ordinary way


def test_a_forecast_is_rows_of_every_item(session: Session) -> None:
    result = session.execute("SELECT FORECAST(demand)")
    assert [(column.name, str(column.type)) for column in result.columns] == [
        ("id", "character varying(256)"),
        ("time", "character varying(20)"),
        ("p10", "double precision"),
        ("p50", "double precision"),
        ("p90", "double precision"),
    ]
    found = result.fetchall()
    assert [row[:2] for row in found] == [
        (item, f"2024-02-0{day}T00:00:00Z") for item in ("item1", "item2") for day in (5, 6, 7)
    ]
    assert all(low <= median <= high for _, _, low, median, high in found)


def test_a_forecast_is_read_wherever_a_query_can_stand(session: Session) -> None:
    session.execute("create table result as select forecast(public.demand)")
    session.execute("insert into result select forecast(demand)")
    assert rows(session, "select upper(id), count(*) from result group by 1 order by 1") == [("ITEM1", 6), ("ITEM2", 6)]
    read = "select to_date(f.time, 'YYYY-MM-DD') - date(f.\"time\"), f.p50::int from (select forecast(demand)) as f"
    assert len(rows(session, f"{read} where id = 'item1' order by f.time desc limit 2")) == 2
    session.execute("with f as (select forecast(demand)) select id into temp taken from f")
    assert rows(session, "select count(*) from taken") == [(6,)]
    assert rows(session, "select forecast(demand) union all select forecast(demand)")[6:] == rows(
        session, "select forecast(demand)"
    )
    session.execute("drop table result")


def test_show_model_tells_of_the_candidates(session: Session) -> None:
    found = rows(session, "SHOW MODEL demand")
    keys = [key for key, _ in found]
    assert keys == [
        "Model Name", "Schema Name", "Owner", "Creation Time", "Model State", "Training Job Status",
        "validation:AverageWeightedQuantileLoss seasonal naive", "validation:AverageWeightedQuantileLoss ETS",
        "validation:AverageWeightedQuantileLoss DeepAR", "Best Candidate",
        "", "TRAINING DATA:", "Query", "Target Column",
        "", "PARAMETERS:", "Model Type", "Objective", "Training Job Name", "Forecast Horizon", "Forecast Frequency",
        "Forecast Percentiles", "IAM Role", "S3 Bucket", "Max Runtime",
    ]  # fmt: skip
    values = dict(found)
    assert values["Query"] == "SELECT item, day, qty FROM sales"
    assert values["Best Candidate"] in ("seasonal naive", "ETS")
    assert values["validation:AverageWeightedQuantileLoss DeepAR"] == (
        "skipped: it needs 300 observations to learn from, and there are 52"
    )
    assert float(str(values["validation:AverageWeightedQuantileLoss seasonal naive"])) < 0.2
    assert (values["Forecast Percentiles"], values["S3 Bucket"]) == ("p10 p50 p90", "forecasts")
    assert rows(session, "select model_state from stv_ml_model_info") == [("Model is Ready",)]


def test_show_model_says_when_deepar_was_no_better(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    remark = "DeepAR did not beat the simpler methods on these data: its WAPE on the hold-out is 0.3, that of ETS 0.25."
    errors_found = {"seasonal naive": 0.3751234, "ETS": 0.25, "DeepAR": 0.3}
    tried = [{"name": name, "error": error, "skipped": None} for name, error in errors_found.items()]
    report = {"winner": "ETS", "candidates": tried, "windows": 1, "remarks": [remark]}
    found = Forecasts.find

    def with_report(self: Forecasts, model_id: int) -> Record:
        record = found(self, model_id)
        assert record is not None
        return dataclasses.replace(record, objective="WAPE", report=report)

    monkeypatch.setattr(Forecasts, "find", with_report)
    assert rows(session, "SHOW MODEL demand")[6:11] == [
        ("validation:WAPE seasonal naive", "0.375123"), ("validation:WAPE ETS", "0.25"),
        ("validation:WAPE DeepAR", "0.3"), ("Best Candidate", "ETS"), ("Remark", remark),
    ]  # fmt: skip


def test_the_objects_of_a_model_are_gone_when_it_is_ready(warehouse: Warehouse) -> None:
    wait_until_clean(warehouse)


def test_other_settings_and_a_table_with_unused_columns(warehouse: Warehouse, session: Session) -> None:
    result = session.execute(
        "CREATE MODEL other FROM sales TARGET price IAM_ROLE 'arn:aws:iam::1:role/x' MODEL_TYPE FORECAST "
        "OBJECTIVE 'wape' SETTINGS (S3_BUCKET 'kept', HORIZON 2, FREQUENCY D, PERCENTILES '0.05,mean', "
        "S3_GARBAGE_COLLECT OFF, TAGS 'a=b')"
    )
    assert [notice.message for notice in result.notices] == [
        'column "qty" is not used by MODEL_TYPE FORECAST',
        'column "note" is not used by MODEL_TYPE FORECAST',
        "TAGS is accepted without effect",
    ]
    found = wait_for(warehouse, "other")
    assert (found["Table"], found["Objective"], found["IAM Role"]) == ("sales", "WAPE", "arn:aws:iam::1:role/x")
    assert rows(session, "select forecast(other)")[0] == ("item1", "2024-02-05T00:00:00Z", 1.5, 1.5)
    session.execute("drop model other")
    kept = [info.url.key.rpartition("forecast/")[2] for info in warehouse.storage.list(ObjectUrl("kept", ""))]
    assert [re.sub(r"redshiftml-\w+-\w+-", "", key) for key in kept] == ["output/model.tar.gz", "train/series.parquet"]


def test_months_stand_for_what_lies_in_them_and_a_single_series_needs_no_item(
    warehouse: Warehouse, session: Session
) -> None:
    session.execute(
        "create table months as select dateadd(month, m, '2020-01-15'::timestamp) as t, (m % 12)::float as x "
        "from (select generate_series(0, 35) as m) a where m <> 20"
    )
    session.execute(
        "CREATE MODEL monthly FROM months TARGET x IAM_ROLE default MODEL_TYPE FORECAST "
        "SETTINGS (S3_BUCKET 'forecasts', HORIZON 2, FREQUENCY 'M', PERCENTILES '0.5')"
    )
    wait_for(warehouse, "monthly")
    assert [row[:2] for row in rows(session, "select forecast(monthly)")] == [
        (None, "2023-01-01T00:00:00Z"),
        (None, "2023-02-01T00:00:00Z"),
    ]
    session.execute("drop model monthly; drop table months")


def test_a_driver_is_told_the_columns_before_it_runs_the_query(warehouse: Warehouse, session: Session) -> None:
    prepared = session.prepare("select forecast(demand)")
    assert prepared.columns is not None and [one.name for one in prepared.columns] == [
        "id",
        "time",
        "p10",
        "p50",
        "p90",
    ]
    assert len(session.run_prepared(prepared).fetchall()) == 6


def test_a_forecast_over_the_postgresql_protocol(pg: Any) -> None:
    with pg.connect(autocommit=True) as maker, pg.connect(autocommit=True) as reader:
        for text in (*SALES, CREATE):
            maker.execute(text.encode())
        deadline = time.monotonic() + 300
        while dict(reader.execute("show model demand").fetchall())["Model State"] == "TRAINING":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        with reader.cursor(binary=True) as cursor:
            cursor.execute("select forecast(demand)", prepare=True)
            assert cursor.description is not None
            assert [(one.name, one.type_code) for one in cursor.description][1:3] == [("time", 1043), ("p10", 701)]
            assert [row[:2] for row in cursor.fetchall()][3] == ("item2", "2024-02-05T00:00:00Z")


def test_an_endpoint_that_forecasts_is_no_function_of_rows(warehouse: Warehouse, session: Session) -> None:
    sizes = {"context_length": 2, "prediction_length": 2, "num_cells": 2, "num_layers": 1}
    days = Series(np.datetime64("2024-01-01"), np.arange(30.0))
    model = deepar.fit([days], deepar.Configuration(epochs=1, time_freq="D", mini_batch_size=2, **sizes))
    archive = ObjectUrl("models", "deepar/model.tar.gz")
    warehouse.storage.put(archive, artifact.write(deepar.save(model)))
    warehouse.deploy(str(archive), "days")
    text = "CREATE MODEL m FUNCTION f(int) RETURNS int SAGEMAKER 'days' IAM_ROLE default"
    with pytest.raises(errors.WrongObjectType) as caught:
        session.execute(text)
    assert caught.value.message == 'endpoint "days" forecasts series and cannot be asked about rows'
    assert text[(caught.value.position or 0) - 1 :].startswith("SAGEMAKER")


# What is not right


@pytest.mark.parametrize(
    ("old", "new", "error", "place", "message"),
    [
        ("TARGET qty", "TARGET nope", errors.UndefinedColumn, "TARGET", 'column "nope" does not exist'),
        ("TARGET qty", "TARGET item", errors.DatatypeMismatch, "TARGET", "of type character varying(10), not a number"),
        ("item, day, qty", "item, qty", errors.InvalidDefinition, "FROM", "no column of type date or timestamp"),
        ("sales)", "nowhere)", errors.UndefinedTable, "nowhere", 'relation "nowhere" does not exist'),
        ("(SELECT item, day, qty FROM sales)", "nowhere", errors.UndefinedTable, "nowhere", "does not exist"),
        ("HORIZON 3", "HORIZON 12", errors.InvalidParameterValue, "HORIZON", "whose longest series has 35 steps"),
        ("HORIZON 3", "HORIZON 501", errors.InvalidParameterValue, "HORIZON", "more than 500 steps"),
        ("HORIZON 3", "HORIZON 3, MAX_CELLS 48", errors.InvalidParameterValue, "MAX_CELLS", "too small for 2 series"),
        ("'D'", "'2H'", errors.InvalidParameterValue, "'2H'", 'frequency "2H" is not known'),
        ("day, qty", "dateadd(hour, qty, day) as day, qty", errors.DataError, "FREQUENCY", "are not whole steps"),
        ("'D'", "'W'", errors.DataError, "FREQUENCY", "are not whole steps of FREQUENCY 'W'"),
        ("'D'", "'M'", errors.DataError, "FROM", "more than one row for the same step"),
        ("item, day", "day", errors.DataError, "FROM", "more than one row for the same step: 35 rows too many"),
        ("item, day", "nullif(item, 'Item1') as item, day", errors.NotNullViolation, "FROM", "without item: 35 of 70"),
        ("qty FROM", "null::int as qty FROM", errors.DataError, "TARGET", "has no values"),
        ("sales)", "sales where false)", errors.DataError, "FROM", "has no rows"),
        ("qty FROM", "qty * 1e200 as qty FROM", errors.DataError, "TARGET", "some beyond 1e+30"),
        ("item, day", "replace(item, 'Item1', 'item2') as item, day", errors.DataError, "FROM", "differ in upper and"),
        ("item, day", "repeat(item, 60) as item, day", errors.StringDataRightTruncation, "FROM", "more than 256 bytes"),
        ("'forecasts'", "'B'", errors.InvalidParameterValue, "S3_BUCKET", 'invalid bucket name "B"'),
        ("demand", "public.demand", errors.DuplicateObject, "public", 'model "demand" already exists'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_before_anything_runs(
    old: str, new: str, error: type[errors.Error], place: str, message: str, warehouse: Warehouse, session: Session
) -> None:
    text = (CREATE if new == "public.demand" else CREATE.replace("demand", "wrong")).replace(old, new)
    with pytest.raises(error) as caught:
        session.execute(text)
    assert message in caught.value.message
    assert caught.value.position is not None and text[caught.value.position - 1 :].startswith(place)
    assert ("public", "wrong") not in rows(session, "show model all")
    wait_until_clean(warehouse)


def test_a_time_between_two_steps_is_named(session: Session) -> None:
    with pytest.raises(errors.DataError) as caught:
        session.execute(
            CREATE.replace("demand", "m").replace("day, qty", "day + interval '90 minute' * (qty % 2) as day, qty")
        )
    assert caught.value.detail is not None and re.fullmatch(
        r'For example item "Item1" at 2024-01-\d\d \d\d:\d\d:00; the first is at 2024-01-01 \d\d:\d\d:00\.',
        caught.value.detail,
    )
    assert caught.value.hint == (
        "Truncate the times, such as by date_trunc('day', ...), and group the rows in the query after FROM."
    )


def test_a_bucket_that_must_exist_is_missed_with_its_place(tmp_path: Path) -> None:
    with restframe.open(tmp_path, auto_create_buckets=False) as warehouse:
        for text in SALES:
            warehouse.sql(text)
        with pytest.raises(errors.NoSuchBucket) as caught:
            warehouse.sql(CREATE)
        assert CREATE[(caught.value.position or 0) - 1 :].startswith("S3_BUCKET")
        assert warehouse.sql("show model all").fetchall() == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("select forecast(demand) + 1", "forecast"),
        ("select 1, forecast(demand)", "forecast"),
        ("select forecast(demand), forecast(demand)", "forecast"),
        ("select forecast(demand) where true", "forecast"),
        ("select forecast(demand) limit 1", "forecast"),
        ("select forecast(demand) from sales", "forecast"),
        ("select forecast('demand')", "forecast"),
        ("select * from forecast(demand)", "forecast"),
        ("select forecast(demand) as f", "forecast"),
    ],
)
def test_forecast_in_another_place_is_refused(text: str, place: str, session: Session) -> None:
    with pytest.raises(errors.NotSupportedError) as caught:
        session.execute(text)
    assert caught.value.message == "FORECAST(model) must be all that a query selects, without FROM or any other clause"
    assert text[(caught.value.position or 0) - 1 :].startswith(place)


def test_an_unknown_model_is_named(session: Session) -> None:
    with pytest.raises(errors.UndefinedObject) as caught:
        session.execute("select forecast(public.nothing)")
    assert (caught.value.message, caught.value.position) == ('model "public.nothing" does not exist', 17)


# Users


def test_a_forecast_takes_the_right_to_its_model_and_nobody_else_is_told(
    warehouse: Warehouse, session: Session
) -> None:
    session.execute("select forecast(demand)")  # and is translated from here on
    session.execute("create user ana password disable")
    with warehouse.session("ana") as ana:
        for text, told in (
            ("select forecast(demand)", "permission denied for model demand"),
            ("show model demand", "permission denied for model demand"),
            ("drop model demand", "must be owner of model demand"),
            (CREATE.replace("demand", "hers"), "permission denied"),
        ):
            with pytest.raises(errors.InsufficientPrivilege, match=told):
                ana.execute(text)
        session.execute("grant execute on model demand to ana; grant create model to ana")
        assert len(rows(ana, "select forecast(demand)")) == 6
        keys = dict(rows(ana, "show model demand"))
        assert "Best Candidate" in keys and not {"IAM Role", "S3 Bucket"} & set(keys)
        with pytest.raises(errors.InsufficientPrivilege, match="permission denied for relation sales"):
            ana.execute(CREATE.replace("demand", "hers"))
    session.execute("revoke execute on model demand from ana; revoke create model from ana; drop user ana")


# While it trains


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Trainings that do not begin before the event is set."""
    event, begin = threading.Event(), Forecasts._train

    def train(self: Forecasts, *given: object) -> None:
        while not event.wait(0.02):
            if self._closing.is_set():
                raise errors.InterfaceError("closed")
        begin(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Forecasts, "_train", train)
    yield event
    event.set()


def test_a_model_in_training_is_shown_as_such_and_not_read(
    warehouse: Warehouse, session: Session, held: threading.Event
) -> None:
    session.execute(CREATE.replace("demand", "slow"))
    assert shown(session, "slow")["Model State"] == "TRAINING"
    with pytest.raises(errors.ObjectNotInPrerequisiteState) as caught:
        session.execute("select forecast(slow)")
    assert (caught.value.message, caught.value.position) == ('model "slow" is not ready: it is TRAINING', 17)
    assert caught.value.hint == "SHOW MODEL public.slow tells how far it is."
    assert rows(session, "select model_state from stv_ml_model_info where model_name = 'slow'") == [
        ("Train Model On SageMaker In Progress",)
    ]
    with warehouse.session() as other:
        other.execute("begin")
        other.execute("select 1 from sales limit 1")
        held.set()
        wait_for(warehouse, "slow")
        assert shown(other, "slow")["Model State"] == "READY"  # whatever the transaction sees
        with pytest.raises(errors.ObjectNotInPrerequisiteState, match="it is READY") as late:
            other.execute("select forecast(slow)")
        assert late.value.hint is not None and "commit, and ask again" in late.value.hint
        other.execute("rollback")
        assert len(rows(other, "select forecast(slow)")) == 6
    session.execute("drop model slow")


@pytest.mark.parametrize("drop", ["drop model autumn.gone", "drop schema autumn cascade"])
def test_a_model_that_is_dropped_takes_its_training_with_it(
    drop: str, warehouse: Warehouse, session: Session, held: threading.Event
) -> None:
    wait_until_clean(warehouse)  # of the models of earlier tests
    session.execute("drop schema if exists autumn")
    session.execute("create schema autumn")
    session.execute(CREATE.replace("demand", "autumn.gone"))
    assert len(list(warehouse.storage.list(EVERYTHING))) == 1
    session.execute(drop)
    held.set()
    wait_until_clean(warehouse)
    with pytest.raises(errors.UndefinedObject):
        session.execute("show model autumn.gone")


def test_a_model_that_is_not_committed_is_never_trained(warehouse: Warehouse, session: Session) -> None:
    jobs = len(warehouse.jobs.training.describe_all())
    session.execute("begin")
    session.execute(CREATE.replace("demand", "never"))
    assert shown(session, "never")["Model State"] == "TRAINING"
    session.execute("rollback")
    wait_until_clean(warehouse)
    assert len(warehouse.jobs.training.describe_all()) == jobs


def test_a_model_whose_training_fails_says_why(
    warehouse: Warehouse, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_data(self: Forecasts, record: object, name: str) -> None:
        for info in list(warehouse.storage.list(EVERYTHING)):
            warehouse.storage.delete(info.url)
        begin(self, record, name)  # type: ignore[arg-type]

    begin = Forecasts._train
    monkeypatch.setattr(Forecasts, "_train", without_data)
    session.execute(CREATE.replace("demand", "broken"))
    found = wait_for(warehouse, "broken", "FAILED")
    assert found["Failure Reason"].startswith("ClientError: no S3 objects found")
    assert rows(session, "select model_state from stv_ml_model_info where model_name = 'broken'") == [
        ("Model Training Failed",)
    ]
    with pytest.raises(errors.ObjectNotInPrerequisiteState, match="it is FAILED") as caught:
        session.execute("select forecast(broken)")
    assert caught.value.detail == found["Failure Reason"]
    session.execute("drop model broken")


def test_a_model_that_a_view_reads_is_not_dropped(session: Session) -> None:
    session.execute("create view next_days as select forecast(demand)")
    assert rows(session, "select count(*), min(time) from next_days") == [(6, "2024-02-05T00:00:00Z")]
    with pytest.raises(errors.DependentObjectsStillExist):
        session.execute("drop model demand")
    session.execute("drop view next_days")


# The process ends

MAKER = f"""
import os, signal, sys, time
import restframe
from restframe.warehouse.forecasts.keeper import Forecasts
from restframe.warehouse.forecasts.register import Record

def kill(self, *given):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(Forecasts, sys.argv[2], kill)
with restframe.open(sys.argv[1]) as warehouse:
    for text in {(*SALES, CREATE)!r}:
        warehouse.sql(text)
    time.sleep(300)
"""


@pytest.mark.parametrize("step", ["_train", "_install", "_clean"])
def test_a_killed_server_goes_on_where_it_was(step: str, tmp_path: Path) -> None:
    child = subprocess.run([sys.executable, "-c", MAKER, str(tmp_path), step], env=os.environ, timeout=300)
    assert child.returncode == -signal.SIGKILL
    with restframe.open(tmp_path) as warehouse:
        found = wait_for(warehouse, "demand")
        wait_until_clean(warehouse)
        assert len(warehouse.sql("select forecast(demand)").fetchall()) == 6
        assert not found["Training Job Name"].endswith("-2")  # a training that was completed is not done again


def test_a_training_that_a_close_interrupts_is_done_again(tmp_path: Path) -> None:
    with restframe.open(tmp_path) as warehouse:
        for text in (*SALES, CREATE):
            warehouse.sql(text)
        job = shown(warehouse, "demand")["Training Job Name"]
        wait_for_jobs(warehouse, 1)
    with restframe.open(tmp_path) as warehouse:
        wait_for_jobs(warehouse, 2)
    with restframe.open(tmp_path) as warehouse:
        assert wait_for(warehouse, "demand")["Training Job Name"] == f"{job}-3"
        assert len(warehouse.sql("select forecast(demand)").fetchall()) == 6
        warehouse.sql("drop model demand")
    with restframe.open(tmp_path) as warehouse:
        assert warehouse.sql("show model all").fetchall() == []
        wait_until_clean(warehouse)


def test_a_training_that_ends_with_two_crashes_is_not_begun_again(tmp_path: Path) -> None:
    with restframe.open(tmp_path) as warehouse:
        for text in (*SALES, CREATE):
            warehouse.sql(text)
        wait_for_jobs(warehouse, 1)
    for _ in range(2):  # what is left where a process was killed, and not closed
        journal = sqlite3.connect(tmp_path / "service.sqlite")
        with journal:
            journal.execute("update training_jobs set status = 'InProgress', failure = null where status = 'Failed'")
        journal.close()
        with restframe.open(tmp_path) as warehouse:
            wait_for_jobs(warehouse, 2)
    with restframe.open(tmp_path) as warehouse:
        failed = wait_for(warehouse, "demand", "FAILED")
        assert failed["Failure Reason"] == "InternalServerError: the warehouse ended while the job was running"


def wait_for_jobs(warehouse: Warehouse, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(warehouse.jobs.training.describe_all()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_rows_that_were_damaged_in_their_bucket_are_told_of() -> None:
    record = Record(
        model=1, job="j", folder="s3://b/j/", keeps_objects=False, source="t", from_query=False, target="a",
        objective="RMSE", horizon=1, frequency="D", percentiles=("0.5",), kms_key_id=None, max_runtime_s=None,
    )  # fmt: skip
    with pytest.raises(errors.CorruptObject, match=r'^"forecast.parquet" is damaged'):
        _rows(b"PAR1" + bytes(20) + b"PAR1", record)
