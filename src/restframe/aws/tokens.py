"""Tokens that say where a list goes on, so that nothing need be remembered between its pages.

They are places in the list, not numbers of items: what comes or goes meanwhile shifts nothing. Clients can read and
make them; one of their own making finds what they may list anyway.
"""

from __future__ import annotations

import base64
import json
from typing import Any


def write(*place: str | float) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def read(token: str, *kinds: type[str] | type[float]) -> list[Any]:
    """What `write` was given, which had values of these kinds. ValueError for anything else."""
    try:
        place = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(place, list) or [type(value) for value in place] != list(kinds):
        raise ValueError("no such place")
    for value in place:
        if isinstance(value, str):
            value.encode()  # halves of characters are no text
    return place
