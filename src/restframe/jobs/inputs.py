"""Channels of a training job: which objects they mean."""

from __future__ import annotations

import json
from collections.abc import Iterator

from restframe import errors
from restframe.jobs.specs import Channel
from restframe.storage import ObjectUrl, Storage

_MAX_MANIFEST_BYTES = 64 << 20


def objects(channel: Channel, storage: Storage) -> list[ObjectUrl]:
    """The objects of a channel in the order they are read; DataError when there are none."""
    return [url for _, url in named_objects(channel, storage)]


def named_objects(channel: Channel, storage: Storage) -> list[tuple[str, ObjectUrl]]:
    """The same, each with its path below the folder, or below the manifest's prefix."""
    url = ObjectUrl.parse(channel.url)
    if channel.data_type == "ManifestFile":
        return list(_from_manifest(url, storage))
    # keys that end in a slash stand for folders in listings and hold nothing
    found = [info.url for info in storage.list(url) if not info.url.key.endswith("/")]
    if not found:
        raise errors.DataError(
            f'no S3 objects found under S3 URL "{str(url)[:200]}" given in input data source',
            hint="Check the bucket's name and the prefix.",
        )
    return [(_below(url.key, one.key), one) for one in found]


def _below(prefix: str, key: str) -> str:
    """`data/in` and `data/in/` are a folder to what lies in them, and else the beginning of names."""
    folder = prefix.rstrip("/") + "/"
    return key.removeprefix(folder) if key.startswith(folder) else key[prefix.rfind("/") + 1 :]


def _from_manifest(url: ObjectUrl, storage: Storage) -> Iterator[tuple[str, ObjectUrl]]:
    """`[{"prefix": "s3://bucket/some/"}, "a", "b/c"]` -> s3://bucket/some/a, s3://bucket/some/b/c

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
    """
    if storage.head(url).size_bytes > _MAX_MANIFEST_BYTES:
        raise errors.DataError(f'the manifest "{url}" is larger than {_MAX_MANIFEST_BYTES} bytes')
    try:
        first, *names = json.loads(storage.read(url))
        prefix = first["prefix"]
        if not names or not all(isinstance(text, str) for text in (prefix, *names)):
            raise ValueError
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise errors.DataError(
            f'"{str(url)[:200]}" is not a manifest',
            hint='Write it as [{"prefix": "s3://bucket/folder/"}, "file", ...].',
        ) from error
    for name in names:
        yield name, ObjectUrl.parse(prefix + name)
