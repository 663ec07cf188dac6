"""Translated statements by their text, for dashboards, drivers and loops that ask the same again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

_MOST_STATEMENTS = 1_000
_LONGEST_TEXT = 64 * 1024

# A text, and what else its translation depends on besides the catalog.
Key = tuple[str, Hashable]


class Translations:
    """The statements translated last, each with the state of the catalog (`Catalog.state`) in which it was."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Key, tuple[Hashable, Any]] = OrderedDict()

    def find(self, key: Key, state: Hashable) -> Any:
        """What was kept for the text; None when there is nothing that is still true."""
        with self._lock:
            of, translated = self._known.get(key, (None, None))
            if translated is None or of != state:
                return None
            self._known.move_to_end(key)
            return translated

    def keep(self, key: Key, state: Hashable, translated: Any) -> None:
        """state : the catalog's, from before its names were looked up"""
        if len(key[0]) > _LONGEST_TEXT:
            return
        with self._lock:
            self._known[key] = state, translated
            self._known.move_to_end(key)
            if len(self._known) > _MOST_STATEMENTS:
                self._known.popitem(last=False)
