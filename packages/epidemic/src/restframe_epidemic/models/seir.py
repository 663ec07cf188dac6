"""SEIR whose transmission is learned, as a member of the ensemble.

The past reports give past transmission rates (`compartments.invert`), regressions tell the coming ones
(`transmission`), the compartments run forward with them (`compartments.simulate`) and use up their susceptible people
on the way. Deaths follow from past and forecast cases (`fatality`).

The equations are those of `compartments`. Learned rates in compartments were used for county forecasts by, among
others, Arik et al.: Interpretable sequence learning for COVID-19 forecasting, NeurIPS 2020.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from restframe_epidemic.models import fatality, transmission
from restframe_epidemic.models.compartments import Course, Epidemic, Transmission, invert, simulate
from restframe_epidemic.models.transmission import Training
from restframe_epidemic.panel import FloatArray, Panel

__all__ = ["Course", "Effect", "Epidemic", "Training", "Transmission", "explain", "forecast", "invert", "simulate"]


@dataclass(frozen=True, slots=True)
class Effect:
    """How log beta moves when one quantity rises by one standard deviation, all others equal.

    error : standard error, clustered by week and group; it leaves out that the ridge draws effects towards 0
    An association over the past weeks and not the effect of changing a policy.
    """

    name: str
    coefficient: float
    error: float


def forecast(
    panel: Panel,
    horizons: int,
    *,
    target: str = "cases",
    seed: int = 0,
    course: Course | None = None,
    training: Training | None = None,
) -> FloatArray:
    """(N, horizons) expected new reports of weeks T + 1 .. T + horizons; nothing in here is random.

    course : by default that of the panel's parameters. A feature "ascertainment" of the panel, where it has one, takes
        the place of course.ascertainment
    NaN for places without people or reports, and everywhere when the history is too short to learn from.
    """
    cases = _cases(panel, horizons, course or course_of(panel), training or Training())
    return cases if target == "cases" else fatality.forecast(panel, cases, target)


def explain(panel: Panel, *, horizon: int = 1, training: Training | None = None) -> list[Effect]:
    """What the regression for one horizon made of policies, mobility, ages and social factors, strongest first."""
    past = transmission.history(panel, course_of(panel))
    models, _ = transmission.learn_horizons(panel, past, horizon, training or Training())
    if not models:
        return []
    model = models[-1]
    effects = [
        Effect(name.removeprefix("signal_").removeprefix("static_"), float(coefficient), float(error))
        for name, coefficient, error in zip(model.names, model.coefficients, model.error, strict=True)
        if name.startswith(transmission.CONTEXT)
    ]
    return sorted(effects, key=lambda effect: -abs(effect.coefficient))


def course_of(panel: Panel) -> Course:
    """The parameters latent_days, infectious_days and ascertainment of the panel; the default of one it lacks."""
    names = [field.name for field in fields(Course)]
    return Course(**{name: panel.parameters[name] for name in names if name in panel.parameters})


def _cases(panel: Panel, horizons: int, course: Course, training: Training) -> FloatArray:
    past = transmission.history(panel, course)
    models, today = transmission.learn_horizons(panel, past, horizons, training)
    if not models:
        return np.full((len(panel.locations), horizons), np.nan)
    beta = np.exp(np.stack([model.predict(today) for model in models], axis=1))
    coming = simulate(past.own.epidemic.last(), beta, course).infections
    # one unseen case a week was added to the past (infections_from_reports)
    reports = np.maximum(coming * past.ascertainment[:, None] - 1, 0.0)
    return np.where(past.judged[:, None], reports, np.nan)
