"""Stopping what other sessions do: CANCEL, pg_cancel_backend() and pg_terminate_backend().

https://docs.aws.amazon.com/redshift/latest/dg/PG_CANCEL_BACKEND.html
https://docs.aws.amazon.com/redshift/latest/dg/PG_TERMINATE_BACKEND.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from restframe import errors

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


def signal(what: Literal["cancel", "terminate"], pid: int, asking: Session, message: str | None = None) -> bool:
    """Stop a session's statement, or the session; returns whether there is one of this number.

    message : what the session's user is told of a cancelled statement

    InsufficientPrivilege when it is another user's, unless a superuser asks, or to cancel one who has CANCEL.
    """
    session = asking.services.activity.find(pid)
    if session is None:
        return False
    rights = asking.followed
    if session.user_id != asking.user_id and not (rights.superuser or (what == "cancel" and rights.cancels)):
        does = "cancel its query" if what == "cancel" else "terminate it"
        raise errors.InsufficientPrivilege(f"must be superuser or own session {pid} to {does}")
    if what == "cancel":
        session.cancel(message)
    else:
        session.terminate()
    return True
