"""What a client may ask for, and its way into the journal and back."""

from __future__ import annotations

import pytest

from restframe import errors
from restframe.jobs.specs import (
    Channel,
    EndpointConfig,
    ModelSpec,
    TrainingSpec,
    endpoint_config,
    model_spec,
    to_json,
    training_spec,
)

JOB = TrainingSpec(
    name="taxi-1",
    algorithm="382416733822.dkr.ecr.us-east-1.amazonaws.com/randomcutforest:1",
    channels={"train": Channel("s3://b/.amazon.manifest", "ManifestFile", "text/csv", "ShardedByS3Key", "Gzip")},
    output="s3://b/out/",
    hyperparameters={"num_trees": "50"},
    max_runtime_s=60,
    details={"ResourceConfig": {"InstanceType": "ml.m4.xlarge"}},
)


def test_specs_come_back_from_json() -> None:
    model = ModelSpec("m", url="http://127.0.0.1:5000/x", header=("a", "b"), content_type="application/json")
    config = EndpointConfig("c", "m", "blue", {"Tags": [1]})
    assert training_spec(to_json(JOB)) == JOB
    assert model_spec(to_json(model)) == model
    assert endpoint_config(to_json(config)) == config


def test_the_artefact_lies_where_sagemaker_puts_it() -> None:
    assert JOB.artifact == "s3://b/out/taxi-1/output/model.tar.gz"


@pytest.mark.parametrize("name", ["", "-a", "a-", "a_b", "a/b", "..", "a" * 64, "a\n", "ä"])
def test_names_that_sagemaker_would_refuse(name: str) -> None:
    with pytest.raises(errors.InvalidParameterValue, match="invalid training job name"):
        TrainingSpec(name, "x", {"train": Channel("s3://b/x")}, "s3://b")
    with pytest.raises(errors.InvalidParameterValue, match="invalid model name"):
        ModelSpec(name, artifact="s3://b/x")
    with pytest.raises(errors.InvalidParameterValue, match="invalid endpoint configuration name"):
        EndpointConfig(name, "m")


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("http://127.0.0.1:8080", True),
        ("https://models.example/path", True),
        ("http://[::1]:80/", True),
        ("file:///etc/passwd", False),
        ("http://", False),
        ("http://user:secret@host/", False),
        ("http://host/?a=b", False),
        ("http://host:port/", False),
        ("http://[", False),
    ],
)
def test_urls_of_servers(url: str, good: bool) -> None:
    if good:
        assert ModelSpec("m", url=url).url == url
    else:
        with pytest.raises(errors.InvalidParameterValue, match="is not the address of a server"):
            ModelSpec("m", url=url)


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(errors.InvalidParameterValue, match="either an artefact or the url"):
        ModelSpec("m")
    with pytest.raises(errors.InvalidParameterValue, match="either an artefact or the url"):
        ModelSpec("m", artifact="s3://b/x", url="http://host")
    with pytest.raises(errors.InvalidParameterValue, match='content type is "image/png"'):
        ModelSpec("m", url="http://host", content_type="image/png")
    with pytest.raises(errors.InvalidParameterValue, match="at least one channel"):
        TrainingSpec("j", "x", {}, "s3://b")
    with pytest.raises(errors.InvalidParameterValue, match="is not a channel name"):
        TrainingSpec("j", "x", {"../train": Channel("s3://b/x")}, "s3://b")
    with pytest.raises(errors.InvalidParameterValue, match="at least one second"):
        TrainingSpec("j", "x", {"train": Channel("s3://b/x")}, "s3://b", max_runtime_s=0)
    with pytest.raises(errors.InvalidParameterValue, match='S3DataType is "Folder", not one of'):
        Channel("s3://b/x", "Folder")  # type: ignore[arg-type]
