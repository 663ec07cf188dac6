"""What a bucket can be set to do, through boto3."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError


def code(call: Any, **arguments: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def test_tags(s3: Any) -> None:
    assert code(s3.get_bucket_tagging, Bucket="rides") == (404, "NoSuchTagSet")
    tags = [{"Key": "team", "Value": "täxi"}, {"Key": "empty", "Value": ""}]
    s3.put_bucket_tagging(Bucket="rides", Tagging={"TagSet": tags})
    assert s3.get_bucket_tagging(Bucket="rides")["TagSet"] == tags
    s3.delete_bucket_tagging(Bucket="rides")
    assert code(s3.get_bucket_tagging, Bucket="rides") == (404, "NoSuchTagSet")
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    assert code(s3.put_bucket_tagging, Bucket="rides", Tagging={"TagSet": twice}) == (400, "InvalidTag")
    assert code(s3.get_bucket_tagging, Bucket="none") == (404, "NoSuchBucket")


def test_cors(s3: Any) -> None:
    assert code(s3.get_bucket_cors, Bucket="rides") == (404, "NoSuchCORSConfiguration")
    rules = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://example.org"], "MaxAgeSeconds": 60}]
    s3.put_bucket_cors(Bucket="rides", CORSConfiguration={"CORSRules": rules})
    assert s3.get_bucket_cors(Bucket="rides")["CORSRules"] == rules
    s3.delete_bucket_cors(Bucket="rides")
    assert code(s3.get_bucket_cors, Bucket="rides") == (404, "NoSuchCORSConfiguration")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError"),
        ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
        ("get_bucket_policy", "NoSuchBucketPolicy"),
        ("get_bucket_policy_status", "NoSuchBucketPolicy"),
        ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
        ("get_bucket_website", "NoSuchWebsiteConfiguration"),
        ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
        ("get_public_access_block", "NoSuchPublicAccessBlockConfiguration"),
    ],
)
def test_what_is_not_set(s3: Any, name: str, expected: str) -> None:
    assert code(getattr(s3, name), Bucket="rides") == (404, expected)
    assert code(getattr(s3, name), Bucket="none") == (404, "NoSuchBucket")


def test_what_has_a_default(s3: Any) -> None:
    def answer(name: str) -> dict[str, Any]:
        found = getattr(s3, name)(Bucket="rides")
        del found["ResponseMetadata"]
        return dict(found)

    assert answer("get_bucket_versioning") == {}
    assert answer("get_bucket_logging") == {}
    assert answer("get_bucket_notification_configuration") == {}
    assert answer("get_bucket_accelerate_configuration") == {}
    assert answer("get_bucket_request_payment") == {"Payer": "BucketOwner"}
    rules = answer("get_bucket_ownership_controls")["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_the_owner_may_do_everything_and_nobody_else_anything(s3: Any) -> None:
    s3.put_object(Bucket="rides", Key="k", Body=b"x", ACL="bucket-owner-full-control")
    for found in (s3.get_bucket_acl(Bucket="rides"), s3.get_object_acl(Bucket="rides", Key="k")):
        (grant,) = found["Grants"]
        assert grant["Permission"] == "FULL_CONTROL"
        assert grant["Grantee"] == {**found["Owner"], "Type": "CanonicalUser"}
    refused = code(s3.put_object, Bucket="rides", Key="k", Body=b"x", ACL="public-read")
    assert refused == (400, "AccessControlListNotSupported")
    granted = code(s3.put_object, Bucket="rides", Key="k", Body=b"x", GrantRead="uri=all")
    assert granted == (400, "AccessControlListNotSupported")
    assert code(s3.get_object_acl, Bucket="rides", Key="none") == (404, "NoSuchKey")


def test_what_we_have_not_got_is_refused_by_name(s3: Any) -> None:
    versioning = {"Status": "Enabled"}
    assert code(s3.put_bucket_versioning, Bucket="rides", VersioningConfiguration=versioning)[0] == 501
    with pytest.raises(ClientError, match="PutBucketPolicy"):
        s3.put_bucket_policy(Bucket="rides", Policy="{}")
    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    with pytest.raises(ClientError, match="server-side-encryption-customer-algorithm"):
        s3.put_object(Bucket="rides", Key="k", Body=b"x", **key)
    assert code(s3.put_object, Bucket="rides", Key="k", ObjectLockLegalHoldStatus="ON") == (501, "NotImplemented")
