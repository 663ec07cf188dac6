"""Content-Type and Accept headers (RFC 9110, sections 8.3 and 12.5.1), as far as inference needs them."""

from __future__ import annotations

from collections.abc import Sequence


def parse_media_type(header: str) -> tuple[str, dict[str, str]]:
    """`text/csv; label_size=1` -> ("text/csv", {"label_size": "1"}); names in lower case, quotes removed."""
    media_type, *rest = header.split(";")
    parameters = {}
    for one in rest:
        name, _, value = one.partition("=")
        parameters[name.strip().lower()] = value.strip().strip('"')
    return media_type.strip().lower(), parameters


def accepted(accept: str, offered: Sequence[str]) -> str | None:
    """Which of the offered media types the header likes best; the first of them when it is empty, else maybe None."""
    if not accept.strip():
        return offered[0]
    wishes = [parse_media_type(one) for one in accept.split(",")]
    # sorted() is stable: among equal weights the client's own order counts
    for pattern, parameters in sorted(wishes, key=lambda wish: -_weight(wish[1])):
        for one in offered:
            if _weight(parameters) > 0 and pattern in (one, "*/*", one.split("/")[0] + "/*"):
                return one
    return None


def _weight(parameters: dict[str, str]) -> float:
    try:
        return float(parameters.get("q", "1"))
    except ValueError:
        return 0.0
