"""Object stores by URL: `s3://bucket/key`, in our own store or on another S3 service.

    storage = Storage(settings)                         settings.buckets, s3_endpoints, auto_create_buckets
    url = ObjectUrl.parse("s3://bucket/trip data/a.csv")
    for info in storage.list(ObjectUrl("bucket", "trip data/")): info.url, info.size_bytes, info.etag
    with storage.local_file(url) as path: ...           a file for a reader that wants one
    storage.read(url, 0, 100); storage.open(url); storage.head(url)
    storage.put(url, b"..." | file | path | pieces, about=About("text/csv", ...))      atomic
    for found in storage.browse(url, "/"): ...          objects, and folders that are not entered
    storage.own.uploads                                 objects in parts, uploads.py
    with storage.publish() as publication: ...          several objects, all or nothing
    decompressed(path, "gzip", directory, ...)          compression.py

Our own store is a directory (directory.py): people may drop files into it and read it with `ls`.
"""

from restframe.storage.objects import DEFAULT_CONTENT_TYPE, About, ObjectInfo, OpenObject
from restframe.storage.storage import Publication, Storage
from restframe.storage.urls import ObjectUrl, check_bucket_name

__all__ = [
    "DEFAULT_CONTENT_TYPE",
    "About",
    "ObjectInfo",
    "ObjectUrl",
    "OpenObject",
    "Publication",
    "Storage",
    "check_bucket_name",
]
