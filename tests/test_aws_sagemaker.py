"""Models, endpoint configurations, endpoints and tags through boto3."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from restframe.ml import artifact, codecs, registry
from restframe.ml.algorithm import Channel
from restframe.ml.hyperparameters import check
from restframe.ml.training_log import TrainingLog
from restframe.storage import ObjectUrl

ARCHIVE = "s3://models/taxi/model.tar.gz"
IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/randomcutforest:1"
ROLE = "arn:aws:iam::000000000000:role/restframe"
ARN = "arn:aws:sagemaker:us-east-1:000000000000:"


@pytest.fixture(scope="module")
def archive() -> bytes:
    """A small forest's model.tar.gz."""
    import numpy as np

    algorithm = registry.find("random_cut_forest")
    parameters = check(algorithm.hyperparameters, {"num_trees": "50"}, complete=False)
    points = np.random.default_rng(3).integers(100, 20_000, (1000, 1)).astype(np.float64)
    channel = Channel([("a", codecs.encode(points, codecs.CSV))])
    return artifact.write(algorithm.train(parameters, {"train": channel}, TrainingLog(lambda _: None, "x")).files)


@pytest.fixture
def sagemaker(aws: Any, archive: bytes) -> Any:
    aws.warehouse.storage.put(ObjectUrl.parse(ARCHIVE), archive)
    return aws.client("sagemaker")


def variant(model: str = "Forest", **given: Any) -> dict[str, Any]:
    return {
        "VariantName": "AllTraffic",
        "ModelName": model,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m4.xlarge",
        "InitialVariantWeight": 1.0,
        **given,
    }


def create_model(sagemaker: Any, name: str = "Forest", **given: Any) -> str:
    container = {"Image": IMAGE, "ModelDataUrl": ARCHIVE, "Environment": {"A": "b"}, **given}
    arn: str = sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)["ModelArn"]
    return arn


def create_endpoint(sagemaker: Any, name: str = "Taxi") -> str:
    create_model(sagemaker)
    sagemaker.create_endpoint_config(EndpointConfigName="First", ProductionVariants=[variant()])
    arn: str = sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="First")["EndpointArn"]
    return arn


def refusal(call: Callable[..., Any], **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return str(error["Message"])


def test_from_an_artefact_to_an_endpoint_and_back(sagemaker: Any) -> None:
    assert create_model(sagemaker) == ARN + "model/forest"
    model = sagemaker.describe_model(ModelName="Forest")
    assert model["PrimaryContainer"] == {"Image": IMAGE, "ModelDataUrl": ARCHIVE, "Environment": {"A": "b"}}
    assert model["ExecutionRoleArn"] == ROLE
    created = sagemaker.create_endpoint_config(EndpointConfigName="First", ProductionVariants=[variant()])
    assert created["EndpointConfigArn"] == ARN + "endpoint-config/first"
    config = sagemaker.describe_endpoint_config(EndpointConfigName="First")
    assert config["ProductionVariants"] == [variant()]
    created = sagemaker.create_endpoint(EndpointName="Taxi", EndpointConfigName="First")
    assert created["EndpointArn"] == ARN + "endpoint/taxi"
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="Taxi", WaiterConfig={"MaxAttempts": 1})
    found = sagemaker.describe_endpoint(EndpointName="Taxi")
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "First")
    (shown,) = found["ProductionVariants"]
    (image,) = shown.pop("DeployedImages")
    assert image["SpecifiedImage"] == IMAGE
    assert shown == {
        "VariantName": "AllTraffic",
        "CurrentWeight": 1.0,
        "DesiredWeight": 1.0,
        "CurrentInstanceCount": 1,
        "DesiredInstanceCount": 1,
    }
    sagemaker.delete_endpoint(EndpointName="Taxi")
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="Taxi", WaiterConfig={"MaxAttempts": 1})
    sagemaker.delete_endpoint_config(EndpointConfigName="First")
    sagemaker.delete_model(ModelName="Forest")
    assert sagemaker.list_models()["Models"] == []
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    assert sagemaker.list_endpoints()["Endpoints"] == []


def test_an_endpoint_is_updated(sagemaker: Any) -> None:
    create_endpoint(sagemaker)
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    without_instances = {"VariantName": "Other", "ModelName": "Forest", "ServerlessConfig": serverless}
    sagemaker.create_endpoint_config(EndpointConfigName="Second", ProductionVariants=[without_instances])
    sagemaker.describe_endpoint(EndpointName="Taxi")
    updated = sagemaker.update_endpoint(EndpointName="Taxi", EndpointConfigName="Second")
    assert updated["EndpointArn"] == ARN + "endpoint/taxi"
    found = sagemaker.describe_endpoint(EndpointName="Taxi")
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "Second")
    assert found["ProductionVariants"][0]["VariantName"] == "Other"
    assert found["ProductionVariants"][0]["CurrentServerlessConfig"] == serverless


def test_an_endpoint_whose_model_cannot_be_loaded_says_why(sagemaker: Any) -> None:
    create_model(sagemaker, ModelDataUrl="s3://models/none/model.tar.gz")
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant()])
    sagemaker.create_endpoint(EndpointName="broken", EndpointConfigName="c")
    found = sagemaker.describe_endpoint(EndpointName="broken")
    assert found["EndpointStatus"] == "Failed"
    assert "none/model.tar.gz" in found["FailureReason"]
    assert "ProductionVariants" not in found
    assert sagemaker.list_endpoints(StatusEquals="Failed")["Endpoints"][0]["EndpointName"] == "broken"


def test_what_cannot_be_found_and_what_is_there_already(sagemaker: Any) -> None:
    for call, request, what in (
        (sagemaker.describe_model, {"ModelName": "Nope"}, 'model "' + ARN + 'model/nope"'),
        (sagemaker.delete_model, {"ModelName": "Nope"}, 'model "' + ARN + 'model/nope"'),
        (
            sagemaker.describe_endpoint_config,
            {"EndpointConfigName": "Nope"},
            'endpoint configuration "' + ARN + 'endpoint-config/nope"',
        ),
        (
            sagemaker.delete_endpoint_config,
            {"EndpointConfigName": "Nope"},
            'endpoint configuration "' + ARN + 'endpoint-config/nope"',
        ),
        (sagemaker.describe_endpoint, {"EndpointName": "Nope"}, 'endpoint "' + ARN + 'endpoint/nope"'),
        (sagemaker.delete_endpoint, {"EndpointName": "Nope"}, 'endpoint "' + ARN + 'endpoint/nope"'),
        (
            sagemaker.update_endpoint,
            {"EndpointName": "Nope", "EndpointConfigName": "c"},
            'endpoint "' + ARN + 'endpoint/nope"',
        ),
        (
            sagemaker.create_endpoint,
            {"EndpointName": "e", "EndpointConfigName": "Nope"},
            'endpoint configuration "' + ARN + 'endpoint-config/nope"',
        ),
        (
            sagemaker.create_endpoint_config,
            {"EndpointConfigName": "c", "ProductionVariants": [variant("Nope")]},
            'model "' + ARN + 'model/nope"',
        ),
    ):
        assert refusal(call, **request) == f"Could not find {what}."
    create_endpoint(sagemaker)
    for call, request, what in (
        (
            sagemaker.create_model,
            {"ModelName": "Forest", "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": ARCHIVE}},
            'model "' + ARN + 'model/forest"',
        ),
        (
            sagemaker.create_endpoint_config,
            {"EndpointConfigName": "First", "ProductionVariants": [variant()]},
            'endpoint configuration "' + ARN + 'endpoint-config/first"',
        ),
        (
            sagemaker.create_endpoint,
            {"EndpointName": "Taxi", "EndpointConfigName": "First"},
            'endpoint "' + ARN + 'endpoint/taxi"',
        ),
    ):
        assert refusal(call, **request) == f"Cannot create already existing {what}."


def test_an_endpoint_whose_configuration_has_lost_its_model(sagemaker: Any) -> None:
    create_endpoint(sagemaker)
    sagemaker.delete_model(ModelName="Forest")
    assert sagemaker.describe_endpoint(EndpointName="Taxi")["EndpointStatus"] == "InService"
    message = refusal(sagemaker.create_endpoint, EndpointName="other", EndpointConfigName="First")
    assert message == f'Could not find model "{ARN}model/forest".'


def test_models_that_cannot_be_served(sagemaker: Any) -> None:
    def model(**given: Any) -> str:
        return refusal(sagemaker.create_model, ModelName="m", **given)

    assert model() == "PrimaryContainer is missing."
    assert model(PrimaryContainer={"ModelDataUrl": ARCHIVE}) == "PrimaryContainer.Image is missing."
    assert 'there is no algorithm for "x/mine:2". There are: random_cut_forest (image randomcutforest)' in model(
        PrimaryContainer={"Image": "x/mine:2", "ModelDataUrl": ARCHIVE}
    )
    assert "RESTFRAME_ENDPOINT_URL=http://host:port" in model(PrimaryContainer={"Image": IMAGE})
    assert "pipelines of containers" in model(Containers=[{"Image": IMAGE}, {"Image": IMAGE}])
    assert "ModelPackageName is not supported" in model(PrimaryContainer={"ModelPackageName": "p"})
    assert "MultiModel" in model(PrimaryContainer={"Image": IMAGE, "ModelDataUrl": ARCHIVE, "Mode": "MultiModel"})
    source = {"S3Uri": "s3://models/taxi/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    assert "one model.tar.gz" in model(PrimaryContainer={"Image": IMAGE, "ModelDataSource": {"S3DataSource": source}})
    assert "is not the address of a server" in model(
        PrimaryContainer={"Image": "mine", "Environment": {"RESTFRAME_ENDPOINT_URL": "file:///etc/passwd"}}
    )
    assert sagemaker.list_models()["Models"] == []


def test_one_container_in_a_list_and_a_source_of_data_will_do(sagemaker: Any) -> None:
    source = {"S3Uri": ARCHIVE, "S3DataType": "S3Object", "CompressionType": "Gzip"}
    container = {"Image": IMAGE, "ModelDataSource": {"S3DataSource": source}}
    sagemaker.create_model(ModelName="m", Containers=[container])
    found = sagemaker.describe_model(ModelName="m")
    assert found["Containers"] == [container]
    assert "PrimaryContainer" not in found
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant("m")])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    assert sagemaker.describe_endpoint(EndpointName="e")["EndpointStatus"] == "InService"


def test_configurations_that_cannot_be_served(sagemaker: Any) -> None:
    create_model(sagemaker)

    def config(**given: Any) -> str:
        return refusal(
            sagemaker.create_endpoint_config, EndpointConfigName="c", **{"ProductionVariants": [variant()], **given}
        )

    assert "ProductionVariants has 2 variants" in config(
        ProductionVariants=[variant(), variant(VariantName="b", InitialVariantWeight=0.5)]
    )
    assert "AsyncInferenceConfig is not supported" in config(
        AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": "s3://models/out"}}
    )
    assert "ShadowProductionVariants is not supported" in config(ShadowProductionVariants=[variant(VariantName="s")])
    capture = {
        "InitialSamplingPercentage": 5,
        "DestinationS3Uri": "s3://b/x",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    assert "EnableCapture is not supported" in config(DataCaptureConfig={**capture, "EnableCapture": True})
    without_model = {"VariantName": "a", "InstanceType": "ml.m4.xlarge", "InitialInstanceCount": 1}
    assert "ModelName is missing" in config(ProductionVariants=[without_model])
    sagemaker.create_endpoint_config(
        EndpointConfigName="c", ProductionVariants=[variant()], DataCaptureConfig={**capture, "EnableCapture": False}
    )


def test_lists_go_in_pages_from_the_newest_on(sagemaker: Any) -> None:
    for name in ("b-model", "a-model", "other"):
        create_model(sagemaker, name)
    listed = [model["ModelName"] for model in sagemaker.list_models()["Models"]]
    assert listed == ["other", "a-model", "b-model"]
    first = sagemaker.list_models(SortBy="Name", SortOrder="Ascending", NameContains="-model", MaxResults=1)
    create_model(sagemaker, "a-b-model")  # what comes meanwhile shifts no page
    second = sagemaker.list_models(
        SortBy="Name", SortOrder="Ascending", NameContains="-model", MaxResults=1, NextToken=first["NextToken"]
    )
    assert [model["ModelName"] for model in first["Models"] + second["Models"]] == ["a-model", "b-model"]
    assert "NextToken" not in second


def test_tags(sagemaker: Any) -> None:
    arn = sagemaker.create_model(
        ModelName="Forest",
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": ARCHIVE},
        Tags=[{"Key": "team", "Value": "rides"}],
    )["ModelArn"]
    added = sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "cost", "Value": "7"}])
    assert added["Tags"] == [{"Key": "cost", "Value": "7"}, {"Key": "team", "Value": "rides"}]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team", "none"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "cost", "Value": "7"}]
    sagemaker.delete_model(ModelName="Forest")
    assert '"model/forest" does not exist' in refusal(sagemaker.list_tags, ResourceArn=arn)
    create_model(sagemaker)
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == []
    pipeline = ARN + "pipeline/x"
    assert "nothing that has tags" in refusal(
        sagemaker.add_tags, ResourceArn=pipeline, Tags=[{"Key": "a", "Value": ""}]
    )
    assert "'resourceArn'" in refusal(sagemaker.list_tags, ResourceArn="arn:aws:s3:::bucket")


def test_what_the_library_deployed_is_described_too(aws: Any, sagemaker: Any) -> None:
    aws.warehouse.deploy(ARCHIVE, "ours")
    assert sagemaker.describe_endpoint(EndpointName="ours")["ProductionVariants"][0]["VariantName"] == "AllTraffic"
    assert sagemaker.describe_endpoint_config(EndpointConfigName="ours")["ProductionVariants"][0]["ModelName"] == "ours"
    assert sagemaker.describe_model(ModelName="ours")["PrimaryContainer"]["ModelDataUrl"] == ARCHIVE


def test_what_the_api_deployed_is_used_by_the_library(aws: Any, sagemaker: Any) -> None:
    create_endpoint(sagemaker)
    aws.warehouse.jobs.endpoint("Taxi").wait()
    body, _ = aws.warehouse.jobs.invoke("Taxi", b"1000\n", "text/csv", "application/json")
    assert len(json.load(io.BytesIO(body))["scores"]) == 1


def test_operations_that_are_not_served_say_so(sagemaker: Any) -> None:
    with pytest.raises(ClientError, match="CreateTransformJob"):
        sagemaker.create_transform_job(
            TransformJobName="t",
            ModelName="m",
            TransformInput={"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://a/b"}}},
            TransformOutput={"S3OutputPath": "s3://a/c"},
            TransformResources={"InstanceType": "ml.m4.xlarge", "InstanceCount": 1},
        )
