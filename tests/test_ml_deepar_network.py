"""The network before it has learned, and in half precision."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from restframe.ml.deepar import Configuration, fit
from restframe.ml.deepar.model import input_width, weight_shapes
from restframe.ml.deepar.network import Network, half_precision_works
from restframe.ml.forecasting.series import Series

CONFIGURATION = Configuration(
    context_length=8, prediction_length=4, epochs=2, time_freq="M", cardinality=(3, 1, 40), num_cells=6, num_layers=2,
    mini_batch_size=8,
)  # fmt: skip
SERIES = [Series(np.datetime64("2010-01-01", "s"), 5.0 + np.arange(80.0) % 12, (i, 0, i)) for i in range(3)]


def network_of(configuration: Configuration = CONFIGURATION) -> Network:
    return Network(configuration, torch.Generator().manual_seed(0))


def inputs_of(configuration: Configuration = CONFIGURATION, count: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    width = input_width(configuration) - sum((3, 10))
    return torch.randn((12, count, width), generator=generator), torch.zeros((count, 3), dtype=torch.int64)


def test_an_embedding_is_as_wide_as_it_can_be_of_use() -> None:
    shapes = weight_shapes(CONFIGURATION)
    assert shapes["embedding.0"] == (3, 3)
    assert "embedding.1" not in shapes  # one group says nothing
    assert shapes["embedding.2"] == (40, 10)
    assert {name: array.shape for name, array in network_of().weights().items()} == shapes


def test_it_begins_with_the_autoregression_and_its_noise() -> None:
    network = network_of()
    lags = np.linspace(0.3, -0.1, weight_shapes(CONFIGURATION)["skip.weight"][0]).astype(np.float32)
    network.start(lags, 0.05)
    inputs, categories = inputs_of()
    with torch.no_grad():
        output = network(inputs, categories, half=False)
    expected = inputs[:, :, : lags.size] @ torch.from_numpy(lags)
    assert (output[:, :, 0] - expected).abs().max() < 0.1
    assert torch.nn.functional.softplus(output[:, :, 1]).mean() == pytest.approx(0.05, rel=0.1)


def test_dropout_keeps_the_mean_and_one_mask_for_all_steps() -> None:
    network = network_of(dataclasses.replace(CONFIGURATION, dropout_rate=0.5))
    mask = network._mask(torch.ones(12, 4000, 6))
    assert mask.shape == (1, 4000, 6)
    assert sorted(set(mask.flatten().tolist())) == [0.0, 2.0]
    assert float(mask.mean()) == pytest.approx(1.0, abs=0.03)


def test_half_precision_says_nearly_the_same() -> None:
    if not half_precision_works():
        pytest.skip("the processor does not multiply bfloat16")
    network = network_of(dataclasses.replace(CONFIGURATION, dropout_rate=0.0))
    inputs, categories = inputs_of()
    with torch.no_grad():
        half, single = (network(inputs, categories, half=half) for half in (True, False))
    assert half.dtype == single.dtype == torch.float32
    assert 0 < (half - single).abs().max() < 0.05


def test_half_precision_is_for_processors_that_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    assert not half_precision_works()
    assert np.isfinite(fit(SERIES, CONFIGURATION).loss)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)

    def refuses(*_: Any, **__: Any) -> None:
        raise RuntimeError("could not create a primitive descriptor")

    monkeypatch.setattr(torch.nn.LSTM, "forward", refuses)
    assert not half_precision_works()  # has it, and torch cannot use it
