"""The file of a forest: everything comes back, and bytes that fit() did not make are refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe import errors
from restframe.ml.random_cut_forest import Forest, attribution, fit, load, save, score

Array = np.ndarray[Any, Any]


def forest_of(features: int) -> Forest:
    points = np.random.default_rng(features).integers(0, 30, (400, features))
    return fit(points * 0.1, 6, 40, seed=features, partition="random")


@pytest.mark.parametrize("features", [1, 2, 16, 33])
def test_a_forest_comes_back_whole(features: int) -> None:
    forest = forest_of(features)
    data = save(forest)
    again = load(data)
    assert again.parameters == forest.parameters
    assert again.node_counts == forest.node_counts
    assert again.depths == forest.depths
    assert save(again) == data
    points = np.random.default_rng(0).random((500, features)) * 4
    np.testing.assert_array_equal(score(again, points), score(forest, points))
    np.testing.assert_array_equal(attribution(again, points), attribution(forest, points))


def test_the_file_says_what_it_is() -> None:
    data = save(fit(np.arange(1000.0), 5, 100, seed=7))
    header, payload = taken_apart(data)
    assert header == {
        "format": "restframe random cut forest", "version": 1, "num_trees": 5, "num_samples_per_tree": 100, "seed": 7,
        "partition": "sagemaker", "feature_count": 1, "samples_per_tree": 100, "nodes": 995, "leaves": 500,
        "sha256": hashlib.sha256(payload).hexdigest(),
    }  # fmt: skip
    # shift and scale; 995 cut dimensions; 495 cuts; 500 masses and points
    assert len(payload) == 8 + 8 + 995 * 2 + 495 * 4 + 500 * 2 + 500 * 4


def taken_apart(data: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(data[8:12], "little")
    return json.loads(data[12 : 12 + length]), data[12 + length :]


def put_together(header: Any, payload: bytes) -> bytes:
    text = json.dumps(header).encode()
    return b"restRCF\n" + len(text).to_bytes(4, "little") + text + payload


def refused(data: bytes) -> str:
    with pytest.raises(errors.UnsafeArtifact) as caught:
        load(data)
    assert len(str(caught.value)) + len(caught.value.detail or "") < 300
    return caught.value.detail or ""


DATA = save(forest_of(2))


def test_other_bytes_are_no_forest() -> None:
    for data in (b"", b"PK\x03\x04", b"\x80\x04\x95", b"restRCF", DATA[1:], b"x" * 5000):
        assert refused(data) == "It begins with other bytes."


def test_a_file_cut_off_anywhere_is_refused() -> None:
    for length in range(8, len(DATA), 7):
        refused(DATA[:length])
    refused(DATA + b"\0")
    assert refused(b"restRCF\n" + b"\xff" * 4 + DATA[12:]) == "Its header is cut off."
    assert refused(b"restRCF\n\x00\x10\x00\x00" + b"[" * 4096) == "Its header is not JSON."


def test_every_flipped_byte_of_the_payload_is_noticed() -> None:
    _, payload = taken_apart(DATA)
    for place in range(len(DATA) - len(payload), len(DATA), 11):
        damaged = bytearray(DATA)
        damaged[place] ^= 0x40
        assert refused(bytes(damaged)) == "Its checksum is wrong."


HEADER_FAULTS: list[tuple[dict[str, Any], str | None]] = [
    ({"version": 2}, "Its version is not 1."),
    ({"num_trees": 0}, "Num_trees is 0, not within 1..1000."),
    ({"num_trees": 7}, "464 nodes and 235 leaves do not make 7 trees."),
    ({"num_trees": True}, 'Its header has no proper "num_trees".'),
    ({"num_trees": "6"}, 'Its header has no proper "num_trees".'),
    ({"num_samples_per_tree": 10**6}, "Num_samples_per_tree is 1000000, not within 1..2048."),
    ({"samples_per_tree": 41}, "It has more samples in a tree than it was to have."),
    ({"seed": -1}, "Seed is -1, not within 0..9223372036854775807."),
    ({"partition": "x" * 3000}, None),
    ({"feature_count": 0}, "It has not 1 to 10000 features."),
    ({"feature_count": 10**18}, "It has not 1 to 10000 features."),
    ({"feature_count": 3}, None),
    ({"leaves": 10**18, "nodes": 2 * 10**18 - 6}, None),
    ({"leaves": -1, "nodes": -8}, None),
    ({"sha256": "0" * 64}, "Its checksum is wrong."),
    ({"sha256": None}, 'Its header has no proper "sha256".'),
]


@pytest.mark.parametrize(("change", "reason"), HEADER_FAULTS)
def test_a_header_that_cannot_be_is_refused(change: dict[str, Any], reason: str | None) -> None:
    header, payload = taken_apart(DATA)
    found = refused(put_together(header | change, payload))
    assert reason is None or found == reason


def test_a_header_without_a_field_is_refused() -> None:
    header, payload = taken_apart(DATA)
    for name in set(header) - {"format"}:
        refused(put_together({k: v for k, v in header.items() if k != name}, payload))
    for other in ([], "restframe", None, 1):
        refused(put_together(other, payload))


LAYOUT = [("shift", "<f8", 2), ("scale", "<f8", 1), ("cut_dimension", "<i2", 464), ("cut_value", "<f4", 229),
          ("leaf_mass", "<u2", 235), ("leaf_points", "<f4", 470)]  # fmt: skip


def changed(change: Callable[[dict[str, Array]], None]) -> bytes:
    """The file with other arrays, and a checksum that is right."""
    header, payload = taken_apart(DATA)
    arrays, offset = {}, 0
    for name, dtype, count in LAYOUT:
        arrays[name] = np.frombuffer(payload, dtype, count, offset).copy()
        offset += arrays[name].nbytes
    assert offset == len(payload)
    change(arrays)
    payload = b"".join(arrays[name].tobytes() for name, _, _ in LAYOUT)
    return put_together(header | {"sha256": hashlib.sha256(payload).hexdigest()}, payload)


def set_to(name: str, value: float, where: Any = 0) -> Callable[[dict[str, Array]], None]:
    def change(arrays: dict[str, Array]) -> None:
        arrays[name][where] = value

    return change


def move_a_sample(arrays: dict[str, Array]) -> None:
    mass = arrays["leaf_mass"]
    mass[0] += 1
    mass[-1] += 1


def reverse_the_nodes(arrays: dict[str, Array]) -> None:
    arrays["cut_dimension"][:] = arrays["cut_dimension"][::-1]


def leaf_first(arrays: dict[str, Array]) -> None:
    arrays["cut_dimension"][:-1] = arrays["cut_dimension"][1:].copy()
    arrays["cut_dimension"][-1] = 0


def swap_points(arrays: dict[str, Array]) -> None:
    points = arrays["leaf_points"].reshape(-1, 2)
    points[[0, 20]] = points[[20, 0]]


PAYLOAD_FAULTS: list[tuple[Callable[[dict[str, Array]], None], str]] = [
    (set_to("cut_dimension", 2), "It cuts a feature that there is not."),
    (set_to("cut_dimension", -2), "It cuts a feature that there is not."),
    (set_to("cut_dimension", -1), "Its cuts and leaves are not as many as its header says."),
    (reverse_the_nodes, "The nodes are not 6 whole trees."),
    (leaf_first, "The nodes are not 6 whole trees."),
    (set_to("cut_value", np.nan), "Cut_value holds a value that is not a number."),
    (set_to("cut_value", 2.0), "Its cuts do not part its points."),
    (set_to("cut_value", -1.0), "Its cuts do not part its points."),
    (swap_points, "Its cuts do not part its points."),
    (set_to("leaf_points", np.inf), "Leaf_points holds a value that is not a number."),
    (set_to("leaf_points", 1.5), "Its points do not lie where they must."),
    (set_to("leaf_points", -0.5), "Its points do not lie where they must."),
    (set_to("shift", np.nan), "Shift holds a value that is not a number."),
    (set_to("scale", 0.0), "Its points do not lie where they must."),
    (set_to("leaf_mass", 0), "Its leaves do not hold the samples they must."),
    (set_to("leaf_mass", 65535), "Its leaves do not hold the samples they must."),
    (move_a_sample, "Its trees do not hold the samples they must."),
]


@pytest.mark.parametrize(("change", "reason"), PAYLOAD_FAULTS)
def test_arrays_that_cannot_be_are_refused(change: Callable[[dict[str, Array]], None], reason: str) -> None:
    assert refused(changed(change)) == reason


def test_the_scene_of_the_faults_is_sound() -> None:
    assert load(changed(lambda arrays: None)).node_counts == forest_of(2).node_counts


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_whatever_bytes_come_they_load_or_are_refused(data: st.DataObject) -> None:
    header, payload = taken_apart(DATA)
    damaged = bytearray(payload)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    name = data.draw(st.sampled_from(["seed", "samples_per_tree", "num_trees", "feature_count", "nodes", "leaves"]))
    header[name] = data.draw(st.sampled_from([header[name], 0, 1, 2, 3, 2**31, 2**63]))
    header["sha256"] = hashlib.sha256(damaged).hexdigest()
    try:
        forest = load(put_together(header, bytes(damaged)))
    except errors.UnsafeArtifact:
        return
    assert np.isfinite(score(forest, np.array([[0.0, 0.0], [1.0, 2.0]]))).all()
