"""What a DeepAR model is made with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from restframe import errors

Likelihood = Literal["student-T", "gaussian", "negative-binomial", "beta", "deterministic-L1"]
LIKELIHOODS: tuple[str, ...] = get_args(Likelihood)
MOST_GROUPS = 1_000_000  # of one category: beyond, its embedding would not fit into memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The hyper-parameters of DeepAR under SageMaker's names, with its defaults.

    context_length, prediction_length : steps the network reads, and steps it forecasts
    time_freq : `H`, `2H`, `15min`, `D`, `B`, `W`, `M`
    cardinality : number of groups of each category; empty when categories are not used
    num_dynamic_feat : number of features beside the target; 0 when they are not used
    early_stopping_patience : epochs without a better loss before training ends; None never ends it early
    seed : the same seed, data and hyper-parameters give the same model

    https://docs.aws.amazon.com/sagemaker/latest/dg/deepar_hyperparameters.html
    """

    context_length: int
    prediction_length: int
    epochs: int
    time_freq: str
    cardinality: tuple[int, ...] = ()
    num_dynamic_feat: int = 0
    dropout_rate: float = 0.1
    early_stopping_patience: int | None = None
    embedding_dimension: int = 10
    learning_rate: float = 1e-3
    likelihood: Likelihood = "student-T"
    mini_batch_size: int = 128
    num_cells: int = 40
    num_layers: int = 2
    seed: int = 0


def check_configuration(configuration: Configuration) -> None:
    """InvalidParameterValue for the first hyper-parameter that no network can be made with.

    The limits are what fits into memory and works; SageMaker's narrower ones belong to its job.
    """
    for name, low, high in (
        ("context_length", 1, 100_000),
        ("prediction_length", 1, 100_000),
        ("epochs", 1, 1_000_000),
        ("num_dynamic_feat", 0, 10_000),
        ("dropout_rate", 0.0, 0.99),
        ("embedding_dimension", 1, 1000),
        ("learning_rate", 1e-9, 1.0),
        ("mini_batch_size", 1, 100_000),
        ("num_cells", 1, 2000),
        ("num_layers", 1, 20),
        ("seed", 0, 2**63 - 1),
    ):
        value = getattr(configuration, name)
        if not low <= value <= high or not math.isfinite(value):
            raise errors.InvalidParameterValue(f"{name} is {value}, not within {low}..{high}"[:100])
    patience = configuration.early_stopping_patience
    if patience is not None and patience < 1:
        raise errors.InvalidParameterValue(f"early_stopping_patience is {patience}, not positive"[:100])
    if len(configuration.cardinality) > 1000 or not all(1 <= n <= MOST_GROUPS for n in configuration.cardinality):
        raise errors.InvalidParameterValue(f"cardinality must be numbers of groups within 1..{MOST_GROUPS}")
    if configuration.likelihood not in LIKELIHOODS:
        raise errors.InvalidParameterValue(
            f'likelihood is "{configuration.likelihood}"'[:60] + f", not one of {', '.join(LIKELIHOODS)}"
        )


def embedding_widths(configuration: Configuration) -> tuple[int, ...]:
    """The width of each category's embedding: no wider than it has groups, and none for a category that never differs.

    Wider ones, as SageMaker's default of 10 for two groups, add nothing but noise.
    """
    return tuple(0 if n == 1 else min(configuration.embedding_dimension, n) for n in configuration.cardinality)
