"""One client's conversation, from its start-up message to its end; without I/O, over a Channel.

It is ordinary blocking code for one thread at a time: whoever has a message calls `run`, which answers all there is.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Protocol

from restframe import errors
from restframe.catalog.users import User
from restframe.errors import ProtocolViolation
from restframe.identity import Identity
from restframe.pgwire import auth, messages, redshift, rows, sending, values
from restframe.pgwire.admission import Admission
from restframe.pgwire.channel import Channel, ClientGone
from restframe.pgwire.copying import Streams
from restframe.pgwire.extended import Extended
from restframe.pgwire.messages import Message, Startup
from restframe.pgwire.reported import Reported
from restframe.pgwire.rows import Encoder
from restframe.pgwire.sending import Rows
from restframe.pgwire.startup import negotiation, set_parameters
from restframe.warehouse import Warehouse
from restframe.warehouse.session import Session

logger = logging.getLogger(__name__)

_QUERY, _CALL, _SYNC, _FLUSH, _TERMINATE = b"QFSHX"
_KEY_BYTES = 4
_STATES = {"idle": "I", "open": "T", "failed": "E"}
# Authentication messages that want no answer: that all is well, and the last one of SCRAM.
_NO_ANSWER = (0, 12)


class Door(Protocol):
    """What all conversations share."""

    warehouse: Warehouse
    identity: Identity
    admission: Admission


class Line(Protocol):
    """How a client is connected.

    secure : under TLS
    address : of the client, without its port
    certificate_hash : SHA-256 of our certificate, under TLS
    """

    secure: bool
    address: str
    certificate_hash: bytes | None


class Conversation:
    """ended : nothing more is read or said
    session : None until the client is known
    key : with which another connection may cancel what runs in this one
    """

    def __init__(self, door: Door, channel: Channel, startup: Startup, line: Line) -> None:
        self._door = door
        self._channel = channel
        self._startup = startup
        self._address = line.address
        self._login: auth.Exchange | None = auth.login(
            startup.parameters,
            door.warehouse,
            door.identity,
            line.secure,
            line.address,
            certificate_hash=line.certificate_hash,
        )
        self._begun = False
        self._user: User | None = None
        self._skipping = False  # until Sync, after an error
        self.ended = False
        self.session: Session | None = None
        self.key = secrets.token_bytes(_KEY_BYTES)

    def run(self) -> None:
        """Answer everything that is here."""
        try:
            if not self._begun:
                self._begin()
            while not self.ended and (message := self._channel.poll()) is not None:
                if self._login is not None:
                    self._authenticate(message)
                else:
                    self._take(message)
            self._channel.flush()
        except ClientGone:
            self.ended = True
        except errors.Error as error:
            self._end_with(error)
        except Exception as error:
            logger.exception("a conversation failed")
            self._end_with(errors.InternalError(f"internal error: {type(error).__name__}"))

    @property
    def idle_limit_s(self) -> int | None:
        """After which the user's sessions that say nothing are ended; None where that is not said of the user."""
        return None if self._user is None else self._user.session_timeout_s

    def cancel(self) -> None:
        """Stop what runs. Callable from any thread."""
        if self.session is not None:
            self.session.cancel()

    def end_with(self, error: errors.Error) -> None:
        """Say why, when nothing runs and nothing is to be said besides."""
        if not self.ended:
            self._end_with(error)

    def close(self) -> None:
        """Free everything; an open transaction is rolled back."""
        self.ended = True
        if self._login is not None:
            self._login.close()
        try:
            if self.session is not None:
                self._extended.close_portals()
                self.session.close()
                logger.info("session=%d ended", self.session.pid)
        finally:
            if self._user is not None:
                self._door.admission.leave(self._user)
                self._user = None

    def _end_with(self, error: errors.Error) -> None:
        self.ended = True
        try:
            self._channel.send(messages.error(error, fatal=True))
            self._channel.flush()
        except ClientGone:
            pass

    # The start

    def _begin(self) -> None:
        self._begun = True
        said = negotiation(self._startup)
        if said:
            self._channel.send(said)
        if self._door.warehouse.paused:
            raise errors.WarehousePaused("the warehouse is paused")
        if "replication" in self._startup.parameters:
            raise errors.NotSupportedError("replication is not supported")
        self._proceed(None)

    def _authenticate(self, message: Message) -> None:
        if message.type == _TERMINATE:
            self.ended = True
        else:
            self._proceed(message)

    def _proceed(self, answer: Message | None) -> None:
        """Give the exchange the client's answer, and send what it has to say, until it wants another answer."""
        assert self._login is not None
        try:
            while True:
                said = self._login.send(answer)
                answer = None
                if isinstance(said, auth.Wait):
                    self._channel.rest(said.seconds)
                    continue
                if said:
                    self._channel.send(said)
                if not said or int.from_bytes(said[5:9], "big") not in _NO_ANSWER:
                    self._channel.flush()
                    return
        except StopIteration as end:
            self._login = None
            self._welcome(end.value)

    def _welcome(self, user: User) -> None:
        """From authentication to the first ReadyForQuery."""
        self._door.admission.enter(user)
        self._user = user
        self.session = session = self._door.warehouse.session(user.name)
        session.address = self._address
        session.on_terminate = self._channel.terminate
        version = redshift.protocol_version(self._startup.parameters)
        self._streams = Streams(self._channel, session.check_cancelled)
        session.copy_streams = self._streams
        session.savepoints = [] if version is None else None
        self._redshift = version
        self._extended = Extended(session, self._channel, self._streams, version)
        notices = set_parameters(self._startup, session)
        self._reported = Reported(session, self._startup.parameters)
        self._handlers: dict[int, Callable[[bytes], None]] = {
            ord("P"): self._extended.parse,
            ord("B"): self._extended.bind,
            ord("D"): self._extended.describe,
            ord("E"): self._extended.execute,
            ord("C"): self._extended.close,
            _QUERY: self._query,
            _CALL: self._call,
            _FLUSH: self._flush,
            # what is left of a COPY that has failed
            **dict.fromkeys(b"dcf", self._ignore),
        }
        application = session.variables["application_name"][:100]
        logger.info("session=%d user=%s application=%r from=%s", session.pid, user.name, application, self._address)
        self._reported.tell_all(self._channel)
        sending.send_notices(notices, session.variables, self._channel)
        self._channel.send(messages.backend_key(session.pid, self.key))
        self._channel.admitted()
        self._ready()

    # Messages

    def _take(self, message: Message) -> None:
        type_, body = message
        if type_ == _TERMINATE:
            self.ended = True
        elif type_ == _SYNC:
            self._skipping = False
            self._guarded(self._end_transaction, body)
            self._ready()
        elif not self._skipping:
            handler = self._handlers.get(type_)
            if handler is None:
                raise ProtocolViolation(f"invalid frontend message type {type_}")
            right = self._guarded(handler, body)
            if type_ in (_QUERY, _CALL):
                self._ready()
            elif not right:
                self._skipping = True

    def _guarded(self, handler: Callable[[bytes], None], body: bytes) -> bool:
        """Whether it went well; when it did not, the client is told, and the transaction undone."""
        try:
            handler(body)
            return True
        except ClientGone:
            raise
        except errors.Error as error:
            told = error
        except Exception as error:
            logger.exception("a message was not answered")
            told = errors.InternalError(f"internal error: {type(error).__name__}")
        assert self.session is not None
        self._streams.fail()
        self._extended.close_portals()
        self.session.fail()
        self._channel.send(messages.error(told))
        return False

    def _query(self, body: bytes) -> None:
        """A text of several statements, each answered before the next one is run."""
        assert self.session is not None
        session, channel = self.session, self._channel
        text = messages.read_string(body)
        self._extended.forget_unnamed()
        blank = True
        for result in session.execute_each(text):
            blank = False
            sending.send_notices(result.notices, session.variables, channel)
            if result.returns_rows:
                encoder = Encoder(
                    result.columns, (), redshift_version=self._redshift, style=values.style_of(session.variables)
                )
                channel.send(rows.description(result.columns, (), self._redshift))
                channel_rows = Rows(result, encoder)
                sent = channel_rows.send(channel)
                channel.send(sending.tag(result, sent))
            else:
                self._streams.end()
                channel.send(sending.tag(result))
        if blank:
            channel.send(messages.EMPTY_QUERY)
        if not session.in_block:
            self._extended.close_portals()

    def _call(self, body: bytes) -> None:
        raise errors.NotSupportedError("function call messages are not supported", hint="Use SELECT.")

    def _flush(self, body: bytes) -> None:
        self._channel.flush()

    def _ignore(self, body: bytes) -> None:
        pass

    def _end_transaction(self, body: bytes) -> None:
        self._extended.end()

    def _ready(self) -> None:
        assert self.session is not None
        self._reported.tell_changes(self._channel)
        self._channel.send(messages.READY[_STATES[self.session.transaction]])
        self._channel.flush()
