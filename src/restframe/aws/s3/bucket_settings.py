"""What a bucket can be set to do. We keep its tags and CORS rules; all else is as in a bucket that nobody set.

The server's own setting decides about CORS: the rules of a bucket are kept and returned, without effect.
"""

from __future__ import annotations

import json
from typing import Any

from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input, Output
from restframe.aws.s3 import descriptions
from restframe.aws.s3.requests import object_url, operation, own_bucket, owner, storage

_TAGS, _CORS = "tags.json", "cors.json"


@operation("GetBucketTagging")
def get_bucket_tagging(request: Input, call: Call) -> Output:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html"""
    tags = _kept(request, call, _TAGS)
    if tags is None:
        raise AwsError("NoSuchTagSet", "The TagSet does not exist", 404, BucketName=request["Bucket"])
    return {"TagSet": descriptions.tag_set(tags)}


@operation("PutBucketTagging")
def put_bucket_tagging(request: Input, call: Call) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html"""
    _keep(request, call, _TAGS, descriptions.tags_of_bucket(request["Tagging"]))


@operation("DeleteBucketTagging")
def delete_bucket_tagging(request: Input, call: Call) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketTagging.html"""
    storage(call).own.notes.delete(own_bucket(request, call), _TAGS)


@operation("GetBucketCors")
def get_bucket_cors(request: Input, call: Call) -> Output:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketCors.html"""
    rules = _kept(request, call, _CORS)
    if rules is None:
        message = "The CORS configuration does not exist"
        raise AwsError("NoSuchCORSConfiguration", message, 404, BucketName=request["Bucket"])
    return {"CORSRules": rules}


@operation("PutBucketCors")
def put_bucket_cors(request: Input, call: Call) -> None:
    """Kept without effect.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html
    """
    rules = request["CORSConfiguration"]["CORSRules"]
    if not 1 <= len(rules) <= 100:
        message = "The XML you provided was not well-formed or did not validate against our published schema"
        raise AwsError("MalformedXML", message, 400)
    _keep(request, call, _CORS, [dict(rule) for rule in rules])


@operation("DeleteBucketCors")
def delete_bucket_cors(request: Input, call: Call) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketCors.html"""
    storage(call).own.notes.delete(own_bucket(request, call), _CORS)


def _kept(request: Input, call: Call, name: str) -> Any:
    text = storage(call).own.notes.get(own_bucket(request, call), name)
    return None if text is None else json.loads(text)


def _keep(request: Input, call: Call, name: str, value: Any) -> None:
    storage(call).own.notes.put(own_bucket(request, call), name, json.dumps(value))


# Everything else: nobody can set it, and reading it says what a new bucket says. The error of S3, or the answer.
_UNSET: dict[str, tuple[str, str] | Output] = {
    "GetBucketAccelerateConfiguration": {},
    "GetBucketEncryption": (
        "ServerSideEncryptionConfigurationNotFoundError",
        "The server side encryption configuration was not found",
    ),
    "GetBucketLifecycleConfiguration": (
        "NoSuchLifecycleConfiguration",
        "The lifecycle configuration does not exist",
    ),
    "GetBucketLogging": {},
    "GetBucketNotificationConfiguration": {},
    "GetBucketOwnershipControls": {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
    "GetBucketPolicy": ("NoSuchBucketPolicy", "The bucket policy does not exist"),
    "GetBucketPolicyStatus": ("NoSuchBucketPolicy", "The bucket policy does not exist"),
    "GetBucketReplication": (
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
    ),
    "GetBucketRequestPayment": {"Payer": "BucketOwner"},
    "GetBucketVersioning": {},
    "GetBucketWebsite": (
        "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
    ),
    "GetObjectLockConfiguration": (
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
    "GetPublicAccessBlock": (
        "NoSuchPublicAccessBlockConfiguration",
        "The public access block configuration was not found",
    ),
}


def _serve_unset(name: str, unset: tuple[str, str] | Output) -> None:
    @operation(name)
    def answer(request: Input, call: Call) -> Output:
        own_bucket(request, call)
        if isinstance(unset, tuple):
            code, message = unset
            raise AwsError(code, message, 404, BucketName=request["Bucket"])
        return dict(unset)


for _name, _unset in _UNSET.items():
    _serve_unset(_name, _unset)


@operation("GetBucketAcl")
def get_bucket_acl(request: Input, call: Call) -> Output:
    """The owner may do everything, nobody else anything.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html
    """
    own_bucket(request, call)
    return _acl(call)


@operation("GetObjectAcl")
def get_object_acl(request: Input, call: Call) -> Output:
    """As GetBucketAcl.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html
    """
    storage(call).head(object_url(request))
    return _acl(call)


def _acl(call: Call) -> Output:
    grantee = {**owner(call), "Type": "CanonicalUser"}
    return {"Owner": owner(call), "Grants": [{"Grantee": grantee, "Permission": "FULL_CONTROL"}]}
