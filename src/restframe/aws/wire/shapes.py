"""Functions made once per shape of a description, by which reading, checking and writing need not look at it again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from botocore.model import Shape

F = TypeVar("F", bound=Callable[..., Any])


class ShapeFunctions(Generic[F]):
    """What `make` made of each shape; it asks `inner` for the functions of the shapes inside. Usable from any thread.

    make : gives None for a shape that needs no function
    """

    def __init__(self, make: Callable[[Shape], F | None]) -> None:
        self._make = make
        self._lock = threading.RLock()
        self._roots: dict[str, F | None] = {}
        self._made: dict[object, F | None] = {}
        self._making: set[object] = set()

    def of(self, shape: Shape) -> F | None:
        """The function of a shape from outside, such as a whole input; told apart by the name alone."""
        try:
            return self._roots[shape.name]
        except KeyError:
            with self._lock:
                # seen by other threads only when all within it is made too
                return self._roots.setdefault(shape.name, self.inner(shape))

    def inner(self, shape: Shape) -> F | None:
        """The function of a shape inside another; shapes may contain themselves."""
        traits = shape.serialization
        key = (shape.name, traits.get("flattened"), traits.get("timestampFormat"), traits.get("location"))
        with self._lock:
            if key in self._made:
                return self._made[key]
            if key in self._making:
                return self._later(key)
            self._making.add(key)
            self._made[key] = self._make(shape)
            self._making.discard(key)
            return self._made[key]

    def _later(self, key: object) -> F:
        def call(*arguments: Any) -> Any:
            function = self._made[key]
            return None if function is None else function(*arguments)

        return call  # type: ignore[return-value]
