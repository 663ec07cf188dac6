"""The one object through which the warehouse and its doors train, deploy and ask models."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.jobs.endpoints import EndpointDescription, Endpoints
from restframe.jobs.local import LocalServer
from restframe.jobs.logs import LogLine, Logs
from restframe.jobs.rows import Request, requests
from restframe.jobs.specs import Channel, EndpointConfig, ModelSpec, TrainingSpec
from restframe.jobs.tables import MIGRATIONS
from restframe.jobs.tags import Tags
from restframe.jobs.training import Training
from restframe.jobs.training_record import JobDescription
from restframe.jobs.transform import Transforms
from restframe.journal import Journal
from restframe.ml import registry
from restframe.ml.algorithm import Predictor
from restframe.settings import Settings
from restframe.storage import Storage

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """A handle on one training job."""

    name: str
    training: Training = field(repr=False)

    def describe(self) -> JobDescription:
        return self.training.describe(self.name)

    @property
    def status(self) -> str:
        return self.describe().status

    @property
    def artifact(self) -> str | None:
        """`s3://` of model.tar.gz once the job is completed, or stopped with a model to keep."""
        return self.describe().artifact

    def wait(self, timeout_s: float | None = None) -> TrainingJob:
        """Itself, completed. TrainingFailed with the reason when it ended otherwise, or is not done in time."""
        description = self.training.wait(self.name, timeout_s)
        if description.status == "Completed":
            return self
        if not description.is_final:
            raise errors.TrainingFailed(f'training job "{self.name}" is not done: {description.secondary_status}')
        reason = description.failure or description.secondary_status
        raise errors.TrainingFailed(f'training job "{self.name}" {description.status.lower()}: {reason}')

    def log(self, follow: bool = False) -> Iterator[LogLine]:
        """Its log lines so far; following, each as it comes until the job has ended."""
        return self.training.log(self.name, follow=follow)

    def stop(self) -> None:
        self.training.stop(self.name)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A handle on one endpoint."""

    name: str
    endpoints: Endpoints = field(repr=False)

    def describe(self) -> EndpointDescription:
        return self.endpoints.describe(self.name)

    @property
    def status(self) -> str:
        return self.describe().status

    def wait(self, timeout_s: float | None = None) -> Endpoint:
        """Itself, in service. EndpointNotReady with the reason when it failed, or is not ready in time."""
        description = self.endpoints.wait(self.name, timeout_s)
        if description.status == "InService":
            return self
        reason = f": {description.failure}" if description.failure else ""
        raise errors.EndpointNotReady(f'endpoint "{self.name}" is {description.status}{reason}')

    def invoke(
        self, body: bytes | Mapping[str, Any], content_type: str | None = None, accept: str = ""
    ) -> tuple[bytes, str]:
        """What the model answers, and that answer's type. A mapping is sent as JSON; bytes are CSV unless said."""
        if isinstance(body, Mapping):
            body, content_type = json.dumps(body).encode(), content_type or "application/json"
        return self.endpoints.server(self.name).invoke(body, content_type or "text/csv", accept)

    def delete(self) -> None:
        self.endpoints.delete(self.name)


class Service:
    """Training jobs, models and endpoints of one warehouse. Usable from any thread.

    training, endpoints, transforms : what the AWS API does, operation by operation
    logs, tags : their log lines, and what clients attach to them
    storage : where their inputs and artefacts lie
    """

    def __init__(self, settings: Settings, storage: Storage, journal: Journal) -> None:
        self._settings = settings
        self.storage = storage
        journal.migrate("jobs", MIGRATIONS)
        self.logs = Logs(journal)
        self.tags = Tags(journal)
        self.training = Training(journal, self.logs, storage, settings)
        self.endpoints = Endpoints(
            journal, self.logs, storage, settings.endpoint_timeout_s, settings.endpoint_connections
        )
        self.transforms = Transforms(
            journal, self.logs, storage, settings.directory / "transforms", settings.endpoint_timeout_s
        )

    # Training

    def train(
        self,
        algorithm: str,
        channels: Mapping[str, str | Channel],
        output: str,
        *,
        name: str | None = None,
        hyperparameters: Mapping[str, object] | None = None,
        max_runtime_s: int = 86_400,
        details: Mapping[str, Any] | None = None,
    ) -> TrainingJob:
        """Begin a training job and return at once.

        algorithm : random_cut_forest, deepar, or a SageMaker training image of one of them
        channels : `{"train": "s3://bucket/prefix"}`, or Channels where more is to be said
        output : `s3://bucket/prefix`; the artefact becomes `<prefix>/<name>/output/model.tar.gz`
        name : made of the algorithm and the time when None

        UndefinedObject, InvalidParameterValue or DuplicateObject as Training.create.
        """
        name = name or _new_name(registry.find(algorithm).image)
        spec = TrainingSpec(
            name=name,
            algorithm=algorithm,
            channels={key: Channel(one) if isinstance(one, str) else one for key, one in channels.items()},
            output=output,
            hyperparameters={key: _text(value) for key, value in (hyperparameters or {}).items()},
            max_runtime_s=max_runtime_s,
            details=details or {},
        )
        self.training.create(spec)
        return TrainingJob(name, self.training)

    def training_job(self, name: str) -> TrainingJob:
        """UndefinedObject when there is no such job."""
        self.training.describe(name)
        return TrainingJob(name, self.training)

    # Endpoints

    def deploy(
        self,
        model: TrainingJob | str,
        endpoint: str | None = None,
        *,
        algorithm: str | None = None,
        header: Sequence[str] = (),
        content_type: str = "text/csv",
        wait: bool = True,
    ) -> Endpoint:
        """Serve a model under an endpoint's name; a model and a configuration of that name are made with it.

        model : a completed training job or its name, `s3://` of a model.tar.gz, or `http://` of a server with
            /ping and /invocations
        algorithm : of an artefact that does not say it itself
        header, content_type : what an external server wants, see ModelSpec
        wait : until it is InService

        EndpointNotReady with the reason when it cannot be served; nothing is left behind then.
        """
        artifact, url = None, None
        if isinstance(model, str) and model.startswith(("http://", "https://")):
            url, default = model, _new_name("external")
        elif isinstance(model, str) and "://" in model:
            artifact, default = model, _new_name("model")
        else:
            job = self.training.describe(model.name if isinstance(model, TrainingJob) else model)
            if job.artifact is None:
                raise errors.EndpointNotReady(f'training job "{job.spec.name}" is {job.status}')
            artifact, default, algorithm = job.artifact, job.spec.name, algorithm or job.spec.algorithm
        name = endpoint or default
        spec = ModelSpec(name, algorithm, artifact, url, tuple(header), content_type)
        self._create_all(spec)
        deployed = Endpoint(name, self.endpoints)
        if wait:
            try:
                deployed.wait()
            except errors.EndpointNotReady:
                self.remove(name)
                raise
        return deployed

    def _create_all(self, spec: ModelSpec) -> None:
        """Model, configuration and endpoint of one name, or none of them."""
        undo: list[Callable[[str], None]] = []
        try:
            self.endpoints.models.create(spec)
            undo.append(self.endpoints.models.delete)
            self.endpoints.models.create_config(EndpointConfig(spec.name, spec.name))
            undo.append(self.endpoints.models.delete_config)
            self.endpoints.create(spec.name, spec.name)
        except BaseException:
            for step in reversed(undo):
                step(spec.name)
            raise

    def remove(self, name: str) -> None:
        """Delete an endpoint with the model and the configuration that `deploy` made for it."""
        self.endpoints.delete(name)
        self.endpoints.models.delete_config(name)
        self.endpoints.models.delete(name)

    def endpoint(self, name: str) -> Endpoint:
        """UndefinedObject when there is no such endpoint."""
        self.endpoints.describe(name)
        return Endpoint(name, self.endpoints)

    def check_in_service(self, name: str) -> None:
        """UndefinedObject when there is no such endpoint, EndpointNotReady when it does not serve."""
        status = self.endpoints.describe(name).status
        if status not in ("InService", "Updating"):
            raise errors.EndpointNotReady(f'endpoint "{name}" is {status}')

    def invoke(self, name: str, body: bytes, content_type: str, accept: str = "") -> tuple[bytes, str]:
        """The answer of an endpoint to one request, and its content type.

        UndefinedObject, EndpointNotReady; DataError or NotSupportedError when a model of ours cannot use the request;
        EndpointFailed when another server fails.
        """
        return self.endpoints.server(name).invoke(body, content_type, accept)

    def predictor(self, name: str) -> Predictor | None:
        """The model behind an endpoint when it is in this process, where it needs no request; each time the same."""
        server = self.endpoints.server(name)
        return server.predictor if isinstance(server, LocalServer) else None

    def requests(self, name: str, columns: Sequence[pa.Array], max_rows: int | None = None) -> list[Request]:
        """The requests that ask an external endpoint about rows; see `rows.requests`."""
        server = self.endpoints.server(name)
        if isinstance(server, LocalServer):
            raise errors.InterfaceError(f'endpoint "{name}" is in this process and needs no requests')
        return requests(server, columns, self._settings.max_request_bytes, max_rows)

    def close(self) -> None:
        """Stop training and transform jobs, let go of models and connections."""
        self.training.close()
        self.transforms.close()
        self.endpoints.close()


def _new_name(base: str) -> str:
    """`randomcutforest-2026-11-21-22-47-00-123`, as the SageMaker SDK names things."""
    now = datetime.now(UTC)
    return f"{base}-{now:%Y-%m-%d-%H-%M-%S}-{now.microsecond // 1000:03d}"


def _text(value: object) -> str:
    """A hyper-parameter as SageMaker's clients write it."""
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, list | tuple | dict | bool) else str(value)
