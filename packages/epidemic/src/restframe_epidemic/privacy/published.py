"""What dashboards get: counts of patients after suppression, in one transaction, when the attacker has failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from restframe_epidemic.privacy.cells import Hierarchies, Table
from restframe_epidemic.privacy.suppression import Suppressed, suppress

if TYPE_CHECKING:
    import pandas as pd

    from restframe_epidemic.store import Store

_BURDEN = ("as_of", "location", "condition")
_GAP = ("location", "month", "measure", "subject")
_BEFORE = ("location", "measure", "subject")


def publish(store: Store) -> tuple[Suppressed, ...]:
    """Write `epidemic_published` of the marts' tables; returns what was left out of each.

    DataError, and the tables stay as they were, when the attacker finds out a suppressed count.
    """
    places = store.frame("SELECT location, name, level, parent FROM epidemic.location")
    above = places.dropna(subset="parent")
    hierarchies: Hierarchies = {"location": dict(zip(above["location"], above["parent"], strict=True))}
    burden, burden_lost = _burden(store, hierarchies)
    gap, gap_lost = _gap(store, hierarchies, places)
    losses = (*burden_lost, *gap_lost)
    with store.transaction():
        _write(store, "condition_burden", burden)
        _write(store, "treatment_gap", gap)
        _write(store, "provider_access", _access(store, burden, places))
        _write(store, "suppression", _told(losses))
    return losses


def _burden(store: Store, hierarchies: Hierarchies) -> tuple[pd.DataFrame, tuple[Suppressed, ...]]:
    frame = store.frame("SELECT * FROM epidemic_gaps.burden ORDER BY location, condition")
    table = Table("condition_burden", frame, _BURDEN, derived=("estimated_infected",))
    edition = suppress([table], hierarchies, before=_before(store, table))
    return edition.tables[0].frame, edition.losses


def _gap(store: Store, hierarchies: Hierarchies, places: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Suppressed, ...]]:
    """Counts of the epidemic's months and, by themselves, of the time before, from which what is expected follows."""
    frame = store.frame(
        """
        SELECT location, month, measure, subject, events, events_before, expected, change, lower, upper
        FROM epidemic_gaps.local_change
        WHERE location IN (SELECT location FROM epidemic.location)
        ORDER BY measure, subject, month, location
        """
    )
    table = Table("treatment_gap", frame, _GAP, "events", derived=("change", "lower", "upper"))
    before = frame.drop_duplicates(list(_BEFORE))[[*_BEFORE, "events_before"]].reset_index(drop=True)
    known = suppress([Table("time before the epidemic", before, _BEFORE, "events_before")], hierarchies)
    edition = suppress([table], hierarchies, before=_before(store, table))
    told = known.tables[0].frame.rename(columns={"events_before": "told"})
    shown = edition.tables[0].frame.merge(told, on=list(_BEFORE), how="left")
    for column in ("expected", "change", "lower", "upper"):
        shown[column] = shown[column].where(shown["told"].notna())
    shown = shown.drop(columns=["events_before", "told"]).merge(places, on="location", how="left")
    return shown, (*edition.losses, *known.losses)


def _access(store: Store, burden: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """Access and concentration, where all conditions of the specialty may be told: they are made of the patients."""
    frame = store.frame(
        """
        SELECT access.location, access.specialty, access.capacity, access.providers, access.accepting, access.access,
            concentration.hhi
        FROM epidemic_gaps.access
        LEFT JOIN epidemic_gaps.concentration ON concentration.location = access.location
            AND concentration.specialty = access.specialty AND concentration.is_since
        ORDER BY access.specialty, access.location
        """
    )
    needs = store.frame("SELECT DISTINCT condition, specialty FROM epidemic_claims.condition")
    patients = burden[["location", "condition", "patients"]].merge(needs, on="condition")
    told = patients.groupby(["location", "specialty"])["patients"].agg(lambda counts: counts.notna().all())
    frame = frame.merge(told.rename("told").reset_index(), on=["location", "specialty"], how="left")
    for column in ("access", "hhi"):
        frame[column] = frame[column].where(frame["told"].eq(True))
    # To all their digits these fractions tell what they were made of: the visits of a county to each provider, the
    # patients of its neighbours.
    frame["access"] = frame["access"].map(_to_two_digits)
    frame["hhi"] = frame["hhi"].round(-2)
    return frame.drop(columns="told").merge(places, on="location", how="inner")


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
    frame = frame.astype(dict.fromkeys(counts, "Int64"))
    rows = pa.Table.from_pandas(frame, preserve_index=False)
    for column in dates:
        at = rows.column_names.index(column)
        rows = rows.set_column(at, column, rows[column].cast(pa.date32()))
    store.replace(f"epidemic_published.{name}", rows)
