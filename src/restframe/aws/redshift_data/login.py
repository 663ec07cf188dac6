"""For whom a request works: the database user it names, the user of its secret, or the caller's own."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from restframe import errors
from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input
from restframe.aws.redshift_data.service import check_one_target, invalid, not_found
from restframe.identity.secret_records import SecretNotFound, SecretUnavailable
from restframe.identity.verifiers import Verifiers

# What the answers tell again.
_LABELS = ("ClusterIdentifier", "WorkgroupName", "SecretArn")


def labels(request: Input) -> dict[str, Any]:
    return {name: request[name] for name in _LABELS if request.get(name)}


def user_of(request: Input, call: Call) -> str:
    """The database user whose rights a request has.

    A caller who is not the superuser may be the own database user alone, unless a secret holds a password of another.
    The own one is made at the first request, as Redshift makes the users of IAM identities; others must exist.
    ValidationException, ResourceNotFoundException for a secret that does not exist, AccessDeniedException.
    """
    check_one_target(request)
    if not request.get("Database"):
        raise invalid("Database name is required.")
    own, superuser = call.caller.database_user, call.backend.warehouse.settings.user
    if request.get("SecretArn"):
        if request.get("DbUser"):
            raise invalid("SecretArn and DbUser cannot be given together.")
        user, password = _secret(request["SecretArn"], call)
        allowed = own in (user, superuser) or _is_password(user, password, call)
    else:
        user = request.get("DbUser") or own
        allowed = own in (user, superuser)
    if allowed:
        if user == own:
            call.backend.warehouse.create_user(user)
        return user
    raise AwsError("AccessDeniedException", f'{call.caller.arn} may log in as "{own}" only.', 400)


def _is_password(user: str, password: str, call: Call) -> bool:
    """Whether a database user may log in with this: the user's own password, or a temporary one."""
    found = call.backend.warehouse.login(user)
    if found is None:
        return False
    if found.verifiers is None:
        return call.backend.identity.check_database_password(user, password)
    if found.valid_until is not None and found.valid_until <= datetime.now(UTC).replace(tzinfo=None):
        return False
    return Verifiers.read(found.verifiers).check(user, password)


def _secret(name: str, call: Call) -> tuple[str, str]:
    """The username and password in a secret, in the form of JSON that all of AWS's database services use."""
    try:
        value = json.loads(call.backend.identity.secrets.value(name))
    except SecretNotFound as error:
        raise not_found("Secrets Manager can't find the specified secret.", name[:200]) from error
    except (SecretUnavailable, errors.InvalidParameterValue) as error:
        raise invalid(error.message) from error
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or not isinstance(value.get("username"), str) or not value["username"]:
        raise invalid("The secret must be a JSON object with a username.")
    return value["username"], str(value.get("password", ""))


def check_database(request: Input, call: Call) -> None:
    """For what is answered at once; the database of a statement is looked at when it runs.

    DatabaseConnectionException when there is no such database, or it is paused.
    """
    ours = call.backend.warehouse.settings.database
    for name in (request.get("ConnectedDatabase"), request.get("Database")):
        if name is not None and name.lower() != ours:
            raise AwsError("DatabaseConnectionException", f'FATAL: database "{name[:100]}" does not exist')
