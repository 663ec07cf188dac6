"""What a client has to find in its environment to come to us, and what would lead it elsewhere."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping

from restframe.identity import Credentials
from restframe.settings import Settings

# What the server writes into the directory for clients.
CA = "ca/ca.pem"
BUNDLE = "ca/bundle.pem"
SAGEMAKER_DEFAULTS = "sagemaker.yaml"

# These name other keys or other servers, and some of them win over what we set.
_MISLEADING = (
    "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT",
    "PGHOSTADDR", "PGSERVICE", "PGSSLCERT", "PGSSLKEY", "PGOPTIONS", "PGREQUIREAUTH",
)  # fmt: skip
_SERVICE_ENDPOINT = "AWS_ENDPOINT_URL_"

_OWN_HOSTS = ("127.0.0.1", "localhost", "::1")


def address(host: str, port: int) -> str:
    """How this machine reaches a server that listens on `host`, which may mean all of its addresses."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def variables(
    settings: Settings,
    url: str,
    proxy: str,
    sql_port: int,
    credentials: Credentials,
    password: str,
    around: Mapping[str, str],
) -> dict[str, str]:
    """By name, in the order in which they are read best.

    password : of the superuser, for SQL clients
    around : the environment as it is; exceptions to its proxy stay
    """
    host = urllib.parse.urlsplit(url).hostname or ""
    exceptions = _exceptions(around, host)
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_CA_BUNDLE": str(settings.directory / BUNDLE),
        # redshift_connector insists on a chain that OpenSSL trusts; the bundle has the public authorities as well.
        "SSL_CERT_FILE": str(settings.directory / BUNDLE),
        # Clients written in Rust take a plain http endpoint only when they are told to.
        "AWS_ALLOW_HTTP": "true",
        # Python prefers the names in lower case, others know only those in upper case.
        "HTTPS_PROXY": proxy,
        "https_proxy": proxy,
        "NO_PROXY": exceptions,
        "no_proxy": exceptions,
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(settings.directory / SAGEMAKER_DEFAULTS),
        **_sql_host(settings, host),
        "PGPORT": str(sql_port),
        "PGUSER": settings.user,
        "PGDATABASE": settings.database,
        "PGPASSWORD": password,
    }


def misleading(around: Mapping[str, str]) -> list[str]:
    """Names of variables that must not be set beside ours."""
    return [*_MISLEADING, *sorted(name for name in around if name.startswith(_SERVICE_ENDPOINT))]


def _sql_host(settings: Settings, host: str) -> dict[str, str]:
    """The server for SQL clients, who make sure of it by its certificate where that has the name they call it by."""
    if host in _OWN_HOSTS:
        host = "localhost"  # older clients look for no addresses in certificates
    elif host not in settings.server_names.lower().split():
        return {"PGHOST": host, "PGSSLMODE": "require"}
    certificate = settings.directory / CA
    return {"PGHOST": host, "PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(certificate)}


def _exceptions(around: Mapping[str, str], host: str) -> str:
    given = around.get("no_proxy") or around.get("NO_PROXY") or ""
    names = [name.strip() for name in given.split(",")]
    return ",".join(dict.fromkeys(filter(None, [*names, *_OWN_HOSTS, host])))


def sagemaker_defaults(settings: Settings) -> str:
    """Of the SageMaker SDK, in its schema of version 1.0: a bucket without asking STS, and no calls home."""
    return (
        "# Written by restframe serve at each start.\n"
        'SchemaVersion: "1.0"\n'
        "SageMaker:\n"
        "  PythonSDK:\n"
        "    Modules:\n"
        "      TelemetryOptOut: true\n"
        "      Session:\n"
        f"        DefaultS3Bucket: sagemaker-{settings.region}-{settings.account_id}\n"
    )
