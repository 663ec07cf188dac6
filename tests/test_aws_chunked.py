"""aws-chunked bodies: Amazon's own examples, every way of cutting them, and what was changed on the way."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe.aws import chunked
from restframe.aws.errors import AwsError
from restframe.aws.signature import EMPTY_HASH, Seal

CRC = "x-amz-checksum-crc32c"


def signing_key(secret: str) -> bytes:
    key = b"AWS4" + secret.encode()
    for part in ("20130524", "us-east-1", "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def seal(seed: str) -> Seal:
    key = signing_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    return Seal(key, "20130524T000000Z", "20130524/us-east-1/s3/aws4_request", seed)


def chunks(*given: tuple[bytes, str], trailer: bytes = b"") -> bytes:
    body = b"".join(
        b"%x;chunk-signature=%s\r\n%s" % (len(data), signature.encode(), data + b"\r\n" if data else b"")
        for data, signature in given
    )
    return body + trailer + b"\r\n"


# https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
SIGNED = chunks(
    (b"a" * 65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
    (b"a" * 1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
    (b"", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
)
SIGNED_SEAL = seal("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9")
# https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
TRAILED = chunks(
    (b"a" * 65536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
    (b"a" * 1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
    (b"", "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"),
    trailer=b"x-amz-checksum-crc32c:sOO8/Q==\r\n"
    b"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n",
)
TRAILED_SEAL = seal("106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e")
UNSIGNED = b"5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32c:yZRlqg==\r\n\r\n"


def cut(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


def decode(body: bytes, seal: Seal | None = None, promised: tuple[str, ...] = (), size: int = 1 << 20) -> bytes:
    trailers: dict[str, str] = {}
    data = b"".join(chunked.decode(cut(body, size), seal, promised, trailers))
    assert set(trailers) == set(promised)
    return data


def refused(body: bytes, seal: Seal | None = None, promised: tuple[str, ...] = ()) -> str:
    """The code of the error, the same however the body is cut."""
    codes = set()
    for size in (7, 1000, 1 << 20):
        with pytest.raises(AwsError) as caught:
            decode(body, seal, promised, size)
        codes.add(caught.value.code)
    (code,) = codes
    return code


@pytest.mark.parametrize("size", [1, 86, 1000, 65536, 1 << 20])
def test_signed_chunks_of_the_manual(size: int) -> None:
    assert decode(SIGNED, SIGNED_SEAL, size=size) == b"a" * 66560


@pytest.mark.parametrize("size", [1, 86, 1000, 65536, 1 << 20])
def test_signed_trailer_of_the_manual(size: int) -> None:
    assert decode(TRAILED, TRAILED_SEAL, (CRC,), size) == b"a" * 66560


@given(
    pieces=st.lists(st.binary(min_size=1, max_size=50), max_size=5),
    size=st.integers(min_value=1, max_value=60),
    trailed=st.booleans(),
)
def test_whatever_is_chunked_comes_out_again(pieces: list[bytes], size: int, trailed: bool) -> None:
    body = b"".join(b"%X\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n"
    body += b"x-amz-checksum-crc32c:yZRlqg==\r\n\r\n" if trailed else b"\r\n"
    assert decode(body, None, (CRC,) if trailed else (), size) == b"".join(pieces)


def test_a_trailer_may_end_with_a_line_feed_of_its_own() -> None:
    body = UNSIGNED.replace(b"==\r\n", b"==\n\r\n")
    assert decode(body, None, (CRC,), 3) == b"hello world"


def test_a_changed_chunk() -> None:
    assert refused(SIGNED.replace(b"a" * 1024, b"a" * 1023 + b"b"), SIGNED_SEAL) == "SignatureDoesNotMatch"


def test_a_changed_signature_of_a_chunk() -> None:
    assert refused(SIGNED.replace(b"0055627c", b"0055627d"), SIGNED_SEAL) == "SignatureDoesNotMatch"


def test_chunks_in_another_order() -> None:
    first, second, last = SIGNED[:65626], SIGNED[65626:66738], SIGNED[66738:]
    assert first.startswith(b"10000;") and second.startswith(b"400;") and last.startswith(b"0;")
    assert decode(first + second + last, SIGNED_SEAL) == b"a" * 66560
    assert refused(second + first + last, SIGNED_SEAL) == "SignatureDoesNotMatch"
    assert refused(first + last, SIGNED_SEAL) == "SignatureDoesNotMatch"
    assert refused(first + first + second + last, SIGNED_SEAL) == "SignatureDoesNotMatch"


def test_chunks_of_another_request() -> None:
    assert refused(SIGNED, TRAILED_SEAL) == "SignatureDoesNotMatch"


@pytest.mark.parametrize("end", [0, 10, 88, 1000, 65624, 65626, 66700, 66800, len(SIGNED) - 1])
def test_an_end_that_comes_too_early(end: int) -> None:
    assert refused(SIGNED[:end], SIGNED_SEAL) == "IncompleteBody"


def test_an_end_that_comes_too_late() -> None:
    assert refused(SIGNED + b"x", SIGNED_SEAL) == "InvalidRequest"
    assert refused(UNSIGNED + UNSIGNED, None, (CRC,)) == "InvalidRequest"


def test_chunks_without_signatures_where_they_must_have_one() -> None:
    assert refused(UNSIGNED, SIGNED_SEAL) == "InvalidRequest"


def test_a_changed_trailer() -> None:
    assert refused(TRAILED.replace(b"sOO8/Q==", b"sOO8/A=="), TRAILED_SEAL, (CRC,)) == "SignatureDoesNotMatch"


def test_a_trailer_without_its_signature() -> None:
    start, end = TRAILED.index(b"x-amz-trailer-signature"), len(TRAILED) - 2
    assert refused(TRAILED[:start] + TRAILED[end:], TRAILED_SEAL, (CRC,)) == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    ("trailer", "promised"),
    [
        (b"", (CRC,)),
        (b"x-amz-checksum-crc32c:yZRlqg==\r\n", ()),
        (b"x-amz-checksum-crc32c:yZRlqg==\r\nx-amz-checksum-crc32c:yZRlqg==\r\n", (CRC,)),
        (b"x-amz-meta-colour:red\r\n", (CRC,)),
        (b"x-amz-trailer-signature:00\r\n", ()),
        (b"no colon\r\n", (CRC,)),
        (b"x-amz-checksum-crc32c:\xff\r\n", (CRC,)),
    ],
)
def test_trailers_are_those_that_were_promised(trailer: bytes, promised: tuple[str, ...]) -> None:
    assert refused(b"0\r\n" + trailer + b"\r\n", None, promised) == "MalformedTrailerError"


@pytest.mark.parametrize(
    "body",
    [
        b"\r\n",
        b"x\r\n",
        b"-1\r\n",
        b"+5\r\nhello\r\n0\r\n\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"5\nhello\r\n0\r\n\r\n",
        b"5;chunk-signature=00\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello!\r\n0\r\n\r\n",
        b"10000000000000000\r\n",
        b"5" * 10_000,
        b"5\r\nhello\r\n0\r\n" + b"a" * 10_000,
        b"0;" + b"x" * 100_000,
    ],
)
def test_malformed_chunks(body: bytes) -> None:
    assert refused(body) in ("InvalidRequest", "IncompleteBody")


@given(st.binary(max_size=300), st.integers(min_value=1, max_value=50))
def test_anything_else_is_refused_or_read_and_never_fails_otherwise(body: bytes, size: int) -> None:
    for prefix in (b"", b"5\r\nhello\r\n", b"0\r\n"):
        try:
            list(chunked.decode(cut(prefix + body, size), None, (CRC,), {}))
        except AwsError:
            continue


def test_a_chunk_is_given_out_while_it_comes() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"ffffffffff\r\n"
        yield b"first"
        raise AssertionError("read ahead")

    assert next(chunked.decode(pieces(), None, (), {})) == b"first"


def test_what_is_hashed_is_what_the_manual_says() -> None:
    """An empty body has one chunk, signed with the hash of nothing."""
    signature = SIGNED_SEAL.sign("PAYLOAD", SIGNED_SEAL.signature, EMPTY_HASH, hashlib.sha256(b"").hexdigest())
    assert decode(chunks((b"", signature)), SIGNED_SEAL) == b""
