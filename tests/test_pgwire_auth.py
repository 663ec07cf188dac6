"""Logins as bytes in and bytes out; the clients' sides are written here after the RFC and the drivers' sources."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe import errors
from restframe import settings as settings_
from restframe.catalog.users import SUPERUSER_ID, User
from restframe.identity import Identity
from restframe.identity.verifiers import Digest, Verifiers
from restframe.journal import Journal
from restframe.pgwire import auth
from restframe.pgwire.messages import Message, ProtocolViolation
from restframe.settings import Settings

PLAIN = {"user": "joe", "database": "dev"}
DRIVER = {**PLAIN, "client_protocol_version": "2", "driver_version": "Redshift Python Driver 2.2.0"}
OLD_DRIVER = {**DRIVER, "driver_version": "Redshift Python Driver 2.0.900"}
OK = b"R\x00\x00\x00\x08\x00\x00\x00\x00"
PASSWORD = "Secret-99"
JOE = User("joe", 101, verifiers=Verifiers.of("joe", PASSWORD).text)


@dataclass
class World:
    """A warehouse of a few users, and who logs in to it."""

    settings: Settings
    identity: Identity
    users: dict[str, User] = field(default_factory=dict)
    waited: list[float] = field(default_factory=list)

    def login(self, name: str) -> User | None:
        return self.users.get(name)

    def start(
        self,
        startup: Mapping[str, str] = PLAIN,
        secure: bool = False,
        address: str = "127.0.0.1",
        certificate_hash: bytes | None = None,
    ) -> Client:
        exchange = auth.login(
            startup,
            self,
            self.identity,
            secure,
            address,
            certificate_hash=certificate_hash,
        )
        return Client(exchange, self)


class Client:
    """Drives an exchange; `said` is the server's last message."""

    def __init__(self, exchange: auth.Exchange, world: World) -> None:
        self.exchange = exchange
        self.world = world
        self.user: User | None = None
        self.said = b""
        self._take(None)

    @property
    def code(self) -> int:
        """Of the Authentication message."""
        assert self.said[:1] == b"R"
        assert len(self.said) == 1 + int.from_bytes(self.said[1:5], "big")
        return int.from_bytes(self.said[5:9], "big")

    def send(self, body: bytes, kind: bytes = b"p") -> bytes:
        self._take(Message(kind[0], body))
        return self.said

    def _take(self, answer: Message | None) -> None:
        said = self.exchange.send(answer)
        while isinstance(said, auth.Wait):
            self.world.waited.append(said.seconds)
            said = self.exchange.send(None)
        self.said = said

    def finish(self) -> User:
        with pytest.raises(StopIteration) as end:
            self.exchange.send(None)
        user: User = end.value.value
        return user


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    settings = settings_.load(tmp_path)
    journal = Journal(tmp_path / "service.sqlite")
    yield World(settings, Identity(journal, settings), {"joe": JOE})
    journal.close()


# What clients do


def scram(
    client: Client, password: str, mechanism: str = "SCRAM-SHA-256", header: str = "n,,", bound: bytes = b""
) -> None:
    """https://www.rfc-editor.org/rfc/rfc5802, section 3; raises when the server cannot prove itself."""
    bare = "n=,r=rOprNGfwEbeRWgbNEkqO"
    first = f"{header}{bare}".encode()
    client.send(mechanism.encode() + b"\0" + struct.pack(">i", len(first)) + first)
    assert client.code == 11
    server_first = client.said[9:].decode()
    fields = dict(part.split("=", 1) for part in server_first.split(","))
    assert fields["r"].startswith("rOprNGfwEbeRWgbNEkqO")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    final = f"c={base64.b64encode(header.encode() + bound).decode()},r={fields['r']}"
    message = f"{bare},{server_first},{final}".encode()
    signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    client.send(f"{final},p={base64.b64encode(proof).decode()}".encode())
    expected = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256")
    last = b"v=" + base64.b64encode(expected)
    assert client.said == b"R" + struct.pack(">ii", 8 + len(last), 12) + last + OK


def digest(client: Client, password: str) -> None:
    """As redshift_connector's ExtensibleDigest."""
    assert client.code == 13
    algorithm, length = struct.unpack_from(">ii", client.said, 9)
    assert algorithm == 0
    salt = client.said[17 : 17 + length]
    server_nonce = client.said[17 + length + 4 :]
    assert int.from_bytes(client.said[17 + length : 21 + length], "big") == len(server_nonce) == 32
    client_nonce = b"1700000000000"
    first = hashlib.sha256(password.encode() + salt).digest()
    proof = hashlib.sha256(first + server_nonce + client_nonce).digest()
    client.send(struct.pack(">i", 32) + proof + struct.pack(">i", 13) + client_nonce, b"d")


def md5(client: Client, user: str, password: str) -> None:
    assert client.code == 5
    inner = hashlib.md5((password + user).encode()).hexdigest()
    client.send(b"md5" + hashlib.md5(inner.encode() + client.said[9:]).hexdigest().encode() + b"\0")


# Who is asked for what


def test_clients_of_postgresql_prove_themselves_by_scram(world: World) -> None:
    client = world.start()
    assert client.said == b"R\x00\x00\x00\x17\x00\x00\x00\x0aSCRAM-SHA-256\0\0"
    scram(client, PASSWORD)
    assert client.finish() == JOE


def test_under_tls_they_may_bind_the_channel(world: World) -> None:
    hash_ = hashlib.sha256(b"certificate").digest()
    client = world.start(secure=True, certificate_hash=hash_)
    assert client.said[9:] == b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"
    scram(client, PASSWORD, "SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,", hash_)
    assert client.finish() == JOE


def test_they_need_not(world: World) -> None:
    client = world.start(secure=True, certificate_hash=b"h" * 32)
    scram(client, PASSWORD)
    assert client.finish() == JOE


def test_a_binding_to_another_certificate_is_somebody_between_us(world: World) -> None:
    client = world.start(secure=True, certificate_hash=b"ours" * 8)
    with pytest.raises(errors.InvalidAuthorization, match="channel binding check failed"):
        scram(client, PASSWORD, "SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,", b"thei" * 8)


def test_so_is_a_client_that_was_not_told_that_we_can_bind(world: World) -> None:
    client = world.start(secure=True, certificate_hash=b"ours" * 8)
    with pytest.raises(errors.InvalidAuthorization, match="channel binding negotiation"):
        scram(client, PASSWORD, header="y,,")


def test_without_tls_a_client_may_say_that_it_could_have_bound(world: World) -> None:
    client = world.start()
    scram(client, PASSWORD, header="y,,")
    assert client.finish() == JOE


def test_redshift_drivers_send_a_digest(world: World) -> None:
    client = world.start(DRIVER)
    digest(client, PASSWORD)
    assert client.said == OK
    assert client.finish() == JOE


@pytest.mark.parametrize("driver", ["Redshift Python Driver 2.0.900", "Redshift JDBC Driver 2.0.0.7", "other", ""])
def test_drivers_that_do_not_know_the_digest_send_md5(world: World, driver: str) -> None:
    client = world.start({**DRIVER, "driver_version": driver})
    md5(client, "joe", PASSWORD)
    assert client.finish() == JOE


def test_a_password_given_as_md5_is_proven_by_md5(world: World) -> None:
    hashed = hashlib.md5(b"Secret-99joe").hexdigest()
    world.users["joe"] = replace(JOE, verifiers=Verifiers.of("joe", f"md5{hashed}").text)
    for startup in (PLAIN, DRIVER):
        client = world.start(startup)
        md5(client, "joe", PASSWORD)
        assert client.finish().name == "joe"


def test_a_password_given_as_a_digest_is_proven_by_it_or_shown(world: World) -> None:
    verifiers = Verifiers(digest=Digest.of(PASSWORD, bytes(32)))
    world.users["joe"] = replace(JOE, verifiers=verifiers.text)
    client = world.start(DRIVER)
    digest(client, PASSWORD)
    assert client.finish().name == "joe"
    for startup in (PLAIN, OLD_DRIVER):
        client = world.start(startup)
        assert client.said == b"R\x00\x00\x00\x08\x00\x00\x00\x03"
        client.send(b"Secret-99\0")
        assert client.finish().name == "joe"


def test_flush_before_or_after_a_password_is_no_answer(world: World) -> None:
    client = world.start(DRIVER)
    request = client.said
    assert client.send(b"", b"H") == b""
    client.said = request
    digest(client, PASSWORD)
    assert client.finish() == JOE


def test_the_superuser_has_the_master_password_until_another_is_set(world: World) -> None:
    master = User("awsuser", SUPERUSER_ID, superuser=True)
    world.users["awsuser"] = master
    client = world.start({**PLAIN, "user": "awsuser"})
    scram(client, world.identity.master_password)
    assert client.finish() == master
    world.users["awsuser"] = replace(master, verifiers=Verifiers.of("awsuser", "Another-1").text)
    with pytest.raises(errors.InvalidPassword):
        scram(world.start({**PLAIN, "user": "awsuser"}), world.identity.master_password)
    with pytest.raises(errors.InvalidPassword):
        world.start({**PLAIN, "user": "IAM:awsuser"}).send(world.identity.master_password.encode() + b"\0")
    client = world.start({**DRIVER, "user": "awsuser"})
    digest(client, "Another-1")
    assert client.finish().name == "awsuser"


# Temporary credentials


@pytest.mark.parametrize("prefix", ["IAM:", "IAMA:", "IAMR:"])
@pytest.mark.parametrize("startup", [PLAIN, DRIVER])
def test_temporary_credentials_are_shown(world: World, prefix: str, startup: Mapping[str, str]) -> None:
    password, _ = world.identity.database_password("joe", 900)
    client = world.start({**startup, "user": f"{prefix}joe"})
    assert client.code == 3
    assert client.send(password.encode() + b"\0") == OK
    assert client.finish() == JOE


def test_they_are_for_one_user_and_not_the_users_own_password(world: World) -> None:
    password, _ = world.identity.database_password("jane", 900)
    for wrong in (password, PASSWORD):
        with pytest.raises(errors.InvalidPassword) as error:
            world.start({**PLAIN, "user": "IAM:joe"}).send(wrong.encode() + b"\0")
        assert error.value.message == 'password authentication failed for user "IAM:joe"'


def test_they_work_without_a_password_and_after_its_end(world: World) -> None:
    past = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=1)
    world.users["joe"] = replace(JOE, verifiers=None, valid_until=past)
    password, _ = world.identity.database_password("joe", 900)
    client = world.start({**PLAIN, "user": "IAM:joe"})
    client.send(password.encode() + b"\0")
    assert client.finish().name == "joe"


@pytest.mark.parametrize("address", ["10.1.2.3", "2001:db8::1", "::ffff:10.1.2.3", "nonsense"])
def test_a_password_in_clear_never_goes_over_a_network_without_tls(world: World, address: str) -> None:
    with pytest.raises(errors.InvalidAuthorization, match="without TLS") as error:
        world.start({**PLAIN, "user": "IAM:joe"}, address=address)
    assert error.value.hint == "Connect with sslmode=require."
    assert world.start({**PLAIN, "user": "IAM:joe"}, secure=True, address=address).code == 3


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", ""])
def test_within_this_machine_it_may(world: World, address: str) -> None:
    assert world.start({**PLAIN, "user": "IAM:joe"}, address=address).code == 3


# Who does not come in


@pytest.mark.parametrize("user", ["joe", "nobody", "disabled"])
@pytest.mark.parametrize("startup", [PLAIN, DRIVER, OLD_DRIVER])
def test_a_wrong_password_and_an_unknown_user_look_the_same(
    world: World, user: str, startup: Mapping[str, str]
) -> None:
    world.users["disabled"] = replace(JOE, name="disabled", verifiers=None)
    startup = {**startup, "user": user}
    client, again = world.start(startup), world.start(startup)
    assert client.code == again.code == {"PLAIN": 10, "DRIVER": 13}.get(_name(startup), 5)
    with pytest.raises(errors.InvalidPassword) as error:
        {10: scram, 13: digest}.get(client.code, lambda c, p: md5(c, user, p))(client, "Secret-98")
    assert error.value.message == f'password authentication failed for user "{user}"'
    assert (error.value.sqlstate, error.value.hint, error.value.detail) == ("28P01", None, None)


def _name(startup: Mapping[str, str]) -> str:
    if "client_protocol_version" not in startup:
        return "PLAIN"
    return "DRIVER" if startup["driver_version"] == DRIVER["driver_version"] else "OLD_DRIVER"


def test_an_unknown_users_salt_stays_the_same(world: World) -> None:
    salts = []
    for _ in range(2):
        client = world.start({**DRIVER, "user": "nobody"})
        salts.append(client.said[17:49])
    assert salts[0] == salts[1]
    assert salts[0] != world.start({**DRIVER, "user": "nobody2"}).said[17:49]


def test_whoever_fails_often_waits_and_whoever_is_right_too(world: World) -> None:
    for _ in range(5):
        with pytest.raises(errors.InvalidPassword):
            scram(world.start(), "wrong")
    assert world.waited == [0.25, 0.5]
    scram(world.start(), PASSWORD)
    assert world.waited == [0.25, 0.5, 1.0]
    scram(world.start(), PASSWORD)
    assert world.waited == [0.25, 0.5, 1.0]


PAST = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=1)


@pytest.mark.parametrize(
    ("user", "startup", "kind", "message"),
    [
        (replace(JOE, valid_until=PAST), DRIVER, errors.InvalidPassword, 'the password of user "joe" has expired'),
        (JOE, {**DRIVER, "database": "x"}, errors.UndefinedDatabase, 'database "x" does not exist'),
        (JOE, {**DRIVER, "database": ""}, errors.UndefinedDatabase, 'database "joe" does not exist'),
    ],
)
def test_what_else_is_wrong_is_said_only_to_who_knows_the_password(
    world: World, user: User, startup: Mapping[str, str], kind: type[errors.Error], message: str
) -> None:
    world.users["joe"] = user
    with pytest.raises(errors.InvalidPassword, match="authentication failed"):
        digest(world.start(startup), "wrong")
    with pytest.raises(kind) as error:
        digest(world.start(startup), PASSWORD)
    assert error.value.message == message


def test_names_have_no_case(world: World) -> None:
    client = world.start({**DRIVER, "user": "JOE", "database": "DEV"})
    digest(client, PASSWORD)
    assert client.finish().name == "joe"


@pytest.mark.parametrize("startup", [{}, {"user": ""}, {"database": "dev"}])
def test_nobody_is_refused(world: World, startup: Mapping[str, str]) -> None:
    with pytest.raises(errors.InvalidAuthorization, match="no user name"):
        world.start(startup)


def test_tokens_of_identity_providers_are_refused_by_name(world: World) -> None:
    with pytest.raises(errors.InvalidAuthorization, match="tokens of identity providers"):
        world.start({**DRIVER, "user": "", "idp_type": "AzureAD"})


# Bytes that are no answer


@pytest.mark.parametrize("startup", [PLAIN, DRIVER, OLD_DRIVER, {**PLAIN, "user": "IAM:joe"}])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_answer_ends_in_a_message_or_an_error_of_ours(
    world: World, startup: Mapping[str, str], data: st.DataObject
) -> None:
    client = world.start(startup)
    try:
        for _ in range(3):
            kind = data.draw(st.sampled_from([b"p", b"d", b"i", b"Q", b"H"]))
            body = data.draw(st.binary(max_size=80) | _first_messages)
            client.send(body, kind)
            assert OK not in client.said
    except errors.Error as error:
        assert error.sqlstate in ("08P01", "28P01", "28000", "22021")


_first = st.from_regex(r"[nyp](=[a-z-]{0,20})?,(a=x)?,n=[a-z]{0,3},r=[a-z]{0,9}(,x=1)?", fullmatch=True).map(str.encode)
_first_messages = st.builds(
    lambda name, first, off: name + b"\0" + struct.pack(">i", len(first) + off) + first,
    st.sampled_from([b"SCRAM-SHA-256", b"SCRAM-SHA-256-PLUS", b"PLAIN"]),
    _first,
    st.integers(-3, 3),
)


@pytest.mark.parametrize(
    "first",
    ["n,a=joe,n=,r=abc", "p=tls-unique,,n=,r=abc", "n,,m=ext,n=,r=abc", "n,,n=,r=", "n,,r=abc", "", "n,,n=,r=a b"],
)
def test_scram_that_is_none_is_refused(world: World, first: str) -> None:
    client = world.start()
    with pytest.raises(ProtocolViolation):
        client.send(b"SCRAM-SHA-256\0" + struct.pack(">i", len(first)) + first.encode())


def test_a_nonce_of_another_exchange_proves_nothing(world: World) -> None:
    client = world.start()
    first = b"n,,n=,r=abc"
    client.send(b"SCRAM-SHA-256\0" + struct.pack(">i", len(first)) + first)
    with pytest.raises(ProtocolViolation):
        client.send(b"c=biws,r=abcdef,p=" + base64.b64encode(bytes(32)))
