"""`restframe train` and `restframe job`."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time

from restframe import errors
from restframe.cli.listing import local_time, print_facts, print_json, print_list, simple
from restframe.cli.reporting import clean
from restframe.cli.training_progress import TrainingProgress
from restframe.jobs import JobDescription, TrainingJob
from restframe.warehouse import Warehouse


def train(given: argparse.Namespace) -> int:
    """Train, show how far it is, and serve the model when that is wanted.

    On a terminal a line shows the progress; elsewhere the log comes as it is. Ctrl-C stops the job, which then saves
    the best model so far where its algorithm can; another one does not wait for that.
    """
    channels = dict(_pair(text, "channel") for text in given.channels)
    parameters = dict(_pair(text, "hyper-parameter") for text in given.parameter)
    with Warehouse(given.directory) as warehouse:
        started = time.monotonic()
        job = warehouse.train(
            given.algorithm, channels, given.output, name=given.name, hyperparameters=parameters, wait=False
        )
        print(f"Training job {job.name}", flush=True)
        try:
            _follow(job)
        except KeyboardInterrupt:
            return _stop(job)
        job.wait()
        print(f"Completed in {time.monotonic() - started:.1f} s: {job.artifact}")
        for metric in job.describe().metrics:
            print(f"{metric.name} {metric.value:g}")
        if given.deploy:
            endpoint = warehouse.deploy(job, given.deploy)
            print(f"Endpoint {endpoint.name} is {endpoint.status}")
    return 0


def _follow(job: TrainingJob) -> None:
    """Show a job's log until it ends."""
    terminal = sys.stdout if sys.stdout.isatty() else None
    progress = TrainingProgress(terminal)
    try:
        for line in job.log(follow=True):
            known = progress.take(line.text)
            if terminal is None:
                print(line.text, flush=True)
            elif not known:
                progress.hide()
                print(clean(line.text))
            progress.draw()
    finally:
        progress.hide()


def _stop(job: TrainingJob) -> int:
    """Stop a job after ctrl-C, wait until it has ended, and say what is kept."""
    print("Stopping; ctrl-C again gives up what could still be saved.", file=sys.stderr)
    with contextlib.suppress(errors.InvalidParameterValue):  # it was just done
        job.stop()
    with contextlib.suppress(errors.TrainingFailed):
        job.wait()
    description = job.describe()
    kept = f"the best model so far is kept: {description.artifact}" if description.artifact else "no model is kept"
    print(f"Training job {job.name} is {description.status}; {kept}")
    return 130


def _pair(text: str, what: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise errors.InvalidParameterValue(f'"{text[:100]}" is no {what}', hint="Write it as NAME=VALUE.")
    return name, value


def show_all(given: argparse.Namespace) -> int:
    with Warehouse(given.directory) as warehouse:
        jobs = warehouse.jobs.training.describe_all()
    if given.json:
        print_json([_json(job) for job in jobs])
    else:
        rows = [(job.spec.name, job.status, job.spec.algorithm, local_time(job.created), _took(job)) for job in jobs]
        print_list(("job", "status", "algorithm", "created", "took"), rows)
    return 0


def describe(given: argparse.Namespace) -> int:
    with Warehouse(given.directory) as warehouse:
        job = warehouse.jobs.training_job(given.name).describe()
    if given.json:
        print_json(_json(job))
        return 0
    print_facts(
        [
            ("job", job.spec.name),
            ("status", job.status),
            ("failure", job.failure),
            ("algorithm", job.spec.algorithm),
            *((f"channel {name}", channel.url) for name, channel in job.spec.channels.items()),
            *((name, value) for name, value in sorted(job.spec.hyperparameters.items())),
            ("created", local_time(job.created)),
            ("took", _took(job)),
            ("model", job.artifact),
            *((metric.name, f"{metric.value:g}") for metric in job.metrics),
        ]
    )
    return 0


def logs(given: argparse.Namespace) -> int:
    with Warehouse(given.directory) as warehouse:
        for line in warehouse.jobs.training_job(given.name).log():
            print(line.text)
    return 0


def stop(given: argparse.Namespace) -> int:
    with Warehouse(given.directory) as warehouse:
        warehouse.jobs.training_job(given.name).stop()
        print(f"Training job {given.name} is stopping")
    return 0


def _took(job: JobDescription) -> str:
    if job.started is None or job.ended is None:
        return ""
    return f"{(job.ended - job.started).total_seconds():.1f} s"


def _json(job: JobDescription) -> dict[str, object]:
    return {**simple(job), "artifact": job.artifact}
