"""Work that outlives a statement: training jobs in child processes, and the endpoints that serve models.

    service = Service(settings, storage, journal)
    job = service.train("random_cut_forest", {"train": "s3://bucket/taxi/"}, "s3://bucket/models", name="taxi")
    for line in job.log(follow=True): print(line.text)
    job.wait()
    endpoint = service.deploy(job, "taxi")
    answer, content_type = endpoint.invoke(b"39197\\n", "text/csv", "text/csv")

service.py is the face; training.py, process.py and child.py run training jobs, transform.py and transform_child.py
transform jobs; models.py, endpoints.py, local.py, remote.py and serving.py serve models; logs.py keeps what they say.
"""

from restframe.jobs.endpoints import EndpointDescription
from restframe.jobs.logs import LogLine
from restframe.jobs.rows import Request
from restframe.jobs.service import Endpoint, Service, TrainingJob
from restframe.jobs.specs import Channel, EndpointConfig, ModelSpec, TrainingSpec
from restframe.jobs.training_record import JobDescription
from restframe.jobs.transform_record import TransformDescription, TransformSpec
from restframe.ml.algorithm import Predictor

__all__ = [
    "Channel",
    "Endpoint",
    "EndpointConfig",
    "EndpointDescription",
    "JobDescription",
    "LogLine",
    "ModelSpec",
    "Predictor",
    "Request",
    "Service",
    "TrainingJob",
    "TrainingSpec",
    "TransformDescription",
    "TransformSpec",
]
