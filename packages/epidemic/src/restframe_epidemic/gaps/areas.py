"""Areas: small places taken together with their neighbours, until enough patients live in each to tell of them.

Most places have few patients of a payer, and nothing that is counted of few may be published. An area is a place that
has enough, or several places of one place above that touch each other, or all of them. Areas are made of people, not of
patients, so that they tell of nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from restframe_epidemic.panel import FloatArray, IntArray

if TYPE_CHECKING:
    import pandas as pd

    from restframe_epidemic.store import Store

# Patients to be expected in an area. Of 500 some 25 see a specialist or fill a class of drugs in a month.
PATIENTS = 500
# Areas stay as they are, so that editions can be compared and one does not tell what another left out. When so many
# times more or fewer people are patients, the claims are others, and so are the areas.
_OTHERS = 4.0


def joined(
    population: FloatArray, above: IntArray, neighbours: Sequence[IntArray], position: FloatArray, least: float
) -> IntArray:
    """(N,) the area of each place, as the index of the place in it that has most people.

    population : (N,); above : (N,) the place above each, no area has places of two
    neighbours : the indices of those that touch each place; position : (N, 2) latitude and longitude, NaN where unknown
    least : people that an area has at least, unless it is all there is

    The smallest area goes to the smallest that it touches; to the nearest one when it touches none, and to the smallest
    when no distance is known.
    """
    area = np.arange(len(population))
    for group in np.unique(above):
        members = {int(n): [int(n)] for n in np.flatnonzero(above == group)}
        people = {n: float(population[n]) for n in members}
        while len(members) > 1:
            small = min(people, key=lambda n: (people[n], n))
            if people[small] >= least:
                break
            touching = {int(area[n]) for m in members[small] for n in neighbours[m] if above[n] == group} - {small}
            other = min(touching or _nearest(small, members.keys() - {small}, position), key=lambda n: (people[n], n))
            together, sum_ = members.pop(small) + members.pop(other), people.pop(small) + people.pop(other)
            largest = max(together, key=lambda n: (population[n], -n))
            members[largest], people[largest] = together, sum_
            area[together] = largest
    return area


def _nearest(small: int, others: set[int], position: FloatArray) -> set[int]:
    """The nearest of the others; all of them when no distance is known."""
    order = sorted(others)
    latitude = np.radians(position[small, 0])
    away = (position[order] - position[small]) * np.array([1.0, np.cos(latitude)])
    distance = np.hypot(away[:, 0], away[:, 1])
    return {order[int(np.nanargmin(distance))]} if np.isfinite(distance).any() else others


def prepare(store: Store, share: float) -> None:
    """Fill `epidemic_published.area`, unless the areas that are there still serve.

    share : of the people that are patients
    """
    import pandas as pd
    import pyarrow as pa

    places = store.frame(
        """
        SELECT place.location, place.name, place.level, place.parent, above.name AS above_name,
            above.level AS above_level, coalesce(place.population, 0) AS population, place.latitude, place.longitude
        FROM epidemic.location AS place
        LEFT JOIN epidemic.location AS above ON above.location = place.parent
        WHERE place.location NOT IN (SELECT parent FROM epidemic.location WHERE parent IS NOT NULL)
        ORDER BY place.location
        """
    )
    there = store.frame("SELECT location, people_least FROM epidemic_published.area ORDER BY location")
    least = PATIENTS / share if share > 0 else np.inf
    if list(there["location"]) == list(places["location"]) and len(there):
        kept = float(there["people_least"].iloc[0])
        if kept == least or kept / _OTHERS < least < kept * _OTHERS:
            return
    touching = store.frame("SELECT location, neighbour FROM epidemic.adjacency ORDER BY location, neighbour")
    number = {code: n for n, code in enumerate(places["location"])}
    neighbours: list[list[int]] = [[] for _ in number]
    for location, neighbour in touching.itertuples(index=False):
        if location in number and neighbour in number:
            neighbours[number[location]].append(number[neighbour])
    above = pd.factorize(places["parent"].fillna(""), sort=True)[0]
    area = joined(
        places["population"].to_numpy(np.float64),
        above,
        [np.array(some, dtype=np.int64) for some in neighbours],
        places[["latitude", "longitude"]].to_numpy(np.float64),
        least,
    )
    store.replace("epidemic_published.area", pa.Table.from_pandas(_named(places, area, least), preserve_index=False))


def _named(places: pd.DataFrame, area: IntArray, least: float) -> pd.DataFrame:
    """An area of one place is that place, one of all below another is the other; the rest get codes of their own."""
    import pandas as pd

    size = np.bincount(area, minlength=len(area))[area]
    joint = size > 1
    below = places.groupby("parent")["location"].transform("size").to_numpy()
    whole = joint & (size == below) & places["above_name"].notna().to_numpy()
    largest = places.iloc[area].reset_index(drop=True)
    more = largest["name"].str.slice(0, 100) + " and " + pd.Series(size - 1).astype(str) + " more"
    return pd.DataFrame(
        {
            "location": places["location"],
            "area": largest["location"].mask(joint, largest["location"] + "+").mask(whole, places["parent"]),
            "name": largest["name"].mask(joint, more).mask(whole, places["above_name"]),
            "level": largest["level"].mask(joint, "area").mask(whole, places["above_level"]),
            "parent": places["parent"],
            "people_least": least,
        }
    )
