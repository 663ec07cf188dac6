"""Redshift's own API: one cluster, which is this server, whatever identifier a client calls it by.

https://docs.aws.amazon.com/redshift/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from restframe import errors
from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input, Operations, Output

NAME = "restframe"  # of the cluster, the workgroup and the namespace of somebody who names none
NODE_TYPE = "restframe"
# Amazon's have no underscores and dots; who has named a stage in another way shall not mind
_IDENTIFIER = re.compile(r"[\w.-]{1,63}", re.ASCII)

operations = Operations("redshift", general="InvalidParameterValue")


@operations("DescribeClusters")
def describe_clusters(request: Input, call: Call) -> Output:
    """One cluster under the identifier that is asked for, available or paused. Tags that are asked for, it has none of.

    https://docs.aws.amazon.com/redshift/latest/APIReference/API_DescribeClusters.html
    """
    if request.get("TagKeys") or request.get("TagValues"):
        return {"Clusters": []}
    return {"Clusters": [_cluster(call, _identifier(request))]}


@operations("PauseCluster")
def pause_cluster(request: Input, call: Call) -> Output:
    """Take no statements any more, across restarts too. Those that run are finished; models and S3 go on.

    InvalidClusterState when it is paused already.
    https://docs.aws.amazon.com/redshift/latest/APIReference/API_PauseCluster.html
    """
    identifier = _identifier(request)
    if not call.backend.warehouse.pause():
        raise AwsError("InvalidClusterState", f"The cluster {identifier} is already paused.")
    return {"Cluster": _cluster(call, identifier)}


@operations("ResumeCluster")
def resume_cluster(request: Input, call: Call) -> Output:
    """Take statements again. InvalidClusterState when it is not paused.

    https://docs.aws.amazon.com/redshift/latest/APIReference/API_ResumeCluster.html
    """
    identifier = _identifier(request)
    if not call.backend.warehouse.resume():
        raise AwsError("InvalidClusterState", f"The cluster {identifier} is not paused.")
    return {"Cluster": _cluster(call, identifier)}


@operations("ModifyClusterIamRoles")
def modify_cluster_iam_roles(request: Input, call: Call) -> Output:
    """Roles are kept and described again; nothing asks them for leave.

    https://docs.aws.amazon.com/redshift/latest/APIReference/API_ModifyClusterIamRoles.html
    """
    added, removed = request.get("AddIamRoles", ()), frozenset(request.get("RemoveIamRoles", ()))
    default, identifier = request.get("DefaultIamRoleArn"), _identifier(request)

    def change(roles: Sequence[str]) -> list[str]:
        wanted = dict.fromkeys([*roles, *added, *([default] if default else [])])
        return [role for role in wanted if role not in removed]

    call.backend.warehouse.set_roles(change, default)
    return {"Cluster": _cluster(call, identifier)}


@operations("GetClusterCredentials")
def get_cluster_credentials(request: Input, call: Call) -> Output:
    """A password for a database user, valid for 15 minutes to an hour; `IAM:` before the name says what it is.

    Whoever is not the superuser gets one for the own database user only, and joins no groups: AccessDenied otherwise.
    AutoCreate makes a user without another password, called `IAMA:` here, unless there is one. The user joins DbGroups
    for good, not for one session. InvalidParameterValue for a group that does not exist.
    https://docs.aws.amazon.com/redshift/latest/APIReference/API_GetClusterCredentials.html
    """
    user = request["DbUser"].removeprefix("IAM:").removeprefix("IAMA:").lower()
    own, superuser = call.caller.database_user, call.backend.warehouse.settings.user
    if own not in (user, superuser):
        raise AwsError("AccessDenied", f'{call.caller.arn} may log in as "{own}" only.', 403)
    groups = request.get("DbGroups", ())
    if groups and own != superuser:
        raise AwsError("AccessDenied", f"{call.caller.arn} may join no groups.", 403)
    password, expires = call.backend.identity.database_password(user, duration_s(request.get("DurationSeconds")))
    if request.get("AutoCreate"):
        call.backend.warehouse.create_user(user)
    try:
        call.backend.warehouse.join_groups(user, groups)
    except errors.UndefinedObject as error:
        raise errors.InvalidParameterValue(error.message) from error
    login = f"IAMA:{user}" if request.get("AutoCreate") else f"IAM:{user}"
    return {"DbUser": login, "DbPassword": password, "Expiration": expires}


@operations("GetClusterCredentialsWithIAM")
def get_cluster_credentials_with_iam(request: Input, call: Call) -> Output:
    """A password for the caller's own database user, valid for 15 minutes to an hour.

    https://docs.aws.amazon.com/redshift/latest/APIReference/API_GetClusterCredentialsWithIAM.html
    """
    user, password, expires = own_credentials(call, request.get("DurationSeconds"))
    return {"DbUser": user, "DbPassword": password, "Expiration": expires, "NextRefreshTime": expires}


def own_credentials(call: Call, duration: int | None) -> tuple[str, str, datetime]:
    """How the caller's database user, who is made if need be, logs in: a name, a password, and when that ends."""
    user = call.caller.database_user
    call.backend.warehouse.create_user(user)
    return f"IAM:{user}", *call.backend.identity.database_password(user, duration_s(duration))


def duration_s(given: int | None) -> int:
    if given is None:
        return 900
    if not 900 <= given <= 3600:
        raise errors.InvalidParameterValue(f"DurationSeconds is {given}, not between 900 and 3600")
    return given


def address(call: Call) -> str:
    """The name under which the client reaches this server."""
    return urlsplit(f"//{call.http.host}").hostname or "localhost"


def created(call: Call) -> datetime:
    return datetime.fromtimestamp(call.backend.warehouse.cluster.created, UTC)


def _identifier(request: Input) -> str:
    """What the client calls the cluster. InvalidParameterValue for what could be no cluster's identifier."""
    identifier: str = request.get("ClusterIdentifier") or NAME
    if not _IDENTIFIER.fullmatch(identifier):
        message = "The parameter ClusterIdentifier is not a valid identifier: 1 to 63 letters, digits and hyphens."
        raise errors.InvalidParameterValue(message)
    return identifier


def _cluster(call: Call, identifier: str) -> Output:
    warehouse = call.backend.warehouse
    settings, state = warehouse.settings, warehouse.cluster
    account = f"{call.region}:{call.caller.account}"
    return {
        "ClusterIdentifier": identifier,
        "NodeType": NODE_TYPE,
        "ClusterStatus": "paused" if state.paused else "available",
        "ClusterAvailabilityStatus": "Paused" if state.paused else "Available",
        "MasterUsername": settings.user,
        "DBName": settings.database,
        "Endpoint": {"Address": address(call), "Port": settings.sql_port},
        "ClusterCreateTime": created(call),
        "AutomatedSnapshotRetentionPeriod": 0,
        "ManualSnapshotRetentionPeriod": -1,
        "ClusterSecurityGroups": [],
        "VpcSecurityGroups": [],
        "ClusterParameterGroups": [],
        "AvailabilityZone": f"{call.region}a",
        "PendingModifiedValues": {},
        "ClusterVersion": "1.0",
        "AllowVersionUpgrade": False,
        "NumberOfNodes": 1,
        "PubliclyAccessible": False,
        "Encrypted": False,
        "ClusterNodes": [{"NodeRole": "SHARED", "PrivateIPAddress": address(call)}],
        "Tags": [],
        "EnhancedVpcRouting": False,
        "IamRoles": [{"IamRoleArn": role, "ApplyStatus": "in-sync"} for role in state.iam_roles],
        "DefaultIamRoleArn": state.default_iam_role,
        "ClusterNamespaceArn": f"arn:aws:redshift:{account}:namespace:{NAME}",
        "MultiAZ": "Disabled",
    }
