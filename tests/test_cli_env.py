"""`restframe env`: what a shell evaluates."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from restframe.cli.arguments import parser
from restframe.identity import Identity
from restframe.journal import Journal
from restframe.server.environment import BUNDLE, address, misleading
from restframe.settings import load


def env(directory: Path, *options: str, **around: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "restframe", "env", "-d", str(directory), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, **around})


def stopped(directory: Path) -> Path:
    """A directory in which a server was, with ports of its own."""
    directory.mkdir(parents=True)
    (directory / "restframe.toml").write_text(
        "http_port = 1001\nproxy_port = 1002\nsql_port = 1003\nregion = 'eu-north-1'"
    )
    journal = Journal(directory / "service.sqlite")
    Identity(journal, load(directory))
    journal.close()
    (directory / BUNDLE).parent.mkdir()
    (directory / BUNDLE).touch()
    return directory


def test_it_names_everything_that_clients_look_at(served: Any) -> None:
    done = env(served.directory, "--format", "json", NO_PROXY="", no_proxy="")
    found = json.loads(done.stdout)
    assert done.stderr == ""
    secrets = {name: found.pop(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD")}
    assert {name: len(value) for name, value in secrets.items()} == {
        "AWS_ACCESS_KEY_ID": 20,
        "AWS_SECRET_ACCESS_KEY": 40,
        "PGPASSWORD": 43,
    }
    assert found == {
        "AWS_ENDPOINT_URL": served.url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CA_BUNDLE": f"{served.directory}/ca/bundle.pem",
        "SSL_CERT_FILE": f"{served.directory}/ca/bundle.pem",
        "AWS_ALLOW_HTTP": "true",
        "HTTPS_PROXY": served.proxy,
        "https_proxy": served.proxy,
        "NO_PROXY": "127.0.0.1,localhost,::1",
        "no_proxy": "127.0.0.1,localhost,::1",
        "SAGEMAKER_USER_CONFIG_OVERRIDE": f"{served.directory}/sagemaker.yaml",
        "PGHOST": "localhost",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": f"{served.directory}/ca/ca.pem",
        "PGPORT": served.sql.rpartition(":")[2],
        "PGUSER": "awsuser",
        "PGDATABASE": "dev",
    }


def test_the_sagemaker_sdk_gets_a_bucket_and_calls_nobody(served: Any) -> None:
    assert (served.directory / "sagemaker.yaml").read_text() == (
        "# Written by restframe serve at each start.\n"
        'SchemaVersion: "1.0"\n'
        "SageMaker:\n"
        "  PythonSDK:\n"
        "    Modules:\n"
        "      TelemetryOptOut: true\n"
        "      Session:\n"
        "        DefaultS3Bucket: sagemaker-us-east-1-000000000000\n"
    )


def test_a_shell_sets_and_unsets(tmp_path: Path) -> None:
    directory = stopped(tmp_path / 'it\'s a "$(odd)" name')
    command = f"{sys.executable} -m restframe env -d {shlex.quote(str(directory))}"
    around = {
        "AWS_PROFILE": "work",
        "AWS_SESSION_TOKEN": "old",
        "AWS_ENDPOINT_URL_S3": "http://elsewhere",
        "NO_PROXY": "upper",
        "no_proxy": "intranet.example, .lan",
        "https_proxy": "http://corporate:3128",
    }
    done = subprocess.run(
        ["bash", "-c", f'eval "$({command} 2>/dev/null)" && env -0'],
        capture_output=True,
        text=True,
        env={**os.environ, **around},
        timeout=120,
        check=True,
    )
    found = dict(line.split("=", 1) for line in done.stdout.split("\0") if "=" in line)
    assert found["AWS_CA_BUNDLE"] == f"{directory}/ca/bundle.pem"
    assert found["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1001"
    assert found["https_proxy"] == found["HTTPS_PROXY"] == "http://127.0.0.1:1002"
    assert found["no_proxy"] == found["NO_PROXY"] == "intranet.example,.lan,127.0.0.1,localhost,::1"
    assert found["AWS_DEFAULT_REGION"] == "eu-north-1"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"} & set(found)


def test_nothing_but_commands_is_on_standard_output(tmp_path: Path) -> None:
    done = env(stopped(tmp_path / "w"))
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["unset"] + ["export"] * (len(lines) - 1)
    assert done.stderr == "WARNING:  restframe serve does not run now\n"
    assert done.returncode == 0


def test_other_forms(tmp_path: Path) -> None:
    directory = stopped(tmp_path / "it's")
    expected = json.loads(env(directory, "--format", "json").stdout)
    docker = env(directory, "--format", "docker").stdout
    assert dict(line.split("=", 1) for line in docker.splitlines()) == expected
    dotenv = env(directory, "--format", "dotenv").stdout
    assert f"AWS_CA_BUNDLE='{tmp_path}/it\\'s/ca/bundle.pem'\n" in dotenv
    assert "AWS_ENDPOINT_URL='http://127.0.0.1:1001'\n" in dotenv


def test_others_may_call_this_machine_by_another_name(served: Any, tmp_path: Path) -> None:
    port = served.url.rpartition(":")[2]
    found = json.loads(env(served.directory, "--format", "json", "--host", "host.docker.internal").stdout)
    assert found["AWS_ENDPOINT_URL"] == f"http://host.docker.internal:{port}"
    assert found["HTTPS_PROXY"].startswith("http://host.docker.internal:")
    assert found["PGHOST"] == "host.docker.internal"
    assert found["NO_PROXY"].endswith(",host.docker.internal")
    found = json.loads(env(stopped(tmp_path / "w"), "--format", "json", "--host", "fd00::1").stdout)
    assert (found["AWS_ENDPOINT_URL"], found["PGHOST"]) == ("http://[fd00::1]:1001", "fd00::1")


@pytest.mark.parametrize("made", [True, False])
def test_before_there_was_a_server_a_shell_gets_nothing_and_its_user_is_told(tmp_path: Path, made: bool) -> None:
    directory = tmp_path / "w"
    if made:
        directory.mkdir()
    done = env(directory)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[:2] == [
        f"ERROR:  there has been no server in {directory} yet",
        f"HINT:  Start it in another shell: restframe serve -d {directory}",
    ]
    assert directory.exists() == made


def test_ports_that_are_chosen_at_the_start_are_not_known_before(tmp_path: Path) -> None:
    directory = stopped(tmp_path / "w")
    (directory / "restframe.toml").write_text("http_port = 0")
    done = env(directory)
    assert (done.returncode, done.stdout) == (1, "")
    assert "restframe serve does not run, and its ports are not fixed" in done.stderr


def test_without_a_valid_key_it_says_so(tmp_path: Path) -> None:
    directory = stopped(tmp_path / "w")
    journal = Journal(directory / "service.sqlite")
    identity = Identity(journal, load(directory))
    identity.keys.revoke(identity.keys.first().access_key_id)
    journal.close()
    done = env(directory)
    assert (done.returncode, done.stdout) == (1, "")
    assert "all access keys were revoked" in done.stderr


def test_addresses_are_those_by_which_this_machine_reaches_it() -> None:
    assert address("0.0.0.0", 1) == "http://127.0.0.1:1"
    assert address("::", 1) == "http://[::1]:1"
    assert address("10.0.0.5", 1) == "http://10.0.0.5:1"


def test_every_endpoint_of_a_single_service_misleads() -> None:
    found = misleading({"AWS_ENDPOINT_URL_STS": "", "AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_S3": ""})
    assert found[-2:] == ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_STS"]
    assert "AWS_ENDPOINT_URL" not in found


PAGE = (Path(__file__).resolve().parents[1] / "docs" / "operating.md").read_text(encoding="utf-8")


def test_every_variable_is_documented(tmp_path: Path) -> None:
    table = PAGE.split("## What clients are told")[1].split("\n## ")[0]
    documented = set(re.findall(r"`([A-Za-z_]+)`", "".join(re.findall(r"^\|([^|]*)\|", table, re.MULTILINE))))
    assert documented == set(json.loads(env(stopped(tmp_path / "w"), "--format", "json").stdout))


@pytest.mark.parametrize("command", re.findall(r"^    (restframe .*?)(?:  +#.*)?$", PAGE, re.MULTILINE))
def test_documented_commands_exist(command: str) -> None:
    assert parser().parse_args(shlex.split(command)[1:]).run.startswith("restframe.cli.")
