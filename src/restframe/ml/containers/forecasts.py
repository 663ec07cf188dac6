"""Requests and answers of an endpoint that forecasts, as SageMaker's DeepAR container speaks them.

    {"instances": [{"start": "2020-01-01", "target": [1.0, "NaN", 3.5], "cat": [0], "dynamic_feat": [[..]]}],
     "configuration": {"num_samples": 100, "output_types": ["mean", "quantiles", "samples"], "quantiles": ["0.5"]}}

    {"predictions": [{"mean": [..], "quantiles": {"0.5": [..]}, "samples": [[..], ..]}]}

application/jsonlines has an instance a line and a prediction a line. Keys of quantiles come back as they were sent.
Two names in a configuration are ours: with `seed` the same request gets the same answer, and `time_freq` says how far
apart the observations are, so that a model of another frequency refuses them. Without it they are taken to be one step
of the model's time_freq apart, as on SageMaker.

https://docs.aws.amazon.com/sagemaker/latest/dg/deepar-in-formats.html
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.ml import codecs
from restframe.ml.codecs.json import lines, parse
from restframe.ml.codecs.media_types import accepted, parse_media_type
from restframe.ml.containers.batches import Batches

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from restframe.ml.algorithm import Predictor
    from restframe.ml.deepar import Configuration, Model
    from restframe.ml.forecasting.series import Series

    FloatArray = npt.NDArray[np.float32]

# The variable of a container's environment that holds the configuration of requests that have none.
CONFIGURATION_VARIABLE = "DEEPAR_INFERENCE_CONFIG"

_OUTPUTS = ("mean", "quantiles", "samples")
_MAX_SAMPLES = 10_000
_MAX_QUANTILES = 1000
_MAX_QUANTILE_LENGTH = 40  # of its text, which is answered with each instance
_MAX_SAMPLED = 20_000_000  # numbers that are drawn for a request: some 20 s of computing
_MAX_ANSWERED = 5_000_000  # numbers of an answer: about 50 MB
_PART_ROWS = 1024  # samples of series that are computed at once: what a small request has to wait for
_SHARE_ROWS = 256  # fewer are not worth another processor
_MAX_LISTS = 500_000  # and objects in a request, or lines of JSON Lines: six megabytes could be two million empty ones
_LARGE_BYTES = 1 << 18
_SHOWN = 100

# Whoever reads a large request keeps all others from running Python meanwhile: that is done one at a time.
_reading_large = threading.Lock()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request's configuration asks for.

    quantiles : as they were written
    time_freq : of the observations, when the request says it
    """

    samples: int = 100
    outputs: tuple[str, ...] = ("mean", "quantiles")
    quantiles: tuple[str, ...] = ("0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9")
    seed: int | None = None
    time_freq: str | None = None


class Forecaster:
    """A model that answers requests from several threads at once; see batches.py.

    wanted : of requests without a configuration
    """

    def __init__(self, model: Model, wanted: Wanted | None = None, batches: Batches | None = None) -> None:
        self.model = model
        self.wanted = wanted or Wanted()
        self._batches = batches or Batches(model)

    @property
    def configuration(self) -> Configuration:
        return self.model.configuration

    def warm(self) -> None:
        """Forecast a series of which nothing is known: what the first forecast imports and compiles is there then."""
        import numpy as np

        from restframe.ml.forecasting.series import Series

        known = self.configuration
        features = np.zeros((known.num_dynamic_feat, known.prediction_length), np.float32)
        nothing = Series(np.datetime64("2020-01-01", "s"), np.empty(0), (0,) * len(known.cardinality), features)
        for samples in self.samples([nothing], Wanted(samples=1)):
            _prediction(samples, Wanted())

    def configured(self, environment: Mapping[str, str]) -> Forecaster:
        """The same model as a container with these variables has it; DataError when one of them is not right."""
        text = environment.get(CONFIGURATION_VARIABLE)
        if text is None:
            return self
        try:
            wanted = _wanted(parse(text.encode()), Wanted())
        except errors.DataError as error:
            raise errors.DataError(f"{CONFIGURATION_VARIABLE}: {error.message}") from error
        return Forecaster(self.model, wanted, self._batches)

    def samples(self, series: Sequence[Series], wanted: Wanted) -> Iterator[FloatArray]:
        """Of each series (samples, prediction length)."""
        from restframe.ml.deepar import Asked

        count = -(-len(series) // max(1, _PART_ROWS // wanted.samples))
        if wanted.seed is None:  # with one, the parts depend on the request alone
            count = max(count, min(self._batches.idle(), len(series) * wanted.samples // _SHARE_ROWS))
        size = -(-len(series) // max(1, count))
        parts = [
            Asked(tuple(series[first : first + size]), wanted.samples, _part_of(wanted.seed, first))
            for first in range(0, len(series), max(1, size))
        ]
        for samples in self._batches.samples(parts):
            yield from samples


def answer(predictor: Predictor, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
    """The predictions for the instances of a request, in their order, and the content type.

    NotSupportedError for other content types than JSON's. DataError, in the container's words, for a request that is
    not right, with the number of the instance, from 1.
    """
    assert isinstance(predictor, Forecaster)
    media_type = _chosen(content_type)
    answered = _accepted(accept, media_type)
    try:
        with _reading_large if len(body) > _LARGE_BYTES else contextlib.nullcontext():
            series, wanted = _asked(body, media_type, predictor)
        predictions = [_prediction(samples, wanted) for samples in predictor.samples(series, wanted)]
    except errors.DataError as error:
        raise errors.DataError(f"Unable to evaluate payload provided: {error.message}", hint=error.hint) from error
    if answered == codecs.JSON_LINES:
        return b"".join(prediction + b"\n" for prediction in predictions), answered
    return b'{"predictions":[' + b",".join(predictions) + b"]}", answered


def _part_of(seed: int | None, first: int) -> int | None:
    """The seed of the part of a request that begins with this instance: the parts shall not share their noise."""
    import numpy as np

    return seed if seed is None or first == 0 else int(np.random.SeedSequence([seed, first]).generate_state(1)[0])


def _chosen(content_type: str) -> str:
    media_type = parse_media_type(content_type)[0]
    if media_type in (codecs.JSON, codecs.JSON_LINES):
        return media_type
    raise errors.NotSupportedError(
        f'content type "{content_type[:_SHOWN]}" is not supported', hint=f"Use {codecs.JSON} or {codecs.JSON_LINES}."
    )


def _accepted(accept: str, asked: str) -> str:
    """In the form of the question, unless the client wants the other."""
    media_type = accepted(accept, (asked, codecs.JSON, codecs.JSON_LINES))
    if media_type is None:
        raise errors.NotSupportedError(
            f'accept type "{accept[:_SHOWN]}" is not supported', hint=f"Use {codecs.JSON} or {codecs.JSON_LINES}."
        )
    return media_type


# What is asked


def _asked(body: bytes, media_type: str, predictor: Forecaster) -> tuple[list[Series], Wanted]:
    read_apart = body.count(b"\n") if media_type == codecs.JSON_LINES else 0
    if max(body.count(b"[") + body.count(b"{"), read_apart) > _MAX_LISTS:
        raise errors.DataError(
            f"the request has more than {_MAX_LISTS} lists and objects", hint="Send several requests."
        )
    instances, wanted = _request(body, media_type, predictor.wanted)
    _check_frequency(wanted, predictor.configuration)
    _check_size(len(instances), wanted, predictor.configuration.prediction_length)
    return _series(instances, predictor.configuration), wanted


def _request(body: bytes, media_type: str, default: Wanted) -> tuple[list[Any], Wanted]:
    if media_type == codecs.JSON_LINES:
        instances = lines(body)
        if not instances:
            raise errors.DataError("the request has no instances")
        return instances, default
    fields = parse(body)
    if not isinstance(fields, dict):
        raise errors.DataError('a request is an object with the list "instances"')
    _check_keys(fields, ("instances", "configuration"), "request")
    listed = fields.get("instances")
    if not isinstance(listed, list) or not listed:
        raise errors.DataError('the request has no instances: "instances" is a list of at least one')
    return listed, _wanted(fields["configuration"], default) if "configuration" in fields else default


def _wanted(fields: Any, default: Wanted) -> Wanted:
    if not isinstance(fields, dict):
        raise errors.DataError('"configuration" is not an object')
    _check_keys(fields, ("num_samples", "output_types", "quantiles", "seed", "time_freq"), "configuration")
    given: dict[str, Any] = {}
    if "num_samples" in fields:
        given["samples"] = _integer(fields["num_samples"], "num_samples", 1, _MAX_SAMPLES)
    if "output_types" in fields:
        given["outputs"] = _outputs(fields["output_types"])
    if "quantiles" in fields:
        given["quantiles"] = _quantiles(fields["quantiles"])
    if fields.get("seed") is not None:
        given["seed"] = _integer(fields["seed"], "seed", 0, 2**63 - 1)
    if fields.get("time_freq") is not None:
        given["time_freq"] = str(fields["time_freq"])
    return dataclasses.replace(default, **given)


def _check_keys(fields: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in fields:
        if key not in known:
            raise errors.DataError(f'the {where} has no "{key[:_SHOWN]}", only {", ".join(known)}')


def _integer(value: Any, name: str, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise errors.DataError(f'"{name}" is {_shown(value)}, not an integer between {low} and {high}')
    return value


def _outputs(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        shown = "empty" if value == [] else _shown(value)
        raise errors.DataError(f'"output_types" is {shown}, not a list of some of {", ".join(_OUTPUTS)}')
    for one in value:
        if one not in _OUTPUTS:
            raise errors.DataError(f"output type {_shown(one)} is not one of {', '.join(_OUTPUTS)}")
    return tuple(value)


def _quantiles(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MAX_QUANTILES:
        raise errors.DataError(f'"quantiles" is not a list of at most {_MAX_QUANTILES} texts such as "0.5"')
    return tuple(_quantile(one) for one in value)


def _quantile(value: Any) -> str:
    """As it was sent; a number, which clients should send as text, as JSON writes it."""
    text = repr(value) if isinstance(value, float) else value
    try:
        if isinstance(text, str) and len(text) <= _MAX_QUANTILE_LENGTH and 0 < float(text) < 1:
            return text
    except ValueError:
        pass
    raise errors.DataError(f'quantile {_shown(value)} is not a number between 0 and 1, such as "0.5"')


def _series(instances: Sequence[Any], configuration: Configuration) -> list[Series]:
    from restframe.ml.forecasting.reading import from_json

    found = []
    for number, fields in enumerate(instances, 1):
        if not isinstance(fields, dict):
            raise errors.DataError(f'instance {number} is {_shown(fields)}, not an object with "start" and "target"')
        try:
            series = from_json(fields)
            _check_categories(series, configuration)
            _check_features(series, configuration)
            _check_values(series, configuration)
        except errors.DataError as error:
            raise errors.DataError(f"instance {number}: {error.message}", hint=error.hint) from error
        found.append(series)
    return found


def _check_frequency(wanted: Wanted, configuration: Configuration) -> None:
    from restframe.ml.forecasting.frequency import Frequency

    known = Frequency.parse(configuration.time_freq)
    if wanted.time_freq is not None and Frequency.parse(wanted.time_freq) != known:
        raise errors.DataError(f'"time_freq" is "{wanted.time_freq[:_SHOWN]}", the model was trained with {known}')


def _check_categories(series: Series, configuration: Configuration) -> None:
    given, known = series.categories, configuration.cardinality
    if given and not known:
        raise errors.DataError('"cat" is given, but the model was trained without')
    if len(given) != len(known):
        raise errors.DataError(f'"cat" has {len(given)} categories, the model was trained with {len(known)}')
    for place, (category, count) in enumerate(zip(given, known, strict=True)):
        if not 0 <= category < count:
            raise errors.DataError(
                f'"cat"[{place}] is {_shown(category)}, but the model knows only 0 to {count - 1}',
                hint="Only categories that were in the training data can be forecast.",
            )


def _check_features(series: Series, configuration: Configuration) -> None:
    count, length = series.features.shape
    known, steps = configuration.num_dynamic_feat, configuration.prediction_length
    if count and not known:
        raise errors.DataError('"dynamic_feat" is given, but the model was trained without')
    if count != known:
        raise errors.DataError(f'"dynamic_feat" has {count} features, the model was trained with {known}')
    if count and length != len(series) + steps:
        raise errors.DataError(
            f'"dynamic_feat" has {length} values, not {len(series) + steps}: '
            f"the target's {len(series)} and the {steps} steps of the forecast"
        )


def _check_values(series: Series, configuration: Configuration) -> None:
    """As the model does, which knows no number of the instance."""
    import numpy as np

    high = {"negative-binomial": np.inf, "beta": 1.0}.get(configuration.likelihood)
    if high is not None and ((series.target < 0) | (series.target > high)).any():
        allowed = "0 to 1" if high == 1 else "0 and more"
        raise errors.DataError(f'"target" has values other than {allowed}, which {configuration.likelihood} is for')


def _check_size(instances: int, wanted: Wanted, steps: int) -> None:
    numbers = {"mean": steps, "quantiles": (steps + 1) * len(wanted.quantiles), "samples": wanted.samples * steps}
    answered = instances * sum(numbers[output] for output in set(wanted.outputs))
    if instances * wanted.samples * steps > _MAX_SAMPLED or answered > _MAX_ANSWERED:
        raise errors.DataError(
            f"{instances} instances with {wanted.samples} samples of {steps} steps are too much for one request: at "
            f"most {_MAX_SAMPLED} numbers are drawn and {_MAX_ANSWERED} answered",
            hint="Send fewer instances in a request.",
        )


def _shown(value: Any) -> str:
    """A value of the request for a message: short, whatever it is."""
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "an object"
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, int) or abs(value) < 2**63 else "too large"
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


# What is answered


def _prediction(samples: FloatArray, wanted: Wanted) -> bytes:
    """One instance's samples (S, P) as the object that was asked for."""
    import numpy as np

    if not np.isfinite(samples).all():
        raise errors.EndpointFailed("the model's forecast is not finite", status=500)
    parts = []
    if "mean" in wanted.outputs:
        mean = samples.mean(axis=0, dtype=np.float64).astype(np.float32)
        parts.append('"mean":' + _lists(mean[np.newaxis])[0])
    if "quantiles" in wanted.outputs:
        texts = _lists(_at(samples, wanted.quantiles))
        listed = dict(zip(wanted.quantiles, texts, strict=True))
        parts.append('"quantiles":{' + ",".join(f"{json.dumps(key)}:{text}" for key, text in listed.items()) + "}")
    if "samples" in wanted.outputs:
        parts.append('"samples":[' + ",".join(_lists(samples)) + "]")
    return ("{" + ",".join(parts) + "}").encode()


def _at(samples: FloatArray, quantiles: Sequence[str]) -> FloatArray:
    """(quantiles, P): a sample that was drawn, not one in between."""
    import numpy as np

    from restframe.ml.forecasting.scores import quantile_indices

    indices = quantile_indices(len(samples), [float(quantile) for quantile in quantiles])
    return np.sort(samples, axis=0)[indices]


def _lists(numbers: FloatArray) -> list[str]:
    """Each row as JSON, in the shortest form that reads back equal; pyarrow needs an eighth of json's time."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    rows, columns = numbers.shape
    texts = pc.cast(pa.array(np.ascontiguousarray(numbers).reshape(-1)), pa.string())
    offsets = pa.array(np.arange(0, (rows + 1) * columns, columns, dtype=np.int32))
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, texts), ",")
    return [f"[{row}]" for row in joined.to_pylist()]
