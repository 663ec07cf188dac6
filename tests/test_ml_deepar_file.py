"""A model's files: everything comes back, and files that save() did not make are refused and run nothing."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pickle
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load as arrays_of
from safetensors.numpy import save as bytes_of

from restframe import errors
from restframe.ml.deepar import Asked, Configuration, fit, load, save
from restframe.ml.forecasting.series import Series

WEIGHTS, HEADER = "model.safetensors", "deepar.json"
SERIES = tuple(
    Series(np.datetime64("2024-01-01", "s"), 5.0 + np.arange(40.0) % 7, (i,), np.ones((1, 45), np.float32))
    for i in range(2)
)
CONFIGURATION = Configuration(
    context_length=7, prediction_length=5, epochs=1, time_freq="D", cardinality=(2,), num_dynamic_feat=1,
    early_stopping_patience=4, mini_batch_size=8, num_cells=4, num_layers=2,
)  # fmt: skip


@cache
def files() -> dict[str, bytes]:
    return save(fit(SERIES, CONFIGURATION))


def header() -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(files()[HEADER])
    return fields


def with_header(**changes: Any) -> dict[str, bytes]:
    return files() | {HEADER: json.dumps(header() | changes).encode()}


def with_weights(weights: bytes) -> dict[str, bytes]:
    """Weights that the header vouches for."""
    return {WEIGHTS: weights} | {HEADER: with_header(sha256=hashlib.sha256(weights).hexdigest())[HEADER]}


def with_arrays(change: Callable[[dict[str, Any]], object]) -> dict[str, bytes]:
    arrays = arrays_of(files()[WEIGHTS])
    change(arrays)
    return with_weights(bytes_of(arrays))


def test_a_model_comes_back_whole() -> None:
    model = fit(SERIES, CONFIGURATION)
    again = load(save(model))
    assert again.configuration == CONFIGURATION
    assert (again.epoch, again.loss) == (model.epoch, model.loss)
    assert save(again) == save(model)
    question = Asked(SERIES, samples=9, seed=3)
    np.testing.assert_array_equal(*(one.sample([question])[0] for one in (model, again)))


def test_a_model_without_categories_features_or_patience_comes_back() -> None:
    plain = dataclasses.replace(CONFIGURATION, cardinality=(), num_dynamic_feat=0, early_stopping_patience=None)
    saved = save(fit(SERIES, plain))
    assert load(saved).configuration == plain
    assert save(load(saved)) == saved


def test_the_header_says_what_the_model_is() -> None:
    fields = header()
    assert fields["format"] == "restframe deepar"
    assert fields["version"] == 1
    assert fields["configuration"]["time_freq"] == "D"
    assert fields["sha256"] == hashlib.sha256(files()[WEIGHTS]).hexdigest()


@pytest.mark.parametrize("name", [WEIGHTS, HEADER])
def test_both_files_are_needed(name: str) -> None:
    with pytest.raises(errors.DataError, match=f'the artefact has no "{name}"'):
        load({other: data for other, data in files().items() if other != name})


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([WEIGHTS, HEADER]), st.data())
def test_damaged_bytes_are_refused_or_change_nothing(name: str, data: st.DataObject) -> None:
    damaged = bytearray(files()[name])
    place = data.draw(st.integers(0, len(damaged) - 1))
    damaged[place] ^= data.draw(st.integers(1, 255))
    try:
        model = load(files() | {name: bytes(damaged)})
    except errors.DataError:
        return
    assert name == HEADER  # a digit of a number that is a possible one, in the header alone
    assert np.isfinite(model.sample([Asked(SERIES, 2, 0)])[0]).all()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"[" * 100_000, b"\xff\xfe", pickle.dumps({"a": 1})])
def test_a_header_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(errors.DataError, match="damaged"):
        load(files() | {HEADER: data})


def test_a_header_that_is_too_long_is_not_parsed() -> None:
    with pytest.raises(errors.DataError, match="damaged"):
        load(files() | {HEADER: files()[HEADER] + b" " * 10_000_000})


def test_another_version_is_named() -> None:
    with pytest.raises(errors.DataError, match="another version"):
        load(with_header(version=2))


@pytest.mark.parametrize(
    "change",
    [
        {"num_cells": 10**9}, {"num_cells": 5}, {"num_cells": 4.0}, {"num_cells": True}, {"num_cells": "4"},
        {"num_layers": 10**6}, {"cardinality": [10**9]}, {"cardinality": ["2"]}, {"cardinality": 2},
        {"likelihood": "os.system"}, {"time_freq": "Q"}, {"time_freq": "H"}, {"context_length": -1},
        {"early_stopping_patience": "4"}, {"learning_rate": float("nan")}, {"embedding_dimension": None}, {"more": 1},
    ],
)  # fmt: skip
def test_hyper_parameters_that_are_not_its_own_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(errors.DataError, match="damaged"):
        load(with_header(configuration=header()["configuration"] | change))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"cardinality": [1_000_000] * 20}, "weights"),
        ({"num_cells": 2000, "num_layers": 20}, "weights"),
        ({"context_length": 100_000, "num_dynamic_feat": 10_000}, "inputs"),
        ({"context_length": 40_000, "num_cells": 200}, "multiplications"),
    ],
)
def test_a_network_that_nobody_has_memory_or_time_for_is_not_loaded(change: dict[str, Any], what: str) -> None:
    with pytest.raises(errors.DataError) as caught:
        load(with_header(configuration=header()["configuration"] | change))
    assert what in str(caught.value.__cause__)


@pytest.mark.parametrize(
    "change",
    [
        {"feature_mean": []}, {"feature_mean": [float("inf")]}, {"feature_spread": [0.0]}, {"log_size": "x"},
        {"log_size": float("nan")}, {"calendar_used": [[1.0]]}, {"calendar_used": None}, {"log_size_spread": -1},
    ],
)  # fmt: skip
def test_statistics_that_make_no_sense_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(errors.DataError, match="damaged"):
        load(with_header(statistics=header()["statistics"] | change))


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: arrays.pop("head.bias"),
        lambda arrays: arrays.update(more=np.zeros(1, np.float32)),
        lambda arrays: arrays.update({"head.bias": np.zeros(4, np.float32)}),
        lambda arrays: arrays.update({"head.bias": np.zeros(3, np.float64)}),
        lambda arrays: arrays.update({"head.bias": np.full(3, np.nan, np.float32)}),
    ],
)
def test_weights_that_are_not_the_network_s_are_refused(change: Any) -> None:
    with pytest.raises(errors.DataError, match="damaged"):
        load(with_arrays(change))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * 8,  # a header of 2**64 bytes
        b"\x08\x00\x00\x00\x00\x00\x00\x00" + b"{}      ",
        (lambda text: len(text).to_bytes(8, "little") + text)(
            b'{"head.bias":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}'
        ),
        pickle.dumps({"head.bias": 1}),
    ],
)
def test_a_file_of_weights_that_lies_is_refused(data: bytes) -> None:
    with pytest.raises(errors.DataError, match="damaged"):
        load(with_weights(data))
