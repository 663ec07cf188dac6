"""What a client asks for: training jobs, models, endpoint configurations. Plain values that go in and out of JSON."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from restframe import errors

DataType = Literal["S3Prefix", "ManifestFile"]
Distribution = Literal["FullyReplicated", "ShardedByS3Key"]

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Channel:
    """One named input of a training job.

    url : `s3://bucket/prefix`, or the object that is the manifest
    content_type : None lets the algorithm look at the bytes
    distribution : accepted; with one machine there is nothing to share out
    compression : Gzip when the objects are compressed
    """

    url: str
    data_type: DataType = "S3Prefix"
    content_type: str | None = None
    distribution: Distribution = "FullyReplicated"
    compression: Literal["None", "Gzip"] = "None"

    def __post_init__(self) -> None:
        _need(self.data_type, ("S3Prefix", "ManifestFile"), "S3DataType")
        _need(self.distribution, ("FullyReplicated", "ShardedByS3Key"), "S3DataDistributionType")
        _need(self.compression, ("None", "Gzip"), "CompressionType")


@dataclass(frozen=True, slots=True)
class TrainingSpec:
    """One training job as it was asked for.

    algorithm : a training image (`<registry>/randomcutforest:1`) or our own name (`random_cut_forest`)
    output : `s3://bucket/prefix`; the artefact becomes `<prefix>/<name>/output/model.tar.gz`
    details : what the client said besides and wants to see again; nothing in it is looked at
    """

    name: str
    algorithm: str
    channels: Mapping[str, Channel]
    output: str
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    max_runtime_s: int = _DAY_S
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name("training job", self.name)
        if not self.channels:
            raise errors.InvalidParameterValue("a training job needs at least one channel")
        for channel in self.channels:
            if not re.fullmatch(r"[A-Za-z0-9.\-_]{1,64}", channel):
                raise errors.InvalidParameterValue(f'"{channel[:100]}" is not a channel name')
        if self.max_runtime_s < 1:
            raise errors.InvalidParameterValue("the longest run time of a training job is at least one second")

    @property
    def artifact(self) -> str:
        return f"{self.output.rstrip('/')}/{self.name}/output/model.tar.gz"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Something an endpoint can serve: an artefact with its algorithm, or a server that is running elsewhere.

    algorithm : as in TrainingSpec; None when the artefact says it itself, or for a url
    artifact : `s3://bucket/key` of a model.tar.gz
    url : of a server with /ping and /invocations, as SageMaker's and MLflow's containers have them
    header : column names for a server that wants CSV with a header line, or JSON with `dataframe_split`
    content_type : what the server is sent, text/csv or application/json
    environment : variables of the model's container, of which its algorithm may know some
    """

    name: str
    algorithm: str | None = None
    artifact: str | None = None
    url: str | None = None
    header: tuple[str, ...] = ()
    content_type: str = "text/csv"
    details: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name("model", self.name)
        if (self.artifact is None) == (self.url is None):
            raise errors.InvalidParameterValue("a model has either an artefact or the url of a server")
        if self.url is not None:
            _check_url(self.url)
        _need(self.content_type, ("text/csv", "application/json"), "content type")


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """Which model an endpoint serves, under which variant name."""

    name: str
    model: str
    variant: str = "AllTraffic"
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name("endpoint configuration", self.name)


def to_json(spec: TrainingSpec | ModelSpec | EndpointConfig) -> str:
    return json.dumps(dataclasses.asdict(spec), default=dict, ensure_ascii=False)


def training_spec(text: str) -> TrainingSpec:
    values = json.loads(text)
    channels = {name: Channel(**channel) for name, channel in values.pop("channels").items()}
    return TrainingSpec(channels=channels, **values)


def model_spec(text: str) -> ModelSpec:
    values = json.loads(text)
    return ModelSpec(header=tuple(values.pop("header")), **values)


def endpoint_config(text: str) -> EndpointConfig:
    return EndpointConfig(**json.loads(text))


def check_name(what: str, name: str) -> None:
    """InvalidParameterValue unless SageMaker would take the name; such a name is safe in a path too."""
    if not _NAME.fullmatch(name):
        raise errors.InvalidParameterValue(
            f'invalid {what} name "{name[:100]}"',
            hint="A name has 1 to 63 letters, digits and hyphens, and begins and ends with a letter or digit.",
        )


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or parts.username:
        raise errors.InvalidParameterValue(
            f'"{url[:100]}" is not the address of a server', hint="Write it as http://host:port[/path]."
        )


def _need(value: str, allowed: tuple[str, ...], what: str) -> None:
    if value not in allowed:
        raise errors.InvalidParameterValue(f'{what} is "{value[:100]}", not one of {", ".join(allowed)}')
