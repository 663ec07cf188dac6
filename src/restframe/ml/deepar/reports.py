"""What training tells whoever watches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class EpochReport:
    """One epoch, counted from 0.

    loss : mean of the losses of its batches
    best : whether it is lower than that of every epoch before; the model is the weights of the last such epoch
    examples : windows learned from
    """

    epoch: int
    loss: float
    best: bool
    examples: int


class Observer(Protocol):
    """Whoever watches training, and may end it."""

    def batch(self, epoch: int, batch: int, loss: float, examples: int) -> None:
        """One batch is learned; both counted from 0."""
        ...

    def epoch(self, report: EpochReport) -> None: ...

    def stopping(self) -> bool:
        """Asked after every batch: whether training shall end, with the best model so far."""
        ...
