"""Tags of objects: GetObjectTagging, PutObjectTagging, DeleteObjectTagging. The object stays as it is."""

from __future__ import annotations

import dataclasses

from restframe.aws.operation import Call, Input, Output
from restframe.aws.s3 import descriptions
from restframe.aws.s3.requests import object_url, operation, storage


@operation("GetObjectTagging")
def get_object_tagging(request: Input, call: Call) -> Output:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html"""
    info = storage(call).head(object_url(request))
    return {"TagSet": descriptions.tag_set(info.about.tags)}


@operation("PutObjectTagging")
def put_object_tagging(request: Input, call: Call) -> None:
    """Replace all tags. InvalidTag for those S3 would not take.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html
    """
    tags = descriptions.tags_of_set(request["Tagging"])
    storage(call).describe(object_url(request), lambda info: dataclasses.replace(info.about, tags=tags))


@operation("DeleteObjectTagging")
def delete_object_tagging(request: Input, call: Call) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html"""
    storage(call).describe(object_url(request), lambda info: dataclasses.replace(info.about, tags={}))
