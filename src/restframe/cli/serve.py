"""`restframe serve`, `restframe status`, `restframe stop`."""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import logging
import os
import signal
import sys
import time
import urllib.parse
from datetime import datetime
from pathlib import Path

from restframe import errors, settings
from restframe.cli.arguments import directory_option
from restframe.cli.listing import local_time, print_facts
from restframe.server import record
from restframe.server.record import Record

# What systemd's status says of a service: it runs, it is dead though it should not be, it does not run.
_RUNS, _DEAD, _DOES_NOT_RUN = 0, 1, 3

_HEALTH = "/_restframe/health"
_HEALTH_S = 5
_BEYOND_GRACE_S = 20  # to close a warehouse that has a lot to write


def serve(given: argparse.Namespace) -> int:
    options = {
        name: value
        for name in ("host", "http_port", "proxy_port", "sql_port", "log_level")
        if (value := getattr(given, name)) is not None
    }
    from restframe.server.server import Server

    server = Server(given.directory, **options)
    _log(server.settings.log_level)
    if not server.settings.local:
        print(
            f"WARNING:  {server.settings.host} can be reached from other machines, and what they send is not encrypted",
            file=sys.stderr,
        )
    server.run(lambda record: _greet(record, given.directory))
    print("restframe serve has ended")
    return 0


def _log(level: str) -> None:
    levels = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
    if level not in levels:
        raise errors.InterfaceError(f'"{level[:100]}" is no log level', hint=f"Take one of {', '.join(levels)}.")
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("restframe").setLevel(levels[level])
    logging.getLogger("uvicorn").setLevel(levels[level])


def _greet(record: Record, directory: Path) -> None:
    print(f"restframe {record.version} serves {directory}")
    print(f"  AWS APIs  {record.url}")
    print(f"  SQL       {record.sql}")
    print(f"  proxy     {record.proxy}")
    print(f'In another shell:  eval "$(restframe env{directory_option(directory)})"', flush=True)


def status(given: argparse.Namespace) -> int:
    """Say whether a server runs, and where: 0 when it answers, 1 when it does not, 3 when there is none."""
    found = record.read(given.directory)
    if found is None:
        print(f"restframe serve does not run in {given.directory}")
        return _DOES_NOT_RUN
    health = _health(found)
    print_facts(
        [
            ("server", f"restframe {found.version}, process {found.pid}"),
            ("since", local_time(datetime.fromisoformat(found.started))),
            ("AWS APIs", found.url),
            ("SQL", found.sql),
            ("proxy", found.proxy),
            ("data", str(given.directory.absolute())),
            ("health", health or "does not answer"),
        ]
    )
    return _RUNS if health else _DEAD


def _health(found: Record) -> str | None:
    """What the server says of itself; None when it says nothing."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(found.url).netloc, timeout=_HEALTH_S)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        connection.request("GET", _HEALTH)
        response = connection.getresponse()
        answer = json.load(response)
        return str(answer["status"]) if response.status == http.client.OK else None
    return None


def stop(given: argparse.Namespace) -> int:
    """End the server and wait until it has; 3 when there is none."""
    found = record.read(given.directory)
    if found is None:
        print(f"restframe serve does not run in {given.directory}")
        return _DOES_NOT_RUN
    if not _is_ours(found.pid) and _runs(given.directory, found):
        raise errors.OperationalError(
            f"process {found.pid} of this machine is not the server", hint="End it where it runs: in its container."
        )
    with contextlib.suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGTERM)
    end = time.monotonic() + settings.load(given.directory).shutdown_grace_s + _BEYOND_GRACE_S
    while _runs(given.directory, found):
        if time.monotonic() > end:
            raise errors.OperationalError(f"process {found.pid} does not end", hint=f"Try: kill -9 {found.pid}")
        time.sleep(0.05)
    print(f"restframe serve (process {found.pid}) has ended")
    return 0


def _is_ours(pid: int) -> bool:
    """Whether the number means here what it meant to the server: a container counts its processes by itself."""
    try:
        return b"restframe" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return not Path("/proc/self").exists()


def _runs(directory: Path, found: Record) -> bool:
    now = record.read(directory)
    return now is not None and now.pid == found.pid
