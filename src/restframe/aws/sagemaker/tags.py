"""AddTags, ListTags, DeleteTags."""

from __future__ import annotations

from restframe.aws.operation import Call, Input, Output
from restframe.aws.sagemaker.naming import Kind, operations


@operations("AddTags")
def add_tags(request: Input, call: Call) -> Output:
    """Attach tags to a training or transform job, model, endpoint configuration or endpoint, and list all it has.

    ValidationException for anything else, and beyond 50 tags.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AddTags.html
    """
    resource, tags = _resource(request["ResourceArn"]), call.backend.warehouse.jobs.tags
    tags.add(resource, _mapping(request))
    return {"Tags": _listed(call, resource)}


@operations("ListTags")
def list_tags(request: Input, call: Call) -> Output:
    """All tags in one page: there are 50 at most.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTags.html
    """
    return {"Tags": _listed(call, _resource(request["ResourceArn"]))}


@operations("DeleteTags")
def delete_tags(request: Input, call: Call) -> Output:
    """Remove tags by key; what is not there is passed over.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteTags.html
    """
    call.backend.warehouse.jobs.tags.remove(_resource(request["ResourceArn"]), request["TagKeys"])
    return {}


def attach(call: Call, kind: Kind, name: str, request: Input) -> None:
    """The tags of a request that has just made something; of one before it of the same name none are left."""
    tags = call.backend.warehouse.jobs.tags
    tags.forget(f"{kind}/{name}")
    if "Tags" in request:
        tags.add(f"{kind}/{name}", _mapping(request))


def _mapping(request: Input) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in request["Tags"]}


def _listed(call: Call, resource: str) -> list[Output]:
    return [{"Key": key, "Value": value} for key, value in call.backend.warehouse.jobs.tags.of(resource).items()]


def _resource(arn: str) -> str:
    """`arn:aws:sagemaker:us-east-1:000000000000:model/taxi` -> model/taxi; the description lets no other ARNs in."""
    return arn.split(":", 5)[5]
