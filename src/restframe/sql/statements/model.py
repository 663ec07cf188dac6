"""CREATE MODEL in all its kinds, CREATE EXTERNAL MODEL, SHOW MODEL and DROP MODEL.

The clauses of CREATE MODEL are read in any order by `model_clauses`; which of them stand there decides the kind of
model, and each kind has its own class with exactly what such a model needs.

https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_MODEL.html
https://docs.aws.amazon.com/redshift/latest/dg/r_create_model_use_cases.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from restframe.sql.lexer import QualifiedName
from restframe.sql.statements import Statement
from restframe.sql.statements.query import Query
from restframe.types import SqlType


@dataclass(frozen=True, slots=True)
class Preprocessor:
    """One entry of PREPROCESSORS '[{"ColumnSet": [...], "Transformers": [...]}, ...]'."""

    columns: tuple[str, ...]
    transformers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """SETTINGS ( name value [, ...] ), with the guide's defaults.

    tags : as written, `key=value,key`
    max_runtime_s : of a training
    horizon : forecast periods, of frequency `Y M W D H 30min 15min 10min 5min 1min`
    percentiles : texts of numbers from 0.01 to 0.99, and `mean`; empty when not given
    max_batch_rows : rows of one request to a remote endpoint
    """

    s3_bucket: str | None = None
    tags: str | None = None
    kms_key_id: str | None = None
    s3_garbage_collect: bool = True
    max_cells: int = 1_000_000
    max_runtime_s: int = 5_400
    horizon: int | None = None
    frequency: str | None = None
    percentiles: tuple[str, ...] = ()
    max_batch_rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateModel(Statement):
    """What all kinds share.

    kind : as the catalog keeps it
    label : as messages name it: `CREATE MODEL with <label>`
    iam_role : as given, `default` for DEFAULT
    """

    kind: ClassVar[str]
    label: ClassVar[str]

    name: QualifiedName
    iam_role: str
    settings: ModelSettings = field(default_factory=ModelSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRemoteModel(CreateModel):
    """CREATE MODEL name FUNCTION f ( type [, ...] ) RETURNS type SAGEMAKER 'endpoint'[:'model'] IAM_ROLE ...

    target_model : the second string, for an endpoint that serves several models
    """

    kind: ClassVar[str] = "remote"
    label: ClassVar[str] = "SAGEMAKER"

    function: QualifiedName
    argument_types: tuple[SqlType, ...]
    returns: SqlType
    endpoint: str
    target_model: str | None = None
    endpoint_position: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateLocalModel(CreateModel):
    """CREATE MODEL name FROM { 'job' | 's3_path' } FUNCTION f ( type [, ...] ) RETURNS type IAM_ROLE ... SETTINGS ...

    One of the two:
    artifact : the `s3://` URL of a model file
    job : the name of a training or AutoML job
    """

    kind: ClassVar[str] = "local"
    label: ClassVar[str] = "local inference"

    function: QualifiedName
    argument_types: tuple[SqlType, ...]
    returns: SqlType
    artifact: str | None = None
    job: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTrainedModel(CreateModel):
    """What the kinds that train on a table or a query share."""

    training_data: QualifiedName | Query
    training_position: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAutoModel(CreateTrainedModel):
    """CREATE MODEL name FROM ... TARGET column FUNCTION f IAM_ROLE ... [ AUTO ON ] SETTINGS ( S3_BUCKET 'b' )

    Guided when any of the rest is given:
    model_type : XGBOOST, MLP or LINEAR_LEARNER
    problem_type : REGRESSION, BINARY_CLASSIFICATION or MULTICLASS_CLASSIFICATION
    objective : MSE, Accuracy, F1, F1_Macro or AUC
    """

    kind: ClassVar[str] = "auto"
    label: ClassVar[str] = "AUTO ON"

    target: str
    function: QualifiedName
    model_type: str | None = None
    problem_type: str | None = None
    objective: str | None = None
    preprocessors: tuple[Preprocessor, ...] | None = None

    @property
    def guided(self) -> bool:
        return any((self.model_type, self.problem_type, self.objective, self.preprocessors is not None))


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateXgboostModel(CreateTrainedModel):
    """CREATE MODEL ... AUTO OFF MODEL_TYPE XGBOOST OBJECTIVE 'o' PREPROCESSORS 'none' HYPERPARAMETERS ...

    hyperparameters : those given, as texts that were checked; the guide's defaults hold for the rest
    """

    kind: ClassVar[str] = "xgboost"
    label: ClassVar[str] = "AUTO OFF MODEL_TYPE XGBOOST"

    target: str
    function: QualifiedName
    objective: str
    hyperparameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateKMeansModel(CreateTrainedModel):
    """CREATE MODEL ... AUTO OFF MODEL_TYPE KMEANS PREPROCESSORS ... HYPERPARAMETERS DEFAULT EXCEPT ( K 'n' )"""

    kind: ClassVar[str] = "kmeans"
    label: ClassVar[str] = "MODEL_TYPE KMEANS"

    function: QualifiedName
    preprocessors: tuple[Preprocessor, ...]
    hyperparameters: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateForecastModel(CreateTrainedModel):
    """CREATE MODEL ... TARGET column ... MODEL_TYPE FORECAST SETTINGS ( HORIZON n, FREQUENCY f [, PERCENTILES p] )

    It makes no function: `SELECT FORECAST(name)` reads it.

    objective : RMSE, WAPE, MAPE, MASE or AverageWeightedQuantileLoss
    places : where clauses and settings stand, by their words
    """

    kind: ClassVar[str] = "forecast"
    label: ClassVar[str] = "MODEL_TYPE FORECAST"

    target: str
    objective: str | None = None
    places: Mapping[str, int] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateExternalModel(Statement):
    """CREATE EXTERNAL MODEL name FUNCTION f IAM_ROLE ... MODEL_TYPE BEDROCK SETTINGS ( MODEL_ID 'id' [, ...] )

    Settings: PROMPT 's', SUFFIX 's', REQUEST_TYPE { RAW | UNIFIED }, RESPONSE_TYPE { VARCHAR | SUPER }.
    """

    kind: ClassVar[str] = "external"
    label: ClassVar[str] = "MODEL_TYPE BEDROCK"

    name: QualifiedName
    iam_role: str
    function: QualifiedName
    model_id: str
    prompt: str | None = None
    suffix: str | None = None
    request_type: str = "UNIFIED"
    response_type: str = "VARCHAR"


@dataclass(frozen=True, slots=True)
class ShowModel(Statement):
    """SHOW MODEL { ALL | name }

    name : None for ALL

    https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_MODEL.html
    """

    name: QualifiedName | None


@dataclass(frozen=True, slots=True)
class DropModel(Statement):
    """DROP MODEL [ IF EXISTS ] name

    https://docs.aws.amazon.com/redshift/latest/dg/r_DROP_MODEL.html
    """

    name: QualifiedName
    if_exists: bool = False
