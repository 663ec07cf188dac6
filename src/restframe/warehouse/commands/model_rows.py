"""The rows that SHOW MODEL prints. Their order is part of the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from restframe.catalog.models import Model
from restframe.storage import ObjectUrl
from restframe.warehouse.forecasts.rows import column_name

if TYPE_CHECKING:
    from restframe.warehouse.forecasts.register import Record
    from restframe.warehouse.session import Session

Rows = list[tuple[str, str]]

_BLANK = ("", "")


def describe(model: Model, session: Session) -> Rows:
    """Of a remote model twelve rows, as Redshift prints them; of a forecast three blocks, as of all trained models."""
    record = session.services.forecasts.find(model.id) if model.kind == "forecast" else None
    return _remote(model) if record is None else _forecast(model, record, session)


def _head(model: Model, state: str) -> Rows:
    return [
        ("Model Name", model.name),
        ("Schema Name", model.schema),
        ("Owner", model.owner),
        ("Creation Time", model.created.strftime("%a, %d.%m.%Y %H:%M:%S")),
        ("Model State", state),
    ]


def _remote(model: Model) -> Rows:
    return [
        *_head(model, model.state),
        _BLANK,
        ("PARAMETERS:", ""),
        ("Endpoint", model.endpoint or ""),
        ("Function Name", model.function_name),
        ("Inference Type", "Remote"),
        ("Function Parameter Types", " ".join(type_.name for type_ in model.arguments)),
        ("IAM Role", model.iam_role),
    ]


# Forecasts


def _forecast(model: Model, record: Record, session: Session) -> Rows:
    """Whoever may only use the model is not told of roles, buckets and keys."""
    progress = session.services.forecasts.progress(model)
    rights = session.catalog.rights
    rows = _head(model, progress.state)
    status = session.services.forecasts.job_status(record)
    if status is not None:
        rows.append(("Training Job Status", status))
    if progress.state == "FAILED":
        rows.append(("Failure Reason", record.failure or ""))
    if progress.state == "READY":
        rows += _results(record.objective, record.report)
    rows += [_BLANK, ("TRAINING DATA:", ""), *_source(record), ("Target Column", record.target)]
    rows += [_BLANK, ("PARAMETERS:", ""), *_parameters(record)]
    if rights.superuser or model.owner == rights.user.name:
        rows += [("IAM Role", model.iam_role), ("S3 Bucket", ObjectUrl.parse(record.folder).bucket)]
        if record.kms_key_id is not None:
            rows.append(("KMS Key", record.kms_key_id))
    rows.append(("Max Runtime", str(record.max_runtime_s)))
    return rows


def _results(objective: str, report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What each candidate's error was on the held-out end of the data, and which one has made the forecast."""
    for candidate in report["candidates"]:
        told = candidate["skipped"] or _shown(candidate["error"])
        yield f"validation:{objective} {candidate['name']}", told
    yield "Best Candidate", report["winner"]
    for remark in report["remarks"]:
        yield "Remark", remark


def _shown(error: float | None) -> str:
    return "undefined" if error is None else f"{error:.6g}"


def _source(record: Record) -> Rows:
    """The table, or the query's lines, of which the first has the key."""
    if not record.from_query:
        return [("Table", record.source)]
    lines = [line.strip() for line in record.source.splitlines() if line.strip()]
    return [("Query" if place == 0 else "", line) for place, line in enumerate(lines)]


def _parameters(record: Record) -> Rows:
    return [
        ("Model Type", "forecast"),
        ("Objective", record.objective),
        ("Training Job Name", record.job),
        ("Forecast Horizon", str(record.horizon)),
        ("Forecast Frequency", record.frequency),
        ("Forecast Percentiles", " ".join(column_name(one) for one in record.percentiles)),
    ]
