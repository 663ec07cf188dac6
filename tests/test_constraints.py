import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PINS = ROOT / "constraints.txt"
OURS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]


def test_pinned_versions_can_be_installed_together() -> None:
    lines = (line for line in PINS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    pinned = {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}
    impossible = [
        f"{one} wants {wanted}, pinned is {version}"
        for one in ("restframe", *pinned)
        for wanted in map(Requirement, OURS if one == "restframe" else _required_by(one))
        if (wanted.marker is None or wanted.marker.evaluate({"extra": ""}))
        and (version := pinned.get(canonicalize_name(wanted.name)))
        and not wanted.specifier.contains(version, prereleases=True)
    ]
    assert not impossible


def _required_by(distribution: str) -> list[str]:
    try:
        return metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:  # needed on other systems, or for other work
        return []
