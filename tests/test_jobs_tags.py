"""Tags of training jobs, models and endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from restframe import errors
from restframe.jobs.models import Models
from restframe.jobs.specs import ModelSpec
from restframe.jobs.tables import MIGRATIONS
from restframe.jobs.tags import Tags
from restframe.journal import Journal


@pytest.fixture
def tags(tmp_path: Path) -> Iterator[Tags]:
    journal = Journal(tmp_path / "service.sqlite")
    journal.migrate("jobs", MIGRATIONS)
    Models(journal).create(ModelSpec("Taxi", url="http://127.0.0.1:9000"))
    yield Tags(journal)
    journal.close()


def test_tags_are_replaced_and_removed_by_key(tags: Tags) -> None:
    tags.add("model/taxi", {"team": "a", "cost": "7"})
    tags.add("model/taxi", {"team": "b"})
    assert tags.of("model/taxi") == {"cost": "7", "team": "b"}
    tags.remove("model/taxi", ["cost", "none"])
    assert tags.of("model/Taxi") == {"team": "b"}
    tags.forget("model/taxi")
    assert tags.of("model/taxi") == {}


def test_what_is_not_there_has_no_tags(tags: Tags) -> None:
    for resource, message in (("model/x", '"model/x" does not exist'), ("pipeline/x", "is nothing that has tags")):
        for call in (lambda name: tags.add(name, {}), tags.of, lambda name: tags.remove(name, [])):
            with pytest.raises(errors.UndefinedObject, match=message):
                call(resource)


def test_fifty_tags_are_all(tags: Tags) -> None:
    tags.add("model/taxi", {str(i): "" for i in range(50)})
    with pytest.raises(errors.InvalidParameterValue, match="at most 50 tags"):
        tags.add("model/taxi", {"one more": ""})
    assert len(tags.of("model/taxi")) == 50
