"""Hyper-parameters as training jobs give them: texts by name, checked against an algorithm's table."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
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
    read : makes the value of a text that is of none of the kinds, or raises ValueError
    expects : what `read` takes, in words
    """

    name: str
    kind: Kind
    default: str | None = None
    required: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    read: Callable[[str], Any] | None = None
    expects: str = ""


class _Unfit(Exception):
    """A text is no value of its hyper-parameter; says what is wrong, and what one would be."""

    def __init__(self, text: str, wanted: str, *, quoted: bool = True) -> None:
        self.text = text[:100]
        self.wanted = wanted
        self.quoted = quoted


def check(
    table: Sequence[HyperParameter], given: Mapping[str, str], complete: bool = True, in_job: bool = False
) -> dict[str, Any]:
    """Values by name, defaults filled in, None where there is neither.

    complete : whether required ones must be given
    in_job : say what is wrong as SageMaker's own containers do

    InvalidParameterValue naming the first hyper-parameter that is unknown, all that are missing, or the first of the
    wrong kind or out of range.
    """
    known = {row.name for row in table}
    for name in given:
        if name not in known:
            raise errors.InvalidParameterValue(
                _unknown_in_job(name) if in_job else f'"{name[:100]}" is not a hyperparameter of this algorithm',
                hint=f"It has {', '.join(sorted(known))}.",
            )
    missing = [row.name for row in table if complete and row.required and row.name not in given]
    if missing:
        raise errors.InvalidParameterValue(_missing_in_job(missing) if in_job else _missing(missing))
    values = {}
    for row in table:
        text = given.get(row.name, row.default)
        try:
            values[row.name] = None if text is None else _value(row, text)
        except _Unfit as unfit:
            message = _unfit_in_job(row.name, unfit) if in_job else _unfit(row.name, unfit)
            raise errors.InvalidParameterValue(message) from unfit
    return values


def _value(row: HyperParameter, text: str) -> Any:
    if row.read is not None:
        try:
            return row.read(text)
        except ValueError as error:
            raise _Unfit(text, row.expects) from error
    if row.kind == "text":
        return _chosen(row, text)
    if row.kind == "list":
        return [_chosen(row, one) for one in _list(text)]
    try:
        number = int(text) if row.kind == "integer" else float(text)
    except ValueError as error:
        raise _Unfit(text, "an integer" if row.kind == "integer" else "a number") from error
    low = float("-inf") if row.low is None else row.low
    high = float("inf") if row.high is None else row.high
    if not low <= number <= high:
        raise _Unfit(text, f"between {low:g} and {high:g}", quoted=False)
    return number


def _chosen(row: HyperParameter, text: str) -> str:
    if row.choices and text not in row.choices:
        raise _Unfit(text, f"one of {', '.join(row.choices)}")
    return text


def _list(text: str) -> list[str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise _Unfit(text, "a JSON list of texts")
    return found


def _missing(names: Sequence[str]) -> str:
    shown = ", ".join(f'"{name}"' for name in names)
    return f"hyperparameter {shown} is required" if len(names) == 1 else f"hyperparameters {shown} are required"


def _unfit(name: str, unfit: _Unfit) -> str:
    shown = f'"{unfit.text}"' if unfit.quoted else unfit.text
    return f'hyperparameter "{name}" is {shown}, not {unfit.wanted}'


# What SageMaker's containers say of hyper-parameters, as it stands in FailureReason behind "ClientError: ".


def _unfit_in_job(name: str, unfit: _Unfit) -> str:
    wanted = unfit.wanted if unfit.quoted else f"a number {unfit.wanted}"
    return (
        f"The value '{unfit.text}' is not valid for the '{name}' hyperparameter which expects {wanted} "
        "(caused by ValidationError)"
    )


def _missing_in_job(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names)
    return f"No value(s) were specified for {shown} which are required hyperparameter(s) (caused by ValidationError)"


def _unknown_in_job(name: str) -> str:
    return f"Additional hyperparameters are not allowed ('{name[:100]}' was unexpected) (caused by ValidationError)"
