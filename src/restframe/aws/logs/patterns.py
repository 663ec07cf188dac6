"""The patterns of FilterLogEvents: terms that a message has or has not.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

from restframe.aws.errors import AwsError

_TERM = re.compile(r'\s*(?P<sign>[?-]?)(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<word>[^\s"]+))(?=\s|$)')


def parse_pattern(pattern: str) -> Callable[[str], bool]:
    """Whether a message matches; an empty pattern matches all.

    All plain terms must occur, none with `-`; of those with `?` one must, unless there are plain ones, beside which
    they do not count. InvalidParameterException for JSON's `{...}`, fields' `[...]` and regular expressions' `%...%`.
    """
    pattern = pattern.strip()
    if pattern[:1] in ("{", "[", "%"):
        raise _refusal("Filter patterns of JSON, fields or regular expressions are not supported.")
    terms: dict[str, list[str]] = {"": [], "?": [], "-": []}
    at = 0
    while at < len(pattern):
        match = _TERM.match(pattern, at)
        if match is None:
            raise _refusal(f"Invalid filter pattern at character {at + 1}.")
        quoted = match["quoted"]
        terms[match["sign"]].append(match["word"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        at = match.end()
    return lambda message: _matches(message, terms[""], terms["?"], terms["-"])


def _matches(message: str, wanted: list[str], either: list[str], unwanted: list[str]) -> bool:
    if any(term in message for term in unwanted) or not all(term in message for term in wanted):
        return False
    return bool(wanted) or not either or any(term in message for term in either)


def _refusal(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)
