"""`restframe env`: what a shell has to set, and nothing else on standard output."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import urllib.parse
from collections.abc import Mapping

from restframe import errors, settings
from restframe.cli import identity
from restframe.server import environment, record
from restframe.settings import Settings


def run(given: argparse.Namespace) -> int:
    """Print assignments; an error prints none, so that a shell that evaluates them changes nothing."""
    known = settings.load(given.directory)
    url, proxy, sql_port = _addresses(known, given.host)
    with identity.opened(given.directory) as found:
        variables = environment.variables(
            known, url, proxy, sql_port, found.keys.first(), found.master_password, os.environ
        )
    print(_FORMATS[given.format](variables), end="")
    return 0


def _addresses(known: Settings, host: str | None) -> tuple[str, str, int]:
    """Of the AWS APIs and the proxy, and the port of SQL: of the server that runs, or of the one that would.

    host : as others call this machine
    """
    found = record.read(known.directory)
    if found is not None:
        api, proxy, sql = [urllib.parse.urlsplit(url) for url in (found.url, found.proxy, f"//{found.sql}")]
        url, proxy_url = [environment.address(host or one.hostname or "", one.port or 0) for one in (api, proxy)]
        return url, proxy_url, sql.port or 0
    if not (known.http_port and known.proxy_port and known.sql_port):
        raise errors.OperationalError("restframe serve does not run, and its ports are not fixed")
    if (known.directory / environment.BUNDLE).exists():
        print("WARNING:  restframe serve does not run now", file=sys.stderr)
    url, proxy_url = [environment.address(host or known.host, port) for port in (known.http_port, known.proxy_port)]
    return url, proxy_url, known.sql_port


def _shell(variables: Mapping[str, str]) -> str:
    lines = [f"unset {' '.join(environment.misleading(os.environ))}"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return "".join(f"{line}\n" for line in lines)


def _dotenv(variables: Mapping[str, str]) -> str:
    # between single quotes nothing is expanded
    quoted = {name: value.replace("\\", "\\\\").replace("'", "\\'") for name, value in variables.items()}
    return "".join(f"{name}='{value}'\n" for name, value in quoted.items())


def _docker(variables: Mapping[str, str]) -> str:
    """For `docker run --env-file`, which takes everything behind the equals sign as it is."""
    return "".join(f"{name}={value}\n" for name, value in variables.items())


def _json(variables: Mapping[str, str]) -> str:
    return json.dumps(variables, indent=2) + "\n"


_FORMATS = {"shell": _shell, "dotenv": _dotenv, "docker": _docker, "json": _json}
