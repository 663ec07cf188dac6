"""The parts of the taxi story: ridership that is made up, the calendar, what stands out, and the page."""

from __future__ import annotations

import csv
import html.parser
import itertools
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from restframe.cli.demo import ridership
from restframe.cli.demo.calendar import NYC_TAXI, Event, clock_goes_back, with_holidays
from restframe.cli.demo.chart import Step, page
from restframe.cli.demo.findings import Findings, Row, find

# Ridership


def test_the_ridership_is_the_same_every_time_and_depends_on_its_seed() -> None:
    first, again, other = ridership.generate(), ridership.generate(), ridership.generate(seed=7)
    assert len(first) == 10_320
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_ridership_has_new_yorks_size_and_weekly_rhythm() -> None:
    riders = ridership.generate()
    assert 14_500 < riders.mean() < 16_000
    assert 6_000 < riders.std() < 8_000
    # 1 July 2014 is a Tuesday: Wednesday evenings are busy, Sunday evenings are not, nights are quiet
    half_hours = riders[: 30 * 336].reshape(30, 7, 48)
    wednesday_evening, sunday_evening = half_hours[:, 1, 42].mean(), half_hours[:, 5, 42].mean()
    assert wednesday_evening > 1.2 * sunday_evening
    assert half_hours[:, 1, 8].mean() < 0.2 * wednesday_evening


@pytest.mark.parametrize("happening", ridership.HAPPENINGS, ids=lambda one: str(one.name))
def test_each_invented_event_is_beyond_what_is_ordinary(happening: ridership.Happening) -> None:
    riders = ridership.generate()
    first, last = (
        int((moment - ridership.START) / timedelta(minutes=30)) for moment in (happening.start, happening.end)
    )
    outside = np.ones(len(riders), bool)
    for one in ridership.HAPPENINGS:
        a, b = (int((moment - ridership.START) / timedelta(minutes=30)) for moment in (one.start, one.end))
        outside[a : b + 1] = False
    ordinary = riders[outside]
    during = riders[first : last + 1]
    assert during.max() > ordinary.max() or during.min() < ordinary.min()


def test_the_file_has_the_form_of_the_real_one(tmp_path: Path) -> None:
    ridership.write_csv(tmp_path / "rides.csv")
    rows = list(csv.reader((tmp_path / "rides.csv").read_text().splitlines()))
    assert rows[0] == ["timestamp", "value"]
    assert [row[0] for row in (rows[1], rows[2], rows[-1])] == [
        "2014-07-01 00:00:00",
        "2014-07-01 00:30:00",
        "2015-01-31 23:30:00",
    ]
    assert len(rows) == 10_321


# The calendar


def test_the_windows_are_those_of_the_labels(shared_data: Callable[[str], Path]) -> None:
    labels = json.loads(shared_data("nab/nyc_taxi_labels.json").read_text())
    half_hour = timedelta(minutes=30)
    ours = [(event.start, event.end - half_hour) for event in NYC_TAXI]
    assert ours == [(datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in labels["windows"]]


def test_holidays_are_named_where_no_label_covers_them() -> None:
    events = with_holidays(NYC_TAXI, datetime(2014, 7, 1), datetime(2015, 1, 31, 23, 30))
    assert [(event.name, event.kind) for event in events] == [
        ("Independence Day", "holiday"),
        ("Labor Day", "holiday"),
        ("Columbus Day", "holiday"),
        ("NYC marathon", "event"),
        ("Veterans Day", "holiday"),
        ("Thanksgiving", "event"),
        ("Christmas", "event"),
        ("New Year", "event"),
        ("M. L. King Day", "holiday"),
        ("Snow storm", "event"),
    ]
    assert all(one.end <= following.start for one, following in itertools.pairwise(events))


def test_a_holiday_brings_its_weekend() -> None:
    labor_day = with_holidays((), datetime(2014, 8, 1), datetime(2014, 9, 30))[0]
    assert labor_day == Event("Labor Day", datetime(2014, 8, 29, 16), datetime(2014, 9, 2, 6), "holiday")
    assert [event.name for event in with_holidays((), datetime(2021, 5, 1), datetime(2021, 6, 30))] == ["Memorial Day"]


def test_the_clock_goes_back_on_the_first_sunday_of_november() -> None:
    assert clock_goes_back(datetime(2014, 11, 2, 1, 30))
    assert not clock_goes_back(datetime(2014, 11, 2, 2, 0))
    assert not clock_goes_back(datetime(2014, 11, 9, 1, 0))


# What stands out

HOUR = timedelta(hours=1)
NIGHT = datetime(2014, 11, 2)


def _findings(*scores: float, name: str = "Marathon") -> Findings:
    rows = [Row(NIGHT + i * HOUR, 100 * i, score) for i, score in enumerate(scores)]
    return find(rows, 1.5, [Event(name, NIGHT + HOUR, NIGHT + 3 * HOUR, "event")])


def test_rows_above_the_cutoff_are_put_beside_the_events() -> None:
    findings = _findings(0.9, 1.6, 4.6, 1.7, 1.5)
    assert [(one.above, one.peak.score) for one in findings.found] == [(2, 4.6)]
    assert [row.score for row in findings.elsewhere] == [1.7]
    assert [row.score for row in findings.above] == [1.6, 4.6, 1.7]
    assert findings.days_elsewhere == 1


def test_an_event_that_was_missed_is_not_hidden() -> None:
    assert [(one.above, one.peak.score) for one in _findings(0.9, 1.1, 1.2, 0.8).found] == [(0, 1.2)]


# The page


class _Document(html.parser.HTMLParser):
    """What a page refers to and holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.text: dict[str, str] = {}
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attributes if name in ("src", "href", "data", "action")]
        self._inside = dict(attributes).get("id") or tag

    def handle_data(self, data: str) -> None:
        self.text[self._inside] = self.text.get(self._inside, "") + data


def _page(findings: Findings) -> str:
    return page(findings, [Step("Load <it>", "copy a from 'b' -- <c>", 0.25)], lede="Rides & more", footer="Made")


def test_the_page_needs_nothing_but_itself() -> None:
    text = _page(_findings(0.9, 1.6, 4.6))
    assert _Document(text).addresses == []
    assert not re.search(r"https?://|@import|url\(", text)
    assert "default-src 'none'" in text


def test_the_page_holds_the_numbers_and_the_events() -> None:
    data = json.loads(_Document(_page(_findings(0.9, 1.6, 4.6, 1.7))).text["data"])
    assert data["minutes"] == [0, 60, 120, 180]
    assert data["riders"] == [0, 100, 200, 300]
    assert data["scores"] == [0.9, 1.6, 4.6, 1.7]
    assert data["cutoff"] == 1.5
    assert data["start"] == 1_414_886_400_000  # 2014-11-02 00:00, the clock's own time kept as UTC
    assert [event["name"] for event in data["events"]] == ["Marathon"]


def test_nothing_in_the_data_can_become_markup() -> None:
    text = _page(_findings(0.9, 1.6, 4.6, name="</script><b>&"))
    assert "</script><b>" not in text
    assert "&lt;/script&gt;&lt;b&gt;&amp;" in text
    assert "Load &lt;it&gt;" in text
    assert "-- &lt;c&gt;" in text


def test_a_long_series_is_thinned_but_keeps_what_stands_out() -> None:
    scores = [0.9] * 200_001
    scores[100_001] = 3.0
    rows = [Row(NIGHT + i * timedelta(minutes=30), i, score) for i, score in enumerate(scores)]
    data = json.loads(_Document(_page(find(rows, 1.5, []))).text["data"])
    assert len(data["scores"]) < 50_100
    assert 3.0 in data["scores"]
