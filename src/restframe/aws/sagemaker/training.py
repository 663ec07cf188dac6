"""CreateTrainingJob, StopTrainingJob, ListTrainingJobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from restframe import errors
from restframe.aws.operation import Call, Input, Output
from restframe.aws.sagemaker.listing import Item, page
from restframe.aws.sagemaker.naming import arn, creating, finding, operations, refusal
from restframe.aws.sagemaker.tags import attach
from restframe.jobs import Channel, TrainingSpec

# What a client sends and sees again; of it we look at images, channels, the output and the longest run time.
DESCRIBED = (
    "AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig", "VpcConfig",
    "StoppingCondition", "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining",
    "CheckpointConfig", "DebugHookConfig", "DebugRuleConfigurations", "TensorBoardOutputConfig", "ExperimentConfig",
    "ProfilerConfig", "ProfilerRuleConfigurations", "Environment", "RetryStrategy", "RemoteDebugConfig",
    "InfraCheckConfig", "ModelPackageConfig", "MlflowConfig", "ServerlessJobConfig",
)  # fmt: skip


@operations("CreateTrainingJob")
def create_training_job(request: Input, call: Call) -> Output:
    """Begin a training job; it runs behind the answer, in one process of this machine.

    The image is looked at from its repository's name on: registry, account and region do not matter. Accepted
    without effect and described again: instances, networks, roles, spot, checkpoints, debuggers, profilers, input
    modes, ShardedByS3Key (one machine has all shards), RecordWrapperType, encryption keys.

    ValidationException for an image that is none of our algorithms', with those we have; for hyper-parameters,
    channels, content types and places that are not right. ResourceInUse when the name was ever taken.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
    """
    spec = _spec(request)
    with creating(call, "training-job", spec.name):
        call.backend.warehouse.jobs.training.create(spec)
    attach(call, "training-job", spec.name, request)
    return {"TrainingJobArn": arn(call, "training-job", spec.name)}


@operations("StopTrainingJob")
def stop_training_job(request: Input, call: Call) -> Output:
    """Make a job end soon. The best model so far is kept where the algorithm has one, as DeepAR has after an epoch.

    ValidationException for an unknown job, and for one that has ended.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopTrainingJob.html
    """
    name, training = request["TrainingJobName"], call.backend.warehouse.jobs.training
    with finding(call, "training-job", name):
        try:
            training.stop(name)
        except errors.InvalidParameterValue as error:
            status = training.describe(name).status
            raise refusal(f"The request was rejected because the training job is in status {status}.") from error
    return {}


@operations("ListTrainingJobs")
def list_training_jobs(request: Input, call: Call) -> Output:
    """The oldest first, unless something else is asked for; also jobs of CREATE MODEL and of the library.

    No job has a warm pool or a training plan, so their filters find nothing.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTrainingJobs.html
    """
    nothing = "WarmPoolStatusEquals" in request or "TrainingPlanArnEquals" in request
    jobs = [] if nothing else call.backend.warehouse.jobs.training.describe_all()
    items = [
        Item(
            {
                "TrainingJobName": job.spec.name,
                "TrainingJobArn": arn(call, "training-job", job.spec.name),
                "CreationTime": job.created,
                "TrainingEndTime": job.ended,
                "LastModifiedTime": job.modified,
                "TrainingJobStatus": job.status,
                "SecondaryStatus": job.secondary_status,
            },
            job.spec.name,
            job.created,
            job.modified,
            job.status,
        )
        for job in jobs
    ]
    return page(request, items, "TrainingJobSummaries", "Ascending")


def _spec(request: Input) -> TrainingSpec:
    image = request.get("AlgorithmSpecification", {}).get("TrainingImage")
    if not image:
        raise refusal("AlgorithmSpecification.TrainingImage is missing: algorithms are named by their images here.")
    output = request.get("OutputDataConfig")
    if output is None:
        raise refusal("OutputDataConfig is missing.")
    if output.get("CompressionType") == "NONE":
        raise refusal("OutputDataConfig.CompressionType NONE is not supported: models are written as model.tar.gz.")
    given: dict[str, Any] = {}
    if longest := request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds"):
        given["max_runtime_s"] = longest
    return TrainingSpec(
        name=request["TrainingJobName"],
        algorithm=image,
        channels=_channels(request.get("InputDataConfig", ())),
        output=output["S3OutputPath"],
        hyperparameters=dict(request.get("HyperParameters", {})),
        details={name: request[name] for name in DESCRIBED if name in request},
        **given,
    )


def _channels(listed: Sequence[Mapping[str, Any]]) -> dict[str, Channel]:
    channels = {}
    for one in listed:
        name = one["ChannelName"]
        if name in channels:
            raise refusal(f'The channel "{name}" stands twice in InputDataConfig.')
        source = one["DataSource"].get("S3DataSource")
        if source is None:
            raise refusal(f'The channel "{name}" has no S3DataSource; other sources of data are not supported.')
        channels[name] = Channel(
            url=source["S3Uri"],
            data_type=source["S3DataType"],
            content_type=one.get("ContentType") or None,
            distribution=source.get("S3DataDistributionType", "FullyReplicated"),
            compression=one.get("CompressionType", "None"),
        )
    return channels
