"""Sockets to serve on."""

from __future__ import annotations

import errno
import socket

from restframe import errors

_BACKLOG = 1024


def listen(host: str, port: int, option: str) -> socket.socket:
    """A socket bound to the first address of a host, IPv4 before IPv6; OperationalError when that cannot be.

    option : of the command line, that takes another port
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise errors.OperationalError(f'"{host[:100]}" is no address of this machine') from error
    family, *_, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    try:
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise errors.OperationalError(
                f"port {port} of {host} is taken", hint=f"End what uses it, or take another one with {option}."
            ) from error
        if error.errno == errno.EADDRNOTAVAIL:
            raise errors.OperationalError(f'"{host[:100]}" is no address of this machine') from error
        raise errors.OperationalError(f"cannot listen on port {port} of {host}: {error.strerror}") from error
