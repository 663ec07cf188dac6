"""What the clauses of CREATE MODEL may say: objectives, settings, hyperparameters, preprocessors, and their limits."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from restframe import errors
from restframe.sql.lexer import Cursor
from restframe.sql.statements.model import Preprocessor

# Objectives by kind of model, in the spelling SHOW MODEL uses. They are matched in any case, F1_Macro also as F1Macro.
AUTO_OBJECTIVES = ("MSE", "Accuracy", "F1", "F1_Macro", "AUC")
XGBOOST_OBJECTIVES = (
    "reg:squarederror", "reg:squaredlogerror", "reg:logistic", "reg:pseudohubererror", "reg:tweedie",
    "binary:logistic", "binary:hinge", "multi:softmax", "rank:pairwise", "rank:ndcg",
)  # fmt: skip
FORECAST_OBJECTIVES = ("RMSE", "WAPE", "MAPE", "MASE", "AverageWeightedQuantileLoss")
PROBLEM_TYPES = ("REGRESSION", "BINARY_CLASSIFICATION", "MULTICLASS_CLASSIFICATION")
MODEL_TYPES = ("XGBOOST", "MLP", "LINEAR_LEARNER", "KMEANS", "FORECAST")
KMEANS_TRANSFORMERS = ("StandardScaler", "MinMax", "NumericPassthrough")
TRANSFORMERS = (
    "OneHotEncoder", "OrdinalEncoder", "NumericPassthrough", "Imputer", "ImputerWithIndicator", "Normalizer",
    "DateTimeVectorizer", "PCA", "StandardScaler", "MinMax",
)  # fmt: skip
_FREQUENCIES = ("Y", "M", "W", "D", "H", "30min", "15min", "10min", "5min", "1min")
_MAX_INTEGER = 2**31 - 1
_MAX_PERCENTILES = 5


def choice(text: str, choices: tuple[str, ...], what: str, position: int) -> str:
    """The one of `choices` that a user wrote in whichever case, with or without underscores."""
    wanted = text.replace("_", "").lower()
    found = next((one for one in choices if one.replace("_", "").lower() == wanted), None)
    if found is None:
        _refuse(f'{what} "{text[:100]}" is not known', position, f"Use one of {', '.join(choices)}.")
    return found


def _refuse(message: str, position: int, hint: str | None = None) -> NoReturn:
    raise errors.InvalidParameterValue(message, position=position, hint=hint)


# PREPROCESSORS


def preprocessors(text: str, position: int, allowed: tuple[str, ...] = TRANSFORMERS) -> tuple[Preprocessor, ...]:
    """'none', or a JSON list of {"ColumnSet": [column, ...], "Transformers": [name, ...]}."""
    if text.strip().lower() == "none":
        return ()
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise errors.InvalidParameterValue(
            f"PREPROCESSORS is not valid JSON: {str(error)[:100]}", position=position
        ) from error
    if not isinstance(listed, list) or not listed:
        _refuse("PREPROCESSORS must be 'none' or a JSON list of objects", position)
    return tuple(_preprocessor(entry, position, allowed) for entry in listed)


def _preprocessor(entry: Any, position: int, allowed: tuple[str, ...]) -> Preprocessor:
    if not isinstance(entry, dict) or set(entry) != {"ColumnSet", "Transformers"}:
        _refuse('each entry of PREPROCESSORS must have "ColumnSet" and "Transformers", and nothing else', position)
    columns, transformers = (_texts(entry[key], key, position) for key in ("ColumnSet", "Transformers"))
    return Preprocessor(
        tuple(column.lower() for column in columns),
        tuple(choice(name, allowed, "transformer", position) for name in transformers),
    )


def _texts(value: Any, key: str, position: int) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
        _refuse(f'"{key}" in PREPROCESSORS must be a list of names', position)
    return value


# HYPERPARAMETERS


@dataclass(frozen=True, slots=True)
class Range:
    """Inclusive limits of a number. Written as texts in SQL, hence checked here."""

    least: float
    most: float
    whole: bool = False

    def check(self, text: str) -> bool:
        pattern = r"-?[0-9]{1,18}" if self.whole else r"[-+]?([0-9]{1,18}(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,3})?"
        return re.fullmatch(pattern, text) is not None and self.least <= float(text) <= self.most

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} from {self.least:g} to {self.most:g}"


@dataclass(frozen=True, slots=True)
class OneOf:
    choices: tuple[str, ...]

    def check(self, text: str) -> bool:
        return text in self.choices

    def __str__(self) -> str:
        return f"one of {', '.join(self.choices)}"


Limits = Mapping[str, Range | OneOf]

XGBOOST_HYPERPARAMETERS: Limits = {
    "num_class": Range(2, 1_000_000, whole=True),
    "num_round": Range(1, 1_000_000, whole=True),
    "tree_method": OneOf(("auto", "exact", "approx", "hist")),
    "max_depth": Range(0, 10, whole=True),
    "min_child_weight": Range(0, 120),
    "subsample": Range(0.5, 1),
    "gamma": Range(0, 5),
    "alpha": Range(0, 1000),
    "eta": Range(0.1, 0.5),
    "colsample_bylevel": Range(0.1, 1),
    "colsample_bynode": Range(0.1, 1),
    "colsample_bytree": Range(0.5, 1),
    "lambda": Range(0, 1000),
    "max_delta_step": Range(0, 10),
}
KMEANS_HYPERPARAMETERS: Limits = {"k": Range(1, 1_000_000, whole=True)}


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """One entry of DEFAULT EXCEPT ( name 'value' ), with the name in lower case and the place where it stands."""

    name: str
    value: str
    position: int


def check_hyperparameters(given: tuple[Hyperparameter, ...], limits: Limits) -> tuple[tuple[str, str], ...]:
    """The entries as (name, value), in order of name."""
    for one in given:
        limit = limits.get(one.name)
        if limit is None:
            _refuse(f'hyperparameter "{one.name[:100]}" is not known', one.position, f"There are {', '.join(limits)}.")
        if not limit.check(one.value):
            _refuse(
                f'invalid value for hyperparameter "{one.name}": "{one.value[:100]}"',
                one.position,
                f"It must be {limit}.",
            )
    return tuple(sorted((one.name, one.value) for one in given))


# SETTINGS


@dataclass(frozen=True, slots=True)
class Setting:
    """One entry of SETTINGS: the field it sets, its value, and where its name stands."""

    field: str
    value: Any
    position: int


def read_settings(cursor: Cursor) -> dict[str, Setting]:
    """( NAME value [, ...] ) by name; SyntaxError for a name that is unknown or stands there twice."""
    found: dict[str, Setting] = {}
    cursor.expect("(")
    while True:
        position, name = cursor.position, cursor.word() or ""
        if name not in _SETTINGS:
            cursor.fail()
        if name in found:
            raise errors.SyntaxError(f"setting {name} is given more than once", position=position)
        cursor.advance()
        field, read = _SETTINGS[name]
        found[name] = Setting(field, read(cursor), position)
        if not cursor.accept(","):
            cursor.expect(")")
            return found


def _text(cursor: Cursor) -> str:
    return cursor.string()


def _word_or_text(cursor: Cursor) -> str:
    return cursor.string() if cursor.sees_string() else cursor.identifier()


def _on_off(cursor: Cursor) -> bool:
    position = cursor.position
    return choice(_word_or_text(cursor), ("ON", "OFF"), "value", position) == "ON"


def _count(cursor: Cursor) -> int:
    position = cursor.position
    number = cursor.integer()
    if not 1 <= number <= _MAX_INTEGER:
        _refuse(f"{number} is out of range", position, f"It must be from 1 to {_MAX_INTEGER}.")
    return number


def _frequency(cursor: Cursor) -> str:
    """A word, a string, or a number and a unit without quotes: `D`, `'15min'`, `15min`."""
    position = cursor.position
    if cursor.sees_string() or cursor.word() is not None:
        text = _word_or_text(cursor)
    else:
        text = f"{cursor.integer()}{cursor.identifier()}"
    return choice(text, _FREQUENCIES, "frequency", position)


def _percentiles(cursor: Cursor) -> tuple[str, ...]:
    position = cursor.position
    listed = tuple(one.strip().lower() for one in cursor.string().split(","))
    for one in listed:
        if one != "mean" and not (Range(0.01, 0.99).check(one) and round(float(one) * 100, 9).is_integer()):
            hint = "Use numbers from 0.01 to 0.99, of two decimals, or mean."
            _refuse(f'percentile "{one[:100]}" is not valid', position, hint)
    if len(listed) > _MAX_PERCENTILES:
        _refuse(f"there can be at most {_MAX_PERCENTILES} percentiles", position)
    if len({one if one == "mean" else float(one) for one in listed}) < len(listed):
        _refuse("a percentile is given twice", position)
    return listed


def _request_type(cursor: Cursor) -> str:
    position = cursor.position
    return choice(_word_or_text(cursor), ("RAW", "UNIFIED"), "request type", position)


def _response_type(cursor: Cursor) -> str:
    position = cursor.position
    return choice(_word_or_text(cursor), ("VARCHAR", "SUPER"), "response type", position)


_SETTINGS: dict[str, tuple[str, Callable[[Cursor], Any]]] = {
    "S3_BUCKET": ("s3_bucket", _text),
    "TAGS": ("tags", _text),
    "KMS_KEY_ID": ("kms_key_id", _text),
    "S3_GARBAGE_COLLECT": ("s3_garbage_collect", _on_off),
    "MAX_CELLS": ("max_cells", _count),
    "MAX_RUNTIME": ("max_runtime_s", _count),
    "HORIZON": ("horizon", _count),
    "FREQUENCY": ("frequency", _frequency),
    "PERCENTILES": ("percentiles", _percentiles),
    "MAX_BATCH_ROWS": ("max_batch_rows", _count),
    "MODEL_ID": ("model_id", _text),
    "PROMPT": ("prompt", _text),
    "SUFFIX": ("suffix", _text),
    "REQUEST_TYPE": ("request_type", _request_type),
    "RESPONSE_TYPE": ("response_type", _response_type),
}
