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
    return found


def _from_manifest(url: ObjectUrl, storage: Storage) -> Iterator[ObjectUrl]:
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
            f'"{str(url)[:200]}" is not a manifest of training data',
            hint='Write it as [{"prefix": "s3://bucket/folder/"}, "file", ...].',
        ) from error
    for name in names:
        yield ObjectUrl.parse(prefix + name)
