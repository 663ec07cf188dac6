"""Who may use a directory's server, from beside it: its journal can be read and written while it runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from restframe import errors, settings
from restframe.cli.arguments import directory_option
from restframe.identity import Identity
from restframe.journal import Journal


@contextlib.contextmanager
def opened(directory: Path) -> Iterator[Identity]:
    """The identity of a directory that has been served before; InterfaceError when it has not."""
    known = settings.load(directory)
    # The vault's key is the first secret that a server makes.
    if not (known.directory / "master.key").exists():
        raise errors.InterfaceError(
            f"there has been no server in {directory} yet",
            hint=f"Start it in another shell: restframe serve{directory_option(directory)}",
        )
    with contextlib.closing(Journal(known.directory / "service.sqlite")) as journal:
        yield Identity(journal, known)
