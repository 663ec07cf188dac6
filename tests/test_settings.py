"""Settings: from the file, the environment and arguments, in this order of strength."""

from __future__ import annotations

from pathlib import Path

import pytest

from restframe import errors
from restframe.settings import S3Endpoint, load


def test_everything_has_a_default(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert (settings.database, settings.user, settings.buckets) == ("dev", "awsuser", tmp_path / "s3")


def test_the_environment_wins_over_the_file_and_arguments_over_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "restframe.toml").write_text(
        "threads = 1\nuser = 'kim'\ndatabase = 'file'\nauto_create_buckets = false"
    )
    monkeypatch.setenv("RESTFRAME_THREADS", "2")
    monkeypatch.setenv("RESTFRAME_DATABASE", "environment")
    settings = load(tmp_path, database="argument")
    assert (settings.threads, settings.user, settings.database) == (2, "kim", "argument")
    assert settings.auto_create_buckets is False


def test_other_s3_services_stand_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "restframe.toml").write_text(
        '[[s3_endpoints]]\nbuckets = ["nyc-*"]\nendpoint = "http://127.0.0.1:9000"'
    )
    assert load(tmp_path).s3_endpoints == (S3Endpoint(("nyc-*",), "http://127.0.0.1:9000"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("thread = 1", '"thread" in restframe.toml is not a setting'),
        ("threads = 'many'", '"many" in restframe.toml is not a value for threads'),
        ("auto_create_buckets = 'perhaps'", "is not a value for auto_create_buckets"),
        ("threads =", "restframe.toml is not valid TOML"),
        ("s3_endpoints = 5", "is not a value for s3_endpoints"),
        ("[[iam_roles]]\nrole = 'default'\nbuckets = 'lake'", "is not a value for iam_roles"),
        ("[[iam_roles]]\nbuckets = ['lake']", "is not a value for iam_roles"),
    ],
)
def test_a_wrong_setting_is_named_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "restframe.toml").write_text(text)
    with pytest.raises(errors.InterfaceError, match=message):
        load(tmp_path)


def test_an_argument_that_is_no_setting_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.InterfaceError, match="colour"):
        load(tmp_path, colour="red")


@pytest.mark.parametrize(
    ("host", "local"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("rest", False)]
)
def test_where_others_reach_us_buckets_are_not_made_by_writing_to_them(tmp_path: Path, host: str, local: bool) -> None:
    settings = load(tmp_path, host=host)
    assert (settings.local, settings.auto_create_buckets) == (local, local)
    assert load(tmp_path, host=host, auto_create_buckets=True).auto_create_buckets is True


def test_every_setting_is_documented() -> None:
    page = (Path(__file__).parents[1] / "docs" / "operating.md").read_text(encoding="utf-8")
    from restframe.settings import _SETTABLE

    missing = [name for name in _SETTABLE if f"| `{name}` |" not in page]
    assert missing == []
