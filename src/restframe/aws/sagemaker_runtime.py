"""SageMaker's runtime: asking an endpoint.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Operations_Amazon_SageMaker_Runtime.html
"""

from __future__ import annotations

from restframe import errors
from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input, Operations, Output
from restframe.jobs.endpoints import LOG_GROUP

MAX_BODY_BYTES = 6 << 20

operations = Operations("sagemaker-runtime", general="ValidationError")


@operations("InvokeEndpoint", waits=True)
def invoke_endpoint(request: Input, call: Call) -> Output:
    """The answer of an endpoint's model to one request, in the type that Accept asks for.

    Our own models take text/csv, application/json, application/jsonlines and application/x-recordio-protobuf, those
    that forecast only the JSON ones; what an external server takes is its own affair. CustomAttributes come back as
    they were sent. Accepted without effect: InferenceId, SessionId and TargetContainerHostname (there is one container,
    and it knows no sessions).

    ValidationError for an endpoint that does not exist or does not serve, TargetVariant and TargetModel that it does
    not have, more than 6 MB. ModelError with OriginalStatusCode and OriginalMessage when the model refuses the request
    or its server fails; what does not answer at all counts as 500, and so does an artefact that is not there any more.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
    """
    name, body, jobs = request["EndpointName"], request["Body"], call.backend.warehouse.jobs
    if len(body) > MAX_BODY_BYTES:
        raise _refusal(
            "1 validation error detected: Value at 'body' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAX_BODY_BYTES}"
        )
    try:
        variant = jobs.endpoints.describe(name).config.variant
        _check_target(request, name, variant)
        answer, content_type = jobs.invoke(
            name, body, request.get("ContentType") or "application/json", request.get("Accept") or ""
        )
    except errors.UndefinedObject as error:
        raise _refusal(f"Endpoint {name} of account {call.caller.account} not found.") from error
    except errors.EndpointNotReady as error:
        raise _refusal(f"Endpoint {name} of account {call.caller.account} is not in service.") from error
    except (errors.EndpointFailed, errors.StorageError, errors.DataError, errors.NotSupportedError) as error:
        raise _model_error(error, name, variant, call) from error
    return {
        "Body": answer,
        "ContentType": content_type,
        "InvokedProductionVariant": variant,
        "CustomAttributes": request.get("CustomAttributes"),
    }


def _check_target(request: Input, endpoint: str, variant: str) -> None:
    if request.get("TargetVariant") not in (None, variant):
        raise _refusal(f"Variant {request['TargetVariant'][:100]} not found for endpoint {endpoint}.")
    for member in ("TargetModel", "InferenceComponentName"):
        if request.get(member):
            raise _refusal(f"{member} is not supported: endpoint {endpoint} serves one model.")


def _model_error(error: errors.Error, endpoint: str, variant: str, call: Call) -> AwsError:
    """What a model could not do, as SageMaker reports what a container answered."""
    message = error.message
    if isinstance(error, errors.EndpointFailed):
        status = error.status or 500
        if error.answer:
            message = error.answer.decode("utf-8", "replace")
    elif isinstance(error, errors.StorageError):
        status = 500  # the artefact went away
    else:
        status = 415 if isinstance(error, errors.NotSupportedError) else 400
    group = f"{LOG_GROUP}/{endpoint}"
    blamed = "client" if status < 500 else "server"
    return AwsError(
        "ModelError",
        f'Received {blamed} error ({status}) from primary with message "{message}". '
        f"See log group {group} in account {call.caller.account} for more information.",
        OriginalStatusCode=status,
        OriginalMessage=message,
        LogStreamArn=f"arn:aws:logs:{call.region}:{call.caller.account}:log-group:{group}:log-stream:{variant}",
    )


def _refusal(message: str) -> AwsError:
    return AwsError("ValidationError", message)
