"""The files a COPY reads: all keys with a prefix, or what a manifest lists."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from restframe import errors
from restframe.sql.statements.copy import Columnar, Copy
from restframe.storage import ObjectUrl, Storage

_MAX_MANIFEST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class SourceFile:
    url: ObjectUrl
    size_bytes: int


def find_files(statement: Copy, storage: Storage, notice: Callable[[str, str], None]) -> list[SourceFile]:
    """The files in the order in which they are read.

    notice : called with a message and its severity for a file that is missing and may be

    NoSuchKey when there is none, NoSuchBucket, StorageAccessDenied, with the position of the location in the statement.
    """
    try:
        url = ObjectUrl.parse(statement.source)
        storage.check_reach(statement.iam_role, url)
        found = (
            _listed(url, statement, storage, notice) if statement.manifest else _with_prefix(url, statement, storage)
        )
    except (errors.StorageError, errors.InvalidParameterValue) as error:
        error.position = error.position or statement.source_position
        raise
    return found


def _with_prefix(url: ObjectUrl, statement: Copy, storage: Storage) -> list[SourceFile]:
    columnar = isinstance(statement.format, Columnar)
    files = [
        SourceFile(info.url, info.size_bytes)
        for info in storage.list(url)
        if not (columnar and (info.size_bytes == 0 or _is_hidden(info.url.key)))
    ]
    if not files:
        raise errors.NoSuchKey(f"The specified S3 prefix '{url.key[:200]}' does not exist")
    return files


def _is_hidden(key: str) -> bool:
    """Markers such as _SUCCESS, which Redshift passes over beside columnar files."""
    return key.rpartition("/")[2].startswith(("_", "."))


def _listed(url: ObjectUrl, statement: Copy, storage: Storage, notice: Callable[[str, str], None]) -> list[SourceFile]:
    """What a manifest lists; a file listed twice is loaded twice.

    https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
    """
    if not url.key or url.key.endswith("/"):
        raise errors.InvalidParameterValue("COPY with MANIFEST parameter requires full path of an Amazon S3 object.")
    if storage.head(url).size_bytes > _MAX_MANIFEST_BYTES:
        raise errors.InvalidParameterValue(f'manifest "{url}" is larger than {_MAX_MANIFEST_BYTES >> 20} MB')
    files = []
    for entry in _entries(storage.read(url), url):
        entry_url = ObjectUrl.parse(entry["url"])
        storage.check_reach(statement.iam_role, entry_url)
        try:
            info = storage.head(entry_url)
        except (errors.NoSuchKey, errors.NoSuchBucket):
            if entry.get("mandatory", False):
                raise
            notice(f'"{entry_url}" of the manifest does not exist and is not loaded', "WARNING")
            continue
        _check_length(entry, info.size_bytes)
        files.append(SourceFile(info.url, info.size_bytes))
    if not files:
        raise errors.NoSuchKey(f'none of the files in manifest "{url}" exists')
    return files


def _entries(data: bytes, url: ObjectUrl) -> list[dict[str, Any]]:
    try:
        found = json.loads(data)
        entries = found["entries"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise errors.InvalidParameterValue(f'manifest "{url}" is not a JSON object with "entries"') from error
    if not isinstance(entries, list):
        raise errors.InvalidParameterValue(f'"entries" of manifest "{url}" is not an array')
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict) or not isinstance(entry.get("url"), str):
            raise errors.InvalidParameterValue(f'entry {number} of manifest "{url}" has no "url"')
        if not isinstance(entry.get("mandatory", False), bool):
            raise errors.InvalidParameterValue(
                f'"mandatory" of entry {number} of manifest "{url}" is not true or false'
            )
    return entries


def _check_length(entry: dict[str, Any], size_bytes: int) -> None:
    """`meta` is what UNLOAD writes into its manifests."""
    meta = entry.get("meta")
    expected = meta.get("content_length") if isinstance(meta, dict) else None
    if isinstance(expected, int) and expected != size_bytes:
        raise errors.CorruptObject(
            f'"{entry["url"][:200]}" has {size_bytes} bytes, its manifest says {expected}',
            hint="The file was changed or cut off after the manifest was written.",
        )
