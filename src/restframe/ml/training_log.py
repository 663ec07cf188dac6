"""The log of a training container, in the grammar of SageMaker's own algorithms, which clients search.

[11/21/2026 22:47:00 INFO 140502373369664] Sampling training data...
#metrics {"StartTime": .., "EndTime": .., "Dimensions": {..}, "Metrics": {"update.time": {"sum": .., ..}}}
[..] #throughput_metric: host=algo-1, train throughput=194856.879651 records/second
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

Number = int | float


class TrainingLog:
    """Lines for the log, and what its writer has to know of the job.

    write : takes one line
    algorithm : as the #metrics lines name it, RandomCutForest
    given : hyper-parameters as the client wrote them
    stopping : whether the job is to end soon, with the best model so far
    """

    def __init__(
        self,
        write: Callable[[str], None],
        algorithm: str,
        given: Mapping[str, str] | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._write = write
        self.algorithm = algorithm
        self.given = given or {}
        self.stopping = stopping
        self.started = time.time()

    def line(self, text: str) -> None:
        self._write(text)

    def info(self, text: str, level: str = "INFO") -> None:
        stamp = datetime.now(UTC).strftime("%m/%d/%Y %H:%M:%S")
        self._write(f"[{stamp} {level} {threading.get_ident()}] {text}")

    def metrics(self, since: float, values: Mapping[str, Number], **dimensions: str | int) -> None:
        """A #metrics line about what happened between `since` (seconds since 1970) and now."""
        row = {
            "StartTime": since,
            "EndTime": time.time(),
            "Dimensions": {
                "Algorithm": self.algorithm, "Host": "algo-1", "Operation": "training", **dimensions,
            },
            "Metrics": {
                name: {"sum": float(value), "count": 1, "min": value, "max": value} for name, value in values.items()
            },
        }  # fmt: skip
        self._write(f"#metrics {json.dumps(row)}")

    def took(self, since: float, name: str, **more: Number) -> None:
        """A #metrics line with the milliseconds since `since`."""
        self.metrics(since, {name: (time.time() - since) * 1000, **more})

    def progress(self, percent: float) -> None:
        self.info(f"#progress_metric: host=algo-1, completed {percent:g} % epochs")

    def throughput(self, records: int, since: float) -> float:
        """Log and return records per second."""
        rate = records / max(time.time() - since, 1e-9)
        self.info(f"#throughput_metric: host=algo-1, train throughput={rate} records/second")
        return rate
