"""The regression of growth on little: it learns growth that places share, and looks at nothing later."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from restframe_epidemic import panel_reading
from restframe_epidemic.models import growth
from restframe_epidemic.panel import Panel


@pytest.fixture(scope="module")
def waves() -> Panel:
    """Forty places in four groups, 26 weeks of waves that come every 12 weeks, to each group at another time."""
    rng = np.random.default_rng(0)
    codes = [f"{g}{i:02d}" for g in "abcd" for i in range(10)]
    dates = pd.date_range("2021-01-02", periods=7 * 26 + 1)
    days = np.arange(len(dates))
    phase = {"a": 0.0, "b": 0.2, "c": 0.4, "d": 0.7}
    frames = []
    for code in codes:
        wave = 2.5 * np.sin(2 * np.pi * (days / 84 + phase[code[0]]))
        cases = np.cumsum(rng.poisson(rng.uniform(5, 30) * 2**wave))
        frames.append(pd.DataFrame({"location": code, "date": dates, "cases": cases, "deaths": 0}))
    locations = pd.DataFrame({"location": codes, "parent": [code[0] for code in codes], "population": 50_000})
    above = pd.DataFrame({"location": ["a", "b", "c", "d"], "parent": None, "population": 500_000})
    return panel_reading.from_frames(pd.concat(frames), pd.concat([locations, above]))


def test_growth_that_places_share_is_learned(waves: Panel):
    known = waves.until(waves.weeks[-5])
    truth = waves.weekly()[:, -4:]
    points = growth.forecast(known, 4)
    last = np.repeat(known.weekly()[:, -1:], 4, axis=1)
    assert (np.abs(points - truth).sum(axis=0) < 0.6 * np.abs(last - truth).sum(axis=0)).all()


def test_later_reports_change_no_bit(waves: Panel):
    known = waves.until(waves.weeks[-5])
    again = waves.until(waves.weeks[-2]).until(waves.weeks[-5])
    assert (growth.forecast(known, 8) == growth.forecast(again, 8)).all()


def test_weeks_beyond_those_learned_are_as_the_last(waves: Panel):
    points = growth.forecast(waves, 8)
    assert (points[:, 4:] == points[:, 3:4]).all()
    assert (points >= 0).all()


def test_in_the_first_weeks_there_is_nothing_to_say(waves: Panel):
    assert np.isnan(growth.forecast(waves.until(waves.weeks[9]), 4)).all()
    assert np.isfinite(growth.forecast(waves.until(waves.weeks[14]), 4)).all()
