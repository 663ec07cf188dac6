"""What containers of algorithms on tables share: reading channels, and answering requests with scores."""

from __future__ import annotations

from restframe import errors
from restframe.ml import codecs
from restframe.ml.algorithm import Channel, Predictor, RowPredictor
from restframe.ml.codecs import Records

TRAINING_CONTENT_TYPES = (codecs.RECORDIO, codecs.CSV)
_RECORDIO_START = b"\x0a\x23\xd7\xce"


def read_channel(name: str, channel: Channel, label_size: int = 0) -> Records:
    """All rows of a channel; DataError naming the object that is not right.

    Without a content type an object that begins with recordio's magic number is recordio, any other is CSV.
    label_size : of CSV whose content type does not say
    """
    import numpy as np

    found: list[Records] = []
    for where, content in channel.objects:
        guessed = codecs.RECORDIO if content.startswith(_RECORDIO_START) else codecs.CSV
        try:
            records = codecs.decode(content, channel.content_type or guessed, label_size=label_size)
        except errors.DataError as error:
            raise errors.DataError(f'"{where[:200]}": {error.message}', hint=error.hint) from error
        if not len(records.features):
            continue
        if found and records.features.shape[1] != found[0].features.shape[1]:
            raise errors.DataError(
                f'"{where[:200]}" has {records.features.shape[1]} columns, '
                f'earlier objects of the channel "{name}" have {found[0].features.shape[1]}'
            )
        found.append(records)
    if not found:
        raise errors.DataError(f'the channel "{name}" has no rows')
    if len(found) == 1:
        return found[0]
    labels = [records.labels for records in found if records.labels is not None]
    if labels and len(labels) < len(found):
        raise errors.DataError(f'some objects of the channel "{name}" have labels and some have none')
    return Records(np.concatenate([records.features for records in found]), np.concatenate(labels) if labels else None)


def answer_scores(predictor: Predictor, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
    """One score for each row of a request, in the form the client accepts."""
    assert isinstance(predictor, RowPredictor)
    codecs.check_accept(accept)
    points = codecs.decode(body, content_type).features
    if not len(points):
        raise errors.DataError("the request has no rows")
    return codecs.encode_scores(predictor.predict(points), accept)
