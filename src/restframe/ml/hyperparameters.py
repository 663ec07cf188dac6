"""Hyper-parameters as training jobs give them: texts by name, checked against an algorithm's table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from restframe import errors

Kind = Literal["integer", "number", "text", "list"]


@dataclass(frozen=True, slots=True)
class HyperParameter:
    """One row of an algorithm's table.

    kind : list is a JSON list of texts
    default : as a client would write it; None when the algorithm makes its own from the data
    low, high : inclusive, for numbers
    choices : for texts, and for each text of a list
    """

    name: str
    kind: Kind
    default: str | None = None
    required: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


def check(table: Sequence[HyperParameter], given: Mapping[str, str], complete: bool = True) -> dict[str, Any]:
    """Values by name, defaults filled in, None where there is neither.

    complete : whether required ones must be given

    InvalidParameterValue naming the first hyper-parameter that is unknown, missing, of the wrong kind or out of range.
    """
    known = {row.name for row in table}
    for name in given:
        if name not in known:
            raise errors.InvalidParameterValue(
                f'"{name[:100]}" is not a hyperparameter of this algorithm',
                hint=f"It has {', '.join(sorted(known))}.",
            )
    values = {}
    for row in table:
        text = given.get(row.name, row.default)
        if row.name not in given and row.required and complete:
            raise errors.InvalidParameterValue(f'hyperparameter "{row.name}" is required')
        values[row.name] = None if text is None else _value(row, text)
    return values


def _value(row: HyperParameter, text: str) -> Any:
    if row.kind == "text":
        return _chosen(row, text)
    if row.kind == "list":
        return [_chosen(row, one) for one in _list(row, text)]
    try:
        number = int(text) if row.kind == "integer" else float(text)
    except ValueError as error:
        wanted = "an integer" if row.kind == "integer" else "a number"
        raise errors.InvalidParameterValue(f'hyperparameter "{row.name}" is "{text[:100]}", not {wanted}') from error
    low = float("-inf") if row.low is None else row.low
    high = float("inf") if row.high is None else row.high
    if not low <= number <= high:
        raise errors.InvalidParameterValue(
            f'hyperparameter "{row.name}" is {text[:100]}, not between {low:g} and {high:g}'
        )
    return number


def _chosen(row: HyperParameter, text: str) -> str:
    if row.choices and text not in row.choices:
        raise errors.InvalidParameterValue(
            f'hyperparameter "{row.name}" is "{text[:100]}", not one of {", ".join(row.choices)}'
        )
    return text


def _list(row: HyperParameter, text: str) -> list[str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise errors.InvalidParameterValue(f'hyperparameter "{row.name}" is "{text[:100]}", not a JSON list of texts')
    return found
