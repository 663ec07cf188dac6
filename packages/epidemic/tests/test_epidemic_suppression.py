"""Suppression, tried by the attacker and by another one that knows nothing of how the first works."""

from __future__ import annotations

from itertools import product
from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from restframe_epidemic import errors
from restframe_epidemic.privacy.attack import attack, bounds
from restframe_epidemic.privacy.cells import Hierarchies, Rate, Table, collect
from restframe_epidemic.privacy.suppression import Suppressed, check, suppress

PLACES = {"Ash": "North", "Birch": "North", "Cedar": "North", "Dell": "South", "Elm": "South"}
ABOVE = {**PLACES, "North": "all", "South": "all"}
STATUS = {"yes": "both", "no": "both"}


def table(name: str, counts: dict[str, float | None]) -> Table:
    frame = pd.DataFrame({"place": list(counts), "patients": [np.nan if c is None else c for c in counts.values()]})
    return Table(name, frame, ("place",))


def shown(published: Table) -> dict[str, float | None]:
    counts = published.frame.set_index("place")["patients"]
    return {str(place): None if np.isnan(count) else count for place, count in counts.items()}


def test_small_counts_go_and_the_next_smallest_with_them() -> None:
    counties = table("counties", {"Ash": 4, "Birch": 30, "Cedar": 200, "Dell": 0, "Elm": 90})
    states = table("states", {"North": 234, "South": 90, "all": 324})
    edition = suppress([counties, states], {"place": ABOVE})
    # Birch protects Ash: of both only the sum, 34, can be found out. 0 is shown.
    assert shown(edition.tables[0]) == {"Ash": None, "Birch": None, "Cedar": 200, "Dell": 0, "Elm": 90}
    assert shown(edition.tables[1]) == {"North": 234, "South": 90, "all": 324}
    assert edition.losses[0] == Suppressed("counties", 4, 1, 1, 324, 34)


def test_two_small_counts_that_their_sum_tells_too_much_of_take_a_third() -> None:
    # 4 and 6 add up to 10: each would be known to lie between 1 and 9
    edition = suppress([table("all", {"Ash": 4, "Birch": 6, "Cedar": 200, "North": 210})], {"place": ABOVE})
    assert shown(edition.tables[0]) == {"Ash": None, "Birch": None, "Cedar": None, "North": 210}


def test_where_no_part_is_left_the_total_goes_and_another_total_protects_it() -> None:
    counts = {"Ash": 5, "Birch": 0, "Cedar": 0, "Dell": 40, "Elm": 60, "North": 5, "South": 100, "all": 105}
    edition = suppress([table("all", counts)], {"place": ABOVE})
    published = shown(edition.tables[0])
    assert published["North"] is None and published["South"] is None
    assert published["Dell"] is None  # or South would be the sum of its parts
    assert published["Elm"] == 60 and published["all"] == 105


def test_primary_suppression_alone_is_found_out() -> None:
    whole = table("all", {"Ash": 4, "Birch": 30, "Cedar": 200, "North": 234})
    open_ = suppress([whole], {"place": ABOVE}, complementary=False)
    (breach,) = attack(open_.tables, {"place": ABOVE})
    assert str(breach) == "all (place Ash): 4 to 4"
    with pytest.raises(errors.DataError, match="1 suppressed counts can be found out"):
        check(open_.tables, {"place": ABOVE})


def test_a_rate_tells_the_count() -> None:
    frame = pd.DataFrame({"place": ["Ash"], "patients": [np.nan], "people": [10_000.0], "rate": [12.3]})
    rate = Rate("rate", of="people", per=1000, decimals=1)
    open_ = Table("rates", frame, ("place",), rates=(rate,))
    # 12.3 in 1,000, rounded, of 10,000 people: 122.5 to 123.5
    (breach,) = attack([open_], {})
    assert (breach.least, breach.most) == (123, 123)


def test_rates_and_means_go_with_their_counts() -> None:
    frame = pd.DataFrame(
        {"place": ["Ash", "Elm"], "patients": [7, 70], "people": 1000, "rate": [0.7, 7.0], "age": 50.0}
    )
    whole = Table("rates", frame, ("place",), rates=(Rate("rate", of="people", per=100),), derived=("age",))
    published = suppress([whole], {}).tables[0].frame
    assert published["rate"].isna().tolist() == published["age"].isna().tolist() == [True, False]
    assert published["people"].tolist() == [1000, 1000]


def test_tables_of_one_base_are_tried_together() -> None:
    by_place = table("places", {"Ash": 14, "Birch": 30, "North": 44})
    by_status = pd.DataFrame({"status": ["yes", "no"], "place": "Ash", "patients": [3, 11]})
    both = [by_place, Table("status", by_status, ("place", "status"))]
    edition = suppress(both, {"place": ABOVE, "status": STATUS})
    # That they add up to the 14 of the other table leaves 1 to 13 for each.
    assert edition.tables[1].frame["patients"].isna().tolist() == [True, True]
    assert attack(edition.tables, {"place": ABOVE, "status": STATUS}) == []


def test_an_attack_over_two_hierarchies_goes_round_in_circles() -> None:
    rng = np.random.default_rng(2)
    tables, hierarchies = everything(rng.poisson(9.0, (5, 2, 2)))
    edition = suppress(tables, hierarchies)
    assert brute(edition.tables) == []
    assert attack(suppress(tables, hierarchies, complementary=False).tables, hierarchies) != []


def test_of_two_sums_the_one_that_tells_too_much_is_mended() -> None:
    """Ash's year tells its weeks; other places, of which only the sum with Ash's is known, would not help at all."""
    weeks = {"h1": "year", "h2": "year"}
    base = pd.DataFrame(
        [(place, week, count) for place, counts in _HALVES.items() for week, count in counts.items()],
        columns=["place", "half", "patients"],
    )
    tables = [
        Table("halves", base, ("place", "half")),
        Table("years", base.groupby("place", as_index=False)["patients"].sum(), ("place",)),
        Table(
            "North",
            base.assign(place="North").groupby(["place", "half"], as_index=False)["patients"].sum(),
            ("place", "half"),
        ),
    ]
    edition = suppress(tables, {"place": dict.fromkeys(_HALVES, "North"), "half": weeks})
    halves, years, north = (table.frame for table in edition.tables)
    assert set(halves.loc[halves["patients"].isna(), "place"]) == {"Ash", "Birch"}
    assert set(years.loc[years["patients"].isna(), "place"]) == {"Ash", "Birch"}
    assert north["patients"].notna().all()


_HALVES = {
    "Ash": {"h1": 4, "h2": 5},
    "Birch": {"h1": 20, "h2": 21},
    "Cedar": {"h1": 80, "h2": 90},
    "Dell": {"h1": 300, "h2": 310},
    "Elm": {"h1": 900, "h2": 800},
}


def everything(base: np.ndarray[Any, np.dtype[np.int64]], keep: int = 0b11111111) -> tuple[list[Table], Hierarchies]:
    """Tables over places x status x half-year at all levels of which `keep` has a bit; base: (5, 2, 2)."""
    rows = [(*key, int(n)) for key, n in zip(product(PLACES, STATUS, ("h1", "h2")), base.ravel(), strict=True)]
    finest = pd.DataFrame(rows, columns=["place", "status", "half", "patients"])
    tables = []
    for bit, (places, status, half) in enumerate(product((0, 1), (0, 1), (0, 1))):
        if keep >> bit & 1:
            frame = finest.assign(
                place=finest["place"].map(PLACES) if places else finest["place"],
                status="both" if status else finest["status"],
                half="year" if half else finest["half"],
            )
            frame = frame.groupby(["place", "status", "half"], as_index=False)["patients"].sum()
            tables.append(Table(f"table {bit}", frame, ("place", "status", "half")))
    return tables, {"place": PLACES, "status": STATUS, "half": {"h1": "year", "h2": "year"}}


def brute(tables: tuple[Table, ...]) -> list[tuple[float, float]]:
    """Bounds under 11 wide that linear programs over the base's cells find: a variable for each place, status, half."""
    cells = list(product(PLACES, STATUS, ("h1", "h2")))
    known, values, unknown = [], [], []
    for row in (row for one in tables for row in one.frame.itertuples()):
        part = np.array(
            [
                row.place in (place, PLACES[place]) and row.status in (status, "both") and row.half in (half, "year")
                for place, status, half in cells
            ],
            dtype=float,
        )
        if np.isnan(row.patients):
            unknown.append(part)
        else:
            known.append(part)
            values.append(row.patients)
    found = []
    rules: dict[str, Any] = {"A_eq": np.array(known), "b_eq": values} if known else {}
    if unknown:
        rules |= {"A_ub": -np.array(unknown), "b_ub": -np.ones(len(unknown))}
    for part in unknown:
        least, most = linprog(part, **rules), linprog(-part, **rules)
        assert least.status == 0
        if most.status == 0 and -most.fun - least.fun < 11 - 1e-6:
            found.append((least.fun, -most.fun))
    return found


@hypothesis.settings(
    max_examples=20, deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
@hypothesis.given(
    st.lists(st.integers(0, 40), min_size=20, max_size=20),
    st.sets(st.integers(0, 7), min_size=1, max_size=4),
)
def test_another_attacker_finds_nothing_either(counts: list[int], chosen: set[int]) -> None:
    tables, hierarchies = everything(np.array(counts).reshape(5, 2, 2), sum(1 << bit for bit in chosen))
    try:
        edition = suppress(tables, hierarchies)
    except errors.DataError as error:
        assert "overlap in a loop" in str(error)
        return
    assert brute(edition.tables) == []
    cells = collect(edition.tables, hierarchies)
    low, high = bounds(cells, ~np.isfinite(cells.value), exact=True)
    truth = collect(tables, hierarchies).value
    assert (low <= truth + 1e-6).all() and (truth <= high + 1e-6).all()


def test_what_was_shown_yesterday_protects_nothing() -> None:
    yesterday = table("all", {"Ash": 40, "Birch": 30, "Cedar": 200, "North": 270})
    first = suppress([yesterday], {"place": ABOVE})
    # A correction: Ash is 4. Birch's 30 stood in yesterday's edition; leaving it out now would fool nobody.
    today = table("all", {"Ash": 4, "Birch": 30, "Cedar": 201, "North": 235})
    second = suppress([today], {"place": ABOVE}, before=first.tables)
    assert shown(second.tables[0]) == {"Ash": None, "Birch": 30, "Cedar": None, "North": 235}


def test_what_was_left_out_stays_left_out() -> None:
    counts = {"Ash": 4, "Birch": 30, "Cedar": 31, "North": 65}
    first = suppress([table("all", counts)], {"place": ABOVE})
    assert shown(first.tables[0])["Birch"] is None
    # Now Cedar is the next smallest; were Birch shown today, Ash would follow from yesterday's total.
    second = suppress([table("all", counts | {"Cedar": 29, "North": 63})], {"place": ABOVE}, before=first.tables)
    assert shown(second.tables[0]) == {"Ash": None, "Birch": None, "Cedar": 29, "North": 63}


def test_an_edition_that_cannot_be_protected_is_refused() -> None:
    before = table("all", {"Ash": 40, "Birch": 30, "North": 34})
    with pytest.raises(errors.DataError, match="no more can be left out"):
        suppress([table("all", {"Ash": 4, "Birch": 30, "North": 34})], {"place": ABOVE}, before=[before])


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ([table("a", {"Ash": -1})], "something else than counts"),
        ([table("a", {"Ash": 1.5})], "something else than counts"),
        ([table("a", {"Ash": 20}), table("b", {"Ash": 21})], 'table "b" shows other counts'),
        ([table("a", {"Ash": 20, "Birch": 30, "North": 55})], "1 totals are not the sums of their parts"),
    ],
    ids=["negative", "fraction", "disagreeing", "not adding up"],
)
def test_tables_that_make_no_sense_are_refused(tables: list[Table], message: str) -> None:
    with pytest.raises(errors.DataError, match=message):
        suppress(tables, {"place": ABOVE})


def test_a_row_that_stands_twice_is_refused() -> None:
    twice = pd.concat([table("a", {"Ash": 20}).frame] * 2)
    with pytest.raises(errors.DataError, match='"a" has two rows for one cell'):
        suppress([Table("a", twice, ("place",))], {"place": ABOVE})


def test_a_row_without_a_place_is_refused() -> None:
    frame = pd.DataFrame({"place": ["Ash", None], "patients": [20, 30]})
    with pytest.raises(errors.DataError, match='"a" has rows without "place"'):
        suppress([Table("a", frame, ("place",))], {})


def test_a_table_without_rows_stays_one() -> None:
    edition = suppress([table("a", {})], {"place": ABOVE})
    assert len(edition.tables[0].frame) == 0
    assert edition.losses == (Suppressed("a", 0, 0, 0, 0, 0),)


def test_members_above_each_other_in_a_circle_are_refused() -> None:
    with pytest.raises(errors.DataError, match='dimension "place" stand above each other in a circle'):
        suppress([table("a", {"Ash": 20})], {"place": {"Ash": "Elm", "Elm": "Ash"}})


def test_three_tables_that_overlap_in_a_loop_are_refused() -> None:
    rng = np.random.default_rng(0)
    tables, hierarchies = everything(rng.poisson(50.0, (5, 2, 2)), keep=0b00010110)
    with pytest.raises(errors.DataError, match="overlap in a loop"):
        suppress(tables, hierarchies)


def test_published_tables_that_contradict_each_other_have_no_solution() -> None:
    nan = np.nan
    frame = pd.DataFrame(
        {
            "place": ["Ash", "Ash", "Ash", "Birch", "Birch", "Birch", "North", "North", "North"],
            "status": ["yes", "no", "both"] * 3,
            # Of the one `no` in North at least one lives in Ash, and one in Birch.
            "patients": [nan, nan, 30, nan, nan, 30, 59, 1, 60],
        }
    )
    hierarchies = {"place": {"Ash": "North", "Birch": "North"}, "status": STATUS}
    with pytest.raises(errors.DataError, match="contradict each other"):
        attack([Table("a", frame, ("place", "status"))], hierarchies)
