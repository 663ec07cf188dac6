"""Redshift Serverless: one workgroup and one namespace, which are this server, whatever names a client calls them by.

https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from restframe.aws.operation import Call, Input, Operations, Output
from restframe.aws.redshift import NAME, address, created, own_credentials

operations = Operations("redshift-serverless")


@operations("GetWorkgroup")
def get_workgroup(request: Input, call: Call) -> Output:
    """https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_GetWorkgroup.html"""
    return {"workgroup": _workgroup(call, request["workgroupName"])}


@operations("ListWorkgroups")
def list_workgroups(request: Input, call: Call) -> Output:
    """https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_ListWorkgroups.html"""
    return {"workgroups": [_workgroup(call, NAME)]}


@operations("GetNamespace")
def get_namespace(request: Input, call: Call) -> Output:
    """https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_GetNamespace.html"""
    return {"namespace": _namespace(call, request["namespaceName"])}


@operations("ListNamespaces")
def list_namespaces(request: Input, call: Call) -> Output:
    """https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_ListNamespaces.html"""
    return {"namespaces": [_namespace(call, NAME)]}


@operations("GetCredentials")
def get_credentials(request: Input, call: Call) -> Output:
    """A password for the caller's own database user, valid for 15 minutes to an hour.

    ValidationException for another duration.
    https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_GetCredentials.html
    """
    user, password, expires = own_credentials(call, request.get("durationSeconds"))
    return {"dbUser": user, "dbPassword": password, "expiration": expires, "nextRefreshTime": expires}


def _workgroup(call: Call, name: str) -> Output:
    endpoint = {"address": address(call), "port": call.backend.warehouse.settings.sql_port, "vpcEndpoints": []}
    return {
        "workgroupName": name,
        "workgroupId": NAME,
        "workgroupArn": call.arn(f"workgroup/{NAME}"),
        "namespaceName": NAME,
        "status": "AVAILABLE",
        "endpoint": endpoint,
        "port": endpoint["port"],
        "creationDate": created(call),
        "configParameters": [],
        "enhancedVpcRouting": False,
        "publiclyAccessible": False,
        "securityGroupIds": [],
        "subnetIds": [],
    }


def _namespace(call: Call, name: str) -> Output:
    warehouse = call.backend.warehouse
    return {
        "namespaceName": name,
        "namespaceId": NAME,
        "namespaceArn": call.arn(f"namespace/{NAME}"),
        "dbName": warehouse.settings.database,
        "adminUsername": warehouse.settings.user,
        "status": "AVAILABLE",
        "iamRoles": list(warehouse.cluster.iam_roles),
        "defaultIamRoleArn": warehouse.cluster.default_iam_role,
        "logExports": [],
        "creationDate": created(call),
    }
