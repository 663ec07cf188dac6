"""Checksums of bodies: known values, and what is said of a body that does not fit it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

import pytest
from botocore.httpchecksum import _CHECKSUM_CLS  # its own implementations, to compare with
from hypothesis import given
from hypothesis import strategies as st

from restframe.aws import checksums, chunked
from restframe.aws.bodies import CheckedBody
from restframe.aws.errors import AwsError
from restframe.aws.http import Headers

DIGITS = b"123456789"  # what catalogues of checksums are given for


def code_of(function: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(AwsError) as caught:
        function()
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    ("algorithm", "value"),
    [
        ("crc32", "cbf43926"),
        ("crc32c", "e3069283"),
        ("crc64nvme", "ae8b14860a799888"),
        ("md5", "25f9e794323b453885f5181f1b624d0b"),
        ("sha1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
        ("sha256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        ("xxhash64", "8cb841db40e6ae83"),
    ],
)
def test_known_values(algorithm: str, value: str) -> None:
    hasher = checksums.new(algorithm)
    hasher.update(DIGITS[:4])
    hasher.update(DIGITS[4:])
    assert hasher.digest().hex() == value


@given(algorithm=st.sampled_from(sorted(_CHECKSUM_CLS)), pieces=st.lists(st.binary(max_size=50), max_size=4))
def test_every_algorithm_is_that_of_the_clients(algorithm: str, pieces: list[bytes]) -> None:
    ours = checksums.new(algorithm)
    theirs = _CHECKSUM_CLS[algorithm]()
    for piece in pieces:
        ours.update(piece)
        theirs.update(piece)
    assert checksums.encoded(ours) == theirs.b64digest()


def test_no_algorithm_of_the_clients_is_missing() -> None:
    assert set(checksums.ALGORITHMS) == {*_CHECKSUM_CLS, "md5"}


def test_one_checksum_in_the_headers() -> None:
    headers = Headers([("x-amz-checksum-crc32", "y/Q5Jg=="), ("x-amz-checksum-mode", "ENABLED")])
    assert checksums.in_headers(headers) == {"crc32": "y/Q5Jg=="}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            [("x-amz-checksum-crc32", "y/Q5Jg=="), ("x-amz-checksum-sha1", "")],
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        ),
        ([("x-amz-checksum-crc32", "y/Q5")], "Value for x-amz-checksum-crc32 header is invalid."),
        ([("x-amz-checksum-crc32", "ÿ/Q5Jg==")], "Value for x-amz-checksum-crc32 header is invalid."),
        ([("x-amz-checksum-sha256", "y/Q5Jg==")], "Value for x-amz-checksum-sha256 header is invalid."),
        (
            [("x-amz-checksum-adler", "y/Q5Jg==")],
            "The checksum algorithm 'adler' is none of those supported: crc32, crc32c, crc64nvme, md5, sha1, sha256, "
            "sha512, xxhash3, xxhash64, xxhash128.",
        ),
    ],
)
def test_headers_that_can_be_no_checksum(fields: list[tuple[str, str]], expected: str) -> None:
    assert code_of(lambda: checksums.in_headers(Headers(fields))) == ("InvalidRequest", expected)


def test_content_md5() -> None:
    assert checksums.content_md5(Headers([("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==")])) == hashlib.md5(DIGITS).digest()
    wrong = Headers([("content-md5", "JfnnlDI7RTiF9RgfG2JN")])
    assert code_of(lambda: checksums.content_md5(wrong)) == (
        "InvalidDigest",
        "The Content-MD5 you specified was invalid.",
    )


def test_promised_trailers() -> None:
    assert checksums.promised(Headers([("x-amz-trailer", "x-amz-checksum-CRC32")])) == ("x-amz-checksum-crc32",)
    assert checksums.promised(Headers()) == ()
    assert code_of(lambda: checksums.promised(Headers([("x-amz-trailer", "x-amz-meta-a")])))[0] == "InvalidRequest"


def test_an_announced_checksum_must_come() -> None:
    announced = Headers([("x-amz-sdk-checksum-algorithm", "CRC32")])
    checksums.check_announced(announced, {"crc32": "y/Q5Jg=="}, ())
    checksums.check_announced(announced, {}, ("x-amz-checksum-crc32",))
    assert code_of(lambda: checksums.check_announced(announced, {"sha1": ""}, ()))[0] == "InvalidRequest"


# bodies that are read


def read(body: CheckedBody, size: int = 4) -> bytes:
    return b"".join(iter(lambda: body.read(size), b""))


@given(st.lists(st.binary(max_size=20), max_size=5), st.integers(min_value=1, max_value=30))
def test_a_body_is_read_in_any_sizes(pieces: list[bytes], size: int) -> None:
    whole = b"".join(pieces)
    body = CheckedBody(pieces, len(whole), hashlib.sha256(whole).hexdigest(), hashlib.md5(whole).digest())
    assert all(len(piece) <= size for piece in iter(lambda: body.read(size), b"")) and body.read() == b""
    assert read(CheckedBody(pieces), size) == CheckedBody(pieces).read() == whole


def test_checksums_of_a_body_are_known_at_its_end() -> None:
    trailers: dict[str, str] = {}
    chunks = [b"9\r\n123456789\r\n0\r\nx-amz-checksum-crc32c:4waSgw==\r\n\r\n"]
    promised = ("x-amz-checksum-crc32c",)
    pieces = chunked.decode(chunks, None, promised, trailers)
    body = CheckedBody(pieces, 9, promised=promised, trailers=trailers)
    assert (body.length, body.checksums) == (9, {})
    assert body.read() == DIGITS
    assert body.checksums == {"crc32c": "4waSgw=="}


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (
            CheckedBody([DIGITS], 10),
            "IncompleteBody",
            "You did not provide the number of bytes specified by the Content-Length HTTP header.",
        ),
        (CheckedBody([DIGITS], 8), "IncompleteBody", "The request body is longer than it was said to be."),
        (
            CheckedBody([DIGITS], sha256="0" * 64),
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        ),
        (
            CheckedBody([DIGITS], md5=b"0" * 16),
            "BadDigest",
            "The Content-MD5 you specified did not match what we received.",
        ),
        (
            CheckedBody([DIGITS], claimed={"crc32": "AAAAAA=="}),
            "BadDigest",
            "The CRC32 you specified did not match the calculated checksum.",
        ),
        (
            CheckedBody(
                [DIGITS],
                promised=("x-amz-checksum-crc64nvme",),
                trailers={"x-amz-checksum-crc64nvme": base64.b64encode(b"0" * 8).decode()},
            ),
            "BadDigest",
            "The CRC64NVME you specified did not match the calculated checksum.",
        ),
        (
            CheckedBody([DIGITS], promised=("x-amz-checksum-sha1",), trailers={"x-amz-checksum-sha1": "AAAAAA=="}),
            "InvalidRequest",
            "Value for x-amz-checksum-sha1 trailing header is invalid.",
        ),
    ],
    ids=["short", "long", "sha256", "md5", "header", "trailer", "form"],
)
def test_a_body_that_is_not_what_was_said_has_no_end(body: CheckedBody, code: str, message: str) -> None:
    assert code_of(lambda: read(body)) == (code, message)
    with pytest.raises(AwsError):
        body.read(1)


def test_a_body_that_was_refused_stays_refused() -> None:
    body = CheckedBody(chunked.decode([b"1\r\naxx0\r\n\r\n"], None, (), {}))
    assert body.read(1) == b"a"
    for _ in range(2):
        assert code_of(lambda: body.read(1)) == ("InvalidRequest", "A chunk of the body is longer than it says.")
