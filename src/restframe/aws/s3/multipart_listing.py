"""ListParts and ListMultipartUploads."""

from __future__ import annotations

import itertools

from restframe.aws.operation import Call, Input, Output
from restframe.aws.s3 import descriptions
from restframe.aws.s3.listing import encoder, size_of_page
from restframe.aws.s3.multipart import checksum_members, part_checksum, uploads
from restframe.aws.s3.requests import object_url, operation, own_bucket, owner, quoted, seconds, storage
from restframe.storage.uploads import Upload
from restframe.storage.walk import beginning_of, rolled_up


@operation("ListParts")
def list_parts(request: Input, call: Call) -> Output:
    """The parts that are there, by number, up to 1,000 at a time.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html
    """
    url = object_url(request)
    upload = uploads(url, call).find(url, request["UploadId"])
    most = size_of_page(request, "MaxParts", "max-parts")
    marker = int(request.get("PartNumberMarker", 0))
    found = [part for part in uploads(url, call).parts(upload) if part.number > marker]
    listed = [
        {
            "PartNumber": part.number,
            "LastModified": seconds(part.modified),
            "ETag": quoted(part.etag),
            "Size": part.size_bytes,
            **part_checksum(upload, part),
        }
        for part in found[:most]
    ]
    return {
        "Bucket": url.bucket,
        "Key": url.key,
        "UploadId": upload.id,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": listed[-1]["PartNumber"] if listed else 0,
        "MaxParts": most,
        "IsTruncated": most > 0 and len(found) > most,
        "Parts": listed,
        "Initiator": _initiator(call),
        "Owner": owner(call),
        "StorageClass": descriptions.storage_class(upload.about),
        **checksum_members(upload),
    }


@operation("ListMultipartUploads")
def list_multipart_uploads(request: Input, call: Call) -> Output:
    """Uploads that go on, by key and time, up to 1,000 at a time.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
    """
    prefix, delimiter = request.get("Prefix", ""), request.get("Delimiter", "")
    marker, id_marker = request.get("KeyMarker", ""), request.get("UploadIdMarker", "")
    most = size_of_page(request, "MaxUploads", "max-uploads")
    all_of_them = storage(call).own.uploads.of(own_bucket(request, call), prefix)
    behind = ((upload.url.key, upload) for upload in all_of_them if _is_behind(upload, marker, id_marker))
    after = marker if beginning_of(marker, prefix, delimiter) == marker else ""
    found = list(itertools.islice(rolled_up(behind, prefix, delimiter, after), most + 1))
    page, truncated = found[:most], most > 0 and len(found) > most
    encoded = encoder(request)
    last_key, last = page[-1] if page else ("", None)
    return {
        "Bucket": request["Bucket"],
        "KeyMarker": encoded(marker),
        "UploadIdMarker": id_marker,
        "NextKeyMarker": encoded(last_key) if truncated else None,
        "NextUploadIdMarker": last.id if truncated and last else None,
        "Prefix": encoded(prefix),
        "Delimiter": encoded(request.get("Delimiter")),
        "MaxUploads": most,
        "IsTruncated": truncated,
        "EncodingType": request.get("EncodingType"),
        "Uploads": [
            {
                "UploadId": upload.id,
                "Key": encoded(upload.url.key),
                "Initiated": seconds(upload.begun),
                "StorageClass": descriptions.storage_class(upload.about),
                "Owner": owner(call),
                "Initiator": _initiator(call),
                **checksum_members(upload),
            }
            for _, upload in page
            if upload is not None
        ],
        "CommonPrefixes": [{"Prefix": encoded(key)} for key, upload in page if upload is None],
    }


def _is_behind(upload: Upload, key: str, upload_id: str) -> bool:
    return upload.url.key > key or (upload_id != "" and upload.url.key == key and upload.id > upload_id)


def _initiator(call: Call) -> dict[str, str]:
    return {"ID": call.caller.arn, "DisplayName": call.caller.session_name}
