"""The constraints of a description, checked as the services check them and told in their words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from restframe.aws.wire.patterns import Pattern
from restframe.aws.wire.shapes import ShapeFunctions
from restframe.aws.wire.values import shown

_ENOUGH = 1000  # violations in one list or map, after which the rest of it is not looked at


@dataclass(frozen=True, slots=True)
class Violation:
    """A value that breaks a constraint.

    value : as it may be shown; None for one that is sensitive
    names : where it stands, from the outside in
    """

    value: str | None
    constraint: str
    names: tuple[str, ...] = ()

    def inside(self, *names: str) -> Violation:
        return Violation(self.value, self.constraint, names + self.names)

    def without_value(self) -> Violation:
        return self if self.value == "null" else Violation(None, self.constraint, self.names)

    @property
    def member(self) -> str:
        """The member of the input in which it stands."""
        return self.names[0] if self.names else ""

    @property
    def is_missing(self) -> bool:
        """Whether it is that member itself, and not there."""
        return self.value == "null" and len(self.names) == 1

    def __str__(self) -> str:
        # sql, clusterIdentifier, tags.1.member.key
        place = ".".join(name[:1].lower() + name[1:] for name in self.names)
        value = "" if self.value is None else f" {self.value}"
        return f"Value{value} at '{shown(place)}' failed to satisfy constraint: {self.constraint}"


# None or nothing: all is well
Check = Callable[[Any], "list[Violation] | None"]


class Checks(ShapeFunctions[Check]):
    """A check per shape; none for a shape without constraints."""

    def __init__(self) -> None:
        super().__init__(self._check)

    def _check(self, shape: Shape) -> Check | None:
        check = self._visible(shape)
        return _hidden(check) if check and shape.metadata.get("sensitive") else check

    def _visible(self, shape: Shape) -> Check | None:
        if isinstance(shape, StructureShape):
            return self._structure(shape)
        own = _own(shape)
        if isinstance(shape, ListShape):
            return _then(own, _items(self.inner(shape.member)))
        if isinstance(shape, MapShape):
            return _then(own, _entries(self.inner(shape.key), self.inner(shape.value)))
        return own

    def _structure(self, shape: StructureShape) -> Check | None:
        required = shape.required_members
        # what may be a stream is checked by whoever reads it
        payload = shape.serialization.get("payload")
        checked = [
            (name, self.inner(member))
            for name, member in shape.members.items()
            if name != payload or member.type_name != "blob"
        ]
        checks = {name: check for name, check in checked if check}
        if not required and not checks and not shape.is_tagged_union:
            return None
        missing = {name: Violation("null", "Member must not be null", (name,)) for name in required}
        union = shape.is_tagged_union

        def check(value: Any) -> list[Violation] | None:
            found = [violation for name, violation in missing.items() if name not in value]
            for name, item in value.items():
                member_check = checks.get(name)
                violations = member_check(item) if member_check else None
                if violations:
                    found += [violation.inside(name) for violation in violations]
            if union and len(value) != 1 and not shape.is_document_type:
                found.append(Violation(None, "Exactly one member must be set"))
            return found

        return check


def _then(own: Check | None, inside: Check | None) -> Check | None:
    """What is in a list or map of a size that is not allowed is not looked at."""
    if own is None or inside is None:
        return own or inside
    return lambda value: own(value) or inside(value)


def _items(check: Check | None) -> Check | None:
    if check is None:
        return None

    def check_items(values: Any) -> list[Violation] | None:
        found: list[Violation] = []
        for index, value in enumerate(values, 1):
            violations = check(value)
            if violations:
                found += [violation.inside(str(index), "member") for violation in violations]
                if len(found) >= _ENOUGH:
                    break
        return found

    return check_items


def _entries(key_check: Check | None, value_check: Check | None) -> Check | None:
    if key_check is None and value_check is None:
        return None

    def check(values: Any) -> list[Violation] | None:
        found: list[Violation] = []
        for key, value in values.items():
            violations = (key_check(key) if key_check else None) or []
            violations = violations + ((value_check(value) if value_check else None) or [])
            found += [violation.inside(shown(key)) for violation in violations]
            if len(found) >= _ENOUGH:
                break
        return found

    return check


def _own(shape: Shape) -> Check | None:
    """The constraints on the value itself, not on what is in it."""
    traits = shape.metadata
    rules: list[tuple[Callable[[Any], bool], str]] = []
    if shape.type_name in ("string", "blob", "list", "map"):
        rules = _lengths(traits)
    elif shape.type_name in ("integer", "long", "float", "double"):
        rules = _ranges(traits)
    if isinstance(shape, StringShape):
        rules += _texts(shape, traits)
    return _first_broken(rules) if rules else None


def _hidden(check: Check) -> Check:
    """The same without the values, of a shape that is sensitive, down to what is inside."""
    return lambda value: [violation.without_value() for violation in check(value) or ()]


def _first_broken(rules: list[tuple[Callable[[Any], bool], str]]) -> Check:
    def check(value: Any) -> list[Violation] | None:
        for holds, constraint in rules:
            # the rules of length come first, so that patterns see no endless texts
            if not holds(value):
                return [Violation(_shown_value(value), constraint)]
        return None

    return check


def _shown_value(value: Any) -> str | None:
    if isinstance(value, str):
        return f"'{shown(value)}'"
    return f"'{value}'" if isinstance(value, int | float) else None


def _lengths(traits: dict[str, Any]) -> list[tuple[Callable[[Any], bool], str]]:
    least, most = int(traits.get("min", 0)), traits.get("max")
    rules: list[tuple[Callable[[Any], bool], str]] = []
    if most is not None:
        longest = int(most)
        rules.append((lambda value: len(value) <= longest, f"Member must have length less than or equal to {longest}"))
    if least:
        rules.append((lambda value: len(value) >= least, f"Member must have length greater than or equal to {least}"))
    return rules


def _ranges(traits: dict[str, Any]) -> list[tuple[Callable[[Any], bool], str]]:
    rules: list[tuple[Callable[[Any], bool], str]] = []
    if "min" in traits:
        least = traits["min"]
        rules.append((lambda value: value >= least, f"Member must have value greater than or equal to {least}"))
    if "max" in traits:
        most = traits["max"]
        rules.append((lambda value: value <= most, f"Member must have value less than or equal to {most}"))
    return rules


def _texts(shape: StringShape, traits: dict[str, Any]) -> list[tuple[Callable[[Any], bool], str]]:
    rules: list[tuple[Callable[[Any], bool], str]] = []
    if shape.enum:
        allowed = frozenset(shape.enum)
        rules.append((allowed.__contains__, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"))
    if "pattern" in traits:
        pattern = Pattern(traits["pattern"])
        rules.append((pattern.holds, f"Member must satisfy regular expression pattern: {traits['pattern']}"))
    return rules
