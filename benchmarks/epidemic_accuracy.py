"""How good the county forecasts are on real data: every member alone, the ensemble, and what others published.

    python benchmarks/epidemic_accuracy.py --data ../shared/data/covid --dates 2020-07-06 2020-07-13
    python benchmarks/epidemic_accuracy.py --data ../shared/data/covid --evaluation

A date is the Monday of a forecast, made from the reports up to the Saturday before. Errors are of the sums over weeks
1..h, relative to the published COVIDhub-baseline and against the hub's own truth, on the dates that its file has;
without any of them they are relative to persistence. Scores of quantiles are of the reports of week h, on all dates,
relative to persistence with quantiles of the same machinery. The history of cases is a later, revised one, which those
who published in real time did not have.

Everything before a date that the ensemble learns from is forecast here too, from reports up to then; --cache keeps it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

import epidemic_data
from restframe_epidemic import backtest, daily, published, scored, scores, scoring
from restframe_epidemic.backtest import Backtest
from restframe_epidemic.ensemble import forecasting
from restframe_epidemic.models import MEMBERS, persistence
from restframe_epidemic.panel import FloatArray, Panel
from restframe_epidemic.scored import Scored

DEVELOPMENT = pd.date_range("2020-06-01", "2020-08-17", freq="7D")
EVALUATION = pd.date_range("2020-08-24", "2020-11-09", freq="7D")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, required=True, help="folder of the files of data/covid/README.md")
    which = arguments.add_mutually_exclusive_group(required=True)
    which.add_argument("--dates", nargs="+", help="Mondays")
    which.add_argument("--development", action="store_const", const=DEVELOPMENT, help="2020-06-01 .. 2020-08-17")
    which.add_argument("--evaluation", action="store_const", const=EVALUATION, help="2020-08-24 .. 2020-11-09")
    arguments.add_argument("--members", nargs="+", default=list(MEMBERS), help="all, if not given")
    arguments.add_argument("--cache", type=Path, help="folder that keeps the members' forecasts")
    arguments.add_argument("--workers", type=int, default=2, help="processes")
    arguments.add_argument("--report", type=Path, help="write the page of plots here")
    given = arguments.parse_args()
    chosen = next(dates for dates in (given.dates, given.development, given.evaluation) if dates is not None)
    mondays = pd.DatetimeIndex(chosen).sort_values()
    began = time.perf_counter()
    result, sums, runs = evaluate(given.data, mondays, given.members, given.cache, given.workers)
    show(result, sums, runs)
    print(f"\n{len(mondays)} dates, {len(result.locations)} counties, {time.perf_counter() - began:.0f} s")
    if given.report:
        from restframe_epidemic.report import page

        page.write(result, given.report)


def evaluate(
    data: Path, mondays: pd.DatetimeIndex, members: list[str], cache: Path | None, workers: int
) -> tuple[Scored, pd.DataFrame, tuple[Backtest, Backtest]]:
    """Forecast on every date from what was known then, and lay it beside what came; of the sums, coverage."""
    panel = epidemic_data.panel(data)
    as_of = np.array(mondays.to_numpy(), dtype="datetime64[D]") - 2
    weeks = panel.weeks
    if not np.isin(as_of, weeks).all():
        raise SystemExit(f"dates are Mondays up to {weeks[-1] + 2}, as far as the data reach")
    first = np.searchsorted(weeks, as_of[0]) - forecasting.HISTORY_WEEKS
    needed = weeks[max(int(first), 4) : int(np.searchsorted(weeks, as_of[-1])) + 1]
    cheap = [name for name in members if name not in daily.COSTLY]
    costly = [name for name in members if name in daily.COSTLY]
    history = backtest.run(panel, needed, cheap, folder=cache, workers=workers, progress=_progress)
    today = backtest.run(panel, as_of, costly, folder=cache, workers=workers, progress=_progress)
    alone = {name: history.of(name)[np.searchsorted(history.as_of, as_of)] for name in cheap}
    alone |= {name: today.of(name) for name in costly}
    found = [
        _on(panel.until(day), {name: points[t] for name, points in alone.items()}, history)
        for t, day in enumerate(as_of)
    ]
    points = {"ensemble": np.stack([ours.points for ours, _ in found])}
    points[scored.REFERENCE] = np.stack([theirs.points for _, theirs in found])
    quantiles = {"ensemble": np.stack([ours.quantiles for ours, _ in found])}
    quantiles[scored.REFERENCE] = np.stack([theirs.quantiles for _, theirs in found])
    points |= {name: values for name, values in alone.items() if name != scored.REFERENCE}
    horizons = forecasting.QUANTILE_HORIZONS
    compared = published.read(data / "hub_county_points.parquet", as_of, panel.locations, horizons)
    truth = backtest.truth(panel, as_of, horizons)
    result = Scored(
        dates=as_of,
        truth=truth,
        points={name: values[:, :, :horizons] for name, values in points.items()},
        quantiles=quantiles,
        model="ensemble",
        short=np.stack([scores.short_history(panel.until(day).weekly()) for day in as_of]),
        locations=panel.locations,
        names=panel.names,
        published=compared.points,
        published_truth=compared.truth,
        baseline=published.BASELINE,
        recent=scoring.recent(panel, as_of),
    )
    return result, _sums(panel, truth, [ours for ours, _ in found]), (history, today)


def _sums(panel: Panel, truth: FloatArray, forecasts: list[forecasting.Forecast]) -> pd.DataFrame:
    """Coverage of the sums of each level above the places, a column per horizon."""
    rows = {}
    for index, level in enumerate(panel.levels):
        quantiles = np.stack([forecast.sums[index].quantiles for forecast in forecasts])
        came = np.stack([np.where(np.isfinite(day).any(axis=0), level.sums(day), np.nan) for day in truth])
        for nominal in scored.NOMINAL:
            held = scores.inside(came, quantiles, nominal)
            rows[f"{held.shape[1]} sums", f"{nominal:.0%}"] = np.nanmean(held, axis=(0, 1))
    return pd.DataFrame(rows, index=range(1, truth.shape[2] + 1)).T


def _on(
    panel: Panel, members: dict[str, FloatArray], history: Backtest
) -> tuple[forecasting.Forecast, forecasting.Forecast]:
    """The ensemble's forecast and the reference's, on the last day of the Panel."""
    ours = forecasting.forecast(panel, members, history)
    theirs = forecasting.with_quantiles(
        panel, persistence.forecast(panel, forecasting.HORIZONS), forecasting.persistence_history(panel)
    )
    return ours, theirs


def _progress(done: int, of: int) -> None:
    print(f"\rforecast on {done} of {of} days", end="" if done < of else "\n", flush=True)


def show(result: Scored, sums: pd.DataFrame, runs: tuple[Backtest, ...]) -> None:
    table = scored.overview(result)
    with pd.option_context("display.width", 200, "display.float_format", "{:.3f}".format, "display.max_rows", None):
        print(f"\nMAE of sums over weeks 1..h, relative to {result.reference_name} (95 % interval over dates)")
        text = [
            f"{row.relative_mae:.3f} ({row.mae_low:.2f}-{row.mae_high:.2f})" for row in table.itertuples(index=False)
        ]
        wide = table.assign(text=text).pivot(index="model", columns="horizon", values="text")
        log = table.pivot(index="model", columns="horizon", values="relative_log_mae").add_prefix("log ")
        dates = table.groupby("model")["dates"].max()
        seconds = pd.Series(
            {name: run.seconds[:, m].mean() for run in runs for m, name in enumerate(run.members)}, name="s/day"
        )
        print(wide.join(log).join(dates).join(seconds).sort_values(1).to_string(na_rep=""))
        print("\nQuantiles of week h; WIS relative to persistence with the same machinery")
        columns = ["model", "horizon", "relative_wis", "wis_low", "wis_high", "coverage_50", "coverage_95"]
        print(table.loc[table["relative_wis"].notna(), columns].to_string(index=False))
        print("\nCoverage of the sums over places")
        print(sums.to_string())
        path = np.log1p(result.points["ensemble"])
        bends = np.abs(np.diff(path[path.min(axis=2) > np.log1p(5.0)], n=2, axis=1)).max(axis=1)
        print(
            f"\nPaths of over 5 reports a week that bend by more than a tenth between weeks: {(bends > 0.1).mean():.1%}"
        )
        print("\nBy size of the ensemble's forecast")
        print(_wide(scored.by_size(result)))
        print("\nBy length of history")
        print(_wide(scored.by_history(result)))
        print("\nBy date")
        print(scored.by_date(result).pivot(index="date", columns="horizon").to_string())
    for run in runs:
        print("\n".join(run.failures))


def _wide(table: pd.DataFrame) -> str:
    text: str = (
        table.pivot(
            index="class",
            columns="horizon",
            values=["forecasts", "relative_mae", "relative_wis", "coverage_50", "coverage_95"],
        )
        .reindex(table["class"].unique())
        .to_string()
    )
    return text


if __name__ == "__main__":
    main()
