"""`restframe-epidemic score`: stored forecasts become scores in the warehouse, a table on screen and a page."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from restframe_epidemic import cli, country, errors, forecasts, hub, panel_reading
from restframe_epidemic.ensemble import forecasting
from restframe_epidemic.models import persistence
from restframe_epidemic.panel import Panel
from restframe_epidemic.report import svg
from restframe_epidemic.store import Store

PLACES = ("n01", "n02", "s01", "s02")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Four places, sixteen weeks that end on Sundays, and forecasts of two days: one whose weeks all came, one half."""
    directory = tmp_path_factory.mktemp("scoring")
    (directory / "country").mkdir()
    (directory / "country" / "country.toml").write_text('name = "Elsewhere"\nweek_ends = "sunday"\n')
    dates = pd.date_range("2021-01-03", periods=7 * 16 + 1)
    rng = np.random.default_rng(0)
    reports = [
        pd.DataFrame(
            {"location": code, "date": dates.date, "cases": np.cumsum(rng.poisson(level, len(dates))), "deaths": 0}
        )
        for code, level in zip(PLACES, (40, 10, 3, 0.1), strict=True)
    ]
    locations = pd.DataFrame(
        {
            "location": [*PLACES, "n", "s", "all"],
            "name": ["Upper", "Lower <&>", "Left", "Right", "North", "South", "Elsewhere"],
            "level": ["place"] * 4 + ["part"] * 2 + ["whole"],
            "parent": ["n", "n", "s", "s", "all", "all", None],
            "population": 1000,
        }
    )
    with Store(directory / "warehouse") as store:
        store.prepare()
        store.replace("epidemic.location", pa.Table.from_pandas(locations, preserve_index=False))
        store.replace("epidemic.case_report", pa.Table.from_pandas(pd.concat(reports), preserve_index=False))
        panel = panel_reading.read(store, country.read(directory / "country"))
        for week in (9, 13):
            _forecast(store, panel.until(panel.weeks[week]))
    yield directory


def _forecast(store: Store, panel: Panel) -> None:
    points = persistence.forecast(panel, 8) * 1.1
    forecast = forecasting.with_quantiles(panel, points, forecasting.persistence_history(panel))
    ensemble = forecasts.ensemble(panel, forecast)
    curve = forecasts.points(panel, points + 3)
    forecasts.write(store, "a run", panel, "ensemble", "wk inc case", ensemble)
    forecasts.write(store, "a run", panel, "curve", "wk inc case", curve)


def score(warehouse: Path, *more: str) -> int:
    return cli.main(
        ["score", "--warehouse", str(warehouse / "warehouse"), "--country", str(warehouse / "country"), *more]
    )


def test_scores_of_weeks_that_came_are_kept_once(warehouse: Path, capsys: pytest.CaptureFixture[str]):
    assert score(warehouse) == 0
    assert score(warehouse) == 0  # again: the same rows
    assert "scores in epidemic.score, of 2 dates up to 2021-04-25" in capsys.readouterr().out
    with Store(warehouse / "warehouse") as store:
        counted = store.frame(
            "SELECT model_id, reference_date, MAX(horizon) AS weeks, COUNT(*) AS n, COUNT(wis) AS scored,"
            " SUM(CASE WHEN covered_95 THEN 1 ELSE 0 END) AS held"
            " FROM epidemic.score GROUP BY 1, 2 ORDER BY 1, 2"
        )
        by_hand = store.frame(
            "SELECT s.forecast, s.truth, f.value FROM epidemic.score s JOIN epidemic.forecast f"
            " ON s.location = f.location AND s.reference_date = f.reference_date AND s.horizon = f.horizon"
            " AND s.model_id = f.model_id AND f.output_type = 'median'"
            " WHERE s.model_id = 'curve' AND s.location = 'n01'"
        )
    assert counted[["model_id", "weeks", "n", "scored"]].values.tolist() == [
        ["curve", 4, 16, 0],
        ["curve", 2, 8, 0],
        ["ensemble", 4, 28, 28],
        ["ensemble", 2, 14, 14],
        ["persistence", 4, 28, 28],
        ["persistence", 2, 14, 14],
    ]
    assert counted["held"].sum() > 70
    assert (by_hand["forecast"] == by_hand["value"]).all()
    assert by_hand["truth"].between(200, 400).all()


def test_dashboards_read_scores_beside_persistence(warehouse: Path):
    assert score(warehouse) == 0
    with Store(warehouse / "warehouse") as store:
        shown = store.run(
            """SELECT target_end_date::varchar, name, truth, persistence IS NOT NULL, wis_of_persistence IS NOT NULL
               FROM epidemic_published.score
               WHERE location = 'n01' AND horizon = 1 AND reference_date = '2021-03-14'"""
        ).fetchall()
        (kept,) = store.run("SELECT count(*) FROM epidemic.score WHERE model_id = 'ensemble'").fetchall()
        (published,) = store.run("SELECT count(*) FROM epidemic_published.score").fetchall()
    assert shown == [("2021-03-21", "Upper", 277, True, True)]
    assert kept == published


def test_every_level_is_scored_like_the_places(warehouse: Path, capsys: pytest.CaptureFixture[str]):
    """What came to a sum is the sum of what came to its places, and the reference that its last week comes again."""
    assert score(warehouse) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    shown = {line[0]: line for line in lines if line[:1] in (["place"], ["part"], ["whole"]) and line[1] == "1"}
    assert {level: line[1:4] for level, line in shown.items()} == {
        "place": ["1", "2", "8"],
        "part": ["1", "2", "4"],
        "whole": ["1", "2", "2"],
    }
    with Store(warehouse / "warehouse") as store:
        kept = store.frame("SELECT model_id, reference_date, horizon, location, truth, forecast FROM epidemic.score")
        said = store.frame("SELECT * FROM epidemic.forecast WHERE output_type = 'median' AND location = 'all'")
    keys = ["reference_date", "horizon"]
    ours, unchanged = (
        kept[kept["model_id"] == name].pivot(index=keys, columns="location") for name in ("ensemble", "persistence")
    )
    assert (ours["truth"]["n"] == ours["truth"]["n01"] + ours["truth"]["n02"]).all()
    assert (ours["truth"]["all"] == ours["truth"]["n"] + ours["truth"]["s"]).all()
    assert (unchanged["forecast"]["all"] == unchanged["forecast"][list(PLACES)].sum(axis=1)).all()
    median = said.set_index(keys)["value"].reindex(ours.index)
    assert (ours["forecast"]["all"] == median).all()
    first = kept.query("location == 'all' and horizon == 1")
    error = (first["forecast"] - first["truth"]).abs().groupby(first["model_id"]).sum()
    assert shown["whole"][4] == f"{error['ensemble'] / error['persistence']:.3f}"


@pytest.mark.parametrize(("silent", "known"), [("s01", [2, 4, 2]), ("s02", [4, 4, 4])], ids=["large", "small"])
def test_a_sum_of_places_that_fell_silent_is_judged_as_far_as_it_is_known(
    warehouse: Path, tmp_path: Path, silent: str, known: list[int]
):
    """Without nearly all of the South nobody knows what came to the whole; without its place of a few reports a year
    everybody does."""
    shutil.copytree(warehouse, tmp_path / "later")
    with Store(tmp_path / "later" / "warehouse") as store:
        store.run("DELETE FROM epidemic.case_report WHERE location = $1 AND date > '2021-03-20'", [silent])
    assert score(tmp_path / "later") == 0
    with Store(tmp_path / "later" / "warehouse") as store:
        judged = store.run(
            "SELECT location, MAX(horizon) FROM epidemic.score WHERE model_id = 'ensemble'"
            " AND reference_date = '2021-03-14' AND location IN ('n', 's', 'all') GROUP BY 1 ORDER BY 1"
        ).fetchall()
    assert judged == list(zip(("all", "n", "s"), known, strict=True))


def test_tables_say_whose_they_are_and_what_their_columns_mean(warehouse: Path, capsys: pytest.CaptureFixture[str]):
    assert score(warehouse) == 0
    tables = [table.splitlines()[:2] for table in capsys.readouterr().out.split("\n\n")[:4]]
    assert tables[0][0].startswith(
        "MAE is of sums over weeks 1 to h, WIS and coverage of week h alone; h is the horizon."
    )
    assert [table[0] for table in tables[1:]] == [
        "ensemble by level:",
        "ensemble by size of its forecast, in reports per week:",
        "ensemble by length of history:",
    ]
    figures = "MAE / persistence MAE low MAE high log MAE / persistence WIS / persistence WIS low WIS high"
    assert [" ".join(table[1].split()) for table in tables] == [
        f"model horizon dates {figures} coverage 50 coverage 95",
        f"level horizon dates forecasts {figures} coverage 50 coverage 95",
        "size horizon forecasts MAE / persistence log MAE / persistence WIS / persistence coverage 50 coverage 95",
        "history horizon forecasts MAE / persistence log MAE / persistence WIS / persistence coverage 50 coverage 95",
    ]


class Tags(HTMLParser):
    """Sees that every element is closed in order, and collects what the page loads from elsewhere."""

    VOID = ("meta", "line", "rect", "circle", "polyline", "polygon")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count: dict[str, int] = {}
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1
        self.loaded += [str(value) for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID or tag in ("rect", "circle"):
            self.open += [] if tag == "meta" else [tag]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_from_elsewhere(warehouse: Path, tmp_path: Path):
    page = tmp_path / "scores.html"
    assert score(warehouse, "--report", str(page)) == 0
    tags = Tags()
    tags.feed(page.read_text())
    assert tags.open == []
    assert tags.loaded == []
    assert tags.count["svg"] >= 10
    assert "nan" not in page.read_text().lower()
    assert "Lower &lt;&amp;&gt;" in page.read_text()
    assert all(f"<h2>{name}</h2>" in page.read_text() for name in ("Upper", "Left", "North", "South", "Elsewhere"))
    assert all(f"<tr><td>{level}</td><td>{n}</td>" in page.read_text() for level, n in (("place", 24), ("whole", 6)))


def test_coverage_of_few_forecasts_is_not_shown_as_if_it_were_known(warehouse: Path, tmp_path: Path):
    """Classes of 2 to 4 forecasts: not in the plot, grey in the table; and nobody else's points to tell apart."""
    page = tmp_path / "scores.html"
    assert score(warehouse, "--report", str(page)) == 0
    assert "In the 50 % interval, by size" not in page.read_text()
    assert "Coloured" not in page.read_text()
    assert "Grey: coverage of fewer than 100 forecasts at that horizon." in page.read_text()
    assert '<td class="few">' in page.read_text()
    assert not any(f'<td class="{mark}">' in page.read_text() for mark in ("", "good", "bad"))


def test_a_plot_has_what_says_little_in_faint() -> None:
    values, few = np.array([1.0, 0.5, 0.6]), np.array([True, False, False])
    drawn = svg.lines([svg.Line("1 weeks", values, "h1", few)], ["under 1", "1-5", "5-15"], "coverage")
    assert [drawn.count(part) for part in ('class="dot h1 faint"', 'class="dot h1"')] == [1, 2]
    assert re.findall(r'class="line ([^"]*)" points="([^"]*)"', drawn) == [
        ("h1 faint", "103.7,26.3 296.0,205.7 488.3,169.8"),
        ("h1", "296.0,205.7 488.3,169.8"),
    ]


def test_the_page_shows_places_of_which_only_the_first_weeks_came(warehouse: Path, tmp_path: Path):
    shutil.copytree(warehouse, tmp_path / "newest")
    with Store(tmp_path / "newest" / "warehouse") as store:
        store.run("DELETE FROM epidemic.forecast WHERE reference_date < '2021-04-01'")
    page = tmp_path / "scores.html"
    assert score(tmp_path / "newest", "--report", str(page)) == 0
    assert "Forecasts of 2021-04-11, 4 places" in page.read_text()
    assert all(f"<h2>{name}</h2>" in page.read_text() for name in ("Upper", "Left"))


def test_points_of_others_are_compared_on_sums_over_weeks(
    warehouse: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """A file of the baseline, right on the spot, and of a model that has one of the two dates only."""
    rows = [
        {"target_end_date": end, "horizon_wk": 1, "location": code, "actual_cases": 100.0, "COVIDhub-baseline": 90.0}
        | {"half": 100.0 if end == "2021-03-21" else np.nan, "other": 95.0}
        for end in ("2021-03-21", "2021-04-18")
        for code in PLACES
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "others.csv", index=False)
    dates = np.array(["2021-03-14", "2021-04-11"], dtype="datetime64[D]")
    read = hub.read(tmp_path / "others.csv", dates, PLACES, 2)
    assert sorted(read.points) == ["COVIDhub-baseline", "other"]
    assert read.points["other"][:, 0].tolist()[0][0] == 95.0
    assert np.isnan(read.points["other"][:, :, 1]).all()
    page = tmp_path / "scores.html"
    assert score(warehouse, "--published", str(tmp_path / "others.csv"), "--report", str(page)) == 0
    assert "Coloured: this engine" in page.read_text()
    line = next(line for line in capsys.readouterr().out.splitlines() if line.split()[:1] == ["other"])
    assert line.split()[:4] == ["other", "1", "2", "0.500"]


def test_a_file_without_the_columns_is_refused(tmp_path: Path):
    (tmp_path / "others.csv").write_text("date,value\n2021-01-01,1\n")
    with pytest.raises(errors.DataError, match=r"others\.csv: no column target_end_date, horizon_wk, actual_cases"):
        hub.read(tmp_path / "others.csv", np.array([], dtype="datetime64[D]"), PLACES, 4)
    with pytest.raises(errors.DataError, match=r"nothing\.csv cannot be read"):
        hub.read(tmp_path / "nothing.csv", np.array([], dtype="datetime64[D]"), PLACES, 4)


@pytest.mark.parametrize("row", ["2021-03-21,,1,A,2", "soon,1,1,A,2", "2021-03-21,1,1,A,many", "2021-03-21,1,x,A,2"])
def test_a_file_with_a_date_or_number_that_is_none_is_refused(tmp_path: Path, row: str):
    (tmp_path / "others.csv").write_text(f"target_end_date,horizon_wk,actual_cases,location,other\n{row}\n")
    with pytest.raises(errors.DataError, match=r"others\.csv: a date or number is none: "):
        hub.read(tmp_path / "others.csv", np.array(["2021-03-14"], dtype="datetime64[D]"), ("A",), 2)


def test_nothing_to_score_is_said(warehouse: Path, capsys: pytest.CaptureFixture[str]):
    assert score(warehouse, "--target", "deaths") == 1
    assert 'error: no forecast of "wk inc death" whose truth is known' in capsys.readouterr().err
