"""Areas: small places taken together until enough patients live in each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from restframe_epidemic.gaps import areas
from restframe_epidemic.store import Store

# A row of six places, of which the first four are below one place and the others below another.
PEOPLE = np.array([100.0, 30, 20, 40, 60, 10])
ABOVE = np.array([0, 0, 0, 0, 1, 1])
BESIDE = tuple(np.array([n for n in (k - 1, k + 1) if 0 <= n < 6]) for k in range(6))
ALONG = np.column_stack([np.zeros(6), np.arange(6.0)])
NOWHERE = np.full((6, 2), np.nan)
ALONE = (np.zeros(0, dtype=np.int64),) * 6


def test_small_places_go_with_the_smallest_that_they_touch() -> None:
    # 20 goes to 30, which is smaller than 40; their 50 and 40 become one, and 10 goes to 60.
    assert areas.joined(PEOPLE, ABOVE, BESIDE, ALONG, 60).tolist() == [0, 3, 3, 3, 4, 4]
    assert areas.joined(PEOPLE, ABOVE, BESIDE, ALONG, 45).tolist() == [0, 3, 3, 3, 4, 4]
    assert areas.joined(PEOPLE, ABOVE, BESIDE, ALONG, 15).tolist() == [0, 1, 2, 3, 4, 4]


def test_nobody_goes_over_the_border_of_a_place_above() -> None:
    assert areas.joined(PEOPLE, ABOVE, BESIDE, ALONG, 1e9).tolist() == [0, 0, 0, 0, 4, 4]
    assert areas.joined(PEOPLE, np.zeros(6, np.int64), BESIDE, ALONG, 1e9).tolist() == [0] * 6


def test_an_island_goes_with_the_nearest_and_what_lies_nowhere_with_the_smallest() -> None:
    along = ALONG.copy()
    along[2] = 0.0, 0.4
    assert areas.joined(PEOPLE, ABOVE, ALONE, along, 25).tolist() == [0, 1, 0, 3, 4, 4]
    assert areas.joined(PEOPLE, ABOVE, ALONE, NOWHERE, 25).tolist() == [0, 1, 1, 3, 4, 4]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "warehouse") as opened:
        opened.prepare()
        opened.run(
            """
            INSERT INTO epidemic.location (location, name, level, parent, population) VALUES
                ('N', 'Land', 'land', NULL, NULL), ('S', 'South', 'province', 'N', NULL),
                ('T', 'North', 'province', 'N', NULL), ('a', 'Ayton', 'town', 'S', 9000),
                ('b', 'Bee', 'town', 'S', 200), ('c', 'Ceeham', 'town', 'S', 300),
                ('d', 'Dee', 'town', 'T', 100), ('e', 'Eaves', 'town', 'T', 150);
            INSERT INTO epidemic.adjacency VALUES ('b', 'c'), ('c', 'b'), ('a', 'b'), ('b', 'a')
            """
        )
        yield opened


def told(store: Store) -> list[tuple[str, ...]]:
    columns = "location, area, name, level, parent"
    return [tuple(row) for row in store.run(f"SELECT {columns} FROM epidemic_published.area ORDER BY 1").fetchall()]


def test_what_areas_are_called(store: Store) -> None:
    areas.prepare(store, 1.0)  # everybody is a patient: 500 people are enough
    joint = ("c+", "Ceeham and 1 more", "area", "S")
    assert told(store) == [
        ("a", "a", "Ayton", "town", "S"),
        ("b", *joint),
        ("c", *joint),
        ("d", "T", "North", "province", "T"),
        ("e", "T", "North", "province", "T"),
    ]


def test_areas_stay_until_the_patients_are_others(store: Store) -> None:
    areas.prepare(store, 1.0)
    before = told(store)
    areas.prepare(store, 0.3)
    assert told(store) == before
    areas.prepare(store, 0.2)  # five times fewer: 2,500 people are needed now, and Bee and Ceeham have 500
    assert {row[1] for row in told(store)} == {"S", "T"}
    areas.prepare(store, 1.0)
    assert told(store) == before


def test_a_new_place_makes_areas_anew(store: Store) -> None:
    areas.prepare(store, 1.0)
    store.run(
        "INSERT INTO epidemic.location (location, name, level, parent, population) VALUES"
        " ('f', 'Eff', 'town', 'T', 700)"
    )
    areas.prepare(store, 1.0)
    assert [row[1] for row in told(store)] == ["a", "c+", "c+", "T", "T", "T"]


def test_without_patients_everything_is_one(store: Store) -> None:
    areas.prepare(store, 0.0)
    assert {row[1] for row in told(store)} == {"S", "T"}
