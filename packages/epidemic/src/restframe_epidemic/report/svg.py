"""Charts as SVG text. Colours are classes that the page's style sheet gives, so that light and dark both work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np

from restframe_epidemic.panel import BoolArray, FloatArray

LEFT, RIGHT, TOP, BOTTOM = 46, 14, 12, 30


@dataclass(frozen=True, slots=True)
class Line:
    """A series over the ticks of a chart. style : a class of the style sheet; faint : values that say little, if any"""

    name: str
    values: FloatArray
    style: str
    faint: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=bool))


@dataclass(frozen=True, slots=True)
class Frame:
    """Where numbers lie on a drawing of `width` x `height` pixels."""

    width: int
    height: int
    low: float
    high: float
    first: float
    last: float

    def x(self, value: float) -> float:
        span = max(self.last - self.first, 1e-9)
        return round(LEFT + (value - self.first) / span * (self.width - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        span = max(self.high - self.low, 1e-9)
        clipped = min(max(value, self.low), self.high)
        return round(self.height - BOTTOM - (clipped - self.low) / span * (self.height - TOP - BOTTOM), 1)

    def wrap(self, body: str, label: str) -> str:
        return (
            f'<svg viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{escape(label)}">'
            f"<title>{escape(label)}</title>{body}</svg>"
        )


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers from low to high, about `count` of them."""
    span = max(high - low, 1e-9)
    step = 10.0 ** np.floor(np.log10(span / count))
    step *= next(m for m in (1, 2, 2.5, 5, 10) if span / (step * m) <= count)
    # + 0.0: no tick is minus zero
    return [float(value) + 0.0 for value in np.arange(np.ceil(low / step - 1e-9) * step, high + step * 1e-6, step)]


def number(value: float) -> str:
    """Short, for an axis: 12k, 1.5M, 0.85."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def _grid(frame: Frame, labels: Sequence[tuple[float, str]]) -> str:
    parts = []
    for value in ticks(frame.low, frame.high):
        y = frame.y(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{frame.width - RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 7}" y="{y + 3.5}" text-anchor="end">{number(value)}</text>')
    for value, text in labels:
        x, y = frame.x(value), frame.height - 10
        anchor = "end" if x > frame.width - RIGHT - 12 else "middle"
        parts.append(f'<text class="tick" x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>')
    return "".join(parts)


def _every(labels: Sequence[str], most: int) -> list[tuple[float, str]]:
    step = -(-len(labels) // most)
    return [(float(i), label) for i, label in enumerate(labels) if (len(labels) - 1 - i) % step == 0]


def _path(frame: Frame, xs: Sequence[float], values: FloatArray, style: str) -> str:
    points = [f"{frame.x(x)},{frame.y(float(y))}" for x, y in zip(xs, values, strict=True) if np.isfinite(y)]
    return f'<polyline class="line {style}" points="{" ".join(points)}"/>' if points else ""


def lines(
    series: Sequence[Line],
    labels: Sequence[str],
    label: str,
    *,
    reference: float | None = None,
    band: tuple[float, float] | None = None,
    every: bool = False,
    width: int = 560,
    height: int = 250,
) -> str:
    """Series over equally spaced labels, with a line or a band of what they are held against.

    every : write all labels, which otherwise are thinned out
    """
    known = np.concatenate([line.values[np.isfinite(line.values)] for line in series] or [np.zeros(0)])
    bounds = [*known, *([] if reference is None else [reference]), *(band or ())]
    low, high = (min(bounds), max(bounds)) if bounds else (0.0, 1.0)
    room = 0.08 * max(high - low, 0.05)
    frame = Frame(width, height, low - room, high + room, -0.3, len(labels) - 0.7)
    body = ""
    if band is not None:
        top, bottom = frame.y(band[1]), frame.y(band[0])
        body += f'<rect class="band" x="{LEFT}" width="{width - LEFT - RIGHT}" y="{top}" height="{bottom - top}"/>'
    body += _grid(frame, _every(labels, len(labels) if every else 6))
    if reference is not None:
        y = frame.y(reference)
        body += f'<line class="reference" x1="{LEFT}" x2="{width - RIGHT}" y1="{y}" y2="{y}"/>'
    for line in series:
        if line.faint.any():
            body += _path(frame, range(len(labels)), line.values, f"{line.style} faint")
        sure = np.where(line.faint, np.nan, line.values) if line.faint.any() else line.values
        body += _path(frame, range(len(labels)), sure, line.style)
        for i, value in enumerate(line.values):
            if np.isfinite(value):
                said = escape(f"{line.name}, {labels[i]}: {value:.3f}")
                style = f"{line.style} faint" if line.faint[i : i + 1].any() else line.style
                body += f'<circle class="dot {style}" cx="{frame.x(i)}" cy="{frame.y(float(value))}" r="3.2">'
                body += f"<title>{said}</title></circle>"
    return frame.wrap(body, label)


def columns(values: FloatArray, expected: FloatArray, labels: Sequence[str], label: str) -> str:
    """Columns with a mark at what each should be."""
    frame = Frame(560, 250, 0.0, 1.15 * float(max(values.max(), expected.max())), -0.5, len(values) - 0.5)
    body = _grid(frame, [(float(i), text) for i, text in enumerate(labels)])
    half = 0.36
    for i, value in enumerate(values):
        left, right = frame.x(i - half), frame.x(i + half)
        top, mark = frame.y(float(value)), frame.y(float(expected[i]))
        said = escape(f"{labels[i]}: {value:.1%}, calibrated {expected[i]:.1%}")
        body += f'<rect class="column" x="{left}" width="{right - left:.1f}" y="{top}" height="{frame.y(0) - top:.1f}">'
        body += f'<title>{said}</title></rect><line class="mark" x1="{left}" x2="{right}" y1="{mark}" y2="{mark}"/>'
    return frame.wrap(body, label)


def ranking(rows: Sequence[tuple[str, float, float, float, bool]], label: str, *, reference: float = 1.0) -> str:
    """Dots with intervals, best on top: name, value, low, high, whether it is ours. A value off the scale is cut."""
    high = float(np.clip(max((row[3] for row in rows), default=2.0), 1.1, 2.0))
    low = min([0.6, *(row[2] for row in rows)])
    left, line = 190, 23
    width, height = 560, 34 + line * len(rows)

    def at(value: float) -> float:
        return round(left + (min(max(value, low), high) - low) / (high - low) * (width - left - 60), 1)

    body = ""
    for value in ticks(low, high):
        body += f'<line class="grid" x1="{at(value)}" x2="{at(value)}" y1="4" y2="{height - 24}"/>'
        body += f'<text class="tick" x="{at(value)}" y="{height - 8}" text-anchor="middle">{number(value)}</text>'
    body += f'<line class="reference" x1="{at(reference)}" x2="{at(reference)}" y1="4" y2="{height - 24}"/>'
    for i, (name, value, below, above, ours) in enumerate(rows):
        y, style = 18 + i * line, "ours" if ours else "others"
        body += f'<text class="name {style}" x="{left - 10}" y="{y + 4}" text-anchor="end">{escape(name)}</text>'
        body += f'<line class="whisker {style}" x1="{at(below)}" x2="{at(above)}" y1="{y}" y2="{y}"/>'
        body += f'<circle class="dot {style}" cx="{at(value)}" cy="{y}" r="4.5"/>'
        body += f'<text class="tick" x="{width - 4}" y="{y + 4}" text-anchor="end">{value:.2f}</text>'
    return Frame(width, height, 0, 1, 0, 1).wrap(body, label)


def fan(recent: FloatArray, truth: FloatArray, quantiles: FloatArray, labels: Sequence[str], label: str) -> str:
    """Reports up to the forecast, then its intervals and what came.

    recent : (W,), truth : (H,), quantiles : (H, Q) with the median in the middle, labels : (W + H,)
    """
    weeks, horizons = len(recent), len(truth)
    drawn = np.concatenate([recent, truth, quantiles[:, -1]])
    frame = Frame(360, 210, 0.0, 1.08 * float(np.nanmax([*drawn[np.isfinite(drawn)], 1.0])), 0, weeks + horizons - 1)
    xs = [weeks - 1 + h for h in range(horizons + 1)]
    last = np.full((1, quantiles.shape[1]), recent[-1])
    spread = np.nan_to_num(np.vstack([last, quantiles]))
    body = _grid(frame, _every(labels, 4))
    for k in range(quantiles.shape[1] // 2):
        upper = [f"{frame.x(x)},{frame.y(v)}" for x, v in zip(xs, spread[:, -1 - k], strict=True)]
        lower = [f"{frame.x(x)},{frame.y(v)}" for x, v in zip(xs, spread[:, k], strict=True)]
        body += f'<polygon class="fan" points="{" ".join(upper + lower[::-1])}"/>'
    body += _path(frame, xs, spread[:, quantiles.shape[1] // 2], "ours")
    body += _path(frame, range(weeks), recent, "past")
    body += _path(frame, xs, np.concatenate([recent[-1:], truth]), "truth")
    for h, value in enumerate(truth):
        if np.isfinite(value):
            said = escape(
                f"{labels[weeks + h]}: {value:,.0f} came, {quantiles[h, quantiles.shape[1] // 2]:,.0f} forecast"
            )
            body += f'<circle class="dot truth" cx="{frame.x(weeks + h)}" cy="{frame.y(float(value))}" r="3">'
            body += f"<title>{said}</title></circle>"
    return frame.wrap(body, label)
