"""Arrays in files, whole or not at all; and a folder where a long forecast keeps the parts of it that are finished."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from restframe_epidemic.panel import FloatArray

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]  # done, of how many
_SUFFIX = ".parts"
_FORGOTTEN_S = 2 * 86_400  # after which nobody goes on with a forecast
_UNUSED_S = 60 * 86_400  # after which nobody takes one that is finished: that of a later correction is another one


def _nobody(done: int, of: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """Of one forecast: the folder is named after all that its parts depend on.

    progress : called with (places done, all places)
    """

    folder: Path
    progress: Progress = _nobody

    def read(self, name: str, shape: tuple[int, ...]) -> FloatArray | None:
        return read(self.folder / f"{name}.npy", shape)

    def write(self, name: str, values: FloatArray) -> None:
        self.folder.mkdir(exist_ok=True)
        write(self.folder / f"{name}.npy", values)


def of(folder: Path, name: str, progress: Progress | None = None) -> Parts:
    """In a folder of others."""
    return Parts(folder / f"{name}{_SUFFIX}", progress or _nobody)


def forget(folder: Path) -> None:
    """Remove parts to which nothing was added for two days, and what nobody has written or taken for two months."""
    for old in folder.glob(f"*{_SUFFIX}"):
        if time.time() - old.stat().st_mtime > _FORGOTTEN_S:
            shutil.rmtree(old, ignore_errors=True)
    for finished in folder.glob("*.npy"):
        if time.time() - finished.stat().st_mtime > _UNUSED_S:
            finished.unlink(missing_ok=True)


def read(path: Path, shape: tuple[int, ...]) -> FloatArray | None:
    """None when it is not there, or damaged: a disk that lost its power may keep a name and lose what it named."""
    try:
        with path.open("rb") as file:
            values: FloatArray = np.lib.format.read_array(file, allow_pickle=False)
        if values.shape != shape or values.dtype != np.float64:
            raise ValueError(f"an array of {values.dtype} {values.shape}, not of {shape}")
    except FileNotFoundError:
        return None
    except (EOFError, MemoryError, OSError, ValueError) as error:
        logger.warning("%s is damaged and made anew: %s", path.name, error)
        return None
    return values


def write(path: Path, values: FloatArray) -> None:
    """Beside it first, so that what bears the name is whole."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as file:
        np.save(file, values)
    beside.replace(path)
