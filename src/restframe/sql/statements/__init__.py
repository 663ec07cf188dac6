"""Our own statements: each module holds the frozen dataclasses of one family and the functions that read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from restframe import errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a text.

    text : its source, without the closing semicolon
    position : where it starts in the whole text, counted from 1
    """

    text: str = ""
    position: int = 1

    @property
    def placeholders(self) -> int:
        """How many values `bind` takes: of a statement in which `$1` may stand for a name, the highest number."""
        return 0

    def bind(self, values: Sequence[Any]) -> Self:
        """The statement with these values in the places of `$1`, `$2` ...

        Queries and changes of rows are not bound here: the engine takes their values.
        """
        if values:
            raise errors.SyntaxError("this statement takes no parameters", position=self.position)
        return self
