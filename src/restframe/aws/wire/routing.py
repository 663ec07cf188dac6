"""Finding a REST operation by method, address and what else the request must have.

Templates as in `/{Bucket}/{Key+}?uploads`: {x} is one segment, {x+} all that is left, and what stands behind the
question mark must be in the request. https://smithy.io/2.0/spec/http-bindings.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from botocore.model import OperationModel

from restframe.aws.http import Headers
from restframe.aws.wire.values import Unreadable, shown

_LABEL = re.compile(r"\{([^}+]+)(\+?)\}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One operation at a path.

    constants : what the query must say, None for a key that may have any value
    keys : of the query, required by members of the input
    headers : required by members of the input
    takes : all keys of the query that mean something to the operation
    """

    operation: OperationModel
    constants: tuple[tuple[str, str | None], ...]
    keys: tuple[str, ...]
    headers: tuple[str, ...]
    takes: frozenset[str]

    def is_meant(self, query: Mapping[str, list[str]]) -> bool:
        return all(key in query and value in (None, query[key][0]) for key, value in self.constants)

    def missing(self, query: Mapping[str, list[str]], headers: Headers) -> list[str]:
        """What the operation cannot do without."""
        return [key for key in self.keys if key not in query] + [name for name in self.headers if name not in headers]


@dataclass(frozen=True, slots=True)
class Found:
    """labels : of the template, decoded
    missing : what the request should have, and has not, for the operation it is meant for
    strange : keys of the query that mean something, but not to this operation, and such without a value that mean
        nothing at all
    """

    operation: OperationModel
    labels: Mapping[str, str]
    missing: list[str]
    strange: list[str]


class Routes:
    """All operations of a service, by method and path."""

    def __init__(self, operations: Iterable[OperationModel]) -> None:
        self._rules: dict[tuple[str, str], list[Rule]] = {}
        for operation in operations:
            path, _, query = operation.http["requestUri"].partition("?")
            self._rules.setdefault((operation.http["method"], path), []).append(_rule(operation, query))
        for rules in self._rules.values():
            # of two that fit the one that asks for more, and not the one that is given up for a newer
            rules.sort(key=lambda rule: (-len(rule.constants), -len(rule.keys) - len(rule.headers), _old(rule)))
        self._keys = {place: frozenset().union(*(rule.takes for rule in rules)) for place, rules in self._rules.items()}
        paths = {path for _, path in self._rules}
        # the most literal text first, then the longest
        ordered = sorted(paths, key=lambda path: (-len(_LABEL.sub("", path).strip("/")), -len(path)))
        self._paths = [(path, _compile(path)) for path in ordered]

    def find(self, method: str, path: str, query: Mapping[str, list[str]], headers: Headers) -> Found | None:
        """The operation that a request is meant for. path : percent-encoded"""
        for template, pattern in self._paths:
            rules = self._rules.get((method, template))
            found = pattern.fullmatch(path) if rules else None
            rule = _meant(rules, query, headers) if rules and found else None
            if rule and found:
                labels = {name: percent_decode(value) for name, value in found.groupdict().items()}
                known = self._keys[method, template]
                strange = [key for key in query if key not in rule.takes and (key in known or not query[key][0])]
                return Found(rule.operation, labels, rule.missing(query, headers), strange)
        return None


def _old(rule: Rule) -> bool:
    """GetBucketLifecycle, which is now GetBucketLifecycleConfiguration"""
    return bool(rule.operation.deprecated)


def _meant(rules: list[Rule], query: Mapping[str, list[str]], headers: Headers) -> Rule | None:
    """Of the rules that the query speaks of most clearly the first that lacks nothing, or else the last.

    So `PUT ?tagging` without what that needs is never taken for a PUT of the object itself.
    """
    meant = [rule for rule in rules if rule.is_meant(query)]
    clearest = [rule for rule in meant if len(rule.constants) == len(meant[0].constants)]
    named = [rule for rule in clearest if rule.constants]
    return next((rule for rule in clearest if not rule.missing(query, headers)), named[-1] if named else None)


def _rule(operation: OperationModel, query: str) -> Rule:
    constants = []
    for pair in query.split("&") if query else ():
        key, equals, value = pair.partition("=")
        constants.append((key, value if equals else None))
    shape = operation.input_shape
    required = [(name, shape.members[name]) for name in shape.required_members] if shape else []
    located = [(m.serialization.get("location"), m.serialization.get("name", name)) for name, m in required]
    members = shape.members.items() if shape else ()
    keys = {
        m.serialization.get("name", name) for name, m in members if m.serialization.get("location") == "querystring"
    }
    return Rule(
        operation,
        tuple(constants),
        tuple(name for location, name in located if location == "querystring"),
        tuple(name.lower() for location, name in located if location == "header"),
        frozenset(keys | {key for key, _ in constants}),
    )


def _compile(path: str) -> re.Pattern[str]:
    """A trailing slash makes no difference, except in what {x+} takes."""
    pattern = ""
    end = 0
    for label in _LABEL.finditer(path):
        pattern += re.escape(path[end : label.start()])
        pattern += f"(?P<{label[1]}>{'.+' if label[2] else '[^/]+'})"
        end = label.end()
    pattern += re.escape(path[end:].rstrip("/"))
    greedy = path.endswith("+}")
    return re.compile(pattern if greedy else f"{pattern}/?", re.DOTALL)


def percent_decode(text: str) -> str:
    """Once, as UTF-8; a plus stays a plus."""
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"'{shown(text)}' is not valid UTF-8") from error


def read_query(query: str) -> dict[str, list[str]]:
    """The values of each key of a query string, decoded; a key without `=` has an empty value."""
    result: dict[str, list[str]] = {}
    for pair in query.split("&"):
        if pair:
            key, _, value = pair.partition("=")
            result.setdefault(percent_decode(key.replace("+", " ")), []).append(percent_decode(value.replace("+", " ")))
    return result
