"""Buckets: ListBuckets, CreateBucket, HeadBucket, GetBucketLocation, DeleteBucket."""

from __future__ import annotations

import itertools

from restframe.aws import tokens
from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input, Output
from restframe.aws.s3.requests import continued, operation, owner, seconds, storage
from restframe.errors import NoSuchBucket

_US_EAST_1 = "us-east-1"


@operation("ListBuckets")
def list_buckets(request: Input, call: Call) -> Output:
    """Our own buckets, by name; not those of other S3 services. The creation date is that of the last change.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
    """
    prefix = request.get("Prefix", "")
    after = continued(request)
    most = request.get("MaxBuckets", 10_000)
    found = ((name, when) for name, when in storage(call).buckets() if name.startswith(prefix) and name > after)
    page = list(itertools.islice(found, most + 1))
    listed = [{"Name": name, "CreationDate": seconds(when), "BucketRegion": call.region} for name, when in page[:most]]
    token = tokens.write(str(listed[-1]["Name"])) if len(page) > most else None
    return {"Buckets": listed, "Owner": owner(call), "ContinuationToken": token, "Prefix": request.get("Prefix")}


@operation("CreateBucket")
def create_bucket(request: Input, call: Call) -> Output:
    """Make a bucket; the location asked for is accepted without effect, a bucket is where the server is.

    Our own existing bucket is an error everywhere but in us-east-1, as with Amazon: BucketAlreadyOwnedByYou.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    """
    bucket = request["Bucket"]
    is_new = storage(call).create_bucket(bucket)
    if not is_new and call.region != _US_EAST_1:
        message = "Your previous request to create the named bucket succeeded and you already own it."
        raise AwsError("BucketAlreadyOwnedByYou", message, 409, BucketName=bucket)
    return {"Location": f"/{bucket}"}


@operation("HeadBucket")
def head_bucket(request: Input, call: Call) -> Output:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html"""
    _need(request, call)
    return {"BucketRegion": call.region, "AccessPointAlias": False}


@operation("GetBucketLocation")
def get_bucket_location(request: Input, call: Call) -> Output:
    """The region the request was signed for: we are wherever a client believes us to be; nothing for us-east-1.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
    """
    _need(request, call)
    return {"LocationConstraint": None if call.region == _US_EAST_1 else call.region}


@operation("DeleteBucket")
def delete_bucket(request: Input, call: Call) -> None:
    """Remove an empty bucket, its tags and the uploads that go on in it. BucketNotEmpty.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html
    """
    storage(call).delete_bucket(request["Bucket"])


def _need(request: Input, call: Call) -> None:
    if not storage(call).bucket_exists(request["Bucket"]):
        raise NoSuchBucket(request["Bucket"])
