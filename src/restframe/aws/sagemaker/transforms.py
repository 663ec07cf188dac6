"""CreateTransformJob, DescribeTransformJob, ListTransformJobs, StopTransformJob."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from restframe import errors
from restframe.aws.operation import Call, Input, Output
from restframe.aws.sagemaker.listing import Item, page
from restframe.aws.sagemaker.naming import arn, creating, finding, operations, refusal
from restframe.aws.sagemaker.tags import attach
from restframe.jobs import Channel, ModelSpec, TransformDescription, TransformSpec

# What a client sends and sees again.
_DESCRIBED = (
    "MaxConcurrentTransforms", "ModelClientConfig", "MaxPayloadInMB", "BatchStrategy", "Environment", "TransformInput",
    "TransformOutput", "DataCaptureConfig", "TransformResources", "DataProcessing", "ExperimentConfig",
)  # fmt: skip
_PROCESSING = {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}  # with the values that change nothing


@operations("CreateTransformJob")
def create_transform_job(request: Input, call: Call) -> Output:
    """Begin a transform job; it runs behind the answer, in one process of this machine.

    The outputs appear together when the last of them is done; a job that fails leaves none. DEEPAR_INFERENCE_CONFIG
    in Environment is the configuration of DeepAR's forecasts. With MultiRecord a request has up to 1000 records. Empty
    lines are no records. Without MaxConcurrentTransforms our own models get eight requests at once, others one.

    Accepted without effect and described again: instances, ModelClientConfig, keys, experiments, other variables,
    ShardedByS3Key (one machine has all shards).

    ValidationException for an unknown model; AugmentedManifestFile; SplitType RecordIO and TFRecord; filters and joins
    in DataProcessing; DataCaptureConfig; payloads of more than 100 MB, or without a limit. ResourceInUse when the name
    was ever taken.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
    """
    jobs = call.backend.warehouse.jobs
    with finding(call, "model", request["ModelName"]):
        model = jobs.endpoints.models.find(request["ModelName"]).spec
    spec = _spec(request, model)
    with creating(call, "transform-job", spec.name):
        jobs.transforms.create(spec)
    attach(call, "transform-job", spec.name, request)
    return {"TransformJobArn": arn(call, "transform-job", spec.name)}


@operations("DescribeTransformJob", waits=True)
def describe_transform_job(request: Input, call: Call) -> Output:
    """A job as it is when it has ended, or as it is after `describe_hold_s`, whichever comes first.

    Clients ask every 10 to 60 s. ValidationException for an unknown job.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTransformJob.html
    """
    name, warehouse = request["TransformJobName"], call.backend.warehouse
    with finding(call, "transform-job", name):
        job = warehouse.jobs.transforms.wait(name, warehouse.settings.describe_hold_s, call.gone)
    return _description(job, call)


@operations("ListTransformJobs")
def list_transform_jobs(request: Input, call: Call) -> Output:
    """The newest first, unless something else is asked for.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTransformJobs.html
    """
    items = [
        Item(
            {
                "TransformJobName": job.spec.name,
                "TransformJobArn": arn(call, "transform-job", job.spec.name),
                "CreationTime": job.created,
                "TransformEndTime": job.ended,
                "LastModifiedTime": job.modified,
                "TransformJobStatus": job.status,
                "FailureReason": job.failure,
            },
            job.spec.name,
            job.created,
            job.modified,
            job.status,
        )
        for job in call.backend.warehouse.jobs.transforms.describe_all()
    ]
    return page(request, items, "TransformJobSummaries")


@operations("StopTransformJob")
def stop_transform_job(request: Input, call: Call) -> Output:
    """Make a job end soon; it leaves no outputs.

    ValidationException for an unknown job, and for one that has ended.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopTransformJob.html
    """
    name, transforms = request["TransformJobName"], call.backend.warehouse.jobs.transforms
    with finding(call, "transform-job", name):
        try:
            transforms.stop(name)
        except errors.InvalidParameterValue as error:
            status = transforms.describe(name).status
            raise refusal(f"The request was rejected because the transform job is in status {status}.") from error
    return {}


def _description(job: TransformDescription, call: Call) -> Output:
    spec = job.spec
    return {
        **_defaults(spec),
        **{name: value for name, value in spec.details.items() if name in _DESCRIBED},
        "TransformJobName": spec.name,
        "TransformJobArn": arn(call, "transform-job", spec.name),
        "TransformJobStatus": job.status,
        "FailureReason": job.failure,
        "ModelName": spec.model.name,
        "CreationTime": job.created,
        "TransformStartTime": job.started,
        "TransformEndTime": job.ended,
    }


def _defaults(spec: TransformSpec) -> Output:
    """What a job that did not come through this API would have said."""
    source = {"S3DataType": spec.input.data_type, "S3Uri": spec.input.url}
    return {
        "TransformInput": {"DataSource": {"S3DataSource": source}, "SplitType": spec.split},
        "TransformOutput": {"S3OutputPath": spec.output, "AssembleWith": spec.assemble},
        "TransformResources": {"InstanceType": "ml.m4.xlarge", "InstanceCount": 1},
    }


def _spec(request: Input, model: ModelSpec) -> TransformSpec:
    for member, nothing in _PROCESSING.items():
        if request.get("DataProcessing", {}).get(member, nothing) != nothing:
            raise refusal(f"DataProcessing.{member} is not supported: answers stand in the order of their records.")
    if request.get("DataCaptureConfig"):
        raise refusal("DataCaptureConfig is not supported: requests and answers are not recorded.")
    given, output = request["TransformInput"], request["TransformOutput"]
    split = given.get("SplitType", "None")
    if split not in ("None", "Line"):
        raise refusal(f"TransformInput.SplitType {split} is not supported: use Line or None.")
    optional: dict[str, Any] = {}
    if "MaxPayloadInMB" in request:
        optional["max_payload_mb"] = request["MaxPayloadInMB"]
    return TransformSpec(
        name=request["TransformJobName"],
        model=model,
        input=_input(given),
        output=output["S3OutputPath"],
        accept=output.get("Accept", ""),
        split=split,
        strategy=request.get("BatchStrategy", "MultiRecord"),
        assemble=output.get("AssembleWith", "None"),
        concurrent=request.get("MaxConcurrentTransforms") or None,
        environment=dict(request.get("Environment", {})),
        details={name: request[name] for name in _DESCRIBED if name in request},
        **optional,
    )


def _input(given: Mapping[str, Any]) -> Channel:
    source = given["DataSource"].get("S3DataSource")
    if source is None:
        raise refusal("TransformInput.DataSource has no S3DataSource; other sources of data are not supported.")
    return Channel(
        url=source["S3Uri"],
        data_type=source["S3DataType"],
        content_type=given.get("ContentType") or None,
        compression=given.get("CompressionType", "None"),
    )
