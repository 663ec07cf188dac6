"""What the tests of the epidemic engine share."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from restframe_epidemic.panel import Panel

ROOT = Path(__file__).resolve().parents[3]
COVID = ROOT.parent / "shared" / "data" / "covid"


@pytest.fixture(scope="session")
def covid_directory() -> Path:
    """The real US data beside the checkout; a test that asks for them is skipped where they are absent."""
    if not COVID.exists():
        pytest.skip("real data not present: covid")
    return COVID


def _module(path: Path) -> ModuleType:
    """A module that lies outside of any package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def covid_panel(covid_directory: Path) -> Callable[[str], Panel]:
    """The Panel of the real data as of a day, read once."""
    whole: Panel = _module(ROOT / "benchmarks" / "epidemic_data.py").panel(covid_directory)
    return whole.until


@pytest.fixture(scope="session")
def island() -> ModuleType:
    """An invented country other than the United States: `island.write(directory)` writes its files."""
    return _module(Path(__file__).parent / "island.py")


@pytest.fixture(scope="session")
def waves() -> ModuleType:
    """Simulated epidemics: `waves.panel(places, provinces, weeks)` has several waves of known transmission."""
    return _module(Path(__file__).parent / "waves.py")
