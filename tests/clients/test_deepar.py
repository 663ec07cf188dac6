"""DeepAR through the SageMaker SDK, as its notebooks train it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Run = Callable[..., Any]


def estimator_of_deepar():
    import contextlib
    import io
    import json

    import boto3
    import sagemaker

    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="deepar-demand")
    for channel, hours in (("train", 400), ("test", 424)):
        lines = [
            json.dumps({"start": "2020-01-01 00:00:00", "target": [base + hour % 24 for hour in range(hours)]})
            for base in (10, 50)
        ]
        s3.put_object(Bucket="deepar-demand", Key=f"data/{channel}/{channel}.json", Body="\n".join(lines).encode())
    estimator = sagemaker.estimator.Estimator(
        image_uri=sagemaker.image_uris.retrieve("forecasting-deepar", boto3.Session().region_name),
        role=sagemaker.get_execution_role(),
        instance_count=1,
        instance_type="ml.c4.2xlarge",
        base_job_name="deepar-demand",
        output_path="s3://deepar-demand/output",
        sagemaker_session=sagemaker.Session(),
    )
    estimator.set_hyperparameters(
        time_freq="H", epochs="3", early_stopping_patience="40", mini_batch_size=8, learning_rate="5E-4",
        context_length="24", prediction_length="24", num_cells="4", num_layers="1", test_quantiles=[0.1, 0.5, 0.9],
    )  # fmt: skip
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        estimator.fit({name: f"s3://deepar-demand/data/{name}/" for name in ("train", "test")})
    described = estimator.latest_training_job.describe()
    curves = estimator.training_job_analytics.dataframe()
    return {
        "printed": printed.getvalue(),
        "metrics": {one["MetricName"]: one["Value"] for one in described["FinalMetricDataList"]},
        "curves": {name: float(value) for name, value in zip(curves.metric_name, curves.value, strict=True)},
        "model": estimator.model_data == described["ModelArtifacts"]["S3ModelArtifacts"],
    }


def test_an_estimator_trains_deepar_and_prints_its_log(theirs: Run) -> None:
    seen = theirs(estimator_of_deepar)
    printed = seen["printed"]
    for text in (
        "Downloading - Downloading", "Reading default configuration from", "u'learning_rate': u'5E-4'",
        "u'test_quantiles': u'[0.1, 0.5, 0.9]'", "number of observations: 800", "Epoch[0] Batch [5]#011Speed: ",
        "Final loss: ", "#test_score (algo-1, RMSE): ", "#test_score (algo-1, wQuantileLoss[0.9]): ",
        "Uploading - Uploading generated training model", "Completed - Training job completed", "Training seconds: ",
    ):  # fmt: skip
        assert text in printed, text
    said = printed.rpartition("#quality_metric: host=algo-1, test RMSE <loss>=")[2].split("\n")[0]
    assert float(said.removesuffix("\x1b[0m")) == float(f"{seen['metrics']['test:RMSE']:.12g}")
    assert seen["metrics"].keys() == {
        "test:RMSE", "test:mean_wQuantileLoss", "train:final_loss", "train:loss", "train:progress", "train:throughput",
    }  # fmt: skip
    assert seen["curves"].keys() == seen["metrics"].keys()
    assert seen["curves"]["test:RMSE"] == float(f"{seen['metrics']['test:RMSE']:.12g}")
    assert seen["model"]


def estimator_of_something_wrong():
    import boto3
    import sagemaker

    boto3.client("s3").create_bucket(Bucket="deepar-wrong")
    boto3.client("s3").put_object(Bucket="deepar-wrong", Key="train.json", Body=b'{"start": "soon", "target": [1, 2]}')
    failures = []
    for epochs in ("0", "3"):
        estimator = sagemaker.estimator.Estimator(
            image_uri=sagemaker.image_uris.retrieve("forecasting-deepar", "us-west-2"),
            role=sagemaker.get_execution_role(),
            instance_count=1,
            instance_type="ml.c4.2xlarge",
            output_path="s3://deepar-wrong/output",
        )
        estimator.set_hyperparameters(time_freq="H", epochs=epochs, context_length="4", prediction_length="4")
        try:
            estimator.fit({"train": "s3://deepar-wrong/"})
        except sagemaker.exceptions.UnexpectedStatusException as error:
            failures.append(str(error))
    return failures


def test_what_is_wrong_is_the_reason_of_the_failure(theirs: Run) -> None:
    hyperparameter, line = theirs(estimator_of_something_wrong)
    assert "Failed. Reason: ClientError: The value '0' is not valid for the 'epochs' hyperparameter" in hyperparameter
    assert 'Failed. Reason: ClientError: "s3://deepar-wrong/train.json": line 1: "start"' in line
