"""CREATE MODEL in all its kinds: what each demo of Redshift ML writes, in any order, and what is refused where."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe import errors
from restframe.sql.lexer import QualifiedName
from restframe.sql.parse import parse
from restframe.sql.statements import Statement
from restframe.sql.statements.model import (
    CreateAutoModel,
    CreateExternalModel,
    CreateForecastModel,
    CreateKMeansModel,
    CreateLocalModel,
    CreateRemoteModel,
    CreateXgboostModel,
    DropModel,
    ModelSettings,
    Preprocessor,
    ShowModel,
)
from restframe.sql.statements.query import Query
from restframe.types import SqlType

INT, FLOAT = SqlType("int4"), SqlType("float8")


def one(text: str) -> Statement:
    (statement,) = parse(text)
    return statement


def bare(statement: Statement) -> Statement:
    """The statement without its source, to compare what two texts mean."""
    return dataclasses.replace(statement, text="", position=1)


# The demos


def test_remote_inference() -> None:
    statement = one(
        """CREATE MODEL public.rides_scored
           FUNCTION score_ride(int) RETURNS decimal(10,6)
           SAGEMAKER'forest-endpoint' IAM_ROLE'arn:aws:iam::1:role/r'"""
    )

    assert bare(statement) == CreateRemoteModel(
        name=QualifiedName("public", "rides_scored"),
        iam_role="arn:aws:iam::1:role/r",
        function=QualifiedName(None, "score_ride"),
        argument_types=(INT,),
        returns=SqlType("numeric", precision=10, scale=6),
        endpoint="forest-endpoint",
    )


def test_remote_inference_with_many_arguments_and_a_target_model() -> None:
    statement = one(
        f"create model m function s.f ({', '.join(['float '] * 39)}) returns float sagemaker 'e':'m.tar.gz' "
        "iam_role default settings (max_batch_rows 100)"
    )

    assert isinstance(statement, CreateRemoteModel)
    assert statement.argument_types == (FLOAT,) * 39
    assert (statement.endpoint, statement.target_model) == ("e", "m.tar.gz")
    assert statement.function == QualifiedName("s", "f")
    assert (statement.iam_role, statement.settings.max_batch_rows) == ("default", 100)


@pytest.mark.parametrize(
    ("source", "artifact", "job"),
    [
        ("'s3://b/path to/model.tar.gz'", "s3://b/path to/model.tar.gz", None),
        ("'2021-08-09-auto'", None, "2021-08-09-auto"),
        ("('2021-08-09-auto')", None, "2021-08-09-auto"),
    ],
)
def test_local_inference(source: str, artifact: str | None, job: str | None) -> None:
    statement = one(
        f"CREATE MODEL age FROM {source} FUNCTION age(int, float, bpchar) RETURNS int "
        "IAM_ROLE 'r' settings( S3_BUCKET 'b')"
    )

    assert bare(statement) == CreateLocalModel(
        name=QualifiedName(None, "age"),
        iam_role="r",
        settings=ModelSettings(s3_bucket="b"),
        function=QualifiedName(None, "age"),
        argument_types=(INT, FLOAT, SqlType("bpchar", length=256)),
        returns=INT,
        artifact=artifact,
        job=job,
    )


def test_auto_on_a_query() -> None:
    text = """CREATE MODEL ml.leaving
        FROM ( SELECT state, usage / days AS per_day, left_us FROM members WHERE seen < '2020-01-01' )
        TARGET left_us FUNCTION will_leave IAM_ROLE 'r' SETTINGS (S3_BUCKET 'b', MAX_CELLS 10000)"""
    statement = one(text)

    assert isinstance(statement, CreateAutoModel)
    assert not statement.guided
    assert statement.target == "left_us"
    assert statement.settings == ModelSettings(s3_bucket="b", max_cells=10_000)
    query = statement.training_data
    assert isinstance(query, Query)
    assert query.text == "SELECT state, usage / days AS per_day, left_us FROM members WHERE seen < '2020-01-01'"
    assert text[query.position - 1 :].startswith(query.text)


def test_guided_auto_with_clauses_after_the_role() -> None:
    statement = one(
        "create model rentals from training_data target trips function predict iam_role 'r' "
        "problem_type regression objective 'mse' "
        "settings (s3_bucket 'b', s3_garbage_collect off, max_runtime 5000)"
    )

    assert bare(statement) == CreateAutoModel(
        name=QualifiedName(None, "rentals"),
        iam_role="r",
        settings=ModelSettings(s3_bucket="b", s3_garbage_collect=False, max_runtime_s=5000),
        training_data=QualifiedName(None, "training_data"),
        target="trips",
        function=QualifiedName(None, "predict"),
        problem_type="REGRESSION",
        objective="MSE",
    )
    assert isinstance(statement, CreateAutoModel) and statement.guided


@pytest.mark.parametrize("model_type", ["XGBoost", "LINEAR_LEARNER", "mlp", "'MLP'"])
def test_guided_auto_with_a_model_type(model_type: str) -> None:
    statement = one(
        f"CREATE MODEL m FROM t TARGET 'Y' FUNCTION f IAM_ROLE default MODEL_TYPE {model_type} SETTINGS (S3_BUCKET 'b')"
    )
    assert isinstance(statement, CreateAutoModel) and statement.guided
    assert statement.model_type == model_type.strip("'").upper()
    assert statement.target == "y"


@pytest.mark.parametrize(
    "spelling",
    [
        "MULTICLASS_CLASSIFICATION",
        "'Multiclass_Classification'",
        "(MulticlassClassification)",
        "('MULTICLASS_CLASSIFICATION')",
    ],
)
def test_problem_types_in_four_spellings(spelling: str) -> None:
    statement = one(
        f"CREATE MODEL m FROM t TARGET y FUNCTION f IAM_ROLE default problem_type {spelling} "
        "SETTINGS (S3_BUCKET 'b', S3_GARBAGE_COLLECT OFF)"
    )
    assert isinstance(statement, CreateAutoModel)
    assert statement.problem_type == "MULTICLASS_CLASSIFICATION"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("'mse'", "MSE"),
        ("accuracy", "Accuracy"),
        ("('F1Macro')", "F1_Macro"),
        ("(f1_macro)", "F1_Macro"),
        ("'AUC'", "AUC"),
    ],
)
def test_objectives_in_any_spelling(written: str, meant: str) -> None:
    statement = one(
        f"CREATE MODEL m FROM t TARGET y FUNCTION f IAM_ROLE default OBJECTIVE {written} SETTINGS (S3_BUCKET 'b')"
    )
    assert isinstance(statement, CreateAutoModel) and statement.objective == meant


def test_preprocessors_of_a_guided_model() -> None:
    described = [
        {"ColumnSet": ["T1", "t2"], "Transformers": ["OneHotEncoder"]},
        {"ColumnSet": ["temp"], "Transformers": ["Imputer", "numericpassthrough"]},
    ]
    statement = one(
        "CREATE MODEL m FROM t TARGET y FUNCTION f IAM_ROLE default MODEL_TYPE XGBOOST "
        f"PREPROCESSORS '{json.dumps(described)}' SETTINGS (S3_BUCKET 'b')"
    )
    assert isinstance(statement, CreateAutoModel)
    assert statement.preprocessors == (
        Preprocessor(("t1", "t2"), ("OneHotEncoder",)),
        Preprocessor(("temp",), ("Imputer", "NumericPassthrough")),
    )


def test_xgboost_with_auto_off() -> None:
    statement = one(
        "CREATE MODEL notes FROM notes_train TARGET class FUNCTION is_false IAM_ROLE 'r' AUTO OFF "
        "MODEL_TYPE xgboost OBJECTIVE 'binary:logistic' PREPROCESSORS 'none' "
        "HYPERPARAMETERS DEFAULT EXCEPT(NUM_ROUND '100', eta '.3') SETTINGS (S3_BUCKET 'b')"
    )

    assert bare(statement) == CreateXgboostModel(
        name=QualifiedName(None, "notes"),
        iam_role="r",
        settings=ModelSettings(s3_bucket="b"),
        training_data=QualifiedName(None, "notes_train"),
        target="class",
        function=QualifiedName(None, "is_false"),
        objective="binary:logistic",
        hyperparameters=(("eta", ".3"), ("num_round", "100")),
    )


def test_k_means() -> None:
    statement = one(
        "CREATE model seg.homes FROM(Select income, latitude From seg.prices) FUNCTION segment IAM_ROLE default "
        'AUTO OFF MODEL_TYPE KMEANS PREPROCESSORS \'[{"ColumnSet": ["*"], "Transformers": ["StandardScaler"]}]\' '
        "HYPERPARAMETERS DEFAULT EXCEPT (K '5') SETTINGS (S3_BUCKET 'b')"
    )

    assert isinstance(statement, CreateKMeansModel)
    assert statement.hyperparameters == (("k", "5"),)
    assert statement.preprocessors == (Preprocessor(("*",), ("StandardScaler",)),)


def test_forecast() -> None:
    statement = one(
        "CREATE MODEL demand FROM (select item, day, quantity from sales) TARGET quantity IAM_ROLE 'r' "
        "AUTO ON MODEL_TYPE FORECAST OBJECTIVE 'AverageWeightedQuantileLoss' SETTINGS (S3_BUCKET 'b', HORIZON 5, "
        "FREQUENCY 'D', PERCENTILES '0.25,0.50, mean', S3_GARBAGE_COLLECT OFF)"
    )

    assert isinstance(statement, CreateForecastModel)
    assert statement.target == "quantity"
    assert statement.objective == "AverageWeightedQuantileLoss"
    assert statement.settings == ModelSettings(
        s3_bucket="b", horizon=5, frequency="D", percentiles=("0.25", "0.50", "mean"), s3_garbage_collect=False
    )


@pytest.mark.parametrize(
    ("written", "meant"), [("D", "D"), ("'h'", "H"), ("30min", "30min"), ("'15MIN'", "15min"), ("1 min", "1min")]
)
def test_frequencies(written: str, meant: str) -> None:
    statement = one(
        "CREATE MODEL m FROM t TARGET y IAM_ROLE default MODEL_TYPE FORECAST "
        f"SETTINGS (S3_BUCKET 'b', HORIZON 1, FREQUENCY {written})"
    )
    assert isinstance(statement, CreateForecastModel) and statement.settings.frequency == meant


def test_external_model() -> None:
    statement = one(
        "CREATE EXTERNAL MODEL words FUNCTION ask IAM_ROLE DEFAULT MODEL_TYPE BEDROCK "
        "SETTINGS (MODEL_ID 'some.model-v1:0', PROMPT 'Say: ', REQUEST_TYPE RAW, RESPONSE_TYPE 'super')"
    )
    assert bare(statement) == CreateExternalModel(
        name=QualifiedName(None, "words"),
        iam_role="default",
        function=QualifiedName(None, "ask"),
        model_id="some.model-v1:0",
        prompt="Say: ",
        request_type="RAW",
        response_type="SUPER",
    )


def test_show_and_drop() -> None:
    assert bare(one("SHOW MODEL ALL")) == ShowModel(None)
    assert bare(one("show model public.m")) == ShowModel(QualifiedName("public", "m"))
    assert bare(one("drop model if exists m;")) == DropModel(QualifiedName(None, "m"), True)
    assert bare(one("DROP MODEL s.m")) == DropModel(QualifiedName("s", "m"))


def test_two_statements_in_one_text() -> None:
    drop, create = parse(
        "drop model if exists m;CREATE MODEL m FUNCTION f(int) RETURNS int SAGEMAKER'e' IAM_ROLE default"
    )
    assert isinstance(drop, DropModel)
    assert isinstance(create, CreateRemoteModel) and (create.position, create.name.position) == (24, 37)


# Any order

ORDERS = {
    "remote": [
        "FUNCTION f(int)", "RETURNS float", "SAGEMAKER 'e':'x'", "IAM_ROLE default", "SETTINGS(MAX_BATCH_ROWS 5)",
    ],
    "auto": [
        "FROM (select a, b from t)", "TARGET b", "FUNCTION f", "IAM_ROLE 'r'", "AUTO ON", "MODEL_TYPE XGBOOST",
        "PROBLEM_TYPE (REGRESSION)", "OBJECTIVE 'mse'", "PREPROCESSORS 'none'", "SETTINGS(S3_BUCKET 'b')",
    ],
    "xgboost": [
        "FROM t", "TARGET y", "FUNCTION s.f", "IAM_ROLE default", "AUTO OFF", "MODEL_TYPE XGBOOST",
        "OBJECTIVE 'multi:softmax'", "PREPROCESSORS 'none'", "HYPERPARAMETERS DEFAULT EXCEPT (NUM_CLASS '3')",
        "SETTINGS(S3_BUCKET 'b')",
    ],
}  # fmt: skip


@settings(max_examples=60)
@given(st.sampled_from(sorted(ORDERS)).flatmap(lambda kind: st.tuples(st.just(kind), st.permutations(ORDERS[kind]))))
def test_clauses_in_any_order_make_the_same_statement(chosen: tuple[str, list[str]]) -> None:
    kind, clauses = chosen

    def meaning(order: list[str]) -> str:
        statement = repr(bare(one("CREATE MODEL m " + " ".join(order))))
        return re.sub(r"position=\d+|tree=<[^>]*>", "", statement)

    assert meaning(clauses) == meaning(ORDERS[kind])


# What is refused

REMOTE = "CREATE MODEL m FUNCTION f(int) RETURNS int SAGEMAKER 'e' IAM_ROLE default"
AUTO = "CREATE MODEL m FROM t TARGET y FUNCTION f IAM_ROLE default SETTINGS (S3_BUCKET 'b')"
XGBOOST = (
    "CREATE MODEL m FROM t TARGET y FUNCTION f IAM_ROLE default AUTO OFF MODEL_TYPE XGBOOST "
    "OBJECTIVE 'reg:logistic' PREPROCESSORS 'none' HYPERPARAMETERS DEFAULT SETTINGS (S3_BUCKET 'b')"
)
KMEANS = (
    "CREATE MODEL m FROM t FUNCTION f IAM_ROLE default AUTO OFF MODEL_TYPE KMEANS PREPROCESSORS 'none' "
    "HYPERPARAMETERS DEFAULT EXCEPT (K '5') SETTINGS (S3_BUCKET 'b')"
)
FORECAST = (
    "CREATE MODEL m FROM t TARGET y IAM_ROLE default MODEL_TYPE FORECAST "
    "SETTINGS (S3_BUCKET 'b', HORIZON 5, FREQUENCY 'D')"
)
LOCAL = "CREATE MODEL m FROM 'job' FUNCTION f(int) RETURNS int IAM_ROLE default SETTINGS (S3_BUCKET 'b')"
EXTERNAL = "CREATE EXTERNAL MODEL m FUNCTION f IAM_ROLE default MODEL_TYPE BEDROCK SETTINGS (MODEL_ID 'x')"

WRONG, UNFIT, VALUE = errors.SyntaxError, errors.InvalidDefinition, errors.InvalidParameterValue


@pytest.mark.parametrize("text", [REMOTE, AUTO, XGBOOST, KMEANS, FORECAST, LOCAL, EXTERNAL])
def test_the_statements_that_are_changed_below_are_right(text: str) -> None:
    parse(text)


@pytest.mark.parametrize(
    ("text", "error", "place", "message"),
    [
        # not the grammar
        (f"{REMOTE} BOGUS", WRONG, "BOGUS", 'syntax error at or near "BOGUS"'),
        (f"{REMOTE} FUNCTION g(int)", WRONG, "FUNCTION g", "FUNCTION is given more than once"),
        (f"{AUTO} settings (s3_bucket 'c')", WRONG, "settings", "SETTINGS is given more than once"),
        ("CREATE MODEL", WRONG, "", "syntax error at end of input"),
        (f"{REMOTE} IAM_ROLE", WRONG, "IAM_ROLE", "IAM_ROLE is given more than once"),
        ("CREATE MODEL m IAM_ROLE role", WRONG, "role", 'near "role"'),
        ("CREATE MODEL m AUTO MAYBE", WRONG, "MAYBE", 'near "MAYBE"'),
        (f"{AUTO} OBJECTIVE {'(' * 5000}", WRONG, "((((", 'near "("'),
        ("CREATE MODEL m FROM (select 1", WRONG, "(select", 'unbalanced "("'),
        (AUTO.replace("S3_BUCKET 'b'", "S3_BUCKET 'b', s3_bucket 'c'"), WRONG, "s3_bucket", "more than once"),
        (AUTO.replace("S3_BUCKET 'b'", "S3_BUCKETS 'b'"), WRONG, "S3_BUCKETS", 'near "S3_BUCKETS"'),
        (KMEANS.replace("K '5'", "K '5', k '6'"), WRONG, "k '6'", "more than once"),
        (KMEANS.replace("K '5'", "K 5"), WRONG, "5)", 'near "5"'),
        # the wrong clauses
        ("CREATE MODEL m FUNCTION f", UNFIT, "m FUNCTION", "needs FROM or SAGEMAKER"),
        (f"{REMOTE} FROM t", UNFIT, "FROM", "FROM cannot be given for CREATE MODEL with SAGEMAKER"),
        (f"{REMOTE} TARGET y", UNFIT, "TARGET", "TARGET cannot be given for CREATE MODEL with SAGEMAKER"),
        (f"{REMOTE} SETTINGS (HORIZON 5)", UNFIT, "HORIZON", "setting HORIZON cannot be given"),
        (REMOTE.replace("RETURNS int", ""), UNFIT, "m FUNCTION", "needs RETURNS"),
        (REMOTE.replace("f(int)", "f"), UNFIT, "FUNCTION", "FUNCTION needs its argument types"),
        (REMOTE.replace("int", "super"), UNFIT, "RETURNS", "needs setting MAX_BATCH_ROWS"),
        (f"{AUTO} HYPERPARAMETERS DEFAULT", UNFIT, "HYPERPARAMETERS", "HYPERPARAMETERS cannot be given"),
        (f"{AUTO} RETURNS int", UNFIT, "RETURNS", "RETURNS cannot be given for CREATE MODEL with AUTO ON"),
        (AUTO.replace("TARGET y", ""), UNFIT, "m FROM", "needs TARGET"),
        (AUTO.replace("S3_BUCKET 'b'", "MAX_CELLS 5"), UNFIT, "SETTINGS", "needs setting S3_BUCKET"),
        (AUTO.replace("FUNCTION f", "FUNCTION f(int)"), UNFIT, "FUNCTION", "argument types cannot be given"),
        (f"{XGBOOST} PROBLEM_TYPE REGRESSION", UNFIT, "PROBLEM_TYPE", "PROBLEM_TYPE cannot be given"),
        (XGBOOST.replace("MODEL_TYPE XGBOOST", ""), UNFIT, "m FROM", "needs MODEL_TYPE"),
        (XGBOOST.replace("XGBOOST", "MLP"), UNFIT, "MODEL_TYPE MLP", "MLP cannot be trained with AUTO OFF"),
        (XGBOOST.replace("HYPERPARAMETERS DEFAULT", ""), UNFIT, "m FROM", "needs HYPERPARAMETERS"),
        (XGBOOST.replace("reg:logistic", "multi:softmax"), UNFIT, "HYPERPARAMETERS", "num_class"),
        (f"{KMEANS} TARGET y", UNFIT, "TARGET", "TARGET cannot be given"),
        (KMEANS.replace("AUTO OFF", "AUTO ON"), UNFIT, "AUTO ON", "goes with AUTO OFF"),
        (KMEANS.replace("EXCEPT (K '5')", ""), UNFIT, "HYPERPARAMETERS", "needs hyperparameter K"),
        (f"{FORECAST} FUNCTION f", UNFIT, "FUNCTION", "FUNCTION cannot be given"),
        (FORECAST.replace("HORIZON 5, ", ""), UNFIT, "SETTINGS", "needs setting HORIZON"),
        (FORECAST.replace("FORECAST", "FORECAST AUTO OFF"), UNFIT, "AUTO OFF", "goes with AUTO ON"),
        (f"{LOCAL} TARGET y", UNFIT, "TARGET", "TARGET cannot be given for CREATE MODEL with local inference"),
        (LOCAL.replace("RETURNS int", "RETURNS super"), UNFIT, "RETURNS", "SUPER goes with remote"),
        (f"{EXTERNAL} FROM t", UNFIT, "FROM", "FROM cannot be given"),
        (EXTERNAL.replace("MODEL_ID", "S3_BUCKET"), UNFIT, "S3_BUCKET", "setting S3_BUCKET cannot be given"),
        (EXTERNAL.replace("BEDROCK", "XGBOOST"), WRONG, "XGBOOST", 'near "XGBOOST"'),
        # the wrong values
        (f"{AUTO} PROBLEM_TYPE guessing", VALUE, "guessing", 'PROBLEM_TYPE "guessing" is not known'),
        (f"{AUTO} OBJECTIVE 'reg:logistic'", VALUE, "OBJECTIVE", 'OBJECTIVE "reg:logistic" is not known'),
        (f"{AUTO} MODEL_TYPE forest", VALUE, "forest", 'MODEL_TYPE "forest" is not known'),
        (f"{AUTO} PREPROCESSORS '[{{'", VALUE, "PREPROCESSORS", "not valid JSON"),
        (f"{AUTO} PREPROCESSORS '{{}}'", VALUE, "PREPROCESSORS", "a JSON list"),
        (f"""{AUTO} PREPROCESSORS '[{{"ColumnSet":["a"]}}]'""", VALUE, "PREPROCESSORS", '"Transformers"'),
        (
            f"""{AUTO} PREPROCESSORS '[{{"ColumnSet":["a"],"Transformers":["Magic"]}}]'""",
            VALUE,
            "PREPROCESSORS",
            'transformer "Magic" is not known',
        ),
        (
            KMEANS.replace("'none'", """'[{"ColumnSet":["a"],"Transformers":["PCA"]}]'"""),
            VALUE,
            "PREPROCESSORS",
            'transformer "PCA" is not known',
        ),
        (XGBOOST.replace("DEFAULT SET", "DEFAULT EXCEPT (eta '0.9') SET"), VALUE, "eta", "0.9"),
        (XGBOOST.replace("DEFAULT SET", "DEFAULT EXCEPT (depth '9') SET"), VALUE, "depth", "is not known"),
        (XGBOOST.replace("DEFAULT SET", "DEFAULT EXCEPT (max_depth '1.5') SET"), VALUE, "max_depth", "1.5"),
        (XGBOOST.replace("DEFAULT SET", "DEFAULT EXCEPT (gamma 'nan') SET"), VALUE, "gamma", "nan"),
        (AUTO.replace("S3_BUCKET 'b'", "S3_BUCKET 'b', MAX_CELLS 0"), VALUE, "0)", "out of range"),
        (AUTO.replace("S3_BUCKET 'b'", "S3_BUCKET 'b', S3_GARBAGE_COLLECT maybe"), VALUE, "maybe", "not known"),
        (f"{REMOTE} SETTINGS (MAX_BATCH_ROWS 2147483648)", VALUE, "2147483648", "out of range"),
        (FORECAST.replace("'D'", "'2h'"), VALUE, "'2h'", 'frequency "2h" is not known'),
        (FORECAST.replace("'D'", "'D', PERCENTILES '0.5,1.5'"), VALUE, "'0.5", 'percentile "1.5"'),
        (FORECAST.replace("'D'", "'D', PERCENTILES '.1,.2,.3,.4,.5,.6'"), VALUE, "'.1", "at most 5"),
        (REMOTE.replace("'e'", "' '"), VALUE, "' '", "SAGEMAKER names nothing"),
        (REMOTE.replace("int)", "nope)"), errors.UndefinedObject, "nope", 'type "nope" does not exist'),
    ],
)
def test_refusals_name_the_clause_and_its_place(text: str, error: type[errors.Error], place: str, message: str) -> None:
    for before in ("", "/* first */ show all; "):
        with pytest.raises(error) as caught:
            parse(before + text)
        assert message in caught.value.message
        assert caught.value.position is not None
        assert (before + text)[caught.value.position - 1 :].startswith(place)


def test_a_hint_says_what_to_do() -> None:
    with pytest.raises(errors.InvalidDefinition) as caught:
        parse(XGBOOST.replace("HYPERPARAMETERS DEFAULT", ""))
    assert caught.value.hint == "Write HYPERPARAMETERS DEFAULT to take the default of each."
