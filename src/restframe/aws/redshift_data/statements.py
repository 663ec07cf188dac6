"""ExecuteStatement, BatchExecuteStatement, DescribeStatement, CancelStatement, ListStatements and ListSessions."""

from __future__ import annotations

import json
import time
from typing import Any

from restframe.aws.operation import Call, Input, Output
from restframe.aws.redshift_data import login
from restframe.aws.redshift_data.service import (
    asks_to_wait,
    caller,
    check_one_target,
    invalid,
    not_found,
    operations,
    page_of,
    read_token,
    write_token,
)
from restframe.warehouse.runs import Filter, KeptSession, NoSuchRun, NoSuchSession, Part, Request, Run

_MOST_LISTED = 100

# Most statements are over when they are first asked about, or nearly. Who is told that one is not asks again after a
# second.
_YOUNG_S = 0.1
_GRACE_S = 0.02


@operations("ExecuteStatement", waits=asks_to_wait)
def execute_statement(request: Input, call: Call) -> Output:
    """Accept a text and answer at once with its Id; it runs behind the answer. Several statements in it are one
    transaction, and the last one's result is the text's.

    The same ClientToken within eight hours gives the same Id; with another request it is a ValidationException.
    WithEvent is accepted without effect. ActiveStatementsExceededException above 500 that have not ended,
    ActiveSessionsExceededException above 500 sessions; ValidationException for more than 100 KB, for parameters that
    stand nowhere, and for a session that is busy or gone. An unknown database fails the statement.
    https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html
    """
    return _accept(request, call, (request["Sql"],), batch=False)


@operations("BatchExecuteStatement", waits=asks_to_wait)
def batch_execute_statement(request: Input, call: Call) -> Output:
    """As ExecuteStatement, of up to 40 texts in one transaction, or each in its own with ExecutionMode AUTO_COMMIT.

    https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_BatchExecuteStatement.html
    """
    return _accept(request, call, tuple(request["Sqls"]), batch=True)


def _accept(request: Input, call: Call, texts: tuple[str, ...], batch: bool) -> Output:
    session_id = request.get("SessionId")
    if session_id and any(request.get(name) for name in ("DbUser", "SecretArn", "ClusterIdentifier", "WorkgroupName")):
        raise invalid("With a SessionId, no other connection can be given.")
    labels = login.labels(request)
    if request.get("ResultFormat"):
        labels["ResultFormat"] = request["ResultFormat"]
    wanted = Request(
        texts=texts,
        user=call.caller.database_user if session_id else login.user_of(request, call),
        database=request.get("Database"),
        name=request.get("StatementName"),
        parameters=tuple((one["name"], one["value"]) for one in request.get("Parameters", ())),
        batch=batch,
        one_transaction=request.get("ExecutionMode", "TRANSACTION") == "TRANSACTION",
        session_id=session_id,
        keep_alive_s=request.get("SessionKeepAliveSeconds"),
        labels=labels,
    )
    statements = call.backend.warehouse.statements
    run = statements.submit(wanted, caller(call), request.get("ClientToken"))
    if "WaitTimeSeconds" in request:
        run = statements.wait(run.id, caller(call), request["WaitTimeSeconds"], call.gone)
    return {
        "Id": run.id,
        "CreatedAt": run.created_at,
        **_connection(run),
        **(
            {"Status": run.state, "RedshiftPid": run.pid, "HasResultSet": _has_result(run)}
            if asks_to_wait(request)
            else {}
        ),
    }


def _connection(run: Run) -> Output:
    labels = run.request.labels
    return {
        **{name: labels.get(name) for name in ("ClusterIdentifier", "WorkgroupName", "SecretArn")},
        "Database": run.request.database,
        "DbUser": run.request.user,
        "SessionId": run.session_id,
    }


def _has_result(run: Run) -> bool:
    return any(part.has_result for part in run.parts)


@operations("DescribeStatement", waits=asks_to_wait)
def describe_statement(request: Input, call: Call) -> Output:
    """How a statement stands; `id:n` is the n-th sub-statement of a batch.

    ResultRows, ResultSize and RedshiftQueryId are always there: -1, -1 and 0 while they are not known, and for a
    batch as a whole. Of a statement that was accepted just now the end is awaited for some milliseconds.
    ResourceNotFoundException.
    https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_DescribeStatement.html
    """
    run, number = find(request["Id"], call, request.get("WaitTimeSeconds"))
    if not run.is_final and time.time() - run.created_at < _YOUNG_S:
        run = call.backend.warehouse.statements.wait(run.id, caller(call), _GRACE_S)
    shared = {**_connection(run), "RedshiftPid": run.pid or 0, "ResultFormat": _format(run)}
    if number is not None:
        return {**_sub_statement(run, number), **shared}
    described: dict[str, Any] = {
        **shared,
        "Id": run.id,
        "Status": run.state,
        "Error": run.error,
        "CreatedAt": run.created_at,
        "UpdatedAt": run.updated_at,
        "Duration": run.duration_ns,
        "QueryParameters": _parameters(run),
    }
    if run.request.batch:
        described |= {"HasResultSet": _has_result(run), "ResultRows": -1, "ResultSize": -1, "RedshiftQueryId": 0}
        described["SubStatements"] = [_sub_statement(run, place) for place in range(len(run.parts))]
        described["ExecutionMode"] = "TRANSACTION" if run.request.one_transaction else "AUTO_COMMIT"
        return described
    return {**described, **_outcome(run.parts[0]), "QueryString": run.request.texts[0]}


def _outcome(part: Part) -> Output:
    return {
        "HasResultSet": part.has_result,
        "ResultRows": part.rows,
        "ResultSize": part.size_bytes,
        "RedshiftQueryId": part.query_id or 0,
    }


def _sub_statement(run: Run, number: int) -> Output:
    part = run.parts[number]
    return {
        "Id": f"{run.id}:{number + 1}",
        "Status": part.state,
        "Error": part.error,
        "CreatedAt": part.created_at,
        "UpdatedAt": part.updated_at,
        "Duration": part.duration_ns,
        "QueryString": run.request.texts[number],
        **_outcome(part),
    }


def _format(run: Run) -> str:
    return str(run.request.labels.get("ResultFormat", "JSON"))


def _parameters(run: Run) -> list[Output] | None:
    return [{"name": name, "value": value} for name, value in run.request.parameters] or None


def find(statement_id: str, call: Call, wait_s: int | None = None) -> tuple[Run, int | None]:
    """The run, and for `id:n` the number of its part counted from 0. ResourceNotFoundException."""
    run_id, _, suffix = statement_id.partition(":")
    statements = call.backend.warehouse.statements
    try:
        if wait_s is None:
            run = statements.get(run_id, caller(call))
        else:
            run = statements.wait(run_id, caller(call), wait_s, call.gone)
    except NoSuchRun as error:
        raise not_found(error.message, statement_id[:100]) from error
    if not suffix:
        return run, None
    if not run.request.batch or not suffix.isdecimal() or not 1 <= int(suffix) <= len(run.parts):
        raise not_found("Query does not exist.", statement_id[:100])
    return run, int(suffix) - 1


@operations("CancelStatement", waits=True)
def cancel_statement(request: Input, call: Call) -> Output:
    """Stop a statement, or a whole batch: it is ABORTED when this answers, or soon after.

    ValidationException when it has ended, ResourceNotFoundException.
    https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_CancelStatement.html
    """
    run, _ = find(request["Id"], call)
    call.backend.warehouse.statements.cancel(run.id, caller(call))
    return {"Status": True}


@operations("ListStatements")
def list_statements(request: Input, call: Call) -> Output:
    """Statements of the caller's role in the last 24 hours, the newest first; the finished ones unless Status says
    otherwise, those of the caller alone with RoleLevel false.

    https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ListStatements.html
    """
    check_one_target(request)
    given = {name: value for name, value in request.items() if name not in ("NextToken", "MaxResults")}
    subject = f"ListStatements {json.dumps(given, sort_keys=True)}"
    after = read_token(call, subject, request["NextToken"])[0] if request.get("NextToken") else None
    state = request.get("Status", "FINISHED")
    wanted = Filter(
        state=None if state == "ALL" else state,
        name_prefix=request.get("StatementName"),
        database=request.get("Database"),
        labels={name: request[name] for name in ("ClusterIdentifier", "WorkgroupName") if request.get(name)},
        whole_role=request.get("RoleLevel", True),
    )
    page = call.backend.warehouse.statements.listed(
        caller(call), wanted, request.get("MaxResults") or _MOST_LISTED, after
    )
    return {
        "Statements": [_listed(run) for run in page.runs],
        "NextToken": None if page.next is None else write_token(call, subject, [page.next]),
    }


def _listed(run: Run) -> Output:
    batch = run.request.batch
    return {
        "Id": run.id,
        "QueryString": None if batch else run.request.texts[0],
        "QueryStrings": list(run.request.texts) if batch else None,
        "SecretArn": run.request.labels.get("SecretArn"),
        "Status": run.state,
        "StatementName": run.request.name,
        "CreatedAt": run.created_at,
        "UpdatedAt": run.updated_at,
        "QueryParameters": _parameters(run),
        "IsBatchStatement": batch,
        "ResultFormat": _format(run),
        "SessionId": run.session_id,
    }


@operations("ListSessions")
def list_sessions(request: Input, call: Call) -> Output:
    """Sessions of the caller's role in the last 24 hours: the open ones, unless Status or SessionId say otherwise.

    ResourceNotFoundException for a SessionId that was never given, or not to this role.
    https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ListSessions.html
    """
    check_one_target(request)
    statements, asking = call.backend.warehouse.statements, caller(call)
    session_id = request.get("SessionId")
    if session_id:
        if any(request.get(name) for name in ("Status", "ClusterIdentifier", "WorkgroupName", "Database")):
            raise invalid(
                "With a SessionId, neither Status nor ClusterIdentifier, WorkgroupName or Database can be given."
            )
        try:
            return {"Sessions": [_session(statements.session(session_id, asking))]}
        except NoSuchSession as error:
            raise not_found(error.message, session_id) from error
    sessions = [one for one in statements.sessions(asking) if _is_wanted(one, request, call)]
    shown, token = page_of(sessions, request, call, _MOST_LISTED)
    return {"Sessions": [_session(one) for one in shown], "NextToken": token}


def _is_wanted(session: KeptSession, request: Input, call: Call) -> bool:
    record = session.record
    if session.status != request.get("Status", session.status if session.status != "CLOSED" else None):
        return False
    if not request.get("RoleLevel", True) and record.caller.session != call.caller.arn:
        return False
    if request.get("Database") not in (None, record.database):
        return False
    return all(request.get(name) in (None, record.labels.get(name)) for name in ("ClusterIdentifier", "WorkgroupName"))


def _session(session: KeptSession) -> Output:
    record = session.record
    return {
        "SessionId": record.id,
        "Status": session.status,
        "CreatedAt": record.created_at,
        "UpdatedAt": record.updated_at,
        "Database": record.database,
        "DbUser": record.user,
        "ClusterIdentifier": record.labels.get("ClusterIdentifier"),
        "WorkgroupName": record.labels.get("WorkgroupName"),
        "SessionAliveSeconds": record.keep_alive_s,
        "SessionTtl": record.expires_at,
        "CurrentStatementId": session.run_id,
    }
