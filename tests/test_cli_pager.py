"""Long output through a pager."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from restframe.cli.pager import paged


@pytest.fixture(autouse=True)
def a_small_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINES", "10")
    monkeypatch.setenv("COLUMNS", "80")


def _write(lines: int) -> str:
    terminal = io.StringIO()
    with paged(terminal) as output:
        for i in range(lines):
            output.write(f"line {i}\n")
    return terminal.getvalue()


def test_what_fits_on_the_screen_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", "no-such-pager")
    assert _write(5) == "".join(f"line {i}\n" for i in range(5))


def test_what_does_not_fit_goes_to_the_pager_from_its_first_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PAGER", f"tee {tmp_path}/seen")
    assert _write(5000) == ""
    assert (tmp_path / "seen").read_text() == "".join(f"line {i}\n" for i in range(5000))


def test_leaving_the_pager_early_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PAGER", "head -n 1")
    assert _write(200_000) == ""
    assert capfd.readouterr().out == "line 0\n"


def test_without_a_pager_everything_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", "no-such-pager")
    assert _write(500).count("\n") == 500


def test_less_is_asked_to_leave_the_screen_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PAGER", f'bash -c "cat > /dev/null; echo $LESS > {tmp_path}/less"')
    monkeypatch.delenv("LESS", raising=False)
    _write(50)
    assert "LESS" not in os.environ
    assert (tmp_path / "less").read_text() == "RSFX\n"
