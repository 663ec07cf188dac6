"""Forecasts of several models beside what came, and the tables that say how good they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from restframe_epidemic import scores
from restframe_epidemic.panel import BoolArray, DateArray, FloatArray

REFERENCE = "persistence"
NOMINAL = (0.5, 0.95)


@dataclass(frozen=True, slots=True)
class Scored:
    """T days of forecasts of H weeks for N places.

    dates : (T,) the last day of the data that each forecast saw
    truth : (T, N, H) reports of single weeks; NaN where not known
    points : by model (T, N, H), of single weeks
    quantiles : by model (T, N, H, levels), of single weeks; REFERENCE has them too
    model : the one whose quantiles are judged
    short : (T, N) places whose history was short on that day
    names : (N,) of the places, for people
    published : by name (T, N, H), points of others as **sums over weeks 1..h**; NaN where they had none
    published_truth : (T, N, H), such sums; where it is not given, errors are relative to REFERENCE
    baseline : the published model that errors are relative to
    recent : (T, N, W) reports of the weeks up to each date, for plots
    level : what the places are called together (county), for people
    above : the same of each level above, nearest first, whose places are its codes
    """

    dates: DateArray
    truth: FloatArray
    points: Mapping[str, FloatArray]
    quantiles: Mapping[str, FloatArray]
    model: str
    short: BoolArray
    locations: tuple[str, ...]
    names: tuple[str, ...]
    published: Mapping[str, FloatArray] = field(default_factory=dict)
    published_truth: FloatArray | None = None
    baseline: str = ""
    recent: FloatArray = field(default_factory=lambda: np.zeros((0, 0, 0)))
    level: str = ""
    above: tuple[Scored, ...] = ()

    @property
    def sums(self) -> tuple[FloatArray, FloatArray]:
        """Truth and the points that errors are relative to, both (T, N, H) sums over weeks 1..h."""
        if self.published_truth is not None and self.baseline in self.published:
            return self.published_truth, self.published[self.baseline]
        return np.cumsum(self.truth, axis=2), np.cumsum(self.points[REFERENCE], axis=2)

    @property
    def reference_name(self) -> str:
        return self.baseline if self.published_truth is not None and self.baseline in self.published else REFERENCE


def overview(scored: Scored) -> pd.DataFrame:
    """One row per model and horizon: errors of points, of sums over weeks 1..h; scores of quantiles, of week h."""
    summed = {name: np.cumsum(points, axis=2) for name, points in scored.points.items()}
    published = {name: points for name, points in scored.published.items() if name != scored.baseline}
    truth, reference = scored.sums
    rows = []
    for name, points in {**summed, **published}.items():
        for h in range(scored.truth.shape[2]):
            if not (np.isfinite(points[..., h]) & np.isfinite(truth[..., h]) & np.isfinite(reference[..., h])).any():
                continue
            arrays = truth[..., h], points[..., h], reference[..., h]
            pooled, _ = scores.relative_mae_by_date(*arrays)
            row = {
                "model": name,
                "horizon": h + 1,
                "dates": int(np.isfinite(arrays[0] + arrays[1] + arrays[2]).any(axis=1).sum()),
                "relative_mae": pooled.value,
                "mae_low": pooled.low,
                "mae_high": pooled.high,
                "relative_log_mae": scores.relative_mae(*arrays, log=True),
            }
            rows.append(row | (_of_quantiles(scored, name, h) if name in scored.quantiles else {}))
    return pd.DataFrame(rows)


def _of_quantiles(scored: Scored, name: str, h: int) -> dict[str, float]:
    truth, quantiles = scored.truth[..., h], scored.quantiles[name][..., h, :]
    relative, _ = scores.relative_wis_by_date(truth, quantiles, scored.quantiles[REFERENCE][..., h, :])
    return {
        "relative_wis": relative.value,
        "wis_low": relative.low,
        "wis_high": relative.high,
        **_coverage(truth, quantiles),
    }


def _coverage(truth: FloatArray, quantiles: FloatArray) -> dict[str, float]:
    """NaN without any quantiles: an epidemic's first days have them only of horizons that have come true once."""
    held = {f"coverage_{100 * n:.0f}": scores.inside(truth, quantiles, n) for n in NOMINAL}
    return {name: float(np.nanmean(each)) if np.isfinite(each).any() else np.nan for name, each in held.items()}


def by_level(scored: Scored) -> pd.DataFrame:
    """As overview, of the model alone, of the places and of each level above; all errors are relative to REFERENCE,
    since others publish points of places alone."""
    frames = []
    for at in (scored, *scored.above):
        points = {name: at.points[name] for name in (at.model, REFERENCE)}
        found = overview(replace(at, points=points, published={}, published_truth=None))
        known = np.isfinite(np.cumsum(at.truth + at.points[at.model], axis=2)).sum(axis=(0, 1))
        if len(found):
            found = found[found["model"] == at.model].drop(columns="model")
            found.insert(0, "class", at.level)
            found.insert(1, "forecasts", known[found["horizon"] - 1])
            frames.append(found)
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def by_size(scored: Scored) -> pd.DataFrame:
    """As overview, of the model alone, by the size of its forecast and by horizon."""
    return _classes(scored, scores.size_class(scored.points[scored.model]), scores.SIZE_NAMES)


def by_history(scored: Scored) -> pd.DataFrame:
    """Places with a short history apart from the others."""
    short = np.broadcast_to(scored.short[:, :, None], scored.truth.shape).astype(np.int64)
    return _classes(scored, short, ("long history", "short history"))


def _classes(scored: Scored, classes: np.ndarray, names: tuple[str, ...]) -> pd.DataFrame:
    truth, reference = scored.sums
    points = np.cumsum(scored.points[scored.model], axis=2)
    frames = []
    for h in range(scored.truth.shape[2]):
        frame = scores.by_class(
            classes[..., h],
            scored.truth[..., h],
            scored.quantiles[scored.model][..., h, :],
            scored.quantiles[REFERENCE][..., h, :],
            truth[..., h],
            points[..., h],
            reference[..., h],
            names,
        )
        frames.append(frame.assign(horizon=h + 1))
    return pd.concat(frames, ignore_index=True)


def by_date(scored: Scored) -> pd.DataFrame:
    """One row per date and horizon: relative error, relative WIS, coverage of the model."""
    truth, reference = scored.sums
    points = np.cumsum(scored.points[scored.model], axis=2)
    rows = []
    for h in range(scored.truth.shape[2]):
        _, error = scores.relative_mae_by_date(truth[..., h], points[..., h], reference[..., h])
        y, q = scored.truth[..., h], scored.quantiles[scored.model][..., h, :]
        _, wis = scores.relative_wis_by_date(y, q, scored.quantiles[REFERENCE][..., h, :])
        for t, day in enumerate(scored.dates):
            if not np.isfinite(y[t]).any():
                continue
            row = {"date": day, "horizon": h + 1, "relative_mae": error[t], "relative_wis": wis[t]}
            rows.append(row | _coverage(y[t], q[t]))
    return pd.DataFrame(rows)
