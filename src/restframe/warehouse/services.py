"""What all sessions of a warehouse share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from restframe.catalog.records import Cache
from restframe.catalog.relations import Relation
from restframe.engine.duckdb import DuckDB
from restframe.settings import Settings
from restframe.storage import Storage
from restframe.warehouse.activity import Activity
from restframe.warehouse.cluster import Cluster
from restframe.warehouse.forecasts.keeper import Forecasts
from restframe.warehouse.locks import TableLocks
from restframe.warehouse.prediction.functions import PredictionFunctions
from restframe.warehouse.translations import Translations

if TYPE_CHECKING:
    from restframe.jobs import Service


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    engine: DuckDB
    storage: Storage
    jobs: Service
    functions: PredictionFunctions
    system_views: dict[str, Relation]
    cache: Cache
    translations: Translations
    cluster: Cluster
    activity: Activity
    forecasts: Forecasts
    locks: TableLocks = field(default_factory=TableLocks)
