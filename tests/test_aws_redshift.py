"""Redshift's own API through boto3: the cluster, its pauses, its roles and its credentials."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from restframe import errors

ROLE = "arn:aws:iam::000000000000:role/"


@pytest.fixture
def cluster(aws: Any) -> Any:
    return aws.client("redshift")


def test_any_identifier_means_this_server(aws: Any, cluster: Any) -> None:
    for identifier, shown in (({}, "restframe"), ({"ClusterIdentifier": "redshift-cluster-1"}, "redshift-cluster-1")):
        (found,) = cluster.describe_clusters(**identifier)["Clusters"]
        assert found["ClusterIdentifier"] == shown
        assert found["ClusterStatus"] == "available"
        assert found["Endpoint"] == {"Address": "127.0.0.1", "Port": 5439}
        assert (found["DBName"], found["MasterUsername"]) == ("dev", "awsuser")
        assert found["ClusterCreateTime"] <= datetime.now(UTC)
    cluster.get_waiter("cluster_available").wait(ClusterIdentifier="x", WaiterConfig={"MaxAttempts": 1})
    assert cluster.describe_clusters(TagKeys=["team"])["Clusters"] == []


@pytest.mark.parametrize(
    "identifier", ["a" * 64, "a" * 100_000, "a b", "a\nb", "\u00e4"], ids=lambda name: ascii(name)[:20]
)
@pytest.mark.parametrize(
    "operation", ["describe_clusters", "pause_cluster", "resume_cluster", "modify_cluster_iam_roles"]
)
def test_an_identifier_that_can_be_none_is_not_repeated(shared_aws: Any, operation: str, identifier: str) -> None:
    with pytest.raises(ClientError, match="InvalidParameterValue") as caught:
        getattr(shared_aws.client("redshift"), operation)(ClusterIdentifier=identifier)
    assert len(caught.value.response["Error"]["Message"]) < 200


def test_a_paused_cluster_takes_no_statements_but_everything_else(aws: Any, cluster: Any) -> None:
    assert cluster.pause_cluster(ClusterIdentifier="x")["Cluster"]["ClusterStatus"] == "paused"
    assert cluster.describe_clusters(ClusterIdentifier="x")["Clusters"][0]["ClusterStatus"] == "paused"
    with pytest.raises(errors.WarehousePaused):
        aws.warehouse.sql("SELECT 1")
    aws.client("s3").create_bucket(Bucket="still-works")
    with pytest.raises(cluster.exceptions.InvalidClusterStateFault) as caught:
        cluster.pause_cluster(ClusterIdentifier="x")
    assert caught.value.response["Error"]["Code"] == "InvalidClusterState"
    assert cluster.resume_cluster(ClusterIdentifier="x")["Cluster"]["ClusterStatus"] == "available"
    assert aws.warehouse.sql("SELECT 1").scalar() == 1
    with pytest.raises(cluster.exceptions.InvalidClusterStateFault, match="is not paused"):
        cluster.resume_cluster(ClusterIdentifier="x")


def test_roles_are_kept_and_shown(cluster: Any) -> None:
    def roles(**given: Any) -> list[str]:
        changed = cluster.modify_cluster_iam_roles(ClusterIdentifier="x", **given)["Cluster"]
        (found,) = cluster.describe_clusters()["Clusters"]
        assert found["IamRoles"] == changed["IamRoles"]
        assert all(role["ApplyStatus"] == "in-sync" for role in found["IamRoles"])
        return [role["IamRoleArn"] for role in found["IamRoles"]]

    assert roles(AddIamRoles=[ROLE + "a", ROLE + "b", ROLE + "a"]) == [ROLE + "a", ROLE + "b"]
    assert roles(RemoveIamRoles=[ROLE + "a"], DefaultIamRoleArn=ROLE + "c") == [ROLE + "b", ROLE + "c"]
    assert cluster.describe_clusters()["Clusters"][0]["DefaultIamRoleArn"] == ROLE + "c"


def test_credentials_let_a_user_in(aws: Any, cluster: Any) -> None:
    before = datetime.now(UTC)
    found = cluster.get_cluster_credentials(DbUser="analyst", DbName="dev", ClusterIdentifier="x", DurationSeconds=1800)
    assert found["DbUser"] == "IAM:analyst"
    assert timedelta(seconds=1790) < found["Expiration"] - before < timedelta(seconds=1860)
    check = aws.backend.identity.check_database_password
    assert check("analyst", found["DbPassword"])
    assert not check("awsuser", found["DbPassword"])
    found = cluster.get_cluster_credentials_with_iam(ClusterIdentifier="x")
    assert found["DbUser"] == "IAM:awsuser"
    assert timedelta(seconds=890) < found["Expiration"] - before < timedelta(seconds=960)
    assert check("awsuser", found["DbPassword"])
    for seconds in (899, 3601):
        with pytest.raises(ClientError, match="not between 900 and 3600"):
            cluster.get_cluster_credentials(DbUser="analyst", DurationSeconds=seconds)


def test_only_the_superuser_gets_credentials_of_others(aws: Any) -> None:
    analyst = aws.backend.identity.keys.create("analyst", "analyst")
    cluster = aws.client("redshift", credentials=analyst)
    assert cluster.get_cluster_credentials(DbUser="analyst")["DbUser"] == "IAM:analyst"
    assert cluster.get_cluster_credentials_with_iam()["DbUser"] == "IAM:analyst"
    with pytest.raises(ClientError, match='may log in as "analyst" only') as caught:
        cluster.get_cluster_credentials(DbUser="awsuser")
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_user_joins_groups(aws: Any, cluster: Any) -> None:
    aws.warehouse.sql("CREATE GROUP staff; CREATE TABLE t (a int); GRANT SELECT ON t TO GROUP staff")
    cluster.get_cluster_credentials(DbUser="kim", AutoCreate=True, DbGroups=["staff"])
    with aws.warehouse.session("kim") as session:
        assert session.execute("SELECT count(*) FROM t").scalar() == 0
    with pytest.raises(ClientError, match='group "nobody" does not exist'):
        cluster.get_cluster_credentials(DbUser="kim", DbGroups=["nobody"])
    analyst = aws.client("redshift", credentials=aws.backend.identity.keys.create("analyst", "analyst"))
    with pytest.raises(ClientError, match="may join no groups"):
        analyst.get_cluster_credentials(DbUser="analyst", DbGroups=["staff"])
    analyst.get_cluster_credentials_with_iam()
    with aws.warehouse.session("analyst") as session, pytest.raises(errors.InsufficientPrivilege):
        session.execute("SELECT count(*) FROM t")


def test_operations_that_are_not_served_say_so(cluster: Any) -> None:
    with pytest.raises(ClientError, match="DescribeClusterSnapshots"):
        cluster.describe_cluster_snapshots()


def test_auto_create_makes_the_user_once(aws: Any, cluster: Any) -> None:
    for _ in range(2):
        found = cluster.get_cluster_credentials(DbUser="Newcomer", AutoCreate=True)
        assert found["DbUser"] == "IAMA:newcomer"
        assert aws.backend.identity.check_database_password("newcomer", found["DbPassword"])
    user = aws.warehouse.login("newcomer")
    assert (user.verifiers, user.superuser) == (None, False)
    ann = aws.client("redshift", credentials=aws.backend.identity.keys.create("ann", "ann"))
    assert ann.get_cluster_credentials_with_iam()["DbUser"] == "IAM:ann"
    assert aws.warehouse.login("ann").verifiers is None
    assert cluster.get_cluster_credentials(DbUser="nobody")["DbUser"] == "IAM:nobody"
    assert aws.warehouse.login("nobody") is None
