"""The values of configuration parameters: what SET changes and SHOW prints."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping

from restframe import errors
from restframe.warehouse.configuration import VARIABLES, known_name

# Values, and those that are otherwise outside the open transaction.
Saved = tuple[dict[str, str], dict[str, str | None]]


class Variables:
    """One session's values. Like all a transaction does, a SET inside it is undone by its ROLLBACK."""

    def __init__(self, given: Mapping[str, str]) -> None:
        """given : what the values are at first, and after RESET; what cannot be one is passed over"""
        self._first = {name: variable.default for name, variable in VARIABLES.items()}
        self._values = dict(self._first)
        self._outside: dict[str, str | None] = {}  # what the open transaction has set for itself is otherwise
        for name, value in given.items():
            with contextlib.suppress(errors.Error):
                self.set(name, value)
        self._first = dict(self._values)
        self._before = dict(self._values)

    # Transactions

    def begin(self) -> None:
        self._before = dict(self._values)
        self.set("transaction_read_only", self._values["default_transaction_read_only"], local=True)

    def commit(self) -> bool:
        """What was set for the transaction only is over; whether that changed anything."""
        before = self._values
        self._values = dict(self._values)
        for name, value in self._outside.items():
            if value is None:
                del self._values[name]
            else:
                self._values[name] = value
        self._outside.clear()
        return self._values != before

    def rollback(self) -> bool:
        """Whether that changed anything."""
        changed = self._values != self._before
        self._values = dict(self._before)
        self._outside.clear()
        return changed

    def saved(self) -> Saved:
        """What the values are now, for `restore` later in the same transaction or one begun in its place."""
        return dict(self._values), dict(self._outside)

    def restore(self, saved: Saved) -> None:
        self._values, self._outside = dict(saved[0]), dict(saved[1])

    # Values

    def __getitem__(self, name: str) -> str:
        """UndefinedObject for one that is not there."""
        name = known_name(name)
        if name not in self._values:
            raise errors.UndefinedObject(f'unrecognized configuration parameter "{name[:100]}"')
        return self._values[name]

    def several(self, names: Iterable[str]) -> tuple[str, ...]:
        """Values by the parameters' proper names: doors ask for some after every statement."""
        values = self._values
        return tuple([values[name] for name in names])

    def set(self, name: str, value: str, *, local: bool = False) -> None:
        """local : for the open transaction only

        UndefinedObject, InvalidParameterValue; the latter too for what cannot be changed.
        """
        name = known_name(name)
        variable = VARIABLES.get(name)
        if variable is not None:
            value = _checked(name, value)
        elif name not in self._values and len(self._values) >= _MOST_VALUES:
            raise errors.InvalidParameterValue(f"more than {_MOST_VALUES} configuration parameters")
        if local:
            self._outside.setdefault(name, self._values.get(name))
        else:
            self._outside.pop(name, None)
        self._values[name] = value

    def reset(self, name: str) -> None:
        name = known_name(name)
        if name in self._first:
            self._values[name] = self._first[name]
        else:
            self._values.pop(name, None)
        self._outside.pop(name, None)

    def reset_all(self) -> None:
        self._values = self._first | {name: self._values[name] for name in _OF_THE_TRANSACTION}
        self._outside.clear()

    def show_as(self, **shown: str) -> None:
        """What read-only parameters say, without anybody setting them."""
        self._values |= shown
        self._first |= shown
        self._before |= shown

    def all(self) -> list[tuple[str, str]]:
        return sorted(self._values.items())

    def read_only(self, *, in_transaction: bool) -> bool:
        """Whether the open transaction, or else the next one, may change nothing."""
        return self._values["transaction_read_only" if in_transaction else "default_transaction_read_only"] == "on"

    @property
    def search_path(self) -> tuple[str, ...]:
        """The schemas SET search_path named, unquoted; `$user` among them stands for the user's own."""
        return tuple(filter(None, map(_unquoted, _NAME.findall(self._values["search_path"]))))

    @property
    def statement_timeout_s(self) -> float | None:
        milliseconds = int(self._values["statement_timeout"])
        return milliseconds / 1000 if milliseconds else None


def check_value(name: str, value: str | None) -> tuple[str, str | None]:
    """A parameter's proper name, and a value for it as SHOW prints it. UndefinedObject, InvalidParameterValue."""
    name = known_name(name)
    if value is None or name not in VARIABLES:
        return name, value
    return name, _checked(name, value)


def _checked(name: str, value: str) -> str:
    variable = VARIABLES[name]
    if variable.read_only:
        if value.lower() == variable.default.lower():
            return variable.default
        raise errors.InvalidParameterValue(f'parameter "{name}" cannot be changed')
    try:
        return variable.check(value)
    except ValueError as error:
        raise errors.InvalidParameterValue(
            f'invalid value for parameter "{name}": "{value[:100]}"', hint=f"The value must be {error}."
        ) from error


# Of a list: in quotes, of which two are one inside, or up to the next comma.
_NAME = re.compile(r"""\s*("(?:[^"]|"")*"|'(?:[^']|'')*'|[^,]+)""")


def _unquoted(name: str) -> str:
    name = name.strip()
    quote = name[:1]
    if quote in ("'", '"') and name.endswith(quote):
        name = name[1:-1].replace(quote * 2, quote)
    return name.lower()


_MOST_VALUES = 1_000
_OF_THE_TRANSACTION = ("transaction_isolation", "transaction_read_only")
