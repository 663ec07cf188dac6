"""Progress of what takes longer than a second."""

from __future__ import annotations

import io
import time

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
    monkeypatch.setattr(running, "_PATIENCE_S", 0.05)
    monkeypatch.setenv("COLUMNS", "100")
    return Screen()


def test_quick_work_shows_nothing(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_PATIENCE_S", 60)
    ProgressBar(screen).draw(lambda: 50.0)
    assert screen.getvalue() == ""


def test_the_engine_is_asked_unless_the_work_reports_by_itself(screen: Screen) -> None:
    bar = ProgressBar(screen)
    time.sleep(0.06)
    bar.draw(lambda: 25.0)
    assert screen.shown.startswith("━" * 8 + "╌" * 24 + "  25%")
    bar.report(3, 4)
    bar.draw(lambda: 25.0)
    assert screen.shown.startswith("━" * 24 + "╌" * 8 + "  75%")


def test_unknown_progress_still_shows_the_time(screen: Screen) -> None:
    bar = ProgressBar(screen)
    time.sleep(0.06)
    bar.draw(lambda: None)
    assert screen.shown.startswith("running 0:00")


def test_the_line_is_gone_before_output_and_stays_away(screen: Screen) -> None:
    bar = ProgressBar(screen)
    time.sleep(0.06)
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
