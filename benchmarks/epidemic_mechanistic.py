"""What a batched curve fit, an inversion of SEIR and their forecasts cost for all counties, in CPU seconds.

    python benchmarks/epidemic_mechanistic.py --data ../shared/data/covid --as-of 2020-08-15

Side by side with the same least squares by scipy.optimize.least_squares and the same week of SEIR by
scipy.integrate.solve_ivp, which are called for a few counties and counted up to all. Nothing is compared with what came
afterwards; how good the forecasts are is epidemic_accuracy.py's.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import least_squares

import epidemic_data
from restframe_epidemic.models import curve, seir
from restframe_epidemic.models.compartments import infections_from_reports
from restframe_epidemic.panel import FloatArray

FEW = 20


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, required=True, help="folder of the files of data/covid/README.md")
    arguments.add_argument("--as-of", default="2020-08-15")
    given = arguments.parse_args()
    panel = epidemic_data.panel(given.data, given.as_of)
    reports = np.nan_to_num(panel.weekly())
    recent = np.ascontiguousarray(reports[:, -curve.WEEKS :])
    infections, _ = infections_from_reports(reports, panel.population, 0.35)
    past = seir.invert(infections, panel.population)
    start, beta = past.epidemic.last(), past.beta[:, 1:]
    busy = np.argsort(-recent.sum(axis=1))[:FEW]
    times = len(reports) / FEW
    rows = [
        ("curve: one fit", lambda: curve.fit(recent), 1.0),
        ("  by scipy.optimize.least_squares", lambda: [_fitted(row) for row in recent[busy]], times),
        ("curve: forecast of 8 weeks", lambda: curve.forecast(panel, 8), 1.0),
        ("SEIR: inversion", lambda: seir.invert(infections, panel.population), 1.0),
        (f"SEIR: {beta.shape[1]} weeks forward", lambda: seir.simulate(start, beta), 1.0),
        ("  by scipy.integrate.solve_ivp", lambda: [_followed(start[n], beta[n]) for n in busy], times),
        ("SEIR: forecast of 8 weeks, cases", lambda: seir.forecast(panel, 8), 1.0),
        ("SEIR: forecast of 8 weeks, deaths", lambda: seir.forecast(panel, 8, target="deaths"), 1.0),
    ]
    print(f"{len(reports)} counties, {reports.shape[1]} weeks\n\n| what | CPU seconds |\n|---|---|")
    for name, work, factor in rows:
        print(f"| {name} | {_cpu_seconds(work) * factor:.2f} |")


def _cpu_seconds(work: Callable[[], object]) -> float:
    work()  # compiles, or reads what was compiled
    began = time.process_time()
    work()
    return time.process_time() - began


def _fitted(y: FloatArray) -> FloatArray:
    """One county, from the same starts, with the same priors."""
    prior = curve.weak_prior(y[None])
    weight, root = curve.recency(len(y)), np.sqrt(y + curve.SHIFT)

    def residuals(theta: FloatArray) -> FloatArray:
        K, a, b, c = np.exp(theta[[0, 2, 3, 4]])
        steps = np.diff(curve.cdf(np.arange(len(y) + 1), theta[1], a, b))
        believed = (theta - prior.mean[0]) / prior.deviation[0]
        return np.concatenate([weight * (root - np.sqrt(K * steps + c + curve.SHIFT)), believed])

    starts = [prior.mean[0] + np.array([0, shift, 0, 0, 0]) for shift in (0.0, -1.0, 3.0)]
    best = min((least_squares(residuals, start, method="lm") for start in starts), key=lambda found: found.cost)
    return np.asarray(best.x)


def _followed(state: FloatArray, beta: FloatArray) -> FloatArray:
    """One county, week by week."""
    for rate in beta:

        def slope(_: float, y: FloatArray, rate: float = float(rate)) -> list[float]:
            new = rate * y[0] * y[2] / y.sum()
            return [-new, new - y[1] / 3.5, y[1] / 3.5 - y[2] / 6, y[2] / 6]

        state = solve_ivp(slope, (0, 7), state, rtol=1e-4).y[:, -1]
    return state


if __name__ == "__main__":
    main()
