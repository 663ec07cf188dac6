"""How jobs and endpoints are listed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from restframe.cli.reporting import clean, display_width


def print_list(names: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
    """Columns side by side under their names; nothing but the names when there are no rows."""
    lines = [tuple(names), *(tuple(clean(value or "") for value in row) for row in rows)]
    widths = [max(map(display_width, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell + " " * (width - display_width(cell)) for cell, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())


def print_facts(facts: Sequence[tuple[str, str | None]]) -> None:
    """One fact a line; those that are not known are left out."""
    known = [(name, clean(value)) for name, value in facts if value is not None]
    width = max(len(name) for name, _ in known)
    for name, value in known:
        print(f"{name:<{width}}  {value}".rstrip())


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def simple(value: Any) -> dict[str, Any]:
    """A dataclass as what JSON has; times in ISO 8601."""

    def convert(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {name: one.isoformat() if isinstance(one, datetime) else one for name, one in pairs}

    return dataclasses.asdict(value, dict_factory=convert)


def local_time(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
