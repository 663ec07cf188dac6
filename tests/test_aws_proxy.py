"""The proxy, over real connections on this machine; where it goes out, names of others lead back to servers of ours."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe.aws.proxy import Outward, Proxy, Upstream, outward, server
from restframe.aws.proxy.request import Refusal, Target, read_target
from restframe.aws.proxy.tunnel import Side
from restframe.identity.authority import Authority

STS = "sts.us-east-1.amazonaws.com"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Echo(asyncio.Protocol):
    """Says what TLS it hears under, then what it hears."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.transport.write(b"tls:" if transport.get_extra_info("sslcontext") else b"plain:")

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class Network:
    """A proxy and the servers behind it, in an event loop of their own."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.loop = asyncio.new_event_loop()
        self.names: dict[str, list[str]] = {}
        self.dialled: list[tuple[str, int]] = []
        self.ports: dict[int, int] = {}  # where a dialled port really is
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self._proxies: list[Proxy] = []

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    async def _resolve(self, host: str, port: int) -> list[str]:
        if host not in self.names:
            raise socket.gaierror
        return self.names[host]

    async def _dial(self, host: str, port: int) -> Side:
        self.dialled.append((host, port))
        return await outward.dial_any("127.0.0.1", self.ports.get(port, 9))

    def proxy(self, upstream: Upstream | None = None, *, tunnels: bool = True) -> int:
        """Start one; its port."""
        way = Outward(upstream, self._resolve, self._dial)
        proxy = Proxy(self.authority.context, Echo, way if tunnels else None)
        self._proxies.append(proxy)
        listener = socket.create_server(("127.0.0.1", 0))
        self.run(proxy.start([listener]))
        return int(listener.getsockname()[1])

    def serve(self, conversation: Callable[[socket.socket], None]) -> int:
        """A server on this machine for one connection; its port."""
        listener = socket.create_server(("127.0.0.1", 0))

        def accept() -> None:
            with listener, contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(60)
                    conversation(connection)

        threading.Thread(target=accept, daemon=True).start()
        return int(listener.getsockname()[1])

    def host(self, name: str, conversation: Callable[[socket.socket], None], address: str = "203.0.113.5") -> None:
        """Somebody else's machine, at port 443."""
        self.names[name] = [address]
        self.ports[443] = self.serve(conversation)

    def close(self) -> None:
        for proxy in self._proxies:
            self.run(proxy.stop())
        self.run(asyncio.sleep(0.02))  # what was dropped is gone in the next rounds of the loop
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    network = Network(Authority(tmp_path / "ca"))
    yield network
    network.close()


@contextlib.contextmanager
def client(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        yield connection


def until(connection: socket.socket, end: bytes) -> bytes:
    heard = b""
    while not heard.endswith(end) and (piece := connection.recv(65536)):
        heard += piece
    return heard


def rest(connection: socket.socket) -> bytes:
    return until(connection, b"\0 never \0")


def ask(port: int, request: bytes) -> bytes:
    """All that the proxy answers to a request which it does not grant."""
    with client(port) as connection:
        connection.sendall(request)
        return rest(connection)


def echo(connection: socket.socket) -> None:
    while data := connection.recv(65536):
        connection.sendall(data)
    connection.sendall(b" bye")


# Other hosts


def test_another_host_is_tunnelled_untouched_and_each_way_ends_by_itself(network: Network) -> None:
    network.host("pypi.example", echo)
    with client(network.proxy()) as connection:
        connection.sendall(b"CONNECT pypi.example:443 HTTP/1.1\r\nHost: pypi.example:443\r\n\r\n")
        assert until(connection, b"\r\n\r\n") == ESTABLISHED
        everything = bytes(range(256)) * 4
        connection.sendall(everything)
        assert until(connection, everything[-4:]) == everything
        connection.shutdown(socket.SHUT_WR)
        assert rest(connection) == b" bye"
    assert network.dialled == [("203.0.113.5", 443)]


def test_what_is_sent_before_the_answer_arrives_too(network: Network) -> None:
    network.host("pypi.example", echo)
    with client(network.proxy()) as connection:
        connection.sendall(b"CONNECT pypi.example:443 HTTP/1.1\r\n\r\nearly")
        connection.shutdown(socket.SHUT_WR)
        assert rest(connection) == ESTABLISHED + b"early bye"


def test_a_host_that_ends_first_ends_the_tunnel(network: Network) -> None:
    network.host("pypi.example", lambda connection: connection.sendall(b"hello"))
    with client(network.proxy()) as connection:
        connection.sendall(b"CONNECT pypi.example:443 HTTP/1.1\r\n\r\n")
        assert rest(connection) == ESTABLISHED + b"hello"


def test_a_slow_reader_slows_the_sender_down(network: Network) -> None:
    sent = 0

    def pour(connection: socket.socket) -> None:
        nonlocal sent
        for _ in range(3000):
            connection.sendall(bytes(1 << 16))
            sent += 1 << 16

    network.host("pypi.example", pour)
    with client(network.proxy()) as connection:
        connection.sendall(b"CONNECT pypi.example:443 HTTP/1.1\r\n\r\n")
        assert connection.recv(len(ESTABLISHED), socket.MSG_WAITALL) == ESTABLISHED
        before = -1
        while before != sent:  # until nothing moves
            before = sent
            time.sleep(0.3)
        # what kernels buffer for us is up to them
        assert max(side.transport.get_write_buffer_size() for side in network._proxies[0]._sides) < 1_000_000
        received = len(ESTABLISHED)
        while piece := connection.recv(1 << 20):
            received += len(piece)
    assert received >= 3000 << 16


def test_many_tunnels_at_once(network: Network) -> None:
    network.names = {f"h{i}.example": ["203.0.113.5"] for i in range(50)}
    port = network.proxy()
    with contextlib.ExitStack() as opened:
        connections = []
        for i in range(50):
            network.ports[1000 + i] = network.serve(echo)
            connections.append(opened.enter_context(client(port)))
            connections[i].sendall(f"CONNECT h{i}.example:{1000 + i} HTTP/1.1\r\n\r\n{i:04}".encode())
        for i, connection in enumerate(connections):
            expected = ESTABLISHED + f"{i:04}".encode()
            assert until(connection, expected[-4:]) == expected


def test_beyond_a_number_of_connections_it_says_so(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_MAX_CONNECTIONS", 1)
    port = network.proxy()
    with client(port):
        assert ask(port, b"").startswith(b"HTTP/1.1 503 ")


def test_a_tunnel_through_which_nothing_comes_is_given_up(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_SWEEP_S", 0.05)
    network.host("pypi.example", echo)
    with client(network.proxy()) as connection:
        connection.sendall(b"CONNECT pypi.example:443 HTTP/1.1\r\n\r\n")
        assert until(connection, b"\r\n\r\n") == ESTABLISHED
        monkeypatch.setattr(server, "_IDLE_S", 0.3)
        with contextlib.suppress(ConnectionResetError):
            assert rest(connection) == b""


# Amazon's hosts


def tls(connection: socket.socket, network: Network, host: str = STS) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(network.authority.certificate))
    return context.wrap_socket(connection, server_hostname=host)


@pytest.mark.parametrize("host", [STS, "STS.US-EAST-1.AMAZONAWS.COM.", "a.b.s3.amazonaws.com"])
def test_amazons_hosts_are_answered_by_ourselves(network: Network, host: str) -> None:
    with client(network.proxy()) as connection:
        connection.sendall(f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode())
        assert until(connection, b"\r\n\r\n") == ESTABLISHED
        with tls(connection, network, host.removesuffix(".").lower()) as secure:
            secure.sendall(b"who am I?")
            assert until(secure, b"who am I?") == b"tls:who am I?"
    assert network.dialled == []


def test_what_comes_with_the_end_of_the_handshake_is_not_lost(network: Network) -> None:
    port = network.proxy()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(cafile=str(network.authority.certificate))
    secure = context.wrap_bio(incoming, outgoing, server_hostname=STS)
    with client(port) as connection:
        connection.sendall(f"CONNECT {STS}:443 HTTP/1.1\r\n\r\n".encode())
        assert until(connection, b"\r\n\r\n") == ESTABLISHED
        with pytest.raises(ssl.SSLWantReadError):
            secure.do_handshake()
        connection.sendall(outgoing.read())
        done = False
        while not done:
            incoming.write(connection.recv(65536))
            with contextlib.suppress(ssl.SSLWantReadError):
                secure.do_handshake()
                done = True
        secure.write(b"at once")
        connection.sendall(outgoing.read())  # our Finished and the first request in one piece
        heard = b""
        while not heard.endswith(b"at once"):
            incoming.write(connection.recv(65536))
            with contextlib.suppress(ssl.SSLWantReadError):
                while True:
                    heard += secure.read(65536)
        assert heard == b"tls:at once"


def test_another_port_of_theirs_is_not_played(network: Network) -> None:
    name = "mine.abc.us-east-1.redshift.amazonaws.com"
    network.names[name] = ["203.0.113.5"]
    network.ports[5439] = network.serve(echo)
    with client(network.proxy()) as connection:
        connection.sendall(f"CONNECT {name}:5439 HTTP/1.1\r\n\r\nhi".encode())
        assert until(connection, b"hi") == ESTABLISHED + b"hi"


@pytest.mark.parametrize("host", ["amazonaws.com.example", "notamazonaws.com", "amazonaws.com"])
def test_a_host_that_only_looks_like_theirs_is_tunnelled(network: Network, host: str) -> None:
    network.host(host, echo)
    with client(network.proxy()) as connection:
        connection.sendall(f"CONNECT {host}:443 HTTP/1.1\r\n\r\nhi".encode())
        assert until(connection, b"hi") == ESTABLISHED + b"hi"


def test_a_client_that_does_not_trust_us_is_dropped_and_the_next_one_served(network: Network) -> None:
    port = network.proxy()
    with client(port) as connection:
        connection.sendall(f"CONNECT {STS}:443 HTTP/1.1\r\n\r\n".encode())
        until(connection, b"\r\n\r\n")
        with pytest.raises(ssl.SSLCertVerificationError):
            ssl.create_default_context().wrap_socket(connection, server_hostname=STS)
    with client(port) as connection:
        connection.sendall(f"CONNECT {STS}:443 HTTP/1.1\r\n\r\n".encode())
        assert until(connection, b"\r\n\r\n") == ESTABLISHED
        with tls(connection, network) as secure:
            assert secure.recv(100) == b"tls:"


def test_words_slipped_in_before_the_handshake_are_refused(network: Network) -> None:
    answer = ask(network.proxy(), f"CONNECT {STS}:443 HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 400 ")


# Where it does not lead


@pytest.mark.parametrize(
    "target",
    [
        "127.0.0.1:8439", "127.8.8.8:22", "127.1:22", "2130706433:22", "0x7f000001:22", "0177.0.0.1:22", "[::1]:22",
        "localhost:5432", "LOCALHOST.:5432", "db.localhost:5432", "0.0.0.0:22", "0.1.2.3:22", "[::]:22",
        "169.254.169.254:80", "[fe80::1]:22", "[::ffff:127.0.0.1]:22", "[::ffff:a9fe:a9fe]:80", "[::7f00:1]:22",
        "[64:ff9b::7f00:1]:22", "[2002:7f00:1::]:22", "[fd00:ec2::254]:80", "100.100.100.200:80", "224.0.0.1:80",
    ],
)  # fmt: skip
def test_this_machine_and_what_clouds_tell_machines_are_out_of_reach(network: Network, target: str) -> None:
    upstream = Upstream("127.0.0.1", 9)
    for port in (network.proxy(), network.proxy(upstream)):
        answer = ask(port, f"CONNECT {target} HTTP/1.1\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 403 Forbidden: this proxy does not lead to ")
    assert network.dialled == []


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["203.0.113.5", "::1"], ["169.254.169.254"], ["fe80::1%eth0"], ["::ffff:127.0.0.1"]]
)
def test_nor_by_a_name_that_leads_there(network: Network, addresses: list[str]) -> None:
    network.names["innocent.example"] = addresses
    answer = ask(network.proxy(), b"CONNECT innocent.example:443 HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403 Forbidden: this proxy does not lead to innocent.example\r\n")
    assert network.dialled == []


def test_nor_by_another_address_of_this_machine(network: Network) -> None:
    port = network.serve(echo)
    with pytest.raises(Refusal, match="back to its own machine"):
        network.run(outward.dial_others("127.0.0.1", port))


def test_private_networks_are_not_this_machine(network: Network) -> None:
    network.host("wheels.company.example", echo, "10.1.2.3")
    with client(network.proxy()) as connection:
        connection.sendall(b"CONNECT wheels.company.example:443 HTTP/1.1\r\n\r\nhi")
        assert until(connection, b"hi") == ESTABLISHED + b"hi"


def test_a_proxy_without_a_way_out_has_amazons_hosts_only(network: Network) -> None:
    port = network.proxy(tunnels=False)
    assert ask(port, b"CONNECT pypi.example:443 HTTP/1.1\r\n\r\n").startswith(
        b"HTTP/1.1 403 Forbidden: this proxy leads to *.amazonaws.com only\r\n"
    )
    with client(port) as connection:
        connection.sendall(f"CONNECT {STS}:443 HTTP/1.1\r\n\r\n".encode())
        assert until(connection, b"\r\n\r\n") == ESTABLISHED


def test_a_name_nobody_knows(network: Network) -> None:
    answer = ask(network.proxy(), b"CONNECT nowhere.example:443 HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 502 Bad Gateway: nowhere.example has no address\r\n")
    assert answer.endswith(b"\r\n\r\nnowhere.example has no address\n")


def test_a_host_that_does_not_listen_on_any_address(network: Network) -> None:
    network.names["down.example"] = ["203.0.113.5", "203.0.113.6"]
    answer = ask(network.proxy(), b"CONNECT down.example:443 HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 502 Bad Gateway: down.example cannot be reached: it refuses the connection")
    assert network.dialled == [("203.0.113.5", 443), ("203.0.113.6", 443)]


# Through another proxy


def upstream_answering(network: Network, answer: bytes, heard: list[bytes], bypass: str = "") -> Upstream:
    def conversation(connection: socket.socket) -> None:
        heard.append(until(connection, b"\r\n\r\n"))
        connection.sendall(answer)
        if b" 200 " in answer:
            echo(connection)

    return Upstream("127.0.0.1", network.serve(conversation), "Basic a2ltOnB3", bypass)


def test_another_proxy_is_asked_when_there_is_one(network: Network) -> None:
    heard: list[bytes] = []
    upstream = upstream_answering(network, b"HTTP/1.0 200 OK\r\nVia: x\r\n\r\nhello", heard)
    with client(network.proxy(upstream)) as connection:
        connection.sendall(b"CONNECT pypi.example:443 HTTP/1.1\r\nSecret: mine\r\n\r\n hi")
        assert until(connection, b" hi") == ESTABLISHED + b"hello hi"
    assert heard == [
        b"CONNECT pypi.example:443 HTTP/1.1\r\nHost: pypi.example:443\r\nProxy-Authorization: Basic a2ltOnB3\r\n\r\n"
    ]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "the upstream proxy answers 407 for pypi.example"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "the upstream proxy does not answer as one"),
        (b"x" * 20_000, "the upstream proxy does not answer as one"),
        (b"", "the upstream proxy does not answer as one"),
    ],
)
def test_what_it_refuses_is_told(network: Network, answer: bytes, reason: str) -> None:
    upstream = upstream_answering(network, answer, [])
    said = ask(network.proxy(upstream), b"CONNECT pypi.example:443 HTTP/1.1\r\n\r\n")
    assert said.startswith(f"HTTP/1.1 502 Bad Gateway: {reason}\r\n".encode())


def test_one_that_is_not_there_is_told(network: Network) -> None:
    answer = ask(network.proxy(Upstream("127.0.0.1", 9)), b"CONNECT pypi.example:443 HTTP/1.1\r\n\r\n")
    assert b"502 Bad Gateway: the upstream proxy cannot be reached: it refuses the connection" in answer


def test_its_exceptions_are_reached_without_it(network: Network) -> None:
    network.host("wheels.company.example", echo)
    upstream = Upstream("127.0.0.1", 9, bypass="company.example")
    with client(network.proxy(upstream)) as connection:
        connection.sendall(b"CONNECT wheels.company.example:443 HTTP/1.1\r\n\r\nhi")
        assert until(connection, b"hi") == ESTABLISHED + b"hi"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": ""}, None),
        ({"HTTPS_PROXY": "http://p.example:3128"}, Upstream("p.example", 3128)),
        ({"HTTPS_PROXY": "http://upper.example:1", "https_proxy": "lower.example:2"}, Upstream("lower.example", 2)),
        (
            {"HTTPS_PROXY": "http://kim:p%40w@[2001:db8::1]:3128/", "NO_PROXY": "a.example, .b.example"},
            Upstream("2001:db8::1", 3128, "Basic a2ltOnBAdw==", "a.example, .b.example"),
        ),
    ],
)
def test_the_environment_names_it(environment: dict[str, str], expected: Upstream | None) -> None:
    assert Upstream.from_environment(environment) == expected


def test_its_password_is_not_shown() -> None:
    upstream = Upstream.from_environment({"HTTPS_PROXY": "http://kim:secret@p.example:1"})
    assert "c2VjcmV0" not in repr(upstream)
    assert "Basic" not in repr(upstream)


@pytest.mark.parametrize("url", ["socks5://p.example:1080", "https://p.example:1", "http://", "http://p:port"])
def test_a_kind_we_do_not_speak_is_an_error(url: str) -> None:
    with pytest.raises(ValueError):
        Upstream.from_environment({"HTTPS_PROXY": url})


# Requests that are none


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (
            b"GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n",
            b"405 Method Not Allowed: this proxy is for",
        ),
        (b"GET / HTTP/1.1\r\n\r\n", b"405 "),
        (b"CONNECT example.com HTTP/1.1\r\n\r\n", b"400 "),
        (b"CONNECT example.com:0 HTTP/1.1\r\n\r\n", b"400 "),
        (b"CONNECT example.com:65536 HTTP/1.1\r\n\r\n", b"400 "),
        (b"CONNECT kim@example.com:443 HTTP/1.1\r\n\r\n", b"400 "),
        (b"CONNECT " + b"a" * 300 + b":443 HTTP/1.1\r\n\r\n", b"400 "),
        (b"CONNECT .:443 HTTP/1.1\r\n\r\n", b"400 "),
        (b"CONNECT example.com:443\r\n\r\n", b"400 Bad Request: this is no HTTP request"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400 "),
        (b"CONNECT example.com:443 HTTP/1.1\r\nX: " + b"y" * 20_000, b"431 "),
    ],
)
def test_a_request_it_does_not_take_gets_a_reason(network: Network, request_: bytes, status: bytes) -> None:
    assert ask(network.proxy(), request_).startswith(b"HTTP/1.1 " + status)


def test_a_request_that_never_ends_is_given_up(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_HEAD_S", 0.1)
    with client(network.proxy()) as connection:
        connection.sendall(b"CONNECT ")
        assert rest(connection).startswith(b"HTTP/1.1 408 ")


def test_a_client_that_leaves_before_it_has_asked_is_forgotten(network: Network) -> None:
    with client(network.proxy()) as connection:
        connection.sendall(b"CONNECT exam")
    with client(network.proxy()):
        pass


@given(st.binary(max_size=200))
def test_any_bytes_are_a_target_or_a_refusal(head: bytes) -> None:
    with contextlib.suppress(Refusal):
        read_target(head)


@given(st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}(\.[a-z0-9-]{1,20}){0,3}[a-z0-9]", fullmatch=True), st.integers(1, 65535))
def test_a_target_is_read_as_it_was_written(host: str, port: int) -> None:
    target = Target(host, port)
    assert read_target(f"CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) == target


def test_stopping_drops_what_is_open(network: Network) -> None:
    network.host("pypi.example", echo)
    port = network.proxy()
    with client(port) as connection:
        connection.sendall(b"CONNECT pypi.example:443 HTTP/1.1\r\n\r\n")
        until(connection, b"\r\n\r\n")
        network.run(network._proxies[0].stop())
        with contextlib.suppress(ConnectionResetError):
            assert rest(connection) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=60)
