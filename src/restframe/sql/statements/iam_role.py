"""The IAM role of a statement: the name under which it reaches buckets."""

from __future__ import annotations

from restframe.sql.lexer import Cursor

# What system views and models call the role that DEFAULT means.
DEFAULT_IAM_ROLE = "default-aws-iam-role"


def read_iam_role(cursor: Cursor) -> str:
    """{ DEFAULT | 'arn' }, a chain of roles as 'arn,arn'"""
    return "default" if cursor.accept("DEFAULT") else _default(cursor.string())


def _default(given: str) -> str:
    """`default` too for the name that the default role is shown under, so that it is one role everywhere."""
    return "default" if given.strip().lower() in ("default", DEFAULT_IAM_ROLE) else given


def role_of_credentials(text: str) -> str:
    """Of CREDENTIALS 'aws_iam_role=arn'. Access keys name no role, and stand for the default one."""
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if name.strip().lower() == "aws_iam_role":
            return _default(value)
    return "default"


def role_name(given: str) -> str:
    """How roles are compared and shown; of a chain, without the blanks between its parts."""
    name = ",".join(part.strip() for part in given.split(","))
    return DEFAULT_IAM_ROLE if name.lower() == "default" else name
