"""What ran: of every run its inputs and versions, of every step its time and how it ended.

A run is named after what it depends on (day, data, code, options, earlier runs), so that the same command on the same
data is the same run, and stands in the tables once, however often it was begun.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

import restframe_epidemic
from restframe_epidemic import backtest, errors
from restframe_epidemic.panel import Panel
from restframe_epidemic.store import Store

logger = logging.getLogger(__name__)

Say = Callable[[str], None]
Progress = Callable[[str, int, int], None]  # what, done, of how many
Earlier = tuple[str, str, date, str]  # model, target, day and run_id of a forecast that was made on that day
_EARLIER = ("model_id", "target", "reference_date", "earlier_run_id")
_LONGEST = 4000  # characters of a step's detail
_SHOWN = 300  # of them on the screen
_MODELS = (
    "backtest.py",
    "daily.py",
    "earlier.py",
    "hierarchy.py",
    "hospital.py",
    "panel.py",
    "panel_reading/*.py",
    "pipeline/series.py",
    "models/**/*.py",
    "models/**/*.csv",
    "ensemble/**/*.py",
    "scores.py",
)


@cache
def model_version() -> str:
    """The package's version, and a digest of the code that forecasts and beds come from."""
    digest = hashlib.sha256()
    package = Path(restframe_epidemic.__file__).parent
    for path in sorted({path for pattern in _MODELS for path in package.glob(pattern)}):
        digest.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes())
    return f"{restframe_epidemic.__version__}+{digest.hexdigest()[:12]}"


def data_vintage(panel: Panel) -> str:
    """The last day of the reports, and a digest of all that a model may look at."""
    return f"{panel.as_of}+{backtest.fingerprint(panel)[:12]}"


@dataclass
class Step:
    """One step while it runs; what it learns about itself is written down at its end.

    notes, details : for the screen and the table, for the table alone
    """

    name: str
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    began: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0
    status: str = "done"
    rows: int | None = None
    notes: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)

    def failed(self, *reasons: str) -> None:
        """What it was there for was not done, or in part."""
        self.status = "failed"
        self.notes += reasons

    def skipped(self, reason: str) -> None:
        """There was nothing to do, which is no failure."""
        self.status = "skipped"
        self.notes.append(reason)

    def reused(self, rows: int | None = None) -> None:
        """What an earlier attempt had finished was taken."""
        self.status = "reused"
        self.rows = rows if rows is not None else self.rows


class Run:
    """A run in the tables. Steps before `begin` are kept until the run has a name.

    A step that fails is written down, and whether the others go on is the caller's: `step(..., optional=True)` does.
    """

    def __init__(
        self,
        store: Store,
        command: str,
        options: Mapping[str, Any],
        *,
        say: Say = logger.info,
        progress: Progress = lambda what, done, of: None,
    ) -> None:
        self.store = store
        self.command = command
        self.options = json.dumps(dict(options), sort_keys=True, default=str)
        self.say = say
        self.progress = progress
        self.run_id = ""
        self.failed: list[str] = []
        self.finished: dict[str, int | None] = {}  # steps that an earlier attempt at this run had done, and their rows
        self._started = datetime.now(UTC)
        self._waiting: list[Step] = []

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """After ctrl-C the run stays as after a crash: it runs until somebody goes on with it."""
        if self.run_id and (kind is None or issubclass(kind, Exception)):
            self.end(failed=kind is not None)

    def begin(self, panel: Panel, earlier: Sequence[Earlier] = ()) -> None:
        """Name the run after the day, the data, the code, the options and the earlier runs that it learns from, and
        write down that it runs, and which these are.
        """
        self.begin_on(str(panel.as_of), data_vintage(panel), earlier)

    def begin_on(self, reference_date: str, vintage: str, earlier: Sequence[Earlier] = ()) -> None:
        """As `begin`, of data that are no Panel."""
        version = model_version()
        said = "\0".join([self.command, version, vintage, self.options, *(" ".join(map(str, row)) for row in earlier)])
        self.run_id = f"{reference_date}-{hashlib.sha256(said.encode()).hexdigest()[:12]}"
        done = "SELECT step, rows FROM epidemic.run_step WHERE run_id = $1 AND status IN ('done', 'reused')"
        self.finished = dict(self.store.run(done, [self.run_id]).fetchall())
        with self.store.transaction():
            self.store.run("DELETE FROM epidemic.run WHERE run_id = $1", [self.run_id])
            self.store.run(
                "INSERT INTO epidemic.run VALUES ($1, $2, CAST($3 AS date), $4, $5, $6, $7, NULL, 'running')",
                [self.run_id, self.command, reference_date, version, vintage, self.options, _utc(self._started)],
            )
            columns = dict(zip(_EARLIER, zip(*earlier, strict=True), strict=True)) if earlier else {}
            mine = pa.table({"run_id": pa.repeat(self.run_id, len(earlier)), **columns})
            self.store.replace("epidemic.run_earlier", mine, {"run_id": self.run_id})
        for step in self._waiting:
            self._write(step)

    @contextlib.contextmanager
    def step(self, name: str, *, optional: bool = False) -> Iterator[Step]:
        """Run a step. What goes wrong in an optional one is told, written down, and the run goes on."""
        step = Step(name)
        try:
            yield step
        except Exception as error:
            step.failed(f"{type(error).__name__}: {str(error)[:300]}")
            if not isinstance(error, errors.Error):  # those say all there is to say
                logger.warning("step %s failed", name, exc_info=True)
            self._ended(step)
            if not optional:
                raise
        else:
            self._ended(step)

    def _ended(self, step: Step) -> None:
        step.seconds = time.perf_counter() - step.began
        if step.status == "failed":
            self.failed.append(step.name)
        if self.run_id:
            self._write(step)
        else:
            self._waiting.append(step)
        self.say(_line(step))

    def fallback(self, model_id: str, target: str, locations: Sequence[str], reasons: Sequence[str]) -> None:
        """Write down the places that a model could not judge."""
        key = {"run_id": self.run_id, "model_id": model_id, "target": target}
        count = len(locations)
        rows = {name: pa.repeat(pa.scalar(value, pa.string()), count) for name, value in key.items()}
        self.store.replace(
            "epidemic.run_fallback",
            pa.table({**rows, "location": pa.array(locations, pa.string()), "reason": pa.array(reasons, pa.string())}),
            key,
        )

    def end(self, *, failed: bool = False) -> None:
        """Write down that it has ended, and whether it or a step failed."""
        self.store.run(
            "UPDATE epidemic.run SET finished = $1, status = $2 WHERE run_id = $3",
            [_utc(datetime.now(UTC)), "failed" if failed or self.failed else "done", self.run_id],
        )

    def _write(self, step: Step) -> None:
        with self.store.transaction():
            self.store.run("DELETE FROM epidemic.run_step WHERE run_id = $1 AND step = $2", [self.run_id, step.name])
            self.store.run(
                "INSERT INTO epidemic.run_step VALUES ($1, $2, $3, $4, $5, $6, $7)",
                [
                    self.run_id,
                    step.name,
                    _utc(step.started),
                    step.seconds,
                    step.status,
                    step.rows,
                    "; ".join([*step.notes, *step.details])[:_LONGEST] or None,
                ],
            )


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _line(step: Step) -> str:
    rows = "" if step.rows is None else f", {step.rows:,} rows"
    status = "" if step.status == "done" else f" {step.status}"
    notes = f": {_short(step.notes)}" if step.notes else ""
    return f"{step.name}{status} ({step.seconds:.1f} s{rows}){notes}"


def _short(notes: Sequence[str]) -> str:
    """The first ones; the table has all."""
    text = notes[0]
    text = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 4]} ..."
    for at, note in enumerate(notes[1:], 1):
        if len(text) + len(note) > _SHOWN:
            return f"{text}; and {len(notes) - at} more in epidemic.run_step"
        text += f"; {note}"
    return text
