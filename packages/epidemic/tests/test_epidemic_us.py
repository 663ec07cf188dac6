"""The real US data through the warehouse: the same Panel as without it, and no look ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from restframe_epidemic import backtest, country, panel_reading
from restframe_epidemic.cli.arguments import shown
from restframe_epidemic.panel import Panel
from restframe_epidemic.pipeline.ingest import ingest
from restframe_epidemic.store import Store

SOURCES = ("county_features", "adjacency", "case_history", "policies", "interventions")


@pytest.fixture(scope="module")
def store(covid_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("us") / "warehouse") as store:
        store.prepare()
        with shown() as watching:
            outcomes = ingest(store, country.read("us"), covid_directory, watching, only=SOURCES)
        assert {outcome.status for outcome in outcomes} == {"read"}
        yield store


@pytest.mark.slow
def test_a_warehouse_gives_the_panel_that_the_files_give(store: Store, covid_panel: Callable[[str], Panel]) -> None:
    ours, theirs = panel_reading.read(store, country.read("us"), "2020-07-06"), covid_panel("2020-07-06")
    assert ours.locations == theirs.locations
    assert (len(ours.locations), len(ours.groups), ours.top) == (3142, 51, "US")
    assert ours.notices == ()
    for name in ("daily", "features", "signals", "capacity", "severity"):
        one, other = getattr(ours, name), getattr(theirs, name)
        assert set(one) == set(other)
        for key in one:
            np.testing.assert_allclose(one[key], other[key], rtol=1e-12, err_msg=key)
    np.testing.assert_allclose(ours.age_share, theirs.age_share, atol=1e-7)  # people are rounded to six digits
    assert ours.parameters == theirs.parameters
    assert [near.tolist() for near in ours.neighbours] == [near.tolist() for near in theirs.neighbours]


@pytest.mark.slow
def test_a_warehouse_that_ends_on_a_day_gives_the_panel_of_that_day_bit_for_bit(store: Store) -> None:
    us = country.read("us")
    before = panel_reading.read(store, us, "2020-06-15")
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.run("DELETE FROM epidemic.case_report WHERE date > '2020-06-15'")
        store.run("DELETE FROM epidemic.signal WHERE date > '2020-06-15'")
        truncated = panel_reading.read(store, us)
        raise ZeroDivisionError  # so that the next test has the whole again
    assert str(truncated.as_of) == "2020-06-13"
    assert backtest.fingerprint(truncated) == backtest.fingerprint(before)
    assert backtest.fingerprint(truncated) == backtest.fingerprint(panel_reading.read(store, us).until("2020-06-15"))
