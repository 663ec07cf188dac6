"""Translated queries by their text, for dashboards and loops that ask the same again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict

from restframe.catalog.store import Cache
from restframe.sql import Translation

_MOST_QUERIES = 1_000
_LONGEST_TEXT = 64 * 1024

# The text, and the schemas in which its names were looked up.
Key = tuple[str, tuple[str, ...]]


class Translations:
    """The queries translated last. Any change of the catalog makes all of them strangers."""

    def __init__(self, catalog: Cache) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._known: OrderedDict[Key, tuple[int, Translation]] = OrderedDict()

    def find(self, key: Key) -> Translation | None:
        with self._lock:
            version, translation = self._known.get(key, (None, None))
            if translation is None or version != self._catalog.version:
                return None
            self._known.move_to_end(key)
            return translation

    def keep(self, key: Key, version: int, translation: Translation) -> None:
        """version : the catalog's, from before its names were looked up"""
        if len(key[0]) > _LONGEST_TEXT:
            return
        with self._lock:
            self._known[key] = version, translation
            self._known.move_to_end(key)
            if len(self._known) > _MOST_QUERIES:
                self._known.popitem(last=False)
