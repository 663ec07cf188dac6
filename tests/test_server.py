"""A server from its first start to its end, as a process of its own, used by boto3 as it is."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import stat
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from restframe import errors
from restframe.server import record
from restframe.server.listening import listen
from restframe.server.server import Server, _trusted_by_others

Serve = Callable[..., Any]
Eventually = Callable[[Callable[[], object]], None]

STS = "https://sts.us-east-1.amazonaws.com"


def client(server: Any, service: str, **options: Any) -> Any:
    environment = server.environment()
    return boto3.session.Session().client(
        service,
        region_name=environment["AWS_REGION"],
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}, **options),
    )


def health(url: str) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/_restframe/health", timeout=60) as response:
        return dict(json.load(response))


# From the first start


def test_a_shell_that_evaluates_the_environment_uses_us_without_a_changed_line(served: Any) -> None:
    program = f"""
import boto3
assert boto3.client("sts", endpoint_url="{STS}").get_caller_identity()["Arn"].startswith("arn:aws:sts::000000000000:")
s3 = boto3.client("s3")
s3.put_object(Bucket="rides", Key="a.csv", Body=b"1,2\\n")
print(s3.get_object(Bucket="rides", Key="a.csv")["Body"].read())
"""
    assert served.shell(f"{sys.executable} -c '{program}'") == "b'1,2\\n'\n"
    assert (served.directory / "s3" / "rides" / "a.csv").read_bytes() == b"1,2\n"


def test_it_says_where_it_is_and_what_to_type(serve: Serve) -> None:
    server = serve()
    assert server.said[0].startswith("restframe 0.")
    assert server.said[0].endswith(f" serves {server.directory}")
    assert server.said[-1] == f'In another shell:  eval "$(restframe env -d {server.directory})"'
    assert health(server.url)["status"] == "ok"
    assert server.end() == ("restframe serve has ended\n", "")
    assert server.process.returncode == 0


def test_what_it_makes_is_for_its_user_alone(served: Any) -> None:
    directory = served.directory
    modes = {name: oct(stat.S_IMODE((directory / name).stat().st_mode)) for name in (".", "master.key", "ca/ca.key")}
    assert modes == {".": "0o700", "master.key": "0o600", "ca/ca.key": "0o600"}


def test_through_the_proxy_requests_are_https_to_the_name_that_was_asked_for(served: Any) -> None:
    address = urllib.parse.urlsplit(served.proxy)
    context = ssl.create_default_context(cafile=served.environment()["AWS_CA_BUNDLE"])
    connection = http.client.HTTPSConnection(address.hostname or "", address.port, context=context, timeout=60)
    connection.set_tunnel("iam.amazonaws.com")
    for _ in range(2):  # the connection stays
        connection.request("GET", "/_restframe/health")
        assert json.load(connection.getresponse())["status"] == "ok"
    connection.close()


def test_the_bundle_keeps_what_clients_trusted_before(served: Any, serve: Serve, tmp_path: Path) -> None:
    bundle = Path(served.environment()["AWS_CA_BUNDLE"]).read_text()
    assert bundle.count("BEGIN CERTIFICATE") > 100
    own = tmp_path / "corporate.pem"
    own.write_text("-----BEGIN CERTIFICATE-----\nours\n-----END CERTIFICATE-----")
    bundle = Path(serve(AWS_CA_BUNDLE=str(own)).environment()["AWS_CA_BUNDLE"]).read_text()
    assert bundle.count("BEGIN CERTIFICATE") >= 2
    assert "ours" in bundle


# Beside others


def test_a_second_server_in_the_directory_is_refused_with_the_first_ones_name(served: Any) -> None:
    second = type(served)(served.directory)
    assert second.process.wait(60) == 1
    _, said = second.process.communicate()
    assert f"the warehouse is open in another process (process {served.process.pid})" in said
    assert f"HINT:  restframe serve (process {served.process.pid}) has it open." in said
    assert health(served.url)["status"] == "ok"
    assert record.read(served.directory) is not None


def test_a_taken_port_is_an_error_and_leaves_the_directory_closed(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        failed = serve("--port", "0", "--sql-port", "0", "--proxy-port", port)
        assert failed.process.wait(60) == 1
    said = failed.process.stderr.read()
    assert said.splitlines() == [
        f"ERROR:  port {port} of 127.0.0.1 is taken",
        "HINT:  End what uses it, or take another one with --proxy-port.",
        "SQLSTATE:  58000",
    ]
    assert record.read(failed.directory) is None
    assert health(serve().url)["status"] == "ok"


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid", "no host", "x" * 300])
def test_an_address_that_is_not_ours_is_an_error(host: str) -> None:
    with pytest.raises(errors.OperationalError, match=f'"{host[:100]}" is no address of this machine'):
        listen(host, 0, "--port")


def test_of_a_hosts_addresses_it_takes_the_older_kind() -> None:
    with listen("localhost", 0, "--port") as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


def test_where_other_machines_reach_it_it_warns_makes_no_buckets_and_opens_no_tunnels(serve: Serve) -> None:
    server = serve("--host", "0.0.0.0")
    assert server.url.startswith("http://127.0.0.1:")
    s3 = client(server, "s3")
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.put_object(Bucket="rides", Key="a", Body=b"")
    address = urllib.parse.urlsplit(server.proxy)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(b"CONNECT pypi.example:443 HTTP/1.1\r\n\r\n")
        assert b"403 Forbidden: this proxy leads to *.amazonaws.com only" in connection.recv(1000)
    assert server.end()[1] == (
        "WARNING:  0.0.0.0 can be reached from other machines, and what they send is not encrypted\n"
    )


def test_tunnels_go_through_the_proxy_of_its_own_environment(serve: Serve) -> None:
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        server = serve(https_proxy=f"http://127.0.0.1:{upstream.getsockname()[1]}", no_proxy="")
        address = urllib.parse.urlsplit(server.proxy)
        with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
            connection.sendall(b"CONNECT pypi.example:443 HTTP/1.1\r\n\r\n")
            accepted, _ = upstream.accept()
            with accepted:
                heard.append(accepted.recv(1000))
    assert heard == [b"CONNECT pypi.example:443 HTTP/1.1\r\nHost: pypi.example:443\r\n\r\n"]


def reserved() -> socket.socket:
    """A port that the system gives nobody else meanwhile, and on which whoever names it may listen."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(("127.0.0.1", 0))
    return one


def test_one_started_where_its_environment_was_evaluated_is_not_its_own_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = []

    def ready(_: object) -> None:
        found.extend(name for name in ("AWS_ENDPOINT_URL", "HTTPS_PROXY", "https_proxy") if name in os.environ)
        os.kill(os.getpid(), signal.SIGTERM)

    with reserved() as first, reserved() as second:
        ports = [one.getsockname()[1] for one in (first, second)]
        for name, port in (("AWS_ENDPOINT_URL", ports[0]), ("HTTPS_PROXY", ports[1]), ("https_proxy", ports[1])):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        Server(tmp_path, http_port=ports[0], proxy_port=ports[1], sql_port=0).run(ready)
    assert found == []


# Until the end


def test_after_a_kill_everything_is_there_again_and_nobody_takes_it_for_running(serve: Serve) -> None:
    first = serve()
    before = first.environment()
    client(first, "s3").put_object(Bucket="rides", Key="a", Body=b"kept")
    first.process.kill()
    first.process.wait()
    assert (first.directory / "server.json").exists()
    assert record.read(first.directory) is None
    second = serve()
    after = second.environment()
    kept = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD")
    assert [before[name] for name in kept] == [after[name] for name in kept]
    assert client(second, "s3").get_object(Bucket="rides", Key="a")["Body"].read() == b"kept"


@contextlib.contextmanager
def half_a_request(server: Any) -> Iterator[tuple[socket.socket, Callable[[], bool]]]:
    """A connection on which the server waits for five more bytes of an object, and whether it takes others no more."""
    s3 = client(server, "s3", signature_version="s3v4")
    s3.create_bucket(Bucket="rides")
    url = urllib.parse.urlsplit(s3.generate_presigned_url("put_object", {"Bucket": "rides", "Key": "a"}))

    def takes_no_more() -> bool:
        try:
            socket.create_connection((url.hostname, url.port), timeout=60).close()
        except OSError:
            return True
        return False

    with socket.create_connection((url.hostname, url.port), timeout=60) as connection:
        fields = f"Host: {url.netloc}\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(f"PUT {url.path}?{url.query} HTTP/1.1\r\n{fields}".encode())
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        yield connection, takes_no_more


def test_a_request_that_is_under_way_ends_before_the_server_does(serve: Serve, eventually: Eventually) -> None:
    server = serve(RESTFRAME_SHUTDOWN_GRACE_S="300")
    with half_a_request(server) as (connection, takes_no_more):
        server.process.send_signal(signal.SIGTERM)
        eventually(takes_no_more)
        connection.sendall(b"world")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
    assert server.process.wait(200) == 0
    assert (server.directory / "s3" / "rides" / "a").read_bytes() == b"helloworld"


def test_a_connection_that_only_waits_does_not_keep_it_from_ending(serve: Serve) -> None:
    server = serve(RESTFRAME_SHUTDOWN_GRACE_S="300")
    address = urllib.parse.urlsplit(server.proxy)
    context = ssl.create_default_context(cafile=server.environment()["AWS_CA_BUNDLE"])
    connection = http.client.HTTPSConnection(address.hostname or "", address.port, context=context, timeout=60)
    connection.set_tunnel("sts.amazonaws.com")
    connection.request("GET", "/_restframe/health")
    connection.getresponse().read()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(200) == 0
    connection.close()


def test_who_waits_for_a_statement_is_answered_when_it_ends(serve: Serve, endless: str) -> None:
    server = serve(RESTFRAME_SHUTDOWN_GRACE_S="300")
    data = client(server, "redshift-data")
    number = data.execute_statement(ClusterIdentifier="c", Database="dev", Sql=endless)["Id"]
    answers: list[str] = []
    waiting = threading.Thread(
        target=lambda: answers.append(data.describe_statement(Id=number, WaitTimeSeconds=30)["Status"])
    )
    waiting.start()
    time.sleep(2)  # until it waits, which nothing tells
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(200) == 0
    waiting.join()
    assert len(answers) == 1


@pytest.mark.slow
def test_a_second_interrupt_does_not_wait_for_requests(serve: Serve, eventually: Eventually) -> None:
    server = serve(RESTFRAME_SHUTDOWN_GRACE_S="300")
    with half_a_request(server) as (_, takes_no_more):
        server.process.send_signal(signal.SIGINT)
        eventually(takes_no_more)
        time.sleep(0.5)
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(200) == 0
    assert record.read(server.directory) is None


@pytest.mark.slow
def test_a_statement_that_runs_does_not_keep_it_from_ending(serve: Serve, endless: str) -> None:
    server = serve(RESTFRAME_SHUTDOWN_GRACE_S="1")
    data = client(server, "redshift-data")
    data.execute_statement(ClusterIdentifier="c", Database="dev", Sql=endless)
    waiting = threading.Thread(target=lambda: server.end())
    waiting.start()
    waiting.join()
    assert server.process.returncode == 0


def test_the_log_has_requests_when_asked_for_and_secrets_never(serve: Serve) -> None:
    server = serve("--log-level", "debug")
    environment = server.environment()
    client(server, "sts").get_caller_identity()
    _, log = server.end()
    assert "sts.GetCallerIdentity" in log
    for name in ("AWS_SECRET_ACCESS_KEY", "PGPASSWORD"):
        assert environment[name] not in log


def test_the_bundle_has_all_that_clients_trusted_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, aws, general = (tmp_path / name for name in ("own.pem", "aws.pem", "general.pem"))
    for path in (own, aws, general):
        path.touch()
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    usual = _trusted_by_others(own)
    assert usual
    monkeypatch.setenv("AWS_CA_BUNDLE", str(aws))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(own))
    monkeypatch.setenv("SSL_CERT_FILE", str(general))
    assert _trusted_by_others(own)[:2] == [aws, general]
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    assert _trusted_by_others(own)[:1] == [general]
