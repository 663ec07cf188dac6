"""Pictures of forecasts in plotly's terms.

The colours keep a contrast of at least 3 : 1 on white and on near black, and nothing is painted behind the figure, so
that it can be read on light pages and on dark ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from restframe.plot.reading import Line, Picture, Values

_TEXT = "#7d8590"
_GRID = "rgba(128, 134, 143, 0.22)"
_HISTORY = "#6e7f94"
_FORECAST = "#2f7fe0"
_BAND = "rgba(47, 127, 224, {alpha:.2f})"
_ACTUAL = "#e0660a"
_NOTHING = "rgba(0, 0, 0, 0)"
_MOST_SAMPLES = 50


@dataclass(frozen=True, slots=True)
class Look:
    """What a caller may choose."""

    label: str
    title: str | None
    samples: bool
    range_slider: bool


def menu(pictures: Sequence[Picture], look: Look) -> go.Figure:
    """One series at a time; a menu chooses which."""
    drawn = [_traces(one, look) for one in pictures]
    figure = go.Figure([trace for traces in drawn for trace in traces])
    for trace, owner in zip(figure.data, [place for place, traces in enumerate(drawn) for _ in traces], strict=True):
        trace.visible = owner == 0
    _dress(figure, look, _title(pictures[0], look), pictures)
    _axes(figure, pictures[0], look, _range_mode(pictures[:1]))
    figure.update_xaxes(rangeslider_visible=look.range_slider)
    if len(pictures) > 1:
        buttons = [_button(one, place, drawn, look) for place, one in enumerate(pictures)]
        figure.update_layout(updatemenus=[_menu(buttons)])
    return figure


def grid(pictures: Sequence[Picture], look: Look) -> go.Figure:
    """All series beside each other, each with a scale of its own."""
    columns = min(len(pictures), 2 if len(pictures) <= 4 else 3)
    rows = math.ceil(len(pictures) / columns)
    figure = make_subplots(
        rows,
        columns,
        subplot_titles=[one.name for one in pictures],
        vertical_spacing=min(0.12, 0.3 / rows),
        horizontal_spacing=0.06,
    )
    for place, one in enumerate(pictures):
        for trace in _traces(one, look):
            trace.showlegend = trace.showlegend is not False and place == 0
            figure.add_trace(trace, place // columns + 1, place % columns + 1)
    _dress(figure, look, look.title or "Forecasts", pictures)
    figure.update_annotations(font={"size": 13, "color": _TEXT})
    figure.update_layout(height=190 + 240 * rows, margin_t=110)
    for place, one in enumerate(pictures):
        where = {"row": place // columns + 1, "col": place % columns + 1}
        _axes(figure, one, look, _range_mode(pictures), **where)
        figure.update_xaxes(title_text=None, **where)
        if place % columns:
            figure.update_yaxes(title_text=None, **where)
    return figure


# Lines and bands


def _traces(one: Picture, look: Look) -> list[go.Scatter]:
    """From the back to the front: paths, intervals from the widest to the narrowest, history, lines, what came."""
    drawn = _paths(one) if look.samples else []
    inner = [level for level in one.quantiles if level < 0.5 and _partner(one, level) is not None]
    for place, level in enumerate(inner, start=1):
        drawn += _interval(one, level, alpha=0.10 + 0.18 * place / len(inner))
    drawn += [_line(one.history, "history", _HISTORY, width=1.5)]
    centre, name = _centre(one)
    if centre is not None:
        drawn += [_line(Line(one.times, centre), name, _FORECAST, width=1.9)]
    lone = [level for level in one.quantiles if level != 0.5 and _partner(one, level) is None]
    drawn += [_line(Line(one.times, one.quantiles[level]), _p(level), _FORECAST, 1, dash="dot") for level in lone]
    if len(one.actuals):
        drawn += [_line(one.actuals, "actual", _ACTUAL, width=1.4)]
    return [*drawn, _reading(one)]


def _line(line: Line, name: str, colour: str, width: float, dash: str = "solid") -> go.Scatter:
    """A single value with gaps around it would be no line: `markers` shows it."""
    forecast = colour == _FORECAST
    mode = "lines+markers" if len(line) < 3 else "lines"
    return go.Scatter(
        x=line.times,
        y=line.values,
        name=name,
        legendgroup=name,
        mode=mode,
        line={"color": colour, "width": width, "dash": dash},
        hoverinfo="skip" if forecast else None,
        hovertemplate=None if forecast else "%{y:,.4~g}",
        showlegend=len(line) > 0,
    )


def _interval(one: Picture, low: float, alpha: float) -> list[go.Scatter]:
    """The area between two quantiles; plotly fills up to the trace before."""
    high = _partner(one, low)
    assert high is not None
    name = f"{100 * (high - low):.4g} % ({_p(low)} to {_p(high)})"
    shared = {"x": one.times, "mode": "lines", "line_width": 0, "hoverinfo": "skip", "legendgroup": name}
    return [
        go.Scatter(y=one.quantiles[low], showlegend=False, name=name, **shared),
        go.Scatter(y=one.quantiles[high], fill="tonexty", fillcolor=_BAND.format(alpha=alpha), name=name, **shared),
    ]


def _paths(one: Picture) -> list[go.Scatter]:
    """Sampled paths as one trace, with a gap behind each."""
    few = one.samples[:_MOST_SAMPLES]
    if not len(few):
        return []
    gap = np.full((len(few), 1), np.nan)
    times = np.tile(np.append(one.times, one.times[-1:]), len(few))
    paths = np.hstack([few, gap]).ravel()
    name = f"{len(few)} sampled paths"
    colour = _BAND.format(alpha=0.4)
    return [
        go.Scatter(x=times, y=paths, name=name, mode="lines", line={"color": colour, "width": 0.7}, hoverinfo="skip")
    ]


def _reading(one: Picture) -> go.Scatter:
    """An invisible trace that reads out all of the distribution at one step, from the highest quantile down."""
    rows = {("median" if level == 0.5 else _p(level)): of for level, of in sorted(one.quantiles.items(), reverse=True)}
    if one.mean is not None:
        rows["mean"] = one.mean
    text = "<br>".join(f"{name}  %{{customdata[{place}]:,.4~g}}" for place, name in enumerate(rows))
    return go.Scatter(
        x=one.times,
        y=_centre(one)[0] if _centre(one)[0] is not None else next(iter(one.quantiles.values())),
        customdata=np.column_stack(list(rows.values())),
        hovertemplate=text + "<extra></extra>",
        mode="lines",
        line={"color": _NOTHING, "width": 0},
        showlegend=False,
        name="forecast",
    )


def _centre(one: Picture) -> tuple[Values | None, str]:
    if 0.5 in one.quantiles:
        return one.quantiles[0.5], "median (p50)"
    return one.mean, "mean"


def _partner(one: Picture, level: float) -> float | None:
    """The quantile as far from the median on the other side: requests name 0.09999999999999998 beside 0.9."""
    return next((other for other in one.quantiles if level != 0.5 and abs(other - (1 - level)) < 1e-9), None)


def _p(level: float) -> str:
    return f"p{round(100 * level, 4):g}"


# Around them


def _title(one: Picture, look: Look) -> str:
    if look.title is not None:
        return look.title
    return f"{one.name}: forecast" if one.name else "Forecast"


def _subtitle(one: Picture) -> str:
    """What the lines are, in words: a quantile is easily taken for a bound."""
    levels = [_p(level) for level in one.quantiles]
    if not levels:
        return f"mean of each of the {len(one.times)} steps"
    named = levels[0] if len(levels) == 1 else f"{levels[0]} to {levels[-1]}"
    return f"quantiles {named}, each of the {len(one.times)} steps by itself"


def _dress(figure: go.Figure, look: Look, title: str, pictures: Sequence[Picture]) -> None:
    figure.update_layout(
        template="none",
        title={
            "text": title,
            "subtitle": {"text": _subtitle(pictures[0]), "font": {"size": 12, "color": _TEXT}},
            "x": 0,
            "xref": "paper",
            "font": {"size": 17, "color": _TEXT},
        },
        font={"color": _TEXT, "size": 12, "family": "system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"},
        paper_bgcolor=_NOTHING,
        plot_bgcolor=_NOTHING,
        hovermode="x unified",
        hoverlabel={
            "bgcolor": "rgba(24, 28, 34, 0.94)",
            "bordercolor": _GRID,
            "font": {"color": "#eceff3", "size": 12},
        },
        legend={"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0.01, "x": 0, "bgcolor": _NOTHING},
        modebar={"bgcolor": _NOTHING, "color": _GRID, "activecolor": _TEXT},
        margin={"l": 70, "r": 20, "t": 80, "b": 90},
        height=460,
    )


def _axes(figure: go.Figure, one: Picture, look: Look, range_mode: str, **where: int) -> None:
    lines = {"gridcolor": _GRID, "zeroline": False, "linecolor": _GRID, "ticks": "outside", "tickcolor": _GRID}
    pointed = {"spikecolor": _TEXT, "spikethickness": 1, "spikedash": "dot"}
    figure.update_xaxes(
        title_text="time, as in the data (no time zone)", title_standoff=8, showgrid=False, **lines, **pointed, **where
    )
    figure.update_yaxes(title_text=look.label, rangemode=range_mode, automargin=True, **lines, **where)
    begins = {"x0": one.times[0], "x1": one.times[0], "y0": 0, "y1": 1, "yref": "y domain"}
    figure.add_shape(type="line", line={"color": _TEXT, "width": 1, "dash": "dot"}, **begins, **where)


def _range_mode(pictures: Sequence[Picture]) -> str:
    """Counts are seen from zero; an exchange rate would be a flat line then."""
    shown = np.concatenate([_all_values(one) for one in pictures])
    shown = shown[np.isfinite(shown)]
    return "tozero" if len(shown) and 0 <= shown.min() <= 0.4 * shown.max() else "normal"


def _all_values(one: Picture) -> Values:
    mean = () if one.mean is None else (one.mean,)
    return np.concatenate([one.history.values, one.actuals.values, *one.quantiles.values(), *mean])


def _button(one: Picture, chosen: int, drawn: Sequence[Sequence[Any]], look: Look) -> dict[str, Any]:
    visible = [place == chosen for place, traces in enumerate(drawn) for _ in traces]
    start = {f"shapes[0].{end}": one.times[0] for end in ("x0", "x1")}
    layout = {"title.text": _title(one, look), "yaxis.rangemode": _range_mode([one]), **start}
    return {"label": one.name or f"series {chosen + 1}", "method": "update", "args": [{"visible": visible}, layout]}


def _menu(buttons: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "buttons": buttons,
        "x": 1,
        "xanchor": "right",
        "y": 1.02,
        "yanchor": "bottom",
        "bgcolor": "rgba(128, 134, 143, 0.12)",
        "bordercolor": _GRID,
        "font": {"color": _TEXT},
        "showactive": False,
    }
