"""How far forecasts were from what came: the scores of SageMaker's DeepAR.

https://docs.aws.amazon.com/sagemaker/latest/dg/deepar-tuning.html
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.floating[Any]]

QUANTILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class Scores:
    """Lower is better; NaN when there was nothing to compare with.

    rmse : of the mean forecast, in the units of the target
    mean_wql : mean of `wql`
    mean_absolute_ql : the same without the division, in the units of the target
    wql : by quantile q, 2 sum |y - f_q| (q where y > f_q, else 1 - q) / sum |y| over all series and steps; infinite
        when it is all 0 that came, and not all that was forecast
    """

    rmse: float
    mean_wql: float
    mean_absolute_ql: float
    wql: dict[float, float]


def quantile_indices(samples: int, quantiles: Sequence[float]) -> list[int]:
    """Which of so many samples in ascending order is each quantile: one that was drawn, never one in between."""
    return [round((samples - 1) * quantile) for quantile in quantiles]


def score(
    samples: Sequence[FloatArray], truths: Sequence[FloatArray], quantiles: Sequence[float] = QUANTILES
) -> Scores:
    """Scores over all observed points of all series together.

    samples : of each series (S, P); a point forecast is one sample
    truths : of each series (P,), NaN where nothing was observed
    """
    squares, losses, total, count = 0.0, np.zeros(len(quantiles)), 0.0, 0
    q = np.array(quantiles, np.float64)[:, np.newaxis]
    for drawn, truth in zip(samples, truths, strict=True):
        observed = ~np.isnan(truth)
        y = truth[observed].astype(np.float64)
        paths = drawn[:, observed].astype(np.float64)
        squares += float(np.sum((paths.mean(axis=0) - y) ** 2))
        # (quantiles, observed points)
        beyond = y - np.sort(paths, axis=0)[quantile_indices(len(paths), quantiles)]
        losses += 2 * np.sum(np.where(beyond > 0, q, q - 1) * beyond, axis=1)
        total += float(np.sum(np.abs(y)))
        count += len(y)
    if not count:
        return Scores(math.nan, math.nan, math.nan, dict.fromkeys(quantiles, math.nan))
    wql = {quantile: _quotient(float(loss), total) for quantile, loss in zip(quantiles, losses, strict=True)}
    mean_wql = sum(wql.values()) / len(wql)
    return Scores(math.sqrt(squares / count), mean_wql, float(np.mean(losses)), wql)


def _quotient(loss: float, total: float) -> float:
    if total:
        return loss / total
    return math.inf if loss else 0.0
