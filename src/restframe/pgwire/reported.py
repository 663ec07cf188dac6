"""ParameterStatus: what a client is told of its session's settings, at the start and whenever one changes."""

from __future__ import annotations

from collections.abc import Mapping

from restframe.pgwire import redshift
from restframe.pgwire.channel import Channel
from restframe.pgwire.messages import parameter_status
from restframe.warehouse.configuration import known_name
from restframe.warehouse.session import Session

# As PostgreSQL spells them, and by whichever name the session knows them.
_CHANGING = {
    name: known_name(name)
    for name in (
        "application_name", "client_encoding", "DateStyle", "IntervalStyle", "TimeZone", "standard_conforming_strings",
    )
}  # fmt: skip

# Redshift says 8.0.2 to everybody; clients made for PostgreSQL then leave out what they would not ask of so old a
# server, such as binary formats, or do not connect at all.
_SERVER_VERSION = "9.6.0"


class Reported:
    """What the client was told last."""

    def __init__(self, session: Session, startup: Mapping[str, str]) -> None:
        self._session = session
        self._told: tuple[str, ...] = ()
        self._user = ""
        self._fixed = {
            "server_version": _SERVER_VERSION,
            "server_encoding": "UTF8",
            "integer_datetimes": "on",
            "padb_revision": "99999",  # by which asyncpg knows Redshift, and leaves out what it has not got
            **redshift.parameter_statuses(startup),
        }

    def tell_all(self, channel: Channel) -> None:
        for name, value in self._fixed.items():
            channel.send(parameter_status(name, value))
        self.tell_changes(channel)

    def tell_changes(self, channel: Channel) -> None:
        if self._session.user != self._user:
            self._user = self._session.user
            superuser = self._session.catalog.rights.superuser
            channel.send(parameter_status("session_authorization", self._user))
            channel.send(parameter_status("is_superuser", "on" if superuser else "off"))
        now = self._session.variables.several(_CHANGING.values())
        if now == self._told:
            return
        for number, (name, value) in enumerate(zip(_CHANGING, now, strict=True)):
            if not self._told or self._told[number] != value:
                channel.send(parameter_status(name, value))
        self._told = now
