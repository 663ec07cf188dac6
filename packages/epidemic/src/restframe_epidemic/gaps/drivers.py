"""What goes with a gap in treatment: local change regressed on the epidemic, policies, social factors and capacity.

One row a place: log((count + 1/2) / (expected + 1/2)) since the epidemic began, all subjects of a measure together, on
standardised drivers, by least squares weighted with how much is known of each place. Effects are shares by which the
measure changes for one standard deviation of a driver, the others held. They are associations: a driver may stand for
another that was not measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from restframe_epidemic import errors
from restframe_epidemic.panel import FloatArray, IntArray

if TYPE_CHECKING:
    import pandas as pd

    from restframe_epidemic.store import Store

_MISSING = 0.3  # of the places; a driver that more of them lack is left out
_ALIKE = 0.95  # correlation from which a driver is told from another no more
_PER_DRIVER = 5  # places that each driver needs
# Variance inflation from which a driver is told by the others together, such as an index by its parts. Their effects
# would be large, of opposite signs, and of no meaning. Kutner et al., Applied Linear Statistical Models, section 10.5.
_INFLATION = 10.0


@dataclass(frozen=True, slots=True)
class Effect:
    """effect, lower, upper : change of the measure for one standard deviation, -0.1 for a tenth less; a 95 % interval

    one_sd : what one standard deviation is, in the driver's own unit. rank : 1 for the largest effect
    """

    driver: str
    rank: int
    effect: float
    lower: float
    upper: float
    one_sd: float
    places: int
    clusters: int


@dataclass(frozen=True, slots=True)
class Explained:
    """effects : by rank. r_squared : weighted. notices : drivers that were left out, and why"""

    effects: tuple[Effect, ...]
    r_squared: float
    notices: tuple[str, ...]


def explain(
    counts: FloatArray, expected: FloatArray, drivers: Mapping[str, FloatArray], clusters: IntArray
) -> Explained:
    """Effects of drivers on counts / expected.

    counts, expected : (N,) >= 0; places with nothing expected tell nothing and are left out
    drivers : by name (N,), NaN where unknown: the median stands there
    clusters : (N,) the group (state) of each place; errors may be correlated within groups

    Intervals: cluster-robust covariance with the CR1 correction G / (G - 1) * (N - 1) / (N - K), and Student's t with
    G - 1 degrees of freedom. Cameron, Miller: A practitioner's guide to cluster-robust inference, Journal of Human
    Resources 50 (2015), sections II and VI. NoData when there are too few places or groups for any.
    """
    from scipy.stats import t as student

    use = (expected > 0) & np.isfinite(counts)
    counts, expected = counts[use], expected[use]
    groups = np.unique(clusters[use], return_inverse=True)[1]
    N, G = len(counts), int(groups.max(initial=-1)) + 1
    names, Z, one_sd, notices = _standardised({name: values[use] for name, values in drivers.items()}, N)
    K = len(names) + 1
    if not names or N <= K or G < 2:
        raise errors.NoData(f"{N} places in {G} groups are too few to explain a change by {len(names)} drivers")
    y = np.log((counts + 0.5) / (expected + 0.5))
    X = np.column_stack([np.ones(N), Z])
    w = _weights(X, y, expected)
    beta, bread = _least_squares(X, y, w)
    residual = y - (X * beta).sum(axis=1)
    scores = np.zeros((G, K))
    np.add.at(scores, groups, X * (w * residual)[:, None])
    V = bread @ np.einsum("gi,gj->ij", scores, scores) @ bread * (G / (G - 1) * (N - 1) / (N - K))
    reach = float(student.ppf(0.975, G - 1)) * np.sqrt(np.diag(V))
    order = np.argsort(-np.abs(beta[1:]), kind="stable") + 1
    effects = []
    for rank, k in enumerate(order, start=1):
        effect, lower, upper = (float(np.expm1(b)) for b in (beta[k], beta[k] - reach[k], beta[k] + reach[k]))
        effects.append(Effect(names[k - 1], rank, effect, lower, upper, float(one_sd[k - 1]), N, G))
    spread = float(w @ (y - w @ y / w.sum()) ** 2)
    return Explained(tuple(effects), 1.0 - float(w @ residual**2) / spread if spread > 0 else 0.0, tuple(notices))


def _least_squares(X: FloatArray, y: FloatArray, w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Coefficients (K,) and the inverse of X' w X. einsum adds in a fixed order; the sums of the linear algebra
    libraries depend on the number of their threads.
    """
    inverse: FloatArray = np.linalg.inv(np.einsum("ni,nj->ij", X * w[:, None], X))
    return inverse @ np.einsum("ni,n->i", X, w * y), inverse


def _weights(X: FloatArray, y: FloatArray, expected: FloatArray) -> FloatArray:
    """1 / (variance of chance + variance between places): the first is about 1 / expected, the second what is left of
    the residuals' variance, by moments.
    """
    chance = 1.0 / (expected + 0.5)
    w = 1.0 / chance
    for _ in range(5):
        beta, _ = _least_squares(X, y, w)
        between = max(0.0, float(w @ ((y - (X * beta).sum(axis=1)) ** 2 - chance)) / float(w.sum()))
        w = 1.0 / (chance + between)
    weights: FloatArray = w
    return weights


def _standardised(
    drivers: Mapping[str, FloatArray], places: int
) -> tuple[list[str], FloatArray, list[float], list[str]]:
    """The drivers that can be told apart, with mean 0 and variance 1: names, (N, K), their standard deviations."""
    names: list[str] = []
    columns: list[FloatArray] = []
    one_sd: list[float] = []
    notices = []
    for name, values in drivers.items():
        known = np.isfinite(values)
        if not known.any() or 1.0 - known.mean() > _MISSING:
            notices.append(f"{name} is left out: it is unknown of {int((~known).sum())} of {places} places")
            continue
        filled = np.where(known, values, np.median(values[known]))
        deviation = float(filled.std())
        if deviation <= 1e-9 * max(1.0, float(np.abs(filled).max())):
            notices.append(f"{name} is left out: it is the same everywhere")
            continue
        z = (filled - filled.mean()) / deviation
        twin = next((n for n, c in zip(names, columns, strict=True) if abs(float(z @ c)) / len(z) > _ALIKE), None)
        if twin is not None:
            notices.append(f"{name} is left out: it goes with {twin}")
        elif (len(names) + 2) * _PER_DRIVER > places:
            notices.append(f"{name} is left out: {places} places are too few for more drivers")
        else:
            names.append(name)
            columns.append(z)
            one_sd.append(deviation)
    Z = np.column_stack(columns) if columns else np.zeros((places, 0))
    told = _told_by_others(Z)
    notices += [f"{names[k]} is left out: the others together tell it" for k in told]
    kept = [k for k in range(len(names)) if k not in told]
    return [names[k] for k in kept], Z[:, kept], [one_sd[k] for k in kept], notices


def _told_by_others(Z: FloatArray) -> list[int]:
    """Columns of standardised Z (N, K) to leave out, most inflated first, until no variance is inflated too much."""
    left = list(range(Z.shape[1]))
    told: list[int] = []
    while len(left) > 1:
        R = Z[:, left].T @ Z[:, left] / len(Z)
        inflation = np.diag(np.linalg.inv(R + 1e-9 * np.eye(len(left))))  # finite where one is exactly a sum of others
        worst = int(inflation.argmax())
        if inflation[worst] <= _INFLATION:
            break
        told.append(left.pop(worst))
    return told


def run(store: Store) -> list[str]:
    """Write `epidemic_gaps.driver`, and publish it, for every measure of mart local_change; returns notices.

    A measure that cannot be explained is left out, with a notice.
    """
    import pandas as pd
    import pyarrow as pa

    change = store.frame(
        """
        SELECT measure, location, sum(events) AS events,
            CAST(sum(CAST(expected AS decimal(32,12))) AS float8) AS expected
        FROM epidemic_gaps.local_change
        WHERE location IN (SELECT location FROM epidemic_published.area) AND months = 1
        GROUP BY 1, 2 ORDER BY 1, 2
        """
    )
    known = _drivers(store)
    places = store.frame("SELECT location, parent FROM epidemic.location").set_index("location")["parent"]
    rows: list[dict[str, Any]] = []
    notices: list[str] = []
    for measure, found in change.groupby("measure"):
        at = found["location"]
        clusters = pd.factorize(at.map(places).fillna("").to_numpy())[0]
        drivers = {str(name): known[name].reindex(at).to_numpy(np.float64) for name in known.columns}
        try:
            explained = explain(
                found["events"].to_numpy(np.float64),
                found["expected"].fillna(0.0).to_numpy(np.float64),
                drivers,
                clusters,
            )
        except errors.NoData as error:
            notices.append(f"{measure}: {error}")
            continue
        notices += [f"{measure}: {notice}" for notice in explained.notices]
        rows += [{"measure": measure, **asdict(effect)} for effect in explained.effects]
    floats = dict.fromkeys(("effect", "lower", "upper", "one_sd"), pa.float64())
    whole = dict.fromkeys(("rank", "places", "clusters"), pa.int32())
    schema = pa.schema({"measure": pa.string(), "driver": pa.string(), **floats, **whole})
    # Effects are of all places together: they tell of no patient, and nothing of them is suppressed.
    told = [row | {name: float(f"{row[name]:.4g}") for name in floats} for row in rows]
    store.replace("epidemic_published.driver", pa.Table.from_pylist(told, schema=schema))
    return notices


def _drivers(store: Store) -> pd.DataFrame:
    """What may drive a change, of each smallest place: a column a driver. What is not there is left out."""
    long = store.frame(
        """
        WITH RECURSIVE climbed (location, ancestor) AS (
            SELECT location, location FROM epidemic.location
            WHERE location NOT IN (SELECT parent FROM epidemic.location WHERE parent IS NOT NULL)
            UNION
            SELECT climbed.location, place.parent
            FROM climbed
            JOIN epidemic.location AS place ON place.location = climbed.ancestor
            WHERE place.parent IS NOT NULL
        ), newest AS (
            SELECT max(reference_date) AS reference_date FROM epidemic.forecast WHERE model_id = 'ensemble'
        )
        SELECT incidence.location, 'reported cases per 100,000' AS name,
            100000 * CAST(sum(CAST(incidence.cases AS decimal(32,12))) AS float8)
                / nullif(max(place.population), 0) AS value
        FROM epidemic.incidence
        JOIN epidemic.location AS place ON place.location = incidence.location
        CROSS JOIN epidemic_gaps.parameter
        WHERE incidence.date BETWEEN parameter.epidemic_start AND parameter.last_day
        GROUP BY 1
        UNION ALL
        SELECT forecast.location, 'forecast cases per 100,000, 4 weeks',
            100000 * CAST(sum(CAST(forecast.value AS decimal(32,12))) AS float8)
                / nullif(max(place.population), 0)
        FROM epidemic.forecast
        JOIN newest ON newest.reference_date = forecast.reference_date
        JOIN epidemic.location AS place ON place.location = forecast.location
        WHERE forecast.model_id = 'ensemble' AND forecast.output_type = 'median' AND forecast.horizon <= 4
            AND forecast.target LIKE '%case%'
        GROUP BY 1
        UNION ALL
        SELECT climbed.location, signal.name,
            CAST(sum(CAST(signal.value AS decimal(32,12))) AS float8) / nullif(count(signal.value), 0)
        FROM epidemic.signal
        JOIN climbed ON climbed.ancestor = signal.location
        CROSS JOIN epidemic_gaps.parameter
        WHERE signal.date BETWEEN parameter.epidemic_start AND parameter.last_day
        GROUP BY 1, 2
        UNION ALL
        SELECT location, name, value FROM epidemic.feature
        UNION ALL
        SELECT capacity.location, 'physicians per 10,000', 10000 * capacity.physicians / nullif(place.population, 0)
        FROM epidemic.capacity
        JOIN epidemic.location AS place ON place.location = capacity.location
        UNION ALL
        SELECT location, 'access to specialists',
            CAST(sum(CAST(access AS decimal(32,12))) AS float8) / nullif(count(access), 0)
        FROM epidemic_gaps.access GROUP BY 1
        UNION ALL
        SELECT location, 'visits to closed providers',
            sum(CASE WHEN shut.provider IS NULL THEN 0.0::float8 ELSE 1.0::float8 END) / count(*)
        FROM epidemic_claims.patient
        JOIN (SELECT DISTINCT token, provider FROM epidemic_claims.medical_claim
            CROSS JOIN epidemic_gaps.parameter WHERE from_date < parameter.epidemic_start) AS saw
            ON saw.token = patient.token
        LEFT JOIN (SELECT provider FROM epidemic_gaps.left_out_provider WHERE reason = 'closed') AS shut
            ON shut.provider = saw.provider
        WHERE location IS NOT NULL
        GROUP BY 1
        ORDER BY 2, 1
        """
    )
    wide: pd.DataFrame = long.pivot_table(index="location", columns="name", values="value", aggfunc="mean", sort=False)
    return wide
