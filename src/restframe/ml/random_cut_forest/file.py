"""A forest as bytes: a JSON header that anyone can read, then plain arrays.

    8 bytes      "restRCF" and a newline
    4 bytes      length of the header, little-endian
    header       JSON: version, fit()'s parameters, counts, sha256 of the payload
    payload      little-endian arrays without gaps, see _layout()

Trees stand in preorder with a mark at each leaf, which says by itself where each child is: there are no indices that
could point astray or in circles. Boxes are not kept; they follow from the leaves.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from restframe import errors
from restframe.ml.random_cut_forest.forest import (
    MOST_FEATURES,
    Forest,
    Parameters,
    Trees,
    check_parameters,
    leaf_points,
    rebuilt,
)
from restframe.ml.random_cut_forest.points import width_of
from restframe.ml.random_cut_forest.tables import Boxes

_MAGIC = b"restRCF\n"
_VERSION = 1
_LONGEST_HEADER = 4096
_PARAMETERS = ("num_trees", "num_samples_per_tree", "seed", "partition", "feature_count", "samples_per_tree")
_COUNTS = ("nodes", "leaves")

_Layout = list[tuple[str, str, tuple[int, ...]]]


def save(forest: Forest) -> bytes:
    """The forest as a file. The same forest gives the same bytes."""
    parameters, trees = forest.parameters, forest.trees
    leaves = trees.leaf_mass.size
    parts = {
        "shift": trees.shift,
        "scale": np.array([trees.scale]),
        "cut_dimension": trees.cut_dimension,
        "cut_value": trees.cut_value[forest.shape.is_cut],
        "leaf_mass": trees.leaf_mass,
        "leaf_points": leaf_points(forest),
    }
    layout = _layout(parameters.feature_count, trees.cut_dimension.size, leaves)
    payload = b"".join(np.ascontiguousarray(parts[name], dtype).tobytes() for name, dtype, _ in layout)
    header = {
        "format": "restframe random cut forest",
        "version": _VERSION,
        **{name: getattr(parameters, name) for name in _PARAMETERS},
        "nodes": trees.cut_dimension.size,
        "leaves": leaves,
        "sha256": hashlib.sha256(payload).hexdigest(),
    }
    text = json.dumps(header, indent=1).encode()
    return _MAGIC + len(text).to_bytes(4, "little") + text + payload


def load(data: bytes) -> Forest:
    """The forest that save() gave as bytes: it scores every point exactly as before.

    UnsafeArtifact for bytes that save() cannot have written. Nothing in them is run, and memory stays within a small
    multiple of their length.
    """
    if not data.startswith(_MAGIC):
        raise errors.UnsafeArtifact("this is not a random cut forest", detail="It begins with other bytes.")
    start = len(_MAGIC) + 4
    length = int.from_bytes(data[len(_MAGIC) : start], "little")
    if length > _LONGEST_HEADER or len(data) < start + length:
        raise _broken("its header is cut off")
    header = _header(data[start : start + length])
    parameters = Parameters(**{name: header[name] for name in _PARAMETERS})
    payload = memoryview(data)[start + length :]
    layout = _layout(parameters.feature_count, header["nodes"], header["leaves"])
    expected = sum(np.dtype(dtype).itemsize * math.prod(shape) for _, dtype, shape in layout)
    if len(payload) != expected:
        raise _broken(f"its header speaks of {expected} bytes, but {len(payload)} follow")
    if hashlib.sha256(payload).hexdigest() != header["sha256"]:
        raise _broken("its checksum is wrong")
    trees, points = _trees(payload, layout, parameters)
    try:
        forest = rebuilt(parameters, trees, points)
    except errors.DataError as error:
        raise _broken(error.message) from error
    _check_trees(forest)
    return forest


def _layout(features: int, nodes: int, leaves: int) -> _Layout:
    """Name, type and shape of each array of the payload, in order."""
    return [
        ("shift", "<f8", (features,)),
        ("scale", "<f8", (1,)),
        ("cut_dimension", "<i2", (nodes,)),
        ("cut_value", "<f4", (nodes - leaves,)),
        ("leaf_mass", "<u2", (leaves,)),
        ("leaf_points", "<f4", (leaves, features)),
    ]


def _header(text: bytes) -> dict[str, Any]:
    """The header, with every field there, of its type, and within its range."""
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _broken("its header is not JSON") from error
    if not isinstance(header, dict) or header.get("version") != _VERSION:
        raise _broken(f"its version is not {_VERSION}")
    for name in (*_PARAMETERS, *_COUNTS, "sha256"):
        kind = str if name in ("partition", "sha256") else int
        if type(header.get(name)) is not kind:
            raise _broken(f'its header has no proper "{name}"')
    try:
        check_parameters(header["num_trees"], header["num_samples_per_tree"], header["seed"], header["partition"])
    except errors.InvalidParameterValue as error:
        raise _broken(error.message) from error
    trees, leaves = header["num_trees"], header["leaves"]
    if not 1 <= header["feature_count"] <= MOST_FEATURES:
        raise _broken(f"it has not 1 to {MOST_FEATURES} features")
    if not 1 <= header["samples_per_tree"] <= header["num_samples_per_tree"]:
        raise _broken("it has more samples in a tree than it was to have")
    if not trees <= leaves <= trees * header["samples_per_tree"] or header["nodes"] != 2 * leaves - trees:
        raise _broken(f"{header['nodes']} nodes and {leaves} leaves do not make {trees} trees"[:100])
    return header


def _trees(payload: memoryview, layout: _Layout, parameters: Parameters) -> tuple[Trees, npt.NDArray[Any]]:
    """The trees and the points of their leaves, each array checked by itself."""
    parts: dict[str, npt.NDArray[Any]] = {}
    offset = 0
    for name, dtype, shape in layout:
        array = np.frombuffer(payload, dtype, math.prod(shape), offset).reshape(shape)
        parts[name] = array.astype(np.dtype(dtype).newbyteorder("="))
        offset += array.nbytes
    dimension, points = parts["cut_dimension"], parts["leaf_points"]
    is_cut = dimension >= 0
    if dimension.min() < -1 or dimension.max() >= parameters.feature_count:
        raise _broken("it cuts a feature that there is not")
    if is_cut.sum() != parts["cut_value"].size:
        raise _broken("its cuts and leaves are not as many as its header says")
    for name in ("shift", "scale", "cut_value", "leaf_points"):
        if not np.isfinite(parts[name]).all():
            raise _broken(f"{name} holds a value that is not a number")
    scale = float(parts["scale"][0])
    if scale <= 0 or points.min() < 0 or points.max() > 1:
        raise _broken("its points do not lie where they must")
    if parts["leaf_mass"].min() < 1 or parts["leaf_mass"].max() > parameters.samples_per_tree:
        raise _broken("its leaves do not hold the samples they must")
    cut_value = np.zeros(dimension.size, np.float32)
    cut_value[is_cut] = parts["cut_value"]
    return Trees(parts["shift"], scale, dimension, cut_value, parts["leaf_mass"]), points


def _check_trees(forest: Forest) -> None:
    """Whether the arrays fit together as growing leaves them."""
    trees, shape = forest.trees, forest.shape
    mass = np.add.reduceat(trees.leaf_mass.astype(np.int64), shape.first_leaf_of_tree[:-1])
    if (mass != forest.samples_per_tree).any():
        raise _broken("its trees do not hold the samples they must")
    cuts = np.flatnonzero(shape.is_cut)
    left, right, dimension = cuts + 1, shape.right[cuts], trees.cut_dimension[cuts]
    if isinstance(forest.tables, Boxes):
        place, boxes, j = forest.tables.place, forest.tables.boxes, dimension.astype(np.uintp)
        width = np.uintp(width_of(forest.feature_count))
        greatest = boxes[place[left] + j]
        least = boxes[place[right] + np.where(shape.is_cut[right], width, np.uintp(0)) + j]
    else:
        leaf_value = forest.tables.leaf[::2]
        greatest, least = leaf_value[shape.last_leaf[left]], leaf_value[shape.first_leaf[right]]
    value = trees.cut_value[cuts]
    if (greatest > value).any() or (least <= value).any():
        raise _broken("its cuts do not part its points")


def _broken(reason: str) -> errors.UnsafeArtifact:
    return errors.UnsafeArtifact("the random cut forest is damaged", detail=f"{reason[0].upper()}{reason[1:]}.")
