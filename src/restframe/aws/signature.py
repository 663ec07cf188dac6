"""AWS Signature Version 4: who signed a request, and whether it is what they signed.

    claim = signature.claim(http, refusals)            # what the request says of itself; nothing is believed yet
    signature.check_time(claim, refusals, now)
    seal = signature.verify(claim, secret, http, payload_hash, refusals)

A signature is good for 15 minutes on either side of its time, a presigned one until it expires. AWS has no nonce: the
same bytes sent again within that time are accepted again, which is why operations that must not happen twice have
client tokens.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import quote, unquote, unquote_to_bytes

from restframe.aws import signature_v2
from restframe.aws.errors import AwsError
from restframe.aws.http import HttpRequest
from restframe.aws.refusals import MAXIMAL_SKEW_S, Refusals, basic
from restframe.aws.wire.rest_xml import bucket_of_host

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
EMPTY_HASH = hashlib.sha256(b"").hexdigest()
MAXIMAL_EXPIRES_S = 7 * 24 * 3600

_HEX = re.compile(r"[0-9a-f]{64}")
_KEY_ID = re.compile(r"[!-~]{1,128}")
_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_NAME = re.compile(r"[a-z0-9-]{1,64}")
_BLANKS = re.compile("[ \t]+")
_PRESIGNED = ("X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Signature", "X-Amz-SignedHeaders")
_SAFE = "-_.~"
# A presigned request may name the hash of its payload without signing the header: it only makes us stricter.
_FREE_WHEN_PRESIGNED = frozenset({"x-amz-content-sha256"})


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of its sender.

    date, region, service : of the credential scope
    timestamp : of the signature, as `20130524T000000Z`
    expires_s : of a presigned request; None when the signature is in the header
    version : of the signature; in version 2 the timestamp is the one at which a presigned request expires
    """

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    session_token: str | None
    expires_s: int | None
    version: int = 4

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"

    @property
    def signed_at(self) -> datetime:
        text = self.timestamp
        day = int(text[:4]), int(text[4:6]), int(text[6:8])
        return datetime(*day, int(text[9:11]), int(text[11:13]), int(text[13:15]), tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Seal:
    """A verified signature, from which those of the body's chunks are chained."""

    key: bytes
    timestamp: str
    scope: str
    signature: str

    def __repr__(self) -> str:
        return "Seal(...)"

    def sign(self, kind: str, previous: str, *hashes: str) -> str:
        """The signature of a chunk or of the trailer."""
        text = "\n".join((f"{ALGORITHM}-{kind}", self.timestamp, self.scope, previous, *hashes))
        return hmac.digest(self.key, text.encode(), "sha256").hex()


def is_signed(http: HttpRequest) -> bool:
    """Whether a request tries to say who sent it, in whatever way."""
    return "authorization" in http.headers or any(
        name in ("X-Amz-Algorithm", "X-Amz-Signature", "AWSAccessKeyId", "Signature") for name, _ in _parameters(http)
    )


def signing_name(http: HttpRequest) -> str | None:
    """The service of the credential scope, as far as one can be made out; for finding out whose errors to use."""
    credential = re.search(r"Credential=([^,\s]*)", http.headers.get("authorization"))
    text = credential[1] if credential else unquote(dict(_parameters(http)).get("X-Amz-Credential", ""))
    parts = text.rsplit("/", 4)
    return parts[3] if len(parts) == 5 else None


def claim(http: HttpRequest, refusals: Refusals) -> Claim:
    """What the request says of its sender. AwsError when it says nothing, too much, or what cannot be."""
    parameters = _parameters(http)
    names = [name for name, _ in parameters]
    in_query = "X-Amz-Algorithm" in names or "X-Amz-Signature" in names
    if "authorization" in http.headers:
        if in_query or signature_v2.is_presigned(http):
            raise refusals.two_ways()
        found = _from_header(http, refusals)
    elif in_query:
        found = _from_query(parameters, refusals)
    elif signature_v2.is_presigned(http):
        return _from_query_v2(http, refusals)
    else:
        raise refusals.unsigned()
    _check_scope(found, refusals)
    _check_headers(found, http, refusals)
    return found


def check_time(claim: Claim, refusals: Refusals, now: datetime) -> None:
    signed_at = claim.signed_at
    if claim.expires_s is None:
        if abs((now - signed_at).total_seconds()) > MAXIMAL_SKEW_S:
            raise refusals.skewed(signed_at, now)
        return
    if claim.version == 4 and (signed_at - now).total_seconds() > MAXIMAL_SKEW_S:
        raise refusals.not_yet_valid()
    end = signed_at + timedelta(seconds=claim.expires_s)
    if now > end:
        raise refusals.expired(end, now)


def verify(claim: Claim, secret: str, http: HttpRequest, payload_hash: str, refusals: Refusals) -> Seal:
    """AwsError unless the owner of the secret signed this very request.

    payload_hash : what stands for the body: its SHA-256 in hex, or the word the client signed instead
    """
    if claim.version == 2:
        signature_v2.verify(secret, http, _path_with_bucket(http), refusals)
        return Seal(b"", claim.timestamp, claim.scope, claim.signature)
    key = _signing_key(secret, claim.date, claim.region, claim.service)
    headers = "".join(f"{name}:{_header_value(http, name)}\n" for name in claim.signed_headers)
    rest = f"{headers}\n{';'.join(claim.signed_headers)}\n{payload_hash}"
    for path, query in _spellings(http, refusals.is_s3):
        request = f"{http.method}\n{path}\n{query}\n{rest}".encode("latin-1")
        text = f"{ALGORITHM}\n{claim.timestamp}\n{claim.scope}\n{hashlib.sha256(request).hexdigest()}"
        expected = hmac.digest(key, text.encode(), "sha256").hex()
        if hmac.compare_digest(expected, claim.signature):
            return Seal(key, claim.timestamp, claim.scope, claim.signature)
    raise refusals.does_not_match()


# what the request says


def _parameters(http: HttpRequest) -> list[tuple[str, str]]:
    """Names and values of the query string, as they were sent."""
    if not http.query:
        return []
    return [(name, value) for name, _, value in (pair.partition("=") for pair in http.query.split("&"))]


def decoded_parameters(http: HttpRequest) -> list[tuple[str, str]]:
    """Names and values of the query string without their percent signs."""
    return [(unquote(name), unquote(value.replace("+", " "))) for name, value in _parameters(http)]


def is_hash(text: str) -> bool:
    """Whether this can be the SHA-256 of something, in hex."""
    return _HEX.fullmatch(text) is not None


def _from_header(http: HttpRequest, refusals: Refusals) -> Claim:
    text = http.headers.get("authorization")
    algorithm, _, rest = text.partition(" ")
    if algorithm != ALGORITHM:
        raise _other_mechanism(algorithm, refusals)
    values: dict[str, str] = {}
    for part in rest.split(","):
        name, equals, value = part.strip().partition("=")
        if not equals or name in values:
            raise refusals.malformed("it must have the form Credential=..., SignedHeaders=..., Signature=...")
        values[name] = value
    for name in ("Credential", "SignedHeaders", "Signature"):
        if not values.get(name):
            raise refusals.malformed(f"it requires '{name}'")
    return _claim(
        values["Credential"],
        values["SignedHeaders"],
        values["Signature"],
        _timestamp(http, refusals),
        http.headers.get("x-amz-security-token") or None,
        None,
        refusals,
    )


def _other_mechanism(algorithm: str, refusals: Refusals) -> AwsError:
    if algorithm == "AWS":
        return refusals.unsupported("Signature Version 2")
    if algorithm.startswith("AWS4-ECDSA"):
        return refusals.unsupported("Signature Version 4A")
    return refusals.unsupported("this kind of Authorization header")


def _timestamp(http: HttpRequest, refusals: Refusals) -> str:
    text = http.headers.get("x-amz-date") or http.headers.get("date")
    if not text:
        raise refusals.malformed("it requires a header 'X-Amz-Date' or 'Date'")
    if _DATE.fullmatch(text):
        return text
    try:
        moment = parsedate_to_datetime(text)
        # botocore's ends in -0000, which says that it is in UTC, and nothing of a place
        return basic((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC))
    except (ValueError, OverflowError):
        raise refusals.malformed("the date of the request must have the form 20130524T000000Z") from None


def _from_query(parameters: list[tuple[str, str]], refusals: Refusals) -> Claim:
    values: dict[str, str] = {}
    for name, value in parameters:
        if name.startswith("X-Amz-"):
            if name in values:
                raise refusals.malformed_query(f"{name[:100]} must be given once.")
            values[name] = unquote(value)
    algorithm = values.get("X-Amz-Algorithm", "")
    if algorithm.startswith("AWS4-ECDSA"):
        raise refusals.unsupported("Signature Version 4A")
    if algorithm != ALGORITHM or not all(values.get(name) for name in _PRESIGNED):
        raise refusals.malformed_query(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
            "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
        )
    return _claim(
        values["X-Amz-Credential"],
        values["X-Amz-SignedHeaders"],
        values["X-Amz-Signature"],
        values["X-Amz-Date"],
        values.get("X-Amz-Security-Token") or None,
        _expires(values["X-Amz-Expires"], refusals),
        refusals,
    )


def _from_query_v2(http: HttpRequest, refusals: Refusals) -> Claim:
    if not refusals.is_s3:
        raise refusals.unsupported("Signature Version 2")
    access_key_id, end, token = signature_v2.claimed(http, refusals)
    # boto3 signs in this way for us-east-1 only, which needs not be said in it
    return Claim(access_key_id, basic(end)[:8], "us-east-1", "s3", (), "", basic(end), token, 0, version=2)


def _path_with_bucket(http: HttpRequest) -> str:
    bucket = bucket_of_host(http.host)
    return f"/{bucket}{http.path}" if bucket else http.path


def _expires(text: str, refusals: Refusals) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise refusals.malformed_query("X-Amz-Expires should be a number")
    seconds = int(text)
    if seconds < 1:
        raise refusals.malformed_query("X-Amz-Expires must be non-negative")
    if seconds > MAXIMAL_EXPIRES_S:
        raise refusals.malformed_query(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
            f"{MAXIMAL_EXPIRES_S} seconds"
        )
    return seconds


def _claim(
    credential: str,
    signed_headers: str,
    signature: str,
    timestamp: str,
    token: str | None,
    expires_s: int | None,
    refusals: Refusals,
) -> Claim:
    parts = credential.rsplit("/", 4)
    if len(parts) != 5 or not _KEY_ID.fullmatch(parts[0]):
        raise refusals.malformed(
            "the Credential is mal-formed; expecting <YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request"
        )
    access_key_id, date, region, service, terminator = parts
    if terminator != "aws4_request":
        raise refusals.scope("Credential should be scoped with a valid terminator: 'aws4_request'")
    if not (_NAME.fullmatch(region) and _NAME.fullmatch(service)):
        raise refusals.scope("Credential should be scoped to a valid region and service")
    if not _HEX.fullmatch(signature):
        raise refusals.does_not_match()
    names = tuple(signed_headers.lower().split(";"))
    return Claim(access_key_id, date, region, service, names, signature, timestamp, token, expires_s)


def _check_scope(claim: Claim, refusals: Refusals) -> None:
    try:
        if not _DATE.fullmatch(claim.timestamp) or not claim.signed_at:
            raise ValueError
    except ValueError:
        raise refusals.malformed("the date of the request must have the form 20130524T000000Z") from None
    if claim.date != claim.timestamp[:8]:
        raise refusals.scope(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{claim.date[:16]}' != '{claim.timestamp[:8]}', from '{claim.timestamp}'."
        )


def _check_headers(claim: Claim, http: HttpRequest, refusals: Refusals) -> None:
    """Everything that decides what a request does is signed, or the request is not taken."""
    if "host" not in claim.signed_headers:
        raise refusals.not_signed(["host"])
    presigned = claim.expires_s is not None
    missing = sorted(
        {name for name, _ in http.headers if name.startswith("x-amz-")}
        - set(claim.signed_headers)
        - (_FREE_WHEN_PRESIGNED if presigned else frozenset())
    )
    if missing:
        raise refusals.not_signed(missing)


# the canonical request


@lru_cache(maxsize=256)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _header_value(http: HttpRequest, name: str) -> str:
    value = http.headers.get(name)
    return _BLANKS.sub(" ", value) if "  " in value or "\t" in value else value


def _spellings(http: HttpRequest, is_s3: bool) -> Iterator[tuple[str, str]]:
    """Path and query as the client may have signed them: as they were sent, or with everything encoded that can be.

    Both say the same, so nothing is given away by taking either.
    """
    path = http.path if is_s3 else _normal_path(http.path)
    pairs = [(name, value) for name, value in _parameters(http) if name != "X-Amz-Signature"]
    query = "&".join(f"{name}={value}" for name, value in sorted(pairs))
    yield path, query
    encoded_path = quote(unquote_to_bytes(path.encode("latin-1")), safe="/" + _SAFE) if is_s3 else path
    encoded = sorted((_encoded(name), _encoded(value)) for name, value in pairs)
    encoded_query = "&".join(f"{name}={value}" for name, value in encoded)
    if (encoded_path, encoded_query) != (path, query):
        yield encoded_path, encoded_query


def _encoded(text: str) -> str:
    return quote(unquote_to_bytes(text.replace("+", " ").encode("latin-1")), safe=_SAFE)


def _normal_path(path: str) -> str:
    """Without dot segments and double slashes, encoded once more: what all services but S3 sign."""
    if path == "/":
        return path
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    ending = "/" if path.endswith("/") and kept else ""
    return quote("/" + "/".join(kept) + ending, safe="/" + _SAFE)
