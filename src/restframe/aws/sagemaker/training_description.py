"""DescribeTrainingJob."""

from __future__ import annotations

from restframe.aws.operation import Call, Input, Output
from restframe.aws.sagemaker.naming import arn, finding, operations
from restframe.aws.sagemaker.training import DESCRIBED
from restframe.jobs import JobDescription, TrainingSpec
from restframe.ml import registry


@operations("DescribeTrainingJob", waits=True)
def describe_training_job(request: Input, call: Call) -> Output:
    """A job as it is when it has ended, or as it is after `describe_hold_s`, whichever comes first.

    Clients ask every 10 to 120 s. An answer that waits tells them the end when it comes; what happened meanwhile
    stands in SecondaryStatusTransitions and in the log, with its own times. Nobody who asks changes anything: any
    number may wait at once.

    ValidationException for an unknown job.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html
    """
    name, warehouse = request["TrainingJobName"], call.backend.warehouse
    with finding(call, "training-job", name):
        job = warehouse.jobs.training.wait(name, warehouse.settings.describe_hold_s, call.gone)
    return _description(job, call)


def _description(job: JobDescription, call: Call) -> Output:
    spec = job.spec
    said = {**_defaults(spec), **{name: value for name, value in spec.details.items() if name in DESCRIBED}}
    metrics = [{"Name": name, "Regex": regex} for name, regex in registry.find(spec.algorithm).metrics.items()]
    return {
        **said,
        # what the algorithm has, as SageMaker says of its own; a client may not define others for them
        "AlgorithmSpecification": {**said["AlgorithmSpecification"], "MetricDefinitions": metrics},
        # clients read these without looking whether they are there
        "OutputDataConfig": {"KmsKeyId": "", "CompressionType": "GZIP", **said["OutputDataConfig"]},
        "TrainingJobName": spec.name,
        "TrainingJobArn": arn(call, "training-job", spec.name),
        "TrainingJobStatus": job.status,
        "SecondaryStatus": job.secondary_status,
        "FailureReason": job.failure,
        "HyperParameters": dict(spec.hyperparameters),
        "ModelArtifacts": {"S3ModelArtifacts": job.artifact} if job.artifact else None,
        "CreationTime": job.created,
        "TrainingStartTime": job.started,
        "TrainingEndTime": job.ended,
        "LastModifiedTime": job.modified,
        "SecondaryStatusTransitions": [
            {"Status": one.status, "StartTime": one.started, "EndTime": one.ended, "StatusMessage": one.message}
            for one in job.transitions
        ],
        "FinalMetricDataList": [
            {"MetricName": metric.name, "Value": metric.value, "Timestamp": metric.at} for metric in job.metrics
        ],
        "TrainingTimeInSeconds": job.billable_s,
        "BillableTimeInSeconds": job.billable_s,
    }


def _defaults(spec: TrainingSpec) -> Output:
    """What a job that did not come through this API would have said."""
    return {
        "AlgorithmSpecification": {"TrainingImage": spec.algorithm, "TrainingInputMode": "File"},
        "InputDataConfig": [
            {
                "ChannelName": name,
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": channel.data_type,
                        "S3Uri": channel.url,
                        "S3DataDistributionType": channel.distribution,
                    }
                },
                "ContentType": channel.content_type,
                "CompressionType": channel.compression,
            }
            for name, channel in spec.channels.items()
        ],
        "OutputDataConfig": {"S3OutputPath": spec.output},
        "ResourceConfig": {"InstanceType": "local", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": spec.max_runtime_s},
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
    }
