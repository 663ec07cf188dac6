"""`s3://bucket/key`: reading it, and what buckets and keys may be called."""

from __future__ import annotations

import re
from dataclasses import dataclass

from restframe import errors

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
MAX_KEY_BYTES = 1024


@dataclass(frozen=True, slots=True, order=True)
class ObjectUrl:
    """One object, or with a key that is only the beginning of keys, a prefix; an empty key is the whole bucket.

    The key is taken as it stands, blanks and percent signs included: nothing is decoded.
    """

    bucket: str
    key: str = ""

    @classmethod
    def parse(cls, text: str) -> ObjectUrl:
        """InvalidParameterValue when it is not `s3://bucket[/key]`, or bucket or key are not allowed."""
        scheme, separator, rest = text.partition("://")
        if not separator or scheme.lower() not in ("s3", "s3a", "s3n"):
            raise errors.InvalidParameterValue(
                f'"{shown(text)}" is not an object store location', hint="Write it as s3://bucket/key."
            )
        bucket, _, key = rest.partition("/")
        check_bucket_name(bucket)
        check_key(key)
        return cls(bucket, key)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def child(self, suffix: str) -> ObjectUrl:
        """The object whose key is this key with more characters behind it; no slash is added."""
        check_key(self.key + suffix)
        return ObjectUrl(self.bucket, self.key + suffix)


def shown(text: str, limit: int = 100) -> str:
    """A name for a message: printable, and cut when it is long."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in text[: limit + 1])
    return printable if len(text) <= limit else printable[:limit] + "..."


_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")


def check_bucket_name(name: str) -> None:
    """InvalidParameterValue unless S3 would let a general purpose bucket have this name.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    if not _BUCKET.fullmatch(name) or ".." in name or _ADDRESS.fullmatch(name):
        raise errors.InvalidParameterValue(
            f'invalid bucket name "{shown(name)}"',
            hint="A bucket name has 3 to 63 lower-case letters, digits, dots and hyphens.",
        )


def check_key(key: str) -> None:
    """InvalidParameterValue for a key longer than 1,024 bytes, or that is not Unicode text."""
    try:
        size_bytes = len(key.encode())
    except UnicodeEncodeError as error:
        raise errors.InvalidParameterValue("object key is not valid UTF-8") from error
    if size_bytes > MAX_KEY_BYTES:
        raise errors.InvalidParameterValue(
            f'object key "{shown(key)}" is {size_bytes} bytes long, the limit is {MAX_KEY_BYTES}'
        )
