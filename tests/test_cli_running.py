"""Progress of what takes longer than a second."""

from __future__ import annotations

import io

import pytest

from restframe.cli import running
from restframe.cli.running import ProgressBar


class Screen(io.StringIO):
    """A terminal that remembers everything."""

    def isatty(self) -> bool:
        return True

    @property
    def shown(self) -> str:
        """What its line reads now."""
        return self.getvalue().split("\r")[-1].removesuffix("\x1b[K")


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setenv("COLUMNS", "100")
    return Screen()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(running.time, "monotonic", lambda: now[0])
    return now


def test_quick_work_shows_nothing(screen: Screen, clock: list[float]) -> None:
    bar = ProgressBar(screen)
    clock[0] += 0.9
    bar.draw(lambda: 50.0)
    assert screen.getvalue() == ""


def test_the_engine_is_asked_unless_the_work_reports_by_itself(screen: Screen, clock: list[float]) -> None:
    bar = ProgressBar(screen)
    clock[0] += 1
    bar.draw(lambda: 25.0)
    assert screen.shown.startswith("━" * 8 + "╌" * 24 + "  25%")
    bar.report(3, 4)
    bar.draw(lambda: 25.0)
    assert screen.shown.startswith("━" * 24 + "╌" * 8 + "  75%")


def test_unknown_progress_still_shows_the_time(screen: Screen, clock: list[float]) -> None:
    bar = ProgressBar(screen)
    clock[0] += 65
    bar.draw(lambda: None)
    assert screen.shown.startswith("running 1:05")


def test_the_line_is_gone_before_output_and_stays_away(screen: Screen, clock: list[float]) -> None:
    bar = ProgressBar(screen)
    clock[0] += 1
    bar.draw(lambda: 50.0)
    bar.hide()
    bar.draw(lambda: 60.0)
    assert screen.getvalue().endswith("\r\x1b[K")


def test_without_a_terminal_nothing_is_drawn() -> None:
    stream = io.StringIO()
    bar = ProgressBar(stream)
    bar._started -= 10
    bar.draw(lambda: 50.0)
    bar.hide()
    assert stream.getvalue() == ""
