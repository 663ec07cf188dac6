"""DeepAR's hyper-parameters as clients write them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from restframe import errors
from restframe.ml import registry
from restframe.ml.containers.deepar_hyperparameters import DEFAULTS, HYPERPARAMETERS
from restframe.ml.hyperparameters import check

# of a notebook that trained on SageMaker
SENT = {
    "time_freq": "2H", "epochs": "400", "early_stopping_patience": "40", "mini_batch_size": "64",
    "learning_rate": "5E-4", "context_length": "84", "prediction_length": "84",
}  # fmt: skip


def read(**given: str) -> dict[str, object]:
    return check(HYPERPARAMETERS, {**SENT, **given}, in_job=True)


def test_what_a_notebook_sent() -> None:
    assert read() == {
        "time_freq": "2H", "epochs": 400, "early_stopping_patience": 40, "mini_batch_size": 64,
        "learning_rate": 0.0005, "context_length": 84, "prediction_length": 84, "cardinality": "auto",
        "num_dynamic_feat": "auto", "dropout_rate": 0.1, "embedding_dimension": 10, "likelihood": "student-T",
        "num_cells": 40, "num_layers": 2, "num_eval_samples": 100,
        "test_quantiles": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9), "_num_gpus": "auto", "_kvstore": "auto",
        "_num_kv_servers": "auto", "_tuning_objective_metric": "", "seed": 0,
    }  # fmt: skip


def test_the_defaults_are_those_the_container_prints() -> None:
    assert DEFAULTS == {
        "num_dynamic_feat": "auto", "dropout_rate": "0.10", "mini_batch_size": "128",
        "test_quantiles": "[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]", "_tuning_objective_metric": "",
        "_num_gpus": "auto", "num_eval_samples": "100", "learning_rate": "0.001", "num_cells": "40",
        "num_layers": "2", "embedding_dimension": "10", "_kvstore": "auto", "_num_kv_servers": "auto",
        "cardinality": "auto", "likelihood": "student-t", "early_stopping_patience": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("cardinality", "auto", "auto"),
        ("cardinality", "ignore", "ignore"),
        ("cardinality", "", "ignore"),
        ("cardinality", "[2, 3]", (2, 3)),
        ("num_dynamic_feat", "ignore", "ignore"),
        ("num_dynamic_feat", "", "ignore"),
        ("num_dynamic_feat", "0", "ignore"),
        ("num_dynamic_feat", "2", 2),
        ("early_stopping_patience", "", None),
        ("early_stopping_patience", "7", 7),
        ("likelihood", "STUDENT-t", "student-T"),
        ("likelihood", "Deterministic-l1", "deterministic-L1"),
        ("likelihood", "negative-binomial", "negative-binomial"),
        ("test_quantiles", "[0.5]", (0.5,)),
        ("dropout_rate", "0", 0.0),
        ("learning_rate", "1e-1", 0.1),
    ],
)
def test_texts_and_what_they_mean(name: str, text: str, value: object) -> None:
    assert read(**{name: text})[name] == value


@pytest.mark.parametrize(
    "text, meant",
    [("30min", "30min"), ("5T", "5min"), ("h", "H"), ("1D", "D"), ("B", "B"), ("W", "W"), ("MS", "M"), ("12M", "12M")],
)
def test_frequencies(text: str, meant: str) -> None:
    assert read(time_freq=text)["time_freq"] == meant


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"epochs": "0"},
            "The value '0' is not valid for the 'epochs' hyperparameter which expects a number between 1",
        ),
        ({"epochs": "ten"}, "The value 'ten' is not valid for the 'epochs' hyperparameter which expects an integer"),
        ({"context_length": "-1"}, "The value '-1' is not valid for the 'context_length' hyperparameter"),
        ({"learning_rate": "nan"}, "The value 'nan' is not valid for the 'learning_rate' hyperparameter"),
        ({"dropout_rate": "1.5"}, "The value '1.5' is not valid for the 'dropout_rate' hyperparameter"),
        ({"likelihood": "poisson"}, "expects one of student-T, gaussian, negative-binomial, beta, deterministic-L1"),
        ({"cardinality": "[0]"}, "The value '[0]' is not valid for the 'cardinality' hyperparameter"),
        ({"cardinality": "[" * 5000}, "is not valid for the 'cardinality' hyperparameter which expects auto, ignore"),
        ({"cardinality": "many"}, "The value 'many' is not valid for the 'cardinality' hyperparameter"),
        ({"num_dynamic_feat": "-1"}, "The value '-1' is not valid for the 'num_dynamic_feat' hyperparameter"),
        ({"early_stopping_patience": "0"}, "The value '0' is not valid for the 'early_stopping_patience'"),
        ({"test_quantiles": "[1.5]"}, "expects an array of numbers between 0 and 1 such as [0.1,0.5,0.9]"),
        ({"test_quantiles": "[true]"}, "The value '[true]' is not valid for the 'test_quantiles' hyperparameter"),
        ({"test_quantiles": "[]"}, "The value '[]' is not valid for the 'test_quantiles' hyperparameter"),
        ({"time_freq": "fortnight"}, "expects an integer followed by M, W, D, H or min, such as 2H"),
        ({"time_freq": "0H"}, "The value '0H' is not valid for the 'time_freq' hyperparameter"),
        ({"Epochs": "3"}, "Additional hyperparameters are not allowed ('Epochs' was unexpected)"),
    ],
)
def test_what_is_not_right_is_said_in_sagemakers_words(given: Mapping[str, str], message: str) -> None:
    with pytest.raises(errors.InvalidParameterValue) as caught:
        read(**given)
    assert message in caught.value.message
    assert caught.value.message.endswith("(caused by ValidationError)")
    assert len(caught.value.message) < 400


@pytest.mark.parametrize("name", ["context_length", "prediction_length", "epochs", "time_freq"])
def test_four_are_required(name: str) -> None:
    with pytest.raises(errors.InvalidParameterValue) as caught:
        check(HYPERPARAMETERS, {key: value for key, value in SENT.items() if key != name}, in_job=True)
    assert caught.value.message == (
        f"No value(s) were specified for '{name}' which are required hyperparameter(s) (caused by ValidationError)"
    )


def test_all_that_are_missing_are_named() -> None:
    with pytest.raises(errors.InvalidParameterValue) as caught:
        check(HYPERPARAMETERS, {"time_freq": "H", "epochs": "3"}, in_job=True)
    assert "specified for 'context_length', 'prediction_length' which are required" in caught.value.message


@pytest.mark.parametrize(
    "image",
    [
        "deepar",
        "forecasting-deepar",
        "522234722520.dkr.ecr.us-east-1.amazonaws.com/forecasting-deepar:1",
        "566113047672.dkr.ecr.us-east-2.amazonaws.com/forecasting-deepar:latest",
    ],
)
def test_the_algorithm_goes_by_its_image(image: str) -> None:
    assert registry.find(image).label == "AWS/DeepAR"
