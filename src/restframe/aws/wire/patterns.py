"""The regular expressions of the descriptions: written for Java, and some of them dangerous."""

from __future__ import annotations

import re
import warnings
from functools import cached_property

_LONGEST = 256


class Pattern:
    """One that `holds` for a text as a whole. What Python cannot compile holds for everything."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _compiled(self) -> re.Pattern[str] | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return re.compile(self._text, re.ASCII)
        except (re.error, OverflowError, RecursionError):
            return None

    def holds(self, value: str) -> bool:
        if self._compiled is None or len(value) > _LONGEST:
            return True
        return self._compiled.fullmatch(value) is not None
