"""`restframe train`, `job`, `endpoint` and `doctor`, as they are typed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

import pytest

from restframe.cli import doctor


def restframe(*arguments: str | Path, text: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "restframe", *map(str, arguments)]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with a model that was trained and deployed from the command line."""
    directory = tmp_path_factory.mktemp("rides")
    bucket = directory / "s3" / "taxi" / "train"
    bucket.mkdir(parents=True)
    (bucket / "part.csv").write_text("".join(f"{100 + i % 10}\n" for i in range(2000)))
    done = restframe(
        "train", "random_cut_forest", "train=s3://taxi/train/", "-o", "s3://taxi/models", "-n", "first",
        "-p", "feature_dim=1", "-p", "num_trees=50", "--deploy", "forest", "-d", directory,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Training job first" in done.stdout
    assert "ForestInfo{num_trees: 50" in done.stdout
    assert "s3://taxi/models/first/output/model.tar.gz" in done.stdout
    assert done.stdout.endswith("Endpoint forest is InService\n")
    assert (directory / "s3/taxi/models/first/output/model.tar.gz").exists()
    return directory


def test_jobs_are_listed_and_described(directory: Path) -> None:
    listed = restframe("job", "list", "-d", directory).stdout.splitlines()
    assert listed[0].split() == ["job", "status", "algorithm", "created", "took"]
    assert listed[1].startswith("first  Completed  random_cut_forest")
    described = restframe("job", "describe", "first", "-d", directory).stdout
    assert re.search(r"^num_trees +50$", described, re.MULTILINE)
    assert re.search(r"^channel train +s3://taxi/train/$", described, re.MULTILINE)
    as_json = json.loads(restframe("job", "describe", "first", "--json", "-d", directory).stdout)
    assert as_json["artifact"] == "s3://taxi/models/first/output/model.tar.gz"
    assert json.loads(restframe("job", "list", "--json", "-d", directory).stdout)[0]["status"] == "Completed"


def test_a_jobs_log_can_be_read_afterwards(directory: Path) -> None:
    assert "ForestInfo{num_trees: 50" in restframe("job", "logs", "first", "-d", directory).stdout


def test_a_finished_job_cannot_be_stopped_and_an_unknown_one_not_described(directory: Path) -> None:
    done = restframe("job", "stop", "first", "-d", directory)
    assert done.returncode == 1
    assert "it cannot be stopped" in done.stderr
    assert 'training job "nobody" does not exist' in restframe("job", "describe", "nobody", "-d", directory).stderr


def test_a_job_that_cannot_work_fails_with_its_reason(directory: Path) -> None:
    done = restframe(
        "train", "random_cut_forest", "train=s3://taxi/nothing/", "-o", "s3://taxi/models", "-p", "feature_dim=1", "-d",
        directory,
    )  # fmt: skip
    assert done.returncode == 1
    assert "no S3 objects found" in done.stderr
    assert restframe("train", "random_cut_forest", "train", "-o", "s3://taxi/m", "-d", directory).returncode == 1


def test_an_endpoint_answers(directory: Path) -> None:
    done = restframe("endpoint", "invoke", "forest", "105\n9999\n", "-d", directory)
    ordinary, strange = map(float, done.stdout.split())
    assert strange > 2 * ordinary
    asked = restframe("endpoint", "invoke", "forest", "--accept", "application/json", "-d", directory, text="105\n")
    assert list(json.loads(asked.stdout)) == ["scores"]
    request = '{"instances": [{"features": [105]}, {"features": [9999]}]}'
    assert len(json.loads(restframe("endpoint", "invoke", "forest", request, "-d", directory).stdout)["scores"]) == 2


def test_endpoints_are_created_listed_described_and_deleted(directory: Path) -> None:
    assert (
        restframe("endpoint", "create", "second", "first", "-d", directory).stdout == "Endpoint second is InService\n"
    )
    listed = restframe("endpoint", "list", "-d", directory).stdout
    assert re.search(r"^second +InService +s3://taxi/models/first/output/model\.tar\.gz", listed, re.MULTILINE)
    described = restframe("endpoint", "describe", "second", "-d", directory).stdout
    assert re.search(r"^algorithm +random_cut_forest$", described, re.MULTILINE)
    assert "content type" not in described  # which only servers of others have
    assert restframe("endpoint", "create", "second", "first", "-d", directory).returncode == 1
    assert restframe("endpoint", "delete", "second", "-d", directory).stdout == "Endpoint second is deleted\n"
    assert "second" not in restframe("endpoint", "list", "-d", directory).stdout
    assert restframe("endpoint", "describe", "second", "-d", directory).returncode == 1


def test_an_endpoint_is_served_over_http_until_ctrl_c(directory: Path) -> None:
    command = [sys.executable, "-m", "restframe", "endpoint", "serve", "forest", "--port", "0", "-d", str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = re.search(r"http://\S+/invocations", process.stdout.readline())
        assert address is not None
        request = urllib.request.Request(address[0], b"9999\n", {"Content-Type": "text/csv", "Accept": "text/csv"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert float(answer.read()) > 1.5
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (0, "")


def test_the_doctor_finds_a_working_machine(tmp_path: Path) -> None:
    done = restframe("doctor", "-d", tmp_path / "rides")
    assert done.returncode == 0, done.stdout
    assert "loaded, trained, deployed and scored in SQL" in done.stdout
    assert re.search(r"^ok +restframe 0\.", done.stdout)
    assert not (tmp_path / "rides").exists()


def test_the_doctor_looks_for_all_that_is_needed() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = [line for line in project["dependencies"] if ";" not in line]
    assert set(doctor._NEEDED.values()) == {re.split("[<>=]", line)[0] for line in required}


def test_the_doctor_says_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    import restframe as library

    with library.open(tmp_path):
        done = restframe("doctor", "-d", tmp_path)
    assert re.search(r"^warn  the warehouse is open in another process", done.stdout, re.MULTILINE)
    (tmp_path / "file").write_text("")
    broken = restframe("doctor", "-d", tmp_path / "file")
    assert broken.returncode == 1
    assert re.search(r"^fail  .* is not a directory\n +Choose another one with -d", broken.stdout, re.MULTILINE)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_the_doctor_notices_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "cannot be written" in restframe("doctor", "-d", tmp_path / "rides").stdout
