"""What the engine is told of a session: who the user is, what names mean, and whatever else functions in SQL ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from restframe.warehouse.configuration import known_name

if TYPE_CHECKING:
    from restframe.catalog.knowledge import Knowledge
    from restframe.warehouse.session import Session

# The configuration parameters that the engine works with.
_IN_THE_ENGINE = ("search_path", "timezone")

# Of which SQL asks before there are any.
_NUMBERS = {"last_copy_count": 0, "last_copy_id": -1, "last_unload_count": 0, "last_unload_id": -1}


class EngineVariables:
    """Tells the engine again only what has changed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: Knowledge | None = None
        self._told: tuple[str, bool, tuple[str, ...]] | None = None  # the user, whether a superuser, the path
        for name, number in _NUMBERS.items():
            self.set(name, number)
        self.set("pid", session.pid)
        self.set("database", session.settings.database)

    def set(self, name: str, value: str | int | tuple[str | int, ...]) -> None:
        """Make a value readable in SQL as `getvariable('restframe_<name>')`, in this session."""
        self._session.connection.run(f"SET VARIABLE restframe_{name} = {_literal(value)}")

    def tell_user(self) -> None:
        """As whom the session acts, and what follows from that."""
        session, rights = self._session, self._session.catalog.rights
        self.set("user", session.user)
        self.set("user_id", session.user_id)
        self.set("superuser", int(rights.superuser))
        self._tell_knowledge()
        session.variables.show_as(session_authorization=session.user, is_superuser="on" if rights.superuser else "off")
        self.tell_parameters()

    def follow_changes(self) -> None:
        """Tell what others have changed of the user and the search path."""
        session, rights = self._session, self._session.catalog.rights
        if self._told != (rights.user.name, rights.superuser, session.catalog.path):
            session.authorize(session.user_id)
        elif session.catalog.knowledge != self._known:
            self._tell_knowledge()

    def _tell_knowledge(self) -> None:
        """What lists of objects may show to the user."""
        self._known = known = self._session.catalog.knowledge
        self.set("knows_everything", int(known.everything))
        for name in () if known.everything else ("schemas", "tables", "whole", "columns", "models"):
            self.set(f"known_{name}", getattr(known, name))

    def follow_parameter(self, name: str) -> None:
        """Tell of a configuration parameter that was set, or of `all`, if the engine works with it."""
        if name.lower() == "all" or known_name(name) in _IN_THE_ENGINE:
            self.tell_parameters()

    def tell_parameters(self) -> None:
        session = self._session
        session.catalog.search_path = session.variables.search_path
        path = session.catalog.path
        self.set("schema", path[0] if path else "")
        self.set("search_path", path)
        self._told = session.user, session.catalog.rights.superuser, path
        zone = session.variables["timezone"].replace("'", "''")
        session.connection.run(f"SET TimeZone = '{zone}'")


def _literal(value: str | int | tuple[str | int, ...]) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_literal, value))}]"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
