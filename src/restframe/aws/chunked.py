"""aws-chunked: bodies whose pieces carry signatures, and whose checksums follow them.

    <hex size>[;chunk-signature=<64 hex digits>]\\r\\n <bytes> \\r\\n ... 0[;chunk-signature=...]\\r\\n
    [x-amz-checksum-crc32:<base64>\\r\\n] [x-amz-trailer-signature:<64 hex digits>\\r\\n] \\r\\n

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator

from restframe.aws.errors import AwsError
from restframe.aws.refusals import S3
from restframe.aws.signature import EMPTY_HASH, Seal

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
KINDS = (SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER)

_HEADER = re.compile(rb"([0-9a-fA-F]{1,16})(?:;chunk-signature=([0-9a-f]{64}))?")
_TRAILER = re.compile(rb"([A-Za-z0-9-]{1,100})[ ]*:[ ]*([!-~]{0,200})[ ]*\n?")
_MAXIMAL_LINE = 512
_MAXIMAL_TRAILERS = 8
_TRAILER_SIGNATURE = "x-amz-trailer-signature"


def decode(
    pieces: Iterable[bytes], seal: Seal | None, promised: tuple[str, ...], trailers: dict[str, str]
) -> Iterator[bytes]:
    """The bytes inside the chunks, as they come; what was given out is good when the iterator has ended.

    seal : of the request, when its chunks are signed
    promised : the trailers the request announced; these must come, and no others
    trailers : takes the trailers, before the iterator ends
    AwsError as soon as something is wrong: the form, a signature, an end that comes too early or too late.
    """
    stream = _Stream(pieces)
    previous = seal.signature if seal else ""
    while True:
        size, signature = _header(stream.line(), seal is not None)
        digest = hashlib.sha256()
        for piece in stream.take(size):
            if seal:
                digest.update(piece)
            yield piece
        if size:
            stream.expect_line_end()
        if seal:
            expected = seal.sign("PAYLOAD", previous, EMPTY_HASH, digest.hexdigest())
            if not hmac.compare_digest(expected, signature):
                raise S3.does_not_match()
            previous = expected
        if not size:
            break
    _read_trailers(stream, seal, previous, promised, trailers)
    stream.expect_end()


def _header(line: bytes, signed: bool) -> tuple[int, str]:
    match = _HEADER.fullmatch(line)
    if match is None or signed != (match[2] is not None):
        raise AwsError("InvalidRequest", "The header of a chunk of the body is malformed.", 400)
    return int(match[1], 16), match[2].decode() if signed else ""


def _read_trailers(
    stream: _Stream, seal: Seal | None, previous: str, promised: tuple[str, ...], trailers: dict[str, str]
) -> None:
    signature = ""
    canonical = ""
    for _ in range(_MAXIMAL_TRAILERS):
        line = stream.line()
        if not line:
            break
        match = _TRAILER.fullmatch(line)
        name, value = (match[1].decode().lower(), match[2].decode()) if match else ("", "")
        if name == _TRAILER_SIGNATURE and seal and not signature:
            signature = value
        elif name in promised and name not in trailers:
            trailers[name] = value
            canonical += f"{name}:{value}\n"
        else:
            raise _malformed_trailer()
    else:
        raise _malformed_trailer()
    if set(trailers) != set(promised):
        raise _malformed_trailer()
    if seal and promised:
        expected = seal.sign("TRAILER", previous, hashlib.sha256(canonical.encode()).hexdigest())
        if not hmac.compare_digest(expected, signature):
            raise S3.does_not_match()


def _malformed_trailer() -> AwsError:
    return AwsError(
        "MalformedTrailerError",
        "The request contained trailing data that was not well-formed or did not conform to our published schema.",
        400,
    )


def incomplete() -> AwsError:
    return AwsError("IncompleteBody", "The request body terminated unexpectedly", 400)


class _Stream:
    """Lines and counted bytes out of pieces of any sizes."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._piece = b""
        self._at = 0

    def _more(self) -> bool:
        for piece in self._pieces:
            if piece:
                self._piece, self._at = piece, 0
                return True
        return False

    def line(self) -> bytes:
        line = b""
        while True:
            end = self._piece.find(b"\n", self._at, self._at + _MAXIMAL_LINE)
            # a trailer may have a line feed of its own before the end of its line
            while end >= 0 and (self._piece[end - 1 : end] if end > self._at else line[-1:]) != b"\r":
                end = self._piece.find(b"\n", end + 1, self._at + _MAXIMAL_LINE)
            line += self._piece[self._at : self._at + _MAXIMAL_LINE if end < 0 else end + 1]
            if end >= 0:
                self._at = end + 1
                return line[:-2]
            if len(line) >= _MAXIMAL_LINE:
                raise AwsError("InvalidRequest", "A line between the chunks of the body is too long.", 400)
            if not self._more():
                raise incomplete()

    def take(self, size: int) -> Iterator[bytes]:
        while size:
            if self._at == len(self._piece) and not self._more():
                raise incomplete()
            piece = self._piece[self._at : self._at + size]
            self._at += len(piece)
            size -= len(piece)
            yield piece

    def expect_line_end(self) -> None:
        if b"".join(self.take(2)) != b"\r\n":
            raise AwsError("InvalidRequest", "A chunk of the body is longer than it says.", 400)

    def expect_end(self) -> None:
        if self._at < len(self._piece) or self._more():
            raise AwsError("InvalidRequest", "The body goes on after its last chunk.", 400)
