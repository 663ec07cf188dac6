"""What the operations of all services work on."""

from __future__ import annotations

from dataclasses import dataclass

from restframe.identity import Identity
from restframe.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class Backend:
    """warehouse : with `.settings`, `.storage`, `.jobs`, `.journal`, `.session(user)`
    identity : access keys, secrets, and what encrypts them
    """

    warehouse: Warehouse
    identity: Identity
