"""CloudWatch Logs: what training jobs, endpoints and clients have said.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html
"""

from restframe.aws.logs import events, groups
from restframe.aws.logs.naming import operations

__all__ = ["events", "groups", "operations"]
