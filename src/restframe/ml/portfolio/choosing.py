"""The portfolio: hold out the end of the series, let every candidate forecast it, take the best one.

Several ends are held out where the series are long enough: the last P steps, the P before those, and so on. A
candidate learns once, from what was known before the first of them, and forecasts each from all that was known then.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from restframe import errors
from restframe.ml.forecasting.series import Series
from restframe.ml.portfolio.candidates import Candidate, Forecaster, SeasonalNaive, Skipped, Task
from restframe.ml.portfolio.deepar import DeepAR
from restframe.ml.portfolio.objectives import Forecast, Trial, error

_MOST_WINDOWS = 3
_HISTORY = 3  # horizons that must be left before the first window of several

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Tried:
    """error : of the hold-out; None when the candidate was skipped, and then `skipped` says why"""

    name: str
    error: float | None
    skipped: str | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the portfolio has found.

    forecasts : of all series, behind their ends, by the winner
    windows : how often an end of P steps was held out
    remarks : whole sentences for SHOW MODEL
    """

    winner: str
    tried: tuple[Tried, ...]
    forecasts: list[Forecast]
    windows: int
    remarks: tuple[str, ...]


def choose(series: Sequence[Series], task: Task, objective: str, candidates: Sequence[Candidate], tell: Tell) -> Chosen:
    """Try the candidates, and let the one with the least error learn from everything.

    tell : hears of every step, a line for the log
    DataError when no series has anything to hold out.
    """
    windows = _windows(series, task.steps)
    cut = [_before(one, windows * task.steps) for one in series]
    trials, asked = _trials(series, windows, task.steps)
    if not trials:
        raise errors.DataError(
            f"no series has values both in its last {windows * task.steps} steps and before: nothing can be compared"
        )
    tried = [_try(one, cut, trials, asked, task, objective, tell) for one in candidates]
    scored = [one for one in tried if one.error is not None]
    best = min(scored, key=lambda one: one.error if one.error is not None and not math.isnan(one.error) else math.inf)
    tell(f"Best candidate: {best.name}; learning from all of the data")
    winner = next(one for one in candidates if one.name == best.name)
    remarks = list(_remarks(tried, best, objective))
    try:
        forecasts = winner.learn(series, task)(series)
    except Skipped as reason:
        remarks.append(f"{winner.name} could not learn from all of the data ({reason}): {SeasonalNaive.name} did.")
        best = Tried(SeasonalNaive.name, None)
        forecasts = SeasonalNaive().learn(series, task)(series)
    return Chosen(best.name, tuple(tried), forecasts, windows, tuple(remarks))


def _windows(series: Sequence[Series], steps: int) -> int:
    longest = max(len(one) for one in series)
    return max(1, min(_MOST_WINDOWS, longest // steps - _HISTORY))


def _before(one: Series, steps: int) -> Series:
    """The series without its last steps."""
    return dataclasses.replace(one, target=one.target[: max(len(one) - steps, 0)])


def _trials(series: Sequence[Series], windows: int, steps: int) -> tuple[list[Trial], list[Series]]:
    """Every series at every cut where something is known before it, and something came."""
    trials, asked = [], []
    for window in range(windows, 0, -1):
        for one in series:
            known = _before(one, window * steps)
            truth = one.target[len(known) : len(known) + steps]
            if len(truth) == steps and not np.isnan(known.target).all() and not np.isnan(truth).all():
                trials.append(Trial(known.target, truth))
                asked.append(known)
    return trials, asked


def _try(
    candidate: Candidate,
    cut: Sequence[Series],
    trials: Sequence[Trial],
    asked: Sequence[Series],
    task: Task,
    objective: str,
    tell: Tell,
) -> Tried:
    try:
        forecaster: Forecaster = candidate.learn([one for one in cut if len(one)], task)
        found = error(objective, trials, forecaster(asked), task.levels, task.scored, task.frequency.season)
    except Skipped as reason:
        tell(f"{candidate.name}: skipped: {reason}")
        return Tried(candidate.name, None, f"skipped: {reason}")
    tell(f"{candidate.name}: {objective} {found:.6g} on the hold-out")
    return Tried(candidate.name, found)


def _remarks(tried: Sequence[Tried], best: Tried, objective: str) -> list[str]:
    """What a reader should know of the choice."""
    deepar = next(one for one in tried if one.name == DeepAR.name)
    if all(one.error is None or math.isnan(one.error) for one in tried):
        return [f"{objective} is not defined for these data, so the simplest candidate was taken."]
    if deepar.error is not None and best.name != DeepAR.name:
        return [
            f"DeepAR did not beat the simpler methods on these data: its {objective} on the hold-out is "
            f"{deepar.error:.6g}, that of {best.name} {best.error:.6g}."
        ]
    return []
