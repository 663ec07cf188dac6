"""Inputs of operations made from their shapes: good ones, nearly good ones and wild ones, with names that meet."""

from __future__ import annotations

import base64
import json
import random
import re
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from fuzz_words import ARGUMENTS, BUCKETS, IMAGE, KEYS, NAMES, NUMBERS, OTHER_TYPES, POLICY, ROLE, SQL, TEXTS, WORDS
from restframe.sql.functions.registry import FUNCTIONS

_FUNCTIONS = sorted(FUNCTIONS)


class Seen:
    """What answers have told, by the name of the member: ids, tokens, names, ARNs. Shared by threads."""

    def __init__(self) -> None:
        self._values: dict[str, deque[Any]] = {}
        self._lock = threading.Lock()

    def learn(self, service: str, value: Any, name: str = "") -> None:
        if isinstance(value, dict):
            for key, item in list(value.items())[:50]:
                self.learn(service, item, f"{service}.{key}".lower())
        elif isinstance(value, list):
            for item in value[:5]:
                self.learn(service, item, name)
        elif isinstance(value, str) and 0 < len(value) < 2000 and "keeper-" not in value:
            with self._lock:
                self._values.setdefault(name, deque(maxlen=20)).append(value)

    def one(self, rng: random.Random, name: str) -> str | None:
        with self._lock:
            values = self._values.get(name)
            return rng.choice(values) if values else None


class Inputs:
    """Makes the input of one operation after the other.

    wildness : the chance of each value to be something else than what is asked for
    """

    def __init__(self, rng: random.Random, seen: Seen, sql: tuple[str, ...]) -> None:
        self.rng = rng
        self.seen = seen
        self.sql = sql
        self.wildness = 0.0

    def input(self, shape: Shape | None, service: str) -> dict[str, Any]:
        self.service = service
        self.wildness = self.rng.choice((0, 0, 0, 0, 0.03, 0.1, 0.4))
        made = self._structure(shape, 0) if isinstance(shape, StructureShape) else {}
        return self._fitting(made) if self.rng.random() < 0.7 else made

    def _fitting(self, made: dict[str, Any]) -> dict[str, Any]:
        """The same with names that belong together."""
        if {"logGroupName", "logStreamName"} <= made.keys():
            made["logStreamName"] = made["logGroupName"]
        upload = self.seen.one(self.rng, "s3.upload")
        if upload is not None and {"Bucket", "Key", "UploadId"} <= made.keys():
            made["Bucket"], made["Key"], made["UploadId"] = upload.split("|")
        return made

    def _structure(self, shape: StructureShape, depth: int) -> dict[str, Any]:
        rng = self.rng
        chosen: dict[str, Any] = {}
        optional = rng.choice((0.0, 0.0, 0.1, 0.4)) / (depth + 1)
        names = list(shape.members)
        if shape.is_tagged_union:
            names = [rng.choice(names)]
        for name in names:
            if name in shape.required_members or shape.is_tagged_union:
                if not rng.random() < self.wildness / 3:
                    chosen[name] = self.value(shape.members[name], name, depth + 1)
            elif _FUSSY.match(name) and rng.random() < 0.9:
                continue
            elif rng.random() < (0.6 if name in _LIKELY else optional):
                chosen[name] = self.value(shape.members[name], name, depth + 1)
        if rng.random() < self.wildness / 4:
            chosen[self.text()[:200]] = self.text()
        return chosen

    def value(self, shape: Shape, name: str, depth: int) -> Any:
        rng = self.rng
        if rng.random() < self.wildness:
            return self._other(shape)
        if isinstance(shape, StructureShape):
            return self._structure(shape, depth) if depth < 6 else {}
        if isinstance(shape, ListShape):
            if depth > 6:
                return []
            least = int(shape.metadata.get("min", 0))
            return [
                self.value(shape.member, name.rstrip("s"), depth + 1)
                for _ in range(max(least, rng.choice((0, 1, 1, 2, 3))))
            ]
        if isinstance(shape, MapShape):
            return {
                str(self.value(shape.key, name, depth + 1)): self.value(shape.value, name, depth + 1)
                for _ in range(rng.randrange(3))
            }
        return self._scalar(shape, name)

    def _scalar(self, shape: Shape, name: str) -> Any:
        rng = self.rng
        kind = shape.type_name
        if name == "timestamp" and kind == "long":
            return int(datetime.now(UTC).timestamp() * 1000)
        if kind in ("integer", "long", "float", "double"):
            least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 1000)
            number = rng.choice(
                (least, most, rng.randint(int(least), max(int(least), min(int(most), int(least) + 50))))
            )
            if name == "PartNumber":
                number = rng.choice((1, 1, 2, 10_000))
            if name in ("WaitTimeSeconds", "SessionKeepAliveSeconds", "MaxRuntimeInSeconds", "InstanceCount"):
                number = rng.choice((1, 2))
            return float(number) if kind in ("float", "double") else int(number)
        if kind == "boolean":
            return rng.random() < 0.5
        if kind == "timestamp":
            return datetime.now(UTC) + timedelta(seconds=rng.choice((0, -60, 60, -(10**8), 10**9)))
        if kind == "blob":
            return rng.randbytes(rng.choice((0, 1, 10, 1000, 70_000)))
        if isinstance(shape, StringShape) and shape.enum:
            return rng.choice(shape.enum)
        text = self._named(name, shape.name)
        least, most = int(shape.metadata.get("min", 0)), int(shape.metadata.get("max", 10**6))
        return text.ljust(least, "x")[:most]

    def _named(self, name: str, shape: str) -> str:
        rng = self.rng
        maker = _MAKERS.get(name) or _MAKERS.get(shape)
        if maker is not None and rng.random() < 0.85:
            return maker(self)
        told = self.seen.one(rng, f"{self.service}.{name}".lower())
        if told is not None and rng.random() < 0.8:
            return told
        if "arn" in name.lower():
            return self.seen.one(rng, f"{self.service}." + rng.choice(("arn", *_ARNS))) or ROLE
        return rng.choice(NAMES)

    def _other(self, shape: Shape) -> Any:
        """Something of the right type that is hardly meant, or of another type."""
        rng = self.rng
        if rng.random() < 0.3:
            return rng.choice(OTHER_TYPES)
        if shape.type_name in ("integer", "long", "float", "double"):
            return rng.choice(NUMBERS)
        if shape.type_name == "timestamp":
            return rng.choice(
                (0, -1, 10**18, "yesterday", "9999-99-99", 1e300, datetime(1, 1, 1), datetime(9999, 12, 31))
            )
        if shape.type_name == "blob":
            return rng.choice((b"", b"\0" * 10, b"\xff\xfe", b"PK\x03\x04", b"\x1f\x8b\x08" + b"\0" * 20))
        if shape.type_name == "list":
            return [self.text() for _ in range(rng.choice((0, 1, 200, 1001)))]
        if shape.type_name == "string":
            least, most = int(shape.metadata.get("min", 0)), int(shape.metadata.get("max", 1024))
            return rng.choice((self.text(), self.text(), "a" * max(0, least - 1), "a" * min(most + 1, 100_000)))
        return self.text()

    def text(self) -> str:
        rng = self.rng
        if rng.random() < 0.7:
            return rng.choice(TEXTS)
        return "".join(
            chr(rng.choice((rng.randrange(128), rng.randrange(0x300), rng.randrange(0x10000))))
            for _ in range(rng.randrange(40))
        )

    def statement(self) -> str:
        rng = self.rng
        draw = rng.random()
        text = rng.choice(self.sql if draw < 0.4 else SQL)
        if draw < 0.15:
            given = ", ".join(rng.choice(ARGUMENTS) for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4))))
            return f"select {rng.choice(_FUNCTIONS)}({given}) from (select generate_series(1, 3) as i)"
        if draw > 0.85:
            return " ".join(rng.choice(WORDS) for _ in range(rng.randrange(1, 15)))
        if draw > 0.6:
            text = self._bent(text)
        return text[:100_000]

    def _bent(self, text: str) -> str:
        rng = self.rng
        words = text[:5000].split(" ")
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(words) + 1)
            if rng.random() < 0.5:
                words.insert(at, rng.choice(WORDS))
            elif words:
                words[at % len(words)] = rng.choice((rng.choice(WORDS), "", self.text()[:50], rng.choice(words)))
        return " ".join(words)


# members whose values would have to be worked out, and which are refused otherwise
_FUSSY = re.compile(
    "SSE|Checksum|ContentMD5|Expected|ObjectLock|Grant|If[MNU]|CopySource(If|SSE)|Mpu|KmsKey|CustomerKey"
)


def _pick(*values: str) -> Callable[[Inputs], str]:
    return lambda inputs: inputs.rng.choice(values)


def _seen(member: str, *otherwise: str) -> Callable[[Inputs], str]:
    return lambda inputs: inputs.seen.one(inputs.rng, member) or inputs.rng.choice(otherwise)


def _source(inputs: Inputs) -> str:
    return f"{inputs.rng.choice(BUCKETS)}/{inputs.rng.choice(KEYS)}"


def _secret(inputs: Inputs) -> str:
    return inputs.rng.choice((*NAMES, inputs.seen.one(inputs.rng, "secretsmanager.arn") or "rides"))


def _log_message(inputs: Inputs) -> str:
    return inputs.rng.choice(("line", "value=1.5;", "", "x" * 1000, "a\nb"))


_ARNS = ("modelarn", "endpointarn", "trainingjobarn", "endpointconfigarn")
_STATEMENT_ID = "d9b6c0c9-0747-4bf4-b142-e8883122f766"
_MAKERS: dict[str, Callable[[Inputs], str]] = {
    "Bucket": _pick(*BUCKETS, *BUCKETS, *BUCKETS, "nobody-has-it"),
    "Key": _pick(*KEYS[:6], *KEYS),
    "CopySource": _source,
    "Delimiter": _pick("/", "/", "a", "//"),
    "EncodingType": _pick("url"),
    "Prefix": _pick("", "a", "a/", "z", "é"),
    "UploadId": _seen("s3.uploadid", "none"),
    "ETag": _seen("s3.etag", '"0"'),
    "Range": _pick("bytes=0-0", "bytes=-1", "bytes=1-", "bytes=5-2", "bytes=0-9999999999999999999", "x"),
    "Sql": lambda inputs: inputs.statement(),
    "Sqls": lambda inputs: inputs.statement(),
    "StatementString": lambda inputs: inputs.statement(),
    "Database": _pick("dev", "dev", "dev", "other"),
    "ConnectedDatabase": _pick("dev"),
    "ClusterIdentifier": _pick("restframe", "restframe", "any"),
    "WorkgroupName": _pick("restframe", "default"),
    "DbUser": _pick("awsuser", "awsuser", "u", "IAM:root"),
    "Id": _seen("redshift-data.id", _STATEMENT_ID),
    "SessionId": _seen("redshift-data.sessionid", _STATEMENT_ID),
    "ClientToken": _pick("token-one", "token-two", "t" * 64),
    "ClientRequestToken": _pick("r" * 32, "s" * 36, "t" * 64),
    "SecretId": _secret,
    "SecretArn": _secret,
    "SecretString": _pick('{"username":"awsuser","password":"no"}', "text", "", "{}", "ü"),
    "NextToken": lambda inputs: inputs.seen.one(inputs.rng, f"{inputs.service}.nexttoken") or "token",
    "nextToken": _seen("logs.nextforwardtoken", "token"),
    "Marker": lambda inputs: inputs.seen.one(inputs.rng, f"{inputs.service}.marker") or "token",
    "ContinuationToken": _seen("s3.nextcontinuationtoken", "token"),
    "VersionId": _pick("null", "null", "none"),
    "AccessKeyId": _seen("sts.accesskeyid", "AKIAIOSFODNN7EXAMPLE"),
    "ResourceArn": lambda inputs: inputs.seen.one(inputs.rng, "sagemaker." + inputs.rng.choice(_ARNS)) or "arn",
    "MoveToVersionId": _seen("secretsmanager.versionid", "r" * 32),
    "RemoveFromVersionId": _seen("secretsmanager.versionid", "r" * 32),
    "VersionStage": _pick("AWSCURRENT", "AWSPENDING", "mine"),
    "ResourcePolicy": _pick(POLICY, "{"),
    "TrainingImage": _pick(IMAGE, IMAGE, "x/randomcutforest", "nobody/has-it:1"),
    "Image": _pick(IMAGE),
    "S3Uri": _pick("s3://fuzz-one/a", "s3://fuzz-one/", "s3://nobody-has-it/", "s3://fuzz-two/a/b"),
    "S3OutputPath": _pick("s3://fuzz-one/models"),
    "ModelDataUrl": _pick("s3://fuzz-one/models/rides/output/model.tar.gz", "s3://fuzz-one/a", "http://127.0.0.1:1/"),
    "RoleArn": _pick(ROLE, "arn:aws:iam::000000000000:role/rides"),
    "PolicyArn": _pick("arn:aws:iam::aws:policy/AmazonS3FullAccess"),
    "UserName": _pick("default", "root"),
    "RoleName": _pick("restframe", *NAMES),
    "PolicyDocument": _pick(POLICY, POLICY, "{", "[]"),
    "AssumeRolePolicyDocument": _pick(POLICY, POLICY, "{"),
    "logGroupName": _pick("/aws/sagemaker/TrainingJobs", *NAMES),
    "logStreamName": _pick(*NAMES),
    "message": _log_message,
    "filterPattern": _pick("line", '"value"', "?a ?b", "-x", "{ $.a = 1 }"),
    "ContentType": _pick("text/csv", "application/json", "application/x-recordio-protobuf"),
    "Accept": _pick("text/csv", "application/json", "application/jsonlines"),
}
_LIKELY = {
    *("ClientRequestToken", "MoveToVersionId", "RemoveFromVersionId"),
    *(
        "Database",
        "SecretString",
        "AlgorithmSpecification",
        "Body",
        "PrimaryContainer",
        "TrainingImage",
        "ClusterIdentifier",
        "ResultReuse",
    ),
    *(
        "InputDataConfig",
        "DbUser",
        "logGroupName",
        "logStreamName",
        "TrainingInputMode",
        "Name",
        "SecretId",
        "Delete",
        "MultipartUpload",
    ),
}


def json_text(value: Any) -> str:
    """JSON of anything, also of what no JSON is for; blobs in base64, times in seconds."""
    return json.dumps(value, default=_as_json)


def _as_json(item: Any) -> Any:
    if isinstance(item, bytes):
        return base64.b64encode(item).decode()
    return item.timestamp() if isinstance(item, datetime) and 1970 < item.year < 9999 else str(item)
