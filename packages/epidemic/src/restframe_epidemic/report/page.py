"""The report: tiles, plots and tables of a Scored, as one HTML file."""

from __future__ import annotations

import os
from html import escape
from importlib import resources
from itertools import pairwise
from pathlib import Path
from string import Template

import numpy as np
import pandas as pd

from restframe_epidemic import errors, scores
from restframe_epidemic import scored as tables
from restframe_epidemic.panel import FloatArray, IntArray
from restframe_epidemic.report import svg
from restframe_epidemic.scored import Scored

# what coverage may be before it is marked; the same bounds as the project's own benchmark
BANDS = {0.5: (0.45, 0.55), 0.95: (0.92, 0.97)}
_FANS = 6
_FANS_ABOVE = 2  # of each level above
_RANKED = 14
_FEWEST = 100  # forecasts whose coverage says enough to be marked; of fewer it is grey
_FEW = 20  # of fewer, a plot leaves it out


def write(scored: Scored, path: Path, *, title: str = "How good the forecasts were") -> None:
    """Write the page, beside it first: a reader never sees half a page. UsageError for a folder that is not there."""
    if not path.parent.is_dir():
        raise errors.UsageError(f'no folder "{str(path.parent)[:200]}" to write the page into')
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(html(scored, title), encoding="utf-8")
    beside.replace(path)


def html(scored: Scored, title: str) -> str:
    overview = tables.overview(scored)
    first, last = (str(day) for day in (scored.dates.min(), scored.dates.max()))
    days = f"{len(scored.dates)} forecast dates, {first} to {last}" if first != last else f"Forecasts of {first}"
    held = f"{days}, {len(scored.locations):,} places"
    above = "".join(_fans(at, _FANS_ABOVE) for at in scored.above[::-1])
    page = Template(resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8"))
    return page.substitute(
        title=escape(title),
        lead=escape(f"{held}. Every forecast saw only what was reported up to its date."),
        body="".join(
            (
                _tiles(scored, overview),
                f'<div class="grid2">{_ranking(scored, overview)}{_dates(scored)}</div>',
                f'<div class="grid1">{_levels(scored)}</div>',
                f'<div class="grid3">{above}{_fans(scored, _FANS)}</div>',
                f'<div class="grid1">{_tables(scored)}</div>',
            )
        ),
        footer=escape(
            f"Errors of points are of the sum over weeks 1 to h, relative to {scored.reference_name}; scores of "
            f"quantiles are of week h alone, relative to {tables.REFERENCE} with quantiles made in the same way. "
            "Under 1 is better. The history of reports may have been revised since."
        ),
    )


def _card(heading: str, text: str, *content: str) -> str:
    return f'<section class="card"><h2>{escape(heading)}</h2><p>{escape(text)}</p>{"".join(content)}</section>'


def _of_model(scored: Scored, overview: pd.DataFrame) -> pd.DataFrame:
    return overview[overview["model"] == scored.model].set_index("horizon")


def _tiles(scored: Scored, overview: pd.DataFrame) -> str:
    ours = _of_model(scored, overview)
    tiles = [
        (f"Error relative to {scored.reference_name}", ours["relative_mae"]),
        (f"Interval score relative to {tables.REFERENCE}", ours["relative_wis"]),
        ("In the 50 % interval", ours["coverage_50"]),
        ("In the 95 % interval", ours["coverage_95"]),
    ]
    shown = "".join(
        f'<div class="card tile"><span>{escape(name)}</span><b>{_range(values)}</b>'
        f"<span>over {len(values)} horizon{'s' if len(values) > 1 else ''}</span></div>"
        for name, values in tiles
    )
    return f'<div class="tiles">{shown}</div>'


def _range(values: pd.Series) -> str:
    low, high = f"{values.min():.2f}", f"{values.max():.2f}"
    return low if low == high else f"{low} – {high}"


def _legend(names: dict[str, str]) -> str:
    spans = (f'<span><i style="background:var(--{style})"></i>{escape(name)}</span>' for style, name in names.items())
    return f'<div class="legend">{"".join(spans)}</div>'


def _horizons(horizons: list[int]) -> str:
    return _legend({f"h{h}": f"{h} week{'s' if h > 1 else ''} ahead" for h in horizons})


def _ranking(scored: Scored, overview: pd.DataFrame) -> str:
    """The models at the last horizon that they all have."""
    cards = ""
    horizons = sorted(overview["horizon"].unique())
    for h in dict.fromkeys((horizons[0], horizons[-1])):
        best = overview[overview["horizon"] == h].sort_values("relative_mae").head(_RANKED)
        rows = [
            (
                str(row.model),
                float(row.relative_mae),
                float(row.mae_low),
                float(row.mae_high),
                row.model in scored.points,
            )
            for row in best.itertuples(index=False)
        ]
        text = "Mean absolute error, lower is better; lines are 95 % intervals over dates."
        text += " Coloured: this engine's." if set(best["model"]) - set(scored.points) else ""
        weeks = "the next week" if h == 1 else f"the next {h} weeks together"
        cards += _card(f"Error over {weeks}", text, svg.ranking(rows, f"relative error by model, horizon {h}"))
    return cards


def _dates(scored: Scored) -> str:
    table = tables.by_date(scored)
    days = sorted(table["date"].unique())
    labels = [pd.Timestamp(day).strftime("%d %b") for day in days]
    horizons = sorted(table["horizon"].unique())
    legend = _horizons(horizons)

    def chart(column: str, label: str, **held: object) -> str:
        wide = table.pivot(index="horizon", columns="date", values=column)
        series = [svg.Line(f"{h} weeks", wide.loc[h].to_numpy(dtype=np.float64), f"h{h}") for h in horizons]
        return legend + svg.lines(series, labels, label, **held)  # type: ignore[arg-type]

    of_error = f"Relative error of points; {scored.reference_name} is 1."
    of_wis = f"Relative weighted interval score; {tables.REFERENCE} is 1."
    shaded = "Shaded: where it should be."
    return "".join(
        (
            _card("Error by date", of_error, chart("relative_mae", "relative error by date", reference=1.0)),
            _card("Interval score by date", of_wis, chart("relative_wis", "relative WIS by date", reference=1.0)),
            _card("In the 50 % interval", shaded, chart("coverage_50", "50 % by date", band=BANDS[0.5])),
            _card("In the 95 % interval", shaded, chart("coverage_95", "95 % by date", band=BANDS[0.95])),
            _by_size(scored),
            _truths(scored),
        )
    )


def _truths(scored: Scored) -> str:
    share, expected = scores.pit(scored.truth, scored.quantiles[scored.model])
    edges = ["0", *(f"{level:g}".lstrip("0") for level in scores.LEVELS), "1"]
    gaps = [f"{low}–{high}" for low, high in pairwise(edges)]
    text = "Share of truths between neighbouring quantiles; the marks are a calibrated forecast's."
    return _card("Where the truth fell", text, svg.columns(share, expected, gaps, "truths between quantiles"))


def _levels(scored: Scored) -> str:
    text = (
        "Places and the sums above them. Errors, too, are relative to persistence here: that the sum's last week comes "
        f"again. {_GREY}"
    )
    return _card("By level", text, f'<div class="scroll">{_table(tables.by_level(scored))}</div>')


def _fans(scored: Scored, count: int) -> str:
    """Places of every size, from large to small, on the day whose truth is fully known last."""
    if not scored.recent.size:
        return ""
    complete = (np.isfinite(scored.truth).sum(axis=1) > 0).all(axis=1)
    t = int(np.flatnonzero(complete)[-1]) if complete.any() else 0
    weeks = scored.recent.shape[2]
    days = [scored.dates[t] + 7 * (k - weeks + 1) for k in range(weeks + scored.truth.shape[2])]
    labels = [pd.Timestamp(day).strftime("%d %b") for day in days]
    legend = _legend({"soft": "reported before", "ours": "forecast", "truth": "what came"})
    return "".join(
        _card(
            scored.names[i],
            f"{scored.level} {scored.locations[i]}, forecast of {scored.dates[t]}; weekly reports with 50, 80 and 95 % "
            "intervals.",
            legend,
            svg.fan(
                scored.recent[t, i], scored.truth[t, i], scored.quantiles[scored.model][t, i], labels, scored.names[i]
            ),
        )
        for i in _shown(scored, t, count)
    )


def _shown(scored: Scored, t: int, count: int) -> IntArray:
    """Places spread evenly over the ranks of those that report at all, the largest first."""
    known = np.isfinite(scored.truth[t]).any(axis=1) & np.isfinite(scored.quantiles[scored.model][t]).all(axis=(1, 2))
    size: FloatArray = np.where(known, np.nan_to_num(scored.recent[t]).sum(axis=1), 0.0)
    order = np.argsort(-size, kind="stable")[: max(int((size > 0).sum()), 1)]
    ranks = np.unique(np.round(np.geomspace(1, len(order), count)).astype(np.int64)) - 1
    return order[ranks]


def _by_size(scored: Scored) -> str:
    """Coverage by size of the forecast, a line per horizon; nothing where no class has forecasts enough."""
    table = tables.by_size(scored)
    table = table[(table["forecasts"] >= _FEW) & table["coverage_50"].notna()]
    if table.empty:
        return ""
    names = [name for name in scores.SIZE_NAMES if name in set(table["class"])]
    horizons = sorted(table["horizon"].unique())
    values, counts = (
        table.pivot(index="horizon", columns="class", values=column).reindex(columns=names).astype(np.float64)
        for column in ("coverage_50", "forecasts")
    )
    series = [
        svg.Line(f"{h} weeks", values.loc[h].to_numpy(), f"h{h}", faint=counts.loc[h].to_numpy() < _FEWEST)
        for h in horizons
    ]
    chart = svg.lines(series, names, "coverage of 50 % by size", band=BANDS[0.5], every=True)
    text = "Coverage by the size of the forecast, in reports per week. Shaded: where it should be."
    text += f" Faint: of {_FEW} to {_FEWEST - 1} forecasts." if any(line.faint.any() for line in series) else ""
    return _card("In the 50 % interval, by size", text, _horizons(horizons), chart)


def _tables(scored: Scored) -> str:
    # a class may be none of the first horizon's
    by_size = tables.by_size(scored).sort_values("class", key=lambda names: names.map(scores.SIZE_NAMES.index))
    return "".join(
        _card(heading, text, f'<div class="scroll">{_table(frame)}</div>')
        for heading, text, frame in (
            ("By size", f"Classes of the forecast, in reports per week. {_GREY}", by_size),
            (
                "By length of history",
                f"Places with few recent reports apart from the others. {_GREY}",
                tables.by_history(scored),
            ),
        )
    )


_GREY = f"Grey: coverage of fewer than {_FEWEST} forecasts at that horizon."
_COLUMNS = {
    "relative_mae": "error",
    "relative_wis": "interval score",
    "coverage_50": "in the 50 %",
    "coverage_95": "in the 95 %",
}


def _table(frame: pd.DataFrame) -> str:
    """A row per class; each column of numbers once per horizon."""
    horizons = sorted(frame["horizon"].unique())
    groups = "".join(f'<th colspan="{len(horizons)}">{name}</th>' for name in _COLUMNS.values())
    weeks = "".join(f"<th>{h}</th>" for h in horizons) * len(_COLUMNS)
    wide = frame.pivot(index="class", columns="horizon").reindex(frame["class"].unique())
    rows = ""
    for name, row in wide.iterrows():
        cells = "".join(
            _cell(row[column].get(h), column, row["forecasts"].get(h)) for column in _COLUMNS for h in horizons
        )
        rows += f"<tr><td>{escape(str(name))}</td><td>{row['forecasts'].sum():,.0f}</td>{cells}</tr>"
    return (
        f"<table><thead><tr><th></th><th></th>{groups}</tr><tr><th></th><th>forecasts</th>{weeks}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def _cell(value: float | None, column: str, forecasts: float) -> str:
    if value is None or np.isnan(value):
        return "<td></td>"
    bands = {f"coverage_{100 * nominal:.0f}": band for nominal, band in BANDS.items()}
    if column not in bands:
        return f"<td>{value:.2f}</td>"
    low, high = bands[column]
    mark = "few" if forecasts < _FEWEST else "good" if low <= value <= high else "bad"
    return f'<td class="{mark}">{value:.3f}</td>'
