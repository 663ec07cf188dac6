"""`restframe-epidemic score`: how good stored forecasts were: a table of the warehouse, on screen, and as a page."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from restframe_epidemic.cli import arguments

if TYPE_CHECKING:
    import pandas as pd

    from restframe_epidemic.scored import Scored

_READ = "MAE is of sums over weeks 1 to h, WIS and coverage of week h alone; h is the horizon."
_OVER_DATES = " Low and high: 95 % intervals over dates."
_BY = {"level": "level", "size": "size of its forecast, in reports per week", "history": "length of history"}
_FIRST = ("model", "class", "horizon", "dates", "forecasts")


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subcommands.add_parser("score", help="score stored forecasts whose weeks have come")
    arguments.warehouse(parser)
    arguments.country(parser)
    parser.add_argument("--target", choices=("cases", "deaths"), default="cases", help="what was forecast (cases)")
    parser.add_argument(
        "--published", metavar="FILE", type=Path, help="points of others to compare with, Parquet or CSV, a column each"
    )
    parser.add_argument("--report", metavar="FILE", type=Path, help="write a page of plots")
    parser.set_defaults(run=f"{__name__}:run")


def run(given: argparse.Namespace) -> int:
    from restframe_epidemic import country, panel_reading, scored, scoring

    with arguments.shown() as shown, arguments.store(given) as store:
        store.prepare()
        described = country.of(store, given.country)
        named = described.targets[given.target]
        panel = panel_reading.read(store, described)
        result = scoring.read(store, panel, given.target, named, given.published)
        rows = scoring.write(store, result, named)
        dates = f"{len(result.dates)} date{'s' if len(result.dates) > 1 else ''}"
        shown.say(table(result))
        for title, frame, reference in (
            ("level", scored.by_level(result), scored.REFERENCE),
            ("size", scored.by_size(result), result.reference_name),
            ("history", scored.by_history(result), result.reference_name),
        ):
            shown.say(f"\n{result.model} by {_BY[title]}:\n{_text(result, frame, reference, title)}")
        shown.say(f"\n{rows:,} scores in epidemic.score, of {dates} up to {panel.as_of}")
        if given.report is not None:
            from restframe_epidemic.report import page

            page.write(result, given.report, title=f"How good the forecasts were: {named}")
            shown.say(f"page: {given.report}")
    return 0


def table(result: Scored) -> str:
    """Models and horizons as text: relative errors, and of the ensemble relative WIS and coverage."""
    from restframe_epidemic import scored

    several = _OVER_DATES if len(result.dates) > 1 else ""
    return f"{_READ}{several}\n{_text(result, scored.overview(result), result.reference_name)}"


def _text(result: Scored, frame: pd.DataFrame, reference: str, of: str = "class") -> str:
    """reference : what errors of points are relative to; of : what the classes are of"""
    if len(result.dates) == 1:  # of which there is no interval
        frame = frame.drop(columns=[name for name in frame if name.endswith(("_low", "_high"))])
    frame = frame[[*(name for name in _FIRST if name in frame), *(name for name in frame if name not in _FIRST)]]
    shown = {
        "class": of,
        "relative_mae": f"MAE / {reference}",
        "relative_log_mae": f"log MAE / {reference}",
        "relative_wis": "WIS / persistence",
    }
    abbreviated = {name: name.replace("mae", "MAE").replace("wis", "WIS").replace("_", " ") for name in frame}
    frame = frame.rename(columns=abbreviated | shown)
    text: str = frame.to_string(index=False, float_format="{:.3f}".format, na_rep="")
    return text
