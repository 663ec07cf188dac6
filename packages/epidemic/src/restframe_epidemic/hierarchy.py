"""Who is above whom: places, and the levels above them, of a table of locations that need not be right.

A location that cannot be placed costs its own sums and nothing else: it goes to the top of the country, where there is
one, so that the total stays the sum of all places.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from restframe_epidemic import errors
from restframe_epidemic.panel import Level

_NAMED = 5  # places and rows that a notice or an error names before it only counts
TWICE, MISSING, CIRCLE, NONE = "twice", "parent", "circle", "orphan"
_WORDS = {
    TWICE: "locations that are given twice, of which one row counts",
    MISSING: "locations whose parent is not there",
    CIRCLE: "locations that are above themselves",
    NONE: "locations without a parent, unlike others of their level",
}


@dataclass(frozen=True, slots=True)
class Change:
    """Why a location has another parent than was given (None: none), or one row in place of two."""

    location: str
    rule: str
    given: str | None
    parent: str | None

    @property
    def reason(self) -> str:
        """In words, for people."""
        if self.rule == TWICE:
            return _WORDS[TWICE]
        return _WORDS[self.rule] + (f", counted in {self.parent} alone" if self.parent else ", in no sum")


@dataclass(frozen=True, slots=True)
class Places:
    """The smallest places, and the levels above them, nearest first: as in `Panel`.

    above : of each level, nearest first, the codes that stand over the N places; "" where a place has none there
    """

    frame: pd.DataFrame
    codes: tuple[str, ...]
    groups: Level
    between: tuple[Level, ...]
    top: str
    above: tuple[tuple[str, ...], ...]


def mended(locations: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Change, ...]]:
    """Locations of which each stands once and has a parent that is there, or none; no way up ends where it began.

    locations : location, parent and maybe level and more, in any order
    """
    frame = locations.copy()
    frame["location"] = frame["location"].astype(str)
    if "parent" not in frame:
        frame["parent"] = None
    rest = [name for name in frame.columns if name != "location"]
    frame = frame.sort_values(["location", *rest], key=lambda column: column.astype(str), ignore_index=True)
    repeated = frame["location"].duplicated()
    twice = sorted(set(frame["location"][repeated & ~frame.duplicated()]))
    frame = frame[~repeated].reset_index(drop=True)
    given = dict(zip(frame["location"], map(_text, frame["parent"]), strict=True))
    rules = _wrong(frame, given)
    top = _top(frame, given, rules)
    rules.pop(top, None)
    parent = {code: (top or None) if code in rules else above for code, above in given.items()}
    frame["parent"] = pd.Series([parent[code] for code in frame["location"]], dtype=object)
    changes = [Change(code, TWICE, given[code], parent[code]) for code in twice]
    changes += [Change(code, rule, given[code], parent[code]) for code, rule in sorted(rules.items())]
    return frame, tuple(changes)


def _text(parent: object) -> str | None:
    """A code as text, as `location` has it; numbers are floats in a column in which the top has none."""
    if parent is None or parent is pd.NA or parent != parent or parent == "":
        return None
    return str(int(parent)) if isinstance(parent, float) and parent.is_integer() else str(parent)


def _wrong(frame: pd.DataFrame, given: Mapping[str, str | None]) -> dict[str, str]:
    """By location, the rule that its parent breaks."""
    known = {code: above for code, above in given.items() if above is not None and above in given}
    rules = {code: MISSING for code, above in given.items() if above is not None and above not in given}
    rules |= dict.fromkeys(_circles(known), CIRCLE)
    if "level" in frame:
        level = dict(zip(frame["location"], frame["level"], strict=True))
        below = {level[code] for code, above in given.items() if above is not None}
        rules |= {code: NONE for code, above in given.items() if above is None and level[code] in below}
    return rules


def _top(frame: pd.DataFrame, given: Mapping[str, str | None], rules: Mapping[str, str]) -> str:
    """The one location without a parent that is above others; "" when there are several, or none."""
    above = set(given.values())
    tops = [code for code in frame["location"] if given[code] is None and code in above]
    alone = [code for code in tops if code not in rules] or tops
    return alone[0] if len(alone) == 1 else ""


def _circles(parent: Mapping[str, str]) -> set[str]:
    """The codes from which the way up leads back to them."""
    found: set[str] = set()
    seen: set[str] = set()
    for code in parent:
        way: dict[str, int] = {}
        while code in parent and code not in seen and code not in way:
            way[code] = len(way)
            code = parent[code]
        if code in way:
            found |= set(list(way)[way[code] :])
        seen |= set(way)
    return found


def notices(changes: Iterable[Change]) -> list[str]:
    """For people, one for each rule and what became of its locations."""
    told: dict[str, list[str]] = {}
    for change in changes:
        told.setdefault(change.reason, []).append(change.location)
    return [f"{reason}: {some(codes)}" for reason, codes in told.items()]


def places(locations: pd.DataFrame, found: list[str]) -> Places:
    """The deepest locations, and what is above them; adds notices of what was wrong to `found`.

    A place is a location that is no parent, and as deep as the deepest, or of their level. A state without counties is
    no place: it is a level above that is empty. NoData without any.
    """
    frame, changes = mended(locations)
    found += notices(changes)
    parent = {code: above for code, above in zip(frame["location"], frame["parent"], strict=True) if above is not None}
    path = {code: _ancestors(code, parent) for code in frame["location"]}
    deepest = max((len(above) for above in path.values()), default=0)
    above = set(parent.values())
    leaf, deep = (~frame["location"].isin(above), frame["location"].map(lambda code: len(path[code]) == deepest))
    if "level" in frame:
        alike = frame["level"].isin(frame["level"][leaf & deep])
    else:
        alike = frame["location"].isin([change.location for change in changes])
    frame = frame[leaf & (deep | alike)].sort_values("location", ignore_index=True)
    codes = tuple(frame["location"])
    if not codes:
        raise errors.NoData("there are no locations")
    # Counted from the top, so that who lacks a level in between still has those above it.
    over = [[path[code][len(path[code]) - 1 - t] if t < len(path[code]) else "" for code in codes]
            for t in reversed(range(deepest))]  # fmt: skip
    levels = [_level(each) for each in over] or [_level([""] * len(codes))]
    named = [code for code in levels[-1].codes if code]
    top = named[0] if len(levels) > 1 and len(named) == 1 else ""
    return Places(
        frame, codes, levels[0], tuple(levels[1 : len(levels) - bool(top)]), top, tuple(tuple(each) for each in over)
    )


def _level(over: Sequence[str]) -> Level:
    codes, of = np.unique(over, return_inverse=True)
    return Level(tuple(str(code) for code in codes), of.astype(np.int64))


def _ancestors(code: str, parent: Mapping[str, str]) -> tuple[str, ...]:
    found: list[str] = []
    while code in parent:
        code = parent[code]
        found.append(code)
    return tuple(found)


def some(items: Iterable[object]) -> str:
    """The first items, sorted, each cut, and how many more there are."""
    distinct = sorted({str(item)[:40] for item in items})
    more = len(distinct) - _NAMED
    return ", ".join(distinct[:_NAMED]) + (f" and {more} more" if more > 0 else "")
