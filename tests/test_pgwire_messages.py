"""Messages of the PostgreSQL protocol: cut, read and built. Bytes are written as the manual's chapter has them."""

from __future__ import annotations

import itertools
import struct

import hypothesis
import pytest
from hypothesis import strategies as st

from restframe import errors
from restframe.errors import ProtocolViolation
from restframe.pgwire import messages
from restframe.pgwire.messages import (
    Bind,
    CancelRequest,
    Execute,
    GssRequest,
    Message,
    Named,
    Parse,
    Splitter,
    SslRequest,
    Startup,
)
from restframe.result import Notice


def packet(code: int, content: bytes = b"") -> bytes:
    return struct.pack("!II", len(content) + 8, code) + content


# Before anybody is logged in


def test_the_first_packets() -> None:
    assert messages.read_first(packet(80877103)) == SslRequest()
    assert messages.read_first(packet(80877104)) == GssRequest()
    assert messages.read_first(packet(80877102, b"\0\0\0\x07abcd")) == CancelRequest(7, b"abcd")
    asked = packet(3 << 16 | 2, b"user\0kim\0database\0dev\0options\0\0\0")
    assert messages.read_first(asked) == Startup(2, {"user": "kim", "database": "dev", "options": ""})
    assert messages.read_first(packet(3 << 16, b"\0")) == Startup(0, {})


@pytest.mark.parametrize("content", [b"", b"user\0kim\0", b"user\0", b"\0\0", b"user", b"user\0kim\0\0\0"])
def test_parameters_that_do_not_end_as_they_should(content: bytes) -> None:
    with pytest.raises(ProtocolViolation, match="invalid startup packet layout"):
        messages.read_first(packet(3 << 16, content))


def test_other_protocols_are_refused() -> None:
    with pytest.raises(errors.NotSupportedError, match=r"unsupported frontend protocol 2\.0"):
        messages.read_first(packet(2 << 16, b"\0"))
    with pytest.raises(ProtocolViolation):
        messages.read_first(packet(80877102, b"\0\0\0\x07"))


def test_a_name_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(errors.CharacterNotInRepertoire, match='invalid byte sequence for encoding "UTF8": 0xff'):
        messages.read_first(packet(3 << 16, b"user\0\xff\0\0"))


@pytest.mark.parametrize("head", [b"GET ", b"\0\0\0\0", b"\0\0\0\x07", b"\xff\xff\xff\xff", b"\0\0\x27\x11"])
def test_a_first_packet_of_an_impossible_length(head: bytes) -> None:
    with pytest.raises(ProtocolViolation, match="invalid length of startup packet"):
        messages.first_length(head)


# Cutting

STREAM = [Message(ord("Q"), b"select 1\0"), Message(ord("S"), b""), Message(ord("d"), bytes(300)), Message(0, b"x")]


def sent(stream: list[Message]) -> bytes:
    return b"".join(messages.build(bytes([one.type]), one.body) for one in stream)


@hypothesis.given(st.lists(st.integers(0, len(sent(STREAM))), max_size=8))
def test_messages_are_found_wherever_packets_are_cut(cuts: list[int]) -> None:
    data, splitter = sent(STREAM), Splitter()
    places = [0, *sorted(cuts), len(data)]
    found = [one for a, b in itertools.pairwise(places) for one in splitter.feed(data[a:b])]
    assert found == STREAM


@hypothesis.given(st.binary(max_size=200))
def test_of_any_bytes_something_comes_out(data: bytes) -> None:
    whole = Splitter(100).feed(data)
    piecemeal = Splitter(100)
    found = [one for at in range(len(data)) for one in piecemeal.feed(data[at : at + 1])]
    assert [type(one) for one in whole] == [type(one) for one in found][: len(whole)]


def test_a_message_that_is_too_long_or_shorter_than_nothing_is_the_last() -> None:
    splitter = Splitter(10)
    good, bad = splitter.feed(messages.build(b"Q", b"0123456789") + messages.build(b"Q", b"0123456789x"))
    assert good == Message(ord("Q"), b"0123456789")
    assert isinstance(bad, ProtocolViolation)
    assert bad.message == "a message of 11 bytes is longer than the 10 that are taken"
    (bad,) = Splitter().feed(b"Q\0\0\0\3")
    assert isinstance(bad, ProtocolViolation)
    assert splitter.feed(messages.build(b"S")) == []  # nobody knows what it is


def test_a_type_that_no_client_has_is_refused_before_the_message_is_there() -> None:
    splitter = Splitter(1 << 20, messages.CLIENTS_TYPES)
    found = splitter.feed(messages.build(b"S") + struct.pack("!BI", 0, 1000))
    assert found[0] == (ord("S"), b"")
    assert isinstance(found[1], errors.ProtocolViolation)
    assert found[1].message == "invalid frontend message type 0"
    assert splitter.feed(messages.build(b"S")) == []


def test_the_length_is_refused_before_the_message_is_there() -> None:
    (bad,) = Splitter(10).feed(b"Q\x7f\xff\xff\xff")
    assert isinstance(bad, ProtocolViolation)


# Reading


def test_parse() -> None:
    assert messages.read_parse(b"s1\0select $1\0\0\2\0\0\0\x17\0\0\0\0") == Parse("s1", "select $1", (23, 0))
    assert messages.read_parse("\0select 'é'\0\0\0".encode()) == Parse("", "select 'é'", ())


def test_bind() -> None:
    body = b"p\0s1\0" + b"\0\2\0\1\0\0" + b"\0\2" + b"\0\0\0\2ab" + b"\xff\xff\xff\xff" + b"\0\1\0\1"
    assert messages.read_bind(body) == Bind("p", "s1", (1, 0), (b"ab", None), (1,))


def test_describe_close_and_execute() -> None:
    assert messages.read_named(b"Ss1\0") == Named("S", "s1")
    assert messages.read_named(b"P\0") == Named("P", "")
    assert messages.read_execute(b"p\0\0\0\0\5") == Execute("p", 5)
    assert messages.read_execute(b"\0\xff\xff\xff\xff") == Execute("", 0)


def test_most_parameters() -> None:
    count = 65_535
    body = b"\0\0\0\0" + struct.pack("!H", count) + b"\xff\xff\xff\xff" * count + b"\0\0"
    assert messages.read_bind(body).values == (None,) * count


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (messages.read_parse, b"s1\0select 1\0\0\1\0\0\0\x17"),
        (messages.read_bind, b"p\0s\0\0\1\0\1\0\1\0\0\0\2ab\0\1\0\1"),
        (messages.read_execute, b"p\0\0\0\0\5"),
        (messages.read_named, b"Sname\0"),
        (messages.read_string, b"select 1\0"),
    ],
)
def test_what_is_cut_short_or_too_long_is_a_violation(read: object, body: bytes) -> None:
    assert callable(read)
    read(body)
    for end in range(len(body)):
        with pytest.raises(ProtocolViolation):
            read(body[:end])
    with pytest.raises(ProtocolViolation):
        read(body + b"x")


@hypothesis.given(st.binary(max_size=60))
def test_bodies_of_any_bytes_are_read_or_refused(body: bytes) -> None:
    for read in (messages.read_parse, messages.read_bind, messages.read_execute, messages.read_named):
        try:
            read(body)
        except errors.Error as error:
            assert error.sqlstate in ("08P01", "22021", "22023")


def test_nul_ends_a_text_and_cannot_be_in_it() -> None:
    with pytest.raises(ProtocolViolation, match="invalid string in message"):
        messages.read_string(b"select 'a\0b'\0")


def test_unknown_formats_and_numbers_of_them() -> None:
    with pytest.raises(errors.InvalidParameterValue, match="unsupported format code: 2"):
        messages.read_bind(b"\0\0\0\1\0\2\0\0\0\0")
    with pytest.raises(ProtocolViolation, match="bind message has 2 parameter formats but 1 parameters"):
        messages.read_bind(b"\0\0\0\2\0\1\0\0\0\1\0\0\0\0\0\0")


# Building


def test_what_the_server_says() -> None:
    assert messages.READY["T"] == b"Z\0\0\0\5T"
    assert messages.command_complete("SELECT 1") == b"C\0\0\0\x0dSELECT 1\0"
    assert messages.parameter_status("TimeZone", "UTC") == b"S\0\0\0\x11TimeZone\0UTC\0"
    assert messages.backend_key(5, b"abcd") == b"K\0\0\0\x0c\0\0\0\5abcd"
    assert messages.parameter_description([23, 1043]) == b"t\0\0\0\x0e\0\2\0\0\0\x17\0\0\x04\x13"
    assert messages.copy_in(2, True) == b"G\0\0\0\x0b\1\0\2\0\1\0\1"
    assert messages.copy_out(1, False) == b"H\0\0\0\x09\0\0\1\0\0"
    assert messages.negotiate_version(["_pq_.x"]) == b"v\0\0\0\x13\0\3\0\0\0\0\0\1_pq_.x\0"


def test_an_error_and_where_it_is() -> None:
    found = errors.UndefinedColumn('column "é" does not exist', position=8, hint="Look again.", detail="None.")
    assert messages.error(found) == messages.build(
        b"E",
        'SERROR\0VERROR\0C42703\0Mcolumn "é" does not exist\0DNone.\0HLook again.\0P8\0\0'.encode(),
    )
    assert messages.error(errors.AdminShutdown("so it is"), fatal=True)[5:] == b"SFATAL\0VFATAL\0C57P01\0Mso it is\0\0"


def test_a_notice() -> None:
    found = messages.notice(Notice("mind", "WARNING", "Do."))
    assert found == messages.build(b"N", b"SWARNING\0VWARNING\0C01000\0Mmind\0HDo.\0\0")


def test_nul_in_what_is_said_ends_nothing() -> None:
    assert messages.error(errors.DataError("a\0b"))[5:] == b"SERROR\0VERROR\0C22000\0Mab\0\0"
