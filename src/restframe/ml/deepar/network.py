"""The network to be trained: stacked LSTMs over lagged targets, and a head with the distribution's parameters."""

from __future__ import annotations

import math
from contextlib import nullcontext

import torch
from torch import Tensor, nn

from restframe.ml.deepar.configuration import Configuration
from restframe.ml.deepar.model import Floats, weight_shapes


class Network(nn.Module):
    """Weights as weight_shapes() names them, but for the second bias that torch's LSTM has, which stays 0."""

    def __init__(self, configuration: Configuration, generator: torch.Generator) -> None:
        super().__init__()
        self._dropout = configuration.dropout_rate
        self._generator = generator
        self._likelihood = configuration.likelihood
        shapes, cells = weight_shapes(configuration), configuration.num_cells
        self.embeddings = nn.ParameterDict(
            {
                name.split(".")[1]: torch.randn(shape, generator=generator) * 0.1
                for name, shape in shapes.items()
                if name.startswith("embedding")
            }
        )
        self.layers = nn.ModuleList()
        for layer in range(configuration.num_layers):
            lstm = nn.LSTM(shapes[f"lstm.{layer}.weight_ih"][1], cells)
            for name, parameter in lstm.named_parameters():
                nn.init.uniform_(parameter, -1 / math.sqrt(cells), 1 / math.sqrt(cells), generator=generator)
                if name.startswith("bias"):
                    nn.init.zeros_(parameter)
                if name.startswith("bias_ih"):  # open forget gates
                    parameter.data[cells : 2 * cells] = 1.0
                if name.startswith("bias_hh"):
                    parameter.requires_grad_(False)
            self.layers.append(lstm)
        # Lai, Chang, Yang, Liu: Modeling long- and short-term temporal patterns with deep neural networks, 2018,
        # section 3.6: an LSTM alone does not learn to repeat a value to one part in a thousand.
        self.skip = nn.Parameter(torch.zeros(shapes["skip.weight"]))
        self.head = nn.Linear(cells, shapes["head.bias"][0])
        for parameter in self.head.parameters():
            nn.init.uniform_(parameter, -1 / math.sqrt(cells), 1 / math.sqrt(cells), generator=generator)

    def start(self, lags: Floats, sigma: float) -> None:
        """Begin with forecasts that are a weighted sum of the lags, and with noise of that size."""
        if self._likelihood == "beta":  # has no place and no scale
            return
        with torch.no_grad():
            self.skip.copy_(torch.from_numpy(lags))
            self.head.weight *= 0.1
            self.head.bias.zero_()
            if self._likelihood in ("student-T", "gaussian"):
                self.head.bias[1] = math.log(math.expm1(sigma))

    def forward(self, inputs: Tensor, categories: Tensor, *, half: bool) -> Tensor:
        """(T, B, input_width - widths of embeddings), (B, categories) -> (T, B, parameters).

        half : multiply within the LSTMs in bfloat16
        """
        x = inputs
        if self.embeddings:
            embedded = torch.cat([table[categories[:, int(i)]] for i, table in self.embeddings.items()], 1)
            x = torch.cat([x, embedded.expand(len(x), -1, -1)], 2)
        with torch.autocast("cpu", torch.bfloat16) if half else nullcontext():
            for number, lstm in enumerate(self.layers):
                if number and self._dropout:
                    x = x * self._mask(x)
                x, _ = lstm(x)
        out: Tensor = self.head(x.float())
        place = inputs[:, :, : self.skip.numel()] @ self.skip
        return torch.cat([out[:, :, :1] + place[:, :, None], out[:, :, 1:]], 2)

    def _mask(self, x: Tensor) -> Tensor:
        """(1, B, cells) 0, or what makes up for the zeros; the same ones at every step.

        Gal, Ghahramani: A theoretically grounded application of dropout in recurrent neural networks, NIPS 2016.
        """
        kept = torch.rand((1, *x.shape[1:]), generator=self._generator) >= self._dropout
        return (kept / (1.0 - self._dropout)).to(x.dtype)

    def trained(self) -> list[nn.Parameter]:
        return [parameter for parameter in self.parameters() if parameter.requires_grad]

    def weights(self) -> dict[str, Floats]:
        """Copies of the weights under the names of weight_shapes()."""
        named = {f"embedding.{place}": table for place, table in self.embeddings.items()}
        for number, lstm in enumerate(self.layers):
            named[f"lstm.{number}.weight_ih"] = lstm.weight_ih_l0
            named[f"lstm.{number}.weight_hh"] = lstm.weight_hh_l0
            named[f"lstm.{number}.bias"] = lstm.bias_ih_l0
        named |= {"skip.weight": self.skip, "head.weight": self.head.weight, "head.bias": self.head.bias}
        return {name: parameter.detach().numpy().copy() for name, parameter in named.items()}


def half_precision_works() -> bool:
    """Whether the processor multiplies bfloat16 by itself and an LSTM trained so comes near one in single precision.

    Without the instructions torch emulates them, slower than single precision.
    """
    if not (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()):
        return False
    lstm = nn.LSTM(8, 8)
    x = torch.linspace(-1.0, 1.0, 3 * 2 * 8).reshape(3, 2, 8)
    try:
        with torch.autocast("cpu", torch.bfloat16):
            half = lstm(x)[0].float()
        half.sum().backward()
        with torch.no_grad():
            return bool((half - lstm(x)[0]).abs().max() < 0.05)
    except RuntimeError:
        return False
