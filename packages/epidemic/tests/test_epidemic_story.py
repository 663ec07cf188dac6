"""docs/stories/epidemic.md and examples/epidemic.ipynb, done: every command, query and cell, one after the other."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import restframe
from restframe_epidemic import cli

ROOT = Path(__file__).resolve().parents[3]
STORY = (ROOT / "docs" / "stories" / "epidemic.md").read_text(encoding="utf-8")
NOTEBOOK = ROOT / "examples" / "epidemic.ipynb"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", STORY, re.DOTALL | re.MULTILINE)
_MARK = "\x1e"


@dataclass(frozen=True)
class Done:
    """What a reader types, what the page shows then, and what came."""

    typed: str
    shown: str
    came: str


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Done]]:
    """The page's commands, in order and in one directory."""
    directory = tmp_path_factory.mktemp("department")
    commands = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "200"}
    environment = {**os.environ, **commands}

    def run(script: str) -> str:
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=directory,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=900,
        )
        return done.stdout.decode()

    done: list[Done] = []
    for language, text in BLOCKS:
        if language == "console":
            typed, shown = zip(*re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE), strict=True)
            # A command that follows sees the status of the one before.
            script = f'\nkept=$?; printf "{_MARK}"; (exit $kept)\n'.join(typed)
            done += map(Done, typed, shown, run(script).split(_MARK))
    return directory, done


def _pattern(shown: str) -> str:
    """What the page shows, as a pattern: ... is anything, a line of it any lines, and no run takes the same time."""
    lines = [re.escape(line) for line in _spaced(shown).splitlines()]
    whole = "".join("(?:.*\n)*?" if line == r"\.\.\." else f"{line}\n" for line in lines)
    return re.sub(r"\d+\\\.\d\\ s\b", r"\\d+\\.\\d\\ s", whole.replace(r"\.\.\.", ".*"))


def _spaced(text: str) -> str:
    """Without what depends on the width of a column."""
    return re.sub(r"─+", "─", re.sub(r" +", " ", re.sub(r" +$", "", text, flags=re.MULTILINE)))


def test_what_the_story_shows_is_what_comes(day: tuple[Path, list[Done]]) -> None:
    assert len(day[1]) >= 15
    for done in day[1]:
        assert re.fullmatch(_pattern(done.shown), _spaced(done.came)), f"$ {done.typed}\n{done.came}"


def test_the_storys_queries_have_answers(
    day: tuple[Path, list[Done]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(day[0])
    (program,) = [text for language, text in BLOCKS if language == "python"]
    exec(compile(program, "story", "exec"), {})
    assert "2020-11-29" in capsys.readouterr().out.splitlines()[-1]
    with restframe.open("epidemic") as warehouse:
        queries = [text for language, text in BLOCKS if language == "sql"]
        worst, runs, southbridge, full, gaps, cost = (warehouse.sql(query).fetchall() for query in queries)
    assert len(worst) == 5 and worst[0][2] > 1000
    assert [(command, str(of), status) for command, of, status, *_ in runs] == [
        ("forecast", "2020-11-01", "done"),
        ("daily", "2020-11-29", "done"),
    ]
    assert len(southbridge) == 4 and all(low < point < high for _, point, low, high in southbridge)
    assert full and all(needed > beds - 0.5 for _, beds, needed, _ in full)
    assert len(gaps) == 5 and all(0.7 < change < 1 for _, change in gaps)
    assert [row[0] for row in cost] == ["condition_burden", "time before the epidemic", "treatment_gap"]


def test_the_forecast_of_four_weeks_ago_was_better_than_none(day: tuple[Path, list[Done]]) -> None:
    (score,) = [done.came for done in day[1] if done.typed.startswith("restframe-epidemic score")]
    relative = [float(line.split()[3]) for line in score.splitlines() if line.startswith("   ensemble ")]
    assert len(relative) == 4 and max(relative) < 1


def test_what_is_installed_and_the_commands_for_other_files_exist() -> None:
    install, look = [text for language, text in BLOCKS if language == "bash"]
    for folder in re.findall(r"-e (\S+)", install):
        assert (ROOT / folder / "pyproject.toml").is_file()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(re.findall(r'-e "\.\[(\w+)\]"', look)) <= set(extras)
    assert (ROOT / look.split()[-1]).samefile(NOTEBOOK)
    (us,) = [text for language, text in BLOCKS if language == "us"]
    for line in us.splitlines():
        program, *arguments = line.split()
        assert program == "restframe-epidemic"
        assert cli.parser().parse_args(arguments).run.startswith("restframe_epidemic.cli.")


def test_the_notebook_draws_the_day(day: tuple[Path, list[Done]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell of code runs; each figure is complete enough to be drawn, and has what its title says."""
    import plotly.graph_objects as go

    figures: list[Any] = []
    monkeypatch.setenv("EPIDEMIC_WAREHOUSE", str(day[0] / "epidemic"))
    monkeypatch.setattr(go.Figure, "show", lambda figure: figures.append(figure))
    names: dict[str, Any] = {"__name__": "__main__"}
    try:
        for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                last = _executed("".join(cell["source"]), names)
                if isinstance(last, go.Figure):
                    figures.append(last)
    finally:
        if isinstance(names.get("warehouse"), restframe.Warehouse):
            names["warehouse"].close()
    titles = [figure.layout.title.text for figure in figures]
    assert titles == [
        "New cases, 29 November 2020",
        "New cases per week",
        "New cases per week",
        "New cases per week: what each model expects",
        "36 forecasts per horizon that came true, or not",
        "Beds in intensive care",
        "Marisma: happened / expected",
        "Change with one standard deviation of each driver, and 95 % interval",
    ]
    assert all(figure.to_json() for figure in figures)
    assert [len(trace.x) for trace in figures[0].data] == [35, 36]  # nobody counted the people of one district
    fans = [trace for trace in figures[1].data if trace.fill == "toself"]
    assert len(fans) == 3 * 2 * 3  # country, province and district; two forecasts; three bands
    assert {trace.name for trace in figures[3].data} >= {"reported", "ensemble", "agents", "seir", "curve"}


def _executed(source: str, names: dict[str, Any]) -> Any:
    """The value of the last expression, which a notebook shows."""
    cell = ast.parse(source)
    last = cell.body.pop() if isinstance(cell.body[-1], ast.Expr) else None
    exec(compile(cell, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if isinstance(last, ast.Expr) else None
