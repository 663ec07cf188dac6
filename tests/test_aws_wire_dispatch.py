"""Which service a request is for."""

from __future__ import annotations

import pytest

from restframe.aws import wire
from restframe.aws.http import Headers, HttpRequest
from restframe.aws.wire.dispatch import TARGET_PREFIXES


def find(line: str = "POST /", signing_name: str | None = None, host: str = "localhost:8439", **headers: str) -> str:
    method, _, address = line.partition(" ")
    path, _, query = address.partition("?")
    fields = Headers((name.replace("_", "-"), value) for name, value in headers.items())
    return wire.find(HttpRequest(method, "http", host, path, query, fields), signing_name)


def test_the_names_are_those_of_the_descriptions() -> None:
    targets = {}
    for name in wire.SERVICES:
        service = wire.service(name)
        assert service.name == name
        assert find(signing_name=service.signing_name) == ("sagemaker" if name == "sagemaker-runtime" else name)
        if service.protocol == "json":
            targets[service.model.metadata["targetPrefix"]] = name
    assert targets == TARGET_PREFIXES


def test_two_services_sign_as_sagemaker() -> None:
    assert find("POST /", "sagemaker") == "sagemaker"
    assert find("POST /endpoints/a/invocations", "sagemaker") == "sagemaker-runtime"
    assert find("POST /endpoints/a/async-invocations", "sagemaker") == "sagemaker-runtime"
    assert find("POST /endpoints/a%2Fb/invocations-response-stream", "sagemaker") == "sagemaker-runtime"
    assert find("POST /endpoints/a/b/invocations", "sagemaker") == "sagemaker"


@pytest.mark.parametrize("signing_name", [None, "ec2"])
def test_a_guess_for_an_answer_that_can_be_read(signing_name: str | None) -> None:
    def guess(line: str = "POST /", host: str = "localhost:8439", **headers: str) -> str:
        return find(line, signing_name, host, **headers)

    form = "application/x-www-form-urlencoded; charset=utf-8"
    assert guess(x_amz_target="RedshiftData.ExecuteStatement") == "redshift-data"
    assert guess(x_amz_target="Logs_20140328.DescribeLogGroups") == "logs"
    assert wire.service(guess(x_amz_target="DynamoDB_20120810.ListTables")).protocol == "json"
    assert wire.service(guess(content_type="application/x-amz-json-1.0")).protocol == "json"
    assert guess(content_type=form) == "sts"
    assert guess("GET /?Action=GetCallerIdentity&Version=2011-06-15") == "sts"
    assert guess("POST /endpoints/a/invocations") == "sagemaker-runtime"


def test_a_guess_of_who_has_paths() -> None:
    form = "application/x-www-form-urlencoded; charset=utf-8"
    assert find("GET /bucket/key") == "s3"
    assert find("GET /") == "s3"
    assert find("PUT /bucket/key", content_type=form) == "s3"
    assert find("GET /bucket/key", "s3express") == "s3"
    assert find("GET /2013-04-01/hostedzone", "route53") == "s3"
    assert wire.service(find("GET /2015-03-31/functions", "lambda")).protocol == "rest-json"


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("sts.amazonaws.com", "sts"),
        ("STS.eu-west-1.amazonaws.com:443", "sts"),
        ("iam.amazonaws.com", "iam"),
        ("redshift-data.us-east-1.amazonaws.com", "redshift-data"),
        ("redshift.us-east-1.amazonaws.com", "redshift"),
        ("api.sagemaker.us-east-1.amazonaws.com", "sagemaker"),
        ("runtime.sagemaker.us-east-1.amazonaws.com", "sagemaker-runtime"),
        ("logs.us-east-1.amazonaws.com", "logs"),
        ("secretsmanager.us-east-1.amazonaws.com", "secretsmanager"),
        ("s3.us-east-1.amazonaws.com", "s3"),
        ("bucket.s3.us-east-1.amazonaws.com", "s3"),
        ("logs.s3.us-east-1.amazonaws.com", "s3"),
        ("redshift.cn-north-1.amazonaws.com.cn", "redshift"),
    ],
)
def test_a_guess_by_the_host(host: str, service: str) -> None:
    assert find(host=host) == service
