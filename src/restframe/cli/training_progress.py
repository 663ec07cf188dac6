"""How far a training job is, as its log tells: one line on a terminal that is drawn again and again."""

from __future__ import annotations

import re
import shutil
import time
from typing import TextIO

_WIDTH, _SHORT = 24, 8  # of the bar
_EPOCHS = re.compile(r"Final configuration: .*'epochs': u?'(\d+)'")
_LOSS = re.compile(r"#quality_metric: host=\S+, epoch=(\d+), (batch=\d+ )?train loss <loss>=(\S+)")
_THROUGHPUT = re.compile(r"#throughput_metric: host=\S+, train throughput=(\S+) records/second")
# What a line shows anyway, and what only the container's own people want to know.
_NOTED = re.compile(
    r"Epoch\[\d+\] Batch|processed a total of \d+ examples|#progress_metric|#metrics |loss did not improve$|"
    r"Saved checkpoint to |nvidia-smi took|Number of GPUs being used|Create Store|Arguments: train$|"
    r"(Reading (default|provided)|Final) configuration|Process 1 is a worker|Detected entry point|"
    r"Worker algo-1 finished|wait_for_all_workers|All workers finished|Serializing to |Successfully serialized"
)


class TrainingProgress:
    """Takes the lines of a training log; shows the epoch, losses, speed and the time left.

    stream : a terminal, or None to show nothing
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._epochs: int | None = None
        self._epoch = 0
        self._done = 0
        self._loss = ""
        self._best: tuple[str, int] | None = None  # loss, epoch
        self._throughput = ""
        self._began: float | None = None
        self._shown = False
        self._over = False

    def take(self, line: str) -> bool:
        """Learn from a line; whether all it says is in what is shown, so that nobody has to read it."""
        if found := _EPOCHS.search(line):
            self._epochs = int(found[1])
        elif found := _LOSS.search(line):
            self._learn(int(found[1]), found[3], whole_epoch=found[2] is None)
        elif found := _THROUGHPUT.search(line):
            self._throughput = found[1]
        elif line.endswith("best epoch loss so far"):
            self._best = self._loss, self._epoch
        else:
            self._over = self._over or "Final loss: " in line
            return _NOTED.search(line) is not None
        return True

    def _learn(self, epoch: int, loss: str, *, whole_epoch: bool) -> None:
        if self._began is None:
            self._began = time.monotonic()
        self._epoch, self._loss = epoch, loss
        self._done = epoch + whole_epoch

    def line(self, width: int = 200) -> str | None:
        """In at most `width` columns: a shorter bar, then fewer facts, those that matter most last to go.

        None before training has begun and when it is over, and when the number of epochs is not known.
        """
        if self._began is None or self._epochs is None or self._over:
            return None
        fraction = min(1.0, self._done / self._epochs)
        facts = self._facts(fraction)
        for left_out in ("", "speed", "stop", "best", "left", "loss"):
            facts.pop(left_out, None)
            told = "".join(f"  {one}" for one in facts.values())
            begin = f"epoch {self._epoch + 1} of {self._epochs} "
            if (room := width - len(begin) - len(told)) >= _SHORT:
                return begin + _bar(fraction, min(room, _WIDTH)) + told
        return begin[:width]

    def _facts(self, fraction: float) -> dict[str, str]:
        facts = {"loss": f"loss {_number(self._loss)}"}
        if self._best is not None:
            facts["best"] = f"best {_number(self._best[0])} in epoch {self._best[1] + 1}"
        if self._throughput:
            facts["speed"] = f"{_number(self._throughput)} examples/s"
        if self._done and self._began is not None:
            facts["left"] = f"{_clock((time.monotonic() - self._began) * (1 - fraction) / fraction)} left"
        facts["stop"] = "ctrl-C stops"
        return facts

    def draw(self) -> None:
        line = self.line(shutil.get_terminal_size().columns - 1)
        if self._stream is not None and line is not None:
            self._shown = True
            self._stream.write("\r" + line + "\x1b[K")
            self._stream.flush()

    def hide(self) -> None:
        """Take the line away because something else is printed."""
        if self._stream is not None and self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._shown = False


def _bar(fraction: float, width: int) -> str:
    full = round(fraction * width)
    return "━" * full + "╌" * (width - full)


def _number(text: str) -> str:
    """Four digits, always as many of them, so that what stands behind does not move; or an integer."""
    try:
        number = float(text)
    except ValueError:
        return text[:20]
    return f"{number:,.0f}" if 1000 <= abs(number) < 1e9 else f"{number:#.4g}"


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
