"""Statements become results here: sessions, planning, commands, and prediction in SQL."""

from restframe.warehouse.session import Session
from restframe.warehouse.warehouse import Warehouse, open  # noqa: A004

__all__ = ["Session", "Warehouse", "open"]
