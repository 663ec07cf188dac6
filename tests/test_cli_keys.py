"""`restframe keys`, beside a server that runs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError


def keys(server: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "restframe", "keys", arguments[0], "-d", str(server.directory), *arguments[1:]]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def caller(server: Any, key: dict[str, str]) -> str:
    sts = boto3.session.Session().client(
        "sts",
        region_name="us-east-1",
        endpoint_url=server.url,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        config=Config(retries={"total_max_attempts": 1}),
    )
    return str(sts.get_caller_identity()["Arn"])


def created(server: Any, *arguments: str) -> dict[str, str]:
    done = keys(server, "create", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_a_new_key_works_at_once_and_a_revoked_one_no_more(served: Any) -> None:
    key = created(served, "kim")
    assert caller(served, key) == "arn:aws:sts::000000000000:assumed-role/restframe/kim"
    assert keys(served, "revoke", key["AccessKeyId"]).stdout == f"Access key {key['AccessKeyId']} is revoked\n"
    time.sleep(0.6)  # what a server knows of keys is at most half a second old
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        caller(served, key)


def test_keys_are_listed_without_their_secrets(served: Any) -> None:
    key = created(served, "lee", "--database-user", "analyst")
    done = keys(served, "list")
    header, *rows = [line.split() for line in done.stdout.splitlines()]
    assert header == ["access", "key", "name", "database", "user", "created", "last", "used", "state"]
    row = next(row for row in rows if row[0] == key["AccessKeyId"])
    assert (row[1], row[2], row[-2], row[-1]) == ("lee", "analyst", "never", "valid")
    assert key["SecretAccessKey"] not in done.stdout
    keys(served, "revoke", key["AccessKeyId"])
    (listed,) = [one for one in json.loads(keys(served, "list", "--json").stdout) if one["id"] == key["AccessKeyId"]]
    assert listed["revoked"] is not None
    assert key["SecretAccessKey"] not in keys(served, "list", "--json").stdout


def test_a_new_key_is_shown_once_for_people(served: Any) -> None:
    lines = [line.rsplit(None, 1) for line in keys(served, "create").stdout.splitlines()]
    assert [name.strip() for name, _ in lines] == ["access key", "secret key", "database user"]
    assert lines[2][1] == "awsuser"


def test_what_is_wrong_is_said(served: Any) -> None:
    done = keys(served, "revoke", "AKIANOBODY")
    assert (done.returncode, done.stdout) == (1, "")
    assert 'ERROR:  "AKIANOBODY" is no access key' in done.stderr
    done = keys(served, "create", "no blanks, please")
    assert (done.returncode, done.stdout) == (1, "")
    assert "is not a name for a key" in done.stderr
