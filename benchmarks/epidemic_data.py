"""The real US data as Panels, without a warehouse: what the benchmarks of the epidemic engine share."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from restframe_epidemic import country, panel_reading
from restframe_epidemic.panel import Panel

_AGES = {0: "EP_AGE17", 65: "EP_AGE65"}  # percentages of the CDC's social vulnerability index; the rest is 18 to 64
_STATIC = ("STNAME", "CTYNAME", "lat", "lon", "ICU Beds")
_DAY_ONE = np.datetime64("0001-01-01")  # day 1 of the ordinal numbers in county_interventions.csv.gz
_BEFORE = np.datetime64("2020-01-01")


def panel(directory: Path | str, as_of: str | None = None) -> Panel:
    """Of the files that `data/covid/README.md` describes; takes about a second."""
    directory = Path(directory)
    features = pd.read_parquet(directory / "county_features.parquet")
    reports = _read(directory / "county_daily.parquet").rename(
        columns={"fips": "location", "cum_cases": "cases", "cum_deaths": "deaths"}
    )
    edges = pd.read_parquet(directory / "county_adjacency.parquet")
    return panel_reading.from_frames(
        reports,
        _locations(features),
        adjacency=edges.rename(columns={"fips_a": "location", "fips_b": "neighbour"}),
        features=_features(features),
        signals=pd.concat([_policies(directory), _interventions(directory)]),
        ages=_ages(features),
        capacity=_capacity(features),
        holidays=pd.read_csv(country.read("us").folder / "holiday.csv"),
        as_of=as_of,
    )


def _read(path: Path) -> pd.DataFrame:
    """Dates as datetime64: as objects they cost more than all the rest."""
    frame: pd.DataFrame = pq.read_table(path).to_pandas(date_as_object=False)
    return frame


def _locations(features: pd.DataFrame) -> pd.DataFrame:
    counties = pd.DataFrame(
        {
            "location": features["fips"],
            "name": features["CTYNAME"],
            "parent": features["fips"].str[:2],
            "population": features["POPESTIMATE2019"],
            "latitude": features["lat"],
            "longitude": features["lon"],
        }
    )
    states = pd.DataFrame({"location": features["fips"].str[:2], "name": features["STNAME"], "parent": "US"})
    nation = pd.DataFrame({"location": ["US"], "name": ["United States"], "parent": [None]})
    return pd.concat([counties, states.drop_duplicates(), nation], ignore_index=True)


def _features(features: pd.DataFrame) -> pd.DataFrame:
    numbers = features.drop(columns=[name for name in features.columns if name in _STATIC or "Physicians" in name])
    long = numbers.melt(id_vars="fips", var_name="name", value_name="value")
    return long.assign(name=long["name"].str.lower()).rename(columns={"fips": "location"})


def _ages(features: pd.DataFrame) -> pd.DataFrame:
    shares = {age: features[name] for age, name in _AGES.items()}
    shares[18] = 100 - shares[0] - shares[65]
    return pd.concat(
        pd.DataFrame(
            {"location": features["fips"], "age_from": age, "population": features["POPESTIMATE2019"] * share / 100}
        )
        for age, share in shares.items()
    )


def _capacity(features: pd.DataFrame) -> pd.DataFrame:
    physicians = [name for name in features.columns if name.startswith("Total Active Patient Care Physicians")]
    return pd.DataFrame(
        {
            "location": features["fips"],
            "icu_beds": features["ICU Beds"],
            "physicians": features[physicians[0]] * features["POPESTIMATE2019"] / 100_000,
        }
    )


def _policies(directory: Path) -> pd.DataFrame:
    """Of the states; the flags, and the counts of cases that come with them, are left out."""
    table = _read(directory / "state_policies_oxcgrt.parquet")
    table = table[~table["indicator"].str.contains("flag|confirmed")]
    features = pd.read_parquet(directory / "county_features.parquet", columns=["fips", "STNAME"])
    state = dict(zip(features["STNAME"], features["fips"].str[:2], strict=True))
    code = table["region_name"].map({**state, "Washington DC": "11"})
    return table.assign(location=code, name=table["indicator"])[["location", "date", "name", "value"]]


def _interventions(directory: Path) -> pd.DataFrame:
    """0 before the day, 1 from it on, 0 again from the day of the rollback on."""
    table = pd.read_csv(directory / "county_interventions.csv.gz")
    fips = table["FIPS"].astype(int)
    table = table[fips % 1000 != 0].assign(location=fips.astype(str).str.zfill(5))
    found = [table[["location"]].assign(date=_BEFORE, name=name, value=0.0) for name in _starting(table)]
    for column in table.columns[3:-1]:
        dated = table[table[column].notna()]
        date = _DAY_ONE + (dated[column].to_numpy(dtype=np.int64) - 1)
        value = float(not column.endswith(" rollback"))
        found.append(
            pd.DataFrame({"location": dated["location"], "date": date, "name": _signal(column), "value": value})
        )
    return pd.concat(found, ignore_index=True)


def _starting(table: pd.DataFrame) -> list[str]:
    return sorted({_signal(column) for column in table.columns[3:-1]})


def _signal(column: str) -> str:
    return "county_" + re.sub(r"\W+", "_", column.removesuffix(" rollback").replace(">", "over "))
