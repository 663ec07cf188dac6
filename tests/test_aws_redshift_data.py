"""Statements through the Data API with boto3: execute, batch, describe, cancel, list, sessions, logins."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from restframe.aws.redshift_data import operations

TARGET = {"ClusterIdentifier": "redshift-cluster", "Database": "dev"}

Go = Callable[..., dict[str, Any]]


@pytest.fixture
def data(aws: Any) -> Any:
    return aws.client("redshift-data")


@pytest.fixture
def go(data: Any) -> Go:
    """Run a text to its end, and describe it."""

    def run(sql: str, **options: Any) -> dict[str, Any]:
        run_id = data.execute_statement(Sql=sql, **{**TARGET, **options})["Id"]
        described: dict[str, Any] = data.describe_statement(Id=run_id, WaitTimeSeconds=30)
        return described

    return run


def refused(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_all_twelve_operations_are_served(data: Any) -> None:
    assert operations.names() == sorted(data.meta.service_model.operation_names)


# Executing and describing


def test_a_query(data: Any) -> None:
    accepted = data.execute_statement(Sql="select 1 as one", StatementName="first", WithEvent=True, **TARGET)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", accepted["Id"])
    assert (accepted["ClusterIdentifier"], accepted["Database"]) == ("redshift-cluster", "dev")
    assert accepted["DbUser"] == "awsuser"
    assert "Status" not in accepted
    described = data.describe_statement(Id=accepted["Id"], WaitTimeSeconds=30)
    assert described["CreatedAt"] == accepted["CreatedAt"] <= described["UpdatedAt"]
    assert described["Duration"] > 0
    assert described["RedshiftPid"] > 0
    assert described["RedshiftQueryId"] > 0
    assert described["ResultSize"] > 0
    for name, value in {
        "Id": accepted["Id"], "Status": "FINISHED", "QueryString": "select 1 as one", "HasResultSet": True,
        "ResultRows": 1, "ResultFormat": "JSON", "Database": "dev", "DbUser": "awsuser",
        "ClusterIdentifier": "redshift-cluster",
    }.items():  # fmt: skip
        assert described[name] == value, name
    result = data.get_statement_result(Id=accepted["Id"])
    assert (result["Records"], result["TotalNumRows"]) == ([[{"longValue": 1}]], 1)
    assert "NextToken" not in result


def test_ddl_counts_no_rows(go: Go) -> None:
    described = go("drop table if exists t; create table t (a int)")
    assert (described["Status"], described["ResultRows"], described["HasResultSet"]) == ("FINISHED", 0, False)
    assert go("insert into t values (1), (2)")["ResultRows"] == 2


def test_a_blank_statement(go: Go) -> None:
    assert go("  \n")["Status"] == "FINISHED"


def test_a_failing_statement(data: Any, go: Go) -> None:
    described = go("select * from nowhere")
    assert (described["Status"], described["ResultRows"], described["ResultSize"]) == ("FAILED", -1, -1)
    assert described["Error"] == 'ERROR: relation "nowhere" does not exist\n  Position: 15'
    assert refused(data.get_statement_result, Id=described["Id"]) == (
        "ValidationException",
        "Query does not have result. Please check query status with DescribeStatement.",
    )


def test_waiting_for_the_end_while_executing(
    data: Any, endless: str, eventually: Callable[[Callable[[], object]], None]
) -> None:
    done = data.execute_statement(Sql="select 1", WaitTimeSeconds=30, **TARGET)
    assert (done["Status"], done["HasResultSet"]) == ("FINISHED", True)
    assert done["RedshiftPid"] > 0
    going_on = data.execute_statement(Sql=endless, WaitTimeSeconds=1, **TARGET)
    assert going_on["Status"] in ("SUBMITTED", "PICKED", "STARTED")
    eventually(lambda: data.describe_statement(Id=going_on["Id"])["Status"] == "STARTED")
    cancelling = threading.Timer(0.3, data.cancel_statement, kwargs={"Id": going_on["Id"]})
    cancelling.start()
    assert data.describe_statement(Id=going_on["Id"], WaitTimeSeconds=30)["Status"] == "ABORTED"
    cancelling.join()


def test_parameters(data: Any, go: Go) -> None:
    parameters = [{"name": "a", "value": "7"}, {"name": "b", "value": "it's"}]
    described = go("select :a + 1 as a, :b as b", Parameters=parameters)
    assert described["QueryParameters"] == parameters
    assert data.get_statement_result(Id=described["Id"])["Records"] == [[{"longValue": 8}, {"stringValue": "it's"}]]
    assert refused(data.execute_statement, Sql="select :a", Parameters=parameters, **TARGET) == (
        "ValidationException",
        "Parameters list contains unused parameters. Unused parameters: [b]",
    )


def test_a_text_over_100_kb(data: Any) -> None:
    assert refused(data.execute_statement, Sql="-" * 102_401, **TARGET) == (
        "ValidationException",
        "Cannot process query string larger than 100kB",
    )


def test_unknown_and_malformed_ids(data: Any) -> None:
    unknown = "00000000-0000-0000-0000-000000000000"
    for call in (data.describe_statement, data.cancel_statement, data.get_statement_result):
        with pytest.raises(data.exceptions.ResourceNotFoundException) as caught:
            call(Id=unknown)
        assert caught.value.response["ResourceId"] == unknown
        assert caught.value.response["Error"]["Message"] == "Query does not exist."
    assert refused(data.describe_statement, Id="nonsense")[0] == "ValidationException"


def test_one_token_one_statement(data: Any, go: Go) -> None:
    go("create table t (a int)")
    start = threading.Barrier(4)
    ids = []

    def client() -> None:
        start.wait()
        ids.append(data.execute_statement(Sql="insert into t values (1)", ClientToken="once", **TARGET)["Id"])

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 1
    data.describe_statement(Id=ids[0], WaitTimeSeconds=30)
    count = go("select count(*) from t")
    assert data.get_statement_result(Id=count["Id"])["Records"] == [[{"longValue": 1}]]
    assert refused(data.execute_statement, Sql="select 2", ClientToken="once", **TARGET)[0] == "ValidationException"


# Batches


def test_a_batch(data: Any) -> None:
    sqls = ["create table t (a int)", "insert into t values (:a), (:b)", "select sum(a) as s from t where a < :b"]
    parameters = [{"name": "a", "value": "3"}, {"name": "b", "value": "5"}]
    batch_id = data.batch_execute_statement(Sqls=sqls, Parameters=parameters, **TARGET)["Id"]
    described = data.describe_statement(Id=batch_id, WaitTimeSeconds=30)
    assert (described["Status"], described["HasResultSet"]) == ("FINISHED", True)
    assert (described["ResultRows"], described["ExecutionMode"]) == (-1, "TRANSACTION")
    assert "QueryString" not in described
    parts = described["SubStatements"]
    assert [part["Id"] for part in parts] == [f"{batch_id}:1", f"{batch_id}:2", f"{batch_id}:3"]
    assert [part["QueryString"] for part in parts] == sqls
    assert [part["ResultRows"] for part in parts] == [0, 2, 1]
    assert [part["HasResultSet"] for part in parts] == [False, False, True]
    assert described["Duration"] == sum(part["Duration"] for part in parts)

    assert data.get_statement_result(Id=f"{batch_id}:3")["Records"] == [[{"longValue": 3}]]
    sub = data.describe_statement(Id=f"{batch_id}:3")
    assert (sub["Id"], sub["QueryString"], sub["Status"]) == (f"{batch_id}:3", sqls[2], "FINISHED")
    for wrong in (batch_id, f"{batch_id}:1"):
        assert refused(data.get_statement_result, Id=wrong)[0] == "ValidationException"
    for missing in (f"{batch_id}:0", f"{batch_id}:4"):
        assert refused(data.describe_statement, Id=missing)[0] == "ResourceNotFoundException"


def test_a_batch_that_fails(data: Any, go: Go) -> None:
    go("create table t (a int)")
    sqls = ["insert into t values (1)", "select 1 / 0", "select 2"]
    batch_id = data.batch_execute_statement(Sqls=sqls, **TARGET)["Id"]
    described = data.describe_statement(Id=batch_id, WaitTimeSeconds=30)
    assert described["Status"] == "FAILED"
    assert described["Error"] == "Query #2 failed with ERROR: division by zero"
    assert [part["Status"] for part in described["SubStatements"]] == ["FINISHED", "FAILED", "ABORTED"]
    count = go("select count(*) from t")
    assert data.get_statement_result(Id=count["Id"])["Records"] == [[{"longValue": 0}]]

    batch_id = data.batch_execute_statement(Sqls=sqls, ExecutionMode="AUTO_COMMIT", **TARGET)["Id"]
    described = data.describe_statement(Id=batch_id, WaitTimeSeconds=30)
    assert [part["Status"] for part in described["SubStatements"]] == ["FINISHED", "FAILED", "FINISHED"]
    assert refused(data.batch_execute_statement, Sqls=["select 1"] * 41, **TARGET)[0] == "ValidationException"


# Cancelling


def test_cancelling(data: Any, go: Go, endless: str) -> None:
    running = data.execute_statement(Sql=endless, **TARGET)["Id"]
    assert data.cancel_statement(Id=running)["Status"] is True
    assert data.describe_statement(Id=running, WaitTimeSeconds=30)["Status"] == "ABORTED"
    finished = go("select 1")["Id"]
    assert refused(data.cancel_statement, Id=finished) == (
        "ValidationException",
        f"Could not cancel a query that is already in FINISHED state with ID: {finished}",
    )


# Who runs it, and where


def test_whose_rights_a_statement_has(aws: Any, data: Any, go: Go) -> None:
    def user(**options: Any) -> str:
        described = go("select current_user", **options)
        assert described["DbUser"] == data.get_statement_result(Id=described["Id"])["Records"][0][0]["stringValue"]
        return str(described["DbUser"])

    secrets = aws.client("secretsmanager")
    arn = secrets.create_secret(Name="login", SecretString=json.dumps({"username": "ann", "password": "x"}))["ARN"]
    aws.warehouse.sql("CREATE USER ann PASSWORD DISABLE; CREATE USER bob PASSWORD DISABLE")
    assert user() == "awsuser"
    assert user(DbUser="bob") == "bob"
    assert user(SecretArn=arn) == "ann"
    assert user(SecretArn="login") == "ann"


def test_a_user_who_does_not_exist(data: Any, go: Go) -> None:
    described = go("select 1", DbUser="nobody")
    assert (described["Status"], described["Error"]) == ("FAILED", 'ERROR: user "nobody" does not exist')
    with pytest.raises(ClientError) as refused_to_list:
        data.list_tables(DbUser="nobody", **TARGET)
    assert refused_to_list.value.response["Error"]["Code"] == "DatabaseConnectionException"


def test_secrets_that_are_none(aws: Any, data: Any) -> None:
    secrets = aws.client("secretsmanager")
    missing = "arn:aws:secretsmanager:us-east-1:000000000000:secret:missing-AAAAAA"
    with pytest.raises(data.exceptions.ResourceNotFoundException) as caught:
        data.execute_statement(Sql="select 1", SecretArn=missing, **TARGET)
    assert caught.value.response["ResourceId"] == missing
    for number, text in enumerate(("no json", "[]", "{}", '{"username": 1}')):
        secrets.create_secret(Name=f"wrong{number}", SecretString=text)
        code, message = refused(data.execute_statement, Sql="select 1", SecretArn=f"wrong{number}", **TARGET)
        assert (code, message) == ("ValidationException", "The secret must be a JSON object with a username.")


def test_somebody_else_is_nobody_but_themselves(aws: Any) -> None:
    ann = aws.client("redshift-data", credentials=aws.backend.identity.keys.create("ann", "ann"))
    secrets = aws.client("secretsmanager")
    aws.warehouse.sql("CREATE USER bob PASSWORD DISABLE; CREATE USER kim PASSWORD 'Known2Kim'")
    password, _ = aws.backend.identity.database_password("bob", 900)
    secrets.create_secret(Name="of-kim", SecretString=json.dumps({"username": "kim", "password": "Known2Kim"}))
    secrets.create_secret(Name="right", SecretString=json.dumps({"username": "bob", "password": password}))
    secrets.create_secret(Name="wrong", SecretString=json.dumps({"username": "bob", "password": "guessed"}))
    assert ann.execute_statement(Sql="select 1", **TARGET)["DbUser"] == "ann"
    assert ann.execute_statement(Sql="select 1", SecretArn="right", **TARGET)["DbUser"] == "bob"
    assert ann.execute_statement(Sql="select 1", SecretArn="of-kim", **TARGET)["DbUser"] == "kim"
    aws.warehouse.sql("ALTER USER kim PASSWORD 'Other3Word'")
    for login in ({"DbUser": "awsuser"}, {"SecretArn": "wrong"}, {"SecretArn": "of-kim"}):
        code, message = refused(ann.execute_statement, Sql="select 1", **TARGET, **login)
        assert code == "AccessDeniedException"
        assert "guessed" not in message


def test_databases_and_targets(data: Any, go: Go) -> None:
    assert go("select 1", Database="elsewhere")["Error"] == 'FATAL: database "elsewhere" does not exist'
    assert data.execute_statement(Sql="select 1", WorkgroupName="default", Database="DEV")["WorkgroupName"] == "default"
    assert refused(data.execute_statement, Sql="select 1", ClusterIdentifier="c") == (
        "ValidationException",
        "Database name is required.",
    )
    assert (
        refused(data.execute_statement, Sql="select 1", WorkgroupName="default", **TARGET)[0] == "ValidationException"
    )


def test_a_paused_warehouse(aws: Any, data: Any, go: Go) -> None:
    aws.warehouse.pause()
    described = go("select 1")
    assert described["Status"] == "FAILED"
    assert described["Error"].startswith("ERROR: the warehouse is paused")
    with pytest.raises(data.exceptions.DatabaseConnectionException):
        data.list_tables(**TARGET)
    aws.warehouse.resume()
    assert go("select 1")["Status"] == "FINISHED"


# Listing


def test_listing_statements(data: Any, go: Go) -> None:
    good = [go("select 1", StatementName=f"good{number}")["Id"] for number in range(3)]
    failed = go("selec", StatementName="bad")["Id"]
    batch = data.batch_execute_statement(Sqls=["select 1", "select 2"], StatementName="both", **TARGET)["Id"]
    data.describe_statement(Id=batch, WaitTimeSeconds=30)

    def listed(**wanted: Any) -> list[str]:
        return [one["Id"] for one in data.list_statements(**wanted)["Statements"]]

    assert listed() == [batch, *good[::-1]]
    assert listed(Status="ALL") == [batch, failed, *good[::-1]]
    assert listed(Status="FAILED") == [failed]
    assert listed(StatementName="good") == good[::-1]
    assert listed(Database="dev", ClusterIdentifier="redshift-cluster", RoleLevel=False) == [batch, *good[::-1]]
    assert listed(ClusterIdentifier="another") == []
    shown = data.list_statements(StatementName="both")["Statements"][0]
    assert (shown["IsBatchStatement"], shown["QueryStrings"]) == (True, ["select 1", "select 2"])

    first = data.list_statements(MaxResults=3)
    second = data.list_statements(MaxResults=3, NextToken=first["NextToken"])
    assert [one["Id"] for page in (first, second) for one in page["Statements"]] == [batch, *good[::-1]]
    assert "NextToken" not in second
    code, message = refused(data.list_statements, MaxResults=3, Status="ALL", NextToken=first["NextToken"])
    assert (code, message) == ("ValidationException", "Invalid NextToken: it was not given for this request.")


def test_statements_of_the_role_and_of_the_session(aws: Any, data: Any, go: Go) -> None:
    mine = go("select 1")["Id"]
    other = aws.client("redshift-data", credentials=aws.backend.identity.keys.create("other"))
    theirs = other.execute_statement(Sql="select 2", WaitTimeSeconds=30, **TARGET)["Id"]
    assert {one["Id"] for one in data.list_statements()["Statements"]} == {mine, theirs}
    assert [one["Id"] for one in data.list_statements(RoleLevel=False)["Statements"]] == [mine]
    assert data.describe_statement(Id=theirs)["Status"] == "FINISHED"


def test_another_database_user_sees_and_uses_nothing_of_ours(aws: Any, data: Any, go: Go) -> None:
    opened = data.execute_statement(Sql="select 'ours'", SessionKeepAliveSeconds=60, WaitTimeSeconds=30, **TARGET)
    ann = aws.client("redshift-data", credentials=aws.backend.identity.keys.create("ann", "ann"))
    for call in (ann.describe_statement, ann.get_statement_result, ann.cancel_statement):
        assert refused(call, Id=opened["Id"])[0] == "ResourceNotFoundException"
    assert refused(ann.execute_statement, Sql="select 1", SessionId=opened["SessionId"])[0] == "ValidationException"
    assert ann.list_statements()["Statements"] == ann.list_sessions()["Sessions"] == []


# Sessions


def test_a_session(data: Any, go: Go, endless: str) -> None:
    opened = data.execute_statement(Sql="create temp table t as select 5 as a", SessionKeepAliveSeconds=60, **TARGET)
    session_id = opened["SessionId"]
    data.describe_statement(Id=opened["Id"], WaitTimeSeconds=30)

    def inside(sql: str) -> dict[str, Any]:
        accepted = data.execute_statement(Sql=sql, SessionId=session_id, WaitTimeSeconds=30)
        described: dict[str, Any] = data.describe_statement(Id=accepted["Id"])
        return described

    described = inside("select a from t")
    assert (described["SessionId"], described["Database"]) == (session_id, "dev")
    assert data.get_statement_result(Id=described["Id"])["Records"] == [[{"longValue": 5}]]
    (listed,) = data.list_sessions()["Sessions"]
    assert (listed["SessionId"], listed["Status"], listed["SessionAliveSeconds"]) == (session_id, "AVAILABLE", 60)
    assert (listed["Database"], listed["DbUser"]) == ("dev", "awsuser")
    assert listed["ClusterIdentifier"] == "redshift-cluster"

    busy = data.execute_statement(Sql=endless, SessionId=session_id)["Id"]
    (listed,) = data.list_sessions(SessionId=session_id)["Sessions"]
    assert (listed["Status"], listed["CurrentStatementId"]) == ("BUSY", busy)
    not_available = ("ValidationException", "Session is not available")
    assert refused(data.execute_statement, Sql="select 1", SessionId=session_id) == not_available
    data.cancel_statement(Id=busy)
    data.describe_statement(Id=busy, WaitTimeSeconds=30)  # until the session is free again

    data.execute_statement(Sql="select 1", SessionId=session_id, SessionKeepAliveSeconds=0, WaitTimeSeconds=30)
    assert data.list_sessions()["Sessions"] == []
    assert [one["SessionId"] for one in data.list_sessions(Status="CLOSED")["Sessions"]] == [session_id]
    assert refused(data.execute_statement, Sql="select 1", SessionId=session_id) == not_available


def test_sessions_that_are_none(data: Any) -> None:
    unknown = "00000000-0000-0000-0000-000000000000"
    assert refused(data.execute_statement, Sql="select 1", SessionId=unknown) == (
        "ValidationException",
        f"Session with Id: {unknown} is invalid",
    )
    assert refused(data.list_sessions, SessionId=unknown)[0] == "ResourceNotFoundException"
    with pytest.raises(data.exceptions.ResourceNotFoundException) as caught:
        data.list_sessions(SessionId="a" * 5000)
    assert caught.value.response["Error"]["Message"] == f"Session with Id: {'a' * 100} is invalid"
    assert caught.value.response["ResourceId"] == "a" * 100
    assert refused(data.list_sessions, SessionId=unknown, Status="BUSY")[0] == "ValidationException"
    assert refused(data.execute_statement, Sql="select 1", SessionId=unknown, DbUser="ann")[0] == "ValidationException"


def test_pages_of_sessions(data: Any) -> None:
    for _ in range(3):
        data.execute_statement(Sql="select 1", SessionKeepAliveSeconds=60, WaitTimeSeconds=30, **TARGET)
    first = data.list_sessions(MaxResults=2)
    second = data.list_sessions(MaxResults=2, NextToken=first["NextToken"])
    assert len({one["SessionId"] for page in (first, second) for one in page["Sessions"]}) == 3
