"""What `fit()` of the SageMaker SDK costs its user, for jobs of some seconds.

    python benchmarks/fit_latency.py PYTHON [seconds ...]

PYTHON is an interpreter that has sagemaker>=2.257,<3. Each job is a real training of a small forest through the SDK's
RandomCutForest; to last as long as wanted, its process is stopped in between (SIGSTOP, SIGCONT) and costs no processor
time then. Two servers side by side: one whose DescribeTrainingJob waits for the end of a job, as restframe does, and
one that answers at once. x is the length of the job by the server's own record. The SDK itself sleeps 5 s before it
first asks, and needs some processor time, which is shown: run this on a machine that has nothing else to do.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import live

CLIENT = """
import json, sys, time
import numpy, sagemaker
from sagemaker import RandomCutForest
session = sagemaker.Session()
forest = RandomCutForest(
    role="arn:aws:iam::000000000000:role/restframe", instance_count=1, instance_type="ml.m4.xlarge",
    data_location="s3://fit-latency/data", output_path="s3://fit-latency/models", num_samples_per_tree=256,
    num_trees=50, sagemaker_session=session, base_job_name="fit-latency")
records = forest.record_set(numpy.random.default_rng(1).normal(size=(2000, 1)).astype("float32"))
started, cpu = time.time(), time.process_time()
forest.fit(records)
took, cpu = time.time() - started, time.process_time() - cpu
job = session.sagemaker_client.describe_training_job(TrainingJobName=forest.latest_training_job.name)
lasted = (job["TrainingEndTime"] - job["CreationTime"]).total_seconds()
print(json.dumps({"lasted": lasted, "took": took, "cpu": cpu}))
"""

_APART_S = 10  # so that the two clients do not need the processor at the same time


def main() -> None:
    python, lengths = sys.argv[1], [float(length) for length in sys.argv[2:]] or [1.0, 12.0, 40.0]
    os.environ.pop("RESTFRAME_DESCRIBE_HOLD_S", None)
    with live.restframe() as waiting:
        os.environ["RESTFRAME_DESCRIBE_HOLD_S"] = "0"
        with live.restframe() as hasty:
            print(f"{'job (s)':>8} {'fit() (s)':>10} {'bar (s)':>8} {'':4} {'SDK CPU (s)':>12} {'at once (s)':>12}")
            for length in lengths:
                with ThreadPoolExecutor(2) as together:
                    held, hasted = together.map(fit, [python] * 2, [waiting, hasty], [length] * 2, [0, _APART_S])
                x, took = held["lasted"], held["took"]
                bar = max(5.5, x + 1)
                verdict = "ok" if took <= bar else "MISS"
                print(f"{x:8.2f} {took:10.2f} {bar:8.2f} {verdict:4} {held['cpu']:12.2f} {hasted['took']:12.2f}")


def fit(python: str, server: live.Live, length_s: float, delay_s: float) -> dict[str, float]:
    """Train through the SDK, and make the job last."""
    time.sleep(delay_s)
    environment = {**os.environ, **server.environment}
    client = subprocess.Popen(
        [python, "-c", CLIENT], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    child = _training_process(server.process_id, client)
    started = time.monotonic()
    os.kill(child, signal.SIGSTOP)
    time.sleep(
        max(0.0, length_s - 0.5 - (time.monotonic() - started))
    )  # beginning and ending take the other half second
    os.kill(child, signal.SIGCONT)
    output, complaints = client.communicate()
    if client.returncode != 0:
        raise SystemExit(f"{complaints}\nthe client ended with {client.returncode}")
    said: dict[str, float] = json.loads(output.splitlines()[-1])
    return said


def _training_process(server: int, client: subprocess.Popen[str]) -> int:
    """The process in which the server trains, as soon as there is one."""
    while client.poll() is None:
        for listed in Path(f"/proc/{server}/task").glob("*/children"):
            with contextlib.suppress(OSError):  # threads and processes end while we look
                for child in listed.read_text().split():
                    if b"restframe.jobs.child" in Path(f"/proc/{child}/cmdline").read_bytes():
                        return int(child)
        time.sleep(0.01)
    raise SystemExit(f"{client.communicate()[1]}\nthe client ended with {client.returncode}, and no training was seen")


if __name__ == "__main__":
    main()
