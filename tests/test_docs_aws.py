"""docs/aws.md lists the operations that are served, no more and no fewer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from restframe.aws.app import SERVICES, Application

PAGE = (Path(__file__).parents[1] / "docs" / "aws.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("service", SERVICES)
def test_the_page_lists_the_operations_of(service: str) -> None:
    operations = Application.operations(service)
    assert operations is not None
    listed = re.search(rf"\| operations of `{service}` \|\n\|---\|\n\| (.*) \|", PAGE)
    assert listed is not None
    assert listed[1].split(", ") == operations.names()


def test_the_readme_counts_them() -> None:
    served = [Application.operations(service) for service in SERVICES]
    count = sum(len(operations.names()) for operations in served if operations)
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert f"{count} operations of eleven services" in readme
