"""SageMaker: training jobs, models, endpoint configurations, endpoints and transform jobs.

Everything that is done here is done by restframe.jobs; these modules say it in the words of the API. What the client
sent and we have no use for (instance types, networks, profilers) is kept and described again.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Operations_Amazon_SageMaker_Service.html
"""

from restframe.aws.sagemaker import (
    endpoint_configs,
    endpoints,
    models,
    tags,
    training,
    training_description,
    transforms,
)
from restframe.aws.sagemaker.naming import operations

__all__ = [
    "endpoint_configs",
    "endpoints",
    "models",
    "operations",
    "tags",
    "training",
    "training_description",
    "transforms",
]
