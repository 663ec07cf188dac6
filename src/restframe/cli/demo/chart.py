"""The demo's chart: one HTML file that needs no network and nothing beside it.

Canvas and a few hundred lines of script instead of a charting library: the page weighs some 200 KB instead of 5 MB,
and it opens wherever a browser is.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources

from restframe.cli.demo.findings import Findings, Found, Row

# More half hours than this are thinned out for the page; those above the cut-off all stay.
_MOST_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the story as it ran; the code is SQL or Python, or nothing."""

    title: str
    code: str
    seconds: float


def page(findings: Findings, steps: Sequence[Step], *, lede: str, footer: str) -> str:
    """The whole document as HTML."""
    files = resources.files(__package__)
    return (
        files.joinpath("page.html")
        .read_text(encoding="utf-8")
        .format(
            title="New York taxi ridership, and what is unusual in it",
            style=files.joinpath("page.css").read_text(encoding="utf-8"),
            script=files.joinpath("page.js").read_text(encoding="utf-8"),
            lede=html.escape(lede),
            facts=_facts(findings, steps),
            labelled="event the data names",
            rows=_rows(findings),
            remark=html.escape(_remark(findings)),
            steps="".join(_step(step) for step in steps),
            footer=html.escape(footer),
            data=_data(findings),
        )
    )


def _facts(findings: Findings, steps: Sequence[Step]) -> str:
    hit = sum(one.above > 0 for one in findings.labelled)
    facts = (
        (f"{len(findings.rows):,}", "half hours scored"),
        (f"{findings.cutoff:.4f}", "cut-off: mean + 3 standard deviations"),
        (f"{len(findings.above):,}", "half hours above it"),
        (f"{hit} of {len(findings.labelled)}", "named events found"),
        (f"{sum(step.seconds for step in steps):.1f} s", "for everything, training included"),
    )
    return "".join(f'<div class="fact"><b>{value}</b><span>{label}</span></div>' for value, label in facts)


def _rows(findings: Findings) -> str:
    rows = [_row(number, one) for number, one in enumerate(findings.found)]
    if findings.elsewhere:
        peak = max(findings.elsewhere, key=lambda row: row.score)
        rows.append(
            f'<tr class="rest"><td>no event known</td><td colspan="2">{findings.days_elsewhere} days</td>'
            f'<td class="n">{len(findings.elsewhere)}</td>{_peak(peak)}</tr>'
        )
    return "".join(rows)


def _row(number: int, one: Found) -> str:
    quiet = "" if one.above else " none"
    return (
        f'<tr class="{one.event.kind}" data-event="{number}" tabindex="0"><td>{html.escape(one.event.name)}</td>'
        f"<td>{one.event.start:%a %d %b %Y %H:%M}</td><td>{one.event.end:%a %d %b %Y %H:%M}</td>"
        f'<td class="n{quiet}">{one.above}</td>{_peak(one.peak)}</tr>'
    )


def _peak(row: Row) -> str:
    return f'<td class="n">{row.score:.4f}</td><td>{row.moment:%a %d %b %Y %H:%M}</td><td class="n">{row.riders:,}</td>'


def _remark(findings: Findings) -> str:
    said = (
        "The model sees one number at a time, so it finds ridership of a size that is rare, high or low. "
        "A day that is unusual only for its weekday, as a quiet Thanksgiving is, can stay below the cut-off."
    )
    if findings.elsewhere:
        said += " Half hours without a known event are mostly busy evenings: rare sizes, too, but no news."
    return said


def _step(step: Step) -> str:
    head = f"<span>{html.escape(step.title)}</span><em>{step.seconds:.2f} s</em>"
    if not step.code:
        return f'<li><div class="plain">{head}</div></li>'
    return f"<li><details><summary>{head}</summary><pre>{html.escape(step.code)}</pre></details></li>"


def _data(findings: Findings) -> str:
    """The numbers as JSON that is safe inside a script element."""
    rows = list(_thinned(findings))
    start = rows[0].moment
    data = {
        "start": _milliseconds(start),
        "minutes": [round((row.moment - start).total_seconds() / 60) for row in rows],
        "riders": [row.riders for row in rows],
        "scores": [round(row.score, 4) for row in rows],
        "cutoff": findings.cutoff,
        "events": [
            {
                "name": one.event.name,
                "kind": one.event.kind,
                "start": _milliseconds(max(one.event.start, start)),
                "end": _milliseconds(min(one.event.end, rows[-1].moment)),
            }
            for one in findings.found
        ],
    }
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _thinned(findings: Findings) -> Iterable[Row]:
    every = -(-len(findings.rows) // _MOST_ROWS)
    return (row for i, row in enumerate(findings.rows) if i % every == 0 or row.score > findings.cutoff)


def _milliseconds(moment: datetime) -> int:
    return round(moment.replace(tzinfo=UTC).timestamp() * 1000)
