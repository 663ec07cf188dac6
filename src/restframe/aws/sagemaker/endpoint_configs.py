"""CreateEndpointConfig, DescribeEndpointConfig, ListEndpointConfigs, DeleteEndpointConfig."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from restframe.aws.operation import Call, Input, Output
from restframe.aws.sagemaker.listing import Item, page
from restframe.aws.sagemaker.naming import arn, creating, finding, operations, refusal
from restframe.aws.sagemaker.tags import attach
from restframe.jobs import EndpointConfig

_DESCRIBED = (
    "ProductionVariants", "DataCaptureConfig", "KmsKeyId", "ExecutionRoleArn", "VpcConfig", "EnableNetworkIsolation",
    "MetricsConfig",
)  # fmt: skip
_NOT_DONE = ("AsyncInferenceConfig", "ExplainerConfig", "ShadowProductionVariants", "CrossRegionTrafficConfig")


@operations("CreateEndpointConfig")
def create_endpoint_config(request: Input, call: Call) -> Output:
    """Say which model an endpoint serves: there is one variant, which has all the traffic.

    Accepted without effect and described again: instance types and counts, ServerlessConfig, accelerators, roles,
    networks, keys.

    ValidationException for an unknown model, several variants, asynchronous inference, explainers, data capture that
    is switched on, and a name that is taken.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html
    """
    variant = _variant(request)
    name, model = request["EndpointConfigName"], variant["ModelName"]
    models = call.backend.warehouse.jobs.endpoints.models
    details = {member: request[member] for member in _DESCRIBED if member in request}
    with finding(call, "model", model):
        models.find(model)
    with creating(call, "endpoint-config", name):
        models.create_config(EndpointConfig(name, model, variant["VariantName"], details))
    attach(call, "endpoint-config", name, request)
    return {"EndpointConfigArn": arn(call, "endpoint-config", name)}


@operations("DescribeEndpointConfig")
def describe_endpoint_config(request: Input, call: Call) -> Output:
    """ValidationException for an unknown configuration, with "Could not find", which clients search.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpointConfig.html
    """
    name = request["EndpointConfigName"]
    with finding(call, "endpoint-config", name):
        found = call.backend.warehouse.jobs.endpoints.models.config(name)
    return {
        "EnableNetworkIsolation": False,
        **{member: value for member, value in found.spec.details.items() if member in _DESCRIBED},
        "EndpointConfigName": name,
        "EndpointConfigArn": arn(call, "endpoint-config", name),
        "ProductionVariants": [variant(found.spec)],
        "CreationTime": found.created,
    }


@operations("ListEndpointConfigs")
def list_endpoint_configs(request: Input, call: Call) -> Output:
    """The newest first, unless something else is asked for.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListEndpointConfigs.html
    """
    items = []
    for config in call.backend.warehouse.jobs.endpoints.models.configs():
        name = config.spec.name
        summary = {
            "EndpointConfigName": name,
            "EndpointConfigArn": arn(call, "endpoint-config", name),
            "CreationTime": config.created,
        }
        items.append(Item(summary, name, config.created))
    return page(request, items, "EndpointConfigs")


@operations("DeleteEndpointConfig")
def delete_endpoint_config(request: Input, call: Call) -> Output:
    """Endpoints made of it go on. ValidationException for an unknown configuration.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteEndpointConfig.html
    """
    name, jobs = request["EndpointConfigName"], call.backend.warehouse.jobs
    with finding(call, "endpoint-config", name):
        jobs.endpoints.models.delete_config(name)
    jobs.tags.forget(f"endpoint-config/{name}")
    return {}


def variant(config: EndpointConfig) -> Output:
    """The variant of a configuration, also of one that did not come through this API."""
    kept = next(iter(config.details.get("ProductionVariants") or ()), {"InitialInstanceCount": 1})
    return {"InitialVariantWeight": 1.0, **kept, "VariantName": config.variant, "ModelName": config.model}


def _variant(request: Input) -> Mapping[str, Any]:
    listed = request["ProductionVariants"]
    if len(listed) != 1:
        raise refusal(
            f"ProductionVariants has {len(listed)} variants: an endpoint sends all traffic to one model here."
        )
    for member in _NOT_DONE:
        if request.get(member):
            raise refusal(f"{member} is not supported.")
    if request.get("DataCaptureConfig", {}).get("EnableCapture"):
        raise refusal("DataCaptureConfig.EnableCapture is not supported: requests and answers are not recorded.")
    (found,) = listed
    if not found.get("ModelName"):
        raise refusal("ProductionVariants[0].ModelName is missing; inference components are not supported.")
    return dict(found)
