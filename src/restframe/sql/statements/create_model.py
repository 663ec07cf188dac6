"""Reads CREATE MODEL: which of its clauses are there decides the kind of model, and each kind has its rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from restframe import errors
from restframe.sql.lexer import Cursor, QualifiedName
from restframe.sql.statements import model_options as options
from restframe.sql.statements.model import (
    CreateAutoModel,
    CreateExternalModel,
    CreateForecastModel,
    CreateKMeansModel,
    CreateLocalModel,
    CreateModel,
    CreateRemoteModel,
    CreateXgboostModel,
    DropModel,
    ModelSettings,
    Preprocessor,
    ShowModel,
)
from restframe.sql.statements.model_clauses import Clauses, read_clauses
from restframe.sql.statements.query import Query
from restframe.types import SqlType

T = TypeVar("T")


def read_create_model(cursor: Cursor) -> CreateModel | CreateExternalModel:
    """CREATE [ EXTERNAL ] MODEL.

    SyntaxError for a clause given twice, InvalidDefinition for clauses that do not go together, both with the place
    of the clause; InvalidParameterValue for what a clause cannot say.
    """
    cursor.expect("CREATE")
    external = cursor.accept("EXTERNAL")
    cursor.expect("MODEL")
    name = cursor.qualified_name()
    clauses = read_clauses(cursor, external)
    return _external(name, clauses) if external else _KINDS[_kind(name, clauses)](name, clauses)


def read_show_model(cursor: Cursor) -> ShowModel:
    cursor.expect("SHOW", "MODEL")
    if cursor.sees("ALL") and not cursor.sees(".", ahead=1):
        cursor.advance()
        return ShowModel(None)
    return ShowModel(cursor.qualified_name())


def read_drop_model(cursor: Cursor) -> DropModel:
    cursor.expect("DROP", "MODEL")
    if_exists = cursor.accept("IF", "EXISTS")
    return DropModel(cursor.qualified_name(), if_exists)


# Kinds


@dataclass(frozen=True, slots=True)
class _Rule:
    """The clauses a kind must have and those it may have besides; settings likewise, beside the common ones."""

    must: tuple[str, ...]
    may: tuple[str, ...] = ()
    must_set: tuple[str, ...] = ()
    may_set: tuple[str, ...] = ()


_COMMON_SETTINGS = ("S3_BUCKET", "TAGS", "KMS_KEY_ID", "S3_GARBAGE_COLLECT")
_TRAINED = ("FROM", "IAM_ROLE", "SETTINGS")
_LIMITS = ("MAX_CELLS", "MAX_RUNTIME")

# Redshift ML's use cases; what each has and lacks folds the guide's comments and examples.
_RULES = {
    "remote": _Rule(("FUNCTION", "RETURNS", "SAGEMAKER", "IAM_ROLE"), ("SETTINGS",), may_set=("MAX_BATCH_ROWS",)),
    "local": _Rule(("FROM", "FUNCTION", "RETURNS", "IAM_ROLE", "SETTINGS"), must_set=("S3_BUCKET",)),
    "auto": _Rule(
        (*_TRAINED, "TARGET", "FUNCTION"),
        ("AUTO", "MODEL_TYPE", "PROBLEM_TYPE", "OBJECTIVE", "PREPROCESSORS"),
        must_set=("S3_BUCKET",),
        may_set=_LIMITS,
    ),
    "xgboost": _Rule(
        (*_TRAINED, "AUTO", "MODEL_TYPE", "TARGET", "FUNCTION", "OBJECTIVE", "PREPROCESSORS", "HYPERPARAMETERS"),
        must_set=("S3_BUCKET",),
        may_set=_LIMITS,
    ),
    "kmeans": _Rule(
        (*_TRAINED, "AUTO", "MODEL_TYPE", "FUNCTION", "HYPERPARAMETERS"),
        ("PREPROCESSORS",),
        must_set=("S3_BUCKET",),
        may_set=_LIMITS,
    ),
    "forecast": _Rule(
        (*_TRAINED, "MODEL_TYPE", "TARGET"),
        ("AUTO", "OBJECTIVE"),
        must_set=("S3_BUCKET", "HORIZON", "FREQUENCY"),
        may_set=(*_LIMITS, "PERCENTILES"),
    ),
    "external": _Rule(
        ("FUNCTION", "IAM_ROLE", "MODEL_TYPE", "SETTINGS"),
        must_set=("MODEL_ID",),
        may_set=("PROMPT", "SUFFIX", "REQUEST_TYPE", "RESPONSE_TYPE"),
    ),
}


def _kind(name: QualifiedName, clauses: Clauses) -> str:
    given = clauses.positions
    if "SAGEMAKER" in given:
        return "remote"
    if "FROM" not in given:
        raise errors.InvalidDefinition(
            "CREATE MODEL needs FROM or SAGEMAKER",
            position=name.position,
            hint="FROM says what to train on or where a trained model is, SAGEMAKER which endpoint to ask.",
        )
    if isinstance(clauses.source, str):
        return "local"
    if clauses.model_type == "FORECAST":
        return "forecast"
    if clauses.model_type == "KMEANS":
        return "kmeans"
    return "auto" if clauses.auto else "xgboost"


def _check(name: QualifiedName, clauses: Clauses, model: type[CreateModel] | type[CreateExternalModel]) -> None:
    """Hold the clauses against the kind's rule; the first that breaks it is named, where it stands."""
    kind, rule, what = model.kind, _RULES[model.kind], f"CREATE MODEL with {model.label}"
    for clause, position in clauses.positions.items():
        if clause not in rule.must and clause not in rule.may:
            _unfit(f"{clause} cannot be given for {what}", position, _HINTS.get((kind, clause)))
    for clause in rule.must:
        if clause not in clauses.positions:
            _unfit(f"{what} needs {clause}", name.position, _HINTS.get((kind, clause)))
    common = () if kind == "external" else _COMMON_SETTINGS
    for setting, given in clauses.settings.items():
        if setting not in (*rule.must_set, *rule.may_set, *common):
            _unfit(f"setting {setting} cannot be given for {what}", given.position)
    for setting in rule.must_set:
        if setting not in clauses.settings:
            _unfit(f"{what} needs setting {setting}", clauses.positions["SETTINGS"])


_HINTS = {
    ("auto", "HYPERPARAMETERS"): "Hyperparameters are chosen by the training; AUTO OFF MODEL_TYPE XGBOOST takes them.",
    ("auto", "RETURNS"): "The type follows from the training data; RETURNS goes with a model that exists already.",
    ("xgboost", "PROBLEM_TYPE"): "OBJECTIVE says it.",
    ("xgboost", "MODEL_TYPE"): "AUTO OFF needs MODEL_TYPE XGBOOST or KMEANS.",
    ("xgboost", "HYPERPARAMETERS"): "Write HYPERPARAMETERS DEFAULT to take the default of each.",
    ("kmeans", "AUTO"): "MODEL_TYPE KMEANS goes with AUTO OFF.",
    ("kmeans", "TARGET"): "Clustering has no target.",
    ("kmeans", "HYPERPARAMETERS"): "Write HYPERPARAMETERS DEFAULT EXCEPT (K 'n').",
    ("forecast", "FUNCTION"): "A forecast is read by SELECT FORECAST(model).",
    ("remote", "FROM"): "A remote model is not trained here; leave out FROM, or leave out SAGEMAKER.",
    ("local", "TARGET"): "A name in quotes after FROM is a trained model; a table is written without quotes.",
    ("local", "RETURNS"): "A name in quotes after FROM is a trained model; a table is written without quotes.",
}


def _unfit(message: str, position: int, hint: str | None = None) -> NoReturn:
    raise errors.InvalidDefinition(message, position=position, hint=hint)


def _remote(name: QualifiedName, clauses: Clauses) -> CreateRemoteModel:
    _check(name, clauses, CreateRemoteModel)
    arguments, returns, settings = _argument_types(clauses), _given(clauses.returns), _model_settings(clauses)
    from_super = any(type_.name == "super" for type_ in arguments)
    if from_super and returns.name == "super" and settings.max_batch_rows is None:
        _unfit("a model from SUPER to SUPER needs setting MAX_BATCH_ROWS", clauses.positions["RETURNS"])
    return CreateRemoteModel(
        name=name,
        iam_role=clauses.iam_role,
        settings=settings,
        function=_given(clauses.function),
        argument_types=arguments,
        returns=_given(clauses.returns),
        endpoint=clauses.endpoint,
        target_model=clauses.target_model,
        endpoint_position=clauses.positions["SAGEMAKER"],
    )


def _local(name: QualifiedName, clauses: Clauses) -> CreateLocalModel:
    _check(name, clauses, CreateLocalModel)
    source = str(clauses.source)
    if not source.strip():
        raise errors.InvalidParameterValue("FROM names nothing", position=clauses.positions["FROM"])
    if _given(clauses.returns).name == "super":
        _unfit("RETURNS SUPER goes with remote inference only", clauses.positions["RETURNS"])
    in_storage = source.lower().startswith("s3://")
    return CreateLocalModel(
        name=name,
        iam_role=clauses.iam_role,
        settings=_model_settings(clauses),
        function=_given(clauses.function),
        argument_types=_argument_types(clauses),
        returns=_given(clauses.returns),
        artifact=source if in_storage else None,
        job=None if in_storage else source,
    )


def _automatic(name: QualifiedName, clauses: Clauses) -> CreateAutoModel:
    _check(name, clauses, CreateAutoModel)
    _no_argument_types(clauses)
    return CreateAutoModel(
        name=name,
        iam_role=clauses.iam_role,
        settings=_model_settings(clauses),
        training_data=_training_data(clauses),
        training_position=clauses.positions["FROM"],
        target=clauses.target,
        function=_given(clauses.function),
        model_type=clauses.model_type,
        problem_type=clauses.problem_type,
        objective=_chosen_objective(clauses, options.AUTO_OBJECTIVES),
        preprocessors=_preprocessors(clauses),
    )


def _xgboost(name: QualifiedName, clauses: Clauses) -> CreateXgboostModel:
    _check(name, clauses, CreateXgboostModel)
    _no_argument_types(clauses)
    positions = clauses.positions
    if clauses.model_type != "XGBOOST":
        _unfit(f"MODEL_TYPE {clauses.model_type} cannot be trained with AUTO OFF", positions["MODEL_TYPE"])
    if _preprocessors(clauses):
        _unfit("MODEL_TYPE XGBOOST with AUTO OFF needs PREPROCESSORS 'none'", positions["PREPROCESSORS"])
    objective = options.choice(str(clauses.objective), options.XGBOOST_OBJECTIVES, "OBJECTIVE", positions["OBJECTIVE"])
    parameters = options.check_hyperparameters(clauses.hyperparameters, options.XGBOOST_HYPERPARAMETERS)
    if (objective == "multi:softmax") != any(key == "num_class" for key, _ in parameters):
        _unfit(
            "hyperparameter num_class goes with OBJECTIVE 'multi:softmax', which needs it",
            positions["HYPERPARAMETERS"],
            "Write HYPERPARAMETERS DEFAULT EXCEPT (NUM_CLASS 'n').",
        )
    return CreateXgboostModel(
        name=name,
        iam_role=clauses.iam_role,
        settings=_model_settings(clauses),
        training_data=_training_data(clauses),
        training_position=positions["FROM"],
        target=clauses.target,
        function=_given(clauses.function),
        objective=objective,
        hyperparameters=parameters,
    )


def _kmeans(name: QualifiedName, clauses: Clauses) -> CreateKMeansModel:
    _check(name, clauses, CreateKMeansModel)
    _no_argument_types(clauses)
    positions = clauses.positions
    if clauses.auto:
        _unfit("MODEL_TYPE KMEANS goes with AUTO OFF", positions["AUTO"])
    parameters = options.check_hyperparameters(clauses.hyperparameters, options.KMEANS_HYPERPARAMETERS)
    if not parameters:
        _unfit(
            "CREATE MODEL with MODEL_TYPE KMEANS needs hyperparameter K",
            positions["HYPERPARAMETERS"],
            _HINTS["kmeans", "HYPERPARAMETERS"],
        )
    return CreateKMeansModel(
        name=name,
        iam_role=clauses.iam_role,
        settings=_model_settings(clauses),
        training_data=_training_data(clauses),
        training_position=positions["FROM"],
        function=_given(clauses.function),
        preprocessors=_preprocessors(clauses, options.KMEANS_TRANSFORMERS) or (),
        hyperparameters=parameters,
    )


def _forecast(name: QualifiedName, clauses: Clauses) -> CreateForecastModel:
    _check(name, clauses, CreateForecastModel)
    if not clauses.auto:
        _unfit("MODEL_TYPE FORECAST goes with AUTO ON", clauses.positions["AUTO"])
    return CreateForecastModel(
        name=name,
        iam_role=clauses.iam_role,
        settings=_model_settings(clauses),
        training_data=_training_data(clauses),
        training_position=clauses.positions["FROM"],
        target=clauses.target,
        objective=_chosen_objective(clauses, options.FORECAST_OBJECTIVES),
        places=clauses.positions | {name: setting.position for name, setting in clauses.settings.items()},
    )


def _external(name: QualifiedName, clauses: Clauses) -> CreateExternalModel:
    _check(name, clauses, CreateExternalModel)
    _no_argument_types(clauses)
    values = {one.field: one.value for one in clauses.settings.values()}
    return CreateExternalModel(name=name, iam_role=clauses.iam_role, function=_given(clauses.function), **values)


_KINDS: dict[str, Callable[[QualifiedName, Clauses], CreateModel]] = {
    "remote": _remote,
    "local": _local,
    "auto": _automatic,
    "xgboost": _xgboost,
    "kmeans": _kmeans,
    "forecast": _forecast,
}


def _argument_types(clauses: Clauses) -> tuple[SqlType, ...]:
    if clauses.argument_types is None:
        _unfit(
            "FUNCTION needs its argument types",
            clauses.positions["FUNCTION"],
            "Write them in parentheses, as FUNCTION f(int, varchar).",
        )
    return clauses.argument_types


def _given(value: T | None) -> T:
    """The value of a clause that the kind's rule asks for."""
    assert value is not None
    return value


def _no_argument_types(clauses: Clauses) -> None:
    if clauses.argument_types is not None:
        _unfit("the function's argument types cannot be given here", clauses.positions["FUNCTION"])


def _chosen_objective(clauses: Clauses, known: tuple[str, ...]) -> str | None:
    if clauses.objective is None:
        return None
    return options.choice(clauses.objective, known, "OBJECTIVE", clauses.positions["OBJECTIVE"])


def _preprocessors(
    clauses: Clauses, allowed: tuple[str, ...] = options.TRANSFORMERS
) -> tuple[Preprocessor, ...] | None:
    position = clauses.positions.get("PREPROCESSORS")
    return None if position is None else options.preprocessors(clauses.preprocessors, position, allowed)


def _training_data(clauses: Clauses) -> QualifiedName | Query:
    source = clauses.source
    assert source is not None and not isinstance(source, str)  # a text would have made a local model
    return source


def _model_settings(clauses: Clauses) -> ModelSettings:
    return ModelSettings(**{one.field: one.value for one in clauses.settings.values()})
