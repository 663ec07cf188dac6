"""Conversations of the PostgreSQL protocol, message by message, with a channel in memory."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import hypothesis
import pytest
from hypothesis import strategies as st

from restframe.errors import ProtocolViolation
from restframe.identity import Identity
from restframe.pgwire.admission import Admission
from restframe.pgwire.channel import ClientGone
from restframe.pgwire.conversation import Conversation
from restframe.pgwire.messages import Message, Splitter, Startup, build
from restframe.warehouse import Warehouse


@dataclass
class Memory:
    """A channel whose client never has to be waited for: what is not here will not come."""

    inbox: deque[Message | ProtocolViolation] = field(default_factory=deque)
    said: bytearray = field(default_factory=bytearray)
    flushed: int = 0

    def admitted(self) -> None:
        pass

    def poll(self) -> Message | None:
        return self._pop() if self.inbox else None

    def terminate(self) -> None:
        raise AssertionError("nobody ends a session here")

    def ends_here(self) -> bool:
        types = [chr(one.type) for one in self.inbox if isinstance(one, Message) and chr(one.type) != "H"]
        return types[:1] == ["S"]

    def wait(self, check: Callable[[], None]) -> Message:
        check()
        if not self.inbox:
            raise ClientGone("the client has gone")
        return self._pop()

    def _pop(self) -> Message:
        message = self.inbox.popleft()
        if isinstance(message, ProtocolViolation):
            raise message
        return message

    def rest(self, seconds: float) -> None:
        pass

    def send(self, data: bytes | bytearray | memoryview) -> None:
        self.said += data

    def flush(self) -> None:
        self.flushed = len(self.said)


@dataclass
class Line:
    secure: bool = False
    address: str = "127.0.0.1"
    certificate_hash: bytes | None = None


@dataclass
class House:
    warehouse: Warehouse
    identity: Identity
    admission: Admission


class Client:
    """Says messages and reads the answers; logged in when it is made, unless it is told not to be."""

    def __init__(self, house: House, login: bool = True, user: str = "awsuser", **parameters: str) -> None:
        self.house = house
        self.channel = Memory()
        given = {"user": f"IAM:{user}", "database": "dev", **parameters}
        self.conversation = Conversation(house, self.channel, Startup(0, given), Line())
        if login:
            password, _ = house.identity.database_password(user, 900)
            self.welcome = self.say(("p", password.encode() + b"\0"))

    def say(self, *messages: tuple[str, bytes]) -> list[tuple[str, bytes]]:
        """Messages that come at once, and the answers to them."""
        self.channel.inbox.extend(Message(ord(type_), body) for type_, body in messages)
        return self.run()

    def run(self) -> list[tuple[str, bytes]]:
        before = len(self.channel.said)
        self.conversation.run()
        assert self.channel.flushed == len(self.channel.said), "something was left unsent"
        return decoded(bytes(self.channel.said[before:]))

    def query(self, text: str) -> list[tuple[str, bytes]]:
        return self.say(query(text))

    def close(self) -> None:
        self.conversation.close()


def decoded(data: bytes) -> list[tuple[str, bytes]]:
    """What a server said, by message; all of it."""
    splitter = Splitter(1 << 30)
    found = []
    for one in splitter.feed(data):
        assert isinstance(one, Message)
        found.append((chr(one.type), one.body))
    assert sum(len(body) + 5 for _, body in found) == len(data)
    return found


def types(found: list[tuple[str, bytes]]) -> str:
    return "".join(type_ for type_, _ in found)


def fields(body: bytes) -> dict[str, str]:
    """Of an error or notice."""
    return {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}


def sqlstate(found: list[tuple[str, bytes]]) -> str:
    (body,) = (body for type_, body in found if type_ == "E")
    return fields(body)["C"]


def tags(found: list[tuple[str, bytes]]) -> list[str]:
    return [body[:-1].decode() for type_, body in found if type_ == "C"]


def state(found: list[tuple[str, bytes]]) -> str:
    """Of the last ReadyForQuery, which is the last message."""
    assert found[-1][0] == "Z"
    return found[-1][1].decode()


def cells(found: list[tuple[str, bytes]]) -> list[list[bytes | None]]:
    """Of all DataRow messages."""
    rows = []
    for body in (body for type_, body in found if type_ == "D"):
        at, row = 2, []
        for _ in range(int.from_bytes(body[:2], "big")):
            (length,) = struct.unpack_from("!i", body, at)
            at += 4
            row.append(None if length < 0 else body[at : at + length])
            at += max(0, length)
        assert at == len(body)
        rows.append(row)
    return rows


# What a client says


def query(text: str) -> tuple[str, bytes]:
    return "Q", text.encode() + b"\0"


def parse(text: str, name: str = "", oids: tuple[int, ...] = ()) -> tuple[str, bytes]:
    return "P", f"{name}\0{text}\0".encode() + struct.pack(f"!H{len(oids)}I", len(oids), *oids)


def bind(
    *values: bytes | None, portal: str = "", statement: str = "", results: tuple[int, ...] = ()
) -> tuple[str, bytes]:
    body = f"{portal}\0{statement}\0".encode() + struct.pack("!HH", 0, len(values))
    for value in values:
        body += struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
    return "B", body + struct.pack(f"!H{len(results)}H", len(results), *results)


def describe(kind: str, name: str = "") -> tuple[str, bytes]:
    return "D", f"{kind}{name}\0".encode()


def execute(rows: int = 0, portal: str = "") -> tuple[str, bytes]:
    return "E", f"{portal}\0".encode() + struct.pack("!i", rows)


def close(kind: str, name: str = "") -> tuple[str, bytes]:
    return "C", f"{kind}{name}\0".encode()


SYNC, FLUSH, TERMINATE = ("S", b""), ("H", b""), ("X", b"")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with Warehouse(tmp_path_factory.mktemp("house") / "warehouse") as warehouse:
        yield House(warehouse, Identity(warehouse.journal, warehouse.settings), Admission(10))


@pytest.fixture
def client(house: House) -> Iterator[Client]:
    one = Client(house)
    one.query("create table if not exists rides (id int, name varchar(20)); truncate rides")
    yield one
    one.close()
    assert house.admission.count == 0


def count(client: Client) -> int:
    """Rows of the table, as others see it."""
    return int(client.house.warehouse.sql("select count(*) from rides").scalar())


# The start


def test_the_start_tells_parameters_and_the_key(house: House) -> None:
    client = Client(house, application_name="psql", options="-c timezone=Europe/Berlin --statement-timeout=5s")
    assert types(client.welcome).replace("S", "") == "RRKZ"
    told = dict(body[:-1].decode().split("\0") for type_, body in client.welcome if type_ == "S")
    assert told == {
        "server_version": "9.6.0",
        "server_encoding": "UTF8",
        "client_encoding": "UTF8",
        "integer_datetimes": "on",
        "padb_revision": "99999",
        "is_superuser": "on",
        "session_authorization": "awsuser",
        "application_name": "psql",
        "DateStyle": "ISO, MDY",
        "IntervalStyle": "postgres",
        "TimeZone": "Europe/Berlin",
        "standard_conforming_strings": "off",
    }
    (key,) = (body for type_, body in client.welcome if type_ == "K")
    assert client.conversation.session is not None
    assert key == struct.pack("!I", client.conversation.session.pid) + client.conversation.key
    assert cells(client.query("show statement_timeout")) == [[b"5000"]]
    client.close()


def test_redshifts_drivers_hear_of_redshift(house: House) -> None:
    client = Client(house, client_protocol_version="2", driver_version="Redshift Python Driver 2.2.0", os_version="x")
    told = dict(body[:-1].decode().split("\0") for type_, body in client.welcome if type_ == "S")
    assert (told["server_version"], told["server_protocol_version"]) == ("8.0.2", "2")
    assert "N" not in types(client.welcome)
    client.close()


def test_savepoints_are_for_clients_of_postgresql(house: House) -> None:
    plain, driver = Client(house), Client(house, client_protocol_version="2")
    assert tags(plain.query("begin; savepoint here")) == ["BEGIN", "SAVEPOINT"]
    assert sqlstate(driver.query("begin; savepoint here")) == "0A000"
    plain.close()
    driver.close()


def test_a_parameter_that_nobody_knows_is_said_to_be_ignored(house: House) -> None:
    client = Client(house, colour="red")
    (body,) = (body for type_, body in client.welcome if type_ == "N")
    assert fields(body)["M"] == 'unrecognized configuration parameter "colour"; it is ignored'
    client.close()


def test_a_terminal_of_another_encoding_is_told_of_ours(house: House) -> None:
    client = Client(house, client_encoding="WIN1252")
    (body,) = (body for type_, body in client.welcome if type_ == "N")
    assert fields(body)["M"] == 'invalid value for parameter "client_encoding": "WIN1252"; UTF8 is used'
    assert (b"client_encoding\0UTF8\0") in [body for type_, body in client.welcome if type_ == "S"]
    assert sqlstate(client.query("set client_encoding to latin1")) == "22023"
    client.close()


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"database": "nowhere"}, "3D000"),
        ({"timezone": "Nowhere/At_All"}, "22023"),
        ({"options": "-x"}, "22023"),
        ({"replication": "database"}, "0A000"),
    ],
)
def test_a_start_that_cannot_be(house: House, parameters: dict[str, str], expected: str) -> None:
    client = Client(house, **parameters)
    assert sqlstate(client.welcome) == expected
    assert fields(client.welcome[-1][1])["S"] == "FATAL"
    assert client.conversation.ended
    client.close()
    assert house.admission.count == 0


def test_a_wrong_password_ends_it_and_without_one_nothing_is_run(house: House) -> None:
    client = Client(house, login=False)
    found = client.say(("p", b"wrong\0"))
    assert (types(found), sqlstate(found)) == ("RE", "28P01")
    client = Client(house, login=False)
    found = client.say(query("drop table rides"), SYNC)
    assert (types(found), sqlstate(found)) == ("RE", "08P01")
    assert client.conversation.ended


def test_a_newer_protocol_and_options_of_it_are_negotiated(house: House) -> None:
    channel = Memory()
    parameters = {"user": "IAM:awsuser", "database": "dev", "_pq_.colour": "red"}
    conversation = Conversation(house, channel, Startup(2, parameters), Line())
    conversation.run()
    assert decoded(bytes(channel.said))[0] == ("v", b"\0\3\0\0\0\0\0\1_pq_.colour\0")
    conversation.close()


def test_the_places_are_counted(house: House) -> None:
    house = House(house.warehouse, house.identity, Admission(1))
    first, second = Client(house), Client(house)
    assert sqlstate(second.welcome) == "53300"
    for one in (first, second):
        one.close()
    third = Client(house)
    assert state(third.welcome) == "I"
    third.close()


def test_a_users_sessions_may_be_shorter_and_fewer(house: House) -> None:
    house.warehouse.sql("create user quiet password 'Abcdefg1' connection limit 1 session timeout 60")
    first, second = Client(house, user="quiet"), Client(house, user="quiet")
    assert first.conversation.idle_limit_s == 60
    assert sqlstate(second.welcome) == "53300"
    for one in (first, second):
        one.close()


def test_a_paused_warehouse_takes_nobody(house: House) -> None:
    open_one = Client(house)
    house.warehouse.pause()
    try:
        found = Client(house, login=False).run()
        assert (types(found), sqlstate(found)) == ("E", "57P03")
        assert sqlstate(open_one.query("select 1")) == "57P03"
    finally:
        house.warehouse.resume()
    assert cells(open_one.query("select 1")) == [[b"1"]]
    open_one.close()


# Simple queries


def test_a_query(client: Client) -> None:
    found = client.query("select 1 as one, null::varchar as nothing, 'é' as text")
    assert types(found) == "TDCZ"
    assert cells(found) == [[b"1", None, "é".encode()]]
    assert (tags(found), state(found)) == (["SELECT 1"], "I")


def test_several_statements_are_one_transaction(client: Client) -> None:
    found = client.query(
        "insert into rides values (1, 'a'), (2, 'b'); select * from rides; delete from rides where id = 1"
    )
    assert types(found) == "CTDDCCZ"
    assert tags(found) == ["INSERT 0 2", "SELECT 2", "DELETE 1"]
    assert count(client) == 1
    found = client.query("insert into rides values (3, 'c'); select 1/0; insert into rides values (4, 'd')")
    assert (sqlstate(found), state(found)) == ("22012", "I")
    assert tags(found)[:1] == ["INSERT 0 1"]
    assert count(client) == 1


@pytest.mark.parametrize("text", ["", "  ", ";", "-- nothing\n", "/* nothing */ ;; "])
def test_an_empty_query(client: Client, text: str) -> None:
    assert types(client.query(text)) == "IZ"


def test_the_state_of_the_transaction(client: Client) -> None:
    assert state(client.query("begin")) == "T"
    assert state(client.query("insert into rides values (1, 'a')")) == "T"
    assert state(client.query("select nothing")) == "E"
    found = client.query("select 1")
    assert (sqlstate(found), state(found)) == ("25P02", "E")
    found = client.query("commit")
    assert (tags(found), state(found)) == (["ROLLBACK"], "I")
    assert count(client) == 0


def test_an_error_says_where(client: Client) -> None:
    (body,) = (body for type_, body in client.query("select 'é', nothing from rides") if type_ == "E")
    assert fields(body) == {
        "S": "ERROR", "V": "ERROR", "C": "42703", "M": 'column "nothing" does not exist', "P": "13",
    }  # fmt: skip


def test_rows_before_an_error_are_told(client: Client) -> None:
    found = client.query("select 1; select 1/0")
    assert types(found) in ("TDCEZ", "TDCTEZ")


def test_tags(client: Client) -> None:
    for text, tag in [
        ("create table tagged (a int)", "CREATE TABLE"),
        ("insert into tagged values (1), (2)", "INSERT 0 2"),
        ("update tagged set a = 3", "UPDATE 2"),
        ("select * from tagged where a > 5", "SELECT 0"),
        ("show timezone", "SHOW"),
        ("explain select 1", "EXPLAIN"),
        ("set timezone to 'UTC'", "SET"),
        ("begin", "BEGIN"),
        ("rollback", "ROLLBACK"),
        ("delete from tagged", "DELETE 2"),
        ("alter table tagged add column b int", "ALTER TABLE"),
        ("drop table tagged", "DROP TABLE"),
    ]:
        assert tags(client.query(text)) == [tag]


def test_a_changed_parameter_is_told_also_when_a_rollback_changes_it_back(client: Client) -> None:
    assert ("S", b"TimeZone\0America/New_York\0") in client.query("set timezone to 'America/New_York'")
    assert "S" not in types(client.query("set timezone to 'America/New_York'"))
    assert ("S", b"TimeZone\0Asia/Tokyo\0") in client.query("begin; set timezone to 'Asia/Tokyo'")
    assert ("S", b"TimeZone\0America/New_York\0") in client.query("rollback")
    assert ("S", b"DateStyle\0ISO, DMY\0") in client.query("set datestyle to dmy")


def test_notices_come_before_the_tag_unless_they_are_not_wanted(client: Client) -> None:
    found = client.query("commit")
    assert types(found) == "NCZ"
    assert fields(found[0][1])["S"] == "WARNING"
    assert [fields(client.query(text)[0][1])["C"] for text in ("commit", "rollback")] == ["25P01", "25P01"]
    assert fields(client.query("begin; begin")[1][1])["C"] == "25001"
    client.query("rollback")
    client.query("set client_min_messages to error")
    assert types(client.query("commit")) == "CZ"


def test_text_that_is_not_utf_8_or_holds_nul(client: Client) -> None:
    found = client.say(("Q", b"select '\xff'\0"))
    assert (sqlstate(found), state(found)) == ("22021", "I")
    assert sqlstate(client.say(("Q", b"select 'a\0b'\0"))) == "08P01"
    assert cells(client.query("select 1")) == [[b"1"]]


# The extended query


def test_parse_bind_describe_execute(client: Client) -> None:
    found = client.say(parse("select $1::int + 1 as next"), bind(b"41"), describe("P"), execute(), SYNC)
    assert types(found) == "12TDCZ"
    assert cells(found) == [[b"42"]]


def test_a_statement_described_before_it_is_bound(client: Client) -> None:
    found = client.say(parse("select id, name from rides where id = $1", "s1"), describe("S", "s1"), SYNC)
    assert types(found) == "1tTZ"
    assert found[1][1] == b"\0\1" + struct.pack("!I", 23)
    assert b"name\0" in found[2][1]
    client.say(("Q", b"insert into rides values (5, 'e')\0"))
    for _ in range(2):
        assert cells(client.say(bind(b"5", statement="s1"), execute(), SYNC)) == [[b"5", b"e"]]
    assert types(client.say(close("S", "s1"), close("S", "s1"), SYNC)) == "33Z"
    assert sqlstate(client.say(bind(b"5", statement="s1"), SYNC)) == "26000"


def test_what_returns_nothing_is_described_so(client: Client) -> None:
    found = client.say(parse("insert into rides values ($1, $2)"), describe("S"), bind(b"1", None), describe("P"), SYNC)
    assert types(found) == "1tn2nZ"
    assert types(client.say(parse(""), bind(), describe("P"), execute(), SYNC)) == "12nIZ"


def test_an_error_skips_up_to_sync(client: Client) -> None:
    found = client.say(parse("select 1/0"), bind(), execute(), parse("select 1"), query("select 2"), FLUSH, SYNC)
    assert (types(found), sqlstate(found)) == ("12EZ", "22012")
    assert types(client.say(parse("select 1"), bind(), execute(), SYNC)) == "12DCZ"


def test_between_two_syncs_all_is_one_transaction(client: Client) -> None:
    insert = [parse("insert into rides values (1, 'a')"), bind(), execute()]
    found = client.say(*insert, *insert, parse("select nothing"), SYNC)
    assert (types(found), state(found)) == ("12C12CEZ", "I")
    assert count(client) == 0
    assert types(client.say(*insert, *insert)) == "12C12C"
    assert count(client) == 0
    assert types(client.say(SYNC)) == "Z"
    assert count(client) == 2


def test_a_block_lasts_beyond_sync(client: Client) -> None:
    found = client.say(parse("begin"), bind(), execute(), SYNC)
    assert state(found) == "T"
    client.say(parse("insert into rides values (1, 'a')"), bind(), execute(), SYNC)
    assert count(client) == 0
    found = client.say(parse("select $1::int"), bind(b"x"), execute(), SYNC)
    assert (sqlstate(found), state(found)) == ("22P02", "E")
    assert sqlstate(client.say(parse("select 1"), SYNC)) == "25P02"
    assert state(client.say(parse("rollback"), bind(), execute(), SYNC)) == "I"


def test_rows_in_portions(client: Client) -> None:
    client.query("begin")
    client.say(parse("select i from generate_series(1, 5) as g(i)", "s"), bind(portal="p", statement="s"), SYNC)
    found = client.say(execute(2, "p"), execute(2, "p"), SYNC)
    assert types(found) == "DDsDDsZ"
    found = client.say(parse("select 'between'"), bind(), execute(), execute(2, "p"), SYNC)
    assert cells(found) == [[b"between"], [b"5"]]
    assert tags(found) == ["SELECT 1", "SELECT 1"]
    assert tags(client.say(execute(2, "p"), SYNC)) == ["SELECT 0"]
    client.query("commit")
    found = client.say(execute(2, "p"), SYNC)
    assert (types(found), sqlstate(found)) == ("EZ", "34000")


def test_a_portal_ends_with_the_sync_that_ends_its_transaction(client: Client) -> None:
    series = parse("select i from generate_series(1, 200000) as g(i)")
    assert types(client.say(series, bind(portal="p"), execute(1, "p"), SYNC)) == "12DsZ"
    assert sqlstate(client.say(execute(1, "p"), SYNC)) == "34000"
    found = client.say(series, bind(portal="p"), execute(1, "p"), FLUSH)
    assert types(found) == "12Ds"
    assert types(client.say(execute(1, "p"), SYNC)) == "DsZ"


@pytest.mark.parametrize("limit", [0, 1])
@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_portal_ends_with_its_transaction_also_before_sync(client: Client, limit: int, end: str) -> None:
    begun = parse("select i from generate_series(1, 9) as g(i)"), bind(portal="p"), execute(1, "p")
    ended = parse(end), bind(), execute(limit)
    found = client.say(query("begin"), *begun, *ended, execute(1, "p"), SYNC)
    assert (sqlstate(found), state(found)) == ("34000", "I")
    found = client.say(query("begin"), *begun, query(f"{end}; begin"), execute(1, "p"), SYNC)
    assert (sqlstate(found), state(found)) == ("34000", "E")
    client.query("rollback")


def test_several_portals_at_once(client: Client) -> None:
    client.query("begin")
    for portal in ("p1", "p2"):
        client.say(parse("select i from generate_series(1, 100000) as g(i)"), bind(portal=portal), SYNC)
    for expected in (b"1", b"2", b"3"):
        for portal in ("p1", "p2"):
            assert cells(client.say(execute(1, portal), SYNC)) == [[expected]]
    assert types(client.say(close("P", "p1"), execute(0, "p2"), SYNC)).replace("D", "") == "3CZ"
    client.query("rollback")


def test_a_cursor_is_closed_as_a_portal(client: Client) -> None:
    client.query("begin; declare some cursor for select 1")
    assert types(client.say(describe("P", "some"), SYNC)) == "TZ"
    assert types(client.say(close("P", "some"), SYNC)) == "3Z"
    assert sqlstate(client.say(describe("P", "some"), SYNC)) == "34000"


def test_a_portal_is_read_as_a_cursor(client: Client) -> None:
    client.query("begin")
    client.say(parse("select i from generate_series(1, 9) as g(i)"), bind(portal="p"), execute(2, "p"), SYNC)
    assert tags(client.query("move 3 from p")) == ["MOVE 3"]
    assert cells(client.query("fetch 1 from p")) == [[b"6"]]
    assert cells(client.say(execute(2, "p"), SYNC)) == [[b"7"], [b"8"]]
    assert sqlstate(client.say(parse("select 1"), bind(portal="p"), SYNC)) == "42P03"
    client.query("rollback; begin")
    assert sqlstate(client.query("move 1 from p")) == "34000"


def test_names_are_taken_once(client: Client) -> None:
    assert sqlstate(client.say(parse("select 1", "twice"), parse("select 2", "twice"), SYNC)) == "42P05"
    found = client.say(parse("select 1"), bind(portal="p"), bind(portal="p"), SYNC)
    assert sqlstate(found) == "42P03"
    assert types(client.say(parse("select 1"), parse("select 2"), bind(), bind(), execute(), SYNC)) == "1122DCZ"


def test_a_command_runs_once_in_a_portal(client: Client) -> None:
    found = client.say(parse("insert into rides values (1, 'a')"), bind(), execute(), execute(), SYNC)
    assert (types(found), sqlstate(found)) == ("12CEZ", "55000")
    assert count(client) == 0


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([parse("select $1::int"), bind()], "08P01"),
        ([parse("select $1::int"), bind(b"1", b"2")], "08P01"),
        ([parse("select $1::int"), bind(b"\xff")], "22021"),
        ([parse("select 1"), bind(results=(0, 0))], "08P01"),
        ([parse("select 1; select 2")], "42601"),
        ([bind(statement="none")], "26000"),
        ([describe("S", "none")], "26000"),
        ([describe("P", "none")], "34000"),
        ([execute(portal="none")], "34000"),
        ([("D", b"Xname\0")], "08P01"),
        ([("B", b"\0")], "08P01"),
        ([("F", bytes(10))], "0A000"),
    ],
)
def test_mistakes_are_told_and_the_conversation_goes_on(
    client: Client, said: list[tuple[str, bytes]], expected: str
) -> None:
    found = client.say(*said, SYNC)
    assert sqlstate(found) == expected
    assert state(found) == "I"
    assert cells(client.query("select 1")) == [[b"1"]]


def test_an_unknown_message_ends_it(client: Client) -> None:
    found = client.say(("?", b""), query("select 1"))
    assert (types(found), sqlstate(found)) == ("E", "08P01")
    assert client.conversation.ended


def test_terminate(client: Client) -> None:
    client.query("begin")
    client.query("insert into rides values (1, 'a')")
    assert client.say(TERMINATE, query("commit")) == []
    assert client.conversation.ended
    client.close()
    assert count(client) == 0


# COPY


def test_copy_from_the_client(client: Client) -> None:
    found = client.say(
        query("copy rides from stdin"), ("d", b"1\ta\n2"), FLUSH, SYNC, ("d", b"\tb\n"), ("c", b""), query("select 1")
    )
    assert types(found) == "GCZTDCZ"
    assert tags(found) == ["COPY 2", "SELECT 1"]
    assert count(client) == 2


def test_copy_to_the_client_is_a_message_for_each_row(client: Client) -> None:
    client.query("insert into rides values (1, 'a'), (2, null)")
    found = client.query("copy rides to stdout")
    assert types(found) == "HddcCZ"
    assert [body for type_, body in found if type_ == "d"] == [b"1\ta\n", b"2\t\\N\n"]
    assert tags(found) == ["COPY 2"]
    found = client.say(parse("copy rides to stdout"), bind(), describe("P"), execute(), SYNC)
    assert types(found) == "12nHddcCZ"


@pytest.mark.parametrize(
    ("end", "expected"), [(("f", b"no more\0"), "57014"), (("Q", b"select 1\0"), "08P01"), (("d", b"x\ty\n"), "22P02")]
)
def test_a_copy_that_fails_has_loaded_nothing(client: Client, end: tuple[str, bytes], expected: str) -> None:
    found = client.say(query("copy rides from stdin"), ("d", b"1\ta\n"), end, ("c", b""))
    assert (types(found), sqlstate(found)) == ("GEZ", expected)
    found = client.say(parse("copy rides from stdin"), bind(), execute(), ("d", b"1\ta\n"), end, ("c", b""), SYNC)
    assert (types(found), sqlstate(found)) == ("12GEZ", expected)
    assert count(client) == 0
    assert cells(client.query("select 1")) == [[b"1"]]


def test_what_is_left_of_a_copy_is_dropped(client: Client) -> None:
    assert types(client.say(("d", b"1\n"), ("c", b""), ("f", b"no\0"), query("select 1"))) == "TDCZ"


def test_a_dropped_line_within_a_result_frees_everything(client: Client) -> None:
    class Gone(Memory):
        def send(self, data: bytes | bytearray | memoryview) -> None:
            if len(self.said) > 1 << 20:
                raise ClientGone("the client has gone")
            super().send(data)

    client.query("begin; insert into rides values (1, 'a')")
    channel = Gone()
    client.conversation._channel = client.channel = channel
    channel.inbox.append(Message(ord("Q"), b"select i, i from generate_series(1, 10000000) as g(i)\0"))
    client.conversation.run()
    assert client.conversation.ended
    client.close()
    assert count(client) == 0


# Bytes that nobody would send

RECORDED = [
    query("select 1; insert into rides values (1, 'a')"),
    parse("select id, name from rides where id = $1 limit 3", "s", (23,)),
    describe("S", "s"),
    bind(b"1", portal="p", statement="s", results=(1, 0)),
    describe("P", "p"),
    execute(1, "p"),
    FLUSH,
    SYNC,
    close("P", "p"),
    SYNC,
    query("copy rides from stdin"),
    ("d", b"1\ta\n"),
    ("c", b""),
    query("begin"),
    query("select 1/0"),
    query("rollback"),
    TERMINATE,
]
CONVERSATION = b"".join(build(type_.encode(), body) for type_, body in RECORDED)


def converse(house: House, data: bytes) -> Client:
    client = Client(house)
    client.channel.inbox.extend(Splitter(1 << 16).feed(data))
    client.run()
    return client


def test_every_truncation_of_a_conversation(house: House) -> None:
    """Nothing is left behind wherever the client stops."""
    house.warehouse.sql("create table if not exists rides (id int, name varchar(20))")
    for end in range(0, len(CONVERSATION), 7):
        client = converse(house, CONVERSATION[:end])
        client.close()
    assert house.admission.count == 0
    house.warehouse.sql("drop table rides")  # which nobody holds


@hypothesis.settings(max_examples=60)
@hypothesis.given(
    st.lists(
        st.one_of(
            st.sampled_from(RECORDED[:-1]),
            st.tuples(st.sampled_from("PBDECQFHSdcf"), st.binary(max_size=40)),
        ),
        max_size=12,
    )
)
def test_messages_in_any_order_are_answered(house: House, said: list[tuple[str, bytes]]) -> None:
    client = Client(house)
    found = client.say(*said, SYNC)
    if not client.conversation.ended:
        assert found[-1][0] == "Z"
        assert types(client.say(SYNC, ("Q", b"rollback\0"), ("Q", b"select 1\0")))[-4:] == "TDCZ"
    client.close()
    assert house.admission.count == 0


@hypothesis.settings(max_examples=60)
@hypothesis.given(st.binary(max_size=100), st.integers(0, len(CONVERSATION)))
def test_bytes_in_the_middle_of_a_conversation(house: House, noise: bytes, at: int) -> None:
    client = converse(house, CONVERSATION[:at] + noise + CONVERSATION[at:])
    client.close()
    assert house.admission.count == 0
