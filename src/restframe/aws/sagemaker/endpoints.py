"""CreateEndpoint, UpdateEndpoint, DescribeEndpoint, ListEndpoints, DeleteEndpoint."""

from __future__ import annotations

from restframe import errors
from restframe.aws.operation import Call, Input, Output
from restframe.aws.sagemaker.endpoint_configs import variant
from restframe.aws.sagemaker.listing import Item, page
from restframe.aws.sagemaker.models import container
from restframe.aws.sagemaker.naming import arn, creating, finding, operations, refusal
from restframe.aws.sagemaker.tags import attach
from restframe.jobs import EndpointDescription


@operations("CreateEndpoint")
def create_endpoint(request: Input, call: Call) -> Output:
    """Begin to serve what a configuration says; the model is loaded behind the answer, which takes milliseconds.

    DeploymentConfig is accepted without effect. ValidationException for an unknown configuration or one whose model
    is no more, and a name that is taken.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html
    """
    name, config = request["EndpointName"], request["EndpointConfigName"]
    _check_config(call, config)
    with creating(call, "endpoint", name):
        call.backend.warehouse.jobs.endpoints.create(name, config)
    attach(call, "endpoint", name, request)
    return {"EndpointArn": arn(call, "endpoint", name)}


@operations("UpdateEndpoint")
def update_endpoint(request: Input, call: Call) -> Output:
    """Serve what another configuration says from the moment it is loaded; when that fails, the old goes on.

    RetainAllVariantProperties, ExcludeRetainedVariantProperties, DeploymentConfig and RetainDeploymentConfig are
    accepted without effect. ValidationException for an unknown endpoint or configuration, and while the endpoint is
    being created or updated.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpoint.html
    """
    name, config = request["EndpointName"], request["EndpointConfigName"]
    endpoints = call.backend.warehouse.jobs.endpoints
    with finding(call, "endpoint", name):
        endpoints.describe(name)
    _check_config(call, config)
    with finding(call, "endpoint", name):
        try:
            endpoints.update(name, config)
        except errors.EndpointNotReady as error:
            raise refusal(f'Cannot update in-progress endpoint "{arn(call, "endpoint", name)}".') from error
    return {"EndpointArn": arn(call, "endpoint", name)}


@operations("DescribeEndpoint", waits=True)
def describe_endpoint(request: Input, call: Call) -> Output:
    """An endpoint as it is when it is neither created nor updated any more, or after `describe_hold_s`.

    Clients that find it Creating come back after 30 s. ValidationException for an unknown endpoint, with "Could not
    find", which clients search.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html
    """
    name, warehouse = request["EndpointName"], call.backend.warehouse
    with finding(call, "endpoint", name):
        found = warehouse.jobs.endpoints.wait(name, warehouse.settings.describe_hold_s, call.gone)
    return {
        "EndpointName": name,
        "EndpointArn": arn(call, "endpoint", name),
        "EndpointConfigName": found.config.name,
        "ProductionVariants": [_variant(found)] if found.status in ("InService", "Updating") else None,
        "EndpointStatus": found.status,
        "FailureReason": found.failure,
        "CreationTime": found.created,
        "LastModifiedTime": found.modified,
    }


@operations("ListEndpoints")
def list_endpoints(request: Input, call: Call) -> Output:
    """The newest first, unless something else is asked for; also those of the library.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListEndpoints.html
    """
    items = [
        Item(
            {
                "EndpointName": found.name,
                "EndpointArn": arn(call, "endpoint", found.name),
                "CreationTime": found.created,
                "LastModifiedTime": found.modified,
                "EndpointStatus": found.status,
            },
            found.name,
            found.created,
            found.modified,
            found.status,
        )
        for found in call.backend.warehouse.jobs.endpoints.describe_all()
    ]
    return page(request, items, "Endpoints")


@operations("DeleteEndpoint")
def delete_endpoint(request: Input, call: Call) -> Output:
    """It is gone when this answers; its configuration and model stay. ValidationException for an unknown endpoint.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteEndpoint.html
    """
    name, jobs = request["EndpointName"], call.backend.warehouse.jobs
    with finding(call, "endpoint", name):
        jobs.endpoints.delete(name)
    jobs.tags.forget(f"endpoint/{name}")
    return {}


def _check_config(call: Call, name: str) -> None:
    models = call.backend.warehouse.jobs.endpoints.models
    with finding(call, "endpoint-config", name):
        model = models.config(name).spec.model
    with finding(call, "model", model):
        models.find(model)


def _variant(found: EndpointDescription) -> Output:
    said = variant(found.config)
    image = container(found.model).get("Image", "external")
    shown: Output = {
        "VariantName": said["VariantName"],
        "DeployedImages": [{"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": found.modified}],
        "CurrentWeight": said["InitialVariantWeight"],
        "DesiredWeight": said["InitialVariantWeight"],
    }
    if serverless := said.get("ServerlessConfig"):
        return {**shown, "CurrentServerlessConfig": serverless, "DesiredServerlessConfig": serverless}
    count = said.get("InitialInstanceCount", 1)
    return {**shown, "CurrentInstanceCount": count, "DesiredInstanceCount": count}
