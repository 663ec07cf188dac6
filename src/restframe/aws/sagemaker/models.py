"""CreateModel, DescribeModel, ListModels, DeleteModel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from restframe.aws.operation import Call, Input, Output
from restframe.aws.sagemaker.listing import Item, page
from restframe.aws.sagemaker.naming import arn, creating, finding, operations, refusal
from restframe.aws.sagemaker.tags import attach
from restframe.jobs import ModelSpec

# Variables of a container's environment that say that it runs elsewhere, and what it wants to be sent.
_URL, _HEADER, _CONTENT_TYPE = "RESTFRAME_ENDPOINT_URL", "RESTFRAME_ENDPOINT_HEADER", "RESTFRAME_ENDPOINT_CONTENT_TYPE"

_DESCRIBED = (
    "PrimaryContainer", "Containers", "InferenceExecutionConfig", "ExecutionRoleArn", "VpcConfig",
    "EnableNetworkIsolation",
)  # fmt: skip


@operations("CreateModel")
def create_model(request: Input, call: Call) -> Output:
    """Name something that endpoints can serve; nothing is loaded yet.

    A model of one of our algorithms has the algorithm's Image and the ModelDataUrl (or ModelDataSource.S3DataSource)
    of its model.tar.gz. Any other model, a script or container of one's own, runs where its owner started it: its
    container's Environment has RESTFRAME_ENDPOINT_URL, `http://host:port` of a server with /ping and /invocations,
    and its Image and ModelDataUrl are not looked at. RESTFRAME_ENDPOINT_HEADER (column names with commas) and
    RESTFRAME_ENDPOINT_CONTENT_TYPE (text/csv or application/json) say what SQL functions send it.

    Accepted without effect and described again: roles, networks, the rest of the environment.

    ValidationException for an Image that is none of our algorithms' without such a URL, for several containers, model
    packages, and names that are taken.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html
    """
    spec = _spec(request)
    with creating(call, "model", spec.name):
        call.backend.warehouse.jobs.endpoints.models.create(spec)
    attach(call, "model", spec.name, request)
    return {"ModelArn": arn(call, "model", spec.name)}


@operations("DescribeModel")
def describe_model(request: Input, call: Call) -> Output:
    """ValidationException for an unknown model.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeModel.html
    """
    name = request["ModelName"]
    with finding(call, "model", name):
        found = call.backend.warehouse.jobs.endpoints.models.find(name)
    spec = found.spec
    details: Output = {"EnableNetworkIsolation": False}
    details |= {name: value for name, value in spec.details.items() if name in _DESCRIBED}
    if "Containers" not in details:
        details.setdefault("PrimaryContainer", container(spec))
    return {**details, "ModelName": spec.name, "ModelArn": arn(call, "model", spec.name), "CreationTime": found.created}


@operations("ListModels")
def list_models(request: Input, call: Call) -> Output:
    """The newest first, unless something else is asked for.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListModels.html
    """
    items = []
    for model in call.backend.warehouse.jobs.endpoints.models.all():
        name = model.spec.name
        summary = {"ModelName": name, "ModelArn": arn(call, "model", name), "CreationTime": model.created}
        items.append(Item(summary, name, model.created))
    return page(request, items, "Models")


@operations("DeleteModel")
def delete_model(request: Input, call: Call) -> Output:
    """Endpoints that serve it go on; its artefact stays. ValidationException for an unknown model.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteModel.html
    """
    name, jobs = request["ModelName"], call.backend.warehouse.jobs
    with finding(call, "model", name):
        jobs.endpoints.models.delete(name)
    jobs.tags.forget(f"model/{name}")
    return {}


def container(spec: ModelSpec) -> Output:
    """The container of a model, also of one that did not come through this API."""
    listed = spec.details.get("Containers") or ()
    kept = spec.details.get("PrimaryContainer") or next(iter(listed), None)
    if kept is not None:
        return dict(kept)
    if spec.url is not None:
        return {"Image": "external", "Environment": {_URL: spec.url}}
    return {"Image": spec.algorithm or "recognised-by-its-artefact", "ModelDataUrl": spec.artifact}


def _spec(request: Input) -> ModelSpec:
    listed = request.get("Containers") or ()
    if len(listed) > 1:
        raise refusal("Containers has more than one: pipelines of containers are not supported.")
    found = request.get("PrimaryContainer") or next(iter(listed), None)
    if found is None:
        raise refusal("PrimaryContainer is missing.")
    return ModelSpec(
        name=request["ModelName"],
        details={name: request[name] for name in _DESCRIBED if name in request},
        **_served(found),
    )


def _served(found: Mapping[str, Any]) -> dict[str, Any]:
    """What of a container says how it is served."""
    environment = found.get("Environment", {})
    if url := environment.get(_URL):
        header = environment.get(_HEADER, "")
        return {
            "url": url,
            "header": tuple(column.strip() for column in header.split(",")) if header else (),
            "content_type": environment.get(_CONTENT_TYPE, "text/csv"),
        }
    if found.get("ModelPackageName"):
        raise refusal("ModelPackageName is not supported: give the Image and the ModelDataUrl.")
    if found.get("Mode") == "MultiModel":
        raise refusal("Mode MultiModel is not supported: an endpoint serves one model.")
    image, artifact = found.get("Image"), _artifact(found)
    if not image:
        raise refusal("PrimaryContainer.Image is missing.")
    if not artifact:
        raise refusal(
            "PrimaryContainer.ModelDataUrl is missing. A container that runs elsewhere has the variable "
            f"{_URL}=http://host:port in its Environment."
        )
    return {"algorithm": image, "artifact": artifact, "environment": dict(environment)}


def _artifact(found: Mapping[str, Any]) -> str | None:
    source = found.get("ModelDataSource", {}).get("S3DataSource")
    if source is None:
        return found.get("ModelDataUrl")
    if source.get("CompressionType") != "Gzip" or source.get("S3DataType") != "S3Object":
        raise refusal(
            "ModelDataSource is not supported but for one model.tar.gz: S3DataType S3Object, CompressionType Gzip."
        )
    uri: str = source["S3Uri"]
    return uri
