"""Our own statements: each module holds the frozen dataclasses of one family and the functions that read them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a text.

    text : its source, without the closing semicolon
    position : where it starts in the whole text, counted from 1
    """

    text: str = ""
    position: int = 1
