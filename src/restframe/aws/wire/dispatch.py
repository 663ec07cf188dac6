"""Which service a request is for."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from restframe.aws.http import HttpRequest
from restframe.aws.wire.description import Service, describe
from restframe.aws.wire.json import Json
from restframe.aws.wire.query import Query
from restframe.aws.wire.rest_json import RestJson
from restframe.aws.wire.rest_xml import RestXml

SERVICES = (
    "redshift-data", "redshift", "redshift-serverless", "secretsmanager", "sagemaker", "sagemaker-runtime", "s3",
    "sts", "iam", "logs", "cloudwatch",
)  # fmt: skip

# What stands before the dot in X-Amz-Target; kept here so that no description is loaded to know it.
TARGET_PREFIXES = {
    "RedshiftData": "redshift-data",
    "RedshiftServerless": "redshift-serverless",
    "secretsmanager": "secretsmanager",
    "SageMaker": "sagemaker",
    "Logs_20140328": "logs",
    "GraniteServiceVersion20100801": "cloudwatch",
}
_HOSTS = {
    "api.sagemaker": "sagemaker",
    "runtime.sagemaker": "sagemaker-runtime",
    "monitoring": "cloudwatch",
    **{name: name for name in SERVICES if not name.startswith("sagemaker")},
}
_PROTOCOLS: dict[str, Callable[[str, dict[str, Any]], Service]] = {
    "json": Json,
    "query": Query,
    "rest-json": RestJson,
    "rest-xml": RestXml,
}
_SPEAK_XML = ("s3", "cloudfront", "route53")
_INVOCATION = re.compile(r"/endpoints/[^/]+/(?:async-)?invocations(?:-response-stream)?/?")


def find(http: HttpRequest, signing_name: str | None) -> str:
    """The name of the service that a request is for.

    signing_name : from the scope of the signature. One that no service of ours has, or none, makes this a guess, good
        for answering with an error in a form that the client can read; a service's `signing_name` tells whether the
        request was signed for it.
    """
    if signing_name == "sagemaker":
        return "sagemaker-runtime" if _INVOCATION.fullmatch(http.path) else "sagemaker"
    if signing_name == "monitoring":
        return "cloudwatch"
    if signing_name in SERVICES:
        return str(signing_name)
    return _by_target(http) or _by_host(http) or _by_form(http, signing_name)


def _by_target(http: HttpRequest) -> str | None:
    target = http.headers.get("x-amz-target")
    if target:
        return TARGET_PREFIXES.get(target.partition(".")[0], "sagemaker")
    return "sagemaker" if http.headers.get("content-type").startswith("application/x-amz-json") else None


def _by_host(http: HttpRequest) -> str | None:
    """`sts.eu-west-1.amazonaws.com`, `bucket.s3.amazonaws.com`"""
    host = http.host.partition(":")[0].lower()
    if not host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return None
    labels = host.split(".")
    if any(label == "s3" or label.startswith("s3-") for label in labels):
        return "s3"
    return _HOSTS.get(labels[0]) or _HOSTS.get(".".join(labels[:2])) or "s3"


def _by_form(http: HttpRequest, signing_name: str | None) -> str:
    if _INVOCATION.fullmatch(http.path):
        return "sagemaker-runtime"
    form = http.headers.get("content-type").startswith("application/x-www-form-urlencoded")
    if http.path in ("", "/") and (form or "Action=" in http.query):
        # of the services with forms only sts answers without a signature
        return "sts"
    if signing_name and not signing_name.startswith(_SPEAK_XML):
        return "sagemaker-runtime"  # Lambda, OpenSearch and most of the others with paths speak JSON as it does
    return "s3"


@cache
def service(name: str) -> Service:
    """A service of ours; its description is loaded at the first call."""
    description = describe(name)
    protocol = next(name for name in description["metadata"]["protocols"] if name in _PROTOCOLS)
    return _PROTOCOLS[protocol](name, description)
