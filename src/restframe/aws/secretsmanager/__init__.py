"""AWS Secrets Manager: a store of encrypted values with names, versions and labels.

Kept without effect: KMS keys, secret types, resource policies. Not served: rotation, replication.
https://docs.aws.amazon.com/secretsmanager/latest/apireference/
"""

from restframe.aws.secretsmanager import listing, passwords, policies, secrets, values
from restframe.aws.secretsmanager.service import operations

__all__ = ["listing", "operations", "passwords", "policies", "secrets", "values"]
