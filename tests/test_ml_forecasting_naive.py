"""What was a season ago comes again."""

from __future__ import annotations

import numpy as np
import pytest

from restframe.ml.forecasting.naive import seasonal_naive

NAN = float("nan")


@pytest.mark.parametrize(
    ("target", "season", "forecast"),
    [
        ([1, 2, 3, 4, 5, 6], 3, [4, 5, 6, 4, 5]),
        ([1, 2, 3, 4], 3, [2, 3, 4, 2, 3]),
        ([1, 2, 3, 4], 1, [4, 4, 4, 4, 4]),
        ([1, 2, 3, NAN, 5, NAN], 3, [1, 5, 3, 1, 5]),
        ([7, 8], 4, [8, 8, 7, 8, 8]),
        ([NAN, 2, NAN], 1, [2, 2, 2, 2, 2]),
        ([NAN, NAN], 2, [0, 0, 0, 0, 0]),
        ([], 7, [0, 0, 0, 0, 0]),
    ],
)
def test_the_last_observation_at_the_same_place_of_a_season(
    target: list[float], season: int, forecast: list[float]
) -> None:
    assert seasonal_naive(np.array(target, float), 5, season).tolist() == forecast
