"""One process opens a warehouse directory once: its connections share the Warehouse and the last one closes it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.settings import load

if TYPE_CHECKING:
    from restframe.warehouse import Warehouse

_lock = threading.Lock()
_shared: dict[Path, _Shared] = {}


@dataclass(slots=True)
class _Shared:
    warehouse: Warehouse
    users: int = 0


@dataclass(slots=True)
class Lease:
    """The right to use a warehouse until `release`, which may be called any number of times."""

    warehouse: Warehouse
    directory: Path | None  # None for a warehouse that somebody else closes

    def release(self) -> None:
        with _lock:
            directory, self.directory = self.directory, None
            if directory is None:
                return
            shared = _shared[directory]
            shared.users -= 1
            if shared.users == 0:
                del _shared[directory]
                shared.warehouse.close()


def lease(directory: str | Path | Warehouse, given: dict[str, Any]) -> Lease:
    """A lease on the warehouse in `directory`: one this process has open, or else a new one."""
    from restframe.warehouse import Warehouse

    if isinstance(directory, Warehouse):
        if given:
            raise errors.InterfaceError("an open warehouse has its settings already")
        return Lease(directory, None)
    path = Path(directory).expanduser().resolve()
    with _lock:
        opened = Warehouse.opened(path)
        if opened is None:
            opened = Warehouse(path, **given)
            _shared[path] = _Shared(opened)
        elif given and load(path, **given) != opened.settings:
            raise errors.InterfaceError(f'"{path}" is already open in this process with other settings')
        if path not in _shared:
            return Lease(opened, None)
        _shared[path].users += 1
        return Lease(opened, path)
