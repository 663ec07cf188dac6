"""What dashboards get: counts of patients after suppression, in one transaction, when the attacker has failed.

Each subject (of a measure, or a condition) is told of the finest places, and of months or else of quarters, in which
four fifths of what was counted stand in counts that may be shown; and of all places above these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from restframe_epidemic.privacy.attack import SMALLEST
from restframe_epidemic.privacy.cells import Hierarchies, Table
from restframe_epidemic.privacy.suppression import Suppressed, suppress

if TYPE_CHECKING:
    import pandas as pd

    from restframe_epidemic.store import Store

_BURDEN = ("as_of", "location", "condition")
_GAP = ("location", "month", "months", "measure", "subject")
_BEFORE = ("location", "measure", "subject")
_SHOWN = 0.8  # of what was counted, in counts that may be shown, for a level of places and a period to be told
_MONTHS = (1, 3)
# decimals that are told; more are of the arithmetic
_DECIMALS = {"cases": 0, "deaths": 0, "deaths_per_100k": 2, "expected": 2, "change": 4, "lower": 4, "upper": 4}


def publish(store: Store) -> tuple[Suppressed, ...]:
    """Write `epidemic_published` of the marts' tables; returns what was left out of each.

    DataError, and the tables stay as they were, when the attacker finds out a suppressed count.
    """
    # Areas of one place, or of all below another, are that place.
    places = store.frame(
        """
        SELECT DISTINCT area AS location, name, level, parent FROM epidemic_published.area
        WHERE area NOT IN (SELECT parent FROM epidemic.location WHERE parent IS NOT NULL)
        UNION ALL
        SELECT location, name, level, parent FROM epidemic.location
        WHERE location IN (SELECT parent FROM epidemic.location WHERE parent IS NOT NULL)
        """
    )
    above = places.dropna(subset="parent")
    hierarchies: Hierarchies = {"location": dict(zip(above["location"], above["parent"], strict=True))}
    places["depth"] = places["location"].map(_depths(hierarchies["location"], places["location"]))
    burden, burden_lost = _burden(store, hierarchies, places)
    gap, gap_lost = _gap(store, hierarchies, places)
    losses = (*burden_lost, *gap_lost)
    with store.transaction():
        _write(store, "condition_burden", burden)
        _write(store, "treatment_gap", gap)
        _write(store, "provider_access", _access(store, burden))
        _write(store, "suppression", _told(losses))
    return losses


def _depths(above: Mapping[str, str], places: Sequence[str]) -> dict[str, int]:
    """How many places are above each."""
    depths = {}
    for place in places:
        at, depth = place, 0
        while at in above:
            at, depth = above[at], depth + 1
        depths[place] = depth
    return depths


def _burden(
    store: Store, hierarchies: Hierarchies, places: pd.DataFrame
) -> tuple[pd.DataFrame, tuple[Suppressed, ...]]:
    frame = store.frame("SELECT * FROM epidemic_gaps.burden ORDER BY location, condition")
    frame = frame.merge(places, on="location").assign(months=1)
    frame = frame.rename(columns={"infected": "estimated_infected"})
    figures = ["estimated_infected", "infected_lower", "infected_upper"]
    for column in figures:
        # To all its digits it would tell of the ages of those enrolled.
        frame[column] = frame[column].map(_to_two_digits)
    frame = _finest(frame, ["condition"], "patients", {}).drop(columns=["months", "depth"])
    table = Table("condition_burden", frame, _BURDEN, derived=tuple(figures))
    edition = suppress([table], hierarchies, before=_before(store, table))
    return edition.tables[0].frame, edition.losses


def _gap(store: Store, hierarchies: Hierarchies, places: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Suppressed, ...]]:
    """Counts of the epidemic's months or quarters and, by themselves, of the time before, from which what is expected
    follows.
    """
    frame = store.frame(
        """
        SELECT location, month, months, measure, subject, events, events_before, expected, change, lower, upper
        FROM epidemic_gaps.local_change
        ORDER BY measure, subject, month, location
        """
    )
    frame = _finest(frame.merge(places, on="location"), ["measure", "subject"], "events", _settled(store))
    frame = frame.drop(columns="depth").reset_index(drop=True)
    table = Table("treatment_gap", frame, _GAP, "events", derived=("change", "lower", "upper"))
    before = frame.drop_duplicates(list(_BEFORE))[[*_BEFORE, "events_before"]].reset_index(drop=True)
    known = suppress([Table("time before the epidemic", before, _BEFORE, "events_before")], hierarchies)
    edition = suppress([table], hierarchies, before=_before(store, table))
    told = known.tables[0].frame.rename(columns={"events_before": "told"})
    shown = edition.tables[0].frame.merge(told, on=list(_BEFORE), how="left")
    for column in ("expected", "change", "lower", "upper"):
        shown[column] = shown[column].where(shown["told"].notna())
    return shown.drop(columns=["events_before", "told"]), (*edition.losses, *known.losses)


def _finest(
    frame: pd.DataFrame, subject: list[str], count: str, settled: Mapping[tuple[str, ...], int]
) -> pd.DataFrame:
    """Of each subject the rows of one period, and of the places down to one depth: the deepest, and of that the
    shortest period, that shows enough; where none does, those at the top by the longest period.

    settled : the periods of subjects that cannot take another any more
    """
    import pandas as pd

    small = frame[count].where(frame[count] < SMALLEST, 0)
    by = [*subject, "depth", "months"]
    sums = pd.DataFrame({**{name: frame[name] for name in by}, "all": frame[count], "small": small}).groupby(by).sum()
    chosen = []
    for name, levels in sums.groupby(subject):
        known = settled.get(tuple(name))
        can = levels.reset_index()
        can = can[can["months"] == known] if known is not None and (can["months"] == known).any() else can
        enough = can[(can["all"] > 0) & (can["small"] <= (1 - _SHOWN) * can["all"])]
        order = enough.sort_values(["depth", "months"], ascending=[False, True])
        first = order.iloc[0] if len(order) else can.sort_values(["depth", "months"], ascending=[True, False]).iloc[0]
        chosen.append((*name, first["depth"], first["months"]))
    limits = pd.DataFrame(chosen, columns=[*subject, "down_to", "months"]).astype({"down_to": int, "months": int})
    kept = frame.merge(limits, on=[*subject, "months"])
    return kept[kept["depth"] <= kept["down_to"]].drop(columns="down_to").reset_index(drop=True)


def _settled(store: Store) -> dict[tuple[str, ...], int]:
    """Of subjects that were published, the period that they keep: a quarter less two shown months would be the third.
    Only where no month was left out yet may quarters follow.
    """
    rows = store.run(
        """
        SELECT measure, subject, max(months) FROM epidemic_published.treatment_gap
        GROUP BY measure, subject HAVING count(events) < count(*) OR max(months) > 1
        """
    ).fetchall()
    return {(measure, subject): months for measure, subject, months in rows}


def _access(store: Store, burden: pd.DataFrame) -> pd.DataFrame:
    """Access and concentration of the areas, where all conditions of the specialty may be told: they are made of the
    patients. Providers of the places.
    """
    frame = store.frame(
        """
        WITH of_area AS (
            SELECT area.area, access.specialty,
                CAST(sum(CAST(access.access * access.demand AS decimal(32,12))) AS float8)
                    / nullif(CAST(sum(CAST(CASE WHEN access.access IS NULL THEN NULL ELSE access.demand END
                        AS decimal(32,12))) AS float8), 0) AS access
            FROM epidemic_gaps.access
            JOIN epidemic_published.area ON area.location = access.location
            GROUP BY area.area, access.specialty
        )
        SELECT access.location, place.name, place.level, place.parent, access.specialty, access.capacity,
            access.providers, access.accepting, area.area, of_area.access, concentration.hhi
        FROM epidemic_gaps.access
        JOIN epidemic.location AS place ON place.location = access.location
        JOIN epidemic_published.area ON area.location = access.location
        JOIN of_area ON of_area.area = area.area AND of_area.specialty = access.specialty
        LEFT JOIN epidemic_gaps.concentration ON concentration.location = area.area
            AND concentration.specialty = access.specialty AND concentration.is_since
        ORDER BY access.specialty, access.location
        """
    )
    needs = store.frame("SELECT DISTINCT condition, specialty FROM epidemic_claims.condition")
    told = needs.merge(burden.loc[burden["patients"].notna(), ["location", "condition"]], on="condition")
    told = told.groupby(["location", "specialty"]).size().rename("told").reset_index()
    told = told.merge(needs.groupby("specialty").size().rename("needed").reset_index(), on="specialty")
    told = told.loc[told["told"] == told["needed"], ["location", "specialty", "told"]]
    frame = frame.merge(told.rename(columns={"location": "area"}), on=["area", "specialty"], how="left")
    for column in ("access", "hhi"):
        frame[column] = frame[column].where(frame["told"].notna())
    # To all their digits these fractions tell what they were made of: the visits of an area to each provider, the
    # patients of its neighbours.
    frame["access"] = frame["access"].map(_to_two_digits)
    frame["hhi"] = frame["hhi"].round(-2)
    return frame.drop(columns="told")


def _before(store: Store, table: Table) -> Sequence[Table]:
    """What was published last."""
    columns = ", ".join([*table.dimensions, table.count])
    frame = store.frame(f"SELECT {columns} FROM epidemic_published.{table.name}")
    return [Table(table.name, frame, table.dimensions, table.count)]


def _told(losses: Sequence[Suppressed]) -> pd.DataFrame:
    import pandas as pd

    names = {"table": "published_table", "primary": "primary_suppressed"}
    # Not the patients in them: of few suppressed counts the sum tells each.
    told = pd.DataFrame([asdict(loss) for loss in losses]).drop(columns=["patients", "patients_left_out"])
    return told.rename(columns=names)


def _to_two_digits(value: float) -> float:
    return float(f"{value:.1e}")


def _write(store: Store, name: str, frame: pd.DataFrame) -> None:
    import pyarrow as pa

    counts = [column for column in ("patients", "events", "providers", "accepting") if column in frame]
    dates = [column for column in ("as_of", "month") if column in frame]
    frame = frame.astype(dict.fromkeys(counts, "Int64")).round(_DECIMALS)
    rows = pa.Table.from_pandas(frame, preserve_index=False)
    for column in dates:
        at = rows.column_names.index(column)
        rows = rows.set_column(at, column, rows[column].cast(pa.date32()))
    store.replace(f"epidemic_published.{name}", rows)
