"""The log of SageMaker's DeepAR container, line by line, in the dialect of its image of 2019 and 2020.

    [05/04/2020 21:13:51 INFO 140149161203520] Epoch[0] Batch[5] avg_epoch_loss=5.137715
    [05/04/2020 21:13:52 INFO 140149161203520] #progress_metric: host=algo-1, completed 0 % of epochs
    [05/04/2020 21:29:47 INFO 140149161203520] #test_score (algo-1, RMSE): 25.8048119638

Clients search it: the SageMaker SDK prints it, tuners and notebooks take losses and scores out of it.
"""

from __future__ import annotations

import json
import math
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from restframe.ml.containers.deepar_hyperparameters import DEFAULTS

if TYPE_CHECKING:
    from restframe.ml.deepar import EpochReport
    from restframe.ml.forecasting.scores import Scores
    from restframe.ml.forecasting.series import Series
    from restframe.ml.training_log import TrainingLog

# What a job is measured by, where it stands in the log.
METRICS = {
    "train:loss": r"#quality_metric: host=\S+, epoch=\d+, train loss <loss>=(\S+)",
    "train:final_loss": r"#quality_metric: host=\S+, train final_loss <loss>=(\S+)",
    "train:throughput": r"#throughput_metric: host=\S+, train throughput=(\S+) records/second",
    "train:progress": r"#progress_metric: host=\S+, completed (\S+) % of epochs",
    "test:RMSE": r"#quality_metric: host=\S+, test RMSE <loss>=(\S+)",
    "test:mean_wQuantileLoss": r"#quality_metric: host=\S+, test mean_wQuantileLoss <loss>=(\S+)",
}
_EVERY = 5  # batches between two reports
_RESOURCES = "/opt/amazon/lib/python2.7/site-packages/algorithm/resources/default-input.json"
_NO_SYNCHRONISATION = "wait_for_all_workers will not sync workers since the kv store is not running distributed"


class Story:
    """What the container says from its start to its end; `mark` is when the last thing it timed ended."""

    def __init__(self, log: TrainingLog) -> None:
        self.log = log
        self.mark = log.started

    def timed(self, **milliseconds: float) -> None:
        """A #metrics line about what was done since the last one."""
        now = time.time()
        rows = {
            name: {"count": 1, "max": value, "sum": float(value), "min": value} for name, value in milliseconds.items()
        }
        dimensions = {"Host": "algo-1", "Operation": "training", "Algorithm": self.log.algorithm}
        line = {"Metrics": rows, "EndTime": now, "Dimensions": dimensions, "StartTime": self.mark}
        self.log.line(f"#metrics {json.dumps(line)}\n")
        self.mark = now

    def took(self, name: str) -> None:
        self.timed(**{name: self.elapsed_ms()})

    def elapsed_ms(self) -> float:
        return (time.time() - self.mark) * 1000

    def configuration(self, patience: int | None) -> None:
        log = self.log
        log.line("Arguments: train")
        log.info(f"Reading default configuration from {_RESOURCES}: {_python2(DEFAULTS)}")
        log.info(
            f"Reading provided configuration from /opt/ml/input/config/hyperparameters.json: {_python2(log.given)}"
        )
        log.info(f"Final configuration: {_python2({**DEFAULTS, **log.given})}")
        log.line("Process 1 is a worker.")
        log.info("Detected entry point for worker worker")
        if patience is not None:
            log.info(f"Using early stopping with patience {patience}")

    def field_use(self, parameter: str, field: str, used: bool, file: str) -> None:
        """parameter : with its value, `cardinality=auto`"""
        found = "was found" if used else "was NOT found"
        use = "will be used" if used else "will NOT be used"
        self.log.info(f"[{parameter}] `{field}` field {found} in the file `{file}` and {use} for training.")

    def statistics(self, title: str, series: Sequence[Series]) -> None:
        import numpy as np

        values = np.concatenate([one.target for one in series])
        seen = values[~np.isnan(values)]
        whole = bool(np.all(seen == np.floor(seen)))
        low, mean, high = (short(float(one)) for one in (seen.min(), seen.mean(), seen.max()))
        for line in (
            f"{title} set statistics:",
            "Integer time series" if whole else "Real time series",
            f"number of time series: {len(series)}",
            f"number of observations: {len(seen)}",
            f"mean target length: {len(values) // len(series)}",
            f"min/mean/max target: {low}/{mean}/{high}",
            f"mean abs(target): {short(float(np.abs(seen).mean()))}",
            f"contains missing values: {'yes' if len(seen) < len(values) else 'no'}",
        ):
            self.log.info(line)

    def passes(self, series_count: int, mini_batch_size: int) -> None:
        """An epoch has 10 batches at least: of few series, each is visited several times."""
        windows = 10 * mini_batch_size
        if series_count < windows:
            passes = math.ceil(windows / series_count)
            probability = windows / (series_count * passes)
            self.log.info(
                f"Small number of time series. Doing {passes} passes over dataset with prob {short(probability)} "
                "per epoch."
            )

    def machine(self) -> None:
        self.log.info("nvidia-smi took: 0.0 secs to identify 0 gpus")
        self.log.info("Number of GPUs being used: 0")
        self.log.info("Create Store: local")
        self.took("get_graph.time")
        self.log.info("Number of GPUs being used: 0")
        self.took("initialize.time")

    def serialised(self) -> None:
        self.log.info("Serializing to /opt/ml/model/model_algo-1")
        self.log.info('Saved checkpoint to "/opt/ml/model/model_algo-1-0000.params"')
        self.took("model.serialize.time")
        self.log.info("Successfully serialized the model for prediction.")

    def scores(self, scores: Scores) -> None:
        self.took("model.score.time")
        log = self.log
        log.info(f"#test_score (algo-1, RMSE): {short(scores.rmse)}")
        log.info(f"#test_score (algo-1, mean_absolute_QuantileLoss): {scores.mean_absolute_ql!r}")
        log.info(f"#test_score (algo-1, mean_wQuantileLoss): {scores.mean_wql!r}")
        for quantile, loss in scores.wql.items():
            log.info(f"#test_score (algo-1, wQuantileLoss[{quantile}]): {loss!r}")
        log.info(f"#quality_metric: host=algo-1, test mean_wQuantileLoss <loss>={short(scores.mean_wql)}")
        log.info(f"#quality_metric: host=algo-1, test RMSE <loss>={short(scores.rmse)}")

    def end(self, setup_ms: float) -> None:
        self.timed(setuptime=setup_ms, totaltime=(time.time() - self.log.started) * 1000)


class Progress:
    """Listens to training and writes what it hears.

    metrics : of the job, as they stand
    best : the loss of the best epoch so far and its number
    """

    def __init__(self, story: Story, epochs: int) -> None:
        self._story = story
        self._log = story.log
        self._epochs = epochs
        self._losses: list[float] = []  # of the epoch
        self._reported = 0  # of them
        self._unreported_examples = 0
        self._at = time.time()  # of the last report
        self.metrics: dict[str, float] = {}
        self.best: tuple[float, int] | None = None
        self.done = 0  # epochs

    def stopping(self) -> bool:
        return self._log.stopping()

    def batch(self, epoch: int, batch: int, loss: float, examples: int) -> None:
        self._losses.append(loss)
        self._unreported_examples += examples
        if batch % _EVERY:
            return
        since = self._losses[self._reported :]
        recent = sum(since) / len(since)
        average = sum(self._losses) / len(self._losses)
        self._log.info(f"Epoch[{epoch}] Batch[{batch}] avg_epoch_loss={average:.6f}")
        self._log.info(f"#quality_metric: host=algo-1, epoch={epoch}, batch={batch} train loss <loss>={short(recent)}")
        now = time.time()
        if batch:
            speed = self._unreported_examples / max(now - self._at, 1e-9)
            # the tab stands there escaped, as a syslog passes it on
            self._log.info(f"Epoch[{epoch}] Batch [{batch}]#011Speed: {speed:.2f} samples/sec#011loss={recent:.6f}")
            self._reported = len(self._losses)  # the second report is of the first batch, too
        self._unreported_examples, self._at = 0, now

    def epoch(self, report: EpochReport) -> None:
        self._log.info(f"processed a total of {report.examples} examples")
        update_ms = self._story.elapsed_ms()
        first = {"epochs": self._epochs} if report.epoch == 0 else {}
        self._story.timed(**first, **{"update.time": update_ms})
        throughput = report.examples / max(update_ms / 1000, 1e-9)
        self.metrics |= {"train:throughput": throughput, "train:loss": report.loss}
        self._log.info(f"#throughput_metric: host=algo-1, train throughput={short(throughput)} records/second")
        self.done = report.epoch + (not self.stopping())  # which may have cut this one short
        self._progress(100 * self.done // self._epochs)
        self._log.info(f"#quality_metric: host=algo-1, epoch={report.epoch}, train loss <loss>={short(report.loss)}")
        if report.best:
            self._log.info("best epoch loss so far")
            self._log.info(f'Saved checkpoint to "/opt/ml/model/state_{uuid.uuid4()}-0000.params"')
            self._story.took("state.serialize.time")
            self.best = report.loss, report.epoch
        else:
            self._log.info("loss did not improve")
        self._losses, self._reported, self._unreported_examples, self._at = [], 0, 0, time.time()

    def finished(self) -> None:
        """Training has ended, for one reason or another, with at least one epoch done."""
        assert self.best is not None
        loss, epoch = self.best
        if self.done < self._epochs:
            self._story.took("state.deserialize.time")
            self._log.info("stopping training now")
            if not self.stopping():  # early, because the loss does not improve
                self._progress(100)
        self._log.info(f"Final loss: {short(loss)} (occurred at epoch {epoch})")
        self._log.info(f"#quality_metric: host=algo-1, train final_loss <loss>={short(loss)}")
        self._log.info("Worker algo-1 finished training.")
        self._log.info(_NO_SYNCHRONISATION, "WARNING")
        self._log.info("All workers finished. Serializing model for prediction.")
        self._story.took("get_graph.time")
        self._log.info("Number of GPUs being used: 0")
        self._story.took("finalize.time")
        self.metrics["train:final_loss"] = loss

    def _progress(self, percent: int) -> None:
        self._log.info(f"#progress_metric: host=algo-1, completed {percent} % of epochs")
        self.metrics["train:progress"] = float(percent)


def short(number: float) -> str:
    """A number with 12 digits, as Python 2 prints it: 25.8048119638, 1.0."""
    text = f"{number:.12g}"
    return text if any(mark in text for mark in ".en") else f"{text}.0"


def _python2(values: Mapping[str, str | None]) -> str:
    """A dict of texts as Python 2 prints it."""
    return "{" + ", ".join(f"u{name!r}: u{value!r}" for name, value in values.items()) + "}"
