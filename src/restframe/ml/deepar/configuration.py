"""What a DeepAR model is made with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Likelihood = Literal["student-T", "gaussian", "negative-binomial", "beta", "deterministic-L1"]


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
