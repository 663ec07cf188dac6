"""Lists as all List operations of SageMaker give them: filtered, sorted, in pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from restframe.aws import tokens
from restframe.aws.operation import Input, Output
from restframe.aws.sagemaker.naming import refusal

_PAGE = 10


@dataclass(frozen=True, slots=True)
class Item:
    """summary : how it stands in the answer"""

    summary: Output
    name: str
    created: datetime
    modified: datetime | None = None
    status: str = ""


def page(request: Input, items: Iterable[Item], member: str, order: str = "Descending") -> Output:
    """The answer of a List operation.

    member : of the answer, which holds the summaries
    order : when the client does not say

    A page goes on behind the last item of the one before: what comes or goes meanwhile shifts nothing.
    """
    by = request.get("SortBy", "CreationTime")
    descending = request.get("SortOrder", order) == "Descending"
    found = sorted((item for item in items if _wanted(request, item)), key=lambda item: _key(item, by))
    if descending:
        found.reverse()
    if token := request.get("NextToken"):
        last = _place(token, by)
        found = [item for item in found if (_key(item, by) < last if descending else _key(item, by) > last)]
    size = request.get("MaxResults", _PAGE)
    more = len(found) > size
    return {
        member: [item.summary for item in found[:size]],
        "NextToken": tokens.write(*_key(found[size - 1], by)) if more else None,
    }


def _wanted(request: Input, item: Item) -> bool:
    if request.get("NameContains", "").lower() not in item.name.lower():
        return False
    if request.get("StatusEquals", item.status) != item.status:
        return False
    for name, at in (("CreationTime", item.created), ("LastModifiedTime", item.modified)):
        if at is not None and (at < request.get(name + "After", at) or at > request.get(name + "Before", at)):
            return False
    return True


def _key(item: Item, by: str) -> tuple[str | float, str]:
    """By which items are sorted: what the client wants, and the name among equals."""
    if by == "Name":
        return item.name, item.name
    if by == "Status":
        return item.status, item.name
    return item.created.timestamp(), item.name


def _place(token: str, by: str) -> tuple[str | float, ...]:
    try:
        return tuple(tokens.read(token, float if by == "CreationTime" else str, str))
    except ValueError as error:
        raise refusal("Invalid NextToken: it is none of this list, sorted this way.") from error
