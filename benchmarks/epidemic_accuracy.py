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
from restframe_epidemic import backtest, daily, scored, scores, scoring
from restframe_epidemic.backtest import Backtest
from restframe_epidemic.ensemble import forecasting
from restframe_epidemic.forecasts import ENSEMBLE
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
    result, runs = evaluate(given.data, mondays, given.members, given.cache, given.workers)
    show(result, runs)
    print(f"\n{len(mondays)} dates, {len(result.locations)} counties, {time.perf_counter() - began:.0f} s")
    if given.report:
        from restframe_epidemic.report import page

        page.write(result, given.report)


def evaluate(
    data: Path, mondays: pd.DatetimeIndex, members: list[str], cache: Path | None, workers: int
) -> tuple[Scored, tuple[Backtest, Backtest]]:
    """Forecast on every date from what was known then, and lay it beside what came."""
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
    said = [
        _said(panel.until(day), {name: points[t] for name, points in alone.items()}, history)
        for t, day in enumerate(as_of)
    ]
    compared = data / "hub_county_points.parquet"
    return scoring.beside(panel, as_of, said, _described(panel), others=compared), (history, today)


def _described(panel: Panel) -> pd.DataFrame:
    locations = (*panel.locations, *panel.groups, panel.top)
    levels = ["county"] * len(panel.locations) + ["state"] * len(panel.groups) + ["nation"]
    names = (*panel.names, *panel.groups, panel.top)
    return pd.DataFrame({"name": names, "level": levels}, index=locations)


def _said(panel: Panel, members: dict[str, FloatArray], history: Backtest) -> list[scoring.Said]:
    """Of the places and of the levels above, on the last day of the Panel: the ensemble, the reference; of the places,
    the members."""
    ours = forecasting.forecast(panel, members, history)
    unchanged = persistence.forecast(panel, forecasting.HORIZONS)
    theirs = forecasting.with_quantiles(panel, unchanged, forecasting.persistence_history(panel))
    middle, weeks = ours.levels.index(0.5), forecasting.QUANTILE_HORIZONS
    alone = {name: points[:, :weeks] for name, points in members.items()}
    alone |= {ENSEMBLE: ours.points[:, :weeks], scored.REFERENCE: unchanged[:, :weeks]}
    said = [scoring.Said(alone, ours.quantiles, theirs.quantiles, scores.short_history(panel.weekly()))]
    for level, sums, reference in zip(panel.levels, ours.sums, theirs.sums, strict=True):
        points = {
            ENSEMBLE: sums.quantiles[:, :, middle],
            scored.REFERENCE: forecasting.over(level, unchanged[:, :weeks]),
        }
        short = scores.short_history(level.sums(panel.weekly()))
        said.append(scoring.Said(points, sums.quantiles, reference.quantiles, short))
    return said


def _progress(done: int, of: int) -> None:
    print(f"\rforecast on {done} of {of} days", end="" if done < of else "\n", flush=True)


def show(result: Scored, runs: tuple[Backtest, ...]) -> None:
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
        print("\nBy level; errors relative to persistence")
        print(_wide(scored.by_level(result)))
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
