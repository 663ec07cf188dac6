"""Places in a stream of events, as the tokens with which clients read on."""

from __future__ import annotations

import re

from restframe.aws.logs.naming import milliseconds, refusal
from restframe.aws.operation import Input
from restframe.jobs.logs import BEGINNING, END, Place

_NUMBER = re.compile(r"-?[0-9]{1,18}")


def direction(request: Input) -> tuple[bool, Place]:
    """Whether to read forward, and from where on."""
    token = request.get("nextToken")
    if not token:
        return (True, BEGINNING) if request.get("startFromHead") else (False, END)
    way, _, place = token.partition("/")
    if way not in ("f", "b"):
        raise refusal("The specified nextToken is invalid.")
    return way == "f", _read(place)


def around(place: Place, forward: bool) -> tuple[Place, Place]:
    """Where nothing was found: before and behind which place to go on, so that nothing is left out or comes twice."""
    if place in (BEGINNING, END):
        return END, BEGINNING  # of an empty stream all that comes is new
    at, position = place
    return ((at, position + 1), place) if forward else (place, (at, position - 1))


def written(place: Place) -> str:
    if place in (BEGINNING, END):
        return "beginning" if place == BEGINNING else "end"
    return f"{milliseconds(place[0])}/{place[1]}"


def _read(text: str) -> Place:
    if text in ("beginning", "end"):
        return BEGINNING if text == "beginning" else END
    at, position = numbers(text, 2)
    return at / 1000, position


def numbers(token: str, count: int) -> list[int]:
    parts = token.split("/")
    if len(parts) != count or not all(_NUMBER.fullmatch(part) for part in parts):
        raise refusal("The specified nextToken is invalid.")
    return [int(part) for part in parts]
