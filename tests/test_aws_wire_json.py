"""The JSON protocols."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from restframe.aws import wire
from restframe.aws.errors import AwsError
from restframe.aws.http import Headers, HttpRequest, Written


def request(target: str) -> HttpRequest:
    headers = Headers([("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")])
    return HttpRequest("POST", "http", "localhost:8439", "/", "", headers)


def parse(target: str, body: bytes | str) -> dict[str, Any]:
    http = request(target)
    service = wire.service(wire.find(http, None))
    data = body.encode() if isinstance(body, str) else body
    return service.parse(service.route(http, data), http, data)


def refusal(target: str, body: bytes | str) -> str:
    with pytest.raises(AwsError) as error:
        parse(target, body)
    assert wire.service("redshift-data").error_status(error.value) == 400
    return str(error.value)


def test_a_request_has_the_names_of_the_description() -> None:
    body = '{"Sql": "select :a", "Parameters": [{"name": "a", "value": "1"}], "WithEvent": true, "Database": null}'
    assert parse("RedshiftData.ExecuteStatement", body) == {
        "Sql": "select :a",
        "Parameters": [{"name": "a", "value": "1"}],
        "WithEvent": True,
    }


def test_what_the_description_does_not_know_is_left_out() -> None:
    assert parse("RedshiftData.ExecuteStatement", '{"Sql": "select 1", "Sauce": [1, 2]}') == {"Sql": "select 1"}


def test_no_body_is_an_empty_object() -> None:
    assert parse("secretsmanager.ListSecrets", b"") == {}
    assert parse("secretsmanager.ListSecrets", b" \r\n") == {}


def test_blobs_and_times_have_their_types() -> None:
    assert parse("secretsmanager.CreateSecret", '{"Name": "a", "SecretBinary": "AAE="}')["SecretBinary"] == b"\x00\x01"
    found = parse("SageMaker.ListTrainingJobs", '{"CreationTimeAfter": 1700000000.25}')
    assert found == {"CreationTimeAfter": datetime(2023, 11, 14, 22, 13, 20, 250_000, tzinfo=UTC)}
    found = parse("SageMaker.ListTrainingJobs", '{"CreationTimeAfter": "2023-11-14T22:13:20Z"}')
    assert found == {"CreationTimeAfter": datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)}


def test_a_whole_float_is_a_whole_number() -> None:
    found = parse("RedshiftData.ListStatements", '{"MaxResults": 5.0}')
    assert found == {"MaxResults": 5}
    assert isinstance(found["MaxResults"], int)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"Sql": 5}', "NUMBER_VALUE can not be converted to a String at 'Sql'"),
        ('{"Sql": true}', "TRUE_VALUE can not be converted to a String at 'Sql'"),
        ('{"Sql": ["a"]}', "START_ARRAY can not be converted to a String at 'Sql'"),
        ('{"Sql": {}}', "START_OBJECT can not be converted to a String at 'Sql'"),
        ('{"WithEvent": "true"}', "STRING_VALUE can not be converted to a Boolean at 'WithEvent'"),
        ('{"Parameters": {}}', "START_OBJECT can not be converted to a list at 'Parameters'"),
        ('{"Parameters": ["a"]}', "STRING_VALUE can not be converted to a structure at 'Parameters.1'"),
        ('{"Parameters": [null]}', "NULL_VALUE can not be converted to a member of a list at 'Parameters.1'"),
        (
            '{"Parameters": [{"name": "a", "value": "1"}, {"name": 1}]}',
            "NUMBER_VALUE can not be converted to a String at 'Parameters.2.name'",
        ),
        (
            '{"SessionKeepAliveSeconds": "5"}',
            "STRING_VALUE can not be converted to an Integer at 'SessionKeepAliveSeconds'",
        ),
        (
            '{"SessionKeepAliveSeconds": 1.5}',
            "NUMBER_VALUE can not be converted to an Integer at 'SessionKeepAliveSeconds'",
        ),
        (
            '{"SessionKeepAliveSeconds": 1e999}',
            "NUMBER_VALUE can not be converted to an Integer at 'SessionKeepAliveSeconds'",
        ),
        (
            '{"SessionKeepAliveSeconds": 2147483648}',
            "the number does not fit the type Integer at 'SessionKeepAliveSeconds'",
        ),
        ("[]", "START_ARRAY can not be converted to a structure"),
        ('"a"', "STRING_VALUE can not be converted to a structure"),
        ("null", "NULL_VALUE can not be converted to a structure"),
        ("{", "the body is not valid JSON"),
        ('{"Sql": "a",}', "the body is not valid JSON"),
        ("{'Sql': 'a'}", "the body is not valid JSON"),
        ('{"Sql": "a"} x', "the body is not valid JSON"),
        ('\ufeff{"Sql": "a"}', "the body is not valid JSON"),
        (f'{{"SessionKeepAliveSeconds": {"9" * 5000}}}', "the body is not valid JSON"),
        ('{"SessionKeepAliveSeconds": NaN}', "NaN is not JSON"),
        ('{"SessionKeepAliveSeconds": -Infinity}', "-Infinity is not JSON"),
        ('{"Sql": "a", "Sql": "b"}', "a key of a JSON object stands there twice"),
        ('{"Sauce": [{"a": 1, "a": 2}]}', "a key of a JSON object stands there twice"),
        ("[" * 100_000, "the JSON is nested too deeply"),
        ('{"a":' * 1_000 + "1" + "}" * 1_000, "the JSON is nested too deeply"),
        (b'{"Sql": "\xff"}', "the body is not valid UTF-8"),
        ('{"Sql": "\\ud800"}', "the body is not valid UTF-8"),
        ('{"Sql": "\\udc00\\ud800"}', "the body is not valid UTF-8"),
    ],
)
def test_a_body_that_cannot_be_read(body: str | bytes, message: str) -> None:
    assert refusal("RedshiftData.ExecuteStatement", body) == f"SerializationException: {message}"


@pytest.mark.parametrize(
    ("inside", "levels"), [("", 0), ("[]", 1), ('{"a": []}, ' * 50 + "[]", 2), ('"[[", {}, [{"}": 1}]', 2)]
)
def test_how_deep_a_text_may_be(inside: str, levels: int) -> None:
    target, around = "RedshiftData.ExecuteStatement", 63 - levels
    fitting = f'{{"Sql": "a", "Sauce": {"[" * around}{inside}{"]" * around}}}'
    assert parse(target, fitting) == {"Sql": "a"}
    assert "is nested too deeply" in refusal(target, fitting.replace('"Sauce": ', '"Sauce": [').replace("]}", "]]}"))
    assert "is not valid JSON" in refusal(target, fitting[:-1] + ', "b": [' + "[]," * 100)


def test_brackets_in_texts_are_not_deep() -> None:
    sql = "[" * 1000 + '"{{{'
    assert parse("RedshiftData.ExecuteStatement", json.dumps({"Sql": sql})) == {"Sql": sql}


def test_a_pair_of_escapes_is_one_character() -> None:
    assert parse("RedshiftData.ExecuteStatement", '{"Sql": "\\ud83d\\ude00"}') == {"Sql": "😀"}


def test_a_secret_is_not_in_the_error() -> None:
    assert "hunter2" not in refusal("secretsmanager.CreateSecret", '{"Name": "a", "SecretBinary": "hunter2!"}')
    assert "hunter2" not in refusal("secretsmanager.CreateSecret", '{"Name": "a", "SecretString": ["hunter2"]}')


@pytest.mark.parametrize(
    "target", ["", "RedshiftData", "RedshiftData.", "RedshiftData.Fly", "RedshiftDataX.Fly", "." * 999]
)
def test_an_operation_that_there_is_not(target: str) -> None:
    with pytest.raises(AwsError, match=r"^UnknownOperationException: redshift-data has no operation '") as error:
        wire.service("redshift-data").route(request(target), b"{}")
    assert len(error.value.message) < 200


def test_a_response() -> None:
    service = wire.service("redshift-data")
    operation = service.model.operation_model("DescribeStatement")
    output = {
        "Id": "é",
        "CreatedAt": datetime(2023, 11, 14, 22, 13, 20, 250_999, tzinfo=UTC),
        "Error": None,
        "Duration": 0,
    }
    response = service.respond(operation, output, "the-request-id")
    assert response.status == 200
    assert response.headers == [
        ("content-type", "application/x-amz-json-1.1"),
        ("content-length", "54"),
        ("x-amzn-requestid", "the-request-id"),
    ]
    assert response.body == b'{"Id":"\\u00e9","CreatedAt":1700000000.25,"Duration":0}'


def test_what_is_none_is_left_out_everywhere() -> None:
    service = wire.service("redshift-data")
    operation = service.model.operation_model("GetStatementResult")
    output = {"Records": [[{"longValue": 1, "stringValue": None}]], "NextToken": None, "ColumnMetadata": None}
    assert service.respond(operation, output, "id").body == b'{"Records":[[{"longValue":1}]]}'


def test_a_member_that_the_operation_has_written_itself() -> None:
    service = wire.service("redshift-data")
    operation = service.model.operation_model("GetStatementResult")
    records = Written(b'[[{"longValue":1}]]')
    assert service.respond(operation, {"Records": records}, "id").body == b'{"Records":[[{"longValue":1}]]}'
    response = service.respond(operation, {"Records": records, "NextToken": None, "TotalNumRows": 1}, "id")
    assert response.body == b'{"TotalNumRows":1,"Records":[[{"longValue":1}]]}'
    assert ("content-length", "48") in response.headers


def test_an_operation_without_output_answers_with_nothing() -> None:
    service = wire.service("logs")
    response = service.respond(service.model.operation_model("CreateLogGroup"), {}, "id")
    assert (response.status, response.body) == (200, b"")


def test_a_member_that_there_is_not_is_our_fault() -> None:
    service = wire.service("redshift-data")
    with pytest.raises(TypeError, match="ExecuteStatementOutput has no member Sauce"):
        service.respond(service.model.operation_model("ExecuteStatement"), {"Sauce": 1}, "id")


def test_an_error() -> None:
    service = wire.service("redshift-data")
    error = AwsError("ResourceNotFoundException", "Query does not exist.", ResourceId="1", Sauce="2")
    response = service.fail(None, error, "the-request-id", request(""))
    assert response.status == 400
    assert ("x-amzn-errortype", "ResourceNotFoundException") in response.headers
    assert isinstance(response.body, bytes)
    assert json.loads(response.body) == {
        "__type": "ResourceNotFoundException",
        "message": "Query does not exist.",
        "Message": "Query does not exist.",
        "ResourceId": "1",
    }


def test_the_status_of_an_error() -> None:
    service = wire.service("redshift-data")
    statuses = {
        "a fault of ours": service.error_status(AwsError("InternalServerException", "")),
        "one that is not modelled": service.error_status(AwsError("SerializationException", "")),
        "given": service.error_status(AwsError("ValidationException", "", 418)),
    }
    assert statuses == {"a fault of ours": 500, "one that is not modelled": 400, "given": 418}
