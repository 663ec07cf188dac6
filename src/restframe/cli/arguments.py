"""What every command of the command line takes."""

from __future__ import annotations

import argparse
import os
import shlex
from pathlib import Path
from typing import Any

from restframe import __version__

_EPILOG = "Without -d the warehouse is in $RESTFRAME_DIRECTORY, or else in {default}."

_TRAIN = """\
hyper-parameters that must be given:
  random_cut_forest  feature_dim
  deepar             time_freq, context_length, prediction_length, epochs
docs/algorithms.md and docs/forecasting.md have all of them.

s3://rides/train/ is the folder s3/rides/train of the warehouse's directory.
Ctrl-C stops the job; deepar then keeps the best model so far.

  restframe train deepar train=s3://rides/train/ -o s3://rides/models \\
      -p time_freq=H -p context_length=48 -p prediction_length=24 \\
      -p epochs=40 --deploy rides"""


def default_directory() -> Path:
    """Where a user's warehouse is when nothing says otherwise."""
    given = os.environ.get("RESTFRAME_DIRECTORY")
    if given:
        return Path(given)
    data_home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data_home).expanduser() / "restframe"


def directory_option(directory: Path) -> str:
    """What a command has to be told to work on a directory, with a blank before it; nothing when it is the default."""
    if directory.absolute() == default_directory().absolute():
        return ""
    return f" -d {shlex.quote(str(directory.absolute()))}"


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="restframe",
        description="A warehouse on your own machine that speaks Redshift SQL and Redshift ML.",
        epilog=_EPILOG.format(default=default_directory()),
    )
    top.add_argument("--version", action="version", version=f"restframe {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for add in (_add_serve, _add_env, _add_keys, _add_sql, _add_train, _add_endpoint, _add_job, _add_demo, _add_doctor):
        add(commands)
    return top


Commands = Any  # argparse has no public name for what add_subparsers() returns


def _command(commands: Commands, name: str, run: str, text: str, *, directory: bool = True) -> argparse.ArgumentParser:
    """One command; `run` is `module:function`, imported only when it is chosen."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text[:1].upper() + text[1:])
    command.set_defaults(run=f"restframe.cli.{run}")
    if directory:
        command.add_argument(
            "-d",
            "--directory",
            "--data",
            type=Path,
            default=default_directory(),
            metavar="DIR",
            help="the warehouse's directory",
        )
    return command


def _add_serve(commands: Commands) -> None:
    serve = _command(commands, "serve", "serve:serve", "answer SQL and AWS clients, until ctrl-C or restframe stop")
    serve.add_argument("--host", metavar="ADDRESS", help="to listen on; 127.0.0.1, which other machines cannot reach")
    serve.add_argument("--port", type=int, dest="http_port", metavar="N", help="of the AWS APIs; 8439")
    serve.add_argument("--sql-port", type=int, metavar="N", help="of the PostgreSQL protocol; 5439")
    serve.add_argument("--proxy-port", type=int, metavar="N", help="of the proxy for what ignores endpoints; 8440")
    level = serve.add_mutually_exclusive_group()
    level.add_argument("--log-level", choices=("debug", "info", "warning", "error"), help="of standard error; warning")
    level.add_argument(
        "-v", "--verbose", dest="log_level", action="store_const", const="info", help="log every request: level info"
    )
    _command(commands, "status", "serve:status", "say whether a server runs here, and where it listens")
    _command(commands, "stop", "serve:stop", "end the server that runs here")


def _add_env(commands: Commands) -> None:
    env = _command(
        commands, "env", "env:run", 'print what lets AWS and SQL clients find the server: eval "$(restframe env)"'
    )
    env.add_argument(
        "--format",
        choices=("shell", "dotenv", "docker", "json"),
        default="shell",
        help="commands for a shell, a .env file, a file for docker run --env-file, or a JSON object",
    )
    env.add_argument("--host", metavar="NAME", help="what clients on other machines or in containers call this one")


def _add_keys(commands: Commands) -> None:
    text = "make, list and revoke access keys, also while the server runs"
    group = commands.add_parser("keys", help=text, description=text).add_subparsers(metavar="ACTION", required=True)
    create = _command(group, "create", "keys:create", "make an access key")
    create.add_argument("name", nargs="?", default="default", help="of who holds it")
    create.add_argument("--database-user", metavar="USER", help="whose rights it has; the superuser's without")
    listed = _command(group, "list", "keys:show_all", "list all access keys")
    for one in (create, listed):
        one.add_argument("--json", action="store_true", help="print JSON")
    revoke = _command(group, "revoke", "keys:revoke", "make a key invalid, for good")
    revoke.add_argument("id", help="the access key, as AKIA...")


def _add_sql(commands: Commands) -> None:
    sql = _command(commands, "sql", "sql:run", "run SQL, or open a shell when there is none to run")
    sql.add_argument(
        "-c", "--command", action="append", default=[], metavar="SQL", help="run this text; may be given again"
    )
    sql.add_argument("-f", "--file", metavar="FILE", help="run this script; - is standard input")
    sql.add_argument(
        "--format",
        choices=("table", "csv", "json", "parquet"),
        default="table",
        help="of rows: a table to read, CSV with a header, a JSON array of objects, or Parquet, which needs -o",
    )
    sql.add_argument("-o", "--output", type=Path, metavar="FILE", help="write rows there; whole or not at all")
    sql.add_argument("-q", "--quiet", action="store_true", help="print rows and errors only")


def _add_train(commands: Commands) -> None:
    train = _command(commands, "train", "training:train", "train a model from data in s3:// buckets")
    train.formatter_class, train.epilog = argparse.RawDescriptionHelpFormatter, _TRAIN
    train.add_argument("algorithm", help="random_cut_forest, deepar, or the name of a SageMaker training image of one")
    train.add_argument(
        "channels",
        nargs="+",
        metavar="CHANNEL=S3_URL",
        help="the data: train=s3://bucket/prefix, test=s3://bucket/prefix",
    )
    train.add_argument(
        "-o", "--output", required=True, metavar="S3_URL", help="where the model goes: s3://bucket/prefix"
    )
    train.add_argument("-n", "--name", help="of the job; made of the algorithm and the time otherwise")
    train.add_argument(
        "-p",
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a hyper-parameter; may be given again",
    )
    train.add_argument("--deploy", metavar="ENDPOINT", help="serve the model under this name when it is trained")


def _add_endpoint(commands: Commands) -> None:
    text = "make, show and ask the endpoints that serve models"
    group = commands.add_parser("endpoint", help=text, description=text).add_subparsers(metavar="ACTION", required=True)
    create = _command(group, "create", "endpoint:create", "serve a model under a name")
    create.add_argument("name")
    create.add_argument(
        "model", help="a training job, s3:// of a model.tar.gz, or http:// of a server with /invocations"
    )
    create.add_argument("--algorithm", help="of a model.tar.gz that does not say it itself")
    create.add_argument(
        "--header", default="", metavar="A,B", help="column names, for a server that wants CSV with a header line"
    )
    create.add_argument("--content-type", choices=("text/csv", "application/json"), default="text/csv")
    listed = _command(group, "list", "endpoint:show_all", "list all endpoints")
    describe = _command(group, "describe", "endpoint:describe", "show what is known of an endpoint")
    invoke = _command(group, "invoke", "endpoint:invoke", "send an endpoint a request and print its answer")
    delete = _command(group, "delete", "endpoint:delete", "end an endpoint; what it was made of stays")
    serve = _command(group, "serve", "endpoint:serve", "answer /ping and /invocations over HTTP for one endpoint")
    for one in (describe, invoke, delete, serve):
        one.add_argument("name")
    for one in (listed, describe):
        one.add_argument("--json", action="store_true", help="print JSON")
    invoke.add_argument("body", nargs="?", help="the request; standard input without it")
    invoke.add_argument("--content-type", help="of the request; JSON or CSV without it, as it looks")
    invoke.add_argument("--accept", help="the type of the answer; that of the request without it")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8080)


def _add_job(commands: Commands) -> None:
    text = "show, follow and stop training jobs"
    group = commands.add_parser("job", help=text, description=text).add_subparsers(metavar="ACTION", required=True)
    listed = _command(group, "list", "training:show_all", "list all training jobs")
    describe = _command(group, "describe", "training:describe", "show what is known of a job")
    stop = _command(group, "stop", "training:stop", "stop a job")
    logs = _command(group, "logs", "training:logs", "print a job's log")
    for one in (describe, stop, logs):
        one.add_argument("name")
    for one in (listed, describe):
        one.add_argument("--json", action="store_true", help="print JSON")


def _add_demo(commands: Commands) -> None:
    text = "play a story from data to result"
    group = commands.add_parser("demo", help=text, description=text).add_subparsers(metavar="STORY", required=True)
    taxi = _command(
        group, "taxi", "demo.taxi:run", "find what is unusual in New York's taxi ridership", directory=False
    )
    taxi.add_argument("--data-file", metavar="CSV", help="ridership as timestamp,value: a file, or s3://bucket/key")
    taxi.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR", help="where the chart goes; ./demo")
    taxi.add_argument(
        "-d", "--directory", type=Path, metavar="DIR", help="the warehouse's directory; DIR/warehouse in --out"
    )


def _add_doctor(commands: Commands) -> None:
    _command(commands, "doctor", "doctor:run", "check that restframe can work here")
