"""`restframe sql`: statements from the command line, a script, standard input, or a user at a terminal."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator

from restframe import errors
from restframe.cli import formats
from restframe.cli.console import Console, Leave, View
from restframe.cli.meta import carry_out
from restframe.warehouse import Warehouse


class _Failed(Exception):
    """A statement failed, which has been reported."""


def run(given: argparse.Namespace) -> int:
    """Run what was given, or open the shell; 1 when a statement fails. What follows the failure is not run.

    Every statement commits by itself unless the text brings BEGIN and COMMIT.
    """
    formats.utf8_output()
    interactive = not given.command and given.file is None and sys.stdin.isatty()
    if given.format == "parquet" and (interactive or given.output is None):
        raise errors.InterfaceError("--format parquet needs a statement and -o FILE")
    with Warehouse(given.directory) as warehouse:
        with warehouse.session() as session:
            view = View(format=given.format, quiet=given.quiet)
            console = Console(warehouse, session, view, carry_out)
            status = _talk(console) if interactive else _run_given(given, console)
        _wait_for_models(warehouse, given.quiet)
    return status


def _talk(console: Console) -> int:
    from restframe.cli.shell import shell

    return shell(console)


def _run_given(given: argparse.Namespace, console: Console) -> int:
    try:
        with _output(given, console.view):
            _run_all(given, console)
    except _Failed:
        return 1
    return 0


def _wait_for_models(warehouse: Warehouse, quiet: bool) -> None:
    """Stay as long as forecast models train, because nobody else goes on with them; not after ctrl-C."""
    names = warehouse.models_in_training()
    if not names:
        return
    if not quiet:
        print(
            f"Waiting for the training of {', '.join(names)}. Ctrl-C leaves it; it begins anew, once, when the "
            "warehouse is opened again.",
            file=sys.stderr,
        )
    with contextlib.suppress(KeyboardInterrupt):
        warehouse.wait_for_models()


def _run_all(given: argparse.Namespace, console: Console) -> None:
    done = True
    with contextlib.suppress(Leave):
        for text in given.command:
            done = done and console.run(text)
        if done and (given.file is not None or not given.command):
            done = console.run_file(given.file or "-")
    if not done:
        raise _Failed


@contextlib.contextmanager
def _output(given: argparse.Namespace, view: View) -> Iterator[None]:
    """The file that -o names: there when everything went well, and as it was when anything did not."""
    if given.output is None:
        yield
        return
    with formats.whole_file(given.output) as partial:
        if given.format == "parquet":
            view.parquet = partial
            yield
            if not partial.exists():
                raise errors.InterfaceError("no statement returned rows to write")
            return
        with partial.open("w", encoding="utf-8", newline="") as view.output:
            yield
