"""A client of the PostgreSQL protocol for the fuzzer: it says whatever it likes, and knows what must come back."""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
import struct
import time
from collections.abc import Sequence

from fuzz_server import Finds, Server
from restframe.pgwire.messages import Message, Splitter, build

Said = tuple[bytes, bytes]  # the type and body of a message

_SSL = struct.pack("!II", 8, 80877103)
_NUMBERS = (0, 1, -1, 2, 255, 32_767, -32_768, 65_535, 2**31 - 1, -(2**31))
_OIDS = (0, 16, 20, 21, 23, 25, 26, 700, 701, 705, 1042, 1043, 1082, 1114, 1184, 1700, 2249, 4000, 99_999)
_NAMES = ("", "a", "b", "c", 'quo"ted', "é", "x" * 3000)
_VALUES = (None, b"", b"1", b"-7.5", b"2024-02-30", b"\0\0\0\1", b"\x7f" * 8, b"\xff\xff", b"t", b"x" * 5000)
TALK = (
    "select 1",
    "select $1::int + 1, $2::varchar",
    "select $1::numeric(30,5), $2::timestamp, $3::boolean, $4::date",
    "select i, repeat('x', i % 50) from generate_series(1, 5000) as g(i)",
    "insert into talk values ($1, $2)",
    "insert into talk values (1, 'one'), (2, null)",
    "update talk set b = 'two' where a = $1",
    "delete from talk where a = 2",
    "delete from talk",
    "select * from talk order by a limit 20",
    "declare k cursor for select i from generate_series(1, 3000) as g(i)",
    "fetch 10 from k",
    "close k",
    "copy talk from stdin",
    "copy (select i, 'x' from generate_series(1, 300) as g(i)) to stdout",
    "copy talk to stdout",
    "prepare p (int) as select $1 * 2",
    "execute p(3)",
    "deallocate all",
    "select 1/0",
    "select nosuch",
    "selec 1",
    "",
    ";;",
    "set timezone to 'Europe/Zurich'",
    "set datestyle to 'German'",
    "show all",
    "discard all",
    "create temp table private (a int)",
    "select relname, reltype::regtype from pg_class limit 5",
    "select pg_sleep(0.01)",
)  # fmt: skip
BLOCKS = ("begin", "commit", "rollback", "begin read only", "end")


class Wire:
    """A socket to the server, logged in with a temporary password."""

    def __init__(self, server: Server, user: str, password: str, *, secure: bool = False) -> None:
        self.socket = connect(server, secure=secure)
        self._splitter = Splitter(1 << 28)
        self._kept: list[Message] = []
        self.say((b"", startup(user=f"IAM:{user}", database="dev")))
        assert self.read().type == ord("R")
        self.say((b"p", password.encode() + b"\0"))
        while self.read().type != ord("Z"):
            pass

    def say(self, *messages: Said) -> None:
        """A message without a type is sent as it is."""
        self.socket.sendall(b"".join(build(kind, body) if kind else body for kind, body in messages))

    def read(self) -> Message:
        """The next message. ConnectionError when there is no other."""
        while not self._kept:
            data = self.socket.recv(1 << 16)
            if not data:
                raise ConnectionError("the server has closed")
            for one in self._splitter.feed(data):
                assert isinstance(one, Message), one
                self._kept.append(one)
        return self._kept.pop(0)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.close()


def connect(server: Server, *, secure: bool = False) -> socket.socket:
    connected = socket.create_connection(("127.0.0.1", server.sql_port), timeout=60)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not secure:
        return connected
    connected.sendall(_SSL)
    assert connected.recv(1) == b"S"
    context = ssl.create_default_context(cafile=server.directory / "ca" / "ca.pem")
    return context.wrap_socket(connected, server_hostname="localhost")


def startup(**parameters: str) -> bytes:
    body = b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items()) + b"\0"
    return struct.pack("!II", len(body) + 8, 3 << 16) + body


class Talker:
    """Says messages in any order, bends some, goes away in the middle; judges the answers."""

    def __init__(self, server: Server, name: str, finds: Finds, sql: Sequence[str], slow_s: float) -> None:
        self.server = server
        self.rng = random.Random(name)
        self.finds = finds
        self.sql = sql
        self.slow_s = slow_s
        self.said = 0

    def step(self, user: str, password: str) -> None:
        """One conversation."""
        draw = self.rng.random()
        if draw < 0.15:
            self._noise()
            return
        wire = Wire(self.server, user, password, secure=self.rng.random() < 0.3)
        try:
            for _ in range(self.rng.randint(1, 12)):
                if not self._exchange(wire) or self.rng.random() < 0.03:
                    return
            if draw < 0.5:
                wire.say((b"X", b""))
        finally:
            wire.close()

    def _noise(self) -> None:
        """Something before anybody is known, which must be answered or closed."""
        rng = self.rng
        with contextlib.closing(connect(self.server, secure=rng.random() < 0.3)) as connected:
            said = rng.choice(
                (
                    rng.randbytes(rng.randint(0, 200)),
                    startup(user="awsuser", database="dev")[: rng.randint(0, 40)],
                    startup(user="awsuser", database="dev") + build(rng.choice((b"Q", b"P", b"S", b"d", b"p")), b"x\0"),
                    startup(user=rng.choice(_NAMES), database="dev", options="-c " + rng.choice(_NAMES)),
                    startup(user="awsuser", database="dev") + build(b"p", b"SCRAM-SHA-256\0" + rng.randbytes(20)),
                    struct.pack("!IIII", 16, 80877102, rng.randint(0, 500), rng.randint(0, 2**32 - 1)),
                )
            )
            connected.sendall(said)
            if not isinstance(connected, ssl.SSLSocket):
                connected.shutdown(socket.SHUT_WR)
                while connected.recv(1 << 16):
                    pass

    def _exchange(self, wire: Wire) -> bool:
        """Some messages and their answers, up to the last ReadyForQuery that is due; whether there may be more."""
        said = self._query() if self.rng.random() < 0.5 else self._extended()
        bent = self.rng.random() < 0.08
        if bent:
            said[self.rng.randrange(len(said))] = self._bent(said)
        if self.rng.random() < 0.02:
            data = b"".join(build(kind, body) if kind else body for kind, body in said)
            wire.socket.sendall(data[: self.rng.randrange(len(data))])
            raise ConnectionAbortedError("gone in the middle of a message")
        started = time.monotonic()
        wire.say(*said, (b"S", b""))
        wanted = sum(kind == b"S" or kind == b"Q" for kind, _ in said) + 1
        certain = self._answers(wire, said, wanted, bent)
        took = time.monotonic() - started
        self.said += len(said)
        if took > self.slow_s:
            self.finds.add("slow", None, f"{took:.1f} s {said!r}")
        return certain

    def _answers(self, wire: Wire, said: list[Said], wanted: int, bent: bool) -> bool:
        """Whether all is known to be read: a Sync within COPY is not answered."""
        ready, failed, fatal, certain = 0, False, False, not bent
        try:
            while ready < wanted:
                kind, body = wire.read()
                if kind == ord("Z"):
                    ready += 1
                    if body not in (b"I", b"T", b"E") or (failed and body == b"T"):
                        self.finds.add("state", None, f"{body!r} {said!r}")
                    failed = False
                elif kind == ord("E"):
                    failed, fatal = True, b"SFATAL\0" in body
                    self._judge(body, said)
                elif kind == ord("G"):
                    self._copy(wire)
                    wanted, certain = ready + 1, False
                elif kind not in b"RSKTDCIN123ntsHdcA":
                    self.finds.add("message", None, f"{kind} {said!r}")
        except TimeoutError:
            self.finds.add("no answer", None, f"{ready} of {wanted} {said!r}")
            raise ConnectionAbortedError("nothing came") from None
        except ConnectionError:
            if not (bent or fatal) and self.server.alive:
                self.finds.add("closed", None, repr(said))
            raise
        return certain

    def _judge(self, body: bytes, said: list[Said]) -> None:
        fields = {part[:1]: part[1:] for part in body.split(b"\0") if part}
        code = fields.get(b"C", b"")
        if set(fields) & {b"S", b"V", b"C", b"M"} != {b"S", b"V", b"C", b"M"} or len(code) != 5:
            self.finds.add("error without its fields", None, repr(body))
        if (code == b"XX000" and not fields.get(b"M", b"").startswith(b"Load into table")) or len(body) > 3000:
            self.finds.add("internal error", None, f"{body[:1000]!r} {said!r}")
        for word in self.server.forbidden:
            if word.encode() in body:
                self.finds.add("secret", None, f"{body!r} {said!r}")
        self.finds.note("error", code.decode(errors="replace"), fields.get(b"M", b"").decode(errors="replace"), 0)

    def _copy(self, wire: Wire) -> None:
        """Data for a COPY that waits for it."""
        for _ in range(self.rng.randint(0, 5)):
            rows = (b"1\tone\n", b"2\t\\N\n", b"\\.\n", b"x\ty\n", b"3", self.rng.randbytes(20))
            wire.say((b"d", self.rng.choice(rows) * self.rng.choice((1, 1, 500))))
        wire.say((b"c", b"") if self.rng.random() < 0.7 else (b"f", b"no more\0"), (b"S", b""))

    # What is said

    def _text(self) -> bytes:
        draw = self.rng.random()
        if draw < 0.25:
            return self.rng.choice(BLOCKS).encode()
        if draw < 0.4:
            return self.rng.choice(self.sql).encode("utf-8", "surrogatepass")
        return self.rng.choice(TALK).encode()

    def _query(self) -> list[Said]:
        return [(b"Q", b";".join(self._text() for _ in range(self.rng.choice((1, 1, 1, 2, 3)))) + b"\0")]

    def _extended(self) -> list[Said]:
        said = []
        name, portal, text = self.rng.choice(_NAMES), self.rng.choice(_NAMES), self._text()
        for kind in self.rng.choice(("PBDE", "PDBE", "PBEE", "PBE", "PD", "BE", "E", "CPBE", "PBSE", "PBEBE", "PBHEC")):
            said.append((kind.encode(), self._body(kind, name, portal, text)))
        return said

    def _body(self, kind: str, name: str, portal: str, text: bytes) -> bytes:
        rng = self.rng
        named = name.encode() + b"\0"
        if kind == "P":
            oids = [rng.choice(_OIDS) for _ in range(rng.choice((0, 0, 1, 2)))]
            return named + text.replace(b"\0", b"") + b"\0" + struct.pack(f"!H{len(oids)}I", len(oids), *oids)
        if kind == "B":
            return portal.encode() + b"\0" + named + self._values(text.count(b"$"))
        if kind in "DC":
            return rng.choice((b"S" + named, b"P" + portal.encode() + b"\0"))
        if kind == "E":
            return portal.encode() + b"\0" + struct.pack("!i", rng.choice((0, 0, 1, 7, 2**31 - 1, -1)))
        return b""

    def _values(self, count: int) -> bytes:
        rng = self.rng
        if rng.random() < 0.1:
            count = rng.choice((0, 1, 5, 300))
        formats = [rng.choice((0, 0, 0, 1)) for _ in range(rng.choice((0, 1, count)))]
        body = struct.pack(f"!H{len(formats)}H", len(formats), *formats) + struct.pack("!H", count)
        for _ in range(count):
            value = rng.choice(_VALUES)
            body += struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
        return body + struct.pack("!HH", 1, rng.choice((0, 1)))

    def _bent(self, said: list[Said]) -> Said:
        """A message that no client would send."""
        kind, body = self.rng.choice(said)
        bent = bytearray(body)
        for _ in range(self.rng.randint(1, 4)):
            at = self.rng.randint(0, len(bent))
            bent[at : at + self.rng.randint(0, 3)] = self.rng.choice(
                (b"", b"\0", b"\xff", self.rng.randbytes(3), struct.pack("!i", self.rng.choice(_NUMBERS)))
            )
        return self.rng.choice((kind, b"P", b"B", b"E", b"F", b"d", b"?")), bytes(bent)
