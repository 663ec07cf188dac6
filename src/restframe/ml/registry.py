"""The algorithms there are, by our own name and by the name of SageMaker's training image."""

from __future__ import annotations

import re
from collections.abc import Iterable

from restframe import errors
from restframe.ml.algorithm import Algorithm
from restframe.ml.containers.deepar import DEEPAR
from restframe.ml.containers.forecast import FORECAST
from restframe.ml.containers.random_cut_forest import RANDOM_CUT_FOREST

ALGORITHMS: tuple[Algorithm, ...] = (RANDOM_CUT_FOREST, DEEPAR, FORECAST)

# The account and the region of the registry differ from place to place and are not looked at.
_IMAGE = re.compile(r"(?:[\w.-]+(?::\d+)?/)*(?P<repository>[\w.-]+)(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?")


def find(name: str) -> Algorithm:
    """The algorithm called `random_cut_forest`, `randomcutforest` or `<registry>/randomcutforest:1`.

    UndefinedObject, with those there are, for another name.
    """
    match = _IMAGE.fullmatch(name)
    for algorithm in ALGORITHMS:
        if match is not None and match["repository"] in (algorithm.name, algorithm.image):
            return algorithm
    known = ", ".join(f"{algorithm.name} (image {algorithm.image})" for algorithm in ALGORITHMS)
    raise errors.UndefinedObject(f'there is no algorithm for "{name[:200]}"', hint=f"There are: {known}.")


def is_image(name: str) -> bool:
    """Whether an algorithm is meant by its image, so that SageMaker's rules hold to the letter."""
    return name != find(name).name


def recognise(files: Iterable[str]) -> Algorithm:
    """The algorithm whose artefact has these files; DataError when none has."""
    names = set(files)
    for algorithm in ALGORITHMS:
        if algorithm.model_file in names:
            return algorithm
    raise errors.DataError(
        "the artefact is none of ours",
        detail=f"It holds {', '.join(sorted(names))[:300]}.",
        hint="Serve it by its own container and register that as an endpoint.",
    )
