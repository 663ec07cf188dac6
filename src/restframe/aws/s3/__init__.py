"""Amazon S3 over our own object store, and as far as it goes over other S3 services that settings name.

requests.py has what every operation begins with; buckets.py, bucket_settings.py, objects.py, tagging.py, copying.py,
deletes.py, listing.py, multipart.py and multipart_listing.py hold the operations; conditions.py, ranges.py,
copy_source.py, descriptions.py and crcs.py what they share. What is kept with an object's bytes lies in the store's
sidecars, so that COPY, UNLOAD and a shell see the same objects.
"""

import restframe.aws.s3.bucket_settings
import restframe.aws.s3.buckets
import restframe.aws.s3.copying
import restframe.aws.s3.deletes
import restframe.aws.s3.listing
import restframe.aws.s3.multipart
import restframe.aws.s3.multipart_listing
import restframe.aws.s3.objects
import restframe.aws.s3.tagging  # noqa: F401  (each registers its operations)
from restframe.aws.s3.requests import operation as operations

__all__ = ["operations"]
