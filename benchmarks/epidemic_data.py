"""The real US data as Panels, without a warehouse: what the benchmarks of the epidemic engine share.

The same as `panel_reading.read` gives once the files are ingested; packages/epidemic/tests compares them.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from restframe_epidemic import country, panel_reading
from restframe_epidemic.panel import Panel

US = country.read("us").folder
_NOT_FEATURES = {
    "location", "state_name", "name", "population", "population_2018", "migration_international", "migration_domestic",
    "area_square_miles", "population_svi", "households", "daytime_population", "latitude", "longitude",
    "physicians_per_100k", "primary_physicians_per_100k", "icu_beds",
}  # fmt: skip
_BEFORE = np.datetime64("2020-01-01")
_DAY_ONE = np.datetime64("0001-01-01")  # day 1 of the ordinal numbers in county_interventions.csv.gz


def panel(directory: Path | str, as_of: str | None = None) -> Panel:
    """Of the files that `data/covid/README.md` describes; takes one or two seconds."""
    directory = Path(directory)
    counties = _renamed(pd.read_parquet(directory / "county_features.parquet"), "county_features")
    return panel_reading.from_frames(
        _renamed(_read(directory / "county_daily.parquet"), "case_history"),
        _locations(counties),
        adjacency=_renamed(pd.read_parquet(directory / "county_adjacency.parquet"), "adjacency"),
        features=_features(counties),
        signals=pd.concat([_policies(directory, counties), _interventions(directory)]),
        ages=_ages(counties),
        capacity=_capacity(counties),
        holidays=pd.read_csv(US / "holiday.csv"),
        severity=pd.read_csv(US / "age_severity.csv"),
        parameters=pd.read_csv(US / "parameter.csv"),
        as_of=as_of,
    )


def _read(path: Path) -> pd.DataFrame:
    """Dates as datetime64: as objects they cost more than all the rest."""
    frame: pd.DataFrame = pq.read_table(path).to_pandas(date_as_object=False)
    return frame


def _renamed(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """Columns as the source's declaration calls them."""
    columns = tomllib.loads((US / "sources" / f"{source}.toml").read_text(encoding="utf-8"))["columns"]
    return frame.rename(columns={said.get("from", name): name for name, said in columns.items()})


def _locations(counties: pd.DataFrame) -> pd.DataFrame:
    code = counties["location"].str[:2]
    places = counties[["location", "name", "population", "latitude", "longitude"]].assign(parent=code)
    states = pd.DataFrame({"location": code, "name": counties["state_name"], "parent": "US"}).drop_duplicates()
    nation = pd.DataFrame({"location": ["US"], "name": ["United States"], "parent": [None]})
    return pd.concat([places, states, nation], ignore_index=True)


def _features(counties: pd.DataFrame) -> pd.DataFrame:
    features = counties[["location", *(name for name in counties.columns if name not in _NOT_FEATURES)]].assign(
        density=counties["population"] / counties["area_square_miles"],
        daytime=counties["daytime_population"] / counties["population_svi"],
        household_size=counties["population_svi"] / counties["households"],
    )
    return features.melt(id_vars="location", var_name="name", value_name="value").dropna()


def _ages(counties: pd.DataFrame) -> pd.DataFrame:
    """The county's shares under 18 and from 65 on, each part spread over its bands as the nation's is."""
    nation = pd.read_csv(US / "national_age.csv")
    nation["third"] = np.searchsorted([18, 65], nation["age_from"], side="right")
    nation["part"] = nation["people"] / nation.groupby("third")["people"].transform("sum")
    band = np.where(nation["age_from"].isin([18, 65]), nation["age_from"], nation["age_from"].clip(upper=80) // 10 * 10)
    young, old = counties["age_17_minus"] / 100, counties["age_65_plus"] / 100
    thirds = np.column_stack([young, 1 - young - old, old]) * counties["population"].to_numpy()[:, None]
    people = thirds[:, nation["third"]] * nation["part"].to_numpy()
    long = pd.DataFrame(people.T, index=band, columns=counties["location"]).groupby(level=0).sum()
    return long.rename_axis("age_from").reset_index().melt("age_from", var_name="location", value_name="population")


def _capacity(counties: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "location": counties["location"],
            "icu_beds": counties["icu_beds"],
            "hospital_beds": np.nan,
            "physicians": counties["physicians_per_100k"] * counties["population"] / 100_000,
        }
    )


def _policies(directory: Path, counties: pd.DataFrame) -> pd.DataFrame:
    """Of the states; the flags, and the counts of cases that come with them, are left out."""
    table = _read(directory / "state_policies_oxcgrt.parquet")
    table = table[~table["indicator"].str.contains("flag|confirmed")]
    code = dict(zip(counties["state_name"], counties["location"].str[:2], strict=True))
    states = pd.read_csv(US / "state.csv", keep_default_na=False)
    of_region = {f"US_{postal}": code[name] for postal, name in states.itertuples(index=False)}
    table = table.assign(location=table["region_code"].map(of_region), name=table["indicator"])
    return table.loc[table["value"].notna(), ["location", "date", "name", "value"]]


def _interventions(directory: Path) -> pd.DataFrame:
    """0 before the day, 1 from it on, 0 again from the day of the rollback on."""
    table = _renamed(pd.read_csv(directory / "county_interventions.csv.gz"), "interventions")
    table["location"] = table["location"].astype(str).str.zfill(5)
    table = table[~table["location"].str.endswith("000")]
    orders = [column for column in table.columns if column not in ("location", "state", "name")]
    begin = [column for column in orders if not column.endswith("_end")]
    found = [table[["location"]].assign(date=_BEFORE, name=f"county_{column}", value=0.0) for column in begin]
    for column in orders:
        dated = table.loc[table[column].notna(), ["location", column]]
        date = _DAY_ONE + (dated[column].to_numpy(dtype=np.int64) - 1)
        name = f"county_{column.removesuffix('_end')}"
        found.append(dated[["location"]].assign(date=date, name=name, value=float(column in begin)))
    return pd.concat(found, ignore_index=True)
