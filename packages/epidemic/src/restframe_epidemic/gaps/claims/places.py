"""Where made-up patients live: the warehouse's own places, with the epidemic that they had."""

from __future__ import annotations

import numpy as np

from restframe_epidemic.gaps.claims.design import Places
from restframe_epidemic.store import Store


def read(store: Store, seed: int) -> Places:
    """The places of epidemic.location below which there are none, but for those without people.

    Their incidence is the rank of all cases per person, from 0 to 1; drawn at random where there are no reports at all.
    NoData without places.
    """
    rows = store.run(
        """
        SELECT place.location, coalesce(place.parent, ''), CAST(place.population AS float8),
            CAST(sum(reported.cases) AS float8) / place.population
        FROM epidemic.location AS place
        LEFT JOIN epidemic.location AS below ON below.parent = place.location
        LEFT JOIN epidemic.incidence AS reported ON reported.location = place.location
        WHERE below.location IS NULL AND place.population > 0
        GROUP BY place.location, place.parent, place.population
        ORDER BY place.location
        """
    ).fetchall()
    cases = np.array([np.nan if row[3] is None else row[3] for row in rows], dtype=np.float64)
    if np.isnan(cases).all():
        cases = np.random.default_rng([seed, 0]).random(len(rows))
    rank = np.argsort(np.argsort(np.nan_to_num(cases), kind="stable"), kind="stable")
    return Places(
        location=tuple(str(row[0]) for row in rows),
        parent=tuple(str(row[1]) for row in rows),
        population=np.array([row[2] for row in rows], dtype=np.float64),
        incidence=rank / max(1, len(rows) - 1),
    )
