"""What is known about an object beyond its bytes, in one small JSON file per key.

A sidecar names the versions of the file it speaks of by their time stamp and size. It is written before the file is
replaced and then speaks of both the old version and the new, so that a crash between the two steps leaves either with
its own description. A file that no version fits was dropped into the bucket by hand: it has no description, and a
mark made of stamp and size for an ETag.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from restframe.storage.files import write_durably
from restframe.storage.objects import DEFAULT_CONTENT_TYPE, About
from restframe.storage.urls import ObjectUrl


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one key's file; `stamp` is what `stamp_of` says of that file."""

    stamp: str
    etag: str
    about: About = field(default_factory=About)

    def to_json(self) -> dict[str, Any]:
        return {"stamp": self.stamp, "etag": self.etag, **self.about.to_json()}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Version:
        about = dict(raw)
        return cls(about.pop("stamp"), about.pop("etag"), About.from_json(about))


def stamp_of(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns}-{status.st_size}"


def unhashed(status: os.stat_result, content_type: str = DEFAULT_CONTENT_TYPE) -> Version:
    """A version whose bytes nobody hashed. The hyphen in its ETag keeps clients from taking it for an MD5."""
    stamp = stamp_of(status)
    return Version(stamp, hashlib.md5(stamp.encode(), usedforsecurity=False).hexdigest() + "-1", About(content_type))


class Sidecars:
    """The sidecars of all buckets, under one directory."""

    def __init__(self, directory: Path, temporary: Path) -> None:
        self._directory = directory
        self._temporary = temporary

    def version(self, url: ObjectUrl, status: os.stat_result) -> Version | None:
        """The description of the file with this status, None when it has none."""
        stamp = stamp_of(status)
        return next((one for one in self._read(url) if one.stamp == stamp), None)

    def announce(self, url: ObjectUrl, new: Version, replaced: os.stat_result | None) -> None:
        """Durably describe a version that is about to replace the one with status `replaced`."""
        old = None if replaced is None else self.version(url, replaced)
        versions = [one.to_json() for one in (new, old) if one is not None]
        write_durably(self._path(url), json.dumps({"key": url.key, "versions": versions}), self._temporary)

    def forget(self, url: ObjectUrl) -> None:
        self._path(url).unlink(missing_ok=True)

    def _path(self, url: ObjectUrl) -> Path:
        name = hashlib.sha256(url.key.encode()).hexdigest()
        return Path(f"{self._directory}/{url.bucket}/{name[:2]}/{name}.json")

    def _read(self, url: ObjectUrl) -> list[Version]:
        """The versions described; none when the sidecar is missing or damaged."""
        try:
            with self._path(url).open("rb") as file:
                return [Version.from_json(one) for one in json.loads(file.read())["versions"]]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return []
