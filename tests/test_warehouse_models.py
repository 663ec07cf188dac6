"""Models in SQL, as sessions use them: named, shown, called wherever a function can stand, and dropped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

import restframe
from restframe import Warehouse, errors
from restframe.jobs import EndpointConfig, ModelSpec
from restframe.ml import artifact, codecs, registry
from restframe.ml.algorithm import Channel
from restframe.ml.hyperparameters import check
from restframe.ml.training_log import TrainingLog
from restframe.storage import ObjectUrl
from restframe.warehouse import Session

TIME = "%a, %d.%m.%Y %H:%M:%S"  # Fri, 03.09.2021 15:51:52
ARCHIVE = ObjectUrl.parse("s3://models/rides/model.tar.gz")

CREATE_TABLE = """DROP TABLE IF EXISTS public.rcf_taxi_data CASCADE;
CREATE TABLE public.rcf_taxi_data
(
ride_timestamp timestamp,
nbr_passengers int
);"""

COPY = """COPY public.rcf_taxi_data
FROM 's3://sagemaker-sample-files/datasets/tabular/anomaly_benchmark_taxi/NAB_nyc_taxi.csv'
iam_role default ignoreheader 1 csv delimiter ',';"""

CREATE_MODEL = """CREATE MODEL public.remote_random_cut_forest
FUNCTION remote_fn_rcf(int)
RETURNS decimal(10,6)
SAGEMAKER 'rides'
IAM_ROLE  'arn:aws:iam::123456789012:role/RedshiftML';"""

SCORES = """select ride_timestamp, nbr_passengers, public.remote_fn_rcf(nbr_passengers) as score
from public.rcf_taxi_data;"""

ANOMALIES = """with score_cutoff as
(select stddev(public.remote_fn_rcf(nbr_passengers)) as std, avg(public.remote_fn_rcf(nbr_passengers)) as mean, ( mean + 3 * std ) as score_cutoff_value
from public.rcf_taxi_data)

select ride_timestamp, nbr_passengers, public.remote_fn_rcf(nbr_passengers) as score
from public.rcf_taxi_data
where score > (select score_cutoff_value from score_cutoff)
order by 2 desc;"""  # noqa: E501  (as the document has it)

CLEAN_UP = """drop table public.rcf_taxi_data;
drop model public.remote_random_cut_forest;"""


def archive_of(points: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> bytes:
    """The model.tar.gz of a forest that was trained on these points."""
    algorithm = registry.find("random_cut_forest")
    parameters = check(
        algorithm.hyperparameters, {"num_trees": "50", "feature_dim": str(points.shape[1])}, complete=False
    )
    channel = Channel([("part", codecs.encode(points, codecs.CSV))])
    log = TrainingLog(lambda _: None, algorithm.label)
    return artifact.write(algorithm.train(parameters, {"train": channel}, log).files)


@pytest.fixture(scope="module")
def archives() -> tuple[bytes, bytes]:
    """Forests of one dimension and of two."""
    random = np.random.default_rng(1)
    rides = random.integers(8_000, 20_000, (3000, 1)).astype(np.float64)
    return archive_of(rides), archive_of(random.normal(0, 1, (500, 2)))


@pytest.fixture
def warehouse(tmp_path: Path, archives: tuple[bytes, bytes]) -> Iterator[Warehouse]:
    with restframe.open(tmp_path / "warehouse") as opened:
        for name, data in zip(("rides", "pairs"), archives, strict=True):
            url = ObjectUrl.parse(f"s3://models/{name}/model.tar.gz")
            opened.storage.put(url, data)
            opened.deploy(str(url), name)
        yield opened


@pytest.fixture
def session(warehouse: Warehouse) -> Iterator[Session]:
    with warehouse.session() as opened:
        opened.execute("CREATE TABLE rides (id int, n int, x float8, note varchar(20))")
        opened.execute("INSERT INTO rides VALUES (1, 9000, 0.5, 'a'), (2, 39000, 7, 'b'), (3, 9000, 0.5, 'c')")
        opened.execute("INSERT INTO rides VALUES (4, NULL, NULL, NULL)")
        yield opened


def model(
    name: str = "m", function: str = "score(int)", returns: str = "decimal(10,6)", endpoint: str = "rides"
) -> str:
    return f"CREATE MODEL {name} FUNCTION {function} RETURNS {returns} SAGEMAKER '{endpoint}' IAM_ROLE default"


def rows(session: Session, text: str) -> list[tuple[object, ...]]:
    return session.execute(text).fetchall()


def library_score(warehouse: Warehouse, *values: float, endpoint: str = "rides") -> float:
    predictor = warehouse.jobs.predictor(endpoint)
    assert predictor is not None
    return float(predictor.predict(np.array([values]))[0])


def cut(score: float) -> Decimal:
    """To six decimals, as Redshift cuts it."""
    return Decimal(repr(score)).quantize(Decimal("0.000001"), rounding="ROUND_DOWN")


# The document


def test_the_document_from_the_first_statement_to_the_last(warehouse: Warehouse) -> None:
    lines = ["timestamp,value"]
    for half_hour in range(4000):
        value = 39197 if half_hour == 1000 else 8000 + (half_hour * 7919) % 12_000
        lines.append(
            f"2014-{half_hour // 1400 + 7:02}-{half_hour // 48 % 28 + 1:02} {half_hour // 2 % 24:02}:00:00,{value}"
        )
    url = "s3://sagemaker-sample-files/datasets/tabular/anomaly_benchmark_taxi/NAB_nyc_taxi.csv"
    warehouse.storage.put(ObjectUrl.parse(url), "\n".join(lines).encode())

    with warehouse.session() as session:
        session.execute(CREATE_TABLE)
        session.execute(COPY)
        session.execute(CREATE_MODEL)
        assert rows(session, "show model public.remote_random_cut_forest")[4] == ("Model State", "READY")

        scored = rows(session, SCORES)
        assert len(scored) == 4000
        assert all(score == cut(library_score(warehouse, n)) for _, n, score in scored[:50])  # type: ignore[arg-type]

        anomalies = rows(session, ANOMALIES)
        assert anomalies[0][1] == 39197
        scores = np.array([float(score) for _, _, score in scored])  # type: ignore[arg-type]
        cutoff = scores.mean() + 3 * scores.std(ddof=1)
        assert {n for _, n, _ in anomalies} == {n for _, n, score in scored if float(score) > cutoff}  # type: ignore[arg-type]

        session.execute(CLEAN_UP)
        assert rows(session, "show model all") == []
        with pytest.raises(errors.UndefinedTable):
            session.execute("select 1 from public.rcf_taxi_data")
        assert warehouse.jobs.endpoint("rides").status == "InService"


def test_show_model_prints_twelve_rows_in_this_order(session: Session) -> None:
    session.execute(CREATE_MODEL)
    result = session.execute("SHOW MODEL public.remote_random_cut_forest")
    assert [column.name for column in result.columns] == ["Key", "Value"]
    shown = result.fetchall()
    created = str(shown[3][1])
    assert shown == [
        ("Model Name", "remote_random_cut_forest"),
        ("Schema Name", "public"),
        ("Owner", "awsuser"),
        ("Creation Time", created),
        ("Model State", "READY"),
        ("", ""),
        ("PARAMETERS:", ""),
        ("Endpoint", "rides"),
        ("Function Name", "remote_fn_rcf"),
        ("Inference Type", "Remote"),
        ("Function Parameter Types", "int4"),
        ("IAM Role", "arn:aws:iam::123456789012:role/RedshiftML"),
    ]
    assert datetime.strptime(created, TIME).strftime(TIME) == created


def test_show_model_of_several_arguments_and_the_default_role(session: Session) -> None:
    session.execute(
        model(function="f(smallint, bigint, float, real, decimal(8,2), varchar(20), char(3), boolean, date)")
    )
    shown = dict(rows(session, "show model m"))
    assert shown["Function Parameter Types"] == "int2 int8 float8 float4 numeric varchar bpchar bool date"
    assert shown["IAM Role"] == "default-aws-iam-role"


def test_the_lists_of_models(session: Session) -> None:
    session.execute("CREATE SCHEMA lab")
    session.execute(model("second", "f(int)"))
    session.execute(model("first", "g(int)"))
    session.execute(model("lab.third", "f(int)"))
    result = session.execute("SHOW MODEL ALL")
    assert [column.name for column in result.columns] == ["Schema Name", "Model Name"]
    assert result.fetchall() == [("lab", "third"), ("public", "first"), ("public", "second")]
    assert rows(session, "select * from stv_ml_model_info where schema_name = 'lab'") == [
        ("lab", "awsuser", "third", "CREATED", 1, "Model is Ready")
    ]
    result = session.execute("select * from svv_ml_model_info where model_name = 'first'")
    assert [column.name for column in result.columns] == [
        "database_name", "schema_name", "user_name", "model_name", "life_cycle", "is_refreshable", "model_state",
    ]  # fmt: skip
    assert result.fetchall() == [("dev", "public", "awsuser", "first", "CREATED", 1, "Model is Ready")]


# Names


def test_quotes_may_touch_the_words(session: Session) -> None:
    session.execute("CREATE MODEL m FUNCTION f(int)RETURNS float SAGEMAKER'rides' IAM_ROLE'arn:aws:iam::1:role/r'")
    assert dict(rows(session, "show model m"))["IAM Role"] == "arn:aws:iam::1:role/r"
    assert rows(session, "select f(9000) > 0") == [(True,)]


def test_drop_and_create_in_one_text(session: Session) -> None:
    for _ in range(2):
        session.execute("drop model if exists m;" + model())
    assert rows(session, "show model all") == [("public", "m")]
    assert rows(session, "select score(n) is null from rides order by id") == [(False,), (False,), (False,), (True,)]


def test_a_function_is_overloaded_by_its_number_of_arguments(session: Session, warehouse: Warehouse) -> None:
    session.execute(model("one", "f(int)"))
    session.execute(model("two", "f(float8, float8)", endpoint="pairs"))
    expected = (cut(library_score(warehouse, 9000)), cut(library_score(warehouse, 0.5, 0.25, endpoint="pairs")))
    assert rows(session, "select f(9000), f(0.5, 0.25)") == [expected]
    with pytest.raises(errors.UndefinedFunction) as caught:
        session.execute("select f(1, 2, 3)")
    assert caught.value.message == "function f takes 1 or 2 arguments, not 3"
    assert (caught.value.sqlstate, caught.value.position) == ("42883", 8)
    session.execute("drop model one")
    with pytest.raises(errors.UndefinedFunction, match="function f takes 2 arguments, not 1"):
        session.execute("select f(1)")


def test_a_function_stands_in_its_models_schema_unless_it_names_one(session: Session) -> None:
    session.execute("CREATE SCHEMA lab")
    session.execute(model("lab.here", "f(int)"))
    session.execute(model("lab.there", "public.g(int)"))
    assert len(rows(session, "select lab.f(n), public.g(n), g(n) from rides")) == 4
    for missing in ("f", "public.f", "lab.g"):
        with pytest.raises(errors.UndefinedFunction, match=rf"function {missing}\(integer\) does not exist"):
            session.execute(f"select {missing}(n) from rides")
    with pytest.raises(errors.UndefinedObject, match='model "here" does not exist'):
        session.execute("show model here")


def test_the_search_path_finds_models_and_functions(session: Session) -> None:
    session.execute("CREATE SCHEMA lab")
    session.execute("SET search_path TO lab, public")
    session.execute(model("m", "f(int)", "boolean"))
    assert rows(session, "show model all") == [("lab", "m")]
    session.execute(model("public.m", "f(int)", "float"))
    assert rows(session, "select f(9000)") == [(True,)]
    assert dict(rows(session, "show model m"))["Schema Name"] == "lab"
    session.execute("SET search_path TO public, lab")
    assert dict(rows(session, "show model m"))["Schema Name"] == "public"
    assert rows(session, "select f(39000) > 2") == [(True,)]
    session.execute("drop model m")
    assert rows(session, "show model all") == [("lab", "m")]


def test_names_are_folded(session: Session) -> None:
    session.execute(model('"Public".MyModel', "Score(int)"))
    assert rows(session, 'select SCORE(9000) = Public."Score"(9000)') == [(True,)]
    assert rows(session, "show model MYMODEL")[0] == ("Model Name", "mymodel")


def test_sessions_see_models_of_each_other_when_they_are_committed(warehouse: Warehouse, session: Session) -> None:
    with warehouse.session() as other:
        session.execute("BEGIN")
        session.execute(model())
        assert rows(session, "select score(9000) > 0") == [(True,)]
        with pytest.raises(errors.UndefinedFunction):
            other.execute("select score(9000)")
        session.execute("COMMIT")
        assert rows(other, "select score(9000) > 0") == [(True,)]
        session.execute("DROP MODEL m")
        with pytest.raises(errors.UndefinedFunction):
            other.execute("select score(9000)")


# Where a call may stand


@pytest.fixture
def scored(session: Session) -> Session:
    """Rides with a model: scores 'ordinary' for 9000, and far above for 39000."""
    session.execute(model())
    return session


def test_in_where_by_its_alias(scored: Session) -> None:
    assert rows(scored, "select id, score(n) as s from rides where s > 2") == rows(
        scored, "select id, score(n) from rides where score(n) > 2"
    )
    assert rows(scored, "select id, score(n) as s from rides where s > 2 and id < 10")[0][0] == 2


def test_in_group_by_having_and_order_by(scored: Session) -> None:
    counted = rows(scored, "select score(n) s, count(*) from rides group by 1 order by 1")
    assert [count for _, count in counted] == [2, 1, 1]
    assert rows(scored, "select count(*) from rides group by score(n) having score(n) > 2") == [(1,)]
    assert rows(scored, "select id from rides where n is not null order by score(n) desc, id") == [(2,), (1,), (3,)]


def test_in_windows(scored: Session) -> None:
    assert rows(scored, "select id, rank() over (order by score(n) desc nulls last) from rides order by 1") == [
        (1, 2), (2, 1), (3, 2), (4, 4),
    ]  # fmt: skip
    found = rows(scored, "select sum(score(n)) over (order by id rows unbounded preceding) from rides order by id")
    assert found[0][0] < found[1][0] < found[2][0] == found[3][0]  # type: ignore[operator]


def test_in_joins_and_subqueries(scored: Session) -> None:
    assert rows(scored, "select a.id from rides a join rides b on score(a.n) = score(b.n) and a.id < b.id") == [(1,)]
    assert rows(scored, "select id from rides where score(n) = (select max(score(n)) from rides)") == [(2,)]
    assert rows(scored, "select max(s) > 2 from (select score(n) as s from rides) t") == [(True,)]


def test_in_statements_that_change_rows(scored: Session) -> None:
    scored.execute("CREATE TABLE kept AS SELECT id, n, score(n) AS s FROM rides")
    assert str(scored.execute("select * from kept limit 0").columns[2].type) == "numeric(10,6)"
    scored.execute("INSERT INTO kept SELECT id + 10, n, score(n) FROM rides WHERE n > 10000")
    scored.execute("INSERT INTO kept VALUES (20, 7, score(39000))")
    scored.execute("UPDATE kept SET s = score(39000) WHERE id = 4")
    scored.execute("DELETE FROM kept WHERE score(n) < 2 AND id < 20")
    assert rows(scored, "select id, s = score(39000) from kept order by id") == [
        (2, True), (4, True), (12, True), (20, True),
    ]  # fmt: skip
    scored.execute("UNLOAD ('select id, score(n) from rides order by id') TO 's3://reports/s_' CSV PARALLEL OFF")
    scored.execute("SELECT id, score(n) INTO TEMP t FROM rides")
    assert rows(scored, "select count(*) from t where score > 2") == [(1,)]


def test_in_explain_which_asks_nobody(scored: Session) -> None:
    assert scored.execute("EXPLAIN SELECT score(n) FROM rides").fetchall()
    assert scored.execute("EXPLAIN SELECT score(1)").fetchall()


def test_with_parameters(scored: Session) -> None:
    assert scored.execute("select score(?) > 2, score(n) > ? from rides where id = ?", (39000, 2, 1)).fetchall() == [
        (True, False)
    ]


def test_views_call_models_and_still_do_when_the_warehouse_is_opened_again(
    tmp_path: Path, archives: tuple[bytes, bytes]
) -> None:
    with restframe.open(tmp_path / "w") as warehouse:
        warehouse.storage.put(ARCHIVE, archives[0])
        warehouse.deploy(str(ARCHIVE), "rides")
        warehouse.sql("CREATE TABLE rides (n int); INSERT INTO rides VALUES (9000), (39000)")
        warehouse.sql(model())
        warehouse.sql("CREATE VIEW scores AS SELECT n, score(n) AS s, score(n + 1) AS t FROM rides")
        warehouse.sql("CREATE VIEW high AS SELECT n FROM scores WHERE s > 2")
        before = warehouse.sql("select * from scores order by n").fetchall()
        assert warehouse.sql("select * from high").fetchall() == [(39000,)]
    with restframe.open(tmp_path / "w") as warehouse:
        assert warehouse.sql("select * from high").fetchall() == [(39000,)]
        assert warehouse.sql("select * from scores order by n").fetchall() == before
        assert warehouse.sql("select score(n) from rides order by n").fetchall() == [(s,) for _, s, _ in before]


def test_a_model_that_views_call_stays(scored: Session) -> None:
    scored.execute("CREATE VIEW scores AS SELECT score(n) AS s FROM rides")
    scored.execute("CREATE VIEW high AS SELECT * FROM scores WHERE s > 2")
    with pytest.raises(errors.DependentObjectsStillExist) as caught:
        scored.execute("DROP MODEL m")
    assert caught.value.message == "cannot drop model m because other objects depend on it"
    assert caught.value.detail == "dependent views: public.high, public.scores"
    scored.execute("DROP VIEW scores CASCADE; DROP MODEL m")
    assert rows(scored, "show model all") == []


def test_dropping_a_schema_takes_its_models_and_the_views_that_call_them(session: Session) -> None:
    session.execute("CREATE SCHEMA lab")
    session.execute(model("lab.m", "f(int)"))
    session.execute("CREATE VIEW scores AS SELECT lab.f(n) AS s FROM rides")
    with pytest.raises(errors.DependentObjectsStillExist):
        session.execute("DROP SCHEMA lab")
    result = session.execute("DROP SCHEMA lab CASCADE")
    assert {notice.message for notice in result.notices} == {
        "drop cascades to view public.scores",
        "drop cascades to model lab.m",
    }
    with pytest.raises(errors.UndefinedTable):
        session.execute("SELECT * FROM scores")


# Values


def test_null_is_not_asked_and_is_null(scored: Session) -> None:
    assert rows(scored, "select score(n) from rides where id = 4") == [(None,)]
    assert rows(scored, "select score(null), score(nullif(1, 1))") == [(None, None)]


def test_one_null_of_several_makes_a_forests_score_null(session: Session) -> None:
    session.execute(model("p", "pair(float8, float8)", endpoint="pairs"))
    assert rows(session, "select pair(1, 2) is null, pair(1, null), pair(null, 2), pair(null, null)") == [
        (False, None, None, None)
    ]


@pytest.mark.parametrize(
    ("returns", "expected"),
    [
        ("decimal(10,6)", lambda score: cut(score)),
        ("decimal(5,2)", lambda score: Decimal(repr(score)).quantize(Decimal("0.01"), rounding="ROUND_DOWN")),
        ("decimal(30,12)", lambda score: Decimal(repr(score)).quantize(Decimal(10) ** -12, rounding="ROUND_DOWN")),
        ("int", int),
        ("smallint", int),
        ("bigint", int),
        ("float8", float),
        ("real", lambda score: float(np.float32(score))),
        ("varchar(30)", repr),
        ("boolean", bool),
    ],
)
def test_the_answer_is_what_returns_says(
    returns: str, expected: object, session: Session, warehouse: Warehouse
) -> None:
    session.execute(model(returns=returns))
    score = library_score(warehouse, 39000)
    assert score > 2
    assert callable(expected)
    assert rows(session, "select score(39000)") == [(expected(score),)]


def test_an_answer_that_does_not_fit_returns_is_an_error(session: Session) -> None:
    session.execute(model(returns="decimal(3,3)"))
    with pytest.raises(errors.NumericValueOutOfRange, match=r"the model's answer [\d.]+ does not fit numeric\(3,3\)"):
        session.execute("select score(39000)").fetchall()
    assert rows(session, "select 1") == [(1,)]


def test_arguments_are_cast_to_the_declared_types(session: Session, warehouse: Warehouse) -> None:
    session.execute(model())
    assert rows(session, "select score('39000'), score(39000.4), score(39000::bigint), score(390 * 100)") == [
        (cut(library_score(warehouse, 39000)),) * 4
    ]
    with pytest.raises(errors.DataError):
        session.execute("select score(note) from rides").fetchall()
    with pytest.raises(errors.NumericValueOutOfRange):
        session.execute("select score(n::bigint * 1000000) from rides").fetchall()


def test_a_forest_is_told_numbers_only(session: Session) -> None:
    session.execute(model("t", "by_text(varchar)"))
    session.execute(model("d", "by_date(date)"))
    assert rows(session, "select by_text('39000') > 2") == [(True,)]
    with pytest.raises(errors.InvalidTextRepresentation, match=r"the model takes numbers: .*'[abc]'"):
        session.execute("select by_text(note) from rides").fetchall()
    with pytest.raises(errors.DatatypeMismatch, match=r"the model takes numbers, not date32\[day\]"):
        session.execute("select by_date('2020-01-01')").fetchall()


def test_a_forest_of_two_dimensions_takes_two_arguments(session: Session) -> None:
    session.execute(model("p", "pair(float8)", endpoint="pairs"))
    with pytest.raises(errors.EndpointFailed, match="the model takes 2 values a row, and its function has 1"):
        session.execute("select pair(x) from rides").fetchall()


# Transactions


def test_a_model_that_was_rolled_back_never_was(session: Session) -> None:
    session.execute("BEGIN")
    session.execute(model())
    session.execute("CREATE TABLE kept AS SELECT score(n) AS s FROM rides")
    assert rows(session, "select count(*) from kept where s > 2") == [(1,)]
    session.execute("ROLLBACK")
    assert rows(session, "show model all") == []
    with pytest.raises(errors.UndefinedFunction) as caught:
        session.execute("select score(1)")
    assert caught.value.message == "function score(integer) does not exist"
    session.execute(model())
    assert rows(session, "select score(39000) > 2") == [(True,)]


def test_drop_model_commits(session: Session) -> None:
    session.execute(model())
    session.execute("BEGIN")
    session.execute("INSERT INTO rides VALUES (5)")
    session.execute("DROP MODEL m")
    session.execute("ROLLBACK")
    assert rows(session, "select count(*) from rides") == [(5,)]
    assert rows(session, "show model all") == []


def test_a_dropped_model_cannot_be_called_and_its_name_is_free(session: Session, warehouse: Warehouse) -> None:
    session.execute(model())
    before = rows(session, "select score(39000)")
    session.execute("DROP MODEL m")
    with pytest.raises(errors.UndefinedFunction) as caught:
        session.execute("select score(39000)")
    assert (caught.value.message, caught.value.sqlstate) == ("function score(integer) does not exist", "42883")
    with pytest.raises(errors.UndefinedObject) as gone:
        session.execute("DROP MODEL public.m")
    assert (gone.value.message, gone.value.position) == ('model "public.m" does not exist', 12)
    session.execute(model(returns="float8"))
    assert rows(session, "select score(39000)") == [(library_score(warehouse, 39000),)] != before
    assert session.execute("DROP MODEL IF EXISTS nobody").notices[0].message == (
        'Model "nobody" does not exist and will be skipped'
    )


# What CREATE MODEL refuses


def test_names_that_are_taken(session: Session) -> None:
    session.execute(model("m", "f(int)"))
    refusals = {
        model("m", "g(int)"): (errors.DuplicateObject, 'model "m" already exists', "m FUNCTION"),
        model("n", "f(int)"): (
            errors.DuplicateFunction,
            'function "f" already exists with same argument types',
            "f(int)",
        ),
        model("n", "f(varchar)"): (
            errors.NotSupportedError,
            'function "f" exists with as many arguments of other types',
            "f(varchar)",
        ),
        model("nowhere.n", "g(int)"): (errors.UndefinedSchema, 'schema "nowhere" does not exist', "nowhere"),
        model("n", "nowhere.g(int)"): (errors.UndefinedSchema, 'schema "nowhere" does not exist', "nowhere"),
    }
    for text, (kind, message, place) in refusals.items():
        with pytest.raises(kind) as caught:
            session.execute(text)
        assert (caught.value.message, caught.value.position) == (message, text.index(place) + 1)
    assert rows(session, "show model all") == [("public", "m")]


def test_an_endpoint_that_is_unknown_or_not_ready(warehouse: Warehouse, session: Session) -> None:
    text = model(endpoint="nobody")
    with pytest.raises(errors.UndefinedObject) as caught:
        session.execute(text)
    assert caught.value.message == 'endpoint "nobody" does not exist'
    assert caught.value.position == text.index("SAGEMAKER") + 1

    warehouse.storage.put(ObjectUrl.parse("s3://models/broken/model.tar.gz"), b"not an archive")
    endpoints = warehouse.jobs.endpoints
    endpoints.models.create(ModelSpec("broken", "random_cut_forest", "s3://models/broken/model.tar.gz"))
    endpoints.models.create_config(EndpointConfig("broken", "broken"))
    endpoints.create("broken", "broken")
    with pytest.raises(errors.EndpointNotReady):
        warehouse.jobs.endpoint("broken").wait()
    with pytest.raises(errors.EndpointNotReady, match='endpoint "broken" is Failed') as failed:
        session.execute(model(endpoint="broken"))
    assert failed.value.sqlstate == "55000"


def test_an_endpoint_that_is_deleted_later_and_comes_back(
    warehouse: Warehouse, session: Session, archives: tuple[bytes, bytes]
) -> None:
    session.execute(model())
    before = rows(session, "select score(39000)")
    warehouse.jobs.remove("rides")
    with pytest.raises(errors.UndefinedObject, match='endpoint "rides" does not exist'):
        session.execute("select score(n) from rides").fetchall()
    assert dict(rows(session, "show model m"))["Endpoint"] == "rides"
    warehouse.deploy("s3://models/rides/model.tar.gz", "rides")
    assert rows(session, "select score(39000)") == before


def test_an_endpoint_that_is_updated_answers_anew(warehouse: Warehouse, session: Session) -> None:
    session.execute(model("p", "pair(float8, float8)", endpoint="rides"))
    with pytest.raises(errors.EndpointFailed):
        session.execute("select pair(1, 2)").fetchall()
    warehouse.jobs.endpoints.update("rides", "pairs")
    warehouse.jobs.endpoint("rides").wait()
    assert rows(session, "select pair(1, 2)") == [(cut(library_score(warehouse, 1, 2, endpoint="pairs")),)]


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        (model(returns="super"), "RETURNS super is not supported for remote inference", "score"),
        (model(returns="date"), "RETURNS date is not supported for remote inference", "score"),
        (
            model().replace("'rides'", "'rides':'second'"),
            "endpoints of several models are not supported",
            "SAGEMAKER",
        ),
        (
            "CREATE MODEL m FROM rides TARGET n FUNCTION f IAM_ROLE default SETTINGS (S3_BUCKET 'b')",
            "AUTO ON",
            "m FROM",
        ),
        (
            "CREATE MODEL m FROM rides TARGET n FUNCTION f IAM_ROLE default AUTO OFF MODEL_TYPE XGBOOST "
            "OBJECTIVE 'reg:squarederror' PREPROCESSORS 'none' HYPERPARAMETERS DEFAULT SETTINGS (S3_BUCKET 'b')",
            "MODEL_TYPE XGBOOST",
            "m FROM",
        ),
        (
            "CREATE MODEL m FROM rides FUNCTION f IAM_ROLE default AUTO OFF MODEL_TYPE KMEANS PREPROCESSORS 'none' "
            "HYPERPARAMETERS DEFAULT EXCEPT (K '5') SETTINGS (S3_BUCKET 'b')",
            "MODEL_TYPE KMEANS",
            "m FROM",
        ),
        (
            "CREATE MODEL m FROM 's3://b/m.tar.gz' FUNCTION f(int) RETURNS int IAM_ROLE default "
            "SETTINGS (S3_BUCKET 'b')",
            "local inference",
            "m FROM",
        ),
        (
            "CREATE EXTERNAL MODEL m FUNCTION f IAM_ROLE default MODEL_TYPE BEDROCK SETTINGS (MODEL_ID 'x')",
            "MODEL_TYPE BEDROCK",
            "m FUNCTION",
        ),
    ],
)  # fmt: skip
def test_what_is_not_done_is_refused_by_name(text: str, words: str, place: str, session: Session) -> None:
    with pytest.raises(errors.NotSupportedError) as caught:
        session.execute(text)
    assert words in caught.value.message
    assert caught.value.position == text.index(place) + 1
    assert rows(session, "show model all") == []
