"""An endpoint of DeepAR: what a request costs beside the model's own time, for one client and for sixteen.

    python benchmarks/deepar_endpoint.py [--rounds 40] [--clients 16]

A model of quarter hours (context and horizon of a day, 2 x 40 cells) is trained for an epoch, which is enough: time
does not depend on the weights. The same series are forecast, 100 samples of 96 steps, by the model in this process, by
answer() from bytes to bytes, and through InvokeEndpoint by boto3, by turns. Processor time is that of the process that
does the work, this one or the server; wall time is what clients wait for.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from live import Live, restframe
from restframe.ml import artifact
from restframe.ml.containers.deepar import DEEPAR
from restframe.ml.containers.forecasts import Forecaster, answer
from restframe.ml.deepar import Asked, Configuration, fit, save
from restframe.ml.forecasting.series import Series

ROLE = "arn:aws:iam::000000000000:role/restframe"
START = np.datetime64("2020-01-01", "s")


def values(count: int, seed: int = 0) -> Any:
    noise = np.random.default_rng(seed).normal(0, 3, count)
    return (50 + 20 * np.sin(np.arange(count) * 2 * np.pi / 96) + noise).round(3)


def request(points: int, series: int, **configuration: Any) -> bytes:
    instances = [{"start": "2020-01-01", "target": values(points, seed).tolist()} for seed in range(series)]
    return json.dumps({"instances": instances, "configuration": configuration}).encode()


REQUESTS = {
    "1 series of 2,000 points": (request(2000, 1), 1, 2000),
    "1 series of 55,000 points": (request(55_000, 1), 1, 55_000),
    "10 series, mean and quantiles": (request(2000, 10), 10, 2000),
    "10 series, all samples": (request(2000, 10, output_types=["samples"]), 10, 2000),
}


def deployed(live: Live, archive: bytes, connections: int) -> Any:
    s3, sagemaker = live.client("s3"), live.client("sagemaker")
    s3.create_bucket(Bucket="models")
    s3.put_object(Bucket="models", Key="model.tar.gz", Body=archive)
    image = "522234722520.dkr.ecr.us-east-1.amazonaws.com/forecasting-deepar:1"
    container = {"Image": image, "ModelDataUrl": "s3://models/model.tar.gz"}
    sagemaker.create_model(ModelName="rides", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "v", "ModelName": "rides", "InstanceType": "ml.m4.xlarge", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="rides", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="rides", EndpointConfigName="rides")
    assert sagemaker.describe_endpoint(EndpointName="rides")["EndpointStatus"] == "InService"
    return live.client("sagemaker-runtime", connections)


def invoke(client: Any, body: bytes) -> None:
    client.invoke_endpoint(EndpointName="rides", ContentType="application/json", Body=body)["Body"].read()


def timed(work: Callable[[], Any], clock: Callable[[], float]) -> float:
    """Milliseconds."""
    began = clock()
    work()
    return (clock() - began) * 1000


def alone(live: Live, client: Any, forecaster: Forecaster, rounds: int) -> None:
    titles = f"{'model':>9} {'p95':>8} {'answer()':>9} {'ratio':>6} {'boto3 p50':>10} {'p95':>8} {'server CPU':>11}"
    print(f"{'one client':32} {titles}")
    for name, (body, count, points) in REQUESTS.items():
        asked = [Asked(tuple(Series(START, values(points, seed)) for seed in range(count)))]

        def model(asked: list[Asked] = asked) -> None:
            forecaster.model.sample(asked)

        def whole(body: bytes = body) -> None:
            answer(forecaster, body, "application/json", "")

        found: list[tuple[float, float, float]] = []
        server_s = 0.0
        for _ in range(rounds):
            cpu = timed(model, time.process_time), timed(whole, time.process_time)
            before = live.cpu_s()
            found.append((*cpu, timed(lambda body=body: invoke(client, body), time.perf_counter)))
            server_s += live.cpu_s() - before
        models, answers, waits = (np.array(column) for column in zip(*found, strict=True))
        print(
            f"{name:32} {np.median(models):6.1f} ms {np.quantile(models, 0.95):5.1f} ms {np.median(answers):6.1f} ms "
            f"{np.median(answers) / np.median(models):5.2f}x {np.median(waits):7.1f} ms "
            f"{np.quantile(waits, 0.95):5.1f} ms {server_s * 1000 / rounds:8.1f} ms"
        )


def crowded(live: Live, client: Any, clients: int, rounds: int) -> None:
    body = REQUESTS["1 series of 2,000 points"][0]
    rates = {}
    for count in (1, clients):
        waits: list[float] = []

        def one(_: int, waits: list[float] = waits) -> None:
            waits.append(timed(lambda: invoke(client, body), time.perf_counter))

        before, began = live.cpu_s(), time.perf_counter()
        with ThreadPoolExecutor(count) as threads:
            list(threads.map(one, range(rounds * 4)))
        rates[count] = len(waits) / (time.perf_counter() - began)
        print(
            f"{count:2} clients: {rates[count]:5.1f} requests/s, p50 {statistics.median(waits):6.1f} ms, "
            f"p95 {np.quantile(waits, 0.95):6.1f} ms, {(live.cpu_s() - before) * 1000 / len(waits):5.1f} ms of the "
            "server's processor a request"
        )
    print(f"{clients} clients get {rates[clients] / rates[1]:.2f} times the answers of one")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--clients", type=int, default=16)
    given = parser.parse_args()
    configuration = Configuration(context_length=96, prediction_length=96, epochs=1, time_freq="15min")
    files = save(fit([Series(START, values(2000, seed)) for seed in range(4)], configuration))
    forecaster = DEEPAR.load(files)
    assert isinstance(forecaster, Forecaster)
    with restframe() as live:
        client = deployed(live, artifact.write(files), given.clients)
        for _ in range(3):
            invoke(client, REQUESTS["1 series of 2,000 points"][0])
        alone(live, client, forecaster, given.rounds)
        crowded(live, client, given.clients, given.rounds)


if __name__ == "__main__":
    main()
