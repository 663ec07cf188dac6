"""What an endpoint of DeepAR is asked and answers, in bytes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe import errors
from restframe.ml import registry
from restframe.ml.containers import forecasts
from restframe.ml.containers.batches import Batches
from restframe.ml.containers.forecasts import Forecaster, answer
from restframe.ml.deepar import Asked, Configuration, fit, save
from restframe.ml.forecasting.series import Series

TARGET = [float(10 + i % 7) for i in range(40)]


def trained(categories: tuple[int, ...] = (), feature_count: int = 0) -> Forecaster:
    """A forecaster of 4 days, as an endpoint loads it."""
    configuration = Configuration(
        context_length=6,
        prediction_length=4,
        epochs=1,
        time_freq="D",
        mini_batch_size=8,
        num_cells=5,
        num_layers=1,
        cardinality=categories,
        num_dynamic_feat=feature_count,
    )
    series = [
        Series(
            np.datetime64("2020-01-01", "s"),
            np.array(TARGET) * (i + 1),
            tuple(i % count for count in categories),
            np.ones((feature_count, len(TARGET)), np.float32),
        )
        for i in range(3)
    ]
    predictor = registry.find("deepar").load(save(fit(series, configuration)))
    assert isinstance(predictor, Forecaster)
    return predictor


@pytest.fixture(scope="module")
def forecaster() -> Forecaster:
    return trained()


@pytest.fixture(scope="module")
def grouped() -> Forecaster:
    """Trained with a category of three groups and two features."""
    return trained((3,), 2)


def instance(**given: Any) -> dict[str, Any]:
    return {"start": "2020-01-01 00:00:00", "target": TARGET, **given}


def ask(predictor: Forecaster, *instances: Any, **configuration: Any) -> list[dict[str, Any]]:
    body: dict[str, Any] = {"instances": list(instances)}
    if configuration:
        body["configuration"] = configuration
    answered, content_type = answer(predictor, json.dumps(body).encode(), "application/json", "")
    assert content_type == "application/json"
    predictions: list[dict[str, Any]] = json.loads(answered)["predictions"]
    return predictions


def refusal(predictor: Forecaster, body: Any, content_type: str = "application/json") -> str:
    """The reason behind the words with which every refusal begins."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(errors.DataError) as caught:
        answer(predictor, sent, content_type, "")
    words, _, reason = caught.value.message.partition(": ")
    assert words == "Unable to evaluate payload provided"
    return reason


def test_without_a_configuration_mean_and_nine_quantiles_are_answered(forecaster: Forecaster) -> None:
    first, second = ask(forecaster, instance(), instance(target=TARGET[:20]))
    assert list(first) == ["mean", "quantiles"]
    assert list(first["quantiles"]) == ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"]
    for prediction in (first, second):
        assert len(prediction["mean"]) == 4
        rising = np.array(list(prediction["quantiles"].values()))
        assert rising.shape == (9, 4)
        assert (np.diff(rising, axis=0) >= 0).all()


def test_only_what_is_asked_for_is_answered(forecaster: Forecaster) -> None:
    (found,) = ask(forecaster, instance(), num_samples=7, output_types=["samples"])
    assert list(found) == ["samples"]
    assert np.array(found["samples"]).shape == (7, 4)
    (found,) = ask(forecaster, instance(), output_types=["mean"], quantiles=["0.5"])
    assert list(found) == ["mean"]


def test_mean_and_quantiles_are_those_of_the_samples(forecaster: Forecaster) -> None:
    (found,) = ask(
        forecaster,
        instance(),
        num_samples=50,
        output_types=["mean", "samples", "quantiles"],
        quantiles=["0.5", "0.1"],
        seed=3,
    )
    samples = np.sort(np.array(found["samples"], np.float32), axis=0)
    # the 50 samples' places of the two quantiles, as the scores have them
    np.testing.assert_array_equal(np.array(found["quantiles"]["0.5"], np.float32), samples[24])
    np.testing.assert_array_equal(np.array(found["quantiles"]["0.1"], np.float32), samples[5])
    np.testing.assert_allclose(found["mean"], samples.mean(axis=0), rtol=1e-5)


def test_numbers_read_back_as_the_model_drew_them(forecaster: Forecaster) -> None:
    series = Series(np.datetime64("2020-01-01", "s"), np.array(TARGET))
    drawn = forecaster.model.sample([Asked((series,), 5, 11)])[0][0]
    (found,) = ask(forecaster, instance(), num_samples=5, output_types=["samples"], seed=11)
    np.testing.assert_array_equal(np.array(found["samples"], np.float32), drawn)


def test_quantiles_come_back_under_the_keys_that_were_sent(forecaster: Forecaster) -> None:
    # what a widget makes of confidences of 60, 70 and 90 %
    keys = [str(0.5 - confidence * 0.005) for confidence in (60, 70, 90)]
    assert keys == ["0.2", "0.14999999999999997", "0.04999999999999999"]
    keys += ["0.50", ".5", "5e-1", " 0.5"]
    (found,) = ask(forecaster, instance(), quantiles=keys)
    assert list(found["quantiles"]) == keys
    assert found["quantiles"][".5"] == found["quantiles"]["0.50"] == found["quantiles"]["5e-1"]
    (found,) = ask(forecaster, instance(), quantiles=[0.25])
    assert list(found["quantiles"]) == ["0.25"]


def test_a_seed_repeats_an_answer(forecaster: Forecaster) -> None:
    many = [instance(target=TARGET[i:]) for i in range(30)]  # more than are computed at once
    first = ask(forecaster, *many, num_samples=100, output_types=["samples"], seed=5)
    assert ask(forecaster, *many, num_samples=100, output_types=["samples"], seed=5) == first
    assert ask(forecaster, *many, num_samples=100, output_types=["samples"], seed=6) != first
    assert ask(forecaster, *many, num_samples=100, output_types=["samples"]) != first
    # the parts of a request do not share their noise
    same = ask(forecaster, *[instance()] * 30, num_samples=100, output_types=["samples"], seed=5)
    assert same[0] != same[10] != same[20] != same[29]


class Counted:
    """A model that remembers how many series it was asked for at once."""

    def __init__(self, model: Any) -> None:
        self.model, self.counts = model, list[int]()

    def sample(self, asked: Sequence[Asked]) -> list[Any]:
        self.counts.append(sum(len(one.series) for one in asked))
        answers: list[Any] = self.model.sample(asked)
        return answers


@pytest.mark.parametrize(
    ("workers", "seed", "counts"), [(1, None, [10]), (2, None, [5, 5]), (16, None, [2, 4, 4]), (2, 3, [10])]
)
def test_idle_processors_share_a_request_without_a_seed(
    forecaster: Forecaster, workers: int, seed: int | None, counts: list[int]
) -> None:
    model = Counted(forecaster.model)
    shared = Forecaster(forecaster.model, batches=Batches(model, workers))
    sizes = [10.0**i for i in range(10)]
    found = ask(shared, *[instance(target=[size * value for value in TARGET]) for size in sizes], seed=seed)
    assert sorted(model.counts) == counts
    for size, prediction in zip(sizes, found, strict=True):
        assert 3 * size < prediction["mean"][0] < 40 * size


def test_a_request_may_say_its_frequency(forecaster: Forecaster) -> None:
    for frequency in ("D", "1D"):
        assert len(ask(forecaster, instance(), time_freq=frequency)) == 1


def test_missing_values_are_spelled_in_many_ways(forecaster: Forecaster) -> None:
    nan = b'[1, NaN, 3, null, 5, "NaN", 7, "nan", 9.5, 10, 11]'
    answers = [
        answer(forecaster, b'{"instances":[{"start":"2020-01-01","target":%s}],"configuration":{"seed":1}}' % target,
               "application/json", "")[0]
        for target in (nan, nan.replace(b'"nan"', b"null"))
    ]  # fmt: skip
    assert answers[0] == answers[1]
    for target in (["NaN"] * 10, [None], []):
        (found,) = ask(forecaster, instance(target=target))
        assert len(found["mean"]) == 4


def test_categories_and_features_reach_into_the_forecast(grouped: Forecaster) -> None:
    good = instance(cat=[2], dynamic_feat=[[0.5] * 44, [1.0] * 44])
    (found,) = ask(grouped, good, seed=1)
    assert len(found["mean"]) == 4
    (other,) = ask(grouped, {**good, "cat": [0]}, seed=1)
    assert other != found


def test_json_lines_have_an_instance_and_a_prediction_a_line(forecaster: Forecaster) -> None:
    body = json.dumps(instance()).encode() + b"\n\n" + json.dumps(instance(target=[1, 2, 3])).encode() + b"\n"
    answered, content_type = answer(forecaster, body, "application/jsonlines", "")
    assert content_type == "application/jsonlines"
    assert answered.endswith(b"}\n")
    assert [list(json.loads(line)) for line in answered.splitlines()] == [["mean", "quantiles"]] * 2
    answered, content_type = answer(forecaster, body, "application/jsonlines; charset=utf-8", "application/json")
    assert content_type == "application/json"
    assert len(json.loads(answered)["predictions"]) == 2
    one = json.dumps({"instances": [instance()]}).encode()
    assert answer(forecaster, one, "application/json", "*/*")[1] == "application/json"
    assert answer(forecaster, one, "application/json", "application/jsonlines")[1] == "application/jsonlines"


def test_an_environment_configures_requests_that_have_no_configuration(forecaster: Forecaster) -> None:
    variable = '{"num_samples": 3, "output_types": ["samples"]}'
    configured = forecaster.configured({"DEEPAR_INFERENCE_CONFIG": variable, "OTHER": "x"})
    assert isinstance(configured, Forecaster)
    (found,) = ask(configured, instance())
    assert np.array(found["samples"]).shape == (3, 4)
    assert forecaster.configured({"OTHER": "x"}) is forecaster
    for wrong in ("{", "[]", '{"num_samples": 0}'):
        with pytest.raises(errors.DataError, match=r"^DEEPAR_INFERENCE_CONFIG: "):
            forecaster.configured({"DEEPAR_INFERENCE_CONFIG": wrong})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON: expecting value at line 1, column 1"),
        (b"{", "not JSON: "),
        (b"[" * 100_000, "not JSON: nested too deeply"),
        (b"\xff\xfe", "not JSON: "),
        ([], 'a request is an object with the list "instances"'),
        ({}, 'the request has no instances: "instances" is a list of at least one'),
        ({"instances": []}, "the request has no instances"),
        ({"instances": {}}, "the request has no instances"),
        ({"instances": [instance()], "config": {}}, 'the request has no "config", only instances, configuration'),
        ({"instances": [instance()], "configuration": []}, '"configuration" is not an object'),
        ({"instances": [[1, 2]]}, 'instance 1 is a list, not an object with "start" and "target"'),
        ({"instances": [instance(), 7]}, "instance 2 is 7, not an object"),
        ({"instances": [{"target": [1]}]}, 'instance 1: the series has no "start"'),
        ({"instances": [{"start": "2020-01-01"}]}, 'instance 1: the series has no "target"'),
        ({"instances": [instance(start="tomorrow")]}, 'instance 1: "start" is "tomorrow", not a date'),
        ({"instances": [instance(), instance(start=5)]}, 'instance 2: "start" is not a date'),
        ({"instances": [instance(start="2020-01-01T00:00:00Z")]}, "which has a time zone"),
        ({"instances": [instance(target=["a"])]}, 'instance 1: "target" has "a" at position 0'),
        ({"instances": [instance(target="1,2")]}, 'instance 1: "target" is not a list of numbers'),
        ({"instances": [instance(target=[10**400])]}, 'instance 1: "target" has a number that is too large'),
        ({"instances": [instance(cat=[0])]}, 'instance 1: "cat" is given, but the model was trained without'),
        ({"instances": [instance(dynamic_feat=[[1.0] * 44])]}, '"dynamic_feat" is given, but the model was trained'),
    ],
)
def test_a_bad_request_is_refused_with_its_place(forecaster: Forecaster, body: Any, reason: str) -> None:
    assert reason in refusal(forecaster, body)


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        ({"num_samples": 0}, '"num_samples" is 0, not an integer between 1 and 10000'),
        ({"num_samples": 10_001}, '"num_samples" is 10001, not'),
        ({"num_samples": 10**40}, '"num_samples" is too large, not'),
        ({"num_samples": 1.5}, '"num_samples" is 1.5, not'),
        ({"num_samples": "50"}, '"num_samples" is "50", not'),
        ({"num_samples": True}, '"num_samples" is true, not'),
        ({"seed": -1}, '"seed" is -1, not'),
        ({"quantiles": ["0"]}, 'quantile "0" is not a number between 0 and 1'),
        ({"quantiles": ["1.0"]}, 'quantile "1.0" is not'),
        ({"quantiles": ["nan"]}, 'quantile "nan" is not'),
        ({"quantiles": ["p50"]}, 'quantile "p50" is not'),
        ({"quantiles": [1]}, "quantile 1 is not"),
        ({"quantiles": [["0.5"]]}, "quantile a list is not"),
        ({"quantiles": ["0." + "1" * 5000]}, 'quantile "0.1111'),
        ({"quantiles": "0.5"}, '"quantiles" is not a list of at most 1000'),
        ({"quantiles": ["0.5"] * 1001}, '"quantiles" is not a list of at most 1000'),
        ({"output_types": []}, '"output_types" is empty, not a list of some of mean, quantiles, samples'),
        ({"output_types": "mean"}, '"output_types" is "mean", not a list'),
        ({"output_types": ["median"]}, 'output type "median" is not one of mean, quantiles, samples'),
        ({"output_types": [{}]}, "output type an object is not one of"),
        ({"samples": 5}, 'the configuration has no "samples", only num_samples, output_types, quantiles, seed, '),
        ({"time_freq": "H"}, '"time_freq" is "H", the model was trained with D'),
        ({"time_freq": "2D"}, '"time_freq" is "2D", the model was trained with D'),
        ({"time_freq": "fortnight"}, "fortnight"),
        ({"time_freq": [1]}, "[1]"),
        ({"x" * 1000: 5}, f'the configuration has no "{"x" * 100}", only'),
    ],
)
def test_a_bad_configuration_is_refused(forecaster: Forecaster, configuration: Any, reason: str) -> None:
    assert reason in refusal(forecaster, {"instances": [instance()], "configuration": configuration})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, '"cat" has 0 categories, the model was trained with 1'),
        ({"cat": [0, 1]}, '"cat" has 2 categories, the model was trained with 1'),
        ({"cat": [3]}, '"cat"[0] is 3, but the model knows only 0 to 2'),
        ({"cat": ["a"]}, '"cat" is not a list of whole numbers'),
        ({"cat": [0]}, '"dynamic_feat" has 0 features, the model was trained with 2'),
        ({"cat": [0], "dynamic_feat": [[1.0] * 44]}, '"dynamic_feat" has 1 features, the model was trained with 2'),
        (
            {"cat": [0], "dynamic_feat": [[1.0] * 40] * 2},
            '"dynamic_feat" has 40 values, not 44: the target\'s 40 and the 4 steps of the forecast',
        ),
        ({"cat": [0], "dynamic_feat": [[1.0] * 45] * 2}, '"dynamic_feat" has 45 values, not 44'),
        ({"cat": [0], "dynamic_feat": [[1.0] * 43 + ["NaN"]] * 2}, '"dynamic_feat" has missing values'),
    ],
)
def test_what_does_not_fit_the_model_is_refused(grouped: Forecaster, given: Any, reason: str) -> None:
    assert f"instance 1: {reason}" in refusal(grouped, {"instances": [instance(**given)]})


@pytest.mark.parametrize(
    ("likelihood", "target", "reason"),
    [
        ("negative-binomial", [1, None, -1], "values other than 0 and more, which negative-binomial is for"),
        ("beta", [0.5, 1.5], "values other than 0 to 1, which beta is for"),
    ],
)
def test_values_that_a_likelihood_cannot_have_are_refused_with_their_instance(
    forecaster: Forecaster, likelihood: Any, target: Any, reason: str
) -> None:
    configuration = dataclasses.replace(forecaster.configuration, likelihood=likelihood)
    of_counts = Forecaster(dataclasses.replace(forecaster.model, configuration=configuration))
    instances = [instance(target=[0, 1, None]), instance(target=target)]
    assert refusal(of_counts, {"instances": instances}) == f'instance 2: "target" has {reason}'


def test_too_much_for_one_request_is_refused_before_it_is_computed(forecaster: Forecaster) -> None:
    small = {"start": "2020-01-01", "target": [1]}
    assert refusal(
        forecaster, {"instances": [small] * 600, "configuration": {"num_samples": 10_000, "output_types": ["mean"]}}
    ) == (
        "600 instances with 10000 samples of 4 steps are too much for one request: at most 20000000 numbers are drawn "
        "and 5000000 answered"
    )
    quantiles = [str(i / 1001) for i in range(1, 1001)]
    assert "too much for one request" in refusal(
        forecaster, {"instances": [small] * 1300, "configuration": {"num_samples": 1, "quantiles": quantiles}}
    )


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"instances":[{"start":"2020-01-01","target":[1],"dynamic_feat":[' + b"[]," * 500_000 + b"[]]}]}", "json"),
        (b"{}" * 500_001, "json"),
        (b"1\n" * 500_001, "jsonlines"),
    ],
)
def test_hundreds_of_thousands_of_lists_are_refused_before_they_are_read(
    forecaster: Forecaster, body: bytes, content_type: str
) -> None:
    assert refusal(forecaster, body, f"application/{content_type}") == (
        "the request has more than 500000 lists and objects"
    )


def test_a_target_of_a_million_points_is_taken(forecaster: Forecaster) -> None:
    body = b'{"instances":[{"start":"2020-01-01","target":[' + b"1," * 999_999 + b"1]}]}"
    # the end of it lies in the year 4757, which calendars know
    assert len(json.loads(answer(forecaster, body, "application/json", "")[0])["predictions"][0]["mean"]) == 4


def test_json_lines_are_refused_with_their_number(forecaster: Forecaster) -> None:
    good = json.dumps(instance()).encode()
    assert refusal(forecaster, b"\n", "application/jsonlines") == "the request has no instances"
    assert "line 2, column" in refusal(forecaster, good + b"\n{", "application/jsonlines")
    assert "instance 2: " in refusal(forecaster, good + b'\n{"start": "x"}', "application/jsonlines")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("2020-01-01"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
NUMBERS = st.lists(st.integers(-5, 5) | st.floats(width=32) | st.sampled_from([None, "NaN", 1e300]), max_size=50)


@settings(max_examples=200)
@given(
    instances=ANYTHING
    | st.lists(st.fixed_dictionaries({"start": ANYTHING, "target": NUMBERS | ANYTHING}, optional={"cat": ANYTHING})),
    configuration=ANYTHING | st.dictionaries(st.sampled_from(["num_samples", "quantiles", "output_types"]), ANYTHING),
)
def test_whatever_is_asked_is_answered_or_refused(forecaster: Forecaster, instances: Any, configuration: Any) -> None:
    body = json.dumps({"instances": instances, "configuration": configuration}).encode()
    try:
        answered, _ = answer(forecaster, body, "application/json", "")
    except errors.DataError as error:
        assert error.message.startswith("Unable to evaluate payload provided: ")
        assert len(error.message) < 500
    else:
        assert len(json.loads(answered)["predictions"]) == len(instances)


def test_other_types_are_refused(forecaster: Forecaster) -> None:
    with pytest.raises(errors.NotSupportedError, match='content type "text/csv" is not supported'):
        answer(forecaster, b"1,2", "text/csv", "")
    with pytest.raises(errors.NotSupportedError, match='accept type "text/csv" is not supported'):
        answer(forecaster, b"{}", "application/json", "text/csv")


def test_a_forecast_that_is_not_finite_is_the_models_fault(
    forecaster: Forecaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = iter([np.full((1, 4), np.inf, np.float32)])
    monkeypatch.setattr(forecasts.Forecaster, "samples", lambda *_: endless)
    with pytest.raises(errors.EndpointFailed, match="not finite") as caught:
        ask(forecaster, instance())
    assert caught.value.status == 500
