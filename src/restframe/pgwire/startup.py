"""What a client says at the start besides its name: parameters of the session, in several spellings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from restframe import errors
from restframe.pgwire import redshift
from restframe.pgwire.messages import Startup, negotiate_version
from restframe.result import Notice
from restframe.warehouse.session import Session

# No parameters of a session: who connects, and what drivers tell of themselves.
_OTHERS = frozenset(
    {
        "user", "database", "options", "replication",
        "client_protocol_version", "driver_version", "os_version", "driver_discovery_version", "plugin_name",
        "idp_type", "provider_name", "identity_namespace", "token_type", "driver_token",
    }
)  # fmt: skip

_OPTION = re.compile(r"(?:-c\s*|--)([\w.-]+)=(.*)", re.DOTALL)
_WORD = re.compile(r"(?:\\.|\S)+", re.DOTALL)


def negotiation(startup: Startup) -> bytes:
    """What a client is to be told whose version of the protocol, or options of it, we do not know; often nothing."""
    if redshift.protocol_version(startup.parameters) is not None:
        return b""  # its drivers understand no such answer, and go on without compression when they get none
    unknown = [name for name in startup.parameters if name.startswith("_pq_.")]
    return negotiate_version(unknown) if startup.minor or unknown else b""


def set_parameters(startup: Startup, session: Session) -> list[Notice]:
    """Give the session what the client wants it to begin with; what is to be said about that.

    A parameter that does not exist is accepted without effect, and said in a notice: drivers send what they like. So is
    an encoding that we have not got: clients take it from their terminal, and heed what is reported instead.
    InvalidParameterValue for a value that cannot be.
    """
    notices = []
    for name, value in _parameters(startup.parameters):
        try:
            session.set_variable(name, value)
        except errors.UndefinedObject as error:
            notices.append(Notice(f"{error.message}; it is ignored", "WARNING"))
        except errors.InvalidParameterValue as error:
            if name.lower() != "client_encoding":
                raise
            notices.append(Notice(f"{error.message}; UTF8 is used", "WARNING"))
    return notices


def _parameters(given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield from _options(given.get("options", ""))
    for name, value in given.items():
        if name not in _OTHERS and not name.startswith("_pq_."):
            yield name, value


def _options(text: str) -> Iterator[tuple[str, str]]:
    """`-c name=value` and `--name=value`, between blanks that are not escaped."""
    words = [re.sub(r"\\(.)", r"\1", word, flags=re.DOTALL) for word in _WORD.findall(text)]
    while words:
        word = words.pop(0)
        if word == "-c" and words:
            word += words.pop(0)
        found = _OPTION.fullmatch(word)
        if found is None:
            raise errors.InvalidParameterValue(f'invalid command-line argument for server process: "{word[:100]}"')
        yield found[1].replace("-", "_"), found[2]
