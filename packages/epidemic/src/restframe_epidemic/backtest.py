"""What members would have forecast on past days, each from data up to that day alone, and what then came.

Ensembles learn from this: their weights, and how wrong they are. Every forecast made is kept in a folder, so that a
day costs only what is new; a file is named after all that it depends on (the data, the member's code, the seed).
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import inspect
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path

import numpy as np

from restframe_epidemic import models, parts
from restframe_epidemic.models import Member, member
from restframe_epidemic.panel import DAYS_OF_WEEK, DateArray, FloatArray, Panel
from restframe_epidemic.parts import Progress

logger = logging.getLogger(__name__)

_PACKAGE = "restframe_epidemic"


@dataclass(frozen=True, slots=True)
class Backtest:
    """Forecasts of M members on T days.

    as_of : (T,) the last day of the data of each, ascending, ends of weeks
    members : (M,) names
    points : (T, M, N, H) expected new reports of the weeks after; NaN where a member had none
    seconds : (T, M) what each forecast took; 0 where it was read from the folder
    failures : of the members that failed on some day, for people
    """

    as_of: DateArray
    members: tuple[str, ...]
    points: FloatArray
    seconds: FloatArray
    failures: tuple[str, ...] = ()

    def of(self, member: str) -> FloatArray:
        """(T, N, H)"""
        points: FloatArray = self.points[:, self.members.index(member)]
        return points

    def before(self, day: np.datetime64) -> Backtest:
        """The forecasts made on days before `day`."""
        earlier = self.as_of < day
        return Backtest(self.as_of[earlier], self.members, self.points[earlier], self.seconds[earlier], self.failures)


@dataclass(frozen=True, slots=True)
class _Task:
    members: tuple[str, ...]
    horizons: int
    target: str
    seed: int
    folder: Path | None
    named: dict[str, Member] = field(default_factory=dict)  # members that are functions, not names of modules


def past(panel: Panel, weeks: int) -> DateArray:
    """The ends of the `weeks` weeks before the last, as far as the Panel has reports."""
    return panel.weeks[max(len(panel.weeks) - 1 - weeks, 0) : -1]


def truth(panel: Panel, as_of: DateArray, horizons: int, *, target: str = "cases") -> FloatArray:
    """(T, N, H) what was reported in the weeks after each day, as the Panel knows it; NaN where it does not yet."""
    weekly = as_reported(panel, target)
    last = np.searchsorted(panel.weeks, as_of)
    result = np.full((len(as_of), len(weekly), horizons), np.nan)
    for t, week in enumerate(last):
        known = weekly[:, week + 1 : week + 1 + horizons]
        result[t, :, : known.shape[1]] = known
    return result


def as_reported(panel: Panel, target: str = "cases") -> FloatArray:
    """(N, W) weekly differences of the cumulative counts, dumps and all: what forecasts are scored against.

    Not under 0; where a count is missing, what cleansing made of the week. A Panel made by hand may have only that.
    """
    weekly = panel.weekly(target)
    if target not in panel.reported:
        return weekly
    steps = np.diff(panel.reported[target][:, ::DAYS_OF_WEEK], axis=1)
    return np.where(np.isnan(steps), weekly, np.maximum(steps, 0.0))


def run(
    panel: Panel,
    as_of: DateArray,
    members: Iterable[str],
    horizons: int = 8,
    *,
    target: str = "cases",
    seed: int = 0,
    folder: Path | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    within: Progress | None = None,
    functions: dict[str, Member] | None = None,
) -> Backtest:
    """Let each member forecast on each day.

    as_of : (T,) ends of weeks of the Panel
    folder : where forecasts are kept and looked for; None keeps nothing
    workers : processes; the result does not depend on their number
    progress : called with (days done, all days)
    within : called with (places done, all places) when one process does all, by a member that takes long: one with a
        parameter `parts`, where it keeps what it has finished and looks for it
    functions : members that are not modules of this package, by name
    A member that fails leaves NaN and a line in `failures`, and costs the others nothing. NaN is also what all say of a
    place whose last week is not known.
    UsageError for a name that is no member.
    """
    task = _Task(tuple(members), horizons, target, seed, folder, functions or {})
    for name in set(task.members) - set(task.named) - set(models.MEMBERS):
        member(name)  # says that there is none
    days = list(np.sort(as_of))
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        parts.forget(folder)
    results: list[tuple[FloatArray, FloatArray, list[str]]] = []
    for result in _map(panel, days, task, workers, within):
        results.append(result)
        if progress is not None:
            progress(len(results), len(days))
    shape = (0, len(task.members), len(panel.locations), horizons)
    return Backtest(
        np.array(days, dtype="datetime64[D]"),
        task.members,
        np.stack([points for points, _, _ in results]) if results else np.zeros(shape),
        np.stack([seconds for _, seconds, _ in results]) if results else np.zeros(shape[:2]),
        tuple(line for _, _, lines in results for line in lines),
    )


def _map(
    panel: Panel, days: Sequence[np.datetime64], task: _Task, workers: int, within: Progress | None
) -> Iterable[tuple[FloatArray, FloatArray, list[str]]]:
    if workers <= 1 or len(days) < 2:
        for day in days:
            yield _day(panel, day, task, within)
        return
    # Not forked: the threads of numba and LightGBM do not survive it.
    others = set(active_children())
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin, initargs=(panel, task)) as pool:
        try:
            yield from pool.map(_day_of_worker, days)
        except BaseException:  # ctrl-C: leaving would wait until every day is done, and days that are kept are kept
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in set(active_children()) - others:
                worker.terminate()
            raise


_WORKER: list[tuple[Panel, _Task]] = []


def _begin(panel: Panel, task: _Task) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ctrl-C reaches the workers too: they go without a word
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _WORKER[:] = [(panel, task)]


def _end_with_parent() -> None:
    """A worker of a process that was killed would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _day_of_worker(day: np.datetime64) -> tuple[FloatArray, FloatArray, list[str]]:
    panel, task = _WORKER[0]
    return _day(panel, day, task)


def _day(
    whole: Panel, day: np.datetime64, task: _Task, within: Progress | None = None
) -> tuple[FloatArray, FloatArray, list[str]]:
    panel = whole.until(day)
    data = fingerprint(panel) if task.folder is not None else ""
    points = np.full((len(task.members), len(panel.locations), task.horizons), np.nan)
    seconds, failures = np.zeros(len(task.members)), []
    for m, name in enumerate(task.members):
        path = _path(task, name, data)
        if path is not None and (kept := parts.read(path, points[m].shape)) is not None:
            points[m] = kept
            path.touch()  # still in use
            continue
        began = time.perf_counter()
        try:
            function: Callable[..., FloatArray] = task.named.get(name) or member(name)
            if task.folder is not None and "parts" in inspect.signature(function).parameters:
                function = functools.partial(function, parts=parts.of(task.folder, _name(task, name, data), within))
            points[m] = function(panel, task.horizons, target=task.target, seed=task.seed)
        except Exception as error:  # a member is anybody's code, and none may stop the day
            logger.warning("%s failed on %s", name, day, exc_info=True)
            failures.append(f"{name} failed on {day}: {type(error).__name__}: {str(error)[:100]}")
            continue
        seconds[m] = time.perf_counter() - began
        if path is not None:
            parts.write(path, points[m])
    # some take a week that is not known for one without reports
    points[:, ~np.isfinite(panel.weekly(task.target)[:, -1])] = np.nan
    return points, seconds, failures


def _path(task: _Task, name: str, data: str) -> Path | None:
    if task.folder is None or name in task.named:
        return None
    return task.folder / f"{_name(task, name, data, f' {task.target}')}.npy"


def _name(task: _Task, name: str, data: str, target: str = "") -> str:
    """Of a forecast; without its target, of what both targets are made from."""
    code = "" if name in task.named else _code(f"{models.__name__}.{models.MEMBERS[name]}")
    said = f"{data} {code}{target} {task.horizons} {task.seed}"
    return f"{name}-{hashlib.sha256(said.encode()).hexdigest()[:24]}"


def fingerprint(panel: Panel) -> str:
    """Of everything a member may look at."""
    digest = hashlib.sha256()
    levels = tuple(level.codes for level in panel.levels)
    texts = panel.locations, levels, str(panel.dates[0]), sorted(panel.parameters.items())
    digest.update(repr(texts).encode())
    touching = np.array([len(places) for places in panel.neighbours])
    arrays = [panel.group, panel.population, panel.age_from, panel.age_share, panel.irregular, panel.holiday]
    arrays += [touching, *panel.neighbours, *(level.of for level in panel.between)]
    for named in (
        panel.daily, panel.before, panel.reported, panel.features, panel.capacity, panel.severity, panel.signals
    ):  # fmt: skip
        digest.update(repr(sorted(named)).encode())
        arrays += [named[name] for name in sorted(named)]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


@functools.cache
def _code(module: str) -> str:
    """Digest of the source of a module and of whatever of this package it imports, however indirectly; and of the
    tables that lie beside them."""
    digest, seen, todo = hashlib.sha256(), {module}, [module]
    while todo:
        origin = _source(todo.pop())
        if origin is not None:
            source = origin.read_bytes()
            digest.update(source)
            for table in sorted(origin.parent.glob("*.csv")):
                digest.update(table.read_bytes())
            new = _imports(source) - seen
            seen |= new
            todo += sorted(new)
    return digest.hexdigest()


def _source(module: str) -> Path | None:
    """None for a name inside a module."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec is not None and spec.origin is not None else None


def _imports(source: bytes) -> set[str]:
    """Dotted names; what is imported from a module may be a module itself."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name for name in names if name.startswith(_PACKAGE)}
