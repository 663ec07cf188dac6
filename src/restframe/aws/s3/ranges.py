"""Which bytes of an object a request is for.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, RFC 9110 section 14
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from restframe.aws.errors import AwsError
from restframe.aws.operation import Input
from restframe.aws.s3.requests import invalid_argument
from restframe.storage import ObjectInfo
from restframe.storage.urls import shown

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*", re.ASCII | re.IGNORECASE)
_SOURCE_RANGE = re.compile(r"bytes=(\d+)-(\d+)", re.ASCII)
_DIGITS = 20  # more than any size has


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` up to `end`."""

    start: int
    end: int

    @property
    def size_bytes(self) -> int:
        return self.end - self.start

    def content_range(self, info: ObjectInfo) -> str:
        return f"bytes {self.start}-{self.end - 1}/{info.size_bytes}"


def asked(request: Input, info: ObjectInfo) -> Span | None:
    """The bytes of one range or part; None for the whole object.

    A Range that is none, or asks for several, is passed over, as S3 does. InvalidRange (416) when the object has no
    byte in it, InvalidPartNumber (416) when it has no such part.
    """
    header, number = request.get("Range"), request.get("PartNumber")
    if number is not None:
        if header is not None:
            raise AwsError("InvalidRequest", "Cannot specify both Range header and partNumber query parameter", 400)
        return _part(number, info)
    found = _RANGE.fullmatch(header[:200]) if header is not None else None
    if header is None or found is None or len(found[1]) > _DIGITS or len(found[2]) > _DIGITS:
        return None
    return _span(found[1], found[2], header, info)


def _span(first: str, last: str, header: str, info: ObjectInfo) -> Span | None:
    size = info.size_bytes
    if not first:
        if not last:
            return None
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None  # not a range at all
    if start >= end:
        message = "The requested range is not satisfiable"
        raise AwsError("InvalidRange", message, 416, RangeRequested=shown(header), ActualObjectSize=size)
    return Span(start, end)


def _part(number: int, info: ObjectInfo) -> Span | None:
    sizes = [part.size_bytes for part in info.about.parts] or [info.size_bytes]
    if not 1 <= number <= len(sizes):
        members = {"PartNumberRequested": number, "ActualPartCount": len(sizes)}
        raise AwsError("InvalidPartNumber", "The requested partnumber is not satisfiable", 416, **members)
    if not sizes[number - 1]:
        return None  # a range cannot say nothing
    ends = list(itertools.accumulate(sizes))
    return Span(ends[number - 1] - sizes[number - 1], ends[number - 1])


def of_source(text: str | None, info: ObjectInfo) -> Span:
    """The bytes of an object that become a part of another."""
    if text is None:
        return Span(0, info.size_bytes)
    name = "x-amz-copy-source-range"
    found = _SOURCE_RANGE.fullmatch(text[:200])
    if found is None or len(found[1]) > _DIGITS or len(found[2]) > _DIGITS:
        message = (
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy"
        )
        raise invalid_argument(message, name, text)
    span = Span(int(found[1]), int(found[2]) + 1)
    if span.start >= span.end or span.end > info.size_bytes:
        message = f"Range specified is not valid for source object of size: {info.size_bytes}"
        raise invalid_argument(message, name, text)
    return span
