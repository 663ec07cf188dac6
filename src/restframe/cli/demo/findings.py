"""What the scores say: which half hours stand out, and which event each of them falls on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from restframe.cli.demo.calendar import Event


@dataclass(frozen=True, slots=True)
class Row:
    moment: datetime
    riders: int
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """One event and the half hours in it that lie above the cut-off.

    peak : the half hour with the highest score among them; of the whole event when none is above
    """

    event: Event
    above: int
    peak: Row


@dataclass(frozen=True, slots=True)
class Findings:
    """rows : every half hour in time's order. elsewhere : those above the cut-off that no event covers."""

    rows: Sequence[Row]
    cutoff: float
    found: list[Found]
    elsewhere: list[Row]

    @property
    def above(self) -> list[Row]:
        return [row for row in self.rows if row.score > self.cutoff]

    @property
    def labelled(self) -> list[Found]:
        return [one for one in self.found if one.event.kind == "event"]

    @property
    def days_elsewhere(self) -> int:
        return len({row.moment.date() for row in self.elsewhere})


def find(rows: Sequence[Row], cutoff: float, events: Sequence[Event]) -> Findings:
    """Put the rows above the cut-off beside the events, which do not overlap; an event without rows is left out."""
    found = []
    for event in events:
        inside = [row for row in rows if event.start <= row.moment < event.end]
        if inside:
            above = sum(row.score > cutoff for row in inside)
            found.append(Found(event, above, max(inside, key=lambda row: row.score)))
    elsewhere = [
        row for row in rows if row.score > cutoff and not any(event.start <= row.moment < event.end for event in events)
    ]
    return Findings(rows, cutoff, found, elsewhere)
