"""Gradient-boosted trees on the same lessons as the direct regression: what is not linear, and which features interact.

LightGBM with the L1 loss on log growth; the weights make it, nearly, the absolute error in reports. Many small,
strongly regularised trees, each from a part of the rows and features: the lessons of one week are alike, and so worth
far fewer than their number. They see reports alone: by policies and social determinants, of which each group or place
has but one row, trees tell groups and places apart instead of epidemics.

Ke et al.: LightGBM: a highly efficient gradient boosting decision tree, NIPS 2017. The hub's best long-running model of
US counties, LNQ-ens1, is built on such trees too (its metadata in the COVID-19 Forecast Hub).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import lightgbm
import numpy as np

from restframe_epidemic.models import features
from restframe_epidemic.models.examples import Examples, Lessons
from restframe_epidemic.panel import FloatArray, Panel

WINDOW_WEEKS = 12
TREES = 150
PARAMETERS: dict[str, Any] = {
    "objective": "regression_l1",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 200,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "max_bin": 63,
    "verbose": -1,
    # one thread, and nothing that depends on timing: the same bits everywhere
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
}


def forecast(panel: Panel, horizons: int, *, target: str = "cases", seed: int = 0) -> FloatArray:
    """(N, horizons) medians of new reports; NaN everywhere in the first weeks of all."""
    seen = (column for column in features.wide(panel, target) if not column[0].startswith(features.OF_THE_SURROUNDINGS))
    known = Examples.of(panel, target, seen)
    return known.reports(known.growth(horizons, partial(_learn, seed=seed), WINDOW_WEEKS))


def _learn(lessons: Lessons, now: FloatArray, *, seed: int) -> FloatArray:
    if len(lessons.growth) == 1:  # of which a part is nothing, which LightGBM refuses
        return np.repeat(lessons.growth, len(now))
    x = lessons.x.astype(np.float32)
    rows = lightgbm.Dataset(x, lessons.growth, weight=lessons.weight, params={"max_bin": 63, "verbose": -1})
    trees = lightgbm.train(PARAMETERS | {"seed": seed % 2**31}, rows, TREES)
    return np.asarray(trees.predict(now.astype(np.float32), num_threads=1), dtype=np.float64)
