"""CREATE MODEL ... MODEL_TYPE FORECAST."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from restframe import errors
from restframe.catalog.models import Model
from restframe.result import Result
from restframe.sql import QualifiedName
from restframe.sql.statements.iam_role import role_name
from restframe.sql.statements.model import CreateForecastModel
from restframe.storage import ObjectUrl
from restframe.warehouse.forecasts import training_data
from restframe.warehouse.forecasts.register import Record
from restframe.warehouse.forecasts.rows import DEFAULT_PERCENTILES

if TYPE_CHECKING:
    from restframe.warehouse.session import Session

_DEFAULT_OBJECTIVE = "AverageWeightedQuantileLoss"


def create(statement: CreateForecastModel, session: Session) -> Result:
    """Put the training data into the bucket, and begin training; the model is TRAINING, and READY later.

    The data are read with the user's rights and checked here; what is wrong with them is told with its place. The
    training begins when the transaction commits, and never when it does not.
    """
    schema = session.catalog.creation_schema(statement.name.schema, statement.name.position)
    if session.catalog.find_model(schema, statement.name.name) is not None:
        raise errors.DuplicateObject(f'model "{statement.name.name}" already exists', position=statement.name.position)
    folder = _folder(statement, session)
    data = training_data.read(statement, session)
    model = Model(
        id=session.catalog.next_model_id(),
        schema=schema,
        name=statement.name.name,
        owner=session.user,
        created=datetime.now(UTC).replace(tzinfo=None, microsecond=0),
        kind=statement.kind,
        state="TRAINING",
        function_schema="",
        function_name="",
        argument_types=[],
        returns="",
        endpoint=None,
        target_model=None,
        iam_role=role_name(statement.iam_role),
        max_batch_rows=None,
    )
    try:
        session.services.forecasts.begin(_record(statement, model, folder), data, session)
    except errors.StorageError as error:
        error.position = statement.places.get("S3_BUCKET")
        raise
    session.catalog.add_model(model)
    for word, given in (("TAGS", statement.settings.tags), ("KMS_KEY_ID", statement.settings.kms_key_id)):
        if given is not None:
            session.notice(f"{word} is accepted without effect")
    return Result(command="CREATE MODEL")


def _folder(statement: CreateForecastModel, session: Session) -> str:
    """Where the model's objects will be. InvalidParameterValue for a bucket that cannot be called so."""
    try:
        url = ObjectUrl.parse(f"s3://{statement.settings.s3_bucket}/")
        session.storage.check_reach(statement.iam_role, url)
    except (errors.InvalidParameterValue, errors.StorageAccessDenied) as error:
        error.position = statement.places.get("S3_BUCKET")
        raise
    return f"s3://{url.bucket}/redshift-ml/{_job_name()}/"


def _job_name() -> str:
    """`redshiftml-20220621190735-5f0c3a1b-forecast`, after Redshift's fashion."""
    return f"redshiftml-{datetime.now(UTC):%Y%m%d%H%M%S}-{uuid.uuid4().hex[:8]}-forecast"


def _record(statement: CreateForecastModel, model: Model, folder: str) -> Record:
    settings, data = statement.settings, statement.training_data
    from_query = not isinstance(data, QualifiedName)
    assert settings.horizon is not None and settings.frequency is not None
    return Record(
        model=model.id,
        job=folder.rstrip("/").rpartition("/")[2],
        folder=folder,
        keeps_objects=not settings.s3_garbage_collect,
        source=str(data) if isinstance(data, QualifiedName) else data.text,
        from_query=from_query,
        target=statement.target,
        objective=statement.objective or _DEFAULT_OBJECTIVE,
        horizon=settings.horizon,
        frequency=settings.frequency,
        percentiles=settings.percentiles or DEFAULT_PERCENTILES,
        kms_key_id=settings.kms_key_id,
        max_runtime_s=settings.max_runtime_s,
    )
